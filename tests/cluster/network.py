"""The network of the pods, as far as the API server reaches them: `pods/…/proxy` is answered in the pods' place.

The API server dials pods through an HTTP CONNECT proxy on a Unix socket (its egress selector). No address is real.
"""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import yaml

SOCKET: Final = "network.sock"
FIRST_ADDRESS: Final = 0x0AF40001  # 10.244.0.1


@dataclass
class Network:
    """The network.

    Attributes:
        answers: The JSON answer to each request to the pods of a namespace, by the namespace.
        requests: The request line of each request, by the namespace.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    requests: dict[str, list[str]] = field(default_factory=dict)
    _pods: dict[tuple[str, str], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def address(self, namespace: str, pod: str) -> str:
        """The address of a pod; each has its own."""
        with self._lock:
            number = FIRST_ADDRESS + len(self._pods)
            dotted = ".".join(str(byte) for byte in number.to_bytes(4))
            return self._pods.setdefault((namespace, pod), dotted)

    def namespace_at(self, address: str) -> str | None:
        """The namespace of the pod with an address."""
        with self._lock:
            found = (namespace for (namespace, _), known in self._pods.items() if known == address)
            return next(found, None)


def write_egress(folder: Path) -> Path:
    """Write the API server's setting that leads to the socket in a folder."""
    selection = {
        "name": "cluster",
        "connection": {
            "proxyProtocol": "HTTPConnect",
            "transport": {"uds": {"udsName": str(folder / SOCKET)}},
        },
    }
    document = {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [selection],
    }
    file = folder / "egress.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


@contextmanager
def running_network(folder: Path) -> Iterator[Network]:
    """The network behind the socket in a folder, until the context ends."""
    network = Network()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            host = _read_head(cast("BinaryIO", self.rfile)).removeprefix("CONNECT ").partition(":")[0]
            namespace = network.namespace_at(host)
            if namespace is None or namespace not in network.answers:
                self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            network.requests.setdefault(namespace, []).append(_read_head(cast("BinaryIO", self.rfile)))
            body = json.dumps(network.answers[namespace]).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            self.wfile.write(head.encode() + b"Connection: close\r\n\r\n" + body)

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    with Server(str(folder / SOCKET), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="network", daemon=True)
        thread.start()
        try:
            yield network
        finally:
            server.shutdown()
            thread.join()


def _read_head(stream: BinaryIO) -> str:
    """Read a request up to its empty line; returns its first line."""
    first = stream.readline().decode().strip()
    while stream.readline().strip():
        pass
    return first
