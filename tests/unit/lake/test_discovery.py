"""From JSON Schema to a discovered stream, and to the text of its file."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.lake.discovered import (
    Discovered,
    file_text,
    files_of,
    in_file_order,
    parse_field,
    parse_fields,
)
from lotus_infra.lake.models import Field
from lotus_infra.naming import is_identifier
from tests.support.lakes import OWN_STREAMS, discovered

STRING, INTEGER, UNKNOWN = Field("string"), Field("integer"), Field("unknown")
TIME: Any = {"type": "string", "format": "date-time"}


def facts(**overrides: object) -> Discovered:
    return Discovered.model_validate(discovered(**overrides))


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"type": "string"}, STRING),
        ({"type": ["null", "string"]}, STRING),
        ({"type": ["string", "null", "integer"]}, Field(("string", "integer"))),
        ({"type": "null"}, Field("null")),
        ({"type": "string", "title": "T", "description": "D", "examples": ["e"], "airbyte_secret": True}, STRING),
        (
            {**TIME, "airbyte_type": "timestamp_with_timezone"},
            Field("string", format="date-time", airbyte_type="timestamp_with_timezone"),
        ),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, Field("object", properties={"a": INTEGER})),
        ({"type": "object", "properties": {}}, Field("object", properties={})),
        ({"properties": {"a": {}}}, Field("object", properties={"a": UNKNOWN})),
        ({"type": "array", "items": {"type": "integer"}}, Field("array", items=INTEGER)),
        ({"items": {"type": "integer"}}, Field("array", items=INTEGER)),
        ({"type": "array", "items": [{"type": "integer"}]}, Field("array")),
        ({"type": "array", "items": {}}, Field("array", items=UNKNOWN)),
        ({}, UNKNOWN),
        ({"enum": ["a", "b"]}, UNKNOWN),
        ({"$ref": "#/definitions/x"}, UNKNOWN),
        ({"$ref": "WellKnownTypes.json#/definitions/String"}, UNKNOWN),
        ({"type": "decimal"}, UNKNOWN),
        ({"type": ["string", "decimal"]}, UNKNOWN),
        ({"type": 7, "format": 7, "properties": 7}, UNKNOWN),
        (True, UNKNOWN),
        (None, UNKNOWN),
    ],
    ids=str,
)
def test_a_schema_becomes_a_field_of_the_lakes_files(schema: Any, field: Field) -> None:
    assert parse_field(schema) == field


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ([{"type": "null"}, {"type": "string"}], STRING),
        ([{"type": "string"}, {"type": ["null", "integer"]}, {"type": "string"}], Field(("string", "integer"))),
        ([{"type": "string"}, {}], UNKNOWN),
        ([{"type": "null"}], UNKNOWN),
        ([TIME, {"type": "null"}], Field("string", format="date-time")),
        ([TIME, {"type": "string"}], STRING),
        (
            [{"properties": {"a": {"type": "integer"}}}, {"properties": {"a": {"type": "string"}, "b": {}}}],
            Field("object", properties={"a": Field(("integer", "string")), "b": UNKNOWN}),
        ),
        (
            [{"type": "array", "items": {"type": "integer"}}, {"type": "string"}],
            Field(("array", "string"), items=INTEGER),
        ),
        ([], UNKNOWN),
        ("nonsense", UNKNOWN),
    ],
    ids=str,
)
def test_alternatives_are_a_list_of_types_and_null_is_none(keyword: str, choices: Any, field: Field) -> None:
    assert parse_field({keyword: choices}) == field


def test_a_schema_is_completed_by_its_branches() -> None:
    branch: Any = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}
    own: Any = {"type": ["null", "object"], "properties": {"b": {"type": "integer"}}}
    expected = Field("object", properties={"a": INTEGER, "b": INTEGER})

    assert parse_field({**own, "oneOf": [branch]}) == expected
    assert parse_field({**own, "allOf": [branch, {"required": ["a"]}]}) == expected
    assert parse_field({"allOf": [{"description": "D"}, TIME]}) == Field("string", format="date-time")


def test_a_stream_without_properties_has_no_fields() -> None:
    assert parse_fields({"type": "object"}) == {}
    assert parse_fields({}) == {}


def test_the_own_files_are_as_they_are_written() -> None:
    files = sorted(OWN_STREAMS.glob("*/_discovered/*.json"))

    assert len(files) == 59
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert file_text(Discovered.model_validate_json(text)) == text


def test_a_namespace_is_written_and_unset_keys_are_not() -> None:
    written = json.loads(file_text(facts(namespace="public", fields={"id": {"type": "integer"}})))

    assert written["namespace"] == "public"
    assert written["fields"] == {"id": {"type": "integer"}}
    assert "namespace" not in json.loads(file_text(facts()))
    assert json.loads(file_text(facts(options={"sync_modes": ["full_refresh"], "destination_sync_modes": ["append"]})))[
        "options"
    ] == {"sync_modes": ["full_refresh"]}


def test_known_fields_keep_their_places_and_new_ones_follow_in_the_sources_order() -> None:
    before = facts(fields={"b": TIME, "gone": TIME, "a": {"type": "object", "properties": {"y": TIME, "x": TIME}}})
    found = facts(
        fields={"new": TIME, "a": {"type": "object", "properties": {"n": TIME, "x": TIME, "y": TIME}}, "b": TIME}
    )

    fields = in_file_order(found, before).fields

    assert list(fields) == ["b", "a", "new"]
    assert list(fields["a"].properties or ()) == ["y", "x", "n"]


def test_a_file_keeps_its_schema_for_editors() -> None:
    before = Discovered.model_validate({"$schema": "../../.schema/discovered.json", **discovered()})

    assert file_text(in_file_order(facts(), before)).startswith('{\n  "$schema": "../../.schema/discovered.json",\n')


NAMES = st.sampled_from(["a", "b", "c", "type", "items", "properties"])
SCHEMAS = st.recursive(
    st.sampled_from([{"type": "string"}, TIME, {"type": ["null", "integer"]}, {}]),
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner).map(lambda fields: {"type": "object", "properties": fields}),
        inner.map(lambda items: {"type": "array", "items": items}),
        st.lists(inner, max_size=3).map(lambda choices: {"oneOf": choices}),
    ),
)


def shuffled(value: Any, random: Any) -> Any:
    if isinstance(value, list):
        return [shuffled(each, random) for each in value]
    if not isinstance(value, dict):
        return value
    names = list(value)
    random.shuffle(names)
    return {name: shuffled(value[name], random) for name in names}


@given(st.dictionaries(NAMES, SCHEMAS), st.randoms(use_true_random=False))
def test_the_same_fields_in_any_order_change_no_byte(properties: dict[str, Any], random: Any) -> None:
    before = facts(fields=parse_fields({"properties": properties}))
    again = facts(fields=parse_fields({"properties": shuffled(properties, random)}))

    read = Discovered.model_validate_json(file_text(before))

    assert file_text(in_file_order(again, read)) == file_text(before)


ODD_NAMES = {
    "Account": "account",
    "Sheet 1": "sheet_1",
    "app.users": "app_users",
    "ab-tests": "ab_tests",
    "Übersicht": "ubersicht",
    "表": "stream",
    "a/b": "a_b",
    "..": "stream",
    "_catalog": "catalog",
    ".hidden": "hidden",
    " padded": "padded",
    "tab\tbed": "tab_bed",
    "a:b": "a_b",
    "2024": "stream_2024",
    "tab__le_": "tab__le_",
    "con": "con",
}


@pytest.mark.parametrize(("name", "file"), ODD_NAMES.items())
def test_a_stream_of_any_name_has_a_file(name: str, file: str) -> None:
    named = files_of([facts(stream=name), facts()])

    assert [(each, named.files[each].stream) for each in named.files] == sorted([(file, name), ("orders", "orders")])
    assert named.left_out == ()


def names(streams: Sequence[Discovered], before: Mapping[str, Discovered | None] | None = None) -> dict[str, str]:
    """The files of streams, each with the stream's namespace and name."""
    found = files_of(streams, before or {})
    assert found.left_out == ()
    return {file: f"{each.namespace or ''}.{each.stream}" for file, each in found.files.items()}


def test_two_schemas_with_one_table_name_have_two_files() -> None:
    assert names([facts(namespace="public"), facts(namespace="sales"), facts(stream="users", namespace="sales")]) == {
        "public_orders": "public.orders",
        "sales_orders": "sales.orders",
        "users": "sales.users",
    }


def test_a_stream_keeps_its_file_whatever_appears_beside_it() -> None:
    ours = facts(namespace="public")

    assert names([ours, facts(namespace="sales")], {"orders": ours}) == {
        "orders": "public.orders",
        "sales_orders": "sales.orders",
    }
    assert names([ours], {"Orders.v1": ours, "orders": None}) == {"Orders.v1": "public.orders"}


def test_names_that_differ_only_where_files_cannot_have_numbers() -> None:
    alike = [facts(stream="Orders"), facts(stream="ORDERS"), facts(), facts(stream="表"), facts(stream="😀")]

    assert names(alike) == {
        "orders": ".orders",
        "orders_2": ".ORDERS",
        "orders_3": ".Orders",
        "stream": ".表",
        "stream_2": ".😀",
    }
    assert names([facts(stream="Orders")], {"orders_3": facts(stream="Orders")}) == {"orders_3": ".Orders"}


def test_a_number_is_never_that_of_another_stream() -> None:
    assert names([facts(stream="Orders"), facts(stream="orders_2"), facts()]) == {
        "orders": ".orders",
        "orders_2": ".orders_2",
        "orders_3": ".Orders",
    }


def test_a_name_of_any_length_has_a_file_that_disks_can_hold() -> None:
    long = ["x" * 3000 + "a", "x" * 3000 + "b"]

    found = names([facts(stream=name) for name in long])

    assert [each.removeprefix(".") for each in found.values()] == long
    assert all(len(file) < 200 for file in found)


@given(
    st.lists(
        st.tuples(
            st.none() | st.text(st.sampled_from("aA_ .2表é"), min_size=1, max_size=5),
            st.text(st.sampled_from("aA_ .2表é"), min_size=1, max_size=5),
        ),
        unique=True,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_files_are_distinct_identifiers_that_do_not_depend_on_the_order(streams: list[Any], random: Any) -> None:
    offered = [facts(stream=name, namespace=namespace) for namespace, name in streams]
    first = files_of(offered).files

    assert len({file.casefold() for file in first}) == len(offered)
    assert all(is_identifier(file) for file in first)
    assert {each.stream: file for file, each in first.items() if is_identifier(each.stream) and not each.namespace} == {
        name: name for namespace, name in streams if is_identifier(name) and not namespace
    }
    random.shuffle(offered)
    assert files_of(offered).files == first
    part = offered[: len(offered) // 2]
    known = files_of(part).files
    assert {file: each for file, each in files_of(offered, known).files.items() if each in part} == known


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "its name is empty"),
        ("a\0b", "its name has a NUL character"),
        ("\ud800", "its name has characters that UTF-8 can't encode"),
    ],
)
def test_a_name_that_no_file_can_hold_is_reported(name: str, reason: str) -> None:
    found = files_of([facts(stream=name), facts()])

    assert [(each.stream, why) for each, why in found.left_out] == [(name, reason)]
    assert list(found.files) == ["orders"]


def test_a_stream_that_is_offered_twice_is_reported_once() -> None:
    found = files_of([facts(), facts(), facts(fields={})])

    assert [why for _, why in found.left_out] == ["the source has it twice, with different schemas"]
    assert list(found.files) == ["orders"]


def test_characters_that_no_file_can_hold_are_reported() -> None:
    odd = facts().model_copy(
        update={"fields": parse_fields({"properties": {"a": {"type": "string", "format": "\ud800"}}})}
    )

    [(_, reason)] = files_of([odd]).left_out

    assert reason == "its schema has characters that UTF-8 can't encode"


def nested(levels: int) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def test_a_schema_that_no_command_could_read_again_has_no_file() -> None:
    deep = facts().model_copy(update={"fields": {"a": parse_field(nested(60))}})
    wide = facts().model_copy(update={"fields": {f"field_{number}": STRING for number in range(250_000)}})
    assert [reason for _, reason in files_of([deep]).left_out] == [
        "its schema nests objects and lists deeper than 100 levels"
    ]
    assert [reason for _, reason in files_of([wide]).left_out] == ["its schema has more than 8 MB"]
