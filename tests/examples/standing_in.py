"""What the stand-ins of the examples' APIs have in common: a clock, requests as they came, and JSON answers."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from tests.support.http_server import http_server

BEGAN: Final = datetime(2026, 2, 1, 9, tzinfo=UTC)
Row = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A request.

    Attributes:
        method: GET or POST.
        path: Without the query.
        parameters: The query.
        headers: By lower-case name.
        body: The parsed JSON; None for none.
    """

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None


@dataclass(frozen=True)
class Answer:
    """An answer: its document as JSON, and further headers."""

    status: int
    document: object
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class StandIn:
    """An API on loopback.

    Attributes:
        now: The server's clock, which each answer has in its `Date`.
        url: Its address, while it is served.
        asked: The requests that it got, with the status of their answers.
        before_page: Called before a page is made, with its request: for what changes during a read.
    """

    now: datetime = BEGAN
    url: str = ""
    asked: list[tuple[Request, int]] = field(default_factory=list)
    before_page: Callable[[Request], None] | None = None

    def answer(self, request: Request) -> Answer:
        """The answer to a request."""
        raise NotImplementedError

    def passes(self, **time: float) -> None:
        """Let time pass: `minutes=10`."""
        self.now += timedelta(**time)

    def queries(self, path: str) -> list[Mapping[str, str]]:
        """The queries of the answered requests for a path, in their order."""
        return [request.parameters for request, status in self.asked if request.path == path and status == 200]

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve it until the block ends; yields its address."""
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, body: Any) -> None:
                asked = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                parameters = dict(parse_qsl(asked.query, keep_blank_values=True))
                request = Request(self.command, asked.path, parameters, headers, body)
                answer = api.answer(request)
                api.asked.append((request, answer.status))
                content = json.dumps(answer.document).encode()
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(content)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return format_datetime(api.now, usegmt=True)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with http_server(Handler) as url:
            self.url = url
            yield url
