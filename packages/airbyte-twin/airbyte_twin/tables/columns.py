"""Columns of a stream's table, and the texts of their values.

Source: airbytehq/airbyte, destination-postgres 3.0: PostgresTableSchemaMapper, PostgresValueCoercer,
PostgresColumnUtils; docs/integrations/destinations/postgres.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object, dump_json
from airbyte_twin.landing.airbyte_types import (
    JSON_ANYTHING,
    AirbyteType,
    JsonText,
    ListOf,
    Scalar,
    Struct,
    field_type,
)
from airbyte_twin.landing.coercion import (
    NUMBER,
    SCALARS,
    TOO_LARGE,
    Change,
    UnfitError,
    nulled,
    parse_offset_time,
)
from airbyte_twin.landing.errors import LandingError
from airbyte_twin.landing.stream import LandingStream
from airbyte_twin.tables.names import column_names

RAW_ID, EXTRACTED_AT, META, GENERATION_ID = (
    "_airbyte_raw_id",
    "_airbyte_extracted_at",
    "_airbyte_meta",
    "_airbyte_generation_id",
)
DELETED_AT = "_ab_cdc_deleted_at"
"""The field by which a source with change data capture reports a deleted row."""
JSONB = "jsonb"
TEXT = "character varying"
METADATA: Mapping[str, str] = {
    RAW_ID: f"{TEXT} not null",
    EXTRACTED_AT: "timestamp with time zone not null",
    META: f"{JSONB} not null",
    GENERATION_ID: "bigint",
}
"""Airbyte's own columns with their declarations."""
TYPES: Mapping[Scalar, str] = {
    Scalar.STRING: TEXT,
    Scalar.BOOLEAN: "boolean",
    Scalar.INTEGER: "bigint",
    Scalar.NUMBER: "numeric",
    Scalar.DATE: "date",
    Scalar.TIME_WITH_TIMEZONE: "time with time zone",
    Scalar.TIME_WITHOUT_TIMEZONE: "time without time zone",
    Scalar.TIMESTAMP_WITH_TIMEZONE: "timestamp with time zone",
    Scalar.TIMESTAMP_WITHOUT_TIMEZONE: "timestamp without time zone",
}
"""As Postgres' information schema names them. `numeric` has no precision, so that no number is rounded."""
LARGEST_NUMBER = Decimal("1E131072")


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        field: The field of records.
        name: The column's name.
        airbyte_type: What the field's schema says.
    """

    field: str
    name: str
    airbyte_type: AirbyteType

    @property
    def type(self) -> str:
        """The type in Postgres: objects, arrays, unions and unknown types are JSON."""
        return TYPES[self.airbyte_type] if isinstance(self.airbyte_type, Scalar) else JSONB


def columns_of(stream: LandingStream) -> tuple[Column, ...]:
    """The columns of a stream's selected fields; a field that only null fulfils has none.

    Raises:
        LandingError: A field's name is empty.
    """
    properties = as_object(stream.json_schema.get("properties"))
    chosen = stream.selected_fields
    types = {name: _type(schema) for name, schema in properties.items() if chosen is None or name in chosen}
    names = column_names(name for name, found in types.items() if found is not None)
    return tuple(Column(field, name, found) for field, name in names.items() if (found := types[field]) is not None)


def row_texts(columns: Iterable[Column], record: JsonObject) -> tuple[list[str | None], list[Change]]:
    """The texts of a record's values by column, and the changes that set values to null."""
    changes: list[Change] = []
    return [_text(column, record.get(column.field), changes) for column in columns], changes


def copy_line(texts: Sequence[str | None]) -> bytes:
    """A row in the text format of COPY."""
    return "\t".join("\\N" if text is None else text.translate(_ESCAPES) for text in texts).encode() + b"\n"


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _type(schema: JsonValue) -> AirbyteType | None:
    try:
        return field_type(schema)
    except LandingError:
        # Destination-s3 has no column for it; a column of JSON holds anything.
        return JSON_ANYTHING


def _text(column: Column, value: JsonValue, changes: list[Change]) -> str | None:
    if value is None:
        return None
    try:
        return _fitted(column.airbyte_type, value)
    except UnfitError as unfit:
        changes.append(nulled(column.field, unfit))
        return None


def _fitted(airbyte_type: AirbyteType, value: JsonValue) -> str:
    match airbyte_type:
        case Scalar():
            return _SCALAR_TEXTS[airbyte_type](value)
        case Struct():
            holds: type = dict
        case ListOf():
            holds = list
        case JsonText():
            holds = airbyte_type.holds
        case _:
            holds = object
    if not isinstance(value, holds):
        raise UnfitError
    return dump_json(value).decode()


def _string(value: JsonValue) -> str:
    """Postgres has no text with a null character."""
    return str(SCALARS[Scalar.STRING](value)).replace("\0", "")


def _number(value: JsonValue) -> str:
    match value:
        case bool():
            raise UnfitError
        case int():
            number = Decimal(value)
        case float():
            number = Decimal(repr(value))
        case str() if NUMBER.fullmatch(value):
            number = Decimal(value)
        case _:
            raise UnfitError
    if abs(number) > LARGEST_NUMBER:
        raise UnfitError(TOO_LARGE)
    return str(number)


def _offset_time(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise UnfitError
    try:
        return parse_offset_time(value).isoformat()
    except ValueError:
        raise UnfitError from None


def _plain(scalar: Scalar) -> Callable[[JsonValue], str]:
    """The text of a value as the Parquet files have it."""

    def text(value: JsonValue) -> str:
        match SCALARS[scalar](value):
            case bool(fitted):
                return "true" if fitted else "false"
            case datetime() as moment:
                utc = moment.astimezone(UTC)
                return (utc if scalar is Scalar.TIMESTAMP_WITH_TIMEZONE else utc.replace(tzinfo=None)).isoformat(" ")
            case date() | time() as other:
                return other.isoformat()
            case other:
                return str(other)

    return text


_SCALAR_TEXTS: Mapping[Scalar, Callable[[JsonValue], str]] = {scalar: _plain(scalar) for scalar in Scalar} | {
    Scalar.STRING: _string,
    Scalar.NUMBER: _number,
    Scalar.TIME_WITH_TIMEZONE: _offset_time,
}
