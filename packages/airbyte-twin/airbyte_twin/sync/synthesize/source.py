"""A synthesized source: the messages that a connector would send for given streams and states."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.records import FieldPath, Outside, StreamState
from airbyte_twin.states import StreamKey
from airbyte_twin.sync.protocol.messages import Message, RecordMessage, StateMessage, StreamStatusMessage
from airbyte_twin.sync.streams import SyncStream
from airbyte_twin.sync.synthesize.conventions import EVENTS
from airbyte_twin.sync.synthesize.fields import Absent, Make, SchemaContext, compile_fields, one_branch, types_of
from airbyte_twin.sync.synthesize.history import Change, History
from airbyte_twin.sync.synthesize.keys import KeySpace, Siblings
from airbyte_twin.sync.synthesize.pseudorandom import mixed, seed_of
from airbyte_twin.sync.synthesize.times import date, milliseconds, timestamp


def is_event(cursor: FieldPath) -> bool:
    """Whether rows with that cursor never change."""
    return bool(cursor) and cursor[-1] in EVENTS


@dataclass(frozen=True)
class Cursor:
    """The cursor of a stream that is read incrementally.

    Attributes:
        path: Of the field, at least one name.
        schema: Of the field.
        keys: Of the stream, if the cursor is its key; else None: the cursor is a time.
    """

    path: FieldPath
    schema: JsonObject
    keys: KeySpace | None

    @classmethod
    def of(cls, stream: SyncStream, keys: KeySpace) -> "Cursor | None":
        """The cursor of a stream; None if the stream has none."""
        path = stream.cursor
        if not path:
            return None
        schema = stream.discovered.json_schema
        for name in path:
            schema = one_branch(as_object(as_object(schema.get("properties")).get(name)))
        return cls(path, schema, keys if stream.primary_key == (path,) else None)

    def left(self, history: History, state: JsonObject | None) -> list[Change]:
        """The unread rows after a state, in the order of the cursor; all without a state."""
        if self.keys is None:
            return history.changes_after(milliseconds(self._cursor_value(state)))
        rows = sorted(history.changes_after(None), key=lambda change: change.index)
        return rows[self._index(self._cursor_value(state), history, self.keys) + 1 :]

    def state(self, before: JsonObject | None, last: Change) -> JsonObject:
        """The state after reading up to a row; a late row does not move the cursor back."""
        value, cursor_value = self.value(last), self._cursor_value(before)
        if self.keys is None and cursor_value is not None:
            known = milliseconds(cursor_value)
            value = cursor_value if known is not None and known > last.at else value
        return {".".join(self.path): value}

    def value(self, change: Change) -> JsonValue:
        """The value of the cursor field in a row."""
        if {"integer", "number"} & set(types_of(self.schema)):
            return change.at if self.keys is None else self.keys.integer(change.index)
        if self.keys is not None:
            return self.keys.text(change.index)
        if self.schema.get("format") == "date":
            return date(change.at)
        return timestamp(change.at, zone="without" not in str(self.schema.get("airbyte_type", "")))

    def write(self, record: JsonObject, change: Change) -> None:
        """Write the cursor into a record, unless it is the key."""
        if self.keys is not None:
            return
        for name in self.path[:-1]:
            inner = as_object(record.get(name))
            record[name] = inner
            record = inner
        record[self.path[-1]] = self.value(change)

    def _cursor_value(self, state: JsonObject | None) -> JsonValue:
        return (state or {}).get(".".join(self.path))

    def _index(self, cursor_value: JsonValue, history: History, keys: KeySpace) -> int:
        """The row of a cursor's value; -1 for none."""
        if isinstance(cursor_value, int):
            return max(keys.index(cursor_value), -1)
        return next((index for index in range(history.rows) if keys.text(index) == cursor_value), -1)


STATE_EVERY = 100
"""Records between two states of a stream."""


@dataclass(frozen=True)
class SyntheticSource:
    """A source whose rows are a function of its seed, its streams' schemas and its epochs so far.

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

    def __init__(self, source: SyntheticSource, stream: SyncStream) -> None:
        name = stream.discovered.name
        siblings = Siblings.of(source.seed, source.names)
        self._stream = stream
        self._seed = seed_of(source.seed, name)
        self._siblings = siblings
        self._cursor = Cursor.of(stream, siblings.keys(name))
        cursor = self._cursor
        updates = not (cursor is not None and (cursor.keys is not None or is_event(cursor.path)))
        self._world = History(self._seed, source.outside, updates=updates)
        # A stream that names no key has one all the same, if it looks like one.
        keys = [path[0] for path in stream.primary_key if path] or ["id"]
        fixed = frozenset([*keys, *stream.cursor[:1]])
        context = SchemaContext(siblings, name, keys[0], referent=name, fixed=fixed)
        self._fields: dict[str, Make] = compile_fields(stream.discovered.json_schema, context, self._wanted(fixed))

    def _wanted(self, fixed: frozenset[str]) -> list[str]:
        properties = self._stream.discovered.json_schema.get("properties")
        names = list(properties) if isinstance(properties, dict) else []
        selected = self._stream.selected.selected_fields
        return [name for name in names if selected is None or name in selected or name in fixed]

    def left(self, state: JsonObject | None) -> list[Change]:
        """The unread rows after a state."""
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
