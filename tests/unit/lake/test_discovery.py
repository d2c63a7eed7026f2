"""From JSON Schema to a discovered stream, and to the text of its file."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.lake.discovered import (
    Discovered,
    file_text,
    in_file_order,
    parse_field,
    parse_fields,
    unwritable_streams,
)
from lotus_infra.lake.models import Field
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


@pytest.mark.parametrize(
    "name", ["a/b", "..", "_catalog", ".hidden", "", " padded", "tab\tbed", "x" * 201, "a:b", "\ud800"]
)
def test_a_name_that_no_file_can_have_is_reported(name: str) -> None:
    [(stream, reason)] = unwritable_streams([facts(stream=name), facts()])

    assert (stream.stream, reason) == (name, "its name can't be that of a file")


@pytest.mark.parametrize("name", ["orders", "Account", "Übersicht", "public.orders", "with blank"])
def test_other_names_are_fine(name: str) -> None:
    assert list(unwritable_streams([facts(stream=name)])) == []


def test_streams_that_would_share_a_file_are_reported_on_every_disk() -> None:
    both = [facts(namespace="public"), facts(namespace="sales")]
    assert [reason for _, reason in unwritable_streams(both)] == [
        "the source has it in several namespaces (public, sales)"
    ] * 2

    alike = [facts(stream="Orders"), facts(stream="orders")]
    assert [reason for _, reason in unwritable_streams(alike)] == [
        "Orders and orders would be one file on a disk that ignores case"
    ] * 2


def test_characters_that_no_file_can_hold_are_reported() -> None:
    odd = facts().model_copy(
        update={"fields": parse_fields({"properties": {"a": {"type": "string", "format": "\ud800"}}})}
    )

    [(_, reason)] = unwritable_streams([odd])

    assert reason == "its schema has characters that UTF-8 can't encode"


def nested(levels: int) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def test_a_schema_that_no_command_could_read_again_has_no_file() -> None:
    deep = facts().model_copy(update={"fields": {"a": parse_field(nested(60))}})
    wide = facts().model_copy(update={"fields": {f"field_{number}": STRING for number in range(250_000)}})
    assert [reason for _, reason in unwritable_streams([deep])] == [
        "its schema nests objects and lists deeper than 100 levels"
    ]
    assert [reason for _, reason in unwritable_streams([wide])] == ["its schema has more than 8 MB"]
