"""A proxy in front of a twin that answers creates wrongly: at random, but the same each time for the same seed.

What it does with a POST is drawn by the name of what is created and how often it was asked, so that threads don't
change it.
"""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final, Literal

import httpx

Trouble = Literal["fine", "status", "drop", "late", "done status", "done drop", "no answer"]
TROUBLES: Final[tuple[Trouble, ...]] = ("status", "drop", "late", "done status", "done drop", "no answer")
"""What goes wrong: nothing reaches the server, a moment later, or at once; and how the caller learns nothing of it."""
STATUSES: Final = (502, 503, 504)
LATE_SECONDS: Final = 0.3
"""After so long a request reaches the server whose failure has been answered already."""
PATIENCE_SECONDS: Final = 6
"""No caller of a test waits for an answer as long."""
HOPS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-encoding", "date"})


@dataclass(frozen=True)
class Plan:
    """What is to go wrong.

    Attributes:
        collection: whose creates, such as `sources`.
        share: of the creates that go wrong.
        troubles: how; each as often.
        statuses: of the answers that say so.
        seed: decides which.
    """

    collection: str = "sources"
    share: float = 1.0
    troubles: tuple[Trouble, ...] = TROUBLES
    statuses: tuple[int, ...] = STATUSES
    seed: int = 13


class Unruly:
    """What the proxy does.

    Attributes:
        url: its root, in place of the twin's.
        calm: whether it passes everything on.
        done: how often it did what.
    """

    def __init__(self, server_url: str, plan: "Plan") -> None:
        self.url = ""
        self.calm = False
        self.done: Counter[Trouble] = Counter()
        self._server_url = server_url
        self._plan = plan
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._late: list[threading.Thread] = []
        self.http = httpx.Client(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=200))

    def trouble(self, method: str, path: str, body: bytes) -> tuple[Trouble, int]:
        """What to do with a request, and with which status to answer it."""
        if self.calm or method != "POST" or not path.endswith(f"/public/v1/{self._plan.collection}"):
            return "fine", 200
        name = str(json.loads(body)["name"])
        with self._lock:
            self._asked[name] += 1
            draw = random.Random(f"{self._plan.seed} {name} {self._asked[name]}")
            found = draw.choice(self._plan.troubles) if draw.random() < self._plan.share else "fine"
            self.done[found] += 1
        return found, draw.choice(self._plan.statuses)

    def later(self, *request: Any) -> None:
        """Let a request reach the server a moment from now."""
        thread = threading.Thread(target=self._later, args=request, daemon=True)
        thread.start()
        with self._lock:
            self._late.append(thread)

    def _later(self, *request: Any) -> None:
        self._ended.wait(LATE_SECONDS)
        self.passed(*request)

    def passed(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """The server's answer to a request."""
        return self.http.request(method, self._server_url + path, headers=headers, content=body)

    def wait(self) -> None:
        """Keep a request without an answer until its caller has surely given up, or the proxy ends."""
        self._ended.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        """Let go of whatever waits."""
        self._ended.set()
        for thread in self._late:
            thread.join()
        self.http.close()


class Handler(BaseHTTPRequestHandler):
    """Serves one connection to the proxy, whose rules a subclass has."""

    protocol_version = "HTTP/1.1"
    rules: ClassVar[Unruly]

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOPS}
        request = (self.command, self.path, headers, body)
        trouble, status = self.rules.trouble(self.command, self.path, body)
        answer = self.rules.passed(*request) if trouble in {"fine", "done status", "done drop", "no answer"} else None
        if trouble == "late":
            self.rules.later(*request)
        if trouble == "no answer":
            self.rules.wait()
        if trouble in {"drop", "done drop", "no answer"}:
            self.close_connection = True
        elif trouble == "fine" and answer is not None:
            self._answer(answer)
        else:
            self._answer(httpx.Response(status, headers={"Content-Type": "text/html"}, text="<h1>no</h1>"))

    def _answer(self, response: httpx.Response) -> None:
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name.lower() not in HOPS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        self.wfile.write(response.content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, the base class calls it so
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Takes many connections at once."""

    daemon_threads = True
    request_queue_size = 200

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that gave up takes no answer."""


@contextmanager
def unruly(server_url: str, plan: Plan) -> Iterator[Unruly]:
    """A proxy for the server at this root while the context lasts."""
    rules = Unruly(server_url, plan)

    server = Server(("127.0.0.1", 0), type("Ruled", (Handler,), {"rules": rules}))
    rules.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield rules
    finally:
        rules.end()
        server.shutdown()
        with suppress(OSError):
            server.server_close()
        thread.join()
