"""Why pods of a cluster don't run: a line for each problem. It only reads.

The program loads this module for each preview, so that it imports Kubernetes' client only when it is used.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

_EXPLAIN_TIMEOUT_SECONDS: Final = 20
_LONGEST_PROBLEM: Final = 300
_STARTING: Final = frozenset({"PodInitializing", "ContainerCreating", "Completed"})


def explain_failed_pods(namespace: str, *, kubeconfig: str | None = None, context: str | None = None) -> list[str]:
    """A line for each pod of a namespace that fails; one line with a command if there is none, or none can be read.

    Called after a release has failed, because Helm reports only that its time is up.

    Args:
        namespace: The release's namespace.
        kubeconfig: A file; else the default one.
        context: A context of the file; else its current one.
    """
    from kubernetes import client, config  # noqa: PLC0415

    try:
        api = client.CoreV1Api(config.new_client_from_config(config_file=kubeconfig, context=context))
        pods = api.list_namespaced_pod(namespace, _request_timeout=_EXPLAIN_TIMEOUT_SECONDS).items
    except Exception as error:  # noqa: BLE001, no error here may hide the release's own
        return [f"The cluster can't be asked why ({type(error).__name__}): kubectl get pods --namespace {namespace}"]
    return list(pod_problems(pods)) or [f"No pod fails: kubectl get events --namespace {namespace} may have the reason"]


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
