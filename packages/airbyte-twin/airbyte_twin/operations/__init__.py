"""Every operation of Airbyte's two APIs, and the answer to those that the twin does not model."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from airbyte_twin.errors import ApiError, KnownError, ProblemError

PUBLIC_ROOT = "/api/public/v1"
CONFIG_ROOT = "/api/v1"
FILE = "operations.txt"


@dataclass(frozen=True)
class Operation:
    """One call of an API: `path` is the whole one, with its parameters in braces."""

    method: str
    path: str
    name: str

    @property
    def shape(self) -> tuple[str, str]:
        """What it has in common with the route that answers it: the method, and the path without parameters' names."""
        return self.method, shape_of(self.path)


def shape_of(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)


@cache
def all_operations() -> tuple[Operation, ...]:
    """The operations of both APIs."""
    text = (resources.files("airbyte_twin.operations") / FILE).read_text(encoding="utf-8")
    return tuple(Operation(*line.split()) for line in text.splitlines())


def not_modelled(root: str, routes: Iterable[BaseRoute]) -> Iterator[Route]:
    """A route for each operation below a root that no other route answers, so that it is not taken for an unknown path.

    Args:
        root: Of the API.
        routes: Its routes, with paths below the root.
    """
    known = {
        (method, shape_of(root + route.path))
        for route in routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    for operation in all_operations():
        below = operation.path.removeprefix(root)
        if below not in {operation.path, ""} and operation.shape not in known:
            yield Route(below, _refusal(operation), methods=[operation.method])


def _refusal(operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def refuse(_request: Request) -> Response:
        raise unmodelled(operation)

    return refuse


def unmodelled(operation: Operation) -> ApiError:
    """501 with the operation's name, in its API's shape."""
    message = (
        f"airbyte-twin does not model {operation.name} ({operation.method} {operation.path}), which a real Airbyte has."
    )
    if operation.path.startswith(PUBLIC_ROOT):
        return ProblemError(501, "error:twin/not-modelled", {"message": message})
    return KnownError(501, message)
