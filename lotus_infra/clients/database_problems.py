"""Why a database on a cluster does not start or does not archive: a line for each reason. It only reads.

The program loads this module for each preview, so that it imports Kubernetes' client only when it is used.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from lotus_infra.clients.pod_problems import pod_problems
from lotus_infra.config.database import RUNBOOK

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Api

_EXPLAIN_TIMEOUT_SECONDS: Final = 20
_LOG_LINES: Final = 500
_LONGEST_LINE: Final = 200
_CNPG: Final = ("postgresql.cnpg.io", "v1")
_BARMAN_CONTAINER: Final = "plugin-barman-cloud"
_NOT_EMPTY: Final = "Expected empty archive"
"""Barman's words for an archive with the log of another server (barman-cloud-check-wal-archive)."""


def explain_failed_database(
    namespace: str, cluster: str, *, kubeconfig: str | None = None, context: str | None = None
) -> list[str]:
    """A line for each reason why a CloudNativePG cluster does not start or archive; none if none is found.

    Called after the wait for a cluster has failed, because Pulumi reports only that its time is up.

    Args:
        namespace: The cluster's namespace.
        cluster: Its name.
        kubeconfig: A file; else the default one.
        context: A context of the file; else its current one.
    """
    from kubernetes import client, config  # noqa: PLC0415

    command = f"kubectl describe cluster {cluster} --namespace {namespace}"
    try:
        api = client.ApiClient(config.new_client_from_config(config_file=kubeconfig, context=context).configuration)
        found: Any = client.CustomObjectsApi(api).get_namespaced_custom_object(
            *_CNPG, namespace, "clusters", cluster, _request_timeout=_EXPLAIN_TIMEOUT_SECONDS
        )
        core = client.CoreV1Api(api)
        pods = core.list_namespaced_pod(
            namespace, label_selector=f"cnpg.io/cluster={cluster}", _request_timeout=_EXPLAIN_TIMEOUT_SECONDS
        ).items
        logs = [_barman_log(core, pod) for pod in pods]
    except Exception as error:  # noqa: BLE001, no error here may hide the update's own
        return [f"The reasons can't be read from the cluster ({type(error).__name__}): {command}"]
    return [*_operator_problems(cluster, found), *archive_problems(cluster, found, logs), *pod_problems(pods)]


def _barman_log(api: "CoreV1Api", pod: Any) -> str:
    """The end of the log of the Barman Cloud plugin in a pod; empty without one."""
    try:
        return str(
            api.read_namespaced_pod_log(
                pod.metadata.name,
                pod.metadata.namespace,
                container=_BARMAN_CONTAINER,
                tail_lines=_LOG_LINES,
                _request_timeout=_EXPLAIN_TIMEOUT_SECONDS,
            )
        )
    except Exception:  # noqa: BLE001, a pod without this container has no such log
        return ""


def _operator_problems(cluster: str, found: Any) -> Iterator[str]:
    if not found.get("status"):
        deployments = "kubectl get deployments --all-namespaces --selector app.kubernetes.io/name=cloudnative-pg"
        yield f"no operator has worked on {cluster}: is CloudNativePG running? {deployments}"


def archive_problems(cluster: str, found: Any, logs: Iterable[str]) -> Iterator[str]:
    """The reasons why a cluster does not archive, by its conditions and by the plugin's logs."""
    conditions = (found.get("status") or {}).get("conditions") or []
    failures = [
        str(each.get("message", ""))
        for each in conditions
        if each.get("type") == "ContinuousArchiving" and each.get("status") == "False"
    ]
    if any(_NOT_EMPTY in text for text in (*logs, *failures)):
        yield (
            f"the backup bucket already has an archive of {cluster}, from an earlier database of this name: raise "
            "generation of the database in the stack's settings, to restore that database or to start an empty one: "
            f"{RUNBOOK}"
        )
        return
    for message in failures:
        yield f"{cluster} can't archive: {_one_line(message)}"


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:_LONGEST_LINE].rstrip(".")
