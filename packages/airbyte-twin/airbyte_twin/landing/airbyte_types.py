"""What a JSON Schema says of values, as destination-s3 understands it: a tree of shapes.

Knows JSON Schema as Airbyte's sources write it. Must not know Parquet or records.
Source: airbytehq/airbyte, bulk CDK: JsonSchemaToAirbyteType, MergeUnions, UnionTypeToDisjointRecord,
ParquetMapperPipelineFactory; docs/integrations/destinations/s3-migrations.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.landing.errors import LandingError
from airbyte_twin.landing.names import column_name


class Scalar(StrEnum):
    """Simple values; each is named as the member of a union that holds it."""

    STRING = "string"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    TIME_WITH_TIMEZONE = "time_with_timezone"
    TIME_WITHOUT_TIMEZONE = "time_without_timezone"
    TIMESTAMP_WITH_TIMEZONE = "timestamp_with_timezone"
    TIMESTAMP_WITHOUT_TIMEZONE = "timestamp_without_timezone"


@dataclass(frozen=True, slots=True)
class JsonText:
    """Values without a described inside, written as JSON text.

    Attributes:
        holds: what such a value must be in Python; `object` for anything.
    """

    holds: type


@dataclass(frozen=True, slots=True)
class Member:
    """One field of an object.

    Attributes:
        name: in records.
        column: in Parquet.
    """

    name: str
    column: str
    shape: "Shape"


@dataclass(frozen=True, slots=True)
class Struct:
    """An object whose members are described."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array whose items are described."""

    items: "Shape"


@dataclass(frozen=True, slots=True)
class Union:
    """Values of two or more shapes, each of another name."""

    options: tuple["Shape", ...]


Shape = Scalar | JsonText | Struct | ListOf | Union

JSON_OBJECT, JSON_ARRAY, JSON_ANYTHING = JsonText(dict), JsonText(list), JsonText(object)
WELL_KNOWN = {
    f"WellKnownTypes.json#/definitions/{name}": scalar
    for name, scalar in {
        "Integer": Scalar.INTEGER,
        "Number": Scalar.NUMBER,
        "String": Scalar.STRING,
        "BinaryData": Scalar.STRING,
        "Boolean": Scalar.BOOLEAN,
        "Date": Scalar.DATE,
        "TimeWithTimezone": Scalar.TIME_WITH_TIMEZONE,
        "TimeWithoutTimezone": Scalar.TIME_WITHOUT_TIMEZONE,
        "TimestampWithTimezone": Scalar.TIMESTAMP_WITH_TIMEZONE,
        "TimestampWithoutTimezone": Scalar.TIMESTAMP_WITHOUT_TIMEZONE,
    }.items()
}


def stream_shape(json_schema: JsonObject, selected_fields: tuple[str, ...] | None) -> Struct:
    """The shape of a stream's records, with its selected top-level fields alone.

    Raises:
        LandingError: destination-s3 fails on this schema.
    """
    properties = as_object(json_schema.get("properties"))
    if selected_fields is not None:
        properties = {name: field for name, field in properties.items() if name in selected_fields}
    return _struct(properties, "")


def option_name(shape: Shape) -> str:
    """The name of the member that holds such a value in a union's record."""
    match shape:
        case Scalar():
            return shape.value
        case ListOf():
            return "array"
        case Struct():
            return "object"
        case JsonText():
            return "unknown" if shape == JSON_ANYTHING else "object"
        case Union():  # pragma: no cover: unions never hold unions
            return "union"


def _shape(schema: JsonValue, path: str) -> Shape | None:
    """The shape of a schema; None for one that only null fulfils."""
    if isinstance(schema, str):
        return _of_type(schema, {}, path)
    if not isinstance(schema, dict):
        return JSON_ANYTHING
    if "type" in schema:
        return _of_types(schema["type"], schema, path)
    if "$ref" in schema:
        return WELL_KNOWN.get(str(schema["$ref"]), JSON_ANYTHING)
    for key in ("oneOf", "anyOf", "allOf"):
        if isinstance(options := schema.get(key), list):
            return _union((_shape(option, path) for option in options), path)
    return _of_type("object", schema, path)


def _of_types(kinds: JsonValue, schema: JsonObject, path: str) -> Shape | None:
    match kinds:
        case str():
            return _of_type(kinds, schema, path)
        case list():
            each = (_of_type(kind, schema, path) if isinstance(kind, str) else _shape(kind, path) for kind in kinds)
            return _union(each, path)
    return JSON_ANYTHING


def _of_type(kind: str, schema: JsonObject, path: str) -> Shape | None:
    shape: Shape | None = JSON_ANYTHING
    match kind:
        case "null":
            shape = None
        case "string":
            shape = _string(schema)
        case "boolean":
            shape = Scalar.BOOLEAN
        case "integer" | "int":
            shape = Scalar.INTEGER
        case "number":
            shape = Scalar.INTEGER if schema.get("airbyte_type") == "integer" else Scalar.NUMBER
        case "object":
            shape = _object(schema, path)
        case "array":
            shape = _array(schema, path)
    return shape


def _string(schema: JsonObject) -> Scalar:
    """Only the format makes a time of a string: `airbyte_type` says no more than whether it has a zone."""
    refined = schema.get("airbyte_type")
    match schema.get("format"):
        case "date":
            return Scalar.DATE
        case "time":
            zoneless = refined == Scalar.TIME_WITHOUT_TIMEZONE
            return Scalar.TIME_WITHOUT_TIMEZONE if zoneless else Scalar.TIME_WITH_TIMEZONE
        case "date-time":
            zoneless = refined == Scalar.TIMESTAMP_WITHOUT_TIMEZONE
            return Scalar.TIMESTAMP_WITHOUT_TIMEZONE if zoneless else Scalar.TIMESTAMP_WITH_TIMEZONE
    return Scalar.STRING


def _object(schema: JsonObject, path: str) -> Shape:
    """Parquet has no group without members, so an object that declares none, or nulls alone, is text."""
    struct = _struct(as_object(schema.get("properties")), path)
    return struct if struct.members else JSON_OBJECT


def _array(schema: JsonObject, path: str) -> Shape:
    items = schema.get("items")
    if items is None or items == []:
        return JSON_ARRAY
    shape = _union((_shape(item, path) for item in items), path) if isinstance(items, list) else _shape(items, path)
    return JSON_ARRAY if shape is None else ListOf(shape)


def _struct(properties: JsonObject, path: str) -> Struct:
    shapes = ((name, _shape(schema, f"{path}.{name}" if path else name)) for name, schema in properties.items())
    return _of_members({name: shape for name, shape in shapes if shape is not None}, path)


def _of_members(shapes: dict[str, Shape], path: str) -> Struct:
    members = tuple(Member(name, column_name(name), shape) for name, shape in shapes.items())
    seen: dict[str, str] = {}
    for member in members:
        other = seen.setdefault(member.column, member.name)
        if other != member.name:
            where = f" of {path!r}" if path else ""
            raise LandingError(
                f"The fields {other!r} and {member.name!r}{where} would both be the column {member.column!r}, on which"
                " destination-s3 fails: select one of them."
            )
    return Struct(members)


def _union(options: Iterable[Shape | None], path: str) -> Shape | None:
    """The union of shapes: like ones are one, objects are merged, and one that is left stands for itself."""
    merged: list[Shape] = []
    for option in options:
        _merge(merged, option, path)
    names = [option_name(option) for option in merged]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise LandingError(
            f"The field {path!r} may hold two kinds of {twice!r}, on which destination-s3 fails: do not select it."
        )
    if len(merged) > 1:
        return Union(tuple(merged))
    return merged[0] if merged else None


def _merge(into: list[Shape], option: Shape | None, path: str) -> None:
    match option:
        case None:
            return
        case Union():
            for each in option.options:
                _merge(into, each, path)
        case Struct():
            known = next((each for each in into if isinstance(each, Struct)), None)
            into[:] = [each for each in into if not isinstance(each, Struct) and each != JSON_OBJECT]
            into.append(_merged(known, option, path) if known else option)
        case _ if option == JSON_OBJECT:
            if not any(isinstance(each, Struct) for each in into) and option not in into:
                into.append(option)
        case _ if option not in into:
            into.append(option)


def _merged(one: Struct, other: Struct, path: str) -> Struct:
    shapes = {member.name: member.shape for member in one.members}
    for member in other.members:
        known = shapes.get(member.name)
        both = member.shape if known is None else _union((known, member.shape), f"{path}.{member.name}")
        if both is not None:
            shapes[member.name] = both
    return _of_members(shapes, path)
