"""A twin behind a proxy that lets something happen right after each page of a list: rows move while pages are read."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from airbyte_twin.records import Actor
from airbyte_twin.testing import RunningTwin

PUBLIC = "/api/public/v1"
HIDDEN = "/airbyte"
"""Another root of the public API, beside which no client looks for a Config API."""


@dataclass
class Moving:
    """The proxy.

    Attributes:
        url: its root.
        twin: the twin behind it.
        after_page: what happens after a page of a list was read, and before it is answered.
        asked: requests, as `GET /sources`, below either root.
    """

    url: str
    twin: RunningTwin
    after_page: Callable[[], object]
    asked: list[str] = field(default_factory=list)

    @property
    def public_url(self) -> str:
        return self.url + PUBLIC

    @property
    def without_config_api(self) -> str:
        return self.url + HIDDEN


@contextmanager
def moving(twin: RunningTwin, after_page: Callable[[], object]) -> Iterator[Moving]:
    """A proxy before a twin while the context lasts."""
    proxy = Moving("", twin, after_page)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.replace(HIDDEN, PUBLIC, 1) if self.path.startswith(HIDDEN) else self.path
            proxy.asked.append(f"{self.command} {path.partition('?')[0].rpartition('/v1')[2]}")
            answer = http.request(
                self.command, twin.url + path, content=body, headers={"Content-Type": "application/json"}
            )
            if "offset=" in path:
                proxy.after_page()
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, the base class calls it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    with httpx.Client(timeout=60, trust_env=False) as http:
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def sources(twin: RunningTwin) -> list[Actor]:
    """The twin's sources that are not deleted, in the order of its lists."""
    return [actor for actor in twin.store.actors if actor.kind == "source" and not actor.deleted]


def touch(twin: RunningTwin, number: int = 5) -> None:
    """Move the first rows to the end, as Postgres does with rows that are updated."""
    for actor in sources(twin)[:number]:
        twin.store.actors.drop(actor.id)
        twin.store.actors.put(actor)


def filled(twin: RunningTwin, number: int, **members: Any) -> set[str]:
    """Give the twin that many sources which differ in their ids alone; returns their ids."""
    with httpx.Client(timeout=60, trust_env=False) as http:
        body = {"name": "Faker", "workspaceId": twin.workspace_id, "configuration": {"sourceType": "faker"}}
        http.post(f"{twin.public_url}/sources", json=body).raise_for_status()
    [first] = sources(twin)
    for index in range(1, number):
        copy = first.model_copy(update={"id": f"00000000-0000-0000-0000-{index:012}", **members})
        twin.store.actors.put(copy)
    twin.clear_calls()
    return {actor.id for actor in sources(twin)}
