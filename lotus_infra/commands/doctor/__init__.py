"""`lotus doctor`: check everything that a run of a stack needs, with a remedy for each failed check.

Versions, the backend and its locks, the content of the state, the servers and their clocks. A check that cannot run is
a result too, so that it never hides the others. Nothing is changed, except by `--unlock`.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from lotus_infra.clients.airbyte import AirbyteWorkspace, airbyte_workspace
from lotus_infra.clients.locks import plan_unlock
from lotus_infra.commands.doctor import backend, cluster, servers, state, versions
from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.results import CheckResult, Examination, as_document, broken, render, warning
from lotus_infra.commands.options import JSON, ONE_STACK, STREAMS
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import escape_unprintable, pluralize


@click.command()
@ONE_STACK
@click.option("--unlock", "unlocking", is_flag=True, help="Remove the stack's locks whose owners are dead.")
@click.option(
    "--host-is-gone",
    "gone",
    multiple=True,
    metavar="NAME",
    help="With --unlock: this host no longer exists; treat its runs as dead.",
)
@click.option("--yes", is_flag=True, help="With --unlock: do not ask for confirmation.")
@STREAMS
@JSON
def doctor(
    stack: str | None, gone: tuple[str, ...], directory: Path, *, unlocking: bool, yes: bool, as_json: bool
) -> None:
    """Check everything that a run of the stack needs; exit with 1 if a check is broken.

    Checks versions, the backend and its locks, the content of the state, every server, and clocks. Nothing is changed,
    except with --unlock, which only looks at locks.

    Example: lotus doctor --stack prod
    """
    if not unlocking and (yes or gone):
        raise click.UsageError("--yes and --host-is-gone require --unlock")
    case = StackContext.of(directory, stack)
    if unlocking:
        _unlock(case, gone, yes=yes, as_json=as_json)
        return
    examined = examine(case)
    click.echo(json.dumps(as_document(examined), indent=2) if as_json else render(examined), nl=as_json)
    if not examined.ok:
        sys.exit(1)


def _unlock(case: StackContext, gone: tuple[str, ...], *, yes: bool, as_json: bool) -> None:
    planned = plan_unlock(case.project, case.stack, gone, case.environment)
    for line in planned.lines(datetime.now(UTC)) or ["the stack is not locked"]:
        click.echo(escape_unprintable(line), err=as_json)
    planned.refuse_remaining()
    if planned.removable and not yes:
        click.confirm("Remove them", abort=True, err=as_json)
    planned.remove_locks()
    removed = [lock.key for lock in planned.removable]
    if as_json:
        click.echo(json.dumps({"ok": True, "stack": case.stack, "removed": removed}, indent=2))
    elif removed:
        click.echo(f"removed {pluralize(len(removed), 'lock')}; next: `lotus up --stack {case.stack}`")


def examine(case: StackContext) -> Examination:
    """Run every check."""
    return Examination(case.stack, tuple(_check_all(case)))


def _check_all(case: StackContext) -> Iterator[CheckResult]:
    yield from versions.versions(case)
    configured = tuple(backend.configuration(case))
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
    yield from backend.backend(case)
    yield from backend.locks(case)
    try:
        reached: AirbyteWorkspace | None = airbyte_workspace(case.directory, case.stack, case.environment)
    except LotusError as error:
        reached = None
        yield broken("airbyte", error.message, error.hint)
    yield from state.state(case, reached)
    if reached is not None:
        yield from servers.airbyte(reached)
    yield from servers.landing(case)
    yield from cluster.cluster(case)
