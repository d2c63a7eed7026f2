"""`lotus backfill`: gives streams a new token, by which the next `pulumi up` reads them from the beginning.

It edits files and starts nothing: what is reviewed and merged is what happens.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Final

import click
from pydantic import JsonValue, TypeAdapter, ValidationError

from lotus_infra.clients.airbyte import Live, connected, told
from lotus_infra.commands.options import JSON, STACK, STREAMS, YES, agreed
from lotus_infra.commands.output import write_together
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.lake import json_text
from lotus_infra.lake.diagnostics import counted, printable
from lotus_infra.lake.lake import StreamFile, find_stream
from lotus_infra.lake.loader import load_usable_lake
from lotus_infra.lake.models import Backfill, StreamConfig
from lotus_infra.lake.report import as_opened

KEY = "backfill"
ORDER = tuple(StreamConfig.model_fields)
"""A stream's file that has no token yet gets it where the reference of the format has it."""
MOST_JOBS: Final = 500
"""As many of the newest jobs are counted: five pages."""


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
    planned = plan(directory, source, streams, token)
    seen = _history(directory, stack, source) if estimate else None
    if not as_json:
        click.echo(render(planned, seen), nl=False)
    written = not dry_run and agreed("Write it?", yes=yes)
    if written:
        write(planned)
    if as_json:
        click.echo(json.dumps(as_document(planned, seen, written=written), indent=2))
    elif written:
        click.echo(afterwards(planned))


def _history(directory: Path, stack: str | None, source: str) -> "Estimate":
    """What the source's jobs brought; or why that can't be had, which is in nobody's way."""
    try:
        with connected(directory, stack) as live:
            return history(live, source)
    except LotusError as error:
        return str(error)


@dataclass(frozen=True, slots=True)
class Edit:
    """A stream's new token.

    Attributes:
        source: The source's folder.
        stream: The stream.
        file: Its file, as the user would open it.
        before: What the file asks for now; false where it says nothing.
        token: What it is to ask for.
    """

    source: str
    stream: str
    file: str
    before: bool | str
    token: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backfill would write.

    Attributes:
        directory: The lake's folder.
        edits: A new token for each stream.
    """

    directory: Path
    edits: tuple[Edit, ...]


def plan(directory: Path, source: str, streams: Sequence[str], token: str | None, today: date | None = None) -> Plan:
    """Choose a token for streams, and write nothing.

    Args:
        directory: The lake's folder.
        source: The source's folder.
        streams: Its streams, each meant once.
        token: The token; else the day's date, with a number where one of the streams has that already.
        today: The day, by the clock of the whole world where none is given.

    Raises:
        LotusError: There is no such stream, it is not selected, or it has this token; or the token can't be one.
    """
    lake = load_usable_lake(directory)
    found = [find_stream(lake, source, name)[1] for name in dict.fromkeys(streams)]
    for stream in found:
        if not stream.config.selected:
            raise LotusError(
                f"{source}/{stream.name} is not selected, and nobody reads it", 'set "selected" to true in its file'
            )
    chosen = _checked(token, found) if token is not None else _dated(today or datetime.now(UTC).date(), found)
    edits = (
        Edit(source, each.name, str(as_opened(directory / each.file)), each.config.backfill, chosen) for each in found
    )
    return Plan(directory, tuple(edits))


def write(planned: Plan) -> None:
    """Put the tokens into the files; every other byte of them stays.

    Raises:
        LotusError: A file can't be read or written; then none is.
    """
    texts = {f"{each.source}/{each.stream}.json": each.token for each in planned.edits}
    try:
        changed = {
            name: json_text.edited(
                (planned.directory / name).read_bytes().decode(), [json_text.Edit((KEY,), token, ORDER)]
            )
            for name, token in texts.items()
        }
    except OSError as error:
        raise LakeError(f"{error.filename} can't be read ({error.strerror})", "make it readable") from None
    write_together(planned.directory, changed)


def _dated(today: date, streams: Sequence[StreamFile]) -> str:
    """The day, and from the second backfill of a day on a number: `2026-02-01`, `2026-02-01-2`."""
    taken = {stream.config.backfill for stream in streams}
    names = (today.isoformat() if number == 1 else f"{today.isoformat()}-{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def _checked(token: str, streams: Sequence[StreamFile]) -> str:
    try:
        TypeAdapter(Backfill).validate_python(token)
    except ValidationError:
        what = "a token has 1 to 100 letters, digits, dots, colons, dashes and underscores, a letter or digit first"
        raise LotusError(f'"{token}" can\'t be a token', f"{what}, such as 2026-02-01-reprice") from None
    for stream in streams:
        if stream.config.backfill == token:
            raise LotusError(
                f"{stream.source}/{stream.name} has the token {token} already, which reads nothing anew",
                "give another --token, or none for one by the date",
            )
    return token


@dataclass(frozen=True, slots=True)
class History:
    """Jobs that have succeeded.

    Attributes:
        jobs: How many were counted.
        rows: How many rows they brought, all streams together: Airbyte's public API does not tell them apart.
        longest_seconds: How long the longest of them took; None where none says.
        since: When the first of them started; None where there is none.
        complete: Whether these are all that there were.
    """

    jobs: int
    rows: int
    longest_seconds: float | None
    since: datetime | None
    complete: bool


def history(live: Live, source: str) -> History:
    """Count what the newest jobs of a source's connection brought.

    Raises:
        LotusError: There is no such source or connection, or Airbyte can't be asked.
    """
    with told():
        [folder] = live.folders([source])
        connection_id = live.connection_id(folder)
        found = [
            job
            for kind in ("sync", "refresh")
            for job in islice(live.airbyte.jobs(connection_id=connection_id, kind=kind), MOST_JOBS)
        ]
    done = [job for job in found if job.status == "succeeded"]
    durations: list[timedelta] = [job.duration for job in done if job.duration is not None]
    return History(
        jobs=len(done),
        rows=sum(job.rows_synced or 0 for job in done),
        longest_seconds=max(durations).total_seconds() if durations else None,
        since=min((job.started for job in done if job.started is not None), default=None),
        complete=len(found) < MOST_JOBS,
    )


Estimate = History | str | None
"""What the jobs brought so far; why that is not known; or None where nobody asked."""


def render(planned: Plan, estimate: Estimate = None) -> str:
    """The plan: each file with its tokens, what the next `pulumi up` will do, and what that takes."""
    names = ", ".join(each.stream for each in planned.edits)
    lines = [f'{each.file}: "backfill": {json.dumps(each.before)} -> "{each.token}"' for each in planned.edits]
    lines += [
        f"The next `pulumi up` has Airbyte read {names} of {planned.edits[0].source} from the beginning, once.",
        "Other streams go on where they are; what was never applied reads everything at its first sync, and no more.",
        "Rows land beside those that are there; the models take the latest row of each key.",
    ]
    lines += [_told(planned.edits[0].source, estimate)] if estimate is not None else []
    return "".join(printable(line) + "\n" for line in lines)


def _told(source: str, estimate: History | str) -> str:
    if isinstance(estimate, str):
        return f"How many rows that is, is not known: {estimate}"
    if not estimate.jobs or estimate.since is None:
        return f"How many rows that is, is not known: no job of {source} has succeeded yet"
    longest = estimate.longest_seconds
    took = "" if longest is None else f"; the longest took {timedelta(seconds=round(longest))}"
    since = f"{'all' if estimate.complete else 'the newest'} since {estimate.since:%Y-%m-%d}"
    return (
        f"So far {counted(estimate.jobs, 'job')} of {source} brought {estimate.rows:,} rows, all of its streams "
        f"together ({since}){took}."
    )


def afterwards(planned: Plan) -> str:
    """What to do once the tokens are written."""
    files = " ".join(each.file for each in planned.edits)
    token, names = planned.edits[0].token, " and ".join(each.stream for each in planned.edits)
    return printable(
        f"next: git commit {files}, and open a pull request; its preview says `will refresh` for {names} "
        f"(token {token}), and the `pulumi up` after the merge does it"
    )


def as_document(planned: Plan, estimate: Estimate, *, written: bool) -> dict[str, JsonValue]:
    """The same for programs."""
    rows: JsonValue = None
    if isinstance(estimate, History):
        since = estimate.since.isoformat() if estimate.since is not None else None
        rows = {
            "jobs": estimate.jobs,
            "rows": estimate.rows,
            "longest_seconds": estimate.longest_seconds,
            "since": since,
            "complete": estimate.complete,
        }
    return {
        "ok": True,
        "written": written,
        "streams": [
            {
                "source": each.source,
                "stream": each.stream,
                "file": each.file,
                "before": each.before,
                "token": each.token,
            }
            for each in planned.edits
        ],
        "history": rows,
        "history_unknown": estimate if isinstance(estimate, str) else None,
    }
