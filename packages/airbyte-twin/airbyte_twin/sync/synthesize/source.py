"""A source without an account: the messages that a connector would send for some streams and states.

Knows the order of the protocol's messages. Must not know what is done with them.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from airbyte_twin.documents import JsonObject
from airbyte_twin.records import StreamState
from airbyte_twin.states import StreamKey
from airbyte_twin.sync.protocol.messages import Message, RecordMessage, StateMessage, StreamStatusMessage
from airbyte_twin.sync.streams import SyncStream
from airbyte_twin.sync.synthesize.cursors import Cursor, is_event
from airbyte_twin.sync.synthesize.draws import mixed, seed_of
from airbyte_twin.sync.synthesize.keys import Siblings
from airbyte_twin.sync.synthesize.shapes import Absent, Make, Place, compile_fields
from airbyte_twin.sync.synthesize.world import Change, World
from airbyte_twin.sync_records import Outside

STATE_EVERY = 100
"""Records between two states of a stream."""


@dataclass(frozen=True)
class MadeUpSource:
    """A source whose rows are a function of its seed, its streams' schemas and how far its time has come.

    Attributes:
        seed: Two sources of one seed have the same rows.
        names: Of all streams that it offers, synced or not.
        outside: How far its time has come.
    """

    seed: int
    names: tuple[str, ...]
    outside: Outside

    def read(
        self, streams: Sequence[SyncStream], states: Mapping[StreamKey, JsonObject]
    ) -> Generator[Message, None, None]:
        """Records and states of streams, one stream after the other."""
        for stream in streams:
            yield from self._stream(stream, states.get(stream.key))

    def _stream(self, stream: SyncStream, state: JsonObject | None) -> Generator[Message, None, None]:
        maker = RowMaker(self, stream)
        space, name = stream.key
        yield StreamStatusMessage(name, space, "STARTED")
        before = state if stream.incremental else None
        last = None
        for number, change in enumerate(maker.left(before), 1):
            yield RecordMessage(name, space, maker.record(change))
            last = change
            if number % STATE_EVERY == 0:
                yield from maker.states(before, last)
        if last is not None:
            yield from maker.states(before, last)
        yield StreamStatusMessage(name, space, "COMPLETE")


class RowMaker:
    """Makes the records of one stream."""

    def __init__(self, source: MadeUpSource, stream: SyncStream) -> None:
        name = stream.discovered.name
        siblings = Siblings.of(source.seed, source.names)
        self._stream = stream
        self._seed = seed_of(source.seed, name)
        self._siblings = siblings
        self._cursor = Cursor.of(stream, siblings.keys(name))
        cursor = self._cursor
        updates = not (cursor is not None and (cursor.keys is not None or is_event(cursor.path)))
        self._world = World(self._seed, source.outside, updates=updates)
        # A stream that names no key has one all the same, if it looks like one.
        keys = [path[0] for path in stream.primary_key if path] or ["id"]
        fixed = frozenset([*keys, *stream.cursor[:1]])
        place = Place(siblings, name, keys[0], referent=name, fixed=fixed)
        self._fields: dict[str, Make] = compile_fields(stream.discovered.json_schema, place, self._wanted(fixed))

    def _wanted(self, fixed: frozenset[str]) -> list[str]:
        properties = self._stream.discovered.json_schema.get("properties")
        names = list(properties) if isinstance(properties, dict) else []
        selected = self._stream.selected.selected_fields
        return [name for name in names if selected is None or name in selected or name in fixed]

    def left(self, state: JsonObject | None) -> list[Change]:
        """The rows that a reader with a state has not read."""
        if self._cursor is None or not self._stream.incremental:
            left = self._world.changes_after(None)
        else:
            left = self._cursor.left(self._world, state)
        return [change for change in left if self._siblings.has(self._stream.discovered.name, change.index)]

    def record(self, change: Change) -> JsonObject:
        """A row as it is after a change."""
        seed = mixed(self._seed, change.index)
        made = {name: make(seed, change) for name, make in self._fields.items()}
        record = {name: value for name, value in made.items() if not isinstance(value, Absent)}
        if self._cursor is not None:
            self._cursor.write(record, change)
        return record

    def states(self, before: JsonObject | None, last: Change) -> Iterator[StateMessage]:
        """The state after a row, if the stream is read incrementally."""
        if self._cursor is None or not self._stream.incremental:
            return
        space, name = self._stream.key
        blob = self._cursor.state(before, last)
        yield StateMessage("stream", (StreamState(name=name, namespace=space, blob=blob),))
