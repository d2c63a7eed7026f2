"""What the jobs of a source's connection have brought so far, by Airbyte's own count: what reading anew may cost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from lotus_infra.ops.airbyte import Live, told

MOST_JOBS: Final = 500
"""As many of the newest jobs are counted: five pages."""


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
