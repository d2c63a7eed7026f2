"""The work of one sync: from messages of a source to a destination, keeping a state once its records are durable.

Knows the order of things. Must not know the store, nor what kind of source or destination it has. Runs in a thread of
its own; what it has to tell goes to a `Report`.
"""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from airbyte_twin.clock import Clock
from airbyte_twin.records import ConnectionState, FailureOrigin, JobFailure, StreamState
from airbyte_twin.states import StreamKey
from airbyte_twin.sync.protocol.connector import redacted
from airbyte_twin.sync.protocol.halts import Halt
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
    """A job cannot be carried out, or not to its end."""

    def __init__(self, failure: JobFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def failed(origin: FailureOrigin, message: str) -> Failed:
    """A failure by who failed and its text."""
    return Failed(JobFailure(origin=origin, message=message))


class Report(Protocol):
    """What is told while the work goes on."""

    def progress(self, rows: int, size: int) -> None:
        """So many rows and bytes are written."""

    def kept(self, state: StateMessage) -> None:
        """What a state says was read is durable."""

    def log(self, text: str) -> None:
        """A line of the log."""


@dataclass(frozen=True)
class Work:
    """Everything that a thread needs to carry a job out.

    Attributes:
        streams: Of a sync, all of the connection; of a clear, those to clear.
        source: None for a clear.
        state: Where a sync starts.
        checkpoint_records: Records between two checkpoints, if the source says its state that often.
    """

    streams: tuple[SyncStream, ...]
    source: Source | None
    target: Target
    state: ConnectionState
    clock: Clock
    checkpoint_records: int

    def carry_out(self, halt: Halt, report: Report) -> None:
        """Do it.

        Raises:
            Failed: The source or the destination failed; what was made durable stays, and so does its state.
            Halted: It was called off.
        """
        try:
            destination = self.target.destination()
        except DestinationError as error:
            raise self._destination_failed(error) from error
        try:
            destination.check()
            if self.source is None:
                for stream in self.streams:
                    halt.check()
                    destination.clear(stream)
            else:
                Sync(self, self.source, destination, report).run(halt)
        except destination.errors as error:
            raise self._destination_failed(error) from error

    def _destination_failed(self, error: Exception) -> Failed:
        return failed("destination", redacted(str(error), self.target.secrets))


class Sync:
    """One sync under way."""

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
        self._strangers: set[StreamKey] = set()
        self._unkept = 0
        self._rows = 0

    def run(self, halt: Halt) -> None:
        """Read to the end.

        Raises:
            Failed: The source failed.
            Halted: It was called off.
        """
        try:
            self._read(halt)
            self._keep()
            self._end(self._writers)
        except ConnectorError as error:
            # What the source said that it had read stays read, and streams that it ended stay ended.
            self._keep()
            self._end(self._complete)
            raise Failed(JobFailure(origin="source", message=str(error), internal=error.internal)) from error
        finally:
            for writer in self._writers.values():
                writer.abort()

    def _read(self, halt: Halt) -> None:
        with closing(self._source.read(self._work.streams, self._work.state)) as messages:
            for message in messages:
                halt.check()
                self._take(message)
        if self._incomplete:
            raise ConnectorError(f"The source could not read all of {', '.join(sorted(self._incomplete))}.")

    def _end(self, keys: Iterable[StreamKey]) -> None:
        for key in keys:
            self._writers[key].close()
        self._tell_progress()

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
            if key not in self._strangers:
                self._strangers.add(key)
                self._report.log(f"records of {record.stream} are left out: the connection does not sync it")
            return
        writer.write(record.data, self._work.clock.milliseconds())
        self._rows += 1
        self._unkept += 1
        if self._rows % PROGRESS_EVERY == 0:
            self._tell_progress()

    def _note(self, state: StateMessage) -> None:
        """Remember how far the source says that it has read; a stream that is read as a whole has no such place."""
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
        """Make durable what the last states are about, then keep them."""
        for key in self._writers if self._whole else self._pending:
            self._writers[key].checkpoint()
        # Whoever sees a state sees the rows that it is about, too.
        self._tell_progress()
        if self._whole:
            self._report.kept(self._whole)
        if self._pending:
            self._report.kept(StateMessage("stream", tuple(self._pending.values())))
        self._pending, self._whole, self._unkept = {}, None, 0

    def _tell_progress(self) -> None:
        writers = self._writers.values()
        self._report.progress(sum(each.rows for each in writers), sum(each.bytes for each in writers))
