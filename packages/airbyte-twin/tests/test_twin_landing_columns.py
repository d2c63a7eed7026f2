"""What a stream's JSON Schema becomes in Parquet."""

import pyarrow as pa
import pytest
from airbyte_twin.landing import LandingError
from airbyte_twin.landing.airbyte_types import record_type
from airbyte_twin.landing.names import column_name
from airbyte_twin.landing.parquet import METADATA, table_schema
from pydantic import JsonValue

MOMENT, TIME = pa.timestamp("us", tz="UTC"), pa.time64("us")


def columns(**properties: JsonValue) -> dict[str, pa.DataType]:
    schema = table_schema(record_type({"type": "object", "properties": properties}, None))
    return {field.name: field.type for field in list(schema)[len(METADATA) :]}


def union(**options: pa.DataType) -> pa.DataType:
    return pa.struct([pa.field("type", pa.string(), nullable=False), *options.items()])


def test_airbytes_own_columns_come_first_and_are_required() -> None:
    schema = table_schema(record_type({}, None))
    assert schema.names == ["_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta", "_airbyte_generation_id"]
    assert schema.field("_airbyte_extracted_at").type == pa.timestamp("ms", tz="UTC")
    assert schema.field("_airbyte_generation_id").type == pa.int64()
    assert not any(field.nullable for field in schema)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, pa.string()),
        ({"type": ["null", "string"]}, pa.string()),
        ({"type": ["null", "string"], "format": "email"}, pa.string()),
        ({"type": "string", "airbyte_type": "timestamp_with_timezone"}, pa.string()),
        ({"type": "boolean"}, pa.bool_()),
        ({"type": "integer"}, pa.int64()),
        ({"type": "number"}, pa.float64()),
        ({"type": "number", "airbyte_type": "integer"}, pa.int64()),
        ({"type": "string", "format": "date"}, pa.date32()),
        ({"type": "string", "format": "time"}, TIME),
        ({"type": "string", "format": "time", "airbyte_type": "time_without_timezone"}, TIME),
        ({"type": "string", "format": "date-time"}, MOMENT),
        ({"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"}, MOMENT),
        ({"$ref": "WellKnownTypes.json#/definitions/TimestampWithTimezone"}, MOMENT),
        ({"$ref": "WellKnownTypes.json#/definitions/Date"}, pa.date32()),
        ({"$ref": "#/definitions/Money"}, pa.string()),
        ({"type": "object"}, pa.string()),
        ({"type": "object", "properties": {}}, pa.string()),
        ({"type": "object", "properties": {"nothing": {"type": "null"}}}, pa.string()),
        ({"type": "object", "properties": {"id": {"type": "integer"}}}, pa.struct({"id": pa.int64()})),
        ({"properties": {"id": {"type": "integer"}}}, pa.struct({"id": pa.int64()})),
        ({}, pa.string()),
        (True, pa.string()),
        ({"type": "anything"}, pa.string()),
        ({"type": "array"}, pa.string()),
        ({"type": "array", "items": []}, pa.string()),
        ({"type": "array", "items": {"type": "null"}}, pa.string()),
        ({"type": "array", "items": {}}, pa.list_(pa.string())),
        ({"type": "array", "items": {"type": "number"}}, pa.list_(pa.float64())),
        ({"type": "array", "items": [{"type": "integer"}, {"type": "integer"}]}, pa.list_(pa.int64())),
    ],
)
def test_a_field_has_the_type_that_its_schema_declares(schema: JsonValue, expected: pa.DataType) -> None:
    assert columns(field=schema) == {"field": expected}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["integer", "string", "null"]}, union(integer=pa.int64(), string=pa.string())),
        ({"oneOf": [{"type": "null"}, {"type": "number"}]}, pa.float64()),
        ({"oneOf": [{"type": "integer"}, {"type": "integer"}]}, pa.int64()),
        (
            {"anyOf": [{"type": "boolean"}, {"oneOf": [{"type": "string", "format": "date"}, {"type": "boolean"}]}]},
            union(boolean=pa.bool_(), date=pa.date32()),
        ),
        (
            {
                "oneOf": [
                    {"type": "object"},
                    {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}},
                    {"type": "object", "properties": {"id": {"type": "integer"}, "day": {"type": "boolean"}}},
                ]
            },
            pa.struct({"id": pa.int64(), "name": pa.string(), "day": pa.bool_()}),
        ),
        (
            {"type": ["string", "array", "object"], "items": {"type": "integer"}, "properties": {"a": "string"}},
            union(string=pa.string(), array=pa.list_(pa.int64()), object=pa.struct({"a": pa.string()})),
        ),
    ],
)
def test_a_union_is_a_record_of_its_different_types(schema: JsonValue, expected: pa.DataType) -> None:
    assert columns(field=schema) == {"field": expected}


def test_a_field_that_is_always_null_has_no_column() -> None:
    assert columns(id={"type": "integer"}, nothing={"type": "null"}, never={"type": []}) == {"id": pa.int64()}


def test_only_selected_fields_have_columns_in_the_schemas_order() -> None:
    properties: JsonValue = {name: {"type": "string"} for name in ("b", "a", "c")}
    airbyte_type = record_type({"properties": properties}, ("a", "b", "gone"))
    assert [member.column for member in airbyte_type.members] == ["b", "a"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("name", "name"),
        ("$email", "_email"),
        ("1d_view", "_1d_view"),
        ("Größe in cm", "Gro_e_in_cm"),
        ("ab-test", "ab_test"),
    ],
)
def test_a_column_is_named_as_avro_names_fields(name: str, expected: str) -> None:
    assert column_name(name) == expected


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"tags": {"oneOf": [{"type": "array", "items": "string"}, {"type": "array", "items": "integer"}]}}, "'tags'"),
        ({"outer": {"properties": {"any": {"type": ["object", "array"]}}}}, "'outer.any'"),
        ({"a-b": {"type": "string"}, "a b": {"type": "string"}}, "'a-b' and 'a b'"),
    ],
)
def test_what_destination_s3_fails_on_is_refused_by_the_fields_name(properties: JsonValue, named: str) -> None:
    with pytest.raises(LandingError, match=named):
        record_type({"properties": properties}, None)


def test_an_unselected_field_is_never_refused() -> None:
    schema: dict[str, JsonValue] = {"properties": {"bad": {"type": ["object", "array"]}, "id": {"type": "integer"}}}
    assert [member.name for member in record_type(schema, ("id",)).members] == ["id"]
