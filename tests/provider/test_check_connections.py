"""Inputs of connections, brought into canonical form or refused."""

import json
from typing import Any

import pytest
from pulumi_airbyte.provider.properties import UNKNOWN, Secret

from tests.provider.heard import Engine
from tests.provider.jobs import compared
from tests.provider.lab import LAB_SOURCE
from tests.provider.lake import Lake, stream
from tests.provider.plugin import NOTHING, Object, Plugin, urn
from tests.provider.refresh import assert_clean
from tests.provider.rewrites import AES_KEY

MASK = "*" * 10
METHOD = "configurations.bare.mappers[0].mapperConfiguration.method"
ENCRYPTION = {"algorithm": "AES", "mode": "CBC", "padding": "PKCS5Padding", "targetField": "name", "key": "0123456789"}


def encrypting(key: Any) -> dict[str, Any]:
    configuration = ENCRYPTION | {"fieldNameSuffix": "_encrypted", "key": key}
    return stream(mappers=[{"type": "encryption", "mapperConfiguration": configuration}])


def texts(plugin: Plugin, given: dict[str, Any]) -> Any:
    return json.loads(plugin.checked("connection", given)["configurations"])


def test_the_name_is_the_resources_unless_it_is_given(plugin: Plugin, lake: Lake) -> None:
    assert plugin.checked("connection", lake.connection(), name="shopify")["name"] == "shopify"
    assert plugin.checked("connection", lake.connection(name="Shop → S3"))["name"] == "Shop → S3"


def test_the_streams_are_one_canonical_text_however_they_come(plugin: Plugin, lake: Lake) -> None:
    plain = [stream("b", selectedFields=["z", "a"]), stream("a")]
    spelt = [stream("a", mappers=[]), stream("b", selectedFields=[{"fieldPath": ["a"]}, {"fieldPath": ["z"]}])]
    ways: list[Any] = [{"streams": plain}, spelt, json.dumps({"streams": spelt}), json.dumps(plain)]
    checked = {plugin.checked("connection", lake.connection(configurations=way))["configurations"] for way in ways}
    assert len(checked) == 1
    assert [found["name"] for found in json.loads(checked.pop())["streams"]] == ["a", "b"]


def test_what_the_server_would_fill_in_is_left_out(plugin: Plugin, lake: Lake) -> None:
    defaults = {
        "schedule": {"scheduleType": "manual"},
        "namespaceDefinition": "destination",
        "namespaceFormat": "",
        "prefix": "",
        "nonBreakingSchemaUpdatesBehavior": "ignore",
        "status": "active",
        "tags": [],
    }
    spelt_out = plugin.checked("connection", lake.connection(**defaults))
    assert spelt_out == plugin.checked("connection", lake.connection())
    assert set(spelt_out) == {"name", "sourceId", "destinationId", "configurations"}


def test_a_cron_expression_is_kept_without_its_zone(plugin: Plugin, lake: Lake) -> None:
    schedule = {"scheduleType": "cron", "cronExpression": " 0  0 * * * ? UTC"}
    checked = plugin.checked("connection", lake.connection(schedule=schedule))
    assert checked["schedule"] == {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"}


def test_checking_asks_the_server_nothing(plugin: Plugin, lake: Lake) -> None:
    plugin.checked("connection", lake.connection())
    assert lake.asked() == []


def test_what_is_not_known_yet_passes_through(plugin: Plugin, lake: Lake) -> None:
    schedule = {"scheduleType": "cron", "cronExpression": UNKNOWN}
    given = lake.connection(sourceId=UNKNOWN, configurations=Secret(UNKNOWN), schedule=schedule, tags=UNKNOWN)
    checked = plugin.checked("connection", given)
    unknown = (checked["sourceId"], checked["schedule"]["cronExpression"], checked["tags"])
    assert {repr(value) for value in unknown} == {"UNKNOWN"}
    assert repr(checked["configurations"]) == "Secret()"

    partly = {"streams": [stream(cursorField=[UNKNOWN])]}
    checked = plugin.checked("connection", lake.connection(configurations=partly, schedule=UNKNOWN))
    assert repr(checked["configurations"]) == "UNKNOWN"


@pytest.mark.parametrize(
    ("other", "reason"),
    [(stream("b", syncMode="append"), "unknown syncMode"), (stream("a"), "names stream 'a' twice"), ("c", "a name")],
    ids=["a mode", "a second time", "no stream"],
)
def test_streams_are_checked_in_a_preview_while_a_mapper_is_unknown(
    plugin: Plugin, lake: Lake, other: Any, reason: str
) -> None:
    mapped = encrypting(UNKNOWN) | {"name": "a"}
    given = lake.connection(configurations={"streams": [mapped, other]})
    assert reason in plugin.check("connection", given).failures["configurations"]


def test_the_key_of_a_typed_mapper_makes_all_streams_secret_and_leaves_no_other_trace(
    plugin: Plugin, lake: Lake
) -> None:
    typed = {"streams": [encrypting(Secret("0123456789"))]}
    checked = plugin.checked("connection", lake.connection(configurations=typed))
    assert checked == plugin.checked(
        "connection", lake.connection(configurations=json.dumps([encrypting("0123456789")]))
    )
    assert isinstance(checked["configurations"], Secret)


def test_what_the_program_marks_as_secret_stays_secret(plugin: Plugin, lake: Lake) -> None:
    text = Secret(json.dumps([encrypting("0123456789")]))
    checked = plugin.checked("connection", lake.connection(configurations=text, prefix=Secret("p_")))
    assert isinstance(checked["configurations"], Secret)
    assert checked["prefix"] == Secret("p_")


def test_streams_are_secret_where_a_mapper_holds_a_key_and_readable_otherwise(plugin: Plugin, lake: Lake) -> None:
    hashing = {
        "type": "hashing",
        "mapperConfiguration": {"targetField": "name", "method": "MD5", "fieldNameSuffix": "_"},
    }
    assert isinstance(plugin.checked("connection", lake.connection(encrypting("0a0b")))["configurations"], Secret)
    assert isinstance(plugin.checked("connection", lake.connection(stream(mappers=[hashing])))["configurations"], str)


def test_a_state_that_has_a_mappers_key_readable_shows_no_difference(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection(encrypting(AES_KEY)))
    text = made.inputs["configurations"].value
    readable = Object(made.id, made.inputs | {"configurations": text}, made.outputs)
    assert compared(plugin, readable, made.inputs) == NOTHING
    assert plugin.refreshed("connection", readable) == readable
    assert_clean(plugin, "connection", made)


def test_another_key_of_a_mapper_is_told_by_its_stream_and_never_shown(
    engine: tuple[Engine, Plugin], lake: Lake
) -> None:
    heard, plugin = engine
    made = plugin.made("connection", lake.connection(encrypting(AES_KEY)))
    news = plugin.checked("connection", lake.connection(encrypting(AES_KEY[::-1])))
    heard.lines.clear()
    assert compared(plugin, made, news).detail == {"configurations": "update"}
    assert heard.lines == [(urn("connection"), "bare: ~ mappers")]
    assert_clean(plugin, "connection", plugin.update("connection", made, news))


def test_the_mask_of_a_mappers_key_is_refused_with_its_path(plugin: Plugin, lake: Lake) -> None:
    failures = plugin.check("connection", lake.connection(encrypting(MASK))).failures
    assert list(failures) == ["configurations.bare.mappers[0].mapperConfiguration.key"]


@pytest.mark.parametrize(
    ("streams", "reason"),
    [
        ("{", "is not valid JSON"),
        ([], "names no stream: list at least one"),
        ({"streams": []}, "names no stream: list at least one"),
        ({"stream": [stream()]}, "unknown key 'stream'"),
        ([stream(), stream()], "names stream 'bare' twice"),
        ([stream(namespace="a"), stream(namespace="a")], "names stream 'bare (namespace a)' twice"),
        ([stream(selectedFields=[{"fieldPath": ["meta", "seen_at"]}])], "selects 'meta.seen_at'"),
        ([stream(selectedFields=["id", "id"])], "selects field 'id' twice"),
        ([stream(selectedFields=[""])], "give the name of a top-level field"),
        ([stream(syncMode="append")], "unknown syncMode 'append'"),
        ([stream(cursor_field=["id"])], "unknown key 'cursor_field'"),
        ([stream(name="")], "a stream without a name"),
        (["orders"], "a stream without a name"),
        ([stream(selectedFields=[])], "selects no field: name at least one, or leave selectedFields out"),
        ([stream(syncMode="")], "unknown syncMode ''"),
        ([stream(selectedFields="id")], "selectedFields of the wrong type: write a list of names"),
        ([stream(selectedFields={"fieldPath": ["id"]})], "selectedFields of the wrong type"),
        ([stream(mappers={"type": "hashing"})], "mappers of the wrong type: write a list of mappers"),
        ([stream(mappers="hashing")], "mappers of the wrong type"),
        ([stream(cursorField=5)], "cursorField of the wrong type: write a list of names"),
        ([stream(primaryKey="id")], "primaryKey of the wrong type: write a list of paths"),
        ([stream(primaryKey=[5])], "primaryKey of the wrong type"),
        ([stream(namespace=5)], "namespace of the wrong type: write a text"),
        ([stream(includeFiles="yes")], "includeFiles of the wrong type: write true or false"),
        ([stream(destinationObjectName=["a"])], "destinationObjectName of the wrong type"),
    ],
    ids=str,
)
def test_streams_that_the_server_would_refuse_or_misread_are_refused(
    plugin: Plugin, lake: Lake, streams: Any, reason: str
) -> None:
    failures = plugin.check("connection", lake.connection(configurations=streams)).failures
    assert list(failures) == ["configurations"]
    assert reason in failures["configurations"]


@pytest.mark.parametrize(
    ("schedule", "path", "reason"),
    [
        ({"scheduleType": "basic"}, "schedule.basicTiming", "is required for a basic schedule"),
        ({"cronExpression": "0 0 * * * ?"}, "schedule.scheduleType", "give one of manual, cron, basic"),
        ({"scheduleType": "cron"}, "schedule.cronExpression", "is required for a cron schedule"),
        ({"scheduleType": "manual", "cronExpression": "0 0 * * * ?"}, "schedule.cronExpression", "is never used"),
        ({"scheduleType": "cron", "cronExpression": "0 * * * *"}, "schedule.cronExpression", "has 5 parts"),
        ({"scheduleType": "cron", "cronExpression": "* 0 * * * ?"}, "schedule.cronExpression", "seconds must be"),
        ({"scheduleType": "cron", "cronExpression": "0 * * * * ? 2030"}, "schedule.cronExpression", "minutes must be"),
        ({"scheduleType": "cron", "cronExpression": "0 0 * * * ? Etc/UTC"}, "schedule.cronTimeZone", "is refused"),
        ({"scheduleType": "cron", "cron": "0 0 * * * ?"}, "schedule.cron", "known are scheduleType, cronExpression"),
    ],
    ids=str,
)
def test_a_schedule_that_can_not_be_written_is_refused(
    plugin: Plugin, lake: Lake, schedule: dict[str, str], path: str, reason: str
) -> None:
    failures = plugin.check("connection", lake.connection(schedule=schedule)).failures
    assert list(failures) == [path]
    assert reason in failures[path]


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"sourceId": ...}, "sourceId", "is required"),
        ({"destinationId": ""}, "destinationId", "is required"),
        ({"configurations": ...}, "configurations", "is required"),
        ({"status": "deprecated"}, "status", "'deprecated' is not allowed: give one of active, inactive"),
        ({"namespaceDefinition": "customformat"}, "namespaceDefinition", "custom_format"),
        ({"nonBreakingSchemaUpdatesBehavior": "disable"}, "nonBreakingSchemaUpdatesBehavior", "disable_connection"),
        ({"prefx": "x"}, "prefx", "did you mean prefix?"),
        ({"schedule": "hourly"}, "schedule", "must be"),
        ({"tags": "lake"}, "tags", "must be"),
        ({"notifySchemaChanges": "yes"}, "notifySchemaChanges", "must be a boolean"),
        ({"backfillPreference": "on"}, "backfillPreference", "give one of enabled, disabled"),
        ({"resourceRequirements": {"cpu": "1"}}, "resourceRequirements.cpu", "known are cpu_request"),
        ({"resourceRequirements": {"cpu_limit": 1}}, "resourceRequirements.cpu_limit", "must be a text"),
    ],
    ids=str,
)
def test_other_properties_are_checked_against_what_the_server_takes(
    plugin: Plugin, lake: Lake, changes: dict[str, Any], path: str, reason: str
) -> None:
    failures = plugin.check("connection", lake.connection(**changes)).failures
    assert list(failures) == [path]
    assert reason in failures[path]


def test_every_problem_is_told_at_once(plugin: Plugin, lake: Lake) -> None:
    given = lake.connection(sourceId=..., configurations=[], status="on", schedule={"scheduleType": "cron"})
    assert sorted(plugin.check("connection", given).failures) == [
        "configurations",
        "schedule.cronExpression",
        "sourceId",
        "status",
    ]


def hashed(**changes: Any) -> dict[str, Any]:
    """A stream with a mapper; `...` leaves a key out."""
    whole = {"targetField": "name", "method": "MD5", "fieldNameSuffix": "_h"} | changes
    kept = {key: value for key, value in whole.items() if value is not ...}
    return stream(mappers=[{"type": "hashing", "mapperConfiguration": kept}])


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"name": "é" * 257}, "name", "has 257 characters, and Airbyte takes at most 256 in a name: shorten it"),
        ({"name": "a\0"}, "name", "has a NUL character"),
        ({"prefix": "a\0"}, "prefix", "has a NUL character"),
        ({"namespaceFormat": Secret("a\0")}, "namespaceFormat", "has a NUL character"),
        ({"configurations": [stream(name="a\0")]}, "configurations", "has a NUL character"),
        ({"configurations": [stream(selectedFields=["a\0"])]}, "configurations.bare.selectedFields[0]", "has a NUL"),
        ({"sourceId": "shopify"}, "sourceId", "is not an id of Airbyte, which is a UUID"),
        ({"tags": ["x"]}, "tags[0]", "must be an object with tagId, name, color, workspaceId"),
        ({"tags": [{"tagId": LAB_SOURCE, "name": "t", "workspaceId": LAB_SOURCE}]}, "tags[0].color", "is required"),
        (
            {"tags": [{"tagId": "t", "name": "t", "color": "FF00AA", "workspaceId": LAB_SOURCE}]},
            "tags[0].tagId",
            "is not an id of Airbyte",
        ),
        ({"configurations": [hashed(method="zz")]}, METHOD, "write one of MD2, MD5, SHA-1"),
        ({"configurations": [hashed(method=...)]}, METHOD, "is required"),
        (
            {"configurations": [stream(mappers=[{"type": "hash", "mapperConfiguration": {}}])]},
            "configurations.bare.mappers[0].type",
            'did you mean "hashing"?',
        ),
        (
            {"configurations": [stream(mappers=[{"type": "hashing", "configuration": {}}])]},
            "configurations.bare.mappers[0].mapperConfiguration",
            "is required",
        ),
    ],
    ids=str,
)
def test_what_the_server_can_not_store_or_read_is_refused_at_its_place(
    plugin: Plugin, lake: Lake, changes: dict[str, Any], path: str, reason: str
) -> None:
    failures = plugin.check("connection", lake.connection(**changes)).failures
    assert list(failures) == [path]
    assert reason in failures[path]


def test_the_longest_name_that_the_server_takes_is_one_that_it_is_sent(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection(name="é" * 256))
    assert lake.live("connections", made.id)["name"] == "é" * 256


def test_a_field_that_is_named_without_a_path_is_the_path_of_that_field(plugin: Plugin, lake: Lake) -> None:
    mode = "incremental_deduped_history"
    bare = lake.connection(stream(syncMode=mode, cursorField="updated_at", primaryKey=["id"]))
    assert plugin.checked("connection", bare) == plugin.checked(
        "connection", lake.connection(stream(syncMode=mode, cursorField=["updated_at"], primaryKey=[["id"]]))
    )
    assert_clean(plugin, "connection", plugin.made("connection", bare))
