"""Changes in place: which call, with what in it."""

import json
from typing import Any

import pytest
from pulumi_airbyte.provider.properties import Secret

from tests.provider.lake import TOKEN, Lake, stream
from tests.provider.plugin import Object, Plugin, error
from tests.provider.refresh import assert_clean

CRON = {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"}
MANUAL = {"scheduleType": "manual"}
IN_PLACE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"name": "other"}),
    ({}, {"schedule": CRON}),
    ({"schedule": CRON}, {"schedule": CRON | {"cronExpression": "0 30 * * * ?"}}),
    ({"schedule": CRON}, {"schedule": MANUAL}),
    ({"schedule": CRON}, {}),
    ({}, {"namespaceDefinition": "custom_format", "namespaceFormat": "a"}),
    ({"namespaceDefinition": "custom_format", "namespaceFormat": "a"}, {}),
    ({"prefix": "a_"}, {"prefix": "b_"}),
    ({"prefix": "a_"}, {}),
    ({"nonBreakingSchemaUpdatesBehavior": "propagate_fully"}, {}),
    ({}, {"nonBreakingSchemaUpdatesBehavior": "disable_connection"}),
    ({}, {"status": "inactive"}),
    ({"status": "inactive"}, {}),
    ({}, {"prefix": "a_", "status": "inactive", "name": "other", "schedule": CRON}),
]


def test_a_source_is_read_written_in_one_put_and_its_secrets_versions_are_read(plugin: Plugin, lake: Lake) -> None:
    allocation = {"default": {"cpu_limit": "1"}}
    made = plugin.made("source", lake.source(port=1, code="1234") | {"resourceAllocation": allocation})
    new = plugin.checked("source", lake.source(host="other") | {"name": "renamed"})
    lake.twin.clear_calls()
    updated = plugin.update("source", made, new)
    assert lake.asked() == [f"GET /sources/{made.id}", f"PUT /sources/{made.id}", f"GET /sources/{made.id}"]

    live = lake.live("sources", made.id)
    assert live["name"] == "renamed"
    assert live["configuration"] == {"host": "other", "credentials": {"method": "token", "token": "*" * 10}}
    assert "resourceAllocation" not in live
    assert_clean(plugin, "source", updated)


def test_resources_of_a_source_can_be_set_changed_and_taken_off(plugin: Plugin, lake: Lake) -> None:
    known = plugin.made("source", lake.source())
    for allocation in ({"default": {"cpu_limit": "1"}}, {"default": {"cpu_limit": "2"}}, None):
        known = plugin.update(
            "source", known, plugin.checked("source", lake.source() | {"resourceAllocation": allocation})
        )
        assert lake.live("sources", known.id).get("resourceAllocation") == (
            allocation and allocation | {"jobSpecific": []}
        )
        assert_clean(plugin, "source", known)


def test_a_rotated_secret_reaches_the_server(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("destination", lake.destination(key="value-before-rotation"))
    updated = plugin.update("destination", made, plugin.checked("destination", lake.destination(key="value-after-it")))
    assert "value-after-it" in [secret.value for secret in lake.twin.store.secrets]
    assert_clean(plugin, "destination", updated)


@pytest.mark.parametrize(("old", "new"), IN_PLACE, ids=[f"{old} to {new}" for old, new in IN_PLACE])
def test_a_changed_connection_is_one_patch_and_clean_after_it(
    plugin: Plugin, lake: Lake, old: dict[str, Any], new: dict[str, Any]
) -> None:
    made = plugin.made("connection", lake.connection(**old))
    inputs = plugin.checked("connection", lake.connection(**new))
    lake.twin.clear_calls()
    updated = plugin.update("connection", made, inputs)
    patches = [call for call in lake.asked() if not call.startswith("GET")]
    assert patches == [f"PATCH /connections/{made.id}"]
    assert_clean(plugin, "connection", updated)


def test_tags_can_be_put_on_changed_and_taken_off(plugin: Plugin, lake: Lake) -> None:
    first, second = lake.tag("first", "111111"), lake.tag("second", "222222")
    known = plugin.made("connection", lake.connection(tags=[first]))
    for tags in ([first, second], [second], []):
        known = plugin.update("connection", known, plugin.checked("connection", lake.connection(tags=tags)))
        assert {tag["name"] for tag in lake.live("connections", known.id)["tags"]} == {tag["name"] for tag in tags}
        assert_clean(plugin, "connection", known)


def test_what_did_not_change_is_not_sent(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection())
    lake.api("PATCH", f"/connections/{made.id}", {"status": "inactive", "namespaceFormat": "x"})
    lake.drift("temper", actorId=lake.source_id, discoverFailure="no discovery is needed for this")
    lake.twin.store.discoveries.drop(lake.source_id)
    plugin.update("connection", made, plugin.checked("connection", lake.connection(prefix="p_")))
    live = lake.live("connections", made.id)
    assert (live["prefix"], live["status"], live["namespaceFormat"]) == ("p_", "inactive", "x")
    lake.drift("temper", actorId=lake.source_id)


STREAM_CHANGES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (stream(), stream(selectedFields=...), {"selectedFields": []}),
    (stream(), stream(selectedFields=["id"]), {"selectedFields": [{"fieldPath": ["id"]}]}),
    (
        stream("cursor_default", syncMode="incremental_append", cursorField=["id"]),
        stream("cursor_default", syncMode="incremental_append"),
        {"cursorField": ["updated_at"]},
    ),
    (
        stream(syncMode="incremental_append", cursorField=["id"], primaryKey=[["id"]]),
        stream(syncMode="incremental_append", cursorField=["id"]),
        {"primaryKey": []},
    ),
    (
        stream(mappers=[{"type": "field-filtering", "mapperConfiguration": {"targetField": "name"}}]),
        stream(),
        {"mappers": []},
    ),
]


@pytest.mark.parametrize(("old", "new", "live"), STREAM_CHANGES, ids=[str(live) for _, _, live in STREAM_CHANGES])
def test_what_code_un_sets_in_a_stream_is_un_set_on_the_server(
    plugin: Plugin, lake: Lake, old: dict[str, Any], new: dict[str, Any], live: dict[str, Any]
) -> None:
    made = plugin.made("connection", lake.connection(old))
    updated = plugin.update("connection", made, plugin.checked("connection", lake.connection(new)))
    [found] = lake.live("connections", made.id)["configurations"]["streams"]
    assert found | live == found
    assert_clean(plugin, "connection", updated)


def test_a_previewed_update_is_no_call_and_keeps_the_outputs(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    lake.twin.clear_calls()
    assert plugin.update("source", made, lake.source(host="other"), preview=True).outputs == made.outputs
    assert lake.asked() == []


def test_a_workspace_is_renamed_in_place(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("workspace", {})
    updated = plugin.update("workspace", made, {"name": "renamed"})
    assert lake.live("workspaces", made.id)["name"] == "renamed"
    assert_clean(plugin, "workspace", updated)


@pytest.mark.parametrize("change", [{"prefix": "p_"}, {"status": "inactive"}], ids=str)
def test_a_connection_that_somebody_deleted_is_not_brought_back_half_alive(
    plugin: Plugin, lake: Lake, change: dict[str, Any]
) -> None:
    made = plugin.made("connection", lake.connection())
    lake.api("DELETE", f"/connections/{made.id}")
    message = error(lambda: plugin.update("connection", made, made.inputs | change))
    assert "does not exist any more" in message
    assert "Run `pulumi refresh`" in message
    assert lake.live("connections", made.id)["status"] == "deprecated"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("source", 'The source "other" ({id}) does not exist any more.'),
        ("destination", 'The destination "other" ({id}) does not exist any more.'),
        ("workspace", 'The workspace "other" ({id}) does not exist any more.'),
    ],
)
def test_an_update_of_what_somebody_deleted_advises_to_refresh(
    plugin: Plugin, lake: Lake, kind: str, said: str
) -> None:
    given = {"source": lake.source(), "destination": lake.destination(), "workspace": {}}
    made = plugin.made(kind, given[kind])
    lake.api("DELETE", f"/{kind}s/{made.id}")
    lake.twin.clear_calls()
    message = error(lambda: plugin.update(kind, made, made.inputs | {"name": "other"}))
    assert message.startswith(said.format(id=made.id))
    assert "Run `pulumi refresh`" in message
    assert [call for call in lake.asked() if call.startswith("PUT")] == []


def test_a_locked_connection_is_an_error_with_advice(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection())
    lake.drift("connection_status", connectionId=made.id, status="locked")
    message = error(lambda: plugin.update("connection", made, made.inputs | {"prefix": "p_"}))
    assert "409" in message
    assert "The connection is locked by the server" in message


def test_no_error_shows_a_secret_that_the_server_repeats(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    plugin.configure(serverUrl=lake.twin.public_url)
    lake.fault(path="/source_definition_specifications/", status=404, times=None)
    bad = lake.source(port="12 is not a number", credentials={"method": Secret(TOKEN), "token": Secret(TOKEN)})
    message = error(lambda: plugin.update("source", made, plugin.checked("source", bad)))
    assert "422" in message
    assert TOKEN not in message


def test_an_object_is_found_again_by_what_the_engine_keeps_as_json(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection())
    kept = Object(made.id, json.loads(json.dumps(made.inputs)), json.loads(json.dumps(made.outputs)))
    assert_clean(plugin, "connection", kept)
