"""Changes between two discoveries of a stream."""

import pytest

from lotus_infra.lake.discovered import Discovered, discovered_changes
from tests.support.lakes import Document, discovered


def changes(before: Document, after: Document) -> list[str]:
    ours, theirs = (Discovered.model_validate(discovered(**overrides)) for overrides in (before, after))
    return [str(difference) for difference in discovered_changes(ours, theirs)]


def test_equal_discoveries_have_no_difference_whatever_their_order() -> None:
    fields: Document = {"a": {"type": ["null", "string"]}, "b": {"type": "integer"}}
    assert changes({"fields": fields}, {"fields": dict(reversed(fields.items())) | {"a": {"type": "string"}}}) == []


@pytest.mark.parametrize(
    ("after", "line"),
    [
        ({"namespace": "public"}, "~ namespace: none → public"),
        (
            {"options": {"sync_modes": ["full_refresh"]}},
            "~ options.sync_modes: full_refresh, incremental → full_refresh",
        ),
        (
            {"defaults": {"primary_key": [["id"]], "cursor_field": ["at", "time"]}},
            "~ defaults.cursor_field: updated_at → at.time",
        ),
        (
            {"defaults": {"primary_key": [], "cursor_field": ["updated_at"]}},
            "~ defaults.primary_key: id → none",
        ),
        ({"source_defined_cursor": True}, "~ source_defined_cursor: no → yes"),
        ({"source_defined_primary_key": [["a"], ["b", "c"]]}, "~ source_defined_primary_key: none → a, b.c"),
    ],
)
def test_modes_cursors_and_keys_are_compared(after: Document, line: str) -> None:
    assert changes({}, after) == [line]


TEXT: Document = {"type": "string"}
NUMBER: Document = {"type": "number"}


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({}, {"a": TEXT}, ["+ fields.a: string"]),
        ({"a": TEXT}, {}, ["- fields.a: string"]),
        ({"a": TEXT}, {"a": NUMBER}, ["~ fields.a: string → number"]),
        ({"a": TEXT}, {"a": {"type": ["string", "number"]}}, ["~ fields.a: string → number or string"]),
        (
            {"a": TEXT},
            {"a": {**TEXT, "format": "date-time", "airbyte_type": "timestamp_with_timezone"}},
            ["~ fields.a: string → string (date-time, timestamp_with_timezone)"],
        ),
        ({"a": {"type": "unknown"}}, {"a": TEXT}, ["~ fields.a: unknown → string"]),
        (
            {"a": {"type": "object", "properties": {"x": TEXT, "y": TEXT}}},
            {"a": {"type": "object", "properties": {"y": NUMBER, "z": TEXT}}},
            ["- fields.a.x: string", "~ fields.a.y: string → number", "+ fields.a.z: string"],
        ),
        (
            {"a": {"type": "array", "items": {"sku": TEXT}}},
            {"a": {"type": "array", "items": {"sku": NUMBER}}},
            ["~ fields.a[].sku: string → number"],
        ),
        ({"a": {"type": "array"}}, {"a": {"type": "array", "items": TEXT}}, ["+ fields.a[]: string"]),
        ({}, {"a": {"type": "object", "properties": {"x": TEXT}}}, ["+ fields.a: object"]),
    ],
)
def test_fields_are_compared_at_every_depth(before: Document, after: Document, lines: list[str]) -> None:
    assert changes({"fields": before}, {"fields": after}) == lines
