"""The pods of a Kubernetes cluster: which run for a release, and why others don't. It only reads.

The cluster's answers become our own types here; no caller gets the client's types. The module does not import Pulumi.
"""

# Kubernetes' client takes over a second to load, and every preview loads this module: each function that calls a
# cluster imports the client itself.

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from lotus_infra.errors import LotusError

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Api
    from kubernetes.client.exceptions import ApiException

_TIMEOUT_SECONDS: Final = (10, 30)
"""The limits for a connection and for an answer."""
_EXPLAIN_TIMEOUT_SECONDS: Final = 20
_LONGEST_PROBLEM: Final = 300
_LONGEST_LINE: Final = 200
_LOG_LINES: Final = 500
_CNPG: Final = ("postgresql.cnpg.io", "v1")
_BARMAN_CONTAINER: Final = "plugin-barman-cloud"
_NOT_EMPTY: Final = "Expected empty archive"
"""Barman's words for an archive with the log of another server (barman-cloud-check-wal-archive)."""
_STARTING: Final = frozenset({"PodInitializing", "ContainerCreating", "Completed"})
_FINISHED: Final = ("Succeeded", "Failed")
_NOT_A_KUBECONFIG: Final = (AttributeError, KeyError, TypeError, ValueError)
"""Errors of the client on a YAML file of another kind: it does not check a kubeconfig's structure."""


class ClusterError(LotusError):
    """The cluster can't be read."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that runs or is about to, by its first container.

    Attributes:
        name: Its name.
        component: Its part in the release: the label `component`.
        deployment: Which of several deployments of the component; empty if there is one.
        revision: Its ReplicaSet, by the hash of the pod template.
        image: The image of its specification.
        digest: The digest of the image that its container runs; empty before it has started.
        ready: Whether it serves.
        reason: Why it is not ready, as far as the cluster reports it.
        annotations: By their names.
        port: The first port of its container; None if it names none.
    """

    name: str
    component: str
    deployment: str
    revision: str
    image: str
    digest: str
    ready: bool
    reason: str
    annotations: dict[str, str]
    port: int | None


class Cluster:
    """The cluster of a kubeconfig's context."""

    def __init__(self, api: "CoreV1Api", address: str) -> None:
        self._api, self._address = api, address

    @classmethod
    def reached_by(cls, kubeconfig: str | None = None, context: str | None = None) -> Self:
        """The cluster of a context; no request is sent yet.

        Args:
            kubeconfig: A file; else that of `$KUBECONFIG`, else the default one.
            context: A context of the file; else its current one.

        Raises:
            ClusterError: There is no such file or context, or it is invalid.
        """
        import yaml  # noqa: PLC0415, as Kubernetes' client, which needs it
        from kubernetes import client, config  # noqa: PLC0415
        from kubernetes.config.config_exception import ConfigException  # noqa: PLC0415

        settings = client.Configuration()
        settings.retries = False
        try:
            config.load_kube_config(kubeconfig, context, settings)
        except (ConfigException, OSError, yaml.YAMLError, *_NOT_A_KUBECONFIG) as error:
            remedy = "`kubectl config get-contexts` lists the contexts; select one by --kubeconfig and --context"
            raise ClusterError(f"no cluster can be found: {_one_line(error)}", remedy) from None
        return cls(client.CoreV1Api(client.ApiClient(settings)), str(settings.host))

    def pods(self, namespace: str, release: str) -> tuple[Pod, ...]:
        """The pods of a Helm release that run or are about to, by name; terminating pods are left out.

        Raises:
            ClusterError: The cluster can't be read, or has no such namespace.
        """
        selector = f"app.kubernetes.io/instance={release}"
        with self._cluster_errors("list", "pods", namespace):
            found = self._api.list_namespaced_pod(
                namespace, label_selector=selector, _request_timeout=_TIMEOUT_SECONDS
            ).items
        if not found:
            # The pods of a missing namespace are an empty list, and no error.
            with self._cluster_errors("get", "namespaces", namespace):
                self._api.read_namespace(namespace, _request_timeout=_TIMEOUT_SECONDS)
        pods = [
            each for each in found if each.metadata.deletion_timestamp is None and each.status.phase not in _FINISHED
        ]
        return tuple(sorted(map(_pod, pods), key=lambda pod: pod.name))

    def get(self, namespace: str, pod: str, port: int, path: str, query: str) -> Any:
        """The JSON answer of a pod's HTTP server to a GraphQL query, through the API server's proxy.

        Raises:
            ClusterError: The cluster can't be read, or the pod does not answer with JSON.
        """
        url = f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/{path}"
        with self._cluster_errors("get", "pods/proxy", namespace):
            answer = self._api.api_client.call_api(
                url,
                "GET",
                query_params=[("query", query)],
                header_params={"Accept": "application/json"},
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=_TIMEOUT_SECONDS,
            )
        try:
            return json.loads(answer.data)
        except ValueError:
            raise ClusterError(f"the pod {pod} does not answer with JSON") from None

    @contextmanager
    def _cluster_errors(self, verb: str, resource: str, namespace: str) -> Iterator[None]:
        """Turn the client's errors of one request into `ClusterError`."""
        import urllib3  # noqa: PLC0415
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415

        try:
            yield
        except ApiException as error:
            raise self._refusal(error, verb, resource, namespace) from None
        except AttributeError as error:
            # After a TLS failure there is no answer, and the client fails on its missing body before it reports that.
            if not isinstance(error.__context__, ApiException):
                raise
            raise self._refusal(error.__context__, verb, resource, namespace) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._no_answer(error) from None

    def _no_answer(self, reason: object) -> ClusterError:
        remedy = "is it up, and is this machine in its network? `kubectl version` asks it the same way"
        return ClusterError(f"the cluster at {self._address} does not answer: {_one_line(reason)}", remedy)

    def _refusal(self, error: "ApiException", verb: str, resource: str, namespace: str) -> ClusterError:
        if not error.status:
            return self._no_answer(error.reason)
        if error.status == 401:
            return ClusterError(f"the cluster at {self._address} rejects the credentials", "log in to it again")
        if error.status == 403:
            remedy = f"`kubectl auth can-i {verb} {resource} --namespace {namespace}` must answer yes"
            return ClusterError(f"you may not {verb} {resource} in the namespace {namespace}", remedy)
        if error.status == 404 and resource == "namespaces":
            remedy = "`pulumi up` creates it; or select another cluster with --context"
            return ClusterError(f"the cluster at {self._address} has no namespace {namespace}", remedy)
        return ClusterError(f"the cluster at {self._address} answers {error.status} {error.reason}", "try it again")


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


def explain_failed_database(
    namespace: str, cluster: str, *, kubeconfig: str | None = None, context: str | None = None
) -> list[str]:
    """A line for each reason why a CloudNativePG cluster does not start or archive; a command if none is found.

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
        return [f"The cluster can't be asked why ({type(error).__name__}): {command}"]
    return [*archive_problems(cluster, found, logs), *pod_problems(pods)] or [f"No pod fails: {command}"]


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
            "generation of the database in the stack's settings, which starts another archive"
        )
        return
    for message in failures:
        yield f"{cluster} can't archive: {_one_line(message)}"


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


def _pod(found: Any) -> Pod:
    labels, container = found.metadata.labels or {}, found.spec.containers[0]
    statuses = [each for each in found.status.container_statuses or [] if each.name == container.name]
    ready = any(each.type == "Ready" and each.status == "True" for each in found.status.conditions or [])
    return Pod(
        name=found.metadata.name,
        component=labels.get("component", ""),
        deployment=labels.get("deployment", ""),
        revision=labels.get("pod-template-hash", ""),
        image=container.image,
        digest=next((_digest(each.image_id or "") for each in statuses), ""),
        ready=ready,
        reason="" if ready else _not_ready_reason(found),
        annotations=dict(found.metadata.annotations or {}),
        port=next((each.container_port for each in container.ports or []), None),
    )


def _digest(image_id: str) -> str:
    """The digest in a node's image id, `docker-pullable://name@sha256:…`; empty for runtimes with ids of their own."""
    return image_id.rpartition("@")[2] if "@" in image_id else ""


def _not_ready_reason(pod: Any) -> str:
    problem = next(pod_problems([pod]), f"it is {str(pod.status.phase).lower()}")
    return _one_line(problem.removeprefix(f"pod {pod.metadata.name}: "))


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:_LONGEST_LINE].rstrip(".")
