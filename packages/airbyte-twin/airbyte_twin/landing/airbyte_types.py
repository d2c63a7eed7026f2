"""JSON Schemas as destination-s3 reads them: a tree of Airbyte types.

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
        holds: Python type of the values; `object` for anything.
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
    airbyte_type: "AirbyteType"


@dataclass(frozen=True, slots=True)
class Struct:
    """An object whose members are described."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array whose items are described."""

    items: "AirbyteType"


@dataclass(frozen=True, slots=True)
class Union:
    """Values of two or more types, each of another name."""

    options: tuple["AirbyteType", ...]


AirbyteType = Scalar | JsonText | Struct | ListOf | Union

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


def record_type(json_schema: JsonObject, selected_fields: tuple[str, ...] | None) -> Struct:
    """The type of a stream's records, with its selected top-level fields alone.

    Raises:
        LandingError: destination-s3 fails on this schema.
    """
    properties = as_object(json_schema.get("properties"))
    if selected_fields is not None:
        properties = {name: field for name, field in properties.items() if name in selected_fields}
    return _struct(properties, "")


def field_type(schema: JsonValue) -> AirbyteType | None:
    """The type of one field by itself; None for one that only null fulfils.

    Raises:
        LandingError: destination-s3 fails on this schema.
    """
    return _airbyte_type(schema, "")


def option_name(airbyte_type: AirbyteType) -> str:
    """The name of the member that holds such a value in a union's record."""
    match airbyte_type:
        case Scalar():
            return airbyte_type.value
        case ListOf():
            return "array"
        case Struct():
            return "object"
        case JsonText():
            return "unknown" if airbyte_type == JSON_ANYTHING else "object"
        case Union():  # pragma: no cover: unions never hold unions
            return "union"


def _airbyte_type(schema: JsonValue, path: str) -> AirbyteType | None:
    """The type of a schema; None for one that only null fulfils."""
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
            return _union((_airbyte_type(option, path) for option in options), path)
    return _of_type("object", schema, path)


def _of_types(kinds: JsonValue, schema: JsonObject, path: str) -> AirbyteType | None:
    match kinds:
        case str():
            return _of_type(kinds, schema, path)
        case list():
            each = (
                _of_type(kind, schema, path) if isinstance(kind, str) else _airbyte_type(kind, path) for kind in kinds
            )
            return _union(each, path)
    return JSON_ANYTHING


def _of_type(kind: str, schema: JsonObject, path: str) -> AirbyteType | None:
    airbyte_type: AirbyteType | None = JSON_ANYTHING
    match kind:
        case "null":
            airbyte_type = None
        case "string":
            airbyte_type = _string(schema)
        case "boolean":
            airbyte_type = Scalar.BOOLEAN
        case "integer" | "int":
            airbyte_type = Scalar.INTEGER
        case "number":
            airbyte_type = Scalar.INTEGER if schema.get("airbyte_type") == "integer" else Scalar.NUMBER
        case "object":
            airbyte_type = _object(schema, path)
        case "array":
            airbyte_type = _array(schema, path)
    return airbyte_type


def _string(schema: JsonObject) -> Scalar:
    """Only the format makes a string a time; `airbyte_type` decides only whether it has a zone."""
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


def _object(schema: JsonObject, path: str) -> AirbyteType:
    """Parquet has no group without members, so an object that declares none, or nulls alone, is text."""
    struct = _struct(as_object(schema.get("properties")), path)
    return struct if struct.members else JSON_OBJECT


def _array(schema: JsonObject, path: str) -> AirbyteType:
    items = schema.get("items")
    if items is None or items == []:
        return JSON_ARRAY
    airbyte_type = (
        _union((_airbyte_type(item, path) for item in items), path)
        if isinstance(items, list)
        else _airbyte_type(items, path)
    )
    return JSON_ARRAY if airbyte_type is None else ListOf(airbyte_type)


def _struct(properties: JsonObject, path: str) -> Struct:
    airbyte_types = (
        (name, _airbyte_type(schema, f"{path}.{name}" if path else name)) for name, schema in properties.items()
    )
    return _of_members({name: airbyte_type for name, airbyte_type in airbyte_types if airbyte_type is not None}, path)


def _of_members(airbyte_types: dict[str, AirbyteType], path: str) -> Struct:
    members = tuple(Member(name, column_name(name), airbyte_type) for name, airbyte_type in airbyte_types.items())
    seen: dict[str, str] = {}
    for member in members:
        other = seen.setdefault(member.column, member.name)
        if other != member.name:
            where = f" of {path!r}" if path else ""
            raise LandingError(
                f"The fields {other!r} and {member.name!r}{where} would both be the column {member.column!r}, which"
                " destination-s3 refuses: select one of them."
            )
    return Struct(members)


def _union(options: Iterable[AirbyteType | None], path: str) -> AirbyteType | None:
    """The union of types: like ones are one, objects are merged, and one that is left stands for itself."""
    merged: list[AirbyteType] = []
    for option in options:
        _merge(merged, option, path)
    names = [option_name(option) for option in merged]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise LandingError(
            f"The field {path!r} has two types {twice!r}, which destination-s3 refuses: do not select it."
        )
    if len(merged) > 1:
        return Union(tuple(merged))
    return merged[0] if merged else None


def _merge(into: list[AirbyteType], option: AirbyteType | None, path: str) -> None:
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
    airbyte_types = {member.name: member.airbyte_type for member in one.members}
    for member in other.members:
        known = airbyte_types.get(member.name)
        both = member.airbyte_type if known is None else _union((known, member.airbyte_type), f"{path}.{member.name}")
        if both is not None:
            airbyte_types[member.name] = both
    return _of_members(airbyte_types, path)
