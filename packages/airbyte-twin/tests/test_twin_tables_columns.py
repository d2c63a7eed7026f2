"""Columns and values of tables in Postgres, by types of Airbyte."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from airbyte_twin.documents import JsonObject
from tables_support import MARKS, Warehouse

STRING: JsonObject = {"type": ["null", "string"]}
TYPES: dict[str, tuple[Any, str]] = {
    "text": (STRING, "character varying"),
    "whole": ({"type": "integer"}, "bigint"),
    "number": ({"type": "number"}, "numeric"),
    "whole_number": ({"type": "number", "airbyte_type": "integer"}, "bigint"),
    "yes": ({"type": "boolean"}, "boolean"),
    "day": ({"type": "string", "format": "date"}, "date"),
    "at": ({"type": "string", "format": "date-time"}, "timestamp with time zone"),
    "local": (
        {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
        "timestamp without time zone",
    ),
    "time": ({"type": "string", "format": "time"}, "time with time zone"),
    "local_time": (
        {"type": "string", "format": "time", "airbyte_type": "time_without_timezone"},
        "time without time zone",
    ),
    "object": ({"type": "object", "properties": {"a": {"type": "integer"}}}, "jsonb"),
    "free": ({"type": "object"}, "jsonb"),
    "list": ({"type": "array", "items": {"type": "string"}}, "jsonb"),
    "either": ({"type": ["string", "integer"]}, "jsonb"),
    "one_of": ({"oneOf": [{"type": "string"}, {"type": "object"}]}, "jsonb"),
    "unknown": ({"type": "decimal"}, "jsonb"),
    "bare": ({}, "jsonb"),
    "twice": ({"oneOf": [{"type": "object", "properties": {"a-b": {}, "a b": {}}}]}, "jsonb"),
}


def schema(*names: str) -> JsonObject:
    return {"type": "object", "properties": {name: TYPES[name][0] for name in names or TYPES}}


def landed(warehouse: Warehouse, record: JsonObject, *names: str) -> dict[str, Any]:
    """The only row of a sync."""
    warehouse.sync([record], json_schema=schema(*names or record))
    [row] = warehouse.rows()
    return row


def changes(warehouse: Warehouse) -> list[Any]:
    [meta] = warehouse.query('select "_airbyte_meta" from "shopify"."orders"')
    found: list[Any] = meta[0]["changes"]
    return found


def test_each_type_has_its_column_after_airbytes_own(warehouse: Warehouse) -> None:
    warehouse.sync([], json_schema=schema())
    types = warehouse.types()
    assert list(types)[:4] == list(MARKS)
    assert [types[name] for name in MARKS] == ["character varying", "timestamp with time zone", "jsonb", "bigint"]
    assert {name: types[name] for name in TYPES} == {name: type_ for name, (_, type_) in TYPES.items()}


def test_a_field_that_only_null_fulfils_and_one_that_is_not_selected_have_no_column(warehouse: Warehouse) -> None:
    properties: JsonObject = {"id": {"type": "integer"}, "never": {"type": "null"}, "other": STRING}
    warehouse.sync([], json_schema={"properties": properties}, selected_fields=("id", "never"))
    assert [name for name in warehouse.types() if name not in MARKS] == ["id"]


def test_values_arrive_as_they_were(warehouse: Warehouse) -> None:
    record: JsonObject = {
        "text": "tab\t line\n back\\slash \\N 'quote' \"double\" ☂",
        "whole": 2**63 - 1,
        "number": 1.1,
        "yes": False,
        "day": "2026-02-29",
        "at": "2026-01-01T01:00:00.123456+01:00",
        "local": "2026-01-01T01:00:00",
        "time": "01:00:00+02:00",
        "local_time": "01:00:00.5",
        "object": {"a": [1, {"b": "c\td"}], "n": None},
        "list": ["x", 1],
        "either": "seven",
        "unknown": 7,
        "bare": {},
    }
    assert landed(warehouse, record) == {
        "text": record["text"],
        "whole": 2**63 - 1,
        "number": Decimal("1.1"),
        "yes": False,
        "day": date(2026, 2, 28),
        "at": datetime(2026, 1, 1, 0, 0, 0, 123456, UTC),
        "local": datetime(2026, 1, 1, 1, 0, tzinfo=None),  # noqa: DTZ001 - the column has no zone
        "time": time(1, tzinfo=timezone(timedelta(hours=2))),
        "local_time": time(1, 0, 0, 500000),
        "object": record["object"],
        "list": ["x", 1],
        "either": "seven",
        "unknown": 7,
        "bare": {},
    }
    assert changes(warehouse) == []


@pytest.mark.parametrize("number", ["12345678901234567890123456789012345678.123456789012", "-1E+40", "0.0000000000001"])
def test_no_number_loses_digits(warehouse: Warehouse, number: str) -> None:
    assert landed(warehouse, {"number": number})["number"] == Decimal(number)


def test_texts_of_other_values_and_empty_texts_and_nulls_differ(warehouse: Warehouse) -> None:
    values: list[Any] = ["", None, True, 1.50, {"a": 1}, "a\0b"]
    warehouse.sync(
        [{"whole": number, "text": value} for number, value in enumerate(values)], json_schema=schema("whole", "text")
    )
    assert [row["text"] for row in warehouse.rows()] == ["", None, "true", "1.5", '{"a":1}', "ab"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("whole", "x", "DESTINATION_SERIALIZATION_ERROR"),
        ("whole", 2**63, "DESTINATION_FIELD_SIZE_LIMITATION"),
        ("number", "1E+200000", "DESTINATION_FIELD_SIZE_LIMITATION"),
        ("number", True, "DESTINATION_SERIALIZATION_ERROR"),
        ("number", "one", "DESTINATION_SERIALIZATION_ERROR"),
        ("yes", "true", "DESTINATION_SERIALIZATION_ERROR"),
        ("day", "soon", "DESTINATION_SERIALIZATION_ERROR"),
        ("at", 7, "DESTINATION_SERIALIZATION_ERROR"),
        ("time", "noon", "DESTINATION_SERIALIZATION_ERROR"),
        ("time", 12, "DESTINATION_SERIALIZATION_ERROR"),
        ("object", [1], "DESTINATION_SERIALIZATION_ERROR"),
        ("free", "{}", "DESTINATION_SERIALIZATION_ERROR"),
        ("list", {}, "DESTINATION_SERIALIZATION_ERROR"),
    ],
)
def test_a_value_that_does_not_fit_is_null_and_reported(
    warehouse: Warehouse, name: str, value: Any, reason: str
) -> None:
    assert landed(warehouse, {name: value}) == {name: None}
    assert changes(warehouse) == [{"field": name, "change": "NULLED", "reason": reason}]


def test_every_letter_arrives(warehouse: Warehouse) -> None:
    letters = [chr(code) for code in (*range(1, 0x300), 0x2028, 0xFEFF, 0xFFFF, 0x1F600, 0x10FFFF)]
    texts = [*letters, *(f"\\{letter}{letter}\\" for letter in letters), "\\.", "\\N", "\\\\.", "a\\.\nb", " "]
    rows: list[JsonObject] = [
        {"whole": number, "text": text, "free": {text: text}} for number, text in enumerate(texts)
    ]
    warehouse.sync(rows, json_schema=schema("whole", "text", "free"))
    assert warehouse.rows() == rows
