"""How a state says how far a stream was read, and which rows are left.

Knows worlds and states. Must not know what is in a row beyond its cursor.
"""

from dataclasses import dataclass

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.records import FieldPath
from airbyte_twin.sync.streams import SyncStream
from airbyte_twin.sync.synthesize.facts import EVENTS
from airbyte_twin.sync.synthesize.keys import KeySpace
from airbyte_twin.sync.synthesize.shapes import one_branch, types_of
from airbyte_twin.sync.synthesize.times import date, milliseconds, timestamp
from airbyte_twin.sync.synthesize.world import Change, World


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

    def left(self, world: World, state: JsonObject | None) -> list[Change]:
        """The rows that a reader with a state has not read, in the order of the cursor; all without one."""
        if self.keys is None:
            return world.changes_after(milliseconds(self._told(state)))
        rows = sorted(world.changes_after(None), key=lambda change: change.index)
        return rows[self._index(self._told(state), world, self.keys) + 1 :]

    def state(self, before: JsonObject | None, last: Change) -> JsonObject:
        """The state of a reader who read up to a row; a late row takes nobody back."""
        value, told = self.value(last), self._told(before)
        if self.keys is None and told is not None:
            known = milliseconds(told)
            value = told if known is not None and known > last.at else value
        return {".".join(self.path): value}

    def value(self, change: Change) -> JsonValue:
        """What the field says of a row."""
        if {"integer", "number"} & set(types_of(self.schema)):
            return change.at if self.keys is None else self.keys.integer(change.index)
        if self.keys is not None:
            return self.keys.text(change.index)
        if self.schema.get("format") == "date":
            return date(change.at)
        return timestamp(change.at, zone="without" not in str(self.schema.get("airbyte_type", "")))

    def write(self, record: JsonObject, change: Change) -> None:
        """Put the cursor into a record; a key is there already."""
        if self.keys is not None:
            return
        for name in self.path[:-1]:
            inner = as_object(record.get(name))
            record[name] = inner
            record = inner
        record[self.path[-1]] = self.value(change)

    def _told(self, state: JsonObject | None) -> JsonValue:
        return (state or {}).get(".".join(self.path))

    def _index(self, told: JsonValue, world: World, keys: KeySpace) -> int:
        """The row that a reader read last; -1 for none."""
        if isinstance(told, int):
            return max(keys.index(told), -1)
        return next((index for index in range(world.rows) if keys.text(index) == told), -1)
