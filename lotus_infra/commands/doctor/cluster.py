"""Checks of the Kubernetes cluster that a stack deploys Dagster to."""

from collections.abc import Iterator

from lotus_infra import naming
from lotus_infra.clients.kubernetes import Cluster
from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import pluralize


def cluster(case: StackContext) -> Iterator[CheckResult]:
    """Whether the pods of the stack's Dagster are ready."""
    try:
        settings = case.project.dagster(case.stack)
    except LotusError as error:
        yield broken("cluster", error.message, error.hint or "`lotus check` has details")
        return
    if settings is None:
        return
    namespace = settings.namespace.name
    try:
        reached = Cluster.reached_by(settings.cluster.kubeconfig, settings.cluster.context)
        pods = reached.pods(namespace, naming.DAGSTER)
    except LotusError as error:
        yield broken("cluster", error.message, error.hint)
        return
    waiting = [pod for pod in pods if not pod.ready]
    if waiting:
        what = f"{len(waiting)} of {pluralize(len(pods), 'pod')} of the namespace {namespace} are not ready"
        yield warning("cluster", what, "`lotus verify` shows the reasons")
    else:
        yield ok("cluster", f"the namespace {namespace} has {pluralize(len(pods), 'pod')}, all ready")
