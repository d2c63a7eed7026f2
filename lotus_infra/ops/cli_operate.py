"""The commands of `lotus` that an operator runs day by day: they parse and print, and do nothing else."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lotus_infra.errors import LotusError
from lotus_infra.ops.cli_options import JSON, STACK, STREAMS, YES, agreed

if TYPE_CHECKING:
    from lotus_infra.ops.backfill_view import Estimate


@click.command()
@click.argument("source")
@click.argument("streams", nargs=-1, required=True, metavar="STREAM...")
@click.option("--token", metavar="TEXT", help="The token to write; else the day's date.")
@click.option("--estimate", is_flag=True, help="Ask the stack's Airbyte how much the jobs of SOURCE brought so far.")
@click.option("--dry-run", is_flag=True, help="Show the plan, and write nothing.")
@YES
@STACK
@STREAMS
@JSON
def backfill(
    source: str,
    streams: tuple[str, ...],
    token: str | None,
    stack: str | None,
    directory: Path,
    *,
    estimate: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Give each STREAM of a SOURCE a new token, by which the next `pulumi up` reads it from the beginning.

    Shows the plan, asks, and edits the streams' files: that one value in each, and no other byte. It starts nothing in
    Airbyte; the token does, once it is merged and applied.

    Example: lotus backfill shopify orders --token 2026-02-01-reprice
    """
    from lotus_infra.ops import backfill as backfills  # noqa: PLC0415
    from lotus_infra.ops import backfill_view as view  # noqa: PLC0415

    planned = backfills.plan(directory, source, streams, token)
    seen = _history(directory, stack, source) if estimate else None
    if not as_json:
        click.echo(view.render(planned, seen), nl=False)
    written = not dry_run and agreed("Write it?", yes=yes)
    if written:
        backfills.write(planned)
    if as_json:
        click.echo(json.dumps(view.as_document(planned, seen, written=written), indent=2))
    elif written:
        click.echo(view.afterwards(planned))


def _history(directory: Path, stack: str | None, source: str) -> "Estimate":
    """What the source's jobs brought; or why that can't be had, which is in nobody's way."""
    from lotus_infra.ops.airbyte import connected  # noqa: PLC0415
    from lotus_infra.ops.history import history  # noqa: PLC0415

    try:
        with connected(directory, stack) as live:
            return history(live, source)
    except LotusError as error:
        return str(error)
