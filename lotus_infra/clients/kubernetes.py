"""What a Kubernetes cluster has: the pods of a release, and whatever else a command reads.

The cluster's answers become our own types here; no caller gets the client's types. The module does not import Pulumi.
"""

# Kubernetes' client takes over a second to load: each function that calls a cluster imports the client itself.

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from lotus_infra.clients.pod_problems import pod_problems
from lotus_infra.errors import LotusError

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Api
    from kubernetes.client.exceptions import ApiException

_TIMEOUT_SECONDS: Final = (10, 30)
"""The limits for a connection and for an answer."""
_LONGEST_LINE: Final = 200
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
