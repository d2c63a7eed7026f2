"""A Kubernetes cluster: the pods of a release, the objects of any kind, and what this machine's user may do.

It only reads, except for `delete`, which `clients/helm_records` uses for Helm's own records.

The cluster's answers become our own types here; no caller gets the client's types. The module does not import Pulumi.
"""

# Kubernetes' client takes over a second to load: each function that calls a cluster imports the client itself.

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from lotus_infra.clients.pod_problems import pod_problems
from lotus_infra.config.database import RUNBOOK
from lotus_infra.errors import LotusError, one_line

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Api
    from kubernetes.client.exceptions import ApiException

_TIMEOUT_SECONDS: Final = (10, 30)
"""The limits for a connection and for an answer."""
_PAGE: Final = 500
_LOG_LINES: Final = 500
_JSON: Final = "application/json"
_METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST: Final = _METADATA.replace("Metadata;", "MetadataList;")
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


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects.

    Attributes:
        plural: The plural of its name, as addresses have it: `deployments`.
        group: Its API group; empty for the core.
        version: The version of the group.
    """

    plural: str
    group: str = ""
    version: str = "v1"

    def __str__(self) -> str:
        plural, slash, part = self.plural.partition("/")
        return (f"{plural}.{self.group}" if self.group else plural) + slash + part

    @property
    def api(self) -> str:
        """The address of its group."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str, name: str = "") -> str:
        """The address of an object, or of all; a kind without namespaces has an empty one."""
        within = f"/namespaces/{namespace}" if namespace else ""
        return f"{self.api}{within}/{self.plural}" + (f"/{name}" if name else "")


class ClusterPart(BaseModel):
    """A part of an object, with the cluster's camelCase keys; unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, given: object) -> object:
        """Leave out empty values: the API server writes an absent list, text or time as null or as an empty text."""
        if not isinstance(given, dict):
            return given
        return {key: value for key, value in given.items() if value is not None and value != ""}


class Metadata(ClusterPart):
    """The metadata of an object."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    creation_timestamp: str = ""


class ClusterObject(ClusterPart):
    """The metadata of an object."""

    metadata: Metadata


class Condition(ClusterPart):
    """A condition in the status of an object."""

    type: str
    status: str
    reason: str = ""
    message: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is true."""
        return self.status == "True"


_Object = TypeVar("_Object", bound=ClusterPart)
_METHODS: Final = {"get": "GET", "list": "GET", "create": "POST", "delete": "DELETE"}


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, by Kubernetes' verb, kind and namespace, which messages show."""

    verb: str
    kind: Kind
    path: str
    namespace: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    accept: str = _JSON

    @property
    def method(self) -> str:
        return _METHODS[self.verb]


class Cluster:
    """The cluster of a kubeconfig's context."""

    def __init__(self, api: "CoreV1Api", address: str) -> None:
        self._api, self.address = api, address

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
            listed = "`kubectl config get-contexts` lists the contexts"
            remedy = f"{listed}; select one in lotus:dagster.cluster, or another file by $KUBECONFIG"
            raise ClusterError(f"no cluster can be found: {one_line(error)}", remedy) from None
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

    def find(self, kind: Kind, model: type[_Object], name: str, namespace: str = "") -> _Object | None:
        """An object; None if there is none of this name.

        Raises:
            ClusterError: The cluster can't be read, or the object has another format.
        """
        accept = _METADATA if model is ClusterObject else _JSON
        found = self._answer(_Request("get", kind, kind.path(namespace, name), namespace, accept=accept))
        return None if found is None else _parsed(model, found, kind)

    def objects(
        self, kind: Kind, model: type[_Object], namespace: str = "", labels: str = ""
    ) -> tuple[_Object, ...] | None:
        """The objects of a kind; None if the cluster does not have the kind. Raises as `find`.

        Args:
            kind: The kind.
            model: The parts of each object to read.
            namespace: Their namespace; empty for all, and for a kind without namespaces.
            labels: A selector: `owner=helm,name=dagster`.
        """
        found, following = list[_Object](), ""
        # Only the metadata: a secret's content and a release's manifests are not read.
        accept = _METADATA_LIST if model is ClusterObject else _JSON
        while True:
            query = {"limit": str(_PAGE), "labelSelector": labels, "continue": following}
            page = self._answer(_Request("list", kind, kind.path(namespace), namespace, query, accept=accept))
            if page is None:
                return None
            parsed = _parsed(_Page, page, kind)
            found += [_parsed(model, item, kind) for item in parsed.items]
            following = parsed.metadata.following
            if not following:
                return tuple(found)

    def has_kind(self, kind: Kind) -> bool:
        """Whether the cluster serves a kind; every user may ask for that. Raises as `find`."""
        group = self._answer(_Request("get", kind, kind.api))
        return group is not None and any(each.name == kind.plural for each in _parsed(_Group, group, kind).resources)

    def version(self) -> str:
        """The API server's version, such as `v1.34.4`. Raises as `find`."""
        kind = Kind("version")
        return _parsed(_Version, self._answer(_Request("get", kind, "/version")) or {}, kind).git_version

    def may(self, verb: str, kind: Kind, namespace: str = "", name: str = "") -> bool:
        """Whether this machine's user may do something with a kind, by a SelfSubjectAccessReview. Raises as `find`.

        Args:
            verb: Kubernetes' verb.
            kind: The kind.
            namespace: Empty for a kind without namespaces.
            name: Of one object; empty for all.
        """
        asked = {"verb": verb, "group": kind.group, "resource": kind.plural, "namespace": namespace, "name": name}
        resource, _, part = kind.plural.partition("/")
        if part:
            asked |= {"resource": resource, "subresource": part}
        review = {"apiVersion": f"{_REVIEWS.group}/v1", "kind": "SelfSubjectAccessReview"}
        body = {**review, "spec": {"resourceAttributes": asked}}
        answer = self._answer(_Request("create", _REVIEWS, _REVIEWS.path(""), body=body))
        return _parsed(_Review, answer or {}, _REVIEWS).status.allowed

    def delete(self, kind: Kind, found: Metadata) -> None:
        """Delete an object, unless it has changed since it was read; a missing one is no error. Raises as `find`."""
        precondition = {"uid": found.uid, "resourceVersion": found.resource_version}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": precondition}
        path = kind.path(found.namespace, found.name)
        self._answer(_Request("delete", kind, path, found.namespace, body=body))

    def log(self, namespace: str, pod: str, container: str) -> str:
        """The end of a container's log; empty if it has none, or may not be read."""
        try:
            with self._cluster_errors("get", "pods/log", namespace):
                found = self._api.read_namespaced_pod_log(
                    pod, namespace, container=container, tail_lines=_LOG_LINES, _request_timeout=_TIMEOUT_SECONDS
                )
        except ClusterError:
            return ""
        return str(found)

    def _answer(self, asked: "_Request") -> Any:
        """The JSON answer to a request; None for a 404."""
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415

        try:
            with self._cluster_errors(asked.verb, str(asked.kind), asked.namespace, absent_is_error=False):
                answer = self._api.api_client.call_api(
                    asked.path,
                    asked.method,
                    query_params=[(key, value) for key, value in asked.query.items() if value],
                    header_params={"Accept": asked.accept, "Content-Type": "application/json"},
                    body=asked.body,
                    auth_settings=["BearerToken"],
                    _preload_content=False,
                    _return_http_data_only=True,
                    _request_timeout=_TIMEOUT_SECONDS,
                )
        except ApiException:
            return None
        try:
            return json.loads(answer.data)
        except ValueError:
            raise ClusterError(
                f"the cluster at {self.address} does not answer with JSON", "is it Kubernetes?"
            ) from None

    @contextmanager
    def _cluster_errors(
        self, verb: str, resource: str, namespace: str, *, absent_is_error: bool = True
    ) -> Iterator[None]:
        """Turn the client's errors of one request into `ClusterError`, except for a 404 that is an answer."""
        import urllib3  # noqa: PLC0415
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415

        try:
            yield
        except ApiException as error:
            if error.status == 404 and not absent_is_error:
                raise
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
        return ClusterError(f"the cluster at {self.address} does not answer: {one_line(reason)}", remedy)

    def _refusal(self, error: "ApiException", verb: str, resource: str, namespace: str) -> ClusterError:
        if not error.status:
            return self._no_answer(error.reason)
        if error.status == 401:
            return ClusterError(f"the cluster at {self.address} rejects the credentials", "log in to it again")
        if error.status == 403:
            where = f" in the namespace {namespace}" if namespace else ""
            remedy = f"{can_i(verb, resource, namespace)} must answer yes"
            return ClusterError(f"you may not {verb} {resource}{where}", remedy)
        if error.status == 409:
            return ClusterError(f"{resource} in the namespace {namespace} have changed meanwhile", "run it again")
        if error.status == 404 and resource == "namespaces":
            remedy = (
                f"`pulumi up` creates it; restore one that was lost by {RUNBOOK}; or select another cluster in "
                "lotus:dagster.cluster"
            )
            return ClusterError(f"the cluster at {self.address} has no namespace {namespace}", remedy)
        return ClusterError(f"the cluster at {self.address} answers {error.status} {error.reason}", "try it again")


def can_i(verb: str, resource: str, namespace: str = "") -> str:
    """The command that checks a permission of this machine's user.

    Args:
        verb: Kubernetes' verb.
        resource: The kind as `Kind` writes it, with a subresource after a slash.
        namespace: Empty for a kind without namespaces.
    """
    # kubectl reads `pods/proxy` as a pod with the name proxy.
    plural, _, part = resource.partition("/")
    options = (f" --subresource {part}" if part else "") + (f" --namespace {namespace}" if namespace else "")
    return f"`kubectl auth can-i {verb} {plural}{options}`"


_REVIEWS: Final = Kind("selfsubjectaccessreviews", "authorization.k8s.io")


class _PageMetadata(ClusterPart):
    following: str = Field(default="", alias="continue")


class _Page(ClusterPart):
    metadata: _PageMetadata = _PageMetadata()
    items: tuple[dict[str, JsonValue], ...] = ()


class _GroupMember(ClusterPart):
    name: str


class _Group(ClusterPart):
    resources: tuple[_GroupMember, ...] = ()


class _Version(ClusterPart):
    git_version: str


class _ReviewStatus(ClusterPart):
    allowed: bool = False


class _Review(ClusterPart):
    status: _ReviewStatus


def missing_secrets(
    namespace: str, names: Sequence[str], *, kubeconfig: str | None = None, context: str | None = None
) -> tuple[str, ...]:
    """The secrets that a namespace does not have; none if they can't be read, because the next write reports that.

    Args:
        namespace: The namespace.
        names: The secrets.
        kubeconfig: A file; else the default one.
        context: A context of the file; else its current one.
    """
    secrets = Kind("secrets")
    try:
        cluster = Cluster.reached_by(kubeconfig, context)
        return tuple(name for name in names if cluster.find(secrets, ClusterObject, name, namespace) is None)
    except ClusterError:
        return ()


class _FieldManager(ClusterPart):
    manager: str = ""


class _ManagedMetadata(ClusterPart):
    managed_fields: tuple[_FieldManager, ...] = ()


class _Managed(ClusterPart):
    metadata: _ManagedMetadata


def field_managers(
    kind: Kind, name: str, namespace: str, *, kubeconfig: str | None = None, context: str | None = None
) -> frozenset[str] | None:
    """Who has set fields of an object; None if there is none of this name, or no cluster is configured.

    Args:
        kind: The object's kind.
        name: Its name.
        namespace: Its namespace; empty for a kind without namespaces.
        kubeconfig: A file; else the default one.
        context: A context of the file; else its current one.

    Raises:
        ClusterError: The object can't be read.
    """
    try:
        cluster = Cluster.reached_by(kubeconfig, context)
    except ClusterError:
        return None  # The plugin reports that, as it finds the cluster in the same way.
    found = cluster.find(kind, _Managed, name, namespace)
    return None if found is None else frozenset(each.manager for each in found.metadata.managed_fields)


def _parsed(model: type[_Object], answer: object, kind: Kind) -> _Object:
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        remedy = "is its version one that Lotus supports?"
        raise ClusterError(f"the cluster's {kind} have an unknown format at {where}", remedy) from None


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
    return one_line(problem.removeprefix(f"pod {pod.metadata.name}: "))
