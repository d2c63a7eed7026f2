"""Checks of what a stack needs on its cluster: permissions, operators, classes, certificates and secrets."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lotus_infra.clients.databases import BACKUPS, CLUSTERS, OBJECT_STORES, SCHEDULED_BACKUPS
from lotus_infra.clients.kubernetes import ClusterObject, ClusterPart, Condition, Kind, Metadata, can_i
from lotus_infra.commands.database_health import declared_databases
from lotus_infra.commands.doctor.context import CI_PAGE, Site
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.config.dagster import DagsterSettings
from lotus_infra.errors import DOCS
from lotus_infra.lake.diagnostics import pluralize

Version = tuple[int, ...]
PAGE: Final = f"{DOCS}/how-to/set-up-production.md"
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)")


def is_older(text: str, oldest: Version) -> bool:
    """Whether a version, by its first two numbers, is older than another one; False if it is unknown."""
    found = _VERSION.match(text)
    return found is not None and (int(found[1]), int(found[2])) < oldest


# Permissions

NAMESPACES: Final = Kind("namespaces")
SECRETS: Final = Kind("secrets")
DEPLOYMENTS: Final = Kind("deployments", "apps")
INGRESSES: Final = Kind("ingresses", "networking.k8s.io")
READING: Final = ("get", "list", "watch")
MANAGING: Final = (*READING, "create", "update", "patch", "delete")
"""What the engine's plugin and Helm do with the objects of a stack; Helm updates its records."""
RELEASED: Final = (
    SECRETS,
    Kind("configmaps"),
    Kind("services"),
    Kind("serviceaccounts"),
    DEPLOYMENTS,
    Kind("roles", "rbac.authorization.k8s.io"),
    Kind("rolebindings", "rbac.authorization.k8s.io"),
)
"""The kinds of the chart's objects, and of the secrets that the stack makes."""
GRANTED: Final = (Kind("jobs", "batch"), Kind("pods"), Kind("events"))
"""The kinds that the chart lets Dagster manage. Kubernetes refuses to grant permissions that the user does not have."""
GRANTED_PARTS: Final = (Kind("jobs/status", "batch"), Kind("pods/log"), Kind("pods/status"))
"""Their parts that the chart lets Dagster read."""
LISTED: Final = (Kind("replicasets", "apps"), Kind("persistentvolumeclaims"))
"""The kinds that Helm's wait and the explanation of a failed release list."""


def managed_kinds(settings: DagsterSettings) -> Iterator[Kind]:
    """The kinds that a stack makes in its namespace."""
    yield from (*RELEASED, *GRANTED)
    if settings.ingress is not None:
        yield INGRESSES
    databases = [each.settings for each in declared_databases(settings)]
    if databases:
        yield CLUSTERS
    backups = [each.backup for each in databases if each.backup is not None]
    if backups:
        yield SCHEDULED_BACKUPS
    if any(each.method == "plugin" for each in backups):
        yield OBJECT_STORES


def needed_permissions(settings: DagsterSettings) -> Iterator[tuple[str, Kind]]:
    """The verbs and kinds in the stack's namespace for every `up`, and for what `lotus verify` reads."""
    kinds = tuple(managed_kinds(settings))
    yield from ((verb, kind) for kind in kinds for verb in MANAGING)
    yield from (("deletecollection", kind) for kind in GRANTED)
    yield from ((verb, kind) for kind in GRANTED_PARTS for verb in READING)
    yield from (("list", kind) for kind in LISTED)
    yield "get", Kind("pods/proxy")
    if SCHEDULED_BACKUPS in kinds:
        yield "list", BACKUPS


def read_permissions(settings: DagsterSettings) -> Iterator[tuple[str, Kind]]:
    """The verbs and kinds in the stack's namespace for every preview, and for what `lotus verify` reads."""
    kinds = tuple(managed_kinds(settings))
    yield from ((verb, kind) for kind in (*kinds, *LISTED) for verb in READING)
    yield "get", Kind("pods/log")
    yield "get", Kind("pods/proxy")
    if SCHEDULED_BACKUPS in kinds:
        yield from ((verb, BACKUPS) for verb in READING)


PROBES: Final = tuple((verb, kind) for kind in (SECRETS, DEPLOYMENTS) for verb in ("create", "patch", "delete"))
"""Permissions that a preview does not need."""


def permissions(site: Site) -> Iterator[CheckResult]:
    """Whether this machine's user may do what a run does with every kind that the stack makes, by the purpose."""
    may, namespace, reading = site.cluster.may, site.namespace, site.case.purpose == "preview"
    kinds = tuple(managed_kinds(site.settings))
    asked = list((read_permissions if reading else needed_permissions)(site.settings))
    if not reading and may("*", Kind("*", "*"), namespace):
        asked = []
    refused = [(verb, str(kind)) for verb, kind in asked if not may(verb, kind, namespace)]
    if site.settings.namespace.create:
        # Kubernetes grants the creation of an object without its name.
        named = {"get": namespace} if reading else {"get": namespace, "create": "", "patch": namespace}
        refused += [(verb, "namespaces") for verb, name in named.items() if not may(verb, NAMESPACES, "", name)]
    if not refused:
        can = "read" if reading else "manage"
        yield ok("cluster", f"you may {can} {pluralize(len(kinds), 'kind')} of objects in the namespace {namespace}")
    for kind in dict.fromkeys(kind for _, kind in refused):
        verbs = tuple(verb for verb, of in refused if of == kind)
        within = "" if kind == "namespaces" else namespace
        remedy = (
            f"the cluster's administrator grants it ({CI_PAGE}#the-cluster); {can_i(verbs[0], kind, within)} must "
            "answer yes"
        )
        what = f"you may not {', '.join(verbs)} {kind}"
        yield broken("cluster", what + (f" in the namespace {within}" if within else ""), remedy)
    more = [f"{verb} {kind}" for verb, kind in PROBES if reading and may(verb, kind, namespace)]
    if more:
        what = f"you may {', '.join(more)} in the namespace {namespace}, which a preview does not need"
        yield warning("cluster", what, f"a preview runs a pull request's code: {CI_PAGE}#the-cluster has a role for it")


# Operators


class _Container(ClusterPart):
    image: str = ""


class _PodSpec(ClusterPart):
    containers: tuple[_Container, ...] = ()


class _Template(ClusterPart):
    spec: _PodSpec


class _DeploymentSpec(ClusterPart):
    template: _Template


class _DeploymentStatus(ClusterPart):
    ready_replicas: int = 0


class _Deployment(ClusterPart):
    metadata: Metadata
    spec: _DeploymentSpec
    status: _DeploymentStatus = _DeploymentStatus()


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator that must be installed before the stack.

    Attributes:
        name: Its name.
        image: The last part of its image's name.
        kinds: The kinds that it defines.
        oldest: The oldest version that works.
        use: Who needs it.
    """

    name: str
    image: str
    kinds: Sequence[Kind]
    oldest: Version
    use: str


CERT_MANAGER: Final = "cert-manager.io"
CNPG: Final = Operator(
    "CloudNativePG", "cloudnative-pg", (CLUSTERS, SCHEDULED_BACKUPS), (1, 26), "the databases with kind: cluster"
)
BARMAN: Final = Operator(
    "the Barman Cloud plugin", "plugin-barman-cloud", (OBJECT_STORES,), (0, 8), "the backups with method: plugin"
)
CERTIFICATES: Final = Operator(
    "cert-manager", "cert-manager-controller", (Kind("clusterissuers", CERT_MANAGER),), (1, 12), "the certificates"
)
IN_TREE_ENDS: Final = (1, 31)
"""The first version of CloudNativePG without `spec.backup.barmanObjectStore`."""


def needed_operators(settings: DagsterSettings) -> Iterator[Operator]:
    """The operators that a stack needs; the plugin itself gets its certificates from cert-manager."""
    databases = [each.settings for each in declared_databases(settings)]
    if databases:
        yield CNPG
    if any(each.backup is not None and each.backup.method == "plugin" for each in databases):
        yield BARMAN
    if _issuers(settings):
        yield CERTIFICATES


def operators(site: Site) -> Iterator[CheckResult]:
    """Whether the operators are installed and run, in a version that works."""
    needed = tuple(needed_operators(site.settings))
    present = [each for each in needed if all(site.cluster.has_kind(kind) for kind in each.kinds)]
    for each in needed:
        if each not in present:
            what = f"{each.name} is not installed: the cluster does not have {each.kinds[0]}, for {each.use}"
            yield broken("cluster", what, f"install it; {PAGE} has the commands")
    if not present:
        return
    deployments = site.cluster.objects(DEPLOYMENTS, _Deployment) or ()
    places = dict[str, str]()
    for each in present:
        found = next((one for one in deployments if _tag_of(one, each.image) is not None), None)
        if found is None:
            what = f"{each.name} is defined, but no deployment with an image {each.image} was found"
            yield warning("cluster", what, "`kubectl get deployments --all-namespaces` shows where it runs")
            continue
        places[each.name] = found.metadata.namespace
        yield _running(each, found, site.settings)
    if len({places.get(each.name) for each in (CNPG, BARMAN) if each.name in places}) > 1:
        what = f"the plugin is in the namespace {places[BARMAN.name]}, and CloudNativePG in {places[CNPG.name]}"
        yield broken("cluster", what, "install the plugin into the operator's namespace, where alone it is found")


def _running(operator: Operator, found: _Deployment, settings: DagsterSettings) -> CheckResult:
    version = _tag_of(found, operator.image) or "of an unknown version"
    where = f"{found.metadata.namespace}/{found.metadata.name}"
    if found.status.ready_replicas == 0:
        remedy = f"`kubectl describe deployment {found.metadata.name} --namespace {found.metadata.namespace}`"
        return broken("cluster", f"{operator.name} {version} does not run: {where} has no ready pod", remedy)
    if is_older(version, operator.oldest):
        oldest = ".".join(map(str, operator.oldest))
        return broken("cluster", f"{operator.name} {version} is too old, for {operator.use}", f"update it to {oldest}")
    if operator is CNPG and _uses_in_tree(settings) and not is_older(version, IN_TREE_ENDS):
        what = f"{operator.name} {version} does not have barmanObjectStore any more"
        return broken("cluster", what, "set backup.method to plugin; the archive continues")
    return ok("cluster", f"{operator.name} {version} runs in {where}")


def _uses_in_tree(settings: DagsterSettings) -> bool:
    backups = [each.settings.backup for each in declared_databases(settings)]
    return any(each is not None and each.method != "plugin" for each in backups)


def _tag_of(found: _Deployment, image: str) -> str | None:
    """The tag of a deployment's container with an image; empty for one by digest, and None without such a container."""
    for container in found.spec.template.spec.containers:
        name, _, digest = container.image.partition("@")
        repository, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "")
        if repository.rpartition("/")[2] == image:
            return tag or ("by digest" if digest else "")
    return None


# Classes


class _Class(ClusterPart):
    metadata: Metadata


def storage_classes(site: Site) -> Iterator[CheckResult]:
    """Whether the databases' volumes can be made."""
    wanted = {each.settings.storage.storage_class for each in declared_databases(site.settings)}
    yield from _classes(
        site,
        Kind("storageclasses", "storage.k8s.io"),
        sorted(wanted, key=str),
        "storage class",
        ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"),
    )


def _classes(
    site: Site, kind: Kind, wanted: Sequence[str | None], word: str, annotations: Sequence[str]
) -> Iterator[CheckResult]:
    if not wanted:
        return
    found = site.cluster.objects(kind, _Class) or ()
    names = [each.metadata.name for each in found]
    known = f"the cluster has {', '.join(names)}" if names else "the cluster has none"
    defaults = [
        each.metadata.name
        for each in found
        if any(each.metadata.annotations.get(annotation) == "true" for annotation in annotations)
    ]
    for name in wanted:
        if name is None and not defaults:
            yield broken(
                "cluster", f"the cluster has no default {word}, and the stack names none", f"name one; {known}"
            )
        elif name is not None and name not in names:
            yield broken("cluster", f"the cluster has no {word} {name}", f"correct the name, or create it; {known}")
        else:
            yield ok("cluster", f"the {word} is {name or f'the default, {defaults[0]}'}")


def ingress(site: Site) -> Iterator[CheckResult]:
    """Whether the ingress will have a controller."""
    wanted = site.settings.ingress
    if wanted is not None:
        kind = Kind("ingressclasses", "networking.k8s.io")
        default = ("ingressclass.kubernetes.io/is-default-class",)
        yield from _classes(site, kind, [wanted.class_name], "ingress class", default)


# Certificates and secrets

_ISSUERS: Final = {
    "cert-manager.io/cluster-issuer": Kind("clusterissuers", CERT_MANAGER),
    "cert-manager.io/issuer": Kind("issuers", CERT_MANAGER),
}
"""The kinds of issuers, by the annotations of an ingress that name one."""


_CERTIFICATE: Final = "has the certificate"
"""Without it, the ingress serves a certificate of its controller."""


class _IssuerStatus(ClusterPart):
    conditions: tuple[Condition, ...] = ()


class _Issuer(ClusterPart):
    status: _IssuerStatus = _IssuerStatus()


def _issuers(settings: DagsterSettings) -> list[tuple[Kind, str]]:
    annotations = settings.ingress.annotations if settings.ingress is not None else {}
    # An issuer of another group is of another product.
    if annotations.get(f"{CERT_MANAGER}/issuer-group", CERT_MANAGER) != CERT_MANAGER:
        return []
    return [(kind, annotations[key]) for key, kind in _ISSUERS.items() if key in annotations]


def issuers(site: Site) -> Iterator[CheckResult]:
    """Whether cert-manager's issuer is there and ready."""
    for kind, name in _issuers(site.settings):
        if not site.cluster.has_kind(kind):
            continue  # `operators` has reported it.
        namespace = site.namespace if kind.plural == "issuers" else ""
        found = site.cluster.find(kind, _Issuer, name, namespace)
        ready = next((each for each in found.status.conditions if each.type == "Ready"), None) if found else None
        described = f"`kubectl describe {kind} {name}{f' --namespace {namespace}' if namespace else ''}` shows details"
        if found is None:
            yield broken("cluster", f"there is no {kind} {name}, which the ingress names", "create it, or correct it")
        elif ready is None or not ready.holds:
            reason = ready.message or ready.reason if ready is not None else "no status yet"
            yield broken("cluster", f"the {kind} {name} is not ready: {reason}", described)
        else:
            yield ok("cluster", f"the {kind} {name} is ready")


def secrets(site: Site) -> Iterator[CheckResult]:
    """Whether the secrets that pods name and that the stack does not make are there."""
    settings = site.settings
    named, wanted = settings.secrets_of_others, settings.ingress
    if wanted is not None and wanted.tls_secret is not None and not _issuers(settings):
        named.setdefault(wanted.tls_secret, _CERTIFICATE)
    missing = {
        name: use
        for name, use in named.items()
        if site.cluster.find(SECRETS, ClusterObject, name, site.namespace) is None
    }
    creates = settings.namespace.create and site.first
    for name, use in missing.items():
        result = warning if use == _CERTIFICATE else broken
        first = f"`kubectl create namespace {site.namespace}`, set lotus:dagster.namespace.create to false, " * creates
        remedy = f"{first}{'and ' if creates else ''}create it there: `kubectl create secret --help`"
        what = f"the secret {name} ({use}) is not in the namespace {site.namespace}"
        yield result("cluster", what, remedy)
    if named and not missing:
        yield ok("cluster", f"{pluralize(len(named), 'secret')} of others are in the namespace")


CHECKS: Final[Mapping[str, Callable[[Site], Iterator[CheckResult]]]] = {
    "permissions": permissions,
    "operators": operators,
    "storage classes": storage_classes,
    "the ingress class": ingress,
    "the issuer": issuers,
    "secrets": secrets,
}
"""The checks, by their names in a result that says that one can't run."""
