"""What a sync holds back: nothing that it could hand on."""

from collections.abc import Generator, Sequence

from airbyte_twin.clock import Clock
from airbyte_twin.records import ConnectionState, DiscoveredStream, StreamCount, StreamState
from airbyte_twin.sync.protocol.cancellation import Cancellation
from airbyte_twin.sync.protocol.messages import Message, RecordMessage, StateMessage
from airbyte_twin.sync.run.destinations import NOWHERE, Counter, Namespaces, Nowhere, Target
from airbyte_twin.sync.run.execution import Sync, Work
from airbyte_twin.sync.streams import SyncStream
from sync_support import sync_stream

RECORDS, CHECKPOINT = 5_000, 1_000


class Ledger(Nowhere, Counter):
    """A destination of one stream that notes how much it was handed and when it was asked to keep it."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[int] = []

    def open(self, stream: SyncStream) -> "Ledger":
        return self

    def checkpoint(self) -> None:
        self.kept.append(self.rows)


class Watched:
    """A source that looks, before each record, how many of those before it were written."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.most_held_back = 0

    def read(self, streams: Sequence[SyncStream], _state: ConnectionState) -> Generator[Message, None, None]:
        for number in range(RECORDS):
            self.most_held_back = max(self.most_held_back, number - self._ledger.rows)
            yield RecordMessage("orders", None, {"id": number})
            yield StateMessage("stream", (StreamState(name="orders", blob={"at": number}),))


class Quiet:
    """Keeps the rows of each report."""

    def __init__(self) -> None:
        self.states: list[StateMessage] = []
        self.rows: list[int] = []

    def progress(self, counts: tuple[StreamCount, ...]) -> None:
        self.rows.append(sum(each.rows for each in counts))

    def kept(self, state: StateMessage) -> None:
        self.states.append(state)

    def log(self, text: str) -> None:
        raise AssertionError(text)


def test_each_record_is_written_before_the_next_is_read_and_checkpoints_come_at_their_distance() -> None:
    orders = sync_stream(DiscoveredStream(name="orders", json_schema={}, supported_sync_modes=("incremental",)))
    ledger, report = Ledger(), Quiet()
    source = Watched(ledger)
    target = Target(NOWHERE, {}, (), Clock(), Namespaces("destination", None), "")
    work = Work((orders,), source, target, ConnectionState(id="x"), Clock(), CHECKPOINT)
    Sync(work, source, ledger, report).run(Cancellation())
    assert source.most_held_back == 0
    assert ledger.kept[:4] == [1000, 2000, 3000, 4000]
    assert [each.streams[0].blob for each in report.states[:2]] == [{"at": 999}, {"at": 1999}]
    assert report.rows == sorted(report.rows)
    assert report.rows[-1] == RECORDS
