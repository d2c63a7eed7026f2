"""Run jobs: a limited number at once, one at a time for each connection.

Everything here runs in the twin's thread, the only one that may touch the store. Threads that work have a `Work` and
pass results back to that thread, in order.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from airbyte_twin.jobs import drive, fail, start_sync
from airbyte_twin.records import Connection, Job, JobFailure, StreamCount
from airbyte_twin.schedules import next_fire
from airbyte_twin.states import keep_state
from airbyte_twin.sync.protocol.cancellation import Cancellation, Cancelled
from airbyte_twin.sync.protocol.messages import StateMessage
from airbyte_twin.sync.run.execution import Failed, Work
from airbyte_twin.sync.run.plan import plan_job
from airbyte_twin.twin import Twin

KEPT_LINES = 200
"""Lines of a job's log that are remembered."""
KEPT_LOGS = 100
"""Jobs whose log is remembered."""
PATIENCE = 15
"""Seconds for all threads to end once their work was cancelled."""

STOPPED = JobFailure(origin="airbyte_platform", message="The twin was stopped while the job ran.")


@dataclass
class Running:
    """A running job."""

    job_id: str
    connection_id: str
    cancellation: Cancellation = field(default_factory=Cancellation)
    thread: threading.Thread | None = None


class SyncRunner:
    """The runner of a twin that runs syncs."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[str] = deque()
        self._running: dict[str, Running] = {}
        self._threads: list[threading.Thread] = []
        self._logs: dict[str, deque[str]] = {}
        self._looked_at = twin.clock.now()
        self._ended = False
        self._idle = threading.Event()
        self._idle.set()

    def resume(self) -> None:
        """Resume waiting jobs of the folder's previous twin; its running jobs have failed."""
        for job in [job for job in self._twin.store.jobs if not job.finished]:
            if job.status in {"pending", "queued"}:
                self.submit(job)
            else:
                fail(self._twin, job, STOPPED)

    def submit(self, job: Job) -> None:
        """Queue a new job; it starts after the current request."""
        self._loop = asyncio.get_running_loop()
        self._waiting.append(job.id)
        self._idle.clear()
        self._loop.call_soon(self._start)

    def cancel(self, job_id: str) -> None:
        """Stop the work of a job that is finished in the store."""
        if job_id in self._running:
            self._running[job_id].cancellation.cancel()

    def log(self, job_id: str) -> tuple[str, ...]:
        """The last lines of a job's log."""
        return tuple(self._logs.get(job_id, ()))

    def clock_moved(self) -> None:
        """Start one sync of each connection whose schedule fell due since this was called last."""
        before, self._looked_at = self._looked_at, self._twin.clock.now()
        fire_due(self._twin, before, self._looked_at)

    def settled(self, seconds: float) -> bool:
        """Wait, in another thread, until no job waits or runs; False after the timeout."""
        return self._idle.wait(seconds)

    def end(self) -> None:
        """Cancel all jobs: running ones fail, waiting ones resume in the next twin of the same folder."""
        self._ended = True
        for running in list(self._running.values()):
            job = self._twin.store.jobs.get(running.job_id)
            if job is not None and not job.finished:
                fail(self._twin, job, STOPPED)
            running.cancellation.cancel()

    def join(self) -> None:
        """Wait for all threads; call it after the twin's thread has ended."""
        until = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))

    def _start(self) -> None:
        self._start_waiting()
        if not self._waiting and not self._running:
            self._idle.set()

    def _start_waiting(self) -> None:
        for job_id in list(self._waiting):
            if self._ended or len(self._running) >= self._twin.settings.parallel_syncs:
                return
            job = self._twin.store.jobs.get(job_id)
            if job is None or job.status not in {"pending", "queued"}:
                self._waiting.remove(job_id)
            # A cancelled job may still be running: no other job changes its data before it ends.
            elif all(running.connection_id != job.connection_id for running in self._running.values()):
                self._waiting.remove(job_id)
                self._begin(job)

    def _begin(self, job: Job) -> None:
        running = Running(job.id, job.connection_id)
        job = drive(self._twin, job, "running")
        self._logs[job.id] = deque(maxlen=KEPT_LINES)
        for old in list(self._logs)[:-KEPT_LOGS]:
            del self._logs[old]
        try:
            work = plan_job(self._twin, job, running.cancellation)
        except Failed as error:
            fail(self._twin, job, error.failure)
        else:
            self._running[job.id] = running
            thread = threading.Thread(target=self._work, args=(running, work), name=f"job-{job.id}", daemon=True)
            self._threads = [*(each for each in self._threads if each.is_alive()), thread]
            thread.start()
        self._twin.changed()

    def _work(self, running: Running, work: Work) -> None:
        """The body of a thread."""
        failure: JobFailure | None = None
        try:
            work.run_job(running.cancellation, ThreadReport(self, running.job_id))
        except Failed as error:
            failure = error.failure
        except Cancelled:
            pass
        except Exception as error:  # noqa: BLE001 - a job always ends with a reason
            failure = JobFailure(origin="airbyte_platform", message=f"The twin failed: {type(error).__name__}: {error}")
        self.call_soon(lambda: self._done(running.job_id, failure))

    def call_soon(self, change: Callable[[], None]) -> None:
        """Run a change in the twin's thread, in order; ignored once that thread has ended."""
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(change)

    def _done(self, job_id: str, failure: JobFailure | None) -> None:
        del self._running[job_id]
        job = self._twin.store.jobs.get(job_id)
        if job is not None and not job.finished:
            if failure is None:
                drive(self._twin, job, "succeeded")
            else:
                fail(self._twin, job, failure)
        self._twin.changed()
        self._start()

    def note_progress(self, job_id: str, counts: tuple[StreamCount, ...]) -> None:
        """Update the counts of a job."""
        job = self._twin.store.jobs.get(job_id)
        if job is not None and not job.finished:
            rows, size = sum(each.rows for each in counts), sum(each.bytes for each in counts)
            counted = job.model_copy(update={"stream_counts": counts})
            drive(self._twin, counted, "running", bytes_synced=size, rows_synced=rows)

    def note_state(self, job_id: str, state: StateMessage) -> None:
        """Save a state, unless the job was cancelled, because the canceller may have dropped it."""
        job = self._twin.store.jobs.get(job_id)
        if job is not None and not job.finished:
            keep_state(self._twin.store, state.of_connection(job.connection_id))
            self._twin.changed()

    def note_line(self, job_id: str, text: str) -> None:
        """Add to a job's log."""
        if job_id in self._logs:
            self._logs[job_id].append(text)


@dataclass(frozen=True)
class ThreadReport:
    """Passes a thread's progress to the twin's thread."""

    runner: SyncRunner
    job_id: str

    def progress(self, counts: tuple[StreamCount, ...]) -> None:
        """Record the number of rows and bytes written."""
        self.runner.call_soon(lambda: self.runner.note_progress(self.job_id, counts))

    def kept(self, state: StateMessage) -> None:
        """Save a state, whose records are durable."""
        self.runner.call_soon(lambda: self.runner.note_state(self.job_id, state))

    def log(self, text: str) -> None:
        """Add a line to the log."""
        self.runner.call_soon(lambda: self.runner.note_line(self.job_id, text))


def fire_due(twin: Twin, after: float, now: float) -> None:
    """Start one sync of each active connection that fell due once or more, unless it has a running job."""
    for connection in list(twin.store.connections):
        if connection.status != "active" or twin.store.active_job(connection.id) is not None:
            continue
        due = next_fire(connection.schedule, max(after, connection.created_at), _last_start(twin, connection))
        if due is not None and due <= now:
            start_sync(twin, connection)


def _last_start(twin: Twin, connection: Connection) -> float | None:
    starts = [job.started_at or job.created_at for job in twin.store.jobs_of(connection.id) if job.type != "reset"]
    return max(starts, default=None)
