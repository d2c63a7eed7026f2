"""Which changes of inputs are differences, what they are called, and which need a new object."""

from typing import Any, cast

import pytest
from pulumi_airbyte.provider.connection_inputs import canonical
from pulumi_airbyte.provider.properties import UNKNOWN, Property, Secret

from tests.provider.lake import Lake, stream
from tests.provider.plugin import NOTHING, Difference, Plugin

MASK = "*" * 10
CRON = {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"}
OTHER = "5a1c0f1e-0000-4000-8000-0000000000ff"
TAG_IDS = ((f"{OTHER[:-1]}1", "f"), (f"{OTHER[:-1]}2", "a"))
TAGS = [{"tagId": tag, "name": f"tag {tag}", "color": color, "workspaceId": OTHER} for tag, color in TAG_IDS]
CONNECTION: list[tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = [
    ({}, {"name": "other"}, {"name": "update"}),
    ({}, {"sourceId": OTHER}, {"sourceId": "update-replace"}),
    ({}, {"destinationId": OTHER}, {"destinationId": "update-replace"}),
    ({}, {"sourceId": UNKNOWN}, {"sourceId": "update-replace"}),
    ({}, {"schedule": CRON}, {"schedule": "add"}),
    ({"schedule": CRON}, {}, {"schedule": "delete"}),
    ({"schedule": CRON}, {"schedule": {"scheduleType": "manual"}}, {"schedule": "delete"}),
    (
        {"schedule": CRON},
        {"schedule": CRON | {"cronExpression": "0 30 * * * ?"}},
        {"schedule.cronExpression": "update"},
    ),
    ({}, {"namespaceDefinition": "source"}, {"namespaceDefinition": "add"}),
    ({"namespaceDefinition": "source"}, {"namespaceDefinition": "custom_format"}, {"namespaceDefinition": "update"}),
    ({"namespaceDefinition": "source"}, {}, {"namespaceDefinition": "delete"}),
    ({"namespaceFormat": "a"}, {}, {"namespaceFormat": "delete"}),
    ({"prefix": "a_"}, {}, {"prefix": "delete"}),
    ({"prefix": "a_"}, {"prefix": ""}, {"prefix": "delete"}),
    (
        {},
        {"nonBreakingSchemaUpdatesBehavior": "propagate_columns"},
        {"nonBreakingSchemaUpdatesBehavior": "add"},
    ),
    ({}, {"status": "inactive"}, {"status": "add"}),
    ({"status": "inactive"}, {"status": "active"}, {"status": "delete"}),
    ({}, {"tags": TAGS}, {"tags": "add"}),
    ({"tags": TAGS}, {}, {"tags": "delete"}),
    ({"tags": TAGS}, {"tags": TAGS[:1]}, {"tags": "update"}),
    ({}, {"configurations": UNKNOWN}, {"configurations": "update"}),
]
ONE_TEXT = Difference(some=True, properties=["configurations"], replaces=[], detail={"configurations": "update"})
STREAMS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"syncMode": "incremental_append"}),
    ({"syncMode": "incremental_append", "cursorField": ["updated_at"]}, {"cursorField": ["id"]}),
    ({"syncMode": "incremental_append", "cursorField": ["updated_at"]}, {"cursorField": ...}),
    ({"syncMode": "incremental_deduped_history", "primaryKey": [["id"]]}, {"primaryKey": [["id"], ["name"]]}),
    ({"syncMode": "incremental_deduped_history", "primaryKey": [["id"]]}, {"primaryKey": ...}),
    ({}, {"selectedFields": ["id", "name"]}),
    ({}, {"selectedFields": ["id", "name", "updated_at", "note"]}),
    ({}, {"selectedFields": ...}),
    ({"selectedFields": ...}, {"selectedFields": ["id"]}),
    ({"mappers": [{"type": "field-filtering", "mapperConfiguration": {"targetField": "name"}}]}, {"mappers": ...}),
    ({}, {"includeFiles": True}),
    ({}, {"destinationObjectName": "o"}),
    ({}, {"namespace": "n"}),
    ({}, {"name": "other"}),
]


def compared(plugin: Plugin, lake: Lake, old: dict[str, Any], new: dict[str, Any]) -> Difference:
    """The difference between two connections, both checked."""
    before = plugin.checked("connection", lake.connection(**old))
    return plugin.diff("connection", before, plugin.checked("connection", lake.connection(**new)))


@pytest.mark.parametrize(("old", "new", "detail"), CONNECTION, ids=[f"{old} to {new}" for old, new, _ in CONNECTION])
def test_a_changed_property_of_a_connection_is_a_difference_at_its_path(
    plugin: Plugin, lake: Lake, old: dict[str, Any], new: dict[str, Any], detail: dict[str, str]
) -> None:
    found = compared(plugin, lake, old, new)
    assert found.detail == detail
    assert found.properties == sorted({path.partition(".")[0] for path in detail})
    assert found.replaces == [path for path, kind in detail.items() if kind.endswith("replace")]


@pytest.mark.parametrize(("old", "change"), STREAMS, ids=[f"{old} then {change}" for old, change in STREAMS])
def test_a_changed_stream_is_an_update_of_the_one_text(
    plugin: Plugin, lake: Lake, old: dict[str, Any], change: dict[str, Any]
) -> None:
    before, after = [stream(**old)], [stream(**(old | change))]
    found = compared(plugin, lake, {"configurations": before}, {"configurations": after})
    assert found == ONE_TEXT


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"configurations": [stream("a"), stream("b")]}, {"configurations": [stream("b"), stream("a")]}),
        ({"configurations": [stream()]}, {"configurations": [stream(selectedFields=["updated_at", "name", "id"])]}),
        ({"configurations": [stream(cursorField=["id"])]}, {"configurations": [stream()]}),
        ({"configurations": [stream(primaryKey=[["id"]])]}, {"configurations": [stream()]}),
        ({"schedule": CRON}, {"schedule": CRON | {"cronExpression": "0 0 * * * ? UTC"}}),
        ({"status": "active"}, {}),
        ({"tags": TAGS}, {"tags": [dict(reversed(tag.items())) for tag in reversed(TAGS)]}),
        ({"prefix": "p"}, {"prefix": Secret("p")}),
    ],
    ids=str,
)
def test_what_means_the_same_is_no_difference(
    plugin: Plugin, lake: Lake, old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert compared(plugin, lake, old, new) == NOTHING


@pytest.mark.parametrize("key", ["tagId", "name", "color"])
@pytest.mark.parametrize("way", [1, -1])
def test_tags_are_in_order_of_their_ids_whichever_key_comes_first(key: str, way: int) -> None:
    tags = [{key: tag[key]} | tag for tag in TAGS[::way]]
    assert canonical({"tags": cast("Property", tags)}) == {"tags": TAGS}


def test_inputs_of_another_version_are_compared_by_what_they_mean(plugin: Plugin, lake: Lake) -> None:
    now = plugin.checked("connection", lake.connection(stream(), status="active"))
    before = now | {"configurations": {"streams": [stream(mappers=[])]}, "prefix": "", "schedule": None}
    assert plugin.diff("connection", before, now) == NOTHING


ACTOR: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {}),
    ({"name": "other"}, {"name": "update"}),
    ({"workspaceId": OTHER}, {"workspaceId": "update-replace"}),
    ({"definitionId": OTHER}, {"definitionId": "update-replace"}),
    ({"definitionId": UNKNOWN}, {"definitionId": "update-replace"}),
    ({"resourceAllocation": {"default": {"cpu_limit": "1"}}}, {"resourceAllocation": "add"}),
    ({"configuration": UNKNOWN}, {"configuration": "update"}),
    ({"configuration": {"host": "other"}}, {"configuration.host": "update", "configuration.keys": "delete"}),
    ({"configuration": {"host": "h", "keys": [{"a.b": 1}, 3]}}, {'configuration.keys[0]["a.b"]': "update"}),
    ({"configuration": {"host": "h", "keys": [{"a.b": 2}]}}, {"configuration.keys": "update"}),
    ({"configuration": {"host": "h", "keys": [{"a.b": 2}, 3], "new": {"x": 1}}}, {"configuration.new": "add"}),
    ({"configuration": {"host": "h", "keys": [{"a.b": 2.0}, 3], "null": None, "sourceType": "lab"}}, {}),
]


@pytest.mark.parametrize(("change", "detail"), ACTOR, ids=[str(change) for change, _ in ACTOR])
def test_a_changed_property_of_a_source_is_a_difference_at_its_path(
    plugin: Plugin, lake: Lake, change: dict[str, Any], detail: dict[str, str]
) -> None:
    before = lake.source() | {"configuration": {"host": "h", "keys": [{"a.b": 2}, 3]}, "name": "n"}
    assert plugin.diff("source", before, before | change).detail == detail


def test_a_rotated_secret_is_one_update_that_names_its_place(plugin: Plugin, lake: Lake) -> None:
    old = plugin.checked("source", lake.source(code="one"))
    new = plugin.checked("source", lake.source(code="two"))
    assert plugin.diff("source", old, new).detail == {"configuration.code": "update"}


def test_a_mask_from_an_import_equals_any_value_but_none(plugin: Plugin, lake: Lake) -> None:
    imported = lake.source(credentials={"method": "token", "token": Secret(MASK)})
    assert plugin.diff("source", imported, lake.source()) == NOTHING
    without = lake.source(credentials={"method": "token"})
    assert plugin.diff("source", imported, without).detail == {"configuration.credentials.token": "delete"}


FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"


def by_type(lake: Lake, name: str, **configuration: Any) -> dict[str, Any]:
    return {"workspaceId": lake.twin.workspace_id, "configuration": {"sourceType": name} | configuration}


def test_another_connector_needs_a_new_source_by_whichever_name(plugin: Plugin, lake: Lake) -> None:
    old = plugin.made("source", by_type(lake, "faker"))
    found = plugin.diff("source", old.inputs, plugin.checked("source", by_type(lake, "lab")), old.outputs)
    assert found.detail == {"configuration.sourceType": "update-replace"}

    new = plugin.checked("source", lake.source() | {"configuration": {}})
    found = plugin.diff("source", old.inputs, new, old.outputs)
    assert found.detail == {"definitionId": "add-replace", "configuration.sourceType": "delete-replace"}


def test_naming_the_same_connector_in_the_other_way_is_no_difference(plugin: Plugin, lake: Lake) -> None:
    named = lake.source() | {"definitionId": FAKER, "configuration": {"count": 3}}
    old = plugin.made("source", by_type(lake, "faker", count=3))
    new = plugin.checked("source", named)
    assert plugin.diff("source", old.inputs, new, old.outputs) == NOTHING

    old = plugin.made("source", named | {"name": "another"})
    new = plugin.checked("source", by_type(lake, "faker", count=3) | {"name": "another"})
    assert plugin.diff("source", old.inputs, new, old.outputs) == NOTHING


def test_a_workspace_is_updated_in_place_but_not_moved(plugin: Plugin) -> None:
    old = {"name": "a", "notifications": {"failure": {"email": {"enabled": True}}}}
    new = {"name": "b", "organizationId": "o", "notifications": {"failure": {"email": {"enabled": False}}}}
    assert plugin.diff("workspace", old, new).detail == {
        "name": "update",
        "notifications.failure.email.enabled": "update",
        "organizationId": "add-replace",
    }


def test_a_diff_asks_the_server_nothing(plugin: Plugin, lake: Lake) -> None:
    plugin.diff("connection", lake.connection(), lake.connection(prefix="p"))
    assert lake.asked() == []
