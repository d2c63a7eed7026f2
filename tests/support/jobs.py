"""Jobs that end at once, for tests of those who wait for them."""

from collections.abc import Iterator
from contextlib import contextmanager

from airbyte_twin.jobs import drive
from airbyte_twin.records import Job, JobStatus
from airbyte_twin.testing import RunningTwin
from airbyte_twin.twin import ByHand, Twin


class Ending(ByHand):
    """Ends each job as soon as it is submitted; keeps what was asked for."""

    def __init__(self, twin: Twin, status: JobStatus) -> None:
        self._twin = twin
        self._status: JobStatus = status
        self.asked: list[tuple[str, str | None, list[str]]] = []

    def submit(self, job: Job) -> None:
        self.asked.append((job.type, job.refresh_mode, [name for _, name in job.streams or ()]))
        drive(self._twin, drive(self._twin, job, "running"), self._status)


@contextmanager
def ending(twin: RunningTwin, status: JobStatus = "succeeded") -> Iterator[Ending]:
    """While the context lasts, jobs end so at once."""
    runner = twin.twin.runner = Ending(twin.twin, status)
    yield runner
    twin.twin.runner = ByHand()
