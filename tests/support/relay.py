"""A server between a client and an Airbyte: it passes requests on, or answers with what it was sent."""

import html
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import httpx

DROPPED: Final = frozenset({"host", "connection", "content-length", "transfer-encoding", "content-encoding"})
"""Headers of one hop."""


@dataclass(frozen=True)
class Request:
    """A request of the client."""

    method: str
    path: str
    headers: str
    body: str

    @property
    def text(self) -> str:
        """All of it, the body first: what is cut is rather cut of the headers."""
        return f"{self.body}\n{self.headers}\n{self.method} {self.path}"

    @property
    def asks_for_token(self) -> bool:
        return self.path.endswith("/applications/token")


@dataclass(frozen=True)
class Answer:
    """What the relay answers; no status cuts the connection."""

    status: int = 0
    body: str = ""
    media: str = "application/json"
    location: str = ""


Rule = Callable[[Request], Answer | None]


@dataclass
class Relay:
    """A running relay.

    Attributes:
        url: Its address.
        rule: Answers a request; None passes it on.
        issued: The bearer tokens that it has passed.
    """

    url: str
    rule: Rule | None = None
    issued: set[str] = field(default_factory=set)


class _Server(ThreadingHTTPServer):
    def __init__(self, target: str, client: httpx.Client) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.client = client
        self.relay = Relay(f"http://127.0.0.1:{self.server_port}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        request = Request(self.command, self.path, headers, body.decode(errors="replace"))
        rule = self.server.relay.rule
        answer = rule(request) if rule is not None else None
        if answer is None:
            self._pass_on(body, request)
        elif answer.status:
            found = {"Content-Type": answer.media} | ({"Location": answer.location} if answer.location else {})
            self._send(answer.status, found, answer.body.encode())
        else:
            self.close_connection = True

    def _pass_on(self, body: bytes, request: Request) -> None:
        kept = {name: value for name, value in self.headers.items() if name.lower() not in DROPPED}
        got = self.server.client.request(self.command, self.server.target + self.path, content=body, headers=kept)
        if request.asks_for_token and got.is_success:
            self.server.relay.issued.add(str(got.json()["access_token"]))
        self._send(got.status_code, dict(got.headers.items()), got.content)

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def relayed(target: str) -> Iterator[Relay]:
    """Serve a relay to another server while the context lasts.

    Args:
        target: The root of the other server.
    """
    with httpx.Client(timeout=60) as client, _Server(target, client) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.relay
        finally:
            server.shutdown()
            thread.join()


def _problem(status: int, said: str) -> Answer:
    """An error as Airbyte's own handlers write it."""
    data = {"message": said, "resourceType": said, "resourceId": said}
    body = {"status": status, "type": "error:request-error", "title": said, "detail": said, "data": data}
    embedded = {"errors": [{"message": said}]}
    nested = {"message": said, "_embedded": embedded, "errorId": "1"}
    return Answer(status, json.dumps(body if status % 2 else nested))


SAYS: Final[dict[str, Callable[[str], Answer]]] = {
    "400": lambda said: _problem(400, said),
    "401": lambda said: _problem(401, said),
    "403": lambda said: _problem(403, said),
    "404": lambda said: _problem(404, said),
    "422": lambda said: _problem(422, said),
    "409": lambda said: Answer(409, json.dumps({"title": "state-conflict", "detail": said})),
    "500 in HTML": lambda said: Answer(500, f"<html><body><pre>{html.escape(said)}</pre></body></html>", "text/html"),
    "502 in plain text": lambda said: Answer(502, said, "text/plain"),
    "no JSON": lambda said: Answer(200, said),
    "another shape": lambda said: Answer(200, json.dumps({"data": [{"sourceId": said, "name": [said]}], "next": said})),
    "a list": lambda said: Answer(200, json.dumps([said])),
    "a redirect": lambda said: Answer(
        302, "", location=f"https://elsewhere.example.com/?{html.escape(said[:80])}".replace("\n", "")
    ),
    "nothing": lambda _: Answer(),
}
"""How a server fails, given what it repeats."""
