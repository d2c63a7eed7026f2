"""Checks of the Kubernetes cluster that a stack deploys Dagster to."""

from collections.abc import Iterator
from datetime import UTC, datetime

from lotus_infra import naming
from lotus_infra.clients.kubernetes import Cluster, ClusterObject, Kind
from lotus_infra.commands.database_health import MISSING, compare_databases
from lotus_infra.commands.doctor import helm, needs
from lotus_infra.commands.doctor.context import CI_PAGE, Site, StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.config.dagster import DagsterSettings
from lotus_infra.config.database import RUNBOOK
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import pluralize

OLDEST_KUBERNETES = (1, 29)
"""The oldest version with which any supported CloudNativePG is tested."""
_NAMESPACES = Kind("namespaces")
_NAMESPACE_TYPE = "kubernetes:core/v1:Namespace"


def cluster(case: StackContext, *, first: bool) -> Iterator[CheckResult]:
    """Everything that the stack needs on its cluster, and after the first `up` everything that runs there.

    Args:
        case: The stack.
        first: Whether the stack has never been deployed.
    """
    try:
        settings = case.project.dagster(case.stack)
    except LotusError as error:
        yield broken("cluster", error.message, error.hint or "`lotus check` has details")
        return
    if settings is None:
        return
    try:
        reached = Cluster.reached_by(settings.cluster.kubeconfig, settings.cluster.context)
        version = reached.version()
    except LotusError as error:
        yield broken("cluster", error.message, error.hint)
        return
    yield _version(reached, version, settings)
    yield from _path(case, settings)
    site = Site(case, reached, settings, first=first)
    for name, check in needs.CHECKS.items():
        try:
            yield from check(site)
        except LotusError as error:
            yield warning("cluster", f"{name} can't be checked: {error.message}", error.hint)
    if not first and _is_lost(site):
        what = f"the state has the namespace {site.namespace}, and the cluster does not"
        yield broken("cluster", what, f"restore it with its databases: {RUNBOOK}")
        return
    checks = (_namespace,) if first else (_pods, _databases)
    for running in (*checks, helm.records):
        try:
            yield from running(site)
        except LotusError as error:
            yield broken("cluster", error.message, _with_first(error.hint))


def _path(case: StackContext, settings: DagsterSettings) -> Iterator[CheckResult]:
    """Whether the path of a kubeconfig becomes part of the plan: the SDK takes it from the environment."""
    if case.environment.get("KUBECONFIG") and settings.cluster.kubeconfig is None:
        what = (
            "the path in $KUBECONFIG becomes part of the plan, so that an `up` from a machine with another one shows it"
        )
        remedy = f"use ~/.kube/config, or set lotus:dagster.cluster.kubeconfig: {CI_PAGE}#the-environments"
        yield warning("cluster", what, remedy)


def _is_lost(site: Site) -> bool:
    """Whether the stack's namespace is gone, and all other checks of the stack's objects would report that too."""
    if not site.case.manages(_NAMESPACE_TYPE, site.namespace):
        return False
    try:
        return site.cluster.find(_NAMESPACES, ClusterObject, site.namespace) is None
    except LotusError:
        return False


def _with_first(hint: str) -> str:
    return hint.replace("`pulumi up` creates it", "`pulumi up` creates it (before that: `--before-first-up`)")


def _version(reached: Cluster, version: str, settings: DagsterSettings) -> CheckResult:
    context = settings.cluster.context or "the current context"
    what = f"{context} is the cluster at {reached.address}, Kubernetes {version}"
    if needs.is_older(version, OLDEST_KUBERNETES):
        oldest = ".".join(map(str, OLDEST_KUBERNETES))
        return broken("cluster", f"{what}, which is too old", f"update it to {oldest} or newer")
    return ok("cluster", what)


def _namespace(site: Site) -> Iterator[CheckResult]:
    name, create = site.namespace, site.settings.namespace.create
    exists = site.cluster.find(_NAMESPACES, ClusterObject, name) is not None
    if exists and create and not site.case.manages(_NAMESPACE_TYPE, name):
        what = f"the namespace {name} exists already, and the stack would create it"
        yield warning("cluster", what, "set lotus:dagster.namespace.create to false to use it, or choose another name")
    elif not exists and not create:
        remedy = f"`kubectl create namespace {name}`, or set lotus:dagster.namespace.create to true"
        yield broken("cluster", f"there is no namespace {name}, and the stack does not create it", remedy)
    else:
        yield ok("cluster", f"the namespace {name} {'exists' if exists else 'is free; the first `up` creates it'}")


def _pods(site: Site) -> Iterator[CheckResult]:
    """Whether the pods of the stack's Dagster are ready."""
    pods = site.cluster.pods(site.namespace, naming.DAGSTER)
    waiting = [pod for pod in pods if not pod.ready]
    if waiting:
        what = f"{len(waiting)} of {pluralize(len(pods), 'pod')} of the namespace {site.namespace} are not ready"
        yield warning("cluster", what, "`lotus verify` shows the reasons")
    else:
        yield ok("cluster", f"the namespace {site.namespace} has {pluralize(len(pods), 'pod')}, all ready")


def _databases(site: Site) -> Iterator[CheckResult]:
    """The databases, as `lotus verify` compares them; a missing one is broken, and one that waits is not."""
    for finding in compare_databases(site.cluster, site.settings, datetime.now(UTC)):
        what = f"{finding.what} of {finding.where}: {finding.running}"
        if finding.state == "same":
            yield ok("databases", what)
        elif finding.state == "differs" and (finding.what != "database" or finding.running == MISSING):
            yield broken("databases", what, finding.remedy)
        else:
            yield warning("databases", what, finding.remedy)
