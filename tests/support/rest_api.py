"""A REST API of a kind for which Airbyte has no connector: paged, with a cursor, a token and a rate limit.

`GET /<table>?updated_since=<time>&page=<number>&limit=<rows>` answers `{"rows": […], "page": 1, "more": true}`. Rows
are in the order of `updated_at` and `id`, and `updated_since` includes rows of that very time, as most APIs do: a
reader gets the last rows of before once more. It refuses a wrong token with 401, a parameter that it does not know with
400, and one request too many with 429 and `Retry-After`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from threading import RLock
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from tests.support.http_server import http_server

MOST_ROWS: Final = 50
"""The most rows of a page."""
BEGAN: Final = datetime(2026, 3, 1, 8, tzinfo=UTC)
"""The API's clock at its start; it moves with each change of a row alone."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A request that the API got.

    Attributes:
        table: The table of its path.
        parameters: Its query.
        status: The status of the answer.
    """

    table: str
    parameters: Mapping[str, str]
    status: int


@dataclass
class RestApi:
    """The API's tables, and what it does to its callers.

    Attributes:
        token: The token that a request needs: `Authorization: Bearer <token>`.
        url: Its address, while it is served.
        refuses_each: Each request of this number is refused by the rate limit; 0 refuses none.
        before_page: Called before each page with its table and number: for changes between two pages. What it
            raises ends the connection without an answer.
        requests: Those that it got.
    """

    token: str = "rest-token"
    url: str = ""
    refuses_each: int = 0
    before_page: Callable[[str, int], None] | None = None
    requests: list[Request] = field(default_factory=list)
    _tables: dict[str, dict[int, Row]] = field(default_factory=dict)
    _now: datetime = BEGAN
    _lock: RLock = field(default_factory=RLock)

    def put(self, table: str, identity: int, **values: object) -> Row:
        """Add a row or change its values; it is updated a minute after the last change of any row."""
        with self._lock:
            self._now += timedelta(minutes=1)
            rows = self._tables.setdefault(table, {})
            known = rows.get(identity, {"id": identity, "created_at": _text(self._now)})
            rows[identity] = known | values | {"updated_at": _text(self._now)}
            return rows[identity]

    def put_at_once(self, table: str, rows: Mapping[int, Mapping[str, object]]) -> None:
        """Add rows that all have one and the same time."""
        with self._lock:
            now = self._now
            for identity, values in rows.items():
                self._now = now
                self.put(table, identity, **values)

    def delete(self, table: str, identity: int) -> None:
        """Delete a row, which no reader hears of."""
        with self._lock:
            del self._tables[table][identity]

    def rows(self, table: str) -> list[Row]:
        """A table's rows in the order of the API."""
        with self._lock:
            return sorted(self._tables.get(table, {}).values(), key=lambda row: (row["updated_at"], row["id"]))

    def answered(self, status: int = 200) -> list[Request]:
        """The requests that were answered with a status."""
        return [request for request in self.requests if request.status == status]

    def answer(self, table: str, parameters: Mapping[str, str], token: str) -> tuple[int, object]:
        """The status and the document of an answer."""
        with self._lock:
            if token != f"Bearer {self.token}":
                return 401, {"error": "the token is wrong"}
            if self.refuses_each and (len(self.requests) + 1) % self.refuses_each == 0:
                return 429, {"error": "too many requests"}
            if table not in self._tables:
                return 404, {"error": f"there is no {table}"}
            unknown = parameters.keys() - {"updated_since", "page", "limit"}
            page, limit = (parameters.get(name, given) for name, given in (("page", "1"), ("limit", str(MOST_ROWS))))
            if unknown or not (page.isdecimal() and limit.isdecimal() and 1 <= int(limit) <= MOST_ROWS and int(page)):
                return 400, {"error": f"can't read {dict(parameters)}"}
            since = parameters.get("updated_since", "")
            if since and not _is_time(since):
                return 400, {"error": f"updated_since is no time: {since}"}
        if self.before_page is not None:
            self.before_page(table, int(page))
        with self._lock:
            found = [row for row in self.rows(table) if row["updated_at"] >= since]
            begin = (int(page) - 1) * int(limit)
            shown = found[begin : begin + int(limit)]
            return 200, {"rows": shown, "page": int(page), "more": begin + len(shown) < len(found)}


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


@contextmanager
def serving(api: RestApi) -> Iterator[RestApi]:
    """Serve an API on loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            table, parameters = asked.path.strip("/"), dict(parse_qsl(asked.query))
            status, document = api.answer(table, parameters, self.headers.get("Authorization", ""))
            api.requests.append(Request(table, parameters, status))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status == 429:
                # The next request is answered, so there is nothing to wait for.
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http_server(Handler) as url:
        api.url = url
        yield api


MODULE: Final = '''"""The shop's ERP: its orders and customers, by its REST API."""

from collections.abc import Iterator
from typing import Any

import dlt
from dlt.sources.helpers import requests


@dlt.source(name="erp")
def erp(url: str, api_key: str, page_size: int = 50) -> Any:
    """The ERP's streams.

    Args:
        url: The API's address.
        api_key: Its token.
        page_size: Rows of a page, at most 50.
    """

    def pages(table: str, since: str) -> Iterator[list[dict[str, Any]]]:
        page, more = 1, True
        while more:
            answer = requests.get(
                f"{url}/{table}",
                params={"updated_since": since, "page": page, "limit": page_size},
                headers={"Authorization": f"Bearer {api_key}"},
            ).json()
            yield answer["rows"]
            page, more = page + 1, answer["more"]

    @dlt.resource(primary_key="id")
    def orders(updated: Any = dlt.sources.incremental("updated_at", initial_value="2020-01-01T00:00:00Z")) -> Any:
        # The cursor moves with each page that is yielded, and the pages are those since one and the same time.
        yield from pages("orders", updated.last_value)

    @dlt.resource(primary_key="id")
    def customers() -> Any:
        yield from pages("customers", "2020-01-01T00:00:00Z")

    return orders, customers
'''
"""`dagster/sources/erp.py` of a lake that reads it: orders since the cursor, and all customers each time."""
