"""`lotus backfill`: give streams a new token, so that the next `pulumi up` refreshes them once.

It edits files and starts nothing: a backfill happens after its token is reviewed, merged and applied. The rows that
past jobs have read, by Airbyte's own count, show what a full re-read may cost.
"""

import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Final

import click
from pydantic import JsonValue, TypeAdapter, ValidationError

from lotus_infra import naming
from lotus_infra.clients.airbyte import ConnectedLake, connected, translate_errors
from lotus_infra.clients.dagster_runs import DagsterRuns, stack_dagster
from lotus_infra.commands.completion import SELECTORS, STREAM_NAMES
from lotus_infra.commands.options import DAGSTER, DRY_RUN, JSON, STACK, STREAMS, YES, confirmed
from lotus_infra.commands.output import write_together
from lotus_infra.config.stack import Project
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.lake import json_text
from lotus_infra.lake.diagnostics import escape_unprintable, format_path, pluralize
from lotus_infra.lake.lake import Connection, Lake, SourceFolder, StreamFile, find_connections, find_source, find_stream
from lotus_infra.lake.loader import load_usable_lake
from lotus_infra.lake.models import Backfill, Engine, StreamConfig
from lotus_infra.lake.report import path_from_here

KEY: Final = "backfill"
KEY_ORDER: Final = tuple(StreamConfig.model_fields)
"""The order of keys in the format's reference, which places the key in a file that lacks it."""
MOST_JOBS: Final = 500
"""The number of newest jobs that are counted: five pages."""


@dataclass(frozen=True, slots=True)
class TokenEdit:
    """A stream's new token.

    Attributes:
        source: The source's folder.
        stream: The name of the stream's file, without the suffix.
        file: Its file, as the user would open it.
        before: The file's current value; false if it has none.
        token: The new value.
        connections: The connections that re-read the stream, by their Pulumi names.
    """

    source: str
    stream: str
    file: str
    before: bool | str
    token: str
    connections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """The edits of a backfill.

    Attributes:
        directory: The lake's folder.
        edits: One for each stream.
        engine: What reads the source.
    """

    directory: Path
    edits: tuple[TokenEdit, ...]
    engine: Engine = "airbyte"

    @property
    def connections(self) -> tuple[str, ...]:
        """The connections that re-read a stream, by their Pulumi names."""
        return tuple(dict.fromkeys(name for edit in self.edits for name in edit.connections))


@dataclass(frozen=True, slots=True)
class JobHistory:
    """Jobs that have succeeded.

    Attributes:
        jobs: How many were counted.
        rows: The rows that they read, of all streams: Airbyte's public API has no numbers per stream.
        longest_seconds: The duration of the longest; None if no job has one.
        since: The start of the first; None if no job has one.
        complete: Whether all jobs were counted, and not only the newest.
    """

    jobs: int
    rows: int
    longest_seconds: float | None
    since: datetime | None
    complete: bool


Estimate = JobHistory | str | None
"""The source's jobs so far; the reason why they are unavailable; or None without `--estimate`."""


@click.command()
@click.argument("source", shell_complete=SELECTORS)
@click.argument("streams", nargs=-1, required=True, metavar="STREAM...", shell_complete=STREAM_NAMES)
@click.option("--token", metavar="TEXT", help="The token to write; default: the current date.")
@click.option("--estimate", is_flag=True, help="Ask the stack's Airbyte how many rows the jobs of SOURCE have read.")
@DAGSTER
@DRY_RUN
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
    dagster_url: str,
    estimate: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Request a full re-read of streams.

    Name each STREAM of the SOURCE by its file. Shows the plan, asks, and writes a new token into the streams' files:
    that value in each, and no other byte. It starts nothing: the next `pulumi up` applies the token once it is merged.
    The runs of a source that dlt reads are counted in Dagster.

    Example: lotus backfill shopify orders --token 2026-02-01-reprice
    """
    chosen = Project.selected(directory, stack, os.environ) if stack else ""
    planned = plan_backfill(directory, source, streams, token, stack=chosen)
    jobs = _estimate(stack, planned, dagster_url) if estimate else None
    if not as_json:
        click.echo(render(planned, jobs), nl=False)
    written = not dry_run and confirmed("Write it?", yes=yes)
    if written:
        write(planned)
    if as_json:
        click.echo(json.dumps(as_document(planned, jobs, written=written), indent=2))
    elif written:
        click.echo(next_step(planned))


def plan_backfill(
    directory: Path,
    source: str,
    streams: Sequence[str],
    token: str | None,
    today: date | None = None,
    *,
    stack: str = "",
) -> BackfillPlan:
    """Choose a token for streams; nothing is written.

    Args:
        directory: The lake's folder.
        source: The source's folder, or one of its connections if no other takes the streams: `shopify/daily`.
        streams: The names of the streams' files; repeated names count once.
        token: The token; else the date, with a number if one of the streams already has that date.
        today: The date; default: the current date in UTC, so that the token does not depend on the machine.
        stack: The stack that must deploy the source; empty for any.

    Raises:
        LotusError: A stream is not found, not deployed, not selected, taken by no connection, by one that is paused or
            by another one than the named; or it already has this token; or the token is invalid.
    """
    lake = load_usable_lake(directory, stack)
    folder, _, named = source.partition("/")
    if named:
        find_connections(lake, source)
    found = [find_stream(lake, folder, name)[1] for name in dict.fromkeys(streams)]
    readers = [_readers(lake, stream, named) for stream in found]
    chosen = _checked(token, found) if token is not None else _dated(today or datetime.now(UTC).date(), found)
    edits = (
        TokenEdit(
            folder, each.name, str(path_from_here(directory / each.file)), each.config.backfill, chosen, connections
        )
        for each, connections in zip(found, readers, strict=True)
    )
    return BackfillPlan(directory, tuple(edits), find_source(lake, folder).engine)


def _readers(lake: Lake, stream: StreamFile, named: str) -> tuple[str, ...]:
    """The connections that a stream's new token has re-read it: its file has one token for all that take it.

    Args:
        lake: The lake.
        stream: The stream.
        named: The only connection that may be one; empty for any.

    Raises:
        LotusError: There is none, one is paused, or another one than the named is among them.
    """
    source, who = find_source(lake, stream.source), f"{stream.source}/{stream.name}"
    if not stream.config.selected:
        raise LotusError(
            f"{who} is not selected, so {source.reader.label} does not sync it", 'set "selected" to true in its file'
        )
    taking = [each for each in source.connections if each.takes(stream)]
    if not taking or (named and named not in {each.name for each in taking}):
        which = f"the connection {source.name}/{named} does" if named else f"the connections of {source.name} do"
        raise LotusError(f"{which} not take {stream.name}", f'add it to "streams" of a connection in {source.file}')
    others = [each.resource for each in taking if each.name != named]
    if named and others:
        raise LotusError(
            f"{who} is taken by {_listed(others)} too, and its token is one for all",
            f"name the source: `lotus backfill {source.name} {stream.name}`",
        )
    for each in taking:
        _refuse_paused(source, each, who)
    return tuple(each.resource for each in taking)


def _refuse_paused(source: SourceFolder, connection: Connection, stream: str) -> None:
    if connection.is_paused:
        runs = "Airbyte runs no job for it" if source.engine == "airbyte" else "Dagster does not run it"
        raise LotusError(
            f"{stream} is taken by the connection {connection.resource}, which is paused: {runs}",
            f'set {format_path(connection.path("status"))} to "active" in {connection.file} first',
        )


def _dated(today: date, streams: Sequence[StreamFile]) -> str:
    """The date; from the second backfill of a day on with a number: `2026-02-01`, `2026-02-01-2`."""
    taken = {stream.config.backfill for stream in streams}
    names = (today.isoformat() if number == 1 else f"{today.isoformat()}-{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def _checked(token: str, streams: Sequence[StreamFile]) -> str:
    try:
        TypeAdapter(Backfill).validate_python(token)
    except ValidationError:
        rule = "a token has 1 to 100 letters, digits, dots, colons, dashes and underscores, a letter or digit first"
        raise LotusError(f'invalid token "{token}"', f"{rule}, such as 2026-02-01-reprice") from None
    for stream in streams:
        if stream.config.backfill == token:
            raise LotusError(
                f"{stream.source}/{stream.name} already has the token {token}, which has no further effect",
                "choose another --token, or omit it to use the date",
            )
    return token


def write(planned: BackfillPlan) -> None:
    """Write the tokens into the files, all or none; every other byte stays.

    Raises:
        LotusError: A file can't be read or written; then none is written.
    """
    tokens = {f"{each.source}/{each.stream}.json": each.token for each in planned.edits}
    try:
        texts = {name: (planned.directory / name).read_bytes().decode() for name in tokens}
    except OSError as error:
        raise LakeError(f"{error.filename} can't be read ({error.strerror})", "make it readable") from None
    changed = {
        name: json_text.apply_edits(text, [json_text.Edit((KEY,), tokens[name], KEY_ORDER)])
        for name, text in texts.items()
    }
    write_together(planned.directory, changed)


def _estimate(stack: str | None, planned: BackfillPlan, dagster_url: str) -> Estimate:
    """The connections' job history, or the reason why it is unavailable. A failure does not stop the command."""
    source = planned.edits[0].source
    try:
        if planned.engine == "dlt":
            return run_history(stack_dagster(planned.directory, stack, dagster_url), source)
        with connected(planned.directory, stack) as live:
            return job_history(live, source, planned.connections)
    except LotusError as error:
        return str(error)


def job_history(live: ConnectedLake, source: str, connections: Collection[str] = ()) -> JobHistory:
    """Count the rows that the newest jobs of a source's connections have read.

    Args:
        live: The lake and its Airbyte.
        source: The source's folder.
        connections: The Pulumi names of the connections to count; by default all.

    Raises:
        LotusError: The source or a connection is not found, or Airbyte refuses or does not answer.
    """
    with translate_errors():
        counted = [each for each in live.connections([source]) if not connections or each.resource in connections]
        # The server lists syncs and refreshes separately.
        lists = [
            list(islice(live.airbyte.jobs(connection_id=connection_id, kind=kind), MOST_JOBS))
            for connection_id in [live.connection(each).connection_id for each in counted]
            for kind in ("sync", "refresh")
        ]
    jobs = [job for listed in lists for job in listed]
    succeeded = [job for job in jobs if job.status == "succeeded"]
    durations: list[timedelta] = [job.duration for job in succeeded if job.duration is not None]
    return JobHistory(
        jobs=len(succeeded),
        rows=sum(job.rows_synced or 0 for job in succeeded),
        longest_seconds=max(durations).total_seconds() if durations else None,
        since=min((job.started for job in succeeded if job.started is not None), default=None),
        complete=all(len(listed) < MOST_JOBS for listed in lists),
    )


def run_history(dagster: DagsterRuns, source: str) -> JobHistory:
    """Count the rows that the newest runs of a source that dlt reads have landed.

    Raises:
        LotusError: Dagster refuses or does not answer.
    """
    runs = dagster.last_runs(naming.dlt_job(source), MOST_JOBS, succeeded=True)
    return JobHistory(
        jobs=len(runs),
        rows=sum(run.rows or 0 for run in runs),
        longest_seconds=max((run.seconds for run in runs if run.seconds is not None), default=None),
        since=min((run.started for run in runs), default=None),
        complete=len(runs) < MOST_JOBS,
    )


def render(planned: BackfillPlan, estimate: Estimate = None) -> str:
    """The plan: each file with its old and new token, the effect of the next `pulumi up`, and its estimated cost."""
    source = planned.edits[0].source
    names = ", ".join(each.stream for each in planned.edits)
    lines = [f'{each.file}: "backfill": {json.dumps(each.before)} -> "{each.token}"' for each in planned.edits]
    lines += [
        _effect(planned, f"{names} of {source}"),
        *_several_readers(planned),
        "Other streams resume from their cursors. A stream that was never applied is read in full anyway, once.",
        "Existing rows stay; the models take the latest row of each key.",
    ]
    lines += [_estimate_line(planned, estimate)] if estimate is not None else []
    return "".join(escape_unprintable(line) + "\n" for line in lines)


def _effect(planned: BackfillPlan, streams: str) -> str:
    """What the token does."""
    if planned.engine == "dlt":
        job = naming.dlt_job(planned.edits[0].source)
        return f"The first run of {job} after the next `pulumi up` re-reads {streams} in full, once."
    return f"The next `pulumi up` has Airbyte re-read {streams} in full, once."


def _several_readers(planned: BackfillPlan) -> Iterator[str]:
    """A line for each stream that several connections re-read."""
    for each in planned.edits:
        if len(each.connections) > 1:
            all_of_them = "both" if len(each.connections) == 2 else "each"
            yield f"{each.stream} is taken by {_listed(each.connections)}: {all_of_them} of them re-read it."


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _estimate_line(planned: BackfillPlan, estimate: JobHistory | str) -> str:
    if isinstance(estimate, str):
        return f"The number of rows is unknown: {estimate}"
    whose = _listed(planned.connections)
    if not estimate.jobs or estimate.since is None:
        return f"The number of rows is unknown: no job of {whose} has succeeded yet"
    longest = estimate.longest_seconds
    took = "" if longest is None else f"; the longest took {timedelta(seconds=round(longest))}"
    since = f"{'all' if estimate.complete else 'the newest'} since {estimate.since:%Y-%m-%d}"
    return (
        f"So far {pluralize(estimate.jobs, 'job')} of {whose} read {estimate.rows:,} rows, all streams together "
        f"({since}){took}."
    )


def next_step(planned: BackfillPlan) -> str:
    """What to do after the files are written."""
    files = " ".join(each.file for each in planned.edits)
    token, names = planned.edits[0].token, " and ".join(each.stream for each in planned.edits)
    effect = (
        f"its comment shows a full re-read of {names} (token {token}), and the first run of "
        f"{naming.dlt_job(planned.edits[0].source)} after the merge's `pulumi up` does it"
        if planned.engine == "dlt"
        else f"its preview shows `will refresh` for {names} (token {token}), and the `pulumi up` after the merge "
        "requests the refresh"
    )
    return escape_unprintable(f"next: git commit {files}, and open a pull request; {effect}")


def as_document(planned: BackfillPlan, estimate: Estimate, *, written: bool) -> dict[str, JsonValue]:
    """The plan as one JSON document."""
    jobs: JsonValue = None
    if isinstance(estimate, JobHistory):
        jobs = {
            "jobs": estimate.jobs,
            "rows": estimate.rows,
            "longest_seconds": estimate.longest_seconds,
            "since": estimate.since.isoformat() if estimate.since is not None else None,
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
                "connections": list(each.connections),
            }
            for each in planned.edits
        ],
        "history": jobs,
        "history_unknown": estimate if isinstance(estimate, str) else None,
    }
