"""Decide which of a connection's jobs have ended since the last tick. Pure; no other module decides it.

A job is its id. Airbyte's clock says when a job was created, and it says so for all of them, so no other clock is
compared with it. A tick lists the jobs that were created since a time before which every job has ended and is done
with; ids in that window tell the jobs that are done with from the others. So neither the order in which jobs end, nor
equal times, nor a job that takes days makes a tick skip one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

MOST_JOBS: Final = 20
"""Jobs that one tick takes; the others are left for the next ones. Each is an event of every stream."""
OVERLAP: Final = timedelta(hours=1)
"""How long before the newest job the window begins at least: a server's clock that is set back hides no job."""
SUCCEEDED: Final = "succeeded"
ENDED: Final = frozenset({SUCCEEDED, "failed", "cancelled", "error"})
"""The statuses that a job keeps; every other one, also an unknown one, may still change."""


class Job(BaseModel):
    """A job as Airbyte's public API lists it.

    Attributes:
        job_id: Its id, which no other job of the server has.
        job_type: `sync`, `refresh`, `reset` and so on.
        status: `pending`, `running`, `incomplete`, or one of `ENDED`.
        start_time: When it was created; never changes.
        last_updated_at: When it ended; None before.
        rows_synced: Of all its streams; None if that is not known.
        bytes_synced: Of all its streams; None if that is not known.
    """

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, hide_input_in_errors=True)

    job_id: int
    job_type: str
    status: str
    start_time: AwareDatetime
    last_updated_at: AwareDatetime | None = None
    rows_synced: int | None = None
    bytes_synced: int | None = None

    @property
    def has_ended(self) -> bool:
        """Whether its status is final."""
        return self.status in ENDED

    @property
    def has_succeeded(self) -> bool:
        """Whether it has done all that it was asked for."""
        return self.status == SUCCEEDED


class Cursor(BaseModel):
    """What is known of a connection's jobs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    lineage: str
    """Sets the run keys of one cursor's life apart from those of another: a reset cursor requests runs again."""

    connection: str
    """The connection's id: a connection that was replaced has jobs of its own."""

    since: AwareDatetime | None = None
    """Every job that was created before is done with; None if the connection has had none."""

    done: tuple[int, ...] = ()
    """The ids of the jobs since then that are done with."""

    owed: Mapping[str, int] = {}
    """The streams whose models were not requested yet after a job, by file name, with the newest such job's id."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The jobs to report now, and what to remember.

    Attributes:
        jobs: Those that have ended, in the order in which they did.
        cursor: To keep once they are reported.
    """

    jobs: tuple[Job, ...]
    cursor: Cursor

    @property
    def newest_success(self) -> Job | None:
        """The last one that has succeeded."""
        return next((job for job in reversed(self.jobs) if job.has_succeeded), None)


def read_cursor(text: str | None, connection: str) -> Cursor | None:
    """The cursor that a sensor kept; None if it kept none, or one of another connection.

    Args:
        text: As Dagster has it.
        connection: The connection's id.

    Raises:
        pydantic.ValidationError: The text is no cursor.
    """
    cursor = Cursor.model_validate_json(text) if text else None
    return cursor if cursor is not None and cursor.connection == connection else None


def write_cursor(cursor: Cursor) -> str:
    """The cursor as text."""
    return cursor.model_dump_json(exclude_defaults=True)


def decide(cursor: Cursor | None, jobs: Iterable[Job], connection: str) -> Decision:
    """The jobs to report now, and the cursor to keep once they are.

    Args:
        cursor: Of the last tick; None at the first one, at which of all jobs of the past the newest success counts.
        jobs: Those that were created at or after the cursor's `since`; at the first tick at least up to the newest
            success. A job may be listed twice, as pages can shift.
        connection: The connection's id.
    """
    listed = {job.job_id: job for job in jobs}
    known = cursor if cursor is not None else Cursor(lineage=uuid4().hex[:8], connection=connection)
    new = sorted((job for job in listed.values() if job.has_ended and job.job_id not in known.done), key=_ended)
    past: list[Job] = []
    if cursor is None:
        last = next((job for job in reversed(new) if job.has_succeeded), None)
        past, new = [job for job in new if job is not last], [last] if last is not None else []
    taken = tuple(new[:MOST_JOBS])
    done = {*known.done, *(job.job_id for job in (*past, *taken))}
    since = _since(known.since, listed.values(), done)
    kept = tuple(sorted(number for number in done if number in listed and _is_in(listed[number], since)))
    return Decision(taken, known.model_copy(update={"since": since, "done": kept}))


def _ended(job: Job) -> tuple[datetime, int]:
    return job.last_updated_at or job.start_time, job.job_id


def _since(before: datetime | None, jobs: Iterable[Job], done: set[int]) -> datetime | None:
    """The time before which every job is done with."""
    listed = list(jobs)
    if not listed:
        return before
    newest = max(job.start_time for job in listed)
    first = min([newest - OVERLAP, *(job.start_time for job in listed if job.job_id not in done)])
    return first if before is None else max(before, first)


def _is_in(job: Job, since: datetime | None) -> bool:
    return since is None or job.start_time >= since
