"""A Kubernetes API server on loopback that has a namespace, pods and other objects, for the real client.

It answers `lotus verify` and `lotus doctor` in the shapes of Kubernetes' API: lists by labels, single objects,
the kinds of a group, the version, access reviews, deletes with preconditions, and a GET that is passed on to a pod. Any
other request is a 404 that says so.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.support.http_server import http_server

Document = dict[str, Any]
TOKEN = "somebody"
PLURALS = {
    "Backup": "backups",
    "Cluster": "clusters",
    "ClusterIssuer": "clusterissuers",
    "Deployment": "deployments",
    "IngressClass": "ingressclasses",
    "Issuer": "issuers",
    "Namespace": "namespaces",
    "ObjectStore": "objectstores",
    "ScheduledBackup": "scheduledbackups",
    "Secret": "secrets",
    "StorageClass": "storageclasses",
}
SERVED = {
    "apps/v1": {"deployments"},
    "barmancloud.cnpg.io/v1": {"objectstores"},
    "cert-manager.io/v1": {"issuers", "clusterissuers"},
    "networking.k8s.io/v1": {"ingressclasses", "ingresses"},
    "postgresql.cnpg.io/v1": {"clusters", "backups", "scheduledbackups"},
    "storage.k8s.io/v1": {"storageclasses"},
    "v1": {"namespaces", "pods", "secrets"},
}


@dataclass
class FakeCluster:
    """What the cluster has.

    Attributes:
        namespace: The one that exists; empty for none.
        pods: In the shape of the API.
        objects: All others, in the shape of the API.
        served: The kinds of each group that the cluster serves.
        version: The API server's.
        logs: The logs of containers, by `pod/container`.
        answers: What pods answer to a GET, by name; text is sent as it is.
        denied: Kinds that every user is refused: `pods`, `pods/proxy` or another plural.
        refused: What an access review refuses: `create secrets`; `*` refuses only the question about everything.
        known: Whether the token is.
        queries: What pods were asked.
        deleted: The names of the objects that were deleted.
    """

    namespace: str = "lotus-lake"
    pods: list[Document] = field(default_factory=list)
    objects: list[Document] = field(default_factory=list)
    served: dict[str, set[str]] = field(default_factory=lambda: {group: set(kinds) for group, kinds in SERVED.items()})
    version: str = "v1.34.4"
    logs: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    known: bool = True
    queries: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def answer(self, address: str, token: str) -> tuple[int, Any]:
        """Status and body for a GET."""
        url = urlsplit(address)
        parts, query = url.path.strip("/").split("/"), parse_qs(url.query)
        if not self.known or token != f"Bearer {TOKEN}":
            return 401, _status("Unauthorized", "Unauthorized")
        found: Any
        match parts:
            case ["version"]:
                what, found = "version", {"gitVersion": self.version}
            case ["api", "v1", "namespaces", name]:
                what, found = "namespaces", {"kind": "Namespace", "metadata": {"name": name}}
                if name != self.namespace:
                    return 404, _status("NotFound", f'namespaces "{name}" not found')
            case ["api", "v1", "namespaces", name, "pods"]:
                what, found = "pods", {"kind": "PodList", "items": self._selected(name, query["labelSelector"][0])}
            case ["api", "v1", "namespaces", _, "pods", pod, "log"]:
                what, found = "pods/log", self.logs.get(f"{pod}/{query['container'][0]}")
            case ["api", "v1", "namespaces", _, "pods", pod, "proxy", "graphql"]:
                what, found = "pods/proxy", self.answers.get(pod)
                self.queries.append(query["query"][0])
            case _:
                what, found = self._object_or_list(parts, query.get("labelSelector", [""])[0])
        if what in self.denied:
            return 403, _status("Forbidden", f"{what} is forbidden: User cannot")
        if found is None and what != "pods/proxy":
            return 404, _status("NotFound", f"this cluster does not serve {url.path}")
        return 200, found

    def review(self, body: Document) -> Document:
        """The answer to a SelfSubjectAccessReview."""
        asked = body["spec"]["resourceAttributes"]
        if asked["resource"] == "*":
            return {"status": {"allowed": not self.refused}}
        part = f"/{asked['subresource']}" if asked.get("subresource") else ""
        return {"status": {"allowed": f"{asked['verb']} {asked['resource']}{part}" not in self.refused}}

    def delete(self, address: str, body: Document) -> tuple[int, Any]:
        """Status and body for a DELETE: the preconditions must hold."""
        plural, found = self._object_or_list(urlsplit(address).path.strip("/").split("/"), "")
        if plural in self.denied:
            return 403, _status("Forbidden", f"{plural} is forbidden: User cannot")
        if found is None:
            return 404, _status("NotFound", "not found")
        wanted = body.get("preconditions", {})
        if wanted.get("resourceVersion") != found["metadata"]["resourceVersion"]:
            return 409, _status("Conflict", "the object has been modified")
        self.objects.remove(found)
        self.deleted.append(found["metadata"]["name"])
        return 200, {"kind": "Status", "status": "Success"}

    def _object_or_list(self, parts: list[str], selector: str) -> tuple[str, Any]:
        """The plural of a path, and what is there; None for what the cluster lacks."""
        group, rest = ("v1", parts[2:]) if parts[0] == "api" else ("/".join(parts[1:3]), parts[3:])
        kinds = self.served.get(group)
        if kinds is None:
            return "", None
        if not rest:
            return "", {"kind": "APIResourceList", "resources": [{"name": each} for each in sorted(kinds)]}
        namespace, rest = (rest[1], rest[2:]) if rest[0] == "namespaces" and len(rest) > 2 else ("", rest)
        plural, *name = rest
        if plural not in kinds:
            return plural, None
        found = [each for each in self.objects if _is_of(each, group, plural, namespace, selector)]
        if not name:
            return plural, {"kind": "List", "metadata": {}, "items": found}
        return plural, next((each for each in found if each["metadata"]["name"] == name[0]), None)

    def _selected(self, namespace: str, selector: str) -> list[Document]:
        name, _, value = selector.partition("=")
        pods = self.pods if namespace == self.namespace else []
        return [pod for pod in pods if pod["metadata"]["labels"].get(name) == value]


def _is_of(found: Document, group: str, plural: str, namespace: str, selector: str) -> bool:
    labels = found["metadata"].get("labels", {})
    wanted = dict(pair.split("=") for pair in selector.split(",") if pair)
    return (
        (found["apiVersion"], PLURALS[found["kind"]]) == (group, plural)
        and namespace in ("", found["metadata"].get("namespace"))
        and all(labels.get(key) == value for key, value in wanted.items())
    )


def an_object(api: str, kind: str, name: str, namespace: str = "lotus-lake", **parts: Any) -> Document:
    """An object of any kind."""
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "namespace": namespace}
    metadata |= parts.pop("metadata", {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **parts}


def helm_record(revision: int, status: str, changed: int, release: str = "dagster") -> Document:
    """Helm's record of a revision, as its driver for secrets labels it."""
    labels = {"owner": "helm", "name": release, "version": str(revision), "status": status, "createdAt": str(changed)}
    name = f"sh.helm.release.v1.{release}.v{revision}"
    return an_object("v1", "Secret", name, type="helm.sh/release.v1", metadata={"labels": labels})


def condition(type_: str, reason: str, status: str = "True") -> Document:
    """A condition of an object."""
    since = {"lastTransitionTime": "2026-01-05T03:00:00Z", "message": ""}
    return {"type": type_, "status": status, "reason": reason} | since


def database(name: str, *, backed_up: str = "2026-01-05T03:01:00Z", **changed: Any) -> list[Document]:
    """A healthy database: its Cluster, its scheduled backup and its object store.

    Args:
        name: Its name.
        backed_up: When its last backup ended.
        changed: Parts of the Cluster's status instead.
    """
    conditions = [condition("Ready", "ClusterIsReady"), condition("ContinuousArchiving", "ContinuousArchivingSuccess")]
    plugin = {"name": "barman-cloud.cloudnative-pg.io", "parameters": {"barmanObjectName": name}}
    status = {"phase": "Cluster in healthy state", "conditions": conditions} | changed
    window = {name: {"lastSuccessfulBackupTime": backed_up}}
    scheduled = {"lastScheduleTime": "2026-01-05T03:00:00Z", "nextScheduleTime": "2099-01-01T03:00:00Z"}
    return [
        an_object("postgresql.cnpg.io/v1", "Cluster", name, spec={"instances": 1, "plugins": [plugin]}, status=status),
        an_object(
            "postgresql.cnpg.io/v1",
            "ScheduledBackup",
            f"{name}-backup",
            spec={"schedule": "0 0 3 * * *", "cluster": {"name": name}},
            status=scheduled,
        ),
        an_object(
            "barmancloud.cnpg.io/v1",
            "ObjectStore",
            name,
            spec={"configuration": {"destinationPath": f"s3://backup/lotus-lake/{name}"}},
            status={"serverRecoveryWindow": window},
        ),
    ]


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
            self._send(*cluster.answer(self.path, self.headers.get("Authorization", "")))

        def do_POST(self) -> None:
            self._send(201, cluster.review(self._body()))

        def do_DELETE(self) -> None:
            self._send(*cluster.delete(self.path, self._body()))

        def _body(self) -> Document:
            sent: Document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            return sent

        def _send(self, status: int, body: Any) -> None:
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with http_server(Handler) as address:
        yield address


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
