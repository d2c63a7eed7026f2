"""What runs in a Kubernetes cluster: the one module of the commands that asks it, and it only ever reads.

What the cluster answers becomes our own types here; nothing of Kubernetes' client goes further.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import urllib3
import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from lotus_infra.errors import LotusError

_TIMEOUT_SECONDS = 20
_LONGEST = 300
_FINE = frozenset({"PodInitializing", "ContainerCreating", "Completed"})
_SECONDS = (10, 30)
"""How long a connection and an answer may take."""
_NOT_A_KUBECONFIG = (AttributeError, KeyError, TypeError, ValueError)
"""What the client trips over in a file of another kind: it takes for granted what such a file holds."""
_OVER = ("Succeeded", "Failed")


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


class ClusterError(LotusError):
    """The cluster can't be asked, or does not say."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that is meant to run, by its first container.

    Attributes:
        name: Its name.
        component: What it is of the release: the label `component`.
        deployment: Which of several of the same kind; empty where there is one.
        revision: The ReplicaSet that it belongs to, by the hash of its template.
        image: The image that it asks for, as it is written.
        digest: The digest of the image that its container runs; empty before it has started.
        ready: Whether it serves.
        reason: Why it is not ready, as far as the cluster says.
        annotations: By their names.
        port: The first port of its container; None where it names none.
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
    """A cluster that a kubeconfig leads to."""

    def __init__(self, api: client.CoreV1Api, address: str) -> None:
        self._api, self._address = api, address

    @classmethod
    def reached_by(cls, kubeconfig: str | None = None, context: str | None = None) -> Self:
        """The cluster of a context; nothing is asked yet.

        Args:
            kubeconfig: A file; else that of `$KUBECONFIG`, else the usual one.
            context: One of its contexts; else its current one.

        Raises:
            ClusterError: There is no such file or context, or it can't be used.
        """
        settings = client.Configuration()
        settings.retries = False
        try:
            config.load_kube_config(kubeconfig, context, settings)
        except (ConfigException, OSError, yaml.YAMLError, *_NOT_A_KUBECONFIG) as error:
            remedy = "`kubectl config get-contexts` lists what there is; name one by --kubeconfig and --context"
            raise ClusterError(f"no cluster can be found: {_line(error)}", remedy) from None
        return cls(client.CoreV1Api(client.ApiClient(settings)), str(settings.host))

    def pods(self, namespace: str, release: str) -> tuple[Pod, ...]:
        """The pods of a Helm release that run or are about to, sorted by name; those that are ending are left out.

        Raises:
            ClusterError: The cluster can't be asked, or has no such namespace.
        """
        selector = f"app.kubernetes.io/instance={release}"
        with self._asking("list", "pods", namespace):
            found = self._api.list_namespaced_pod(namespace, label_selector=selector, _request_timeout=_SECONDS).items
        if not found:
            # A list of a namespace that does not exist is empty, and no error.
            self._need(namespace)
        pods = [each for each in found if each.metadata.deletion_timestamp is None and each.status.phase not in _OVER]
        return tuple(sorted(map(_pod, pods), key=lambda pod: pod.name))

    def get(self, namespace: str, pod: str, port: int, path: str, query: str) -> Any:
        """The JSON that a pod's HTTP server answers to a GraphQL query, by way of the cluster's own address.

        Raises:
            ClusterError: The cluster can't be asked, or the pod does not answer with JSON.
        """
        place = f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/{path}"
        with self._asking("get", "pods/proxy", namespace):
            answer = self._api.api_client.call_api(
                place,
                "GET",
                query_params=[("query", query)],
                header_params={"Accept": "application/json"},
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=_SECONDS,
            )
        try:
            return json.loads(answer.data)
        except ValueError:
            raise ClusterError(f"the pod {pod} does not answer with JSON") from None

    def _need(self, namespace: str) -> None:
        with self._asking("get", "namespaces", namespace):
            self._api.read_namespace(namespace, _request_timeout=_SECONDS)

    @contextmanager
    def _asking(self, verb: str, what: str, namespace: str) -> Iterator[None]:
        """Within it, what goes wrong is said in words."""
        try:
            yield
        except ApiException as error:
            raise self._refused(error, verb, what, namespace) from None
        except AttributeError as error:
            # Where TLS fails there is no answer, and the client trips over its missing body before it can say so.
            if not isinstance(error.__context__, ApiException):
                raise
            raise self._refused(error.__context__, verb, what, namespace) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._silent(error) from None

    def _silent(self, why: object) -> ClusterError:
        remedy = "is it up, and is this machine in its network? `kubectl version` asks it the same way"
        return ClusterError(f"the cluster at {self._address} does not answer: {_line(why)}", remedy)

    def _refused(self, error: ApiException, verb: str, what: str, namespace: str) -> ClusterError:
        if not error.status:
            return self._silent(error.reason)
        if error.status == 401:
            return ClusterError(f"the cluster at {self._address} does not know who asks", "log in to it anew")
        if error.status == 403:
            remedy = f"`kubectl auth can-i {verb} {what} --namespace {namespace}` must say yes"
            return ClusterError(f"you may not {verb} {what} in the namespace {namespace}", remedy)
        if error.status == 404 and what == "namespaces":
            remedy = "`pulumi up` makes it; or another cluster is meant: --context"
            return ClusterError(f"the cluster at {self._address} has no namespace {namespace}", remedy)
        return ClusterError(f"the cluster at {self._address} answers {error.status} {error.reason}", "try it again")


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
        reason="" if ready else _reason(found),
        annotations=dict(found.metadata.annotations or {}),
        port=next((each.container_port for each in container.ports or []), None),
    )


def _digest(image_id: str) -> str:
    """The digest in what a node calls an image, `docker-pullable://name@sha256:…`; some tell a number of theirs."""
    return image_id.rpartition("@")[2] if "@" in image_id else ""


def _reason(pod: Any) -> str:
    """Why a pod is not ready, as far as the cluster says."""
    told = next(reasons([pod]), f"it is {str(pod.status.phase).lower()}")
    return _line(told.removeprefix(f"pod {pod.metadata.name}: "))


def _line(text: object) -> str:
    return " ".join(str(text).split())[:200].rstrip(".")
