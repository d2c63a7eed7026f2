"""`lotus doctor`: check everything that a run of a stack needs, with a remedy for each failed check.

Versions, the backend and its locks, the content of the state, the servers and their clocks. A check that cannot run is
a result too, so that it never hides the others. Nothing is changed, except by `--unlock`.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import click

from lotus_infra.clients.airbyte import AirbyteWorkspace, airbyte_workspace
from lotus_infra.clients.locks import UnlockPlan, backend_store, plan_unlock
from lotus_infra.commands.doctor import (
    backend,
    cluster,
    helm,
    identity,
    landing,
    network,
    secrets,
    servers,
    sources,
    state,
    versions,
)
from lotus_infra.commands.doctor.context import Purpose, StackContext
from lotus_infra.commands.doctor.results import Area, CheckResult, Examination, as_document, broken, render, warning
from lotus_infra.commands.options import JSON, STACK, STREAMS, YES
from lotus_infra.config import production
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import escape_unprintable, pluralize


@click.command()
@click.option(
    "--before-first-up", "first", is_flag=True, help="Check what must be there before the stack is deployed first."
)
@click.option(
    "--for",
    "purpose",
    type=click.Choice(get_args(Purpose)),
    default="deploy",
    show_default=True,
    help="Check the rights that a deploy needs, or those of a preview, which only reads.",
)
@click.option("--unlock", "unlocking", is_flag=True, help="Remove the stack's locks whose owners are dead.")
@click.option(
    "--fix", "fixing", is_flag=True, help="Remove what a killed run left: its lock, and Helm's pending record."
)
@click.option(
    "--host-is-gone",
    "gone",
    multiple=True,
    metavar="NAME",
    help="With --unlock or --fix: this host no longer exists; treat its runs as dead.",
)
@YES
@STACK
@STREAMS
@JSON
def doctor(
    stack: str | None,
    gone: tuple[str, ...],
    directory: Path,
    *,
    purpose: Purpose,
    first: bool,
    unlocking: bool,
    fixing: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Check everything a run of a stack needs.

    Checks versions, the backend and its locks, the content of the state, every server, the cluster, and clocks; exits
    with 1 if a check is broken. With --before-first-up, checks what must be there before the stack is deployed first.
    Nothing is changed, except with --unlock, which only looks at locks, and with --fix, which looks at locks and at
    Helm's records.

    Example: lotus doctor --stack prod
    """
    changing = unlocking or fixing
    if not changing and (yes or gone):
        raise click.UsageError("--yes and --host-is-gone require --unlock or --fix")
    if changing and first:
        raise click.UsageError("--before-first-up only checks: leave --unlock and --fix out")
    case = StackContext.of(directory, stack, purpose=purpose)
    if changing:
        _fix(case, gone, with_helm=fixing, yes=yes, as_json=as_json)
        return
    examined = examine(case, first=first)
    click.echo(json.dumps(as_document(examined), indent=2) if as_json else render(examined), nl=as_json)
    if not examined.ok:
        sys.exit(1)


def _fix(case: StackContext, gone: tuple[str, ...], *, with_helm: bool, yes: bool, as_json: bool) -> None:
    """Remove stranded locks and, if asked for, Helm's stranded record; nothing if a run may be under way."""
    unlocking = _plan_unlock(case, gone, may_lack_locks=with_helm)
    helm_plan = helm.plan_removal(case, unlocking) if with_helm else None
    plans = [each for each in (unlocking, helm_plan) if each is not None]
    lines = [*(unlocking.lines(datetime.now(UTC)) if unlocking else ()), *(helm_plan.lines() if helm_plan else ())]
    for line in lines or ["nothing is stranded" if with_helm else "the stack is not locked"]:
        click.echo(escape_unprintable(line), err=as_json)
    for plan in plans:
        plan.refuse_remaining()
    locks = [lock.key for lock in unlocking.removable] if unlocking is not None else []
    stranded = helm_plan is not None and helm_plan.stranded is not None
    if (locks or stranded) and not yes:
        click.confirm("Remove them", abort=True, err=as_json)
    # The lock last: until Helm's record is gone, it shows which run has left the record.
    removed = helm_plan.remove() if helm_plan is not None else []
    if unlocking is not None:
        unlocking.remove_locks()
    if as_json:
        document = {"ok": True, "stack": case.stack, "removed": locks} | ({"helm": removed} if with_helm else {})
        click.echo(json.dumps(document, indent=2))
        return
    parts = [pluralize(len(locks), "lock")] * bool(locks) + [f"Helm's record {name}" for name in removed]
    if parts:
        click.echo(f"removed {' and '.join(parts)}; next: `lotus up --stack {case.stack}`")


def _plan_unlock(case: StackContext, gone: tuple[str, ...], *, may_lack_locks: bool) -> UnlockPlan | None:
    """Which locks to remove; None for a backend whose locks can't be listed, if there is something else to do."""
    if may_lack_locks and backend_store(case.project, case.environment) is None:
        production.check(case.run, case.environment)
        return None
    return plan_unlock(case.project, case.stack, gone, case.environment)


def examine(case: StackContext, *, first: bool = False) -> Examination:
    """Run every check.

    Args:
        case: The stack.
        first: Whether the stack has never been deployed: what its first `up` creates may be missing.
    """
    return Examination(case.stack, tuple(_check_all(case, first=first)))


def _check_all(case: StackContext, *, first: bool) -> Iterator[CheckResult]:
    yield from versions.versions(case)
    configured = tuple(backend.configuration(case, complete=first))
    yield from configured
    if configured:
        return
    refused = tuple(backend.guard(case))
    yield from refused
    yield from backend.credentials_in_urls(case)
    yield from backend.open_places(case)
    if refused:
        what = "no server is checked, because a check could call another one than the files name"
        yield warning("backend", what, "correct the problems above first")
        return
    yield from identity.identity(case)
    yield from _guarded("versions", versions.plugins(case))
    yield from backend.backend(case)
    yield from _guarded("backend", identity.state_rights(case))
    yield from backend.versioning(case)
    yield from backend.locks(case)
    reached: AirbyteWorkspace | None = None
    if case.uses_airbyte:
        try:
            reached = airbyte_workspace(case.directory, case.stack, case.environment)
        except LotusError as error:
            yield broken("airbyte", error.message, error.hint)
    if first:
        yield from _guarded("secrets", secrets.secrets(case))
    yield from _guarded("state", state.state(case, reached))
    if reached is not None:
        yield from servers.airbyte(reached)
    yield from _guarded("sources", sources.sources(case))
    yield from _guarded("landing", landing.free_buckets(case) if first else servers.landing(case))
    yield from _guarded("network", network.network(case))
    yield from _guarded("cluster", cluster.cluster(case, first=first))


def _guarded(area: Area, results: Iterator[CheckResult]) -> Iterator[CheckResult]:
    """The results of a check, and as the last one why it can't go on."""
    try:
        yield from results
    except LotusError as error:
        yield broken(area, error.message, error.hint or "see the results above")
