"""`lotus doctor`: it parses and prints, and does nothing else."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lotus_infra.ops.cli_options import JSON, ONE_STACK, STREAMS
from lotus_infra.streams.problems import counted, printable

if TYPE_CHECKING:
    from lotus_infra.ops.doctor import Case


@click.command()
@ONE_STACK
@click.option("--unlock", "unlocking", is_flag=True, help="Remove the stack's locks whose owners are gone.")
@click.option("--host-is-gone", "gone", multiple=True, metavar="NAME", help="With --unlock: what ran there is gone.")
@click.option("--yes", is_flag=True, help="With --unlock: don't ask.")
@STREAMS
@JSON
def doctor(
    stack: str | None, gone: tuple[str, ...], directory: Path, *, unlocking: bool, yes: bool, as_json: bool
) -> None:
    """Look at all that a run of the stack needs; exit with 1 if something is broken.

    Versions, the backend and who holds its lock, what is in the state, every server, and clocks. It changes nothing
    but with --unlock, which looks at locks alone.

    Example: lotus doctor --stack prod
    """
    from lotus_infra.ops.doctor import Case  # noqa: PLC0415

    if not unlocking and (yes or gone):
        raise click.UsageError("--yes and --host-is-gone go with --unlock")
    case = Case.of(directory, stack)
    if unlocking:
        _unlock(case, gone, yes=yes, as_json=as_json)
        return
    from lotus_infra.ops import doctor_view as view  # noqa: PLC0415
    from lotus_infra.ops.doctor import examine  # noqa: PLC0415

    examined = examine(case)
    click.echo(json.dumps(view.as_document(examined), indent=2) if as_json else view.render(examined), nl=as_json)
    if not examined.ok:
        sys.exit(1)


def _unlock(case: "Case", gone: tuple[str, ...], *, yes: bool, as_json: bool) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415

    from lotus_infra.ops.unlock import plan  # noqa: PLC0415

    planned = plan(case.project, case.stack, gone, case.environment)
    for line in planned.lines(datetime.now(UTC)) or ["nobody holds the stack's lock"]:
        click.echo(printable(line), err=as_json)
    planned.refuse_if_any_is_kept()
    if planned.gone and not yes:
        click.confirm("Remove them", abort=True, err=as_json)
    planned.carry_out()
    removed = [lock.key for lock in planned.gone]
    if as_json:
        click.echo(json.dumps({"ok": True, "stack": case.stack, "removed": removed}, indent=2))
    elif removed:
        click.echo(f"removed {counted(len(removed), 'lock')}; next: `lotus up --stack {case.stack}`")
