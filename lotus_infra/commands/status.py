"""`lotus status`: whether each connection runs, and how fresh its streams are in the bucket and in the marts.

Airbyte is asked in a few calls for all connections, the bucket in one to four for each stream, Dagster in one for
everything. What can't be asked is told as that, with the reason, and never as a value.
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
from pulumi_airbyte.client.models import Connection, Job, Schedule
from pydantic import JsonValue
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from lotus_infra.clients.airbyte import Live, connected, last_jobs, told
from lotus_infra.clients.freshness import (
    Landed,
    Made,
    StreamStatus,
    Unknown,
    assets_of,
    landed_of,
    stream_status,
    too_old,
)
from lotus_infra.commands.options import JSON, STACK, STREAMS
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import counted, printable
from lotus_infra.lake.lake import SourceFolder

_EVERY = re.compile(r"every ([0-9]+) (minute|hour|day|week|month)s?", re.IGNORECASE)
_SCHEDULE_UNITS: Final = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
}
"""A month has 30 days (airbyte-platform, ScheduleHelpers)."""
_NUMBER_OF_DAY = re.compile(r"(?<![#/0-9])[1-7]")
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


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
    found = collect_status(directory, stack, Question(sources, older_than, dagster_url), datetime.now(UTC))
    click.echo(json.dumps(as_document(found), indent=2) if as_json else render(found), nl=as_json)
    if found.problems:
        sys.exit(1)


def next_run(schedule: Schedule, last_start: datetime | None, now: datetime) -> datetime | None:
    """The time of the next sync.

    Args:
        schedule: As the public API shows it: a cron expression with its zone at the end, or `Every 1 HOURS`.
        last_start: When the last job started, from which an interval counts.
        now: The time, with a zone.

    Returns:
        The time in UTC, which has passed where a run is due; None where nobody but a person starts one, or the
        schedule can't be told.
    """
    if schedule.schedule_type == "cron":
        return _fires(schedule.cron_expression or "", now)
    every = _EVERY.fullmatch(schedule.basic_timing or "")
    if schedule.schedule_type != "basic" or every is None or last_start is None:
        return None
    return last_start.astimezone(UTC) + int(every[1]) * _SCHEDULE_UNITS[every[2].lower()]


def _fires(expression: str, now: datetime) -> datetime | None:
    """The first time after now; None for what the library can't tell: `15W`, `L-3`, and years."""
    *fields, zone = expression.split() or [""]
    try:
        day_of_week = _NUMBER_OF_DAY.sub(lambda found: str(int(found[0]) - 1), fields.pop())
        # Quartz writes ? for the day that is free, and counts the days of a week from 1.
        written = " ".join([*fields, day_of_week]).replace("?", "*")
        # Five fields would be taken for an expression without seconds, which Quartz does not have.
        return next(CronSim(written, now.astimezone(ZoneInfo(zone)))).astimezone(UTC) if len(fields) == 5 else None
    except (CronSimError, IndexError, StopIteration, ValueError, ZoneInfoNotFoundError):
        return None


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """A source's connection.

    Attributes:
        source: The source's folder.
        connection_id: Its id; empty where there is none.
        state: Airbyte's word for it, or `missing`.
        job: Its last job; None where there was none.
        next_run: When it syncs next, as far as that can be told.
        problem: Why it does not do what it should; empty where it does.
    """

    source: str
    connection_id: str
    state: str
    job: Job | None = None
    next_run: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """What came of it.

    Attributes:
        at: When it was.
        connections: By source.
        streams: By source and name.
        problems: What is not as it should be, each with whom it is about.
    """

    at: datetime
    connections: tuple[ConnectionStatus, ...]
    streams: tuple[StreamStatus, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        sources: Folders; every one where none is named.
        older_than: The age from which on files and models are too old; None for any.
        dagster_url: The address of Dagster's pages; the host of the stack's ingress where none is named.
    """

    sources: Sequence[str] = ()
    older_than: timedelta | None = None
    dagster_url: str = ""


def collect_status(
    directory: Path,
    stack: str | None,
    question: Question,
    now: datetime,
    environment: Mapping[str, str] = os.environ,
) -> Status:
    """Look at a lake.

    Args:
        directory: The lake's folder.
        stack: The stack; else that of `$PULUMI_STACK`, else the only one of the project.
        question: What is asked.
        now: The time, with a zone.
        environment: The environment's variables.

    Raises:
        LotusError: There is no such source, or Airbyte can't be asked.
    """
    values, ingress = _of_stack(directory, stack, environment)
    with connected(directory, stack) as live, told():
        names = question.sources or live.chosen((), every=True)
        folders = live.folders(names)
        connections = tuple(_find_connections(live, folders, now))
        landed = landed_of(live.lake, folders, values, now, environment)
    made = assets_of(question.dagster_url or ingress)
    streams = tuple(stream_status(*place, landed[place], made) for place in landed)
    problems = [f"{each.source}: {each.problem}" for each in connections if each.problem]
    if question.older_than is not None:
        problems += [each for stream in streams for each in too_old(stream, question.older_than, now)]
    return Status(now, connections, streams, tuple(problems))


def _of_stack(directory: Path, stack: str | None, environment: Mapping[str, str]) -> tuple[Mapping[str, object], str]:
    """The plain values of the stack that is meant, and Dagster's address by its ingress; nothing where none is."""
    project = Project.around(directory)
    names = project.select_all(stack, environment) if project is not None else ()
    if project is None or len(names) != 1:
        return {}, ""
    settings = project.dagster(names[0])
    ingress = settings.ingress if settings is not None else None
    address = f"{'https' if ingress.tls else 'http'}://{ingress.host}" if ingress is not None else ""
    return project.values(names[0]), address


def _find_connections(live: Live, folders: Sequence[SourceFolder], now: datetime) -> Iterator[ConnectionStatus]:
    found: dict[str, Connection | str] = {}
    for folder in folders:
        try:
            found[folder.name] = live.connection(folder)
        except LotusError as error:
            found[folder.name] = str(error)
    ids = [each.connection_id for each in found.values() if isinstance(each, Connection)]
    jobs = last_jobs(live.airbyte, live.workspace_id, ids) if ids else {}
    for source, each in found.items():
        if isinstance(each, str):
            yield ConnectionStatus(source, "", "missing", problem=each)
            continue
        job = jobs.get(each.connection_id)
        runs = next_run(each.schedule, job.started if job is not None else None, now)
        known = ConnectionStatus(source, each.connection_id, each.status, job, runs)
        yield replace(known, problem=_problem(live, known), next_run=runs if each.status == "active" else None)


def _problem(live: Live, connection: ConnectionStatus) -> str:
    if connection.state != "active":
        return f"its connection is {connection.state}, and syncs nothing: make it active"
    job = connection.job
    if job is None or job.status != "failed":
        return ""
    try:
        why = live.airbyte.job_failure(job.job_id)
    except AirbyteError:
        why = ""
    return f"its last job, {job.job_id}, failed: {why or 'the log in its pages may say why'}"


def render(found: Status) -> str:
    """The tables, and below them a line for each problem and for each reason why something is not known."""
    console = Console()
    with console.capture() as captured:
        console.print(_connections(found))
        if found.streams:
            console.print(_streams(found))
    lines = [*found.problems, *dict.fromkeys(_unknown(found))]
    lines.append(counted(len(found.problems), "problem") if found.problems else "no problems")
    return captured.get() + "".join(printable(line) + "\n" for line in lines)


def _unknown(found: Status) -> Iterator[str]:
    for stream in found.streams:
        for what, value in (("files", stream.landed), ("models and marts", stream.model)):
            if isinstance(value, Unknown):
                yield f"{what}: {_word(value)}: {value.why}"


def _word(value: Unknown) -> str:
    return "unknown" if value.asked else "not asked"


def _connections(found: Status) -> Table:
    table = Table("source", "state", "last job")
    for heading in ("rows", "when", "next"):
        table.add_column(heading, justify="right")
    for each in found.connections:
        job = each.job
        table.add_row(
            each.source,
            each.state,
            "none yet" if job is None else f"{job.job_type} {job.status}",
            "" if job is None or job.rows_synced is None else f"{job.rows_synced:,}",
            "" if job is None else ago(job.started, found.at),
            ahead(each.next_run, found.at),
        )
    return table


def _streams(found: Status) -> Table:
    table = Table("stream")
    for heading in ("newest file", "files", "size", "model", "oldest mart"):
        table.add_column(heading, justify="right")
    for each in found.streams:
        table.add_row(f"{each.source}/{each.stream}", *_files(each, found.at), *_models(each, found.at))
    return table


def _files(stream: StreamStatus, now: datetime) -> tuple[str, str, str]:
    """The newest file of a stream; the number and the size of those of its day."""
    match stream.landed:
        case None:
            return "none", "", ""
        case Unknown():
            return _word(stream.landed), "", ""
        case Landed(_, files, size, newest):
            return ago(newest, now), f"{files:,}", decimal(size)


def _models(stream: StreamStatus, now: datetime) -> tuple[str, str]:
    if isinstance(stream.model, Unknown):
        return _word(stream.model), _word(stream.model)
    never = [each for each in stream.marts if each.at is None]
    oldest = never or sorted(stream.marts, key=lambda each: each.at or now)
    return _made(stream.model, now), _made(oldest[0], now) if oldest else "none"


def _made(made: Made, now: datetime) -> str:
    return "never" if made.at is None else ago(made.at, now)


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago something was, in the largest unit that fits: `3 h ago`."""
    return "" if at is None else f"{_span((now - at).total_seconds())} ago"


def ahead(at: datetime | None, now: datetime) -> str:
    """How long it is until something."""
    if at is None:
        return ""
    return "due" if at <= now else f"in {_span((at - now).total_seconds())}"


def _span(seconds: float) -> str:
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "less than 1 min"


def as_document(found: Status) -> dict[str, JsonValue]:
    """The same for programs; what is not known is null, with the reason beside it."""
    return {
        "ok": not found.problems,
        "at": _time(found.at),
        "connections": [_connection(each) for each in found.connections],
        "streams": [_stream(each) for each in found.streams],
        "problems": list(found.problems),
    }


def _connection(each: ConnectionStatus) -> dict[str, JsonValue]:
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
        "connection_id": each.connection_id,
        "state": each.state,
        "last_job": last,
        "next_run": _time(each.next_run),
        "problem": each.problem,
    }


def _stream(each: StreamStatus) -> dict[str, JsonValue]:
    files: JsonValue = None
    if isinstance(each.landed, Landed):
        day = each.landed
        files = {"partition": day.partition, "files": day.files, "bytes": day.bytes, "newest": _time(day.newest)}
    model: JsonValue = None
    if isinstance(each.model, Made):
        model = _made_document(each.model)
    return {
        "source": each.source,
        "stream": each.stream,
        "files": files,
        "files_unknown": each.landed.why if isinstance(each.landed, Unknown) else None,
        "model": model,
        "marts": [_made_document(made) for made in each.marts],
        "models_unknown": each.model.why if isinstance(each.model, Unknown) else None,
    }


def _made_document(made: Made) -> dict[str, JsonValue]:
    return {"name": made.name, "made": _time(made.at)}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")
