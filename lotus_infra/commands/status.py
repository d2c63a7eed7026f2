"""`lotus status`: whether each connection runs, and how fresh its streams are in the bucket and in the marts.

It takes a few calls to Airbyte for all connections, one to four listings of the bucket for each stream, and one query
of Dagster; for sources that dlt reads, one more query and one for each of them. A value that cannot be read is shown
as unknown with the reason, and never as a value.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from cronsim import CronSim, CronSimError
from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.models import Connection as LiveConnection
from pulumi_airbyte.client.models import Job, Schedule
from pydantic import JsonValue
from rich.filesize import decimal

from lotus_infra import naming
from lotus_infra.clients.airbyte import ConnectedLake, connected, last_jobs, last_success, translate_errors
from lotus_infra.clients.dagster_runs import (
    DAGSTER_URL,
    DagsterRuns,
    DeployedJob,
    JobRun,
    dagster_runs,
    ingress_address,
)
from lotus_infra.clients.freshness import (
    Arrival,
    Landed,
    Materialization,
    NewestPartition,
    StreamStatus,
    Unavailable,
    Unread,
    check_problems,
    describe_check,
    freshness_problems,
    job_streams,
    last_arrivals,
    load_assets,
    newest_partitions,
    stream_status,
)
from lotus_infra.commands.completion import SELECTORS
from lotus_infra.commands.options import JSON, STACK, STREAMS
from lotus_infra.commands.runners import SHORT
from lotus_infra.commands.terminal import Cell, Column, Tone, lead, paint, table
from lotus_infra.config.settings import StackSettings
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import pluralize
from lotus_infra.lake.lake import Connection, Lake, choose_connections, find_source
from lotus_infra.lake.loader import load_stack_lake
from lotus_infra.lake.models import Engine

_AGE: Final = re.compile(r"([0-9]{1,6}) ?(min|h|d)")
_AGE_UNITS: Final = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_EVERY: Final = re.compile(r"every ([0-9]+) (minute|hour|day|week|month)s?", re.IGNORECASE)
_SCHEDULE_UNITS: Final = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
}
"""A month has 30 days (airbyte-platform, ScheduleHelpers)."""
_DAY_OF_WEEK: Final = re.compile(r"(?<![#/0-9])[1-7]")
"""A number in a cron expression's last field that is a day, and not an ordinal (`#2`) or a step (`/2`)."""
_STATE_TONES: Final[Mapping[str, Tone]] = {"active": "good", "paused": "muted", "unknown": "warning"}
_JOB_TONES: Final[Mapping[str, Tone]] = {"succeeded": "good", "failed": "bad", "cancelled": "warning"}
_SPANS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))
"""Units of a printed time span in seconds, largest first."""


class Age(click.ParamType):  # type: ignore[type-arg]  # click's parameter is there for type checkers alone
    """A time span such as `90min`, `26h` or `2d`."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse the span."""
        if isinstance(value, timedelta):
            return value
        found = _AGE.fullmatch(str(value))
        if found is None:
            self.fail(f"invalid age {value!r}: write a number and min, h or d, such as 26h", param, ctx)
        return int(found[1]) * _AGE_UNITS[found[2]]


@dataclass(frozen=True, slots=True)
class LastJob:
    """The last job of a connection, in Airbyte or in Dagster.

    Attributes:
        id: A number in Airbyte, a text in Dagster.
        kind: Its type in Airbyte; `dlt` in Dagster.
        status: Its status, in Airbyte's words.
        finished: Whether that is final.
        rows: The rows that it has read; None if that is unknown.
        started: When it was started.
        ended: When it ended; None while it runs.
    """

    id: int | str
    kind: str
    status: str
    finished: bool
    rows: int | None
    started: datetime | None
    ended: datetime | None

    @classmethod
    def of_airbyte(cls, job: Job) -> "LastJob":
        """A job of Airbyte."""
        return cls(job.job_id, job.job_type, job.status, job.finished, job.rows_synced, job.started, job.ended)

    @classmethod
    def of_dagster(cls, run: JobRun) -> "LastJob":
        """A run of a source that dlt reads."""
        return cls(run.run_id, "dlt", run.status, run.finished, run.rows, run.started, run.ended)


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """The status of a connection.

    Attributes:
        source: The source's folder.
        connection: Its Pulumi name: `shopify`, `shopify/daily`.
        label: Its name in Airbyte by the lake's files.
        paused: Whether its file pauses it.
        connection_id: Its id in Airbyte; empty if it is missing, and for a source that dlt reads.
        state: Its status in Airbyte, or that of its schedule in Dagster; `missing`, or `unknown`.
        job: Its last job; None if it had none or it is unknown.
        next_run: The time of its next sync; None if it has none or it is unknown.
        problem: Why it does not sync, or did not last time; empty if it does.
        engine: What reads its source.
        unavailable: Why its state is unknown; None if it is known.
    """

    source: str
    connection: str
    label: str
    paused: bool
    connection_id: str = ""
    state: str = "missing"
    job: LastJob | None = None
    next_run: datetime | None = None
    problem: str = ""
    engine: Engine = "airbyte"
    unavailable: Unavailable | None = None

    @property
    def shown_state(self) -> str:
        """The state as the table has it: a connection that its file pauses is `paused`."""
        return "paused" if self.paused and self.state == "inactive" else self.state


@dataclass(frozen=True, slots=True)
class Status:
    """The status of a lake.

    Attributes:
        at: The time of the status.
        connections: By source and name.
        streams: By source and name.
        problems: One line each, starting with the connection or stream.
    """

    at: datetime
    connections: tuple[ConnectionStatus, ...]
    streams: tuple[StreamStatus, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """The options of a status.

    Attributes:
        sources: Folders, or single connections such as `shopify/daily`; empty for all.
        older_than: The maximum age of files and models; None for any.
        dagster_url: The address of Dagster's webserver; empty for the host of the stack's ingress.
    """

    sources: Sequence[str] = ()
    older_than: timedelta | None = None
    dagster_url: str = ""


@click.command()
@click.argument("sources", nargs=-1, shell_complete=SELECTORS)
@click.option("--older-than", type=Age(), metavar="AGE", help="Report files, models and marts that are older than AGE.")
@click.option(
    "--dagster-url",
    default="",
    envvar=DAGSTER_URL,
    metavar="URL",
    help=f"Dagster's webserver; default: ${DAGSTER_URL}, or the host of the stack's ingress.",
)
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
    """Show connections, jobs and freshness of streams.

    Each of SOURCES is a source, with all its connections, or one connection: shopify/daily. Without SOURCES, all are
    shown. Exits with 1 on a problem.

    A problem is a connection that is missing or not active, a last job that failed, a file in quarantine, a failed
    check, or data that is too old. A connection that its file pauses is shown as paused, which is no problem. A value
    that cannot be read is shown as unknown, with the reason. The job of a source that dlt reads is a run in Dagster.

    Example: lotus status shopify --older-than 26h
    """
    found = collect_status(directory, stack, Query(sources, older_than, dagster_url), datetime.now(UTC))
    click.echo(json.dumps(as_document(found), indent=2) if as_json else render(found), nl=as_json)
    if found.problems:
        sys.exit(1)


def collect_status(
    directory: Path,
    stack: str | None,
    query: Query,
    now: datetime,
    environment: Mapping[str, str] = os.environ,
) -> Status:
    """Collect the status of a lake.

    Args:
        directory: The lake's folder.
        stack: The stack; else `$PULUMI_STACK`, else the only stack of the project.
        query: The options.
        now: The time, with a zone.
        environment: The environment's variables.

    Raises:
        LotusError: A source is not found, or Airbyte refuses or does not answer.
    """
    values, ingress = _stack_settings(directory, stack, environment)
    url = query.dagster_url or ingress
    lake = load_stack_lake(directory, Project.selected(directory, stack, environment))
    selected = choose_connections(lake, query.sources or [source.name for source in lake.sources])
    by_dlt = [each for each in selected if find_source(lake, each.source).engine == "dlt"]
    by_airbyte = [each for each in selected if each not in by_dlt]
    statuses: dict[str, ConnectionStatus] = {}
    jobs: dict[str, Job | None] = {}
    if by_airbyte or not by_dlt:
        with connected(directory, stack, lake=lake) as live, translate_errors():
            statuses.update((each.connection, each) for each in _connection_statuses(live, by_airbyte, now))
            jobs.update(_last_successes(live, job_streams(lake, by_airbyte).values(), statuses))
    if by_dlt:
        statuses.update((each.connection, each) for each in _dlt_statuses(lake, by_dlt, stack, url))
    connections = tuple(statuses[each.resource] for each in selected)
    found = newest_partitions(lake, selected, values, now, environment)
    found |= last_arrivals(lake, job_streams(lake, selected), jobs)
    landed = {place: found[place] for each in selected for place in ((one.source, one.name) for one in each.streams)}
    paused = _streams_of_paused(lake)
    made = load_assets(url)
    streams = tuple(stream_status(*place, landed[place], made, paused=place in paused) for place in landed)
    problems = [f"{each.connection}: {each.problem}" for each in connections if each.problem]
    problems += check_problems(streams)
    if query.older_than is not None:
        problems += [
            f"{each.connection}: whether it runs is not known: {each.unavailable.reason}"
            for each in connections
            if each.unavailable is not None and each.unavailable.requested
        ]
        problems += [each for stream in streams for each in freshness_problems(stream, query.older_than, now)]
    return Status(now, connections, streams, tuple(problems))


def _stack_settings(
    directory: Path, stack: str | None, environment: Mapping[str, str]
) -> tuple[StackSettings | None, str]:
    """The selected stack's configuration, and Dagster's address by its ingress; None and empty without a stack."""
    project = Project.around(directory)
    names = project.select_all(stack, environment) if project is not None else ()
    if project is None or len(names) != 1:
        return None, ""
    settings = project.settings(names[0])
    return settings, ingress_address(settings)


def _streams_of_paused(lake: Lake) -> frozenset[tuple[str, str]]:
    """The streams that are written by a connection that its file pauses, by source and file."""
    reads = ((stream, lake.arrival_of(source, stream)) for source in lake.sources for stream in source.selected_streams)
    return frozenset((stream.source, stream.name) for stream, read in reads if read is not None and read.is_paused)


def _connection_statuses(
    live: ConnectedLake, connections: Sequence[Connection], now: datetime
) -> Iterator[ConnectionStatus]:
    found: list[tuple[ConnectionStatus, LiveConnection | None]] = []
    for each in connections:
        label = live.lake.connection_label(find_source(live.lake, each.source), each)
        expected = ConnectionStatus(each.source, each.resource, label, each.is_paused)
        try:
            found.append((expected, live.connection(each)))
        except LotusError as error:
            found.append((replace(expected, problem=str(error)), None))
    ids = [actual.connection_id for _, actual in found if actual is not None]
    jobs = last_jobs(live.airbyte, live.workspace_id, ids) if ids else {}
    for expected, actual in found:
        if actual is None:
            yield expected
            continue
        job = jobs.get(actual.connection_id)
        runs = next_run(actual.schedule, job.started if job is not None else None, now)
        # Airbyte keeps the schedule of an inactive connection.
        next_one = runs if actual.status == "active" else None
        last = LastJob.of_airbyte(job) if job is not None else None
        known = replace(expected, connection_id=actual.connection_id, state=actual.status, job=last, next_run=next_one)
        yield replace(known, problem=_problem(live, known, job))


def _last_successes(
    live: ConnectedLake, connections: Iterable[Connection], statuses: Mapping[str, ConnectionStatus]
) -> Iterator[tuple[str, Job | None]]:
    """The last succeeded job of each connection, by Pulumi name; one that Airbyte does not have is left out."""
    for each in {one.resource: one for one in connections}.values():
        known = statuses.get(each.resource)
        try:
            connection_id = known.connection_id if known is not None else live.connection(each).connection_id
        except LotusError:
            continue
        if connection_id:
            yield each.resource, last_success(live.airbyte, connection_id)


def _dlt_statuses(
    lake: Lake, connections: Sequence[Connection], stack: str | None, url: str
) -> Iterator[ConnectionStatus]:
    """The status of sources that dlt reads, by their jobs in Dagster."""
    expected = [
        ConnectionStatus(
            each.source,
            each.resource,
            lake.connection_label(find_source(lake, each.source), each),
            each.is_paused,
            engine="dlt",
        )
        for each in connections
    ]
    try:
        dagster = dagster_runs(lake.directory, stack, url)
        jobs = dagster.jobs()
    except LotusError as error:
        unavailable = Unavailable(str(error), requested=bool(url))
        yield from (replace(each, state="unknown", unavailable=unavailable) for each in expected)
        return
    for connection, each in zip(connections, expected, strict=True):
        name = naming.dlt_job(connection.source)
        try:
            job = dagster.job(name) if name in jobs else None
            runs = dagster.last_runs(name)
        except LotusError as error:
            yield replace(each, state="unknown", unavailable=Unavailable(str(error)))
            continue
        last = LastJob.of_dagster(runs[0]) if runs else None
        if job is None:
            yield replace(each, job=last, problem=dagster.missing(name))
            continue
        is_manual = connection.config.schedule.type == "manual" and not each.paused
        state = "active" if job.is_scheduled or (is_manual and not job.has_schedule) else "inactive"
        known = replace(each, state=state, job=last, next_run=job.next_run)
        yield replace(known, problem=_dlt_problem(dagster, known, job))


def _dlt_problem(dagster: DagsterRuns, source: ConnectionStatus, job: DeployedJob) -> str:
    if source.paused:
        return "its file pauses it, and its schedule in Dagster is on: stop it there" if job.is_scheduled else ""
    if source.state != "active":
        return (
            "its schedule in Dagster is stopped: start it there"
            if job.has_schedule
            else "Dagster has no schedule of it: deploy Dagster's image of this commit with `pulumi up`"
        )
    if source.job is None or source.job.status != "failed":
        return ""
    run_id = str(source.job.id)
    try:
        failure = dagster.failure(run_id)
    except LotusError:
        failure = ""
    return f"its last run, {run_id[:SHORT]}, failed: {failure or 'see its log in Dagster'}"


def _problem(live: ConnectedLake, connection: ConnectionStatus, job: Job | None) -> str:
    if connection.paused:
        if connection.state == "active":
            return "its file pauses its connection, and Airbyte runs it: `pulumi up` pauses it"
        if connection.state == "inactive":
            return ""
    if connection.state != "active":
        return f"its connection is {connection.state} and does not sync: activate it"
    if job is None or job.status != "failed":
        return ""
    try:
        failure = live.airbyte.job_failure(job.job_id)
    except AirbyteError:
        failure = ""
    return f"its last job, {job.job_id}, failed: {failure or 'see its log in Airbyte'}"


def next_run(schedule: Schedule, last_start: datetime | None, now: datetime) -> datetime | None:
    """The time of the next sync.

    Args:
        schedule: From the public API: a cron expression with its zone at the end, or `Every 1 HOURS`.
        last_start: The start of the last job, from which an interval counts.
        now: The time, with a zone.

    Returns:
        The time in UTC, which is past if a run is due; None if the schedule is manual, or its next run is unknown.
    """
    if schedule.schedule_type == "cron":
        return _next_cron_run(schedule.cron_expression or "", now)
    every = _EVERY.fullmatch(schedule.basic_timing or "")
    if schedule.schedule_type != "basic" or every is None or last_start is None:
        return None
    return last_start.astimezone(UTC) + int(every[1]) * _SCHEDULE_UNITS[every[2].lower()]


def _next_cron_run(expression: str, now: datetime) -> datetime | None:
    """The first time after now; None for Quartz expressions that cronsim does not support: `15W`, `L-3`, and years."""
    *fields, zone = expression.split() or [""]
    try:
        day_of_week = _DAY_OF_WEEK.sub(lambda found: str(int(found[0]) - 1), fields.pop())
        # Quartz writes ? for an unrestricted day, and counts the days of a week from 1.
        cron = " ".join([*fields, day_of_week]).replace("?", "*")
        # cronsim reads five fields as an expression without seconds, which Quartz does not have.
        return next(CronSim(cron, now.astimezone(ZoneInfo(zone)))).astimezone(UTC) if len(fields) == 5 else None
    except (CronSimError, IndexError, StopIteration, ValueError, ZoneInfoNotFoundError):
        return None


def render(found: Status) -> str:
    """The tables; below them each problem, each reason why a value is unknown, and the number of problems."""
    tables = _connections_table(found) + (f"\n{_streams_table(found)}" if found.streams else "")
    lines = [*dict.fromkeys(_warnings(found)), *dict.fromkeys(_unknown_reasons(found))]
    summary = pluralize(len(found.problems), "problem") if found.problems else "no problems"
    below = [
        *(lead(line, "bad") for line in found.problems),
        *(lead(line, "warning") for line in lines),
        paint(summary, "bad" if found.problems else "good"),
    ]
    return f"{tables}\n" + "".join(f"{line}\n" for line in below)


def _warnings(found: Status) -> Iterator[str]:
    for stream in found.streams:
        for check in stream.failed_checks:
            if not check.is_error:
                yield f"warning: {describe_check(check)}"


def _unknown_reasons(found: Status) -> Iterator[str]:
    for each in found.connections:
        if each.unavailable is not None:
            yield f"sources that dlt reads: {_unknown(each.unavailable)}: {each.unavailable.reason}"
    for stream in found.streams:
        for what, value in (("files", stream.landed), ("models and marts", stream.model)):
            if isinstance(value, Unavailable):
                yield f"{what}: {_unknown(value)}: {value.reason}"


def _unknown(value: Unavailable) -> str:
    return "unknown" if value.requested else "not asked"


def _connections_table(found: Status) -> str:
    columns = (Column("source", whole=True), Column("state"), Column("last job"))
    numbers = (Column(heading, right=True) for heading in ("rows", "when", "next"))
    return table((*columns, *numbers), (_connection_cells(each, found.at) for each in found.connections))


def _connection_cells(each: ConnectionStatus, now: datetime) -> tuple[str | Cell, ...]:
    job = each.job
    state = Cell(each.shown_state, _STATE_TONES.get(each.shown_state, "bad"))
    none = "none yet" if each.unavailable is None else _unknown(each.unavailable)
    return (
        each.connection,
        state,
        none if job is None else Cell(f"{job.kind} {job.status}", _JOB_TONES.get(job.status)),
        "" if job is None or job.rows is None else f"{job.rows:,}",
        "" if job is None else _ago(job.started, now),
        _ahead(each.next_run, now),
    )


def _streams_table(found: Status) -> str:
    by_job = any(isinstance(each.landed, Arrival) for each in found.streams)
    numbers = ("newest rows" if by_job else "newest file", "files", "size", "model", "oldest mart")
    columns = (Column("stream", whole=True), *(Column(heading, right=True) for heading in numbers))
    rows = (
        (f"{each.source}/{each.stream}", *_file_cells(each, found.at), *_model_cells(each, found.at))
        for each in found.streams
    )
    return table(columns, rows)


def _file_cells(stream: StreamStatus, now: datetime) -> tuple[str, str, str]:
    """The age of a stream's newest file or of its last job; the number and the size of the files of its day."""
    match stream.landed:
        case Arrival(at=at):
            return "none" if at is None else _ago(at, now), "", ""
        case None:
            return "none", "", ""
        case Unavailable():
            return _unknown(stream.landed), "", ""
        case Unread():
            return "no files are read", "", ""
        case NewestPartition(_, files, size, newest):
            return _ago(newest, now), f"{files:,}", decimal(size)


def _model_cells(stream: StreamStatus, now: datetime) -> tuple[str, str]:
    """The age of the model, and that of its oldest mart: one that was never materialized is the oldest."""
    if isinstance(stream.model, Unavailable):
        return _unknown(stream.model), _unknown(stream.model)
    if isinstance(stream.model, Unread):
        return "none", "none"
    never = [each for each in stream.marts if each.at is None]
    oldest = never or sorted(stream.marts, key=lambda each: each.at or now)
    return _materialized(stream.model, now), _materialized(oldest[0], now) if oldest else "none"


def _materialized(made: Materialization, now: datetime) -> str:
    return "never" if made.at is None else _ago(made.at, now)


def _ago(at: datetime | None, now: datetime) -> str:
    return "" if at is None else f"{_span((now - at).total_seconds())} ago"


def _ahead(at: datetime | None, now: datetime) -> str:
    if at is None:
        return ""
    return "due" if at <= now else f"in {_span((at - now).total_seconds())}"


def _span(seconds: float) -> str:
    """A span in the largest unit that fits: `3 h`."""
    for unit, size in _SPANS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "less than 1 min"


def as_document(found: Status) -> dict[str, JsonValue]:
    """The status as one JSON document; an unknown value is null, with the reason beside it."""
    return {
        "ok": not found.problems,
        "at": _time(found.at),
        "connections": [_connection_document(each) for each in found.connections],
        "streams": [_stream_document(each) for each in found.streams],
        "problems": list(found.problems),
    }


def _connection_document(each: ConnectionStatus) -> dict[str, JsonValue]:
    job = each.job
    last: JsonValue = None
    if job is not None:
        last = {
            "id": job.id,
            "type": job.kind,
            "status": job.status,
            "running": not job.finished,
            "rows": job.rows,
            "started": _time(job.started),
            "ended": _time(job.ended),
        }
    return {
        "source": each.source,
        "connection": each.connection,
        "label": each.label,
        "engine": each.engine,
        "connection_id": each.connection_id,
        "state": each.state,
        "state_unknown": each.unavailable.reason if each.unavailable is not None else None,
        "paused": each.paused,
        "last_job": last,
        "next_run": _time(each.next_run),
        "problem": each.problem,
    }


def _stream_document(each: StreamStatus) -> dict[str, JsonValue]:
    files: JsonValue = None
    if isinstance(each.landed, NewestPartition):
        day = each.landed
        files = {"partition": day.partition, "files": day.files, "bytes": day.bytes, "newest": _time(day.newest)}
    job: JsonValue = None
    if isinstance(each.landed, Arrival):
        last = each.landed
        job = {"connection": last.connection, "id": last.job_id, "rows": last.rows, "ended": _time(last.at)}
    return {
        "source": each.source,
        "stream": each.stream,
        "files": files,
        "files_unknown": _no_files(each.landed),
        "arrival": "job" if isinstance(each.landed, Arrival) else "files",
        "job": job,
        "model": _made_document(each.model) if isinstance(each.model, Materialization) else None,
        "marts": [_made_document(made) for made in each.marts],
        "models_unknown": each.model.reason if isinstance(each.model, Unavailable | Unread) else None,
        "quarantined": [
            {"file": one.file, "reason": one.reason, "since": _time(one.since)} for one in each.quarantined
        ],
        "failed_checks": [
            {
                "model": check.asset[-1],
                "check": check.name,
                "severity": "error" if check.is_error else "warning",
                "description": check.description,
            }
            for check in each.failed_checks
        ],
    }


def _no_files(landed: Landed) -> str | None:
    """Why a stream has no files to read; None if it may have."""
    if isinstance(landed, Arrival):
        return Unread((landed.destination,)).reason
    return landed.reason if isinstance(landed, Unavailable | Unread) else None


def _made_document(made: Materialization) -> dict[str, JsonValue]:
    return {"name": made.name, "made": _time(made.at)}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")
