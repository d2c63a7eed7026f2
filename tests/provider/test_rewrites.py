"""Connections are clean after they were applied, and no change on the server goes unseen."""

import pytest

from tests.provider.lab import FILE_SOURCE
from tests.provider.lake import Document, Lake, stream
from tests.provider.plugin import Plugin
from tests.provider.refresh import assert_clean, drifted
from tests.provider.rewrites import ROWS, Row, incremental

CRON = {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"}
LATER: Document = {"schedule": {"scheduleType": "cron", "cronExpression": "0 30 * * * ?"}}
CONNECTIONS: dict[str, tuple[Document, Document, str]] = {
    "no schedule": ({}, LATER, "schedule"),
    "a manual schedule": ({"schedule": {"scheduleType": "manual"}}, LATER, "schedule"),
    "a cron schedule": ({"schedule": CRON}, LATER, "schedule.cronExpression"),
    "a cron schedule that stops": ({"schedule": CRON}, {"schedule": {"scheduleType": "manual"}}, "schedule"),
    "a cron schedule with its zone": (
        {"schedule": CRON | {"cronExpression": "0 0 * * * ? UTC"}},
        LATER,
        "schedule.cronExpression",
    ),
    "a cron schedule with a year": (
        {"schedule": CRON | {"cronExpression": "0 0 * * * ? 2030"}},
        {"schedule": CRON | {"cronExpression": "0 0 * * * ? 2031"}},
        "schedule.cronExpression",
    ),
    "a cron schedule with wide spaces": (
        {"schedule": CRON | {"cronExpression": "0  0 *  * * ?"}},
        LATER,
        "schedule.cronExpression",
    ),
    "a name": ({"name": "a"}, {"name": "b"}, "name"),
    "no namespace": ({}, {"namespaceDefinition": "source"}, "namespaceDefinition"),
    "a namespace of one's own": (
        {"namespaceDefinition": "custom_format", "namespaceFormat": "${SOURCE_NAMESPACE}"},
        {"namespaceFormat": "x"},
        "namespaceFormat",
    ),
    "no format": ({}, {"namespaceFormat": "x"}, "namespaceFormat"),
    "a format without a use": ({"namespaceFormat": "x"}, {"namespaceFormat": ""}, "namespaceFormat"),
    "no prefix": ({}, {"prefix": "x"}, "prefix"),
    "a prefix": ({"prefix": "x"}, {"prefix": ""}, "prefix"),
    "no policy": ({}, {"nonBreakingSchemaUpdatesBehavior": "propagate_fully"}, "nonBreakingSchemaUpdatesBehavior"),
    "an active one": ({}, {"status": "inactive"}, "status"),
    "an inactive one": ({"status": "inactive"}, {"status": "active"}, "status"),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_stream_is_clean_after_it_was_applied_and_what_somebody_changed_is_seen_and_repaired(
    plugin: Plugin, lake: Lake, row: Row
) -> None:
    made = plugin.made("connection", lake.connection(row[0]))
    assert_clean(plugin, "connection", made)
    lake.patch_stream(made.id, **row[1])
    assert drifted(plugin, "connection", made) == {"configurations": "update"}


@pytest.mark.parametrize(("given", "change", "path"), CONNECTIONS.values(), ids=CONNECTIONS)
def test_a_connection_is_clean_after_it_was_applied_and_what_somebody_changed_is_seen_and_repaired(
    plugin: Plugin, lake: Lake, given: Document, change: Document, path: str
) -> None:
    made = plugin.made("connection", lake.connection(**given))
    assert_clean(plugin, "connection", made)
    lake.api("PATCH", f"/connections/{made.id}", change)
    assert path in drifted(plugin, "connection", made)


def test_two_tags_are_clean_in_any_order_and_a_missing_one_is_seen(plugin: Plugin, lake: Lake) -> None:
    tags = sorted((lake.tag("early", "FFFFFF"), lake.tag("later", "000000")), key=lambda tag: str(tag["tagId"]))
    made = plugin.made("connection", lake.connection(tags=list(reversed(tags))))
    assert_clean(plugin, "connection", made)
    lake.api("PATCH", f"/connections/{made.id}", {"tags": tags[:1]})
    assert drifted(plugin, "connection", made) == {"tags": "update"}


ELSEWHERE: dict[str, tuple[Document, str]] = {
    "a basic schedule": (
        {"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 1}}},
        "schedule",
    ),
    "a zone": (
        {
            "scheduleType": "cron",
            "scheduleData": {"cron": {"cronExpression": "0 0 * * * ?", "cronTimeZone": "Europe/Paris"}},
        },
        "schedule",
    ),
}


@pytest.mark.parametrize(("change", "path"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_only_the_config_api_can_write_is_seen_and_repaired(
    plugin: Plugin, lake: Lake, change: Document, path: str
) -> None:
    made = plugin.made("connection", lake.connection(schedule=CRON))
    lake.config_api("/connections/update", {"connectionId": made.id} | change)
    assert any(where.startswith(path) for where in drifted(plugin, "connection", made))


@pytest.mark.parametrize("streams", ["none", "a mode without a public name"])
def test_streams_that_no_program_can_ask_for_are_seen_and_repaired(plugin: Plugin, lake: Lake, streams: str) -> None:
    made = plugin.made("connection", lake.connection(stream(syncMode="full_refresh_overwrite")))
    catalog = lake.config_api("/connections/get", {"connectionId": made.id})["syncCatalog"]
    [entry] = catalog["streams"]
    entry["config"] |= {"selected": streams != "none", "syncMode": "incremental", "destinationSyncMode": "overwrite"}
    lake.config_api("/connections/update", {"connectionId": made.id, "syncCatalog": catalog})
    assert drifted(plugin, "connection", made) == {"configurations": "update"}


def test_a_stream_that_comes_or_goes_is_seen_and_repaired(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection(stream("bare"), incremental("cursor_default")))
    streams = lake.live("connections", made.id)["configurations"]["streams"]
    bare = {key: value for key, value in streams[0].items() if value != []}
    lake.api("PATCH", f"/connections/{made.id}", {"configurations": {"streams": [bare]}})
    assert drifted(plugin, "connection", made) == {"configurations": "update"}

    added = [bare, {"name": "key_defined"}, {"name": "cursor_default", "syncMode": "incremental_append"}]
    lake.api("PATCH", f"/connections/{made.id}", {"configurations": {"streams": added}})
    assert drifted(plugin, "connection", made) == {"configurations": "update"}


def test_a_column_that_the_server_propagates_is_seen(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection())
    lake.drift("propagate_column", connectionId=made.id, stream="bare", field="new")
    live = plugin.refreshed("connection", made)
    assert plugin.diff("connection", live.inputs, made.inputs).detail == {"configurations": "update"}


def test_a_connection_that_the_server_stopped_is_seen_and_repaired(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection())
    lake.drift("connection_status", connectionId=made.id, status="inactive")
    assert drifted(plugin, "connection", made) == {"status": "delete"}


@pytest.mark.parametrize("key", ["includeFiles", "destinationObjectName"])
def test_a_setting_of_a_stream_is_set_changed_un_set_and_repaired(plugin: Plugin, lake: Lake, key: str) -> None:
    source = plugin.made("source", lake.source() | {"definitionId": FILE_SOURCE, "configuration": {}})
    values = {"includeFiles": (True, False, False), "destinationObjectName": ("o", "p", None)}[key]

    def said(value: object) -> Document:
        return lake.connection(stream("files", selectedFields=..., **{key: value}), sourceId=source.id)

    known = plugin.made("connection", said(values[0]))
    lake.patch_stream(known.id, **{key: values[1]})
    assert drifted(plugin, "connection", known) == {"configurations": "update"}
    for value in (values[1], values[0], ...):
        known = plugin.update("connection", known, plugin.checked("connection", said(value)))
        [live] = lake.live("connections", known.id)["configurations"]["streams"]
        assert live.get(key) == (values[2] if value is ... else value)
        assert_clean(plugin, "connection", known)
