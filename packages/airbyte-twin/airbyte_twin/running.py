"""Who carries jobs out: nobody but the caller who drives them by hand, or a runner.

Knows what the rest of the twin tells a runner. Must not know how a job is carried out.
"""

from typing import Protocol

from airbyte_twin.records import Job


class JobRunner(Protocol):
    """What is told of jobs; called in the twin's one thread."""

    def submit(self, job: Job) -> None:
        """Take a new job."""

    def halt(self, job_id: str) -> None:
        """End the work of a job that is finished for the store."""

    def log(self, job_id: str) -> tuple[str, ...]:
        """The last lines of a job's log."""

    def clock_moved(self) -> None:
        """Start what fell due since this was called last."""

    def settled(self, seconds: float) -> bool:
        """Wait, in any other thread, until no job waits or runs; whether that came to be in time."""


class ByHand:
    """Leaves every job as it is, for a caller to drive it."""

    def submit(self, job: Job) -> None:
        """Nothing happens."""

    def halt(self, job_id: str) -> None:
        """Nothing happens."""

    def log(self, job_id: str) -> tuple[str, ...]:
        """There is none."""
        return ()

    def clock_moved(self) -> None:
        """Nothing happens."""

    def settled(self, seconds: float) -> bool:
        """Nothing ever runs."""
        return True
