"""The output of a preview, in both of the engine's forms."""

import json
from collections.abc import Mapping

import pytest
from airbyte_model.streams import key_of
from pulumi_airbyte.values import render_path

from lotus_infra.errors import LotusError
from lotus_infra.plan.preview import Step, parse_property_path, read_preview
from lotus_infra.plan.streams import streams

URN = "urn:pulumi:prod::lotus::lotus:airbyte:Pipeline$airbyte:index/connection:Connection::shopify"
OLD = {"id": "c1", "parent": "urn:pulumi:prod::lotus::lotus:airbyte:Pipeline::shopify", "protect": True, "inputs": {}}
NEW = {"inputs": {"prefix": "x_"}, "outputs": None}


def digest(**overrides: object) -> str:
    step = {
        "op": "update",
        "urn": URN,
        "oldState": OLD,
        "newState": NEW,
        "diffReasons": ["prefix"],
        "replaceReasons": None,
        "detailedDiff": {"prefix": {"kind": "add", "inputDiff": True}},
    }
    messages = [{"urn": URN, "message": "orders: - field tags\n", "severity": "info"}]
    document = {"steps": [step], "diagnostics": messages, "changeSummary": {"update": 1}} | overrides
    return json.dumps(document, indent=2)


def events(*more: Mapping[str, object]) -> str:
    metadata = {
        "op": "update",
        "urn": URN,
        "old": OLD,
        "new": NEW,
        "diffs": ["prefix"],
        "keys": None,
        "detailedDiff": {"prefix": {"diffKind": "add", "inputDiff": True}},
    }
    refresh = {"op": "refresh", "urn": URN, "old": OLD, "new": OLD}
    given: list[Mapping[str, object]] = [
        {"diagnosticEvent": {"severity": "debug", "message": "noise"}},
        {"resourcePreEvent": {"metadata": refresh}},
        {"resOutputsEvent": {"metadata": refresh}},
        {"resourcePreEvent": {"metadata": metadata}},
        {"diagnosticEvent": {"urn": URN, "message": "orders: - field tags\n", "severity": "info"}},
        {"resOutputsEvent": {"metadata": metadata}},
        *more,
    ]
    return "".join(json.dumps({"sequence": number, **event}) + "\n" for number, event in enumerate(given))


SUMMARY = {"summaryEvent": {"resourceChanges": {"update": 1}}}


def changed(text: str) -> Step:
    [step] = [step for step in read_preview(text).steps if not step.quiet]
    return step


def test_a_digest_and_the_events_of_one_preview_are_equal() -> None:
    assert changed(digest()) == changed(events(SUMMARY))
    assert read_preview(digest()).diagnostics == read_preview(events(SUMMARY)).diagnostics


def test_a_step_knows_its_resource_and_what_differs() -> None:
    step = changed(digest())
    assert (step.type, step.name) == ("airbyte:index/connection:Connection", "shopify")
    assert step.old is not None
    assert step.old.protect
    assert step.diff_reasons == ("prefix",)
    assert step.detailed_diff["prefix"].kind == "add"
    assert read_preview(digest()).messages_of(URN) == ("orders: - field tags",)


def test_a_name_may_have_colons() -> None:
    assert Step(op="same", urn=f"{URN}::eu").name == "shopify::eu"


def test_a_refresh_is_one_step_and_changes_nothing() -> None:
    steps = read_preview(events(SUMMARY)).steps
    assert [step.op for step in steps] == ["refresh", "update"]
    assert steps[0].quiet


def test_a_preview_that_did_not_finish_is_incomplete() -> None:
    error = [{"message": "no such stream", "severity": "error"}]
    assert read_preview(digest()).complete
    assert read_preview(events(SUMMARY)).complete
    assert not read_preview(events()).complete
    assert not read_preview(digest(changeSummary=None)).complete
    assert not read_preview(digest(diagnostics=error)).complete
    assert read_preview(digest(diagnostics=error)).errors == ("no such stream",)


def test_errors_about_airbytes_objects_have_hints_of_their_own() -> None:
    urns = {
        "": "blob: AccessDenied",
        "urn:pulumi:prod::lotus::lotus:zone:LandingZone$aws:s3/bucketV2:BucketV2::landing": "AccessDenied",
        "urn:pulumi:prod::lotus::airbyte:index/destination:Destination::s3": "the check failed: AccessDenied",
        "urn:pulumi:prod::lotus::lotus:airbyte:Pipeline$airbyte:index/source:Source::shop": "AccessDenied (Shop)",
    }
    messages = [{"message": text, "severity": "error", "urn": urn} for urn, text in urns.items()]
    found = read_preview(digest(diagnostics=messages))
    assert len(found.errors) == 4
    assert found.errors_without_hints == ("blob: AccessDenied", "AccessDenied")


@pytest.mark.parametrize("text", ["[]", "{\n}x", "what is this", '{"resourcePreEvent": {"metadata": 1}}'])
def test_anything_else_is_refused_with_one_error(text: str) -> None:
    with pytest.raises(LotusError, match="not what `pulumi preview --json` prints"):
        read_preview(text)


def test_streams_of_a_connection_are_typed_and_canonical() -> None:
    given = {"streams": [{"name": "orders", "syncMode": "incremental_append", "cursorField": ["updated_at"],
                         "primaryKey": [["id"]], "selectedFields": ["updated_at", "id"], "mappers": []}]}  # fmt: skip
    [stream] = (streams({"configurations": json.dumps(given)}) or {}).values()
    assert stream.key == "orders"
    assert stream.primary_key == (("id",),)
    assert stream.selected_fields == ("id", "updated_at")
    assert stream.others == {}
    assert streams({}) == {}


def test_invalid_streams_are_refused() -> None:
    with pytest.raises(LotusError, match="configurations"):
        streams({"configurations": "{"})


@pytest.mark.parametrize("name", ["orders", "sales.orders", 'a"b', "größe", "a\\b"])
def test_the_path_of_a_token_names_its_stream_whatever_is_in_the_name(name: str) -> None:
    for key in (name, key_of(("sales", name))):
        assert parse_property_path(render_path(("backfills", key))) == ("backfills", key)
