"""`lotus status`: whether each connection runs, and how fresh its streams are in the bucket and in the marts.

It takes a few calls to Airbyte for all connections, one to four listings of the bucket for each stream, and one query
of Dagster. A value that cannot be read is shown as unknown with the reason, and never as a value.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
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

from lotus_infra.clients.airbyte import ConnectedLake, connected, last_jobs, translate_errors
from lotus_infra.clients.freshness import (
    Materialization,
    NewestPartition,
    StreamStatus,
    Unavailable,
    Unread,
    check_problems,
    describe_check,
    freshness_problems,
    load_assets,
    newest_partitions,
    stream_status,
)
from lotus_infra.commands.completion import SELECTORS
from lotus_infra.commands.options import JSON, STACK, STREAMS
from lotus_infra.commands.terminal import Cell, Column, Tone, lead, paint, table
from lotus_infra.config.settings import StackSettings
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import pluralize
from lotus_infra.lake.lake import Connection, find_source

DAGSTER_URL: Final = "LOTUS_DAGSTER_URL"
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
_STATE_TONES: Final[Mapping[str, Tone]] = {"active": "good", "paused": "muted"}
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
class ConnectionStatus:
    """The status of a connection.

    Attributes:
        source: The source's folder.
        connection: Its Pulumi name: `shopify`, `shopify/daily`.
        label: Its name in Airbyte by the lake's files.
        paused: Whether its file pauses it.
        connection_id: Its id; empty if it is missing.
        state: Its status in Airbyte, or `missing`.
        job: Its last job; None if it had none.
        next_run: The time of its next sync; None if it has none or it is unknown.
        problem: Why it does not sync, or did not last time; empty if it does.
    """

    source: str
    connection: str
    label: str
    paused: bool
    connection_id: str = ""
    state: str = "missing"
    job: Job | None = None
    next_run: datetime | None = None
    problem: str = ""

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
    that cannot be read is shown as unknown, with the reason.

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
    with connected(directory, stack) as live, translate_errors():
        selected = live.connections(query.sources or live.select_sources((), every=True))
        connections = tuple(_connection_statuses(live, selected, now))
        landed = newest_partitions(live.lake, selected, values, now, environment)
        paused = _streams_of_paused(live)
    made = load_assets(query.dagster_url or ingress)
    streams = tuple(stream_status(*place, landed[place], made, paused=place in paused) for place in landed)
    problems = [f"{each.connection}: {each.problem}" for each in connections if each.problem]
    problems += check_problems(streams)
    if query.older_than is not None:
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
    ingress = settings.lotus.dagster.ingress if settings.lotus.dagster is not None else None
    address = f"{'https' if ingress.tls else 'http'}://{ingress.host}" if ingress is not None else ""
    return settings, address


def _streams_of_paused(live: ConnectedLake) -> frozenset[tuple[str, str]]:
    """The streams whose files are written by a connection that its file pauses, by source and file."""
    reads = (
        (stream, live.lake.read_of(source, stream))
        for source in live.lake.sources
        for stream in source.selected_streams
    )
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
        known = replace(expected, connection_id=actual.connection_id, state=actual.status, job=job, next_run=next_one)
        yield replace(known, problem=_problem(live, known))


def _problem(live: ConnectedLake, connection: ConnectionStatus) -> str:
    if connection.paused:
        if connection.state == "active":
            return "its file pauses its connection, and Airbyte runs it: `pulumi up` pauses it"
        if connection.state == "inactive":
            return ""
    if connection.state != "active":
        return f"its connection is {connection.state} and does not sync: activate it"
    job = connection.job
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
    return (
        each.connection,
        state,
        "none yet" if job is None else Cell(f"{job.job_type} {job.status}", _JOB_TONES.get(job.status)),
        "" if job is None or job.rows_synced is None else f"{job.rows_synced:,}",
        "" if job is None else _ago(job.started, now),
        _ahead(each.next_run, now),
    )


def _streams_table(found: Status) -> str:
    numbers = ("newest file", "files", "size", "model", "oldest mart")
    columns = (Column("stream", whole=True), *(Column(heading, right=True) for heading in numbers))
    rows = (
        (f"{each.source}/{each.stream}", *_file_cells(each, found.at), *_model_cells(each, found.at))
        for each in found.streams
    )
    return table(columns, rows)


def _file_cells(stream: StreamStatus, now: datetime) -> tuple[str, str, str]:
    """The age of a stream's newest file; the number and the size of the files of its day."""
    match stream.landed:
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
            "id": job.job_id,
            "type": job.job_type,
            "status": job.status,
            "running": not job.finished,
            "rows": job.rows_synced,
            "started": _time(job.started),
            "ended": _time(job.ended),
        }
    return {
        "source": each.source,
        "connection": each.connection,
        "label": each.label,
        "connection_id": each.connection_id,
        "state": each.state,
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
    return {
        "source": each.source,
        "stream": each.stream,
        "files": files,
        "files_unknown": each.landed.reason if isinstance(each.landed, Unavailable | Unread) else None,
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


def _made_document(made: Materialization) -> dict[str, JsonValue]:
    return {"name": made.name, "made": _time(made.at)}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")
