"""Why pods don't run, in words: asked once a release has failed, of which Helm only says that time is up.

Knows Kubernetes' client, and nothing of Pulumi. Reads, and changes nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Any

_TIMEOUT_SECONDS = 20
_LONGEST = 300
_FINE = frozenset({"PodInitializing", "ContainerCreating", "Completed"})


def why(namespace: str, *, kubeconfig: str | None = None, context: str | None = None) -> list[str]:
    """A line for each pod of a namespace that does not run as it should; one that says so where nothing can be asked.

    Args:
        namespace: Where to look.
        kubeconfig: A file; the ambient one where none is given.
        context: One of its contexts; its current one where none is given.
    """
    # The client takes seconds to load, and every preview loads this module.
    from kubernetes import client, config  # noqa: PLC0415

    try:
        api = client.CoreV1Api(config.new_client_from_config(config_file=kubeconfig, context=context))
        pods = api.list_namespaced_pod(namespace, _request_timeout=_TIMEOUT_SECONDS).items
    except Exception as error:  # noqa: BLE001, whatever it is must not hide that the release has failed
        return [f"The cluster can't be asked why ({type(error).__name__}): kubectl get pods --namespace {namespace}"]
    return list(reasons(pods)) or [f"No pod is unwell: kubectl get events --namespace {namespace} may say more"]


def reasons(pods: Iterable[Any]) -> Iterator[str]:
    """A line for each pod that waits, has crashed, or finds no node.

    Args:
        pods: As Kubernetes' client gives them (`V1Pod`).
    """
    for pod in sorted(pods, key=lambda each: str(each.metadata.name)):
        for reason in _of(pod):
            yield f"pod {pod.metadata.name}: {reason[:_LONGEST]}"


def _of(pod: Any) -> Iterator[str]:
    if pod.metadata.deletion_timestamp is not None or pod.status.phase == "Succeeded":
        return
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            yield _joined(condition.reason, condition.message)
    for status in [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]:
        yield from _container(status)


def _container(status: Any) -> Iterator[str]:
    waiting, ended = status.state.waiting, status.state.terminated
    before = status.last_state.terminated if status.last_state is not None else None
    if waiting is not None and waiting.reason not in _FINE:
        # A container that crashes again and again waits; why it crashed is in the state before.
        crash = f"; it ended with {_ending(before)}" if before is not None else ""
        yield f"container {status.name} {_joined(waiting.reason, waiting.message)}{crash}"
    elif ended is not None and ended.exit_code != 0:
        yield f"container {status.name} ended with {_ending(ended)}"
    elif status.state.running is not None and not status.ready:
        yield f"container {status.name} runs and is not ready"


def _ending(ended: Any) -> str:
    return f"exit code {ended.exit_code}, {_joined(ended.reason, ended.message)}"


def _joined(reason: str | None, message: str | None) -> str:
    return ": ".join(" ".join(part.split()) for part in (reason, message) if part)
