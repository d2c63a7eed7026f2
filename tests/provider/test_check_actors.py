"""Inputs of sources and destinations, brought into canonical form or refused."""

import json
from typing import Any

import pytest
from pulumi_airbyte.provider.properties import UNKNOWN, Secret

from tests.provider.lab import LAB_SOURCE
from tests.provider.lake import TOKEN, Lake
from tests.provider.plugin import Plugin

MASK = "*" * 10
CREDENTIALS = {"method": "token", "token": Secret(TOKEN)}


def test_the_name_is_the_resources_unless_it_is_given(plugin: Plugin, lake: Lake) -> None:
    assert plugin.checked("source", lake.source(), name="shopify")["name"] == "shopify"
    assert plugin.checked("source", lake.source(), name="a::b")["name"] == "a::b"
    assert plugin.checked("source", lake.source() | {"name": "Shop"}, name="shopify")["name"] == "Shop"


def test_what_the_specification_calls_secret_is_marked_at_its_place(plugin: Plugin, lake: Lake) -> None:
    given = lake.source(code="1234", keys=[{"label": "a", "secret": "k"}])
    assert plugin.checked("source", given)["configuration"] == {
        "host": "lab.example.com",
        "credentials": CREDENTIALS,
        "code": Secret("1234"),
        "keys": [{"label": "a", "secret": Secret("k")}],
    }


def test_an_unchanged_configuration_is_marked_as_before_without_a_call(plugin: Plugin, lake: Lake) -> None:
    before = plugin.checked("source", lake.source(), name="thing")
    assert lake.asked() == ["SPEC"]
    lake.twin.clear_calls()

    assert plugin.check("source", lake.source(), before).inputs == before
    assert plugin.check("source", lake.source() | {"name": "other"}, before).inputs["configuration"]
    assert lake.asked() == []


def test_a_changed_configuration_is_marked_anew_with_one_call_a_connector(plugin: Plugin, lake: Lake) -> None:
    before = plugin.checked("destination", lake.destination(key="one"))
    lake.twin.clear_calls()
    for value in ("two", "three"):
        checked = plugin.check("destination", lake.destination(key=value), before)
        assert checked.inputs["configuration"]["key"] == Secret(value)
    assert lake.asked() == []


UNMARKED: dict[str, Any] = {"host": "h", "port": 1, "on": True, "list": ["a", False], "deep": {"text": "t"}, "no": {}}
ALL_MARKED = {
    "host": Secret("h"),
    "port": Secret(1),
    "on": True,
    "list": [Secret("a"), False],
    "deep": {"text": Secret("t")},
    "no": {},
}


@pytest.mark.parametrize("status", [403, 404])
def test_without_a_specification_every_text_and_number_that_is_new_or_changed_is_secret(
    plugin: Plugin, lake: Lake, status: int
) -> None:
    lake.fault(path="/api/v1/", status=status, times=None)
    given = lake.source() | {"configuration": UNMARKED}
    assert plugin.checked("source", given)["configuration"] == ALL_MARKED

    as_it_was = given | {"name": "thing"}
    changed = given | {"configuration": UNMARKED | {"host": "other", "added": "a"}}
    assert plugin.check("source", as_it_was, as_it_was).inputs == as_it_was
    assert plugin.check("source", changed, as_it_was).inputs["configuration"] == UNMARKED | {
        "host": Secret("other"),
        "added": Secret("a"),
    }


@pytest.mark.parametrize("known", ["workspaceId", "definitionId"])
def test_without_the_ids_of_a_specification_text_is_secret(plugin: Plugin, lake: Lake, known: str) -> None:
    given = lake.source() | {"configuration": UNMARKED, known: UNKNOWN}
    assert plugin.checked("source", given)["configuration"] == ALL_MARKED
    assert lake.asked() == []


@pytest.mark.parametrize("url", ["{url}/v1", UNKNOWN], ids=str)
def test_without_an_address_of_the_config_api_text_is_secret(unconfigured: Plugin, lake: Lake, url: Any) -> None:
    unconfigured.configure(serverUrl=url.format(url=lake.twin.url) if isinstance(url, str) else url)
    given = lake.source() | {"configuration": UNMARKED}
    assert unconfigured.checked("source", given)["configuration"] == ALL_MARKED
    assert lake.asked() == []


FAILING: dict[str, dict[str, Any]] = {
    "it answers 500": {"status": 500},
    "it answers 503": {"status": 503},
    "it sheds load": {"status": 429},
    "no answer comes": {"drop": "before"},
}


@pytest.mark.parametrize("fault", FAILING.values(), ids=FAILING)
def test_a_new_or_changed_configuration_is_refused_while_its_specification_cannot_be_read(
    plugin: Plugin, lake: Lake, fault: dict[str, Any]
) -> None:
    before = lake.source() | {"name": "thing"}
    lake.fault(path="/source_definition_specifications/", times=None, **fault)
    for given, old in ((lake.source(), None), (lake.source(host="other"), before)):
        failures = plugin.check("source", given, old).failures
        assert list(failures) == ["configuration"]
        assert failures["configuration"].startswith("can't be checked: ")
        assert "the server is failing. Run the command again." in failures["configuration"]
        assert TOKEN not in failures["configuration"]
    assert plugin.check("source", before, before).inputs == before

    lake.twin.twin.faults.clear()
    assert plugin.checked("source", lake.source())["configuration"]["credentials"] == CREDENTIALS


def test_a_specification_that_fails_twice_is_read_the_third_time(plugin: Plugin, lake: Lake) -> None:
    lake.fault(path="/source_definition_specifications/", status=503, times=2)
    assert plugin.checked("source", lake.source())["configuration"]["credentials"] == CREDENTIALS
    assert lake.asked() == ["SPEC"] * 3


@pytest.mark.parametrize("fault", [{}, {"status": 404}], ids=["with a specification", "without one"])
def test_a_leaf_that_was_secret_stays_secret_whatever_its_new_value(
    plugin: Plugin, lake: Lake, fault: dict[str, Any]
) -> None:
    if fault:
        lake.fault(path="/api/v1/", times=None, **fault)
    hidden = {"extra": Secret("a"), "on": Secret(value=True), "keys": [{"label": "a"}, {"label": Secret("b")}]}
    before = lake.source() | {"name": "thing", "configuration": hidden}
    given = lake.source() | {"configuration": {"extra": {"name": "b"}, "on": False, "keys": [{"label": "b"}]}}
    assert plugin.check("source", given, before).inputs["configuration"] == {
        "extra": {"name": Secret("b")},
        "on": Secret(value=False),
        "keys": [{"label": Secret("b")}],
    }


def test_a_configuration_that_is_secret_as_a_whole_is_secret_leaf_by_leaf(plugin: Plugin, lake: Lake) -> None:
    given = lake.source() | {"configuration": Secret({"host": "h", "keys": [{"label": "a"}], "port": 1})}
    assert plugin.checked("source", given)["configuration"] == {
        "host": Secret("h"),
        "keys": [{"label": Secret("a")}],
        "port": Secret(1),
    }


def test_a_secret_object_is_secret_leaf_by_leaf(plugin: Plugin, lake: Lake) -> None:
    given = lake.source(credentials=Secret({"method": "token", "token": TOKEN}))
    assert plugin.checked("source", given)["configuration"]["credentials"] == {
        "method": Secret("token"),
        "token": Secret(TOKEN),
    }


def test_a_leaf_that_was_secret_stays_secret_when_the_program_stops_to_say_so(plugin: Plugin, lake: Lake) -> None:
    before = plugin.checked("source", lake.source(host=Secret("lab.example.com"), keys=[{"label": Secret("a")}]))
    after = plugin.check("source", lake.source(keys=[{"label": "a"}]), before).inputs
    assert after["configuration"]["host"] == Secret("lab.example.com")
    assert after["configuration"]["keys"] == [{"label": Secret("a")}]


@pytest.mark.parametrize("wrap", [lambda text: text, Secret], ids=["plain", "secret"])
def test_a_configuration_may_come_as_json_text(plugin: Plugin, lake: Lake, wrap: Any) -> None:
    given = lake.source()
    text = given | {"configuration": wrap(json.dumps(given["configuration"]))}
    expected = {"host": wrap("lab.example.com"), "credentials": {"method": wrap("token"), "token": Secret(TOKEN)}}
    assert plugin.checked("source", text)["configuration"] == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [('{"host": ', "is text that is not valid JSON (line 1, column 10)"), ("[1]", "must be an object")],
)
def test_text_that_is_no_json_object_is_refused_without_showing_it(
    plugin: Plugin, lake: Lake, text: str, reason: str
) -> None:
    checked = plugin.check("source", lake.source() | {"configuration": text})
    assert checked.failures == {"configuration": reason}


def test_what_is_not_known_yet_passes_through(plugin: Plugin, lake: Lake) -> None:
    whole = plugin.checked("source", lake.source() | {"configuration": UNKNOWN})
    assert repr(whole["configuration"]) == "UNKNOWN"

    parts = plugin.checked("source", lake.source(host=UNKNOWN, code=UNKNOWN) | {"name": UNKNOWN})
    assert repr(parts["name"]) == repr(parts["configuration"]["host"]) == "UNKNOWN"
    assert isinstance(parts["configuration"]["code"], Secret)


def test_nulls_are_left_out(plugin: Plugin, lake: Lake) -> None:
    given = lake.source(port=None) | {"resourceAllocation": None}
    checked = plugin.checked("source", given)
    assert "resourceAllocation" not in checked
    assert "port" not in checked["configuration"]


def test_the_connectors_type_may_stand_for_its_definition(plugin: Plugin, lake: Lake) -> None:
    given = {"workspaceId": lake.twin.workspace_id, "configuration": {"sourceType": "faker", "count": 1}}
    assert plugin.checked("source", given)["configuration"] == {"sourceType": "faker", "count": Secret(1)}


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_a_mask_in_code_is_refused_with_its_path(plugin: Plugin, lake: Lake, kind: str) -> None:
    given = {
        "workspaceId": lake.twin.workspace_id,
        "definitionId": LAB_SOURCE,
        "configuration": {"credentials": {"token": Secret(MASK)}, "keys": [{"secret": "x"}, {"secret": MASK}]},
    }
    failures = plugin.check(kind, given).failures
    assert list(failures) == ["configuration.credentials.token", "configuration.keys[1].secret"]
    assert all("is the server's mask, not a value" in reason for reason in failures.values())


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"definitonId": "x"}, "definitonId", "is not a property of this resource: did you mean definitionId?"),
        ({"zzz": "x"}, "zzz", "known are checkConnection, configuration, definitionId, forceDestroy, name"),
        ({"workspaceId": ...}, "workspaceId", "is required"),
        ({"workspaceId": ""}, "workspaceId", "is required. Where the program takes it from a Workspace that is new"),
        ({"configuration": ...}, "configuration", "is required"),
        ({"definitionId": ...}, "definitionId", "is required where the configuration has no sourceType"),
        ({"name": 3}, "name", "must be a string"),
        ({"resourceAllocation": "big"}, "resourceAllocation", "must be an object"),
        ({"configuration": [1]}, "configuration", "must be an object"),
    ],
    ids=str,
)
def test_what_the_server_could_not_take_is_refused_before_any_call(
    plugin: Plugin, lake: Lake, changes: dict[str, Any], path: str, reason: str
) -> None:
    given = {key: value for key, value in (lake.source() | changes).items() if value is not ...}
    failures = plugin.check("source", given).failures
    assert list(failures) == [path]
    assert reason in failures[path]
    assert lake.asked() == []


def test_every_problem_is_told_at_once(plugin: Plugin) -> None:
    failures = plugin.check("destination", {"workspace": "w", "configuration": {"key": MASK}}).failures
    assert sorted(failures) == ["configuration.key", "definitionId", "workspace", "workspaceId"]


def test_a_workspace_needs_only_a_name(plugin: Plugin) -> None:
    assert plugin.checked("workspace", {}, name="lake") == {"name": "lake"}
    assert plugin.check("workspace", {"region": "x"}).failures == {
        "region": "is not a property of this resource: did you mean regionId?"
    }


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"name": "x" * 257}, "name", "has 257 characters, and Airbyte takes at most 256 in a name: shorten it"),
        ({"name": "x\0"}, "name", "has a NUL character (\\u0000), which Airbyte can't store: remove it"),
        ({"workspaceId": "main"}, "workspaceId", "is not an id of Airbyte, which is a UUID"),
        ({"definitionId": "source-lab"}, "definitionId", "is not an id of Airbyte, which is a UUID"),
        ({"configuration": {"x": [Secret("k\0"), UNKNOWN]}}, "configuration.x[0]", "has a NUL character"),
        ({"configuration": {"x": {"k\0": 1}}}, "configuration.x", "has a NUL character"),
        ({"configuration": json.dumps({"x": "k\0"})}, "configuration.x", "has a NUL character"),
    ],
    ids=str,
)
def test_what_the_server_can_not_store_is_refused_at_its_place_and_not_shown(
    plugin: Plugin, lake: Lake, changes: dict[str, Any], path: str, reason: str
) -> None:
    failures = plugin.check("source", lake.source() | changes).failures
    assert plugin.check("destination", lake.destination() | changes).failures == failures
    assert list(failures) == [path]
    assert reason in failures[path]
    assert "k\0" not in failures[path]


def test_a_workspace_has_a_name_that_the_server_can_store(plugin: Plugin) -> None:
    assert plugin.check("workspace", {"name": "é" * 256}).failures == {}
    assert list(plugin.check("workspace", {"name": "é" * 257}).failures) == ["name"]
    assert list(plugin.check("workspace", {"name": "a", "notifications": {"a": "\0"}}).failures) == ["notifications.a"]


def test_a_pattern_that_backtracks_for_ever_refuses_nothing_and_ends(plugin: Plugin, lake: Lake) -> None:
    assert plugin.check("source", lake.source(slow="a" * 200 + "!"), {}).failures == {}
    assert plugin.check("source", lake.source(slow="b"), {}).failures == {}
    assert plugin.check("source", lake.source(slow="aa", port="x"), {}).failures != {}
