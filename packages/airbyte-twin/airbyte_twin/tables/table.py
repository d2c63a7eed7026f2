"""One table: what it has, and the statements that create, change, fill and replace it.

Source: airbytehq/airbyte, destination-postgres 3.0: PostgresDirectLoadSqlGenerator, PostgresAirbyteClient.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from airbyte_twin.landing.errors import LandingError
from airbyte_twin.landing.stream import LandingStream
from airbyte_twin.tables.columns import DELETED_AT, EXTRACTED_AT, GENERATION_ID, JSONB, METADATA, TEXT, Column
from airbyte_twin.tables.names import TableName, qualified, quoted
from airbyte_twin.tables.server import Server

_COLUMNS = "select column_name, data_type from information_schema.columns where table_schema = %s and table_name = %s"


@dataclass(frozen=True, slots=True)
class Found:
    """A table that exists.

    Attributes:
        types: The types of its columns, by name; Airbyte's own are left out.
        generation: The generation of a row; None if it has no rows.
    """

    types: Mapping[str, str]
    generation: int | None


@dataclass(frozen=True, slots=True)
class Shape:
    """What the tables of a stream have in common.

    Attributes:
        columns: One for each field.
        keys: The columns of the primary key.
        cursor: The column by which the latest row is known; empty if there is none.
        deletes: Whether a row that the source reports as deleted removes the row of its key.
        cascade: What to say where a table or column is dropped: whether views on it go too.
    """

    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    cursor: str
    deletes: bool
    cascade: str

    @property
    def names(self) -> str:
        """All columns, in SQL."""
        return ", ".join(map(quoted, [*METADATA, *(column.name for column in self.columns)]))


def shape_of(stream: LandingStream, columns: tuple[Column, ...], *, hard_delete: bool, cascade: bool) -> Shape:
    """The shape of a stream's tables.

    Raises:
        LandingError: It has to keep one row of each key, and has no key, or a key or cursor inside of a field.
    """
    named: dict[tuple[str, ...], str] = {(column.field,): column.name for column in columns}
    if stream.deduplicated:
        if not stream.primary_key:
            raise LandingError(f"The stream {stream.name!r} has no primary key to deduplicate by: set one.")
        for path in (*stream.primary_key, *([stream.cursor] if stream.cursor else [])):
            if path not in named:
                what = f"{'.'.join(path)!r} of the stream {stream.name!r}"
                raise LandingError(f"There is no column for {what}: select the field, or choose a top-level one.")
    deduplicated = stream.deduplicated
    return Shape(
        columns=columns,
        keys=tuple(named[path] for path in stream.primary_key) if deduplicated else (),
        cursor=named[stream.cursor] if deduplicated and stream.cursor else "",
        deletes=hard_delete and (DELETED_AT,) in named,
        cascade=" cascade" if cascade else "",
    )


class Table:
    """A table of a stream. Methods that return statements run nothing.

    Every method that asks the server raises LandingError when it fails.
    """

    def __init__(self, server: Server, name: TableName, shape: Shape) -> None:
        self.name = name
        self.sql = qualified(name)
        self._server = server
        self._shape = shape

    def find(self) -> Found | None:
        """The table as it is; None if there is none.

        Raises:
            LandingError: Airbyte did not create it.
        """
        types = dict(self._server.rows(_COLUMNS, *self.name))
        if not types:
            return None
        if not types.keys() >= METADATA.keys():
            remedy = "delete it, or give the connection a prefix"
            raise LandingError(f"The table {self.name} exists and lacks Airbyte's own columns: {remedy}.")
        generations = self._server.rows(f"select {quoted(GENERATION_ID)} from {self.sql} limit 1")
        own = {name: type_ for name, type_ in types.items() if name not in METADATA}
        return Found(own, (generations[0][0] or 0) if generations else None)

    def created(self) -> list[str]:
        """Create it; one that exists is dropped."""
        declared = {**METADATA, **{column.name: column.type for column in self._shape.columns}}
        columns = ", ".join(f"{quoted(name)} {type_}" for name, type_ in declared.items())
        return [self.dropped(), f"create table {self.sql} ({columns})"]

    def matched(self, found: Found) -> list[str]:
        """Give it the stream's columns: new ones are added, others dropped, and types changed with their values."""
        wanted = {column.name: column.type for column in self._shape.columns}
        changes = [f"add column {quoted(name)} {type_}" for name, type_ in wanted.items() if name not in found.types]
        changes += [f"drop column {quoted(name)}{self._shape.cascade}" for name in found.types if name not in wanted]
        changes += [
            f"alter column {quoted(name)} type {wanted[name]} using {_converted(quoted(name), before, wanted[name])}"
            for name, before in found.types.items()
            if name in wanted and wanted[name] != before
        ]
        return [f"alter table {self.sql} {change}" for change in changes]

    def dropped(self) -> str:
        """Drop it, if it exists."""
        return f"drop table if exists {self.sql}{self._shape.cascade}"

    def appended(self, rows: "Table") -> list[str]:
        """Add the rows of another table, which is dropped."""
        names = self._shape.names
        return [f"insert into {self.sql} ({names}) select {names} from {rows.sql}", rows.dropped()]

    def merged(self, rows: "Table") -> list[str]:
        """Replace rows by later ones of their key in another table, and add those of new keys.

        The latest row has the greatest cursor, then the latest extraction; of equal ones the last that was written
        counts. A key with a null is no other row's key.
        """
        keys, names = ", ".join(map(quoted, self._shape.keys)), self._shape.names
        order = [*map(quoted, self._shape.keys), *self._latest_first, f"{quoted(EXTRACTED_AT)} desc", "ctid desc"]
        latest = f"select distinct on ({keys}) {names} from {rows.sql} order by {', '.join(order)}"
        same = " and ".join(f"old.{quoted(key)} = new.{quoted(key)}" for key in self._shape.keys)
        kept = f" and new.{quoted(DELETED_AT)} is null" if self._shape.deletes else ""
        outdated = f"delete from {self.sql} as old using ({latest}) as new where {same} and ({self._is_newer})"
        unknown = f"not exists (select from {self.sql} as old where {same}){kept}"
        return [outdated, f"insert into {self.sql} ({names}) select {names} from ({latest}) as new where {unknown}"]

    def replaced(self, other: "Table") -> list[str]:
        """Put another table, of the same schema, in its place."""
        return [self.dropped(), f"alter table {other.sql} rename to {quoted(self.name.name)}"]

    def copy(self, lines: Sequence[bytes]) -> None:
        """Write rows, in the text format of COPY."""
        self._server.copy(f"{self.sql} ({self._shape.names})", lines)

    @property
    def _latest_first(self) -> list[str]:
        return [f"{quoted(self._shape.cursor)} desc nulls last"] if self._shape.cursor else []

    @property
    def _is_newer(self) -> str:
        """Whether `new` is later than `old`, in SQL."""
        extracted = f"old.{quoted(EXTRACTED_AT)} < new.{quoted(EXTRACTED_AT)}"
        if not self._shape.cursor:
            return extracted
        old, new = (f"{side}.{quoted(self._shape.cursor)}" for side in ("old", "new"))
        return (
            f"{old} < {new} or ({old} is null and {new} is not null)"
            f" or ({old} is not distinct from {new} and {extracted})"
        )


def _converted(column: str, before: str, after: str) -> str:
    if after == JSONB:
        return f"to_jsonb({column})"
    if before == JSONB and after == TEXT:
        return f"{column} #>> '{{}}'"
    return f"{column}::{after}"
