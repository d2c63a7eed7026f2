"""Run one job: read messages, write records, and commit a state once its records are durable.

Runs in its own thread without access to the store; results go to a `Report`.
"""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from airbyte_twin.clock import Clock
from airbyte_twin.records import ConnectionState, FailureOrigin, JobFailure, StreamCount, StreamState
from airbyte_twin.states import StreamKey
from airbyte_twin.sync.protocol.cancellation import Cancellation
from airbyte_twin.sync.protocol.connector import redacted
from airbyte_twin.sync.protocol.messages import (
    ConnectorError,
    LogMessage,
    Message,
    RecordMessage,
    StateMessage,
    StreamStatusMessage,
)
from airbyte_twin.sync.run.destinations import Destination, DestinationError, Target, Writer
from airbyte_twin.sync.run.sources import Source
from airbyte_twin.sync.streams import SyncStream

PROGRESS_EVERY = 500
"""Records between two reports of progress."""


class Failed(Exception):  # noqa: N818 - the name is what went wrong
    """A job fails."""

    def __init__(self, failure: JobFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def failed(origin: FailureOrigin, message: str) -> Failed:
    """A failure by origin and text."""
    return Failed(JobFailure(origin=origin, message=message))


class Report(Protocol):
    """Receives the progress of a job."""

    def progress(self, counts: tuple[StreamCount, ...]) -> None:
        """Record the number of rows and bytes written."""

    def kept(self, state: StateMessage) -> None:
        """Save a state, whose records are durable."""

    def log(self, text: str) -> None:
        """Add a line to the log."""


@dataclass(frozen=True)
class Work:
    """The input of a thread that runs a job.

    Attributes:
        streams: Of a sync, all of the connection; of a clear, those to clear.
        source: None for a clear.
        state: Where a sync starts.
        checkpoint_records: Minimum number of records between two checkpoints at a state.
    """

    streams: tuple[SyncStream, ...]
    source: Source | None
    target: Target
    state: ConnectionState
    clock: Clock
    checkpoint_records: int

    def run_job(self, cancellation: Cancellation, report: Report) -> None:
        """Run the job.

        Raises:
            Failed: The source or the destination failed; durable records and their state stay.
            Cancelled: It was cancelled.
        """
        try:
            destination = self.target.destination()
        except DestinationError as error:
            raise self._destination_failed(error) from error
        try:
            destination.check()
            if self.source is None:
                for stream in self.streams:
                    cancellation.check()
                    destination.clear(stream)
            else:
                Sync(self, self.source, destination, report).run(cancellation)
        except destination.errors as error:
            raise self._destination_failed(error) from error
        finally:
            destination.close()

    def _destination_failed(self, error: Exception) -> Failed:
        return failed("destination", redacted(str(error), self.target.secrets))


class Sync:
    """A running sync."""

    def __init__(self, work: Work, source: Source, destination: Destination, report: Report) -> None:
        self._work = work
        self._source = source
        self._report = report
        self._streams = {stream.key: stream for stream in work.streams}
        self._writers: dict[StreamKey, Writer] = {key: destination.open(each) for key, each in self._streams.items()}
        self._pending: dict[StreamKey, StreamState] = {}
        self._whole: StateMessage | None = None
        self._complete: set[StreamKey] = set()
        self._incomplete: set[str] = set()
        self._unselected: set[StreamKey] = set()
        self._unkept = 0
        self._rows = 0

    def run(self, cancellation: Cancellation) -> None:
        """Read the source to its end.

        Raises:
            Failed: The source failed.
            Cancelled: It was cancelled.
        """
        try:
            self._read(cancellation)
            self._keep()
            self._end(self._writers)
        except ConnectorError as error:
            # Keep states and complete streams from before the failure.
            self._keep()
            self._end(self._complete)
            for key in self._writers.keys() - self._complete:
                self._writers[key].fail()
            raise Failed(JobFailure(origin="source", message=str(error), internal=error.internal)) from error
        finally:
            for writer in self._writers.values():
                writer.abort()

    def _read(self, cancellation: Cancellation) -> None:
        with closing(self._source.read(self._work.streams, self._work.state)) as messages:
            for message in messages:
                cancellation.check()
                self._take(message)
        if self._incomplete:
            raise ConnectorError(f"The source could not read all of {', '.join(sorted(self._incomplete))}.")

    def _end(self, keys: Iterable[StreamKey]) -> None:
        for key in keys:
            self._writers[key].close()
        self._report_progress()

    def _take(self, message: Message) -> None:
        if isinstance(message, RecordMessage):
            self._write(message)
        elif isinstance(message, StateMessage):
            self._note(message)
        elif isinstance(message, StreamStatusMessage):
            self._note_status(message)
        elif isinstance(message, LogMessage):
            self._report.log(message.text)

    def _note_status(self, status: StreamStatusMessage) -> None:
        self._report.log(f"stream {status.stream}: {status.status.lower()}")
        key = (status.namespace, status.stream)
        if status.status == "INCOMPLETE":
            self._incomplete.add(status.stream)
        if status.status == "COMPLETE" and key in self._streams:
            self._complete.add(key)
            self._writers[key].checkpoint()
            self._keep()

    def _write(self, record: RecordMessage) -> None:
        key = (record.namespace, record.stream)
        writer = self._writers.get(key)
        if writer is None:
            if key not in self._unselected:
                self._unselected.add(key)
                self._report.log(f"records of {record.stream} are left out: the connection does not sync it")
            return
        writer.write(record.data, self._work.clock.milliseconds())
        self._rows += 1
        self._unkept += 1
        if self._rows % PROGRESS_EVERY == 0:
            self._report_progress()

    def _note(self, state: StateMessage) -> None:
        """Remember the source's state until the next checkpoint; full-refresh streams have none."""
        if state.type == "stream":
            for each in state.streams:
                stream = self._streams.get((each.namespace, each.name))
                if stream is not None and stream.incremental:
                    self._pending[stream.key] = each
        else:
            self._whole = state
        if self._unkept >= self._work.checkpoint_records:
            self._keep()

    def _keep(self) -> None:
        """Make the records of the last states durable, then save the states."""
        for key in self._writers if self._whole else self._pending:
            self._writers[key].checkpoint()
        # Report rows before the state, so that a reader of the state sees its rows.
        self._report_progress()
        if self._whole:
            self._report.kept(self._whole)
        if self._pending:
            self._report.kept(StateMessage("stream", tuple(self._pending.values())))
        self._pending, self._whole, self._unkept = {}, None, 0

    def _report_progress(self) -> None:
        counts = (
            StreamCount(name=name, namespace=namespace, rows=writer.rows, bytes=writer.bytes)
            for (namespace, name), writer in self._writers.items()
        )
        self._report.progress(tuple(counts))
