"""Waiting for jobs of a connection, no longer than the program allows."""

import time
from dataclasses import dataclass
from typing import Final

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.models import Job
from pulumi_airbyte.provider.target import Target

PATIENCE: Final = 600.0
"""Seconds for a verb that waits for jobs, where the program does not say (customTimeouts)."""


@dataclass(frozen=True)
class Deadline:
    """When a verb has waited long enough.

    Attributes:
        seconds: how long it may wait in all.
        at: the end, by the monotonic clock.
    """

    seconds: float
    at: float

    @classmethod
    def of(cls, target: Target) -> "Deadline":
        """The deadline of a verb that starts now."""
        seconds = target.seconds or PATIENCE
        return cls(seconds, time.monotonic() + seconds)

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return time.monotonic() >= self.at


def until_idle(airbyte: Airbyte, connection_id: str, deadline: Deadline) -> None:
    """Wait until no job of a connection is under way.

    Raises:
        AirbyteError: one still is at the deadline, or the wait was cancelled.
    """
    while (job := airbyte.running_job(connection_id)) is not None:
        if deadline.passed or airbyte.rest():
            raise AirbyteError(
                f"Job {job.job_id} ({job.job_type}) of connection {connection_id} is still {job.status} after "
                f"{deadline.seconds:g} seconds.",
                "Run `pulumi up` again once it has ended (it goes on where it is now), or allow more time with the "
                "resource's customTimeouts.",
            )


def until_finished(airbyte: Airbyte, job_id: int, deadline: Deadline) -> Job:
    """A job once it can change no more; or as it is at the deadline, or when the wait is cancelled."""
    while True:
        job = airbyte.get_job(job_id)
        if job.finished or deadline.passed or airbyte.rest():
            return job
