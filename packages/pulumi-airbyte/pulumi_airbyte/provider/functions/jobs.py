"""Look-ups of jobs. Jobs change by themselves, so that no answer is kept."""

import heapq
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Final, cast

from pulumi_airbyte.client.models import Job
from pulumi_airbyte.provider.functions.function import Arguments, Directory, Function, token
from pulumi_airbyte.provider.properties import Properties
from pulumi_airbyte.provider.resource import Failure
from pulumi_airbyte.provider.tables import Field, ObjectType

LIMIT: Final = 20
"""This many jobs are listed if the program sets no limit."""
TYPES: Final = ("sync", "reset", "refresh")
"""Types of jobs. A clear is listed as a reset."""
STATUSES: Final = ("pending", "queued", "running", "incomplete", "failed", "succeeded", "cancelled")
TIMES: Final = ("createdAtStart", "createdAtEnd", "updatedAtStart", "updatedAtEnd")
"""Arguments with a time."""
_JOB: Final = ObjectType(
    "JobProperties",
    "A job of a connection.",
    (
        Field("jobId", "integer", "Its id.", required=True),
        Field("status", "string", "Its status.", required=True, values=STATUSES, enum="JobStatus"),
        Field("jobType", "string", "Its type; a clear is a `reset`.", required=True, values=TYPES, enum="JobType"),
        Field("connectionId", "string", "The connection.", required=True),
        Field("startTime", "string", "When it was created, in ISO 8601.", required=True),
        Field("lastUpdatedAt", "string", "When it ended, in ISO 8601; absent before."),
        Field("duration", "string", "How long it has run, in ISO 8601 such as `PT1H6M12S`; absent while it waits."),
        Field("bytesSynced", "integer", "The bytes that it has synced; absent where Airbyte has not counted."),
        Field("rowsSynced", "integer", "The rows that it has synced; absent where Airbyte has not counted."),
    ),
)


def _one(directory: Directory, arguments: Arguments) -> Properties:
    return _shown(directory.airbyte.get_job(arguments.number("jobId", 0)))


def _all(directory: Directory, arguments: Arguments) -> Properties:
    kind = arguments.text("jobType")
    times = {name: _time(text) for name in TIMES if (text := arguments.text(name))}
    # Without a type, some servers list all jobs but refreshes, and others list them too.
    lists = [
        directory.airbyte.jobs(
            workspace_id=arguments.text("workspaceId"),
            connection_id=arguments.text("connectionId"),
            kind=each,
            status=arguments.text("status"),
            times=times,
        )
        for each in ([kind] if kind else ["", "refresh"])
    ]
    newest = heapq.merge(*lists, key=_job_id, reverse=True)
    once = (next(same) for _, same in groupby(newest, key=_job_id))
    return {"jobs": [_shown(job) for job in islice(once, arguments.number("limit", LIMIT))]}


def _job_id(job: Job) -> int:
    return job.job_id


def _failures(arguments: Arguments) -> list[Failure]:
    limit = arguments.number("limit", LIMIT)
    found = [Failure("limit", f"is {limit}: give 1 or more")] if limit < 1 else []
    for name in TIMES:
        try:
            _time(arguments.text(name) or "2000-01-01T00:00:00Z")
        except ValueError as error:
            found.append(Failure(name, str(error)))
    return found


def _time(text: str) -> str:
    """A time as the server reads it.

    Raises:
        ValueError: the text is no time with a zone.
    """
    problem = f"{text!r} is no time with a zone: write it like 2026-01-31T00:00:00Z"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(problem) from None
    if found.tzinfo is None:
        raise ValueError(problem)
    return found.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _shown(job: Job) -> Properties:
    return cast("Properties", job.model_dump(mode="json", by_alias=True, exclude_none=True))


FUNCTIONS: Final = {
    token("getJob"): Function(
        "A job, by id.",
        (Field("jobId", "integer", "The job's id.", required=True),),
        _JOB.fields,
        _one,
    ),
    token("getJobs"): Function(
        "The newest jobs, refreshes included, the newest first.",
        (
            Field("connectionId", "string", "Only jobs of this connection."),
            Field("workspaceId", "string", "Only jobs of this workspace. Default: all visible ones."),
            Field("jobType", "string", "Only jobs of this type. A clear is a `reset`.", values=TYPES, enum="JobType"),
            Field("status", "string", "Only jobs of this status.", values=STATUSES, enum="JobStatus"),
            Field("createdAtStart", "string", "Only jobs created then or later, such as `2026-01-31T00:00:00Z`."),
            Field("createdAtEnd", "string", "Only jobs created then or earlier."),
            Field("updatedAtStart", "string", "Only jobs changed then or later."),
            Field("updatedAtEnd", "string", "Only jobs last changed then or earlier."),
            Field("limit", "integer", f"This many jobs at most. Default: {LIMIT}."),
        ),
        (Field("jobs", "objects", "The jobs, the newest first.", required=True, of=_JOB),),
        _all,
        _failures,
    ),
}
