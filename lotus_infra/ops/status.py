"""`lotus status`: whether each connection runs, and how fresh its streams are in the bucket and in the marts.

Airbyte is asked in a few calls for all connections, the bucket in one to four for each stream, Dagster in one for
everything. What can't be asked is told as that, with the reason, and never as a value.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.models import Connection, Job

from lotus_infra.errors import LotusError
from lotus_infra.ops.airbyte import Live, connected, told
from lotus_infra.ops.freshness import StreamStatus, assets_of, landed_of, stream_status, too_old
from lotus_infra.ops.jobs import last_jobs
from lotus_infra.ops.schedules import next_run
from lotus_infra.ops.stacks import Project
from lotus_infra.streams.lake import SourceFolder


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


def status(
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
        connections = tuple(_connections(live, folders, now))
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
    names = project.meant(stack, environment) if project is not None else ()
    if project is None or len(names) != 1:
        return {}, ""
    settings = project.dagster(names[0])
    ingress = settings.ingress if settings is not None else None
    address = f"{'https' if ingress.tls else 'http'}://{ingress.host}" if ingress is not None else ""
    return project.values(names[0]), address


def _connections(live: Live, folders: Sequence[SourceFolder], now: datetime) -> Iterator[ConnectionStatus]:
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
