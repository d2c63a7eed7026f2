"""Changes of streams in words."""

from typing import Any

from airbyte_model.streams import parse
from pulumi_airbyte.provider.connection import explain_streams
from pulumi_airbyte.provider.reconcile import changes


def explained(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> str:
    trees: Any = {"configurations": parse(old)}, {"configurations": parse(new)}
    return explain_streams(list(changes(*trees)))


def stream(*fields: str, **overrides: Any) -> dict[str, Any]:
    return {"name": "orders", "syncMode": "incremental_append", "selectedFields": list(fields) or None} | overrides


def test_fields_that_come_and_go_are_named() -> None:
    assert explained([stream("a", "b", "c")], [stream("a", "c", "d")]) == "orders: + field d, - field b"


def test_a_field_more_is_named() -> None:
    assert explained([stream("a")], [stream("a", "note")]) == "orders: + field note"


def test_selecting_all_fields_is_said() -> None:
    assert explained([stream("a")], [stream()]) == "orders: ~ all fields"
    assert explained([stream()], [stream("b", "a")]) == "orders: ~ only fields a, b"


def test_streams_that_come_and_go_are_named() -> None:
    assert explained([stream("a")], [stream("a", name="customers")]) == "+ stream customers; - stream orders"


def test_another_change_is_named_by_its_property() -> None:
    assert explained([stream("a")], [stream("a", syncMode="full_refresh_append")]) == "orders: ~ syncMode"
