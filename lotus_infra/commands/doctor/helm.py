"""Helm's records of Dagster's release: a check, and the removal of those that a killed run has left behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lotus_infra import naming
from lotus_infra.clients.helm_records import HelmRecord, at_work, helm_records, remove_record
from lotus_infra.clients.kubernetes import Cluster
from lotus_infra.clients.locks import UnlockPlan, backend_store, plan_unlock
from lotus_infra.clients.state import Resource
from lotus_infra.commands.doctor.context import Site, StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.errors import DOCS, LotusError

RELEASE = "kubernetes:helm.sh/v3:Release"
_COMPONENT = "lotus:dagster:Release"
_PROVIDER = "pulumi:providers:kubernetes"
PAGE = f"{DOCS}/how-to/recover-a-killed-run.md"


@dataclass(frozen=True)
class HelmPlan:
    """Which of Helm's records of a release to remove.

    Attributes:
        cluster: The cluster.
        stranded: The pending record that no run is at work on; None without one.
        refusal: Why a pending record is kept; empty if none is.
    """

    cluster: Cluster
    stranded: HelmRecord | None = None
    refusal: str = ""

    def lines(self) -> list[str]:
        """The plan as a user reads it."""
        if self.stranded is None:
            return []
        return [f"remove Helm's record of {naming.DAGSTER}, {self.stranded.shown}; its objects stay as they are"]

    def refuse_remaining(self) -> None:
        """Refuse to remove anything while a run may be at work.

        Raises:
            LotusError: A pending record has to stay.
        """
        if self.refusal:
            raise LotusError(f"Helm's record of {naming.DAGSTER} has to stay: {self.refusal}")

    def remove(self) -> list[str]:
        """Remove the record; returns its name.

        Raises:
            LotusError: The record has changed meanwhile, or the cluster refuses.
        """
        if self.stranded is None:
            return []
        remove_record(self.cluster, self.stranded)
        return [self.stranded.metadata.name]


def plan_removal(case: StackContext, unlocking: UnlockPlan | None) -> HelmPlan | None:
    """Find out which of Helm's records can be removed; None for a stack without Dagster.

    Args:
        case: The stack.
        unlocking: Which of its locks remain; None if the backend's locks can't be listed.

    Raises:
        LotusError: The stack's configuration has mistakes, or the cluster can't be read.
    """
    settings = case.project.dagster(case.stack)
    if settings is None:
        return None
    cluster = Cluster.reached_by(settings.cluster.kubeconfig, settings.cluster.context)
    found = helm_records(cluster, settings.namespace.name, naming.DAGSTER)
    if not found or not found[-1].is_pending:
        return HelmPlan(cluster)
    reason = _at_work(Site(case, cluster, settings), found[-1], unlocking)
    return HelmPlan(cluster, refusal=reason) if reason else HelmPlan(cluster, stranded=found[-1])


def records(site: Site) -> Iterator[CheckResult]:
    """Whether Helm's records of the release let the next `up` work, and belong to the release in the state."""
    case, release = site.case, naming.DAGSTER
    found = helm_records(site.cluster, site.namespace, release)
    managed = _release_in(case.resources or (), site.namespace)
    if found and found[-1].is_pending:
        yield _pending(site, found[-1])
    elif found and found[-1].status == "uninstalling":
        what = f"Helm has not finished to uninstall {release}, {found[-1].shown}"
        yield broken("helm", what, f"`pulumi destroy` or `pulumi up` finishes it, as {PAGE} describes")
    elif case.resources is None:
        return  # `state` has reported it.
    elif found and managed is None:
        what = f"Helm has installed {release}, {found[-1].shown}, and the state does not have it: a run was killed"
        yield broken(
            "helm", what, f"{_import_command(case, site.namespace)} ({PAGE}); `up` refuses the name until then"
        )
    elif managed is not None and not found:
        what = f"the state has the release {release}, and the cluster does not"
        yield broken("helm", what, f"`lotus up --stack {case.stack} --refresh` installs it again")
    elif found:
        yield ok("helm", f"{release} is {found[-1].status}, revision {found[-1].revision}")


def _pending(site: Site, record: HelmRecord) -> CheckResult:
    case = site.case
    try:
        has_locks = backend_store(case.project, case.environment) is not None
        unlocking = plan_unlock(case.project, case.stack, (), case.environment) if has_locks else None
    except (LotusError, OSError):
        unlocking = None
    reason = _at_work(site, record, unlocking)
    what = f"Helm's record of {naming.DAGSTER} is {record.status}, revision {record.revision}"
    if reason:
        return warning("helm", f"{what}: {reason}", "wait for its end, and run this again")
    what = f"{what}, and no run is at work on it: Helm refuses every install and upgrade"
    return broken("helm", what, f"`lotus doctor --fix --stack {case.stack}` removes the record, and nothing else")


def _at_work(site: Site, record: HelmRecord, unlocking: UnlockPlan | None) -> str:
    """Why a pending record may still belong to a run; empty if no run is at work on it."""
    limit = timedelta(seconds=site.settings.timeout_seconds)
    return at_work(record, limit, unlocking, site.case.project.folder, datetime.now(UTC))


def _import_command(case: StackContext, namespace: str) -> str:
    """The command that imports the release below its component, whose URN the state has: a run notes it first."""
    urns = {(each.type, each.name): each.urn for each in case.resources or ()}
    parent, provider = (urns.get((type_, naming.DAGSTER), "<urn>") for type_ in (_COMPONENT, _PROVIDER))
    return (
        f"`pulumi import {RELEASE} {naming.DAGSTER} {namespace}/{naming.DAGSTER} --parent release={parent} "
        f"--provider cluster={provider} --protect=false --generate-code=false --yes --stack {case.stack}`"
    )


def _release_in(resources: tuple[Resource, ...], namespace: str) -> Resource | None:
    """The release in a state, by its name on the cluster."""
    wanted = f"{namespace}/{naming.DAGSTER}"
    return next((each for each in resources if each.type == RELEASE and each.id in {wanted, naming.DAGSTER}), None)
