"""The canonical form of a connection's streams."""

import json
from typing import Any

import pytest
from airbyte_model.modes import SYNC_MODES
from airbyte_model.streams import ConfigurationError, parse, to_request, to_text
from hypothesis import given
from hypothesis import strategies as st


def stream(**overrides: Any) -> dict[str, Any]:
    clean = {
        "name": "orders",
        "syncMode": "incremental_append",
        "cursorField": ["updated_at"],
        "primaryKey": [["id"]],
        "selectedFields": ["updated_at", "id"],
    }
    return {key: value for key, value in (clean | overrides).items() if value is not ...}


def one(**overrides: Any) -> dict[str, Any]:
    [found] = parse([stream(**overrides)]).values()
    return dict(found)


def test_selected_fields_are_sorted_whatever_their_spelling() -> None:
    as_paths = [{"fieldPath": ["updated_at"]}, {"fieldPath": ["id"]}]
    assert one(selectedFields=as_paths) == one(selectedFields=["id", "updated_at"])


def test_a_cursor_that_the_mode_drops_is_left_out() -> None:
    assert "cursorField" not in one(syncMode="full_refresh_append")
    assert one()["cursorField"] == ["updated_at"]


def test_a_key_that_the_mode_drops_is_left_out() -> None:
    kept = {mode for mode in SYNC_MODES if "primaryKey" in one(syncMode=mode)}
    assert set(SYNC_MODES) - kept == {"full_refresh_overwrite", "full_refresh_append"}


def test_a_stream_without_a_mode_has_the_servers_default() -> None:
    assert one(syncMode=...)["syncMode"] == "full_refresh_overwrite"


def test_what_the_server_reads_back_for_nothing_is_nothing() -> None:
    noise = {"mappers": [], "includeFiles": False, "namespace": None}
    assert one(**noise) == one()


def test_ids_of_mappers_are_no_difference() -> None:
    mapper = {"type": "hashing", "mapperConfiguration": {"method": "SHA-256"}}
    assert one(mappers=[mapper | {"id": "1"}]) == one(mappers=[mapper | {"id": "2"}])


def test_streams_are_in_order_of_their_names() -> None:
    there = [stream(name=name) for name in "cab"]
    assert list(parse(there)) == ["a", "b", "c"]


def test_a_name_in_two_namespaces_is_two_streams() -> None:
    there = [stream(namespace="b"), stream(namespace="a")]
    assert list(parse(there)) == ['["a","orders"]', '["b","orders"]']


def test_a_dot_in_a_name_joins_nothing() -> None:
    there = [stream(name="sales.orders", namespace="dbo"), stream(namespace="sales"), stream(namespace="hr")]
    assert list(parse(there)) == ['["hr","orders"]', '["sales","orders"]', '["dbo","sales.orders"]']


@given(st.lists(st.sampled_from(["", "a", "b"]), unique=True, min_size=2))
def test_the_key_of_a_stream_depends_on_no_other_stream(namespaces: list[str]) -> None:
    alone = [next(iter(parse([stream(namespace=each)]))) for each in namespaces]
    assert sorted(parse([stream(namespace=each) for each in namespaces])) == sorted(alone)


def test_the_text_of_equal_streams_is_equal() -> None:
    left, right = stream(), stream(selectedFields=["id", "updated_at"], mappers=[])
    assert to_text(parse({"streams": [left]})) == to_text(parse(json.dumps({"streams": [right]})))


def test_the_request_spells_fields_as_paths() -> None:
    request: Any = to_request(parse([stream()]))
    assert request["streams"][0]["selectedFields"] == [{"fieldPath": ["id"]}, {"fieldPath": ["updated_at"]}]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("{", "not valid JSON"),
        ({"streams": []}, "names no stream"),
        ({}, "names no stream"),
        ({"stream": []}, "unknown key 'stream'"),
        ([stream(), stream(namespace="")], "names stream 'orders' twice"),
        ([stream(namespace="a"), stream(namespace="a")], "names stream 'orders .namespace a.' twice"),
        ([stream(name="")], "without a name"),
        ([stream(syncMode="append")], "unknown syncMode"),
        ([stream(cursor=["a"])], "unknown key 'cursor'"),
        ([stream(selectedFields=["id", "id"])], "'id' twice"),
        ([stream(selectedFields=[{"fieldPath": ["a", "b"]}])], "only top-level"),
        ([stream(selectedFields=[3])], "give the name"),
    ],
)
def test_what_the_server_would_refuse_is_refused_with_a_reason(value: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        parse(value)


@given(st.permutations(["id", "a", "b", "c"]), st.permutations(["x", "y", "z"]))
def test_no_order_of_fields_or_streams_changes_the_text(fields: list[str], names: list[str]) -> None:
    there = [stream(name=name, selectedFields=fields) for name in names]
    straight = [stream(name=name, selectedFields=sorted(fields)) for name in sorted(names)]
    assert to_text(parse(there)) == to_text(parse(straight))


@given(st.permutations(["id", "a", "b", "c"]))
def test_the_canonical_form_of_the_canonical_form_is_itself(fields: list[str]) -> None:
    text = to_text(parse([stream(selectedFields=fields)]))
    assert to_text(parse(text)) == text
