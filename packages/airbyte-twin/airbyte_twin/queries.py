"""The target of a request (path and query parameters), and pages of lists.

Source: airbyte-platform PublicApi PaginationMapper and the generated constraint checks.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from airbyte_twin.documents import JsonArray, JsonObject
from airbyte_twin.errors import HttpError, json_response, target_of, unconverted, unexpected

API_HOST = "http://localhost:8001/api/public/v1"
"""Root of `next` and `previous`: the server's configured address, not the caller's."""

INT_LIMIT, LONG_LIMIT = 2**31, 2**63
DEFAULT_PAGE = (("limit", "20"), ("offset", "0"))
T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """A slice of a list; the server does not check the bounds that its document declares for `limit` (1 to 100)."""

    limit: int
    offset: int


@dataclass(frozen=True)
class Filter:
    """Which rows of a list are wanted: those of some workspaces, or (none named) of all; deleted ones on demand."""

    workspace_ids: tuple[str, ...]
    deleted: bool

    def admits(self, workspace_id: str, *, deleted: bool) -> bool:
        """Whether a row is wanted."""
        return (self.deleted or not deleted) and (not self.workspace_ids or workspace_id in self.workspace_ids)

    def query(self) -> list[tuple[str, str]]:
        """As links to other pages repeat it."""
        workspaces = [("workspaceIds", ",".join(self.workspace_ids))] if self.workspace_ids else []
        return [("includeDeleted", str(self.deleted).lower()), *workspaces]


def read_filter(request: Request) -> Filter:
    """`workspaceIds` and `includeDeleted`.

    Raises:
        HttpError: 400, one of them is not valid.
    """
    return Filter(tuple(read_ids(request, "workspaceIds")), read_flag(request, "includeDeleted"))


def whole_number(request: Request, name: str, text: str, limit: int = INT_LIMIT) -> int:
    """A number that fits into its Java type; Python itself would take underscores and blanks too.

    Raises:
        HttpError: 400, it is none.
    """
    if not re.fullmatch(r"[-+]?[0-9]{1,19}", text) or not -limit <= int(text) < limit:
        raise unconverted(request, name, text, f'For input string: "{text}"')
    return int(text)


def read_page(request: Request, statement: str = "") -> Page:
    """`limit` and `offset`.

    Args:
        request: The call.
        statement: The query that the database gets, for its error.

    Raises:
        ApiError: 400, one is no number; 500, one is negative.
    """
    texts = ((name, request.query_params.get(name) or default) for name, default in DEFAULT_PAGE)
    page = Page(*(whole_number(request, name, text) for name, text in texts))
    if min(page.limit, page.offset) < 0:
        flaw = f"ERROR: {'OFFSET' if page.offset < 0 else 'LIMIT'} must not be negative"
        raise unexpected(f"SQL [{statement}]; {flaw}" if statement else flaw)
    return page


def read_flag(request: Request, name: str) -> bool:
    """A boolean; whatever is not `true` is false."""
    return request.query_params.get(name, "").lower() == "true"


def read_ids(request: Request, name: str) -> list[str]:
    """UUIDs, repeated or joined by commas.

    Raises:
        HttpError: 400, one of them is no UUID.
    """
    texts = [text for value in request.query_params.getlist(name) for text in value.split(",") if text]
    return [converted_id(request, name, text) for text in texts]


def converted_id(request: Request, name: str, text: str) -> str:
    """A UUID, where the server converts it before its own code sees it.

    Raises:
        HttpError: 400, it is none.
    """
    try:
        return str(UUID(text))
    except ValueError as error:
        raise unconverted(request, name, text, f"Invalid UUID string: {text}") from error


def read_id(request: Request, name: str) -> str | None:
    """At most one UUID.

    Raises:
        HttpError: 400, it is none.
    """
    return next(iter(read_ids(request, name)), None)


def required_id(request: Request, name: str) -> str:
    """Exactly one UUID.

    Raises:
        HttpError: 400, it is missing or none.
    """
    found = read_id(request, name)
    if found is None:
        raise missing_query(request, name)
    return found


def missing_query(request: Request, name: str) -> HttpError:
    """400 for a parameter that a call must have."""
    message = f"Required QueryValue [{name}] not specified"
    return HttpError(400, "Bad Request", target_of(request), message, name)


def envelope(
    request: Request,
    page: Page,
    rows: Sequence[T],
    view: Callable[[T], JsonObject],
    query: Sequence[tuple[str, str]],
) -> JsonObject:
    """A page of rows between links to its neighbours; only an empty page has no `next`.

    Args:
        request: The call.
        page: The slice to show.
        rows: All that was found.
        view: Shows one.
        query: Further parameters of the links.
    """
    shown: JsonArray = [view(row) for row in islice(rows, page.offset, page.offset + page.limit)]
    route = request.url.path.rpartition("/")[2]

    limit = ("limit", page.limit)

    def link(offset: int, *limits: tuple[str, int]) -> str:
        return f"{API_HOST}/{route}?{urlencode([*query, *limits, ('offset', offset)])}"

    # The server makes both links with one builder: the limit that the link forward added stays in the one backwards.
    limits = [limit, limit] if shown else [limit]
    previous = link(max(page.offset - page.limit, 0), *limits) if page.offset else ""
    return {"previous": previous, "next": link(page.offset + page.limit, limit) if shown else "", "data": shown}


class ReadTarget:
    """ASGI middleware: one slash at the end of a path counts as none, and a bare pipe in a query is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with the path that routes are looked for by."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if b"|" in scope["query_string"]:
                refusal = HttpError(400, "Bad Request", path)
                await json_response(refusal.body, refusal.status)(scope, receive, send)
                return
            if path.endswith("/") and path != "/":
                scope["path"] = path[:-1]
        await self._app(scope, receive, send)
