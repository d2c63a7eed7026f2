"""A Kubernetes API server on loopback that has a namespace and pods, for the real client.

It answers the three requests that `lotus verify` makes, in the shapes of Kubernetes' API: a list of pods by labels, a
namespace, and a GET that is passed on to a pod. Any other request is a 404 that says so.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

Document = dict[str, Any]
TOKEN = "somebody"


@dataclass
class FakeCluster:
    """What the cluster has.

    Attributes:
        namespace: The one that exists.
        pods: In the shape of the API.
        answers: What pods answer to a GET, by name; text is sent as it is.
        denied: What nobody may ask for: `pods`, `namespaces` or `pods/proxy`.
        known: Whether the token is.
        queries: What pods were asked.
    """

    namespace: str = "lotus-lake"
    pods: list[Document] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    known: bool = True
    queries: list[str] = field(default_factory=list)

    def answer(self, address: str, token: str) -> tuple[int, Any]:
        """Status and body for a GET."""
        url = urlsplit(address)
        parts, query = url.path.strip("/").split("/"), parse_qs(url.query)
        if not self.known or token != f"Bearer {TOKEN}":
            return 401, _status("Unauthorized", "Unauthorized")
        found: Any
        match parts:
            case ["api", "v1", "namespaces", name]:
                what, found = "namespaces", {"kind": "Namespace", "metadata": {"name": name}}
                if name != self.namespace:
                    return 404, _status("NotFound", f'namespaces "{name}" not found')
            case ["api", "v1", "namespaces", name, "pods"]:
                what, found = "pods", {"kind": "PodList", "items": self._selected(name, query["labelSelector"][0])}
            case ["api", "v1", "namespaces", _, "pods", pod, "proxy", "graphql"]:
                what, found = "pods/proxy", self.answers.get(pod)
                self.queries.append(query["query"][0])
            case _:
                return 404, _status("NotFound", f"this cluster does not serve {url.path}")
        if what in self.denied:
            return 403, _status("Forbidden", f"{what} is forbidden: User cannot")
        return 200, found

    def _selected(self, namespace: str, selector: str) -> list[Document]:
        name, _, value = selector.partition("=")
        pods = self.pods if namespace == self.namespace else []
        return [pod for pod in pods if pod["metadata"]["labels"].get(name) == value]


def _status(reason: str, message: str) -> Document:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message}


def pod(
    name: str,
    image: str,
    *,
    component: str = "user-deployments",
    deployment: str | None = None,
    image_id: str = "",
    revision: str = "7d4b9c",
    waiting: Document | None = None,
    annotations: dict[str, str] | None = None,
    port: int | None = None,
) -> Document:
    """A pod as the API gives it: ready, or waiting for a reason."""
    labels = {"app.kubernetes.io/instance": "dagster", "component": component, "pod-template-hash": revision}
    container: Document = {"name": "dagster", "image": image}
    if port is not None:
        container["ports"] = [{"containerPort": port}]
    state = {"waiting": waiting} if waiting is not None else {"running": {"startedAt": "2026-01-05T10:00:00Z"}}
    ready = waiting is None
    status = {"name": "dagster", "image": image, "imageID": image_id, "ready": ready, "restartCount": 0, "state": state}
    return {
        "metadata": {
            "name": name,
            "labels": labels | ({"deployment": deployment} if deployment is not None else {}),
            "annotations": annotations or {},
        },
        "spec": {"containers": [container]},
        "status": {
            "phase": "Running" if ready else "Pending",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [status],
        },
    }


@contextmanager
def serving(cluster: FakeCluster) -> Iterator[str]:
    """Serve a cluster while the context lasts; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = cluster.answer(self.path, self.headers.get("Authorization", ""))
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_kubeconfig(file: Path, address: str) -> Path:
    """A kubeconfig with one context, `here`."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": address}}],
        "users": [{"name": "me", "user": {"token": TOKEN}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    }
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file
