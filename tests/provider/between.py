"""A twin behind a proxy that lets something happen right before a request, and takes things out of answers."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.provider.lake import Document, Lake
from tests.provider.plugin import Plugin


def nothing() -> None:
    """Nothing happens."""


def whole(answer: Document) -> Document:
    """The answer as it is."""
    return answer


@dataclass
class Between:
    """The proxy.

    Attributes:
        method: of the requests that it looks at.
        path: how their paths end.
        happens: right before such a request is passed on, once.
        leaves: what it answers of what the twin answers.
    """

    method: str = ""
    path: str = ""
    happens: Callable[[], object] = nothing
    leaves: Callable[[Document], Document] = whole

    def meets(self, method: str, path: str) -> bool:
        return bool(self.path) and method == self.method and path.partition("?")[0].endswith(self.path)


class Server(ThreadingHTTPServer):
    """Serves the proxy of one test."""

    daemon_threads = True

    def __init__(self, proxy: Between, url: str, http: httpx.Client) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.proxy, self.url, self.http = proxy, url, http


class Handler(BaseHTTPRequestHandler):
    """Passes one request on."""

    protocol_version = "HTTP/1.1"
    server: Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        proxy, met = self.server.proxy, self.server.proxy.meets(self.command, self.path)
        if met:
            happens, proxy.happens = proxy.happens, nothing
            happens()
        url, headers = self.server.url + self.path, {"Content-Type": "application/json"}
        answer = self.server.http.request(self.command, url, content=body, headers=headers)
        content = answer.content
        if met and answer.is_success and content:
            content = json.dumps(proxy.leaves(answer.json())).encode()
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, the base class calls it so
        """Say nothing."""


@contextmanager
def between(plugin: Plugin, lake: Lake) -> Iterator[Between]:
    """The plugin speaks to the lake through a proxy while the context lasts."""
    proxy = Between()
    with httpx.Client(timeout=60, trust_env=False) as http:
        server = Server(proxy, lake.twin.url, http)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            plugin.configure(serverUrl=f"http://127.0.0.1:{server.server_port}/api/public/v1")
            yield proxy
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            plugin.configure(serverUrl=lake.twin.public_url)
