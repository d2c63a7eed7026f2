"""Why pods of a cluster don't run: a line for each problem. It only reads.

The program loads this module for each preview, so that it imports Kubernetes' client only when it is used.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_EXPLAIN_TIMEOUT_SECONDS: Final = 20
_LONGEST_PROBLEM: Final = 300
_STARTING: Final = frozenset({"PodInitializing", "ContainerCreating", "Completed"})
_OF_A_RUN: Final = "dagster/run-id"
"""Runs have this label. A release does not wait for them."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a namespace has, as Kubernetes' client returns it.

    Attributes:
        pods: Pods (`V1Pod`).
        replica_sets: Of deployments (`V1ReplicaSet`).
        claims: Claims of volumes (`V1PersistentVolumeClaim`).
        warnings: The latest warning about each object, by its kind and name.
    """

    pods: Iterable[Any] = ()
    replica_sets: Iterable[Any] = ()
    claims: Iterable[Any] = ()
    warnings: Mapping[tuple[str, str], str] = field(default_factory=dict)


def explain_failed_pods(
    namespace: str, labels: str = "", *, kubeconfig: str | None = None, context: str | None = None
) -> list[str]:
    """A line for each reason in a namespace why pods don't run; none if there is none.

    Called after a wait has failed, because Helm and Pulumi report only that their time is up.

    Args:
        namespace: The namespace.
        labels: A selector of the pods; empty for all of them, except for runs.
        kubeconfig: A file; else the default one.
        context: A context of the file; else its current one.
    """
    try:
        found = _read(namespace, labels, kubeconfig, context)
    except Exception as error:  # noqa: BLE001, no error here may hide the release's own
        command = f"kubectl get pods --namespace {namespace}"
        return [f"The reasons can't be read from the cluster ({type(error).__name__}): {command}"]
    return list(problems(found))


def _read(namespace: str, labels: str, kubeconfig: str | None, context: str | None) -> Found:
    from kubernetes import client, config  # noqa: PLC0415

    api = config.new_client_from_config(config_file=kubeconfig, context=context)
    core, limit = client.CoreV1Api(api), {"_request_timeout": _EXPLAIN_TIMEOUT_SECONDS}
    selector = {"label_selector": labels} if labels else {}
    pods = core.list_namespaced_pod(namespace, **selector, **limit).items
    claims = core.list_namespaced_persistent_volume_claim(namespace, **selector, **limit).items
    replica_sets = client.AppsV1Api(api).list_namespaced_replica_set(namespace, **selector, **limit).items
    events = core.list_namespaced_event(namespace, field_selector="type=Warning", **limit).items
    return Found(
        pods=[pod for pod in pods if _OF_A_RUN not in (pod.metadata.labels or {})],
        replica_sets=replica_sets,
        claims=claims,
        warnings=_latest(events),
    )


def _latest(events: Iterable[Any]) -> dict[tuple[str, str], str]:
    ordered = sorted(events, key=lambda each: str(each.last_timestamp or each.event_time or ""))
    return {
        (each.involved_object.kind, each.involved_object.name): _reason_and_message(each.reason, each.message)
        for each in ordered
    }


def problems(found: Found) -> Iterator[str]:
    """A line for each reason why pods don't run.

    Pods that fail have it in their status. A pod that is missing has it in its ReplicaSet, and one that waits for a
    volume in a warning.
    """
    failing = list(pod_problems(found.pods))
    yield from failing
    for each in found.replica_sets:
        for condition in each.status.conditions or []:
            if condition.type == "ReplicaFailure" and condition.status == "True":
                yield _line("pods of", each.metadata.name, condition.message)
    for claim in found.claims:
        if claim.status.phase == "Pending":
            warning = found.warnings.get(("PersistentVolumeClaim", claim.metadata.name))
            yield _line("volume", claim.metadata.name, warning or "no volume is bound to it")
    for (kind, name), warning in found.warnings.items():
        if kind in {"Job", "StatefulSet"} and warning.startswith("FailedCreate"):
            yield _line("pods of", name, warning)
    for pod in found.pods:
        if not any(line.startswith(f"pod {pod.metadata.name}: ") for line in failing) and _starts(pod):
            warning = found.warnings.get(("Pod", pod.metadata.name))
            yield _line(
                "pod", pod.metadata.name, warning or "it is still starting: raise the time limit if it needs it"
            )


def _starts(pod: Any) -> bool:
    return pod.metadata.deletion_timestamp is None and pod.status.phase == "Pending"


def _line(what: str, name: str, problem: str) -> str:
    return f"{what} {name}: {' '.join(problem.split())[:_LONGEST_PROBLEM]}"


def pod_problems(pods: Iterable[Any]) -> Iterator[str]:
    """A line for each problem of pods that wait, have crashed, or can't be scheduled.

    Args:
        pods: As Kubernetes' client returns them (`V1Pod`).
    """
    for pod in sorted(pods, key=lambda each: str(each.metadata.name)):
        for problem in _problems_of(pod):
            yield f"pod {pod.metadata.name}: {problem[:_LONGEST_PROBLEM]}"


def _problems_of(pod: Any) -> Iterator[str]:
    if pod.metadata.deletion_timestamp is not None or pod.status.phase == "Succeeded":
        return
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            yield _reason_and_message(condition.reason, condition.message)
    for status in [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]:
        yield from _container_problem(status)


def _container_problem(status: Any) -> Iterator[str]:
    waiting, ended = status.state.waiting, status.state.terminated
    before = status.last_state.terminated if status.last_state is not None else None
    if waiting is not None and waiting.reason not in _STARTING:
        # A container in CrashLoopBackOff waits; the reason of its crash is in its last state.
        crash = f"; it ended with {_exit(before)}" if before is not None else ""
        yield f"container {status.name} {_reason_and_message(waiting.reason, waiting.message)}{crash}"
    elif ended is not None and ended.exit_code != 0:
        yield f"container {status.name} ended with {_exit(ended)}"
    elif status.state.running is not None and not status.ready:
        yield f"container {status.name} runs and is not ready"


def _exit(ended: Any) -> str:
    return f"exit code {ended.exit_code}, {_reason_and_message(ended.reason, ended.message)}"


def _reason_and_message(reason: str | None, message: str | None) -> str:
    return ": ".join(" ".join(part.split()) for part in (reason, message) if part)
