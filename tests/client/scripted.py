"""A server that answers what it is told to: for answers that no Airbyte gives, but proxies and wrong addresses do."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JSON = "application/json"
HTML = "text/html"
DROPS = 400
BETWEEN_DROPS = 0.05


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        status: HTTP status.
        body: its bytes; anything that is not bytes is sent as JSON.
        type: the Content-Type.
        missing: how many bytes more than there are the answer promises.
        headers: further headers.
        trickling: whether white space comes for a long time before the body, a character at a time.
    """

    status: int = 200
    body: Any = field(default_factory=dict)
    type: str = JSON
    missing: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    trickling: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Scripted:
    """What a scripted server will answer, the last answer from then on, and what it was asked."""

    answers: list[Answer]
    asked: list[str] = field(default_factory=list)
    first_asked: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def next(self, request: str) -> Answer:
        self.asked.append(request)
        self.first_asked.set()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def _send(handler: BaseHTTPRequestHandler, answer: Answer, stopped: threading.Event) -> None:
    drops = DROPS if answer.trickling else 0
    handler.send_response(answer.status)
    handler.send_header("Content-Type", answer.type)
    handler.send_header("Content-Length", str(drops + len(answer.content) + answer.missing))
    for name, value in answer.headers:
        handler.send_header(name, value)
    handler.end_headers()
    for _ in range(drops):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        stopped.wait(BETWEEN_DROPS)
    handler.wfile.write(answer.content)
    handler.close_connection = bool(answer.missing)


@contextmanager
def answering(*answers: Answer, working: Callable[[], object] = lambda: None) -> Iterator[Scripted]:
    """Serve these answers while the context lasts; `working` is what each request takes, in a thread of its own."""
    script, stopped = Scripted(list(answers)), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = script.next(f"{self.command} {self.path}")
            working()
            with suppress(OSError):
                _send(self, answer, stopped)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, the base class calls it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
