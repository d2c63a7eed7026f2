"""Query parameters and the list envelope.

Knows paging. Must not know what is listed.
Source: airbyte-platform PublicApi PaginationMapper and the generated constraint checks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request

from airbyte_twin.documents import JsonArray, JsonObject
from airbyte_twin.errors import OpaqueError

API_HOST = "http://localhost:8001/api/public/v1"
"""What `next` and `previous` point at: the server's own idea of its address, not the caller's."""

T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """A slice of a list: `limit` is 1 to 100."""

    limit: int
    offset: int


def read_number(request: Request, name: str, default: int) -> int:
    """A whole number.

    Raises:
        OpaqueError: 400, it is none.
    """
    try:
        return int(request.query_params.get(name, str(default)))
    except ValueError as error:
        raise OpaqueError(400) from error


def read_page(request: Request) -> Page:
    """`limit` and `offset`.

    Raises:
        OpaqueError: 400, out of bounds.
    """
    page = Page(read_number(request, "limit", 20), read_number(request, "offset", 0))
    if not 1 <= page.limit <= 100 or not 0 <= page.offset < 2**31:
        raise OpaqueError(400)
    return page


def read_flag(request: Request, name: str) -> bool:
    """A boolean, false when absent.

    Raises:
        OpaqueError: 400, neither true nor false.
    """
    text = request.query_params.get(name, "false").lower()
    if text not in {"true", "false", ""}:
        raise OpaqueError(400)
    return text == "true"


def read_ids(request: Request, name: str) -> list[str]:
    """UUIDs, repeated or joined by commas.

    Raises:
        OpaqueError: 400, one of them is no UUID.
    """
    texts = [text for value in request.query_params.getlist(name) for text in value.split(",") if text]
    try:
        return [str(UUID(text)) for text in texts]
    except ValueError as error:
        raise OpaqueError(400) from error


def read_id(request: Request, name: str) -> str | None:
    """At most one UUID.

    Raises:
        OpaqueError: 400, it is none.
    """
    return next(iter(read_ids(request, name)), None)


def envelope(request: Request, page: Page, rows: Sequence[T], view: Callable[[T], JsonObject]) -> JsonObject:
    """A page of rows between links to its neighbours; only an empty page has no `next`."""
    shown: JsonArray = [view(row) for row in islice(rows, page.offset, page.offset + page.limit)]
    route = request.url.path.rpartition("/")[2]

    def link(offset: int) -> str:
        kept = [(k, v) for k, v in request.query_params.multi_items() if k not in {"limit", "offset"}]
        return f"{API_HOST}/{route}?{urlencode([*kept, ('limit', page.limit), ('offset', offset)])}"

    previous = link(max(page.offset - page.limit, 0)) if page.offset else ""
    return {"previous": previous, "next": link(page.offset + page.limit) if shown else "", "data": shown}
