"""The commands of `lotus` that an operator runs day by day: they parse and print, and do nothing else."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lotus_infra.errors import LotusError
from lotus_infra.ops.cli_options import JSON, STACK, STREAMS, YES, agreed

if TYPE_CHECKING:
    from lotus_infra.ops.backfill_view import Estimate


class Age(click.ParamType):  # type: ignore[type-arg]  # click's parameter is there for type checkers alone
    """A time such as `90min`, `26h` or `2d`."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The time."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([0-9]{1,6}) ?(min|h|d)", str(value))
        if found is None:
            self.fail(f"{value!r} is no age: write a number and min, h or d, such as 26h", param, ctx)
        return int(found[1]) * {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[found[2]]


@click.command()
@click.argument("sources", nargs=-1)
@click.option("--older-than", type=Age(), metavar="AGE", help="Files, models and marts older than that are a problem.")
@click.option("--dagster-url", default="", metavar="URL", help="Dagster's pages; else the host of the stack's ingress.")
@STACK
@STREAMS
@JSON
def status(
    sources: tuple[str, ...],
    directory: Path,
    stack: str | None,
    older_than: timedelta | None,
    dagster_url: str,
    *,
    as_json: bool,
) -> None:
    """Show how the connections of SOURCES (or all) stand, and how fresh their streams are; exit with 1 on a problem.

    A problem is a connection that is missing or not active, a last job that failed, and what is too old. What can't be
    asked is shown as that, with the reason.

    Example: lotus status shopify --older-than 26h
    """
    from lotus_infra.ops import status_view as view  # noqa: PLC0415
    from lotus_infra.ops.status import Question  # noqa: PLC0415
    from lotus_infra.ops.status import status as run  # noqa: PLC0415

    found = run(directory, stack, Question(sources, older_than, dagster_url), datetime.now(UTC))
    click.echo(json.dumps(view.as_document(found), indent=2) if as_json else view.render(found), nl=as_json)
    if found.problems:
        sys.exit(1)


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
