"""Records made to fit their stream's schema."""

import math
from datetime import UTC, date, datetime, time
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airbyte_twin.documents import JsonObject
from airbyte_twin.landing import LandingError
from airbyte_twin.landing.airbyte_types import record_type
from airbyte_twin.landing.coercion import Change, fit_record
from airbyte_twin.landing.parquet import METADATA, table_schema
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

TIMESTAMP: JsonValue = {"type": "string", "format": "date-time"}
ZONELESS: JsonValue = {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"}
TIME: JsonValue = {"type": "string", "format": "time"}
DATE: JsonValue = {"type": "string", "format": "date"}
INTEGER_OR_STRING: JsonValue = {"oneOf": [{"type": "integer"}, {"type": "string"}]}


def fit(schema: JsonValue, value: JsonValue) -> tuple[object, list[Change]]:
    row, changes = fit_record({"field": value}, record_type({"properties": {"field": schema}}, None))
    return row["field"], changes


def nulled(field: str, reason: str = "DESTINATION_SERIALIZATION_ERROR") -> Change:
    return {"field": field, "change": "NULLED", "reason": reason}


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ("string", "a", "a"),
        ("string", 12, "12"),
        ("string", 1.5, "1.5"),
        ("string", 1e20, "1E+20"),
        ("string", False, "false"),
        ("string", {"a": ["ü", None]}, '{"a":["ü",null]}'),
        ("integer", 3.0, 3),
        ("integer", "-42", -42),
        ("integer", -(2**63), -(2**63)),
        ("number", 3, 3.0),
        ("number", "1.5e3", 1500.0),
        ("number", 10**400, math.inf),
        ("number", -(10**400), -math.inf),
        ("boolean", True, True),
        (DATE, "2026-03-01", date(2026, 3, 1)),
        (DATE, "2026/3/1", date(2026, 3, 1)),
        (DATE, "2026 Mar 01", date(2026, 3, 1)),
        (DATE, "2026-03-01T23:59:59-08:00", date(2026, 3, 1)),
        (DATE, "2026-02-30", date(2026, 2, 28)),
        (TIME, "12:00:00-01:00", time(13)),
        (TIME, "04:00:00+05:30", time(22, 30)),
        (TIME, "04:05", time(4, 5)),
        ({"type": "string", "format": "time", "airbyte_type": "time_without_timezone"}, "04:00:00+02:00", time(4)),
        (TIMESTAMP, "2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        (TIMESTAMP, "2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        (TIMESTAMP, "2026-01-01 01:02:03.1234567 +0100", datetime(2026, 1, 1, 0, 2, 3, 123456, tzinfo=UTC)),
        (TIMESTAMP, "2026-01-01T00:00:00GMT+01:00", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        (ZONELESS, "2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        (ZONELESS, "2026-01-01T00:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("object", {"a": 1, "b": [True]}, '{"a":1,"b":[true]}'),
        ("array", [1, "Alice"], '[1,"Alice"]'),
        ("unheard-of", "text", '"text"'),
        ({"properties": {"id": "integer", "more": "string"}}, {"id": 1, "name": "Alice"}, {"id": 1, "more": None}),
        (INTEGER_OR_STRING, 1, {"type": "integer", "integer": 1}),
        (INTEGER_OR_STRING, "1", {"type": "string", "string": "1"}),
        (INTEGER_OR_STRING, True, {"type": "string", "string": "true"}),
        ({"type": ["number", "boolean"]}, 1, {"type": "number", "number": 1.0}),
        ({"type": ["integer", "object"]}, {"a": 1}, {"type": "object", "object": '{"a":1}'}),
        ("integer", None, None),
    ],
)
def test_a_value_is_made_to_fit(schema: JsonValue, value: JsonValue, expected: object) -> None:
    assert fit(schema, value) == (expected, [])


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("integer", 1.5),
        ("integer", "1_000"),
        ("integer", "one"),
        ("integer", True),
        ("number", "NaN"),
        ("number", "a lot"),
        ("number", False),
        ("boolean", "true"),
        ("boolean", 1),
        (DATE, "2026-13-01"),
        (DATE, "2026 Mai 01"),
        (DATE, 20260101),
        (TIME, "25:00:00"),
        (TIME, "12:00:00+19:00"),
        (TIMESTAMP, "2026-01-01"),
        (TIMESTAMP, "yesterday"),
        (TIMESTAMP, "0001-01-01T00:00:00+01:00"),
        ("object", "{}"),
        ("array", {}),
        ({"properties": {"id": "integer"}}, [1]),
        ({"type": "array", "items": "integer"}, 1),
        ({"type": ["boolean", "integer"]}, "neither"),
        ({"oneOf": [DATE, {"type": "string"}]}, "no date, though text"),
    ],
)
def test_a_value_that_does_not_fit_is_null_and_told(schema: JsonValue, value: JsonValue) -> None:
    assert fit(schema, value) == (None, [nulled("field")])


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 1e300, str(2**63), "9" * 5000])
def test_an_integer_beyond_64_bits_is_told_to_be_too_large(value: JsonValue) -> None:
    assert fit("integer", value) == (None, [nulled("field", "DESTINATION_FIELD_SIZE_LIMITATION")])


def test_nested_values_become_null_by_themselves() -> None:
    schema: JsonValue = {"properties": {"id": "integer", "tags": {"type": "array", "items": "integer"}}}
    value, changes = fit(schema, {"id": "x", "tags": [1, "Alice", 3]})
    assert value == {"id": None, "tags": [1, None, 3]}
    assert changes == [nulled("field.id"), nulled("field.tags.[1]")]


def test_changes_name_fields_as_the_source_does() -> None:
    row, changes = fit_record({"$value": "x"}, record_type({"properties": {"$value": "integer"}}, None))
    assert row == {"_value": None}
    assert changes == [nulled("$value")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    | st.datetimes().map(str) | st.dates().map(str) | st.times().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
kinds = st.sampled_from(["string", "integer", "number", "boolean", "object", "array", "null", "unheard-of"])
formats = st.sampled_from(["date", "time", "date-time", "email"])
refinements = st.sampled_from(["integer", "time_without_timezone", "timestamp_without_timezone"])
json_schemas = st.recursive(
    st.fixed_dictionaries({"type": kinds | st.lists(kinds, max_size=3)}, optional={"format": formats})
    | st.fixed_dictionaries({"type": st.just("string"), "format": formats, "airbyte_type": refinements}),
    lambda inner: (
        st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3)})
        | st.fixed_dictionaries({"type": st.just("array"), "items": inner})
        | st.fixed_dictionaries({"oneOf": st.lists(inner, max_size=3)})
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(
    properties=st.dictionaries(st.sampled_from("abc"), json_schemas, max_size=3),
    records=st.lists(st.dictionaries(st.sampled_from("abcd"), json_values, max_size=4), max_size=4),
)
def test_any_record_of_any_schema_is_written_as_declared_and_what_is_lost_is_told(
    properties: JsonObject, records: list[JsonObject]
) -> None:
    try:
        airbyte_type = record_type({"properties": properties}, None)
    except LandingError:
        return
    schema = pa.schema(list(table_schema(airbyte_type))[len(METADATA) :])
    fitted = [fit_record(record, airbyte_type) for record in records]
    batch = pa.RecordBatch.from_pylist([row for row, _ in fitted], schema=schema)
    file = BytesIO()
    if schema.names:
        pq.write_table(pa.Table.from_batches([batch]), file, store_schema=False)
        read = pq.read_table(file)
        assert read.schema.types == schema.types
        assert read.to_pylist() == batch.to_pylist()
    for record, (row, changes) in zip(records, fitted, strict=True):
        lost = {name for name, value in row.items() if value is None and record.get(name) is not None}
        assert lost <= {change["field"].split(".")[0] for change in changes}
