"""A stream's rows as they arrive in the lake: its columns, and its key, cursor and deletions among them.

Between a source's fields and the columns are the stream's mappers, and the destination: destination-s3, whose Parquet
writer takes names of letters, digits and underscores only, or a warehouse. The models, their checks and the drawings
read columns, never fields.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from airbyte_model import mappers as rules
from airbyte_model.places import column_name

from lotus_infra.lake.catalog import cursor_of, deletion_of, key_of
from lotus_infra.lake.lake import StreamFile
from lotus_infra.lake.models import Field, FieldPath, KeyPaths
from lotus_infra.lake.warehouses import Warehouse

_TEXT = Field("string")
_UNKNOWN = Field("unknown")
_NESTING = frozenset({"object", "array"})


@dataclass(frozen=True, slots=True)
class Names:
    """How a destination names what it writes.

    Attributes:
        column: The column of a field.
        has_types_inside: Whether the members of an object are named like columns; else an object is JSON as it came.
    """

    column: Callable[[str], str]
    has_types_inside: bool


IN_FILES: Final = Names(column_name, has_types_inside=True)
"""The names in Parquet files of destination-s3."""


def names_in(warehouse: Warehouse) -> Names:
    """The names in a warehouse's tables."""
    return Names(warehouse.name, has_types_inside=False)


@dataclass(frozen=True, slots=True)
class Landed:
    """A stream's rows where they land.

    Attributes:
        columns: The columns, in the order of the fields, each with its field; members of objects are named as there.
        key: The paths of the primary key's columns; empty if the stream has none, or a mapper leaves it unusable.
        cursor: The path of the cursor's column; empty likewise.
        deleted: The column by which the source reports deletions; None if it has none or does not arrive.
        lost: Of "primary_key", "cursor_field" and "deleted", those that the stream has and its mappers take away.
    """

    columns: Mapping[str, Field]
    key: KeyPaths
    cursor: FieldPath
    deleted: str | None
    lost: frozenset[str] = frozenset()


def is_known(stream: StreamFile) -> bool:
    """Whether the files say which fields a stream has; one that takes all and was never discovered is unknown."""
    return stream.config.fields is not None or stream.discovered is not None


def mapped_fields(stream: StreamFile) -> dict[str, rules.MappedField]:
    """The fields that the destination receives, after the stream's mappers."""
    return rules.fields_after(mappers_of(stream), stream.fields)


def mappers_of(stream: StreamFile) -> list[rules.Mapper]:
    """The mappers of a stream's file for Airbyte's rules."""
    return [rules.Mapper(mapper.type, mapper.configuration) for mapper in stream.config.mappers]


def landed(stream: StreamFile, names: Names = IN_FILES) -> Landed:
    """The columns of a stream's files or table; of two fields that become one column, the last."""
    mapped = mapped_fields(stream)
    arrived = {field.origin: (name, field) for name, field in mapped.items()}
    key, cursor = key_of(stream.config, stream.discovered), cursor_of(stream.config, stream.discovered)
    deleted = deletion_of(stream.config, stream.discovered)
    key_paths = [_path(stream, path, arrived, names) for path in key]
    usable = tuple(path for path, field in key_paths if field is not None and field.is_comparable)
    cursor_path, cursor_field = _path(stream, cursor, arrived, names)
    is_ordered = cursor_field is not None and cursor_field.is_ordered
    name, field = arrived.get(deleted or "", ("", None))
    is_reported = field is not None and field.is_ordered
    lost = {
        "primary_key": len(usable) < len(key),
        "cursor_field": not is_ordered,
        "deleted": deleted in stream.fields and not is_reported,
    }
    return Landed(
        columns={names.column(name): _column(stream, name, field, names) for name, field in mapped.items()},
        key=() if lost["primary_key"] else usable,
        cursor=cursor_path if is_ordered else (),
        deleted=names.column(name) if is_reported else None,
        lost=frozenset(name for name, is_lost in lost.items() if is_lost),
    )


def _path(
    stream: StreamFile, path: FieldPath, arrived: Mapping[str, tuple[str, rules.MappedField]], names: Names
) -> tuple[FieldPath, rules.MappedField | None]:
    """The path of a field where it lands, and its field; None for one that a mapper takes away.

    A field that the stream does not select stays: whether it should select it is another rule's question.
    """
    if not path:
        return (), rules.MappedField("")
    first, *inside = path
    if first not in stream.fields:
        return (names.column(first), *inside), rules.MappedField(first)
    name, field = arrived.get(first, ("", None))
    if field is None or (inside and field.change != "kept"):
        return (), None
    if not names.has_types_inside:
        return (names.column(name), *inside), field
    declared = (
        (stream.config.fields or {}).get(first),
        (stream.discovered.fields if stream.discovered else {}).get(first),
    )
    steps = tuple(_steps(tuple(inside), [each for each in declared if each is not None]))
    return (names.column(name), *steps), field


def _steps(path: FieldPath, fields: list[Field]) -> Iterator[str]:
    """The steps of a path inside of an object: members that are declared have columns' names, others are JSON."""
    for index, step in enumerate(path):
        inside = [field.properties[step] for field in fields if field.properties and step in field.properties]
        if not inside:
            yield from path[index:]
            return
        yield column_name(step)
        fields = inside


def _column(stream: StreamFile, name: str, mapped: rules.MappedField, names: Names) -> Field:
    field = stream.fields[mapped.origin]
    if mapped.change != "kept":
        return replace(_TEXT, description=field.description)
    if name != mapped.origin and not field.types.isdisjoint(_NESTING):
        # The server looks for the schema of a renamed object or list under its new name, and finds none.
        return replace(_UNKNOWN, description=field.description)
    return in_files(field) if names.has_types_inside else field


def in_files(field: Field) -> Field:
    """A field whose members are named as in the lake's files."""
    if field.properties is None and field.items is None:
        return field
    properties, items = field.properties, field.items
    return replace(
        field,
        properties=properties and {column_name(name): in_files(inside) for name, inside in properties.items()},
        items=items and in_files(items),
    )
