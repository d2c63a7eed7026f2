"""The lines about pods that don't run."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from lotus_infra.clients.pod_problems import explain_failed_pods, pod_problems

CRASHED = {"exitCode": 1, "reason": "Error", "message": "No module named\n 'lotus_dagster'"}

ENDED = "ended with exit code 1, Error: No module named 'lotus_dagster'"


def container(name: str = "dagster", **state: Any) -> dict[str, Any]:
    last = {"lastState": {"terminated": state.pop("before")}} if "before" in state else {}
    ready = bool(state.pop("ready", False))
    return {"name": name, "image": "i", "imageID": "i", "ready": ready, "restartCount": 0, "state": state, **last}


def pod(name: str, *containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    status = {"phase": more.pop("phase", "Pending"), "containerStatuses": list(containers), **more}
    return {"metadata": {"name": name}, "status": status}


def read(*pods: dict[str, Any]) -> list[client.V1Pod]:
    """Pods as Kubernetes' client reads them."""

    class Answer:
        data = json.dumps({"items": list(pods)})

    return list(client.ApiClient().deserialize(Answer(), "V1PodList").items)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            container(waiting={"reason": "ImagePullBackOff", "message": "not found"}),
            "pod a: container dagster ImagePullBackOff: not found",
        ),
        (
            container(waiting={"reason": "CrashLoopBackOff"}, before=CRASHED),
            f"pod a: container dagster CrashLoopBackOff; it {ENDED}",
        ),
        (
            container(terminated=CRASHED),
            f"pod a: container dagster {ENDED}",
        ),
        (container(running={}), "pod a: container dagster runs and is not ready"),
    ],
)
def test_a_failing_pod_is_reported_with_the_reason(found: dict[str, Any], expected: str) -> None:
    assert list(pod_problems(read(pod("a", found)))) == [expected]


def test_a_pod_without_a_node_and_a_waiting_init_container_are_reported() -> None:
    lost = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}
    waits = container("init", waiting={"reason": "CreateContainerConfigError", "message": 'secret "x" not found'})

    expected = list(pod_problems(read(pod("b", initContainerStatuses=[waits]), pod("a", conditions=[lost]))))

    assert expected == [
        "pod a: Unschedulable: 0/3 nodes are available",
        'pod b: container init CreateContainerConfigError: secret "x" not found',
    ]


def test_running_starting_and_terminating_pods_are_not_reported() -> None:
    going = pod("d", container(waiting={"reason": "ImagePullBackOff"}))
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert not list(
        pod_problems(
            read(
                pod("a", container(running={}, ready=True)),
                pod("b", container(waiting={"reason": "ContainerCreating"})),
                pod("c", container(terminated={"exitCode": 0}), phase="Succeeded"),
                going,
            )
        )
    )


@contextmanager
def cluster(status: int, body: Any, folder: Path) -> Iterator[str]:
    """A server with these lists of objects by their kind, or with one error, and a kubeconfig of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            kind = self.path.partition("?")[0].rpartition("/")[2]
            answer = body if status != 200 else {"kind": "List", "items": body.get(kind, [])}
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = folder / "kubeconfig"
        address = f"http://127.0.0.1:{server.server_port}"
        context = {"name": "here", "context": {"cluster": "here", "user": "me"}}
        parts = {"clusters": [{"name": "here", "cluster": {"server": address}}], "users": [{"name": "me", "user": {}}]}
        file.write_text(json.dumps({"current-context": "here", "contexts": [context], **parts}))
        yield str(file)
        server.shutdown()


def test_the_pods_of_the_namespace_are_read(tmp_path: Path) -> None:
    items = [pod("a", container(waiting={"reason": "ErrImagePull"}))]
    with cluster(200, {"pods": items}, tmp_path) as kubeconfig:
        assert explain_failed_pods("lotus-lake", kubeconfig=kubeconfig, context="here") == [
            "pod a: container dagster ErrImagePull"
        ]


def test_without_a_reason_nothing_is_said(tmp_path: Path) -> None:
    with cluster(200, {"pods": [pod("a", container(running={}, ready=True), phase="Running")]}, tmp_path) as kubeconfig:
        assert explain_failed_pods("lotus-lake", kubeconfig=kubeconfig) == []


def test_a_run_that_has_failed_is_no_reason(tmp_path: Path) -> None:
    run = pod("dagster-run-1", container(terminated=CRASHED), phase="Failed")
    run["metadata"]["labels"] = {"dagster/run-id": "1"}
    with cluster(200, {"pods": [run]}, tmp_path) as kubeconfig:
        assert explain_failed_pods("lotus-lake", kubeconfig=kubeconfig) == []


def warning(kind: str, name: str, reason: str, message: str, time: str = "2026-01-05T10:00:00Z") -> dict[str, Any]:
    return {
        "metadata": {"name": f"{name}.{time}"},
        "involvedObject": {"kind": kind, "name": name},
        "lastTimestamp": time,
        "reason": reason,
        "message": message,
    }


def test_pods_that_do_not_exist_and_volumes_that_are_not_bound_are_explained(tmp_path: Path) -> None:
    forbidden = 'pods "web-1" is forbidden: exceeded quota: small'
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": forbidden}
    replica_set = {"metadata": {"name": "web"}, "status": {"replicas": 0, "conditions": [condition]}}
    claim = {"metadata": {"name": "db-1"}, "status": {"phase": "Pending"}}
    found = {
        "replicasets": [replica_set],
        "persistentvolumeclaims": [claim, {"metadata": {"name": "db-2"}, "status": {"phase": "Bound"}}],
        "events": [
            warning("PersistentVolumeClaim", "db-1", "ProvisioningFailed", "old", "2026-01-05T09:00:00Z"),
            warning("PersistentVolumeClaim", "db-1", "ProvisioningFailed", 'storageclass "fast" not found'),
            warning("Job", "migrate", "FailedCreate", 'serviceaccount "dagster" not found'),
        ],
    }
    with cluster(200, found, tmp_path) as kubeconfig:
        assert explain_failed_pods("lotus-lake", kubeconfig=kubeconfig) == [
            f"pods of web: {forbidden}",
            'volume db-1: ProvisioningFailed: storageclass "fast" not found',
            'pods of migrate: FailedCreate: serviceaccount "dagster" not found',
        ]


def test_a_pod_that_starts_is_explained_by_its_latest_warning(tmp_path: Path) -> None:
    starting = container(waiting={"reason": "ContainerCreating"})
    mount = 'MountVolume.SetUp failed for volume "x": configmap "y" not found'
    found = {"pods": [pod("a", starting), pod("b", starting)], "events": [warning("Pod", "a", "FailedMount", mount)]}
    with cluster(200, found, tmp_path) as kubeconfig:
        assert explain_failed_pods("lotus-lake", kubeconfig=kubeconfig) == [
            f"pod a: FailedMount: {mount}",
            "pod b: it is still starting: raise the time limit if it needs it",
        ]


def test_an_unreachable_cluster_is_reported_with_the_command_to_run(tmp_path: Path) -> None:
    with cluster(403, {"message": "forbidden"}, tmp_path) as kubeconfig:
        refused = explain_failed_pods("lotus-lake", kubeconfig=kubeconfig)
    nowhere = explain_failed_pods("lotus-lake", kubeconfig=str(tmp_path / "none"))

    for [line] in (refused, nowhere):
        assert line.endswith("kubectl get pods --namespace lotus-lake")
