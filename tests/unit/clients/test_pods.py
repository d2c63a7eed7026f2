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

from lotus_infra.clients.kubernetes import archive_problems, explain_failed_pods, pod_problems

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
    """A server with one answer, and a kubeconfig of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

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
    with cluster(200, {"kind": "PodList", "items": items}, tmp_path) as kubeconfig:
        assert explain_failed_pods("lotus-lake", kubeconfig=kubeconfig, context="here") == [
            "pod a: container dagster ErrImagePull"
        ]


def test_without_failing_pods_the_line_points_to_events(tmp_path: Path) -> None:
    with cluster(200, {"kind": "PodList", "items": []}, tmp_path) as kubeconfig:
        [line] = explain_failed_pods("lotus-lake", kubeconfig=kubeconfig)

    assert line == "No pod fails: kubectl get events --namespace lotus-lake may have the reason"


def test_an_unreachable_cluster_is_reported_with_the_command_to_run(tmp_path: Path) -> None:
    with cluster(403, {"message": "forbidden"}, tmp_path) as kubeconfig:
        refused = explain_failed_pods("lotus-lake", kubeconfig=kubeconfig)
    nowhere = explain_failed_pods("lotus-lake", kubeconfig=str(tmp_path / "none"))

    for [line] in (refused, nowhere):
        assert line.endswith("kubectl get pods --namespace lotus-lake")


def cluster_with(status: str, message: str) -> dict[str, Any]:
    conditions = [
        {"type": "Ready", "status": "True", "message": "Cluster is Ready"},
        {"type": "ContinuousArchiving", "status": status, "message": message},
    ]
    return {"status": {"conditions": conditions}}


FAILED = cluster_with("False", "rpc error:\n unexpected failure invoking barman-cloud-wal-archive: exit status 1")


@pytest.mark.parametrize(
    ("cluster", "logs", "problems"),
    [
        (FAILED, ["", "ERROR: WAL archive check failed for server db: Expected empty archive\n"], ["raise generation"]),
        (cluster_with("False", "barman: Expected empty archive"), [], ["raise generation"]),
        (FAILED, ["ERROR: Bucket does not exist"], ["db can't archive: rpc error: unexpected failure invoking"]),
        (cluster_with("True", "Continuous archiving is working"), ["archived"], []),
        ({}, [], []),
    ],
)
def test_a_database_that_does_not_archive_is_explained_by_its_condition_or_by_the_log_of_the_plugin(
    cluster: dict[str, Any], logs: list[str], problems: list[str]
) -> None:
    found = list(archive_problems("db", cluster, logs))

    assert len(found) == len(problems)
    assert all(problem in line for problem, line in zip(problems, found, strict=True))
