"""Configurations held against their connector's specification, at the preview."""

from typing import Any

import pytest
from pulumi_airbyte.provider.properties import UNKNOWN, Property, Secret
from pulumi_airbyte.provider.validation import misfits, misspelt

from tests.provider.heard import Engine
from tests.provider.lake import TOKEN, Lake
from tests.provider.plugin import Plugin

SECRET = "a-secret-in-the-wrong-place"
SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["host", "auth"],
    "properties": {
        "host": {"type": "string", "pattern": "^[a-z.]+$"},
        "odd": {"type": "string", "pattern": r"^\p{Alpha}+$"},
        "port": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
        "mode": {"type": "string", "enum": ["fast", "slow"]},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        "strict": {"type": "object", "additionalProperties": False, "properties": {"retries": {"type": "integer"}}},
        "either": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        "not": {"not": {"const": 3}},
        "auth": {
            "type": "object",
            "oneOf": [
                {
                    "required": ["method", "token"],
                    "properties": {"method": {"const": "token"}, "token": {"type": "string", "airbyte_secret": True}},
                },
                {
                    "required": ["method", "user"],
                    "properties": {"method": {"const": "login"}, "user": {"type": "string"}},
                },
            ],
        },
    },
}
AUTH: dict[str, Any] = {"method": "token", "token": Secret(SECRET)}
WRONG: list[tuple[dict[str, Any], tuple[str | int, ...], str]] = [
    ({"host": ...}, ("host",), "is required"),
    ({"host": Secret(5)}, ("host",), "must be of the type string"),
    ({"host": Secret(SECRET)}, ("host",), "must match the pattern ^[a-z.]+$"),
    ({"port": "1"}, ("port",), "must be of the type integer or null"),
    ({"port": 0}, ("port",), "must be at least 1"),
    ({"port": 10}, ("port",), "must be at most 9"),
    ({"mode": "slov"}, ("mode",), "must be one of fast, slow: did you mean slow?"),
    ({"tags": []}, ("tags",), "must be a list of at least this many items: 1"),
    ({"tags": ["a", 1]}, ("tags", 1), "must be of the type string"),
    ({"tags": ["a", "a"]}, ("tags",), "does not meet the rule uniqueItems of the connector's specification"),
    ({"strict": {"retrys": 1}}, ("strict", "retrys"), "allows no further keys: did you mean retries?"),
    ({"strict": {"zzzzzz": 1}}, ("strict", "zzzzzz"), "allows no further keys: it has retries"),
    ({"auth": {"method": "token"}}, ("auth", "token"), "is required"),
    ({"auth": {"method": "login"}}, ("auth", "user"), "is required"),
    ({"auth": {"method": "login", "user": 1}}, ("auth", "user"), "must be of the type string"),
    ({"auth": {"method": "tokn"}}, ("auth", "method"), "must be one of token, login: did you mean token?"),
    ({"auth": {}}, ("auth", "method"), "is required: one of token, login"),
    ({"either": {"a": 1, "b": 1}}, ("either",), "fits more than one of the choices"),
    ({"auth": "text"}, ("auth",), "must be of the type object"),
    ({"host": ..., "port": UNKNOWN}, ("host",), "is required"),
    ({"auth": {"method": "login", "password": UNKNOWN}}, ("auth", "user"), "is required"),
]
FITTING: list[dict[str, Any]] = [
    {},
    {"host": UNKNOWN},
    {"host": Secret(UNKNOWN)},
    {"host": "secret_coordinate::Vault/1"},
    {"odd": "1"},
    {"port": UNKNOWN, "mode": UNKNOWN, "tags": [UNKNOWN, UNKNOWN], "not": UNKNOWN, "strict": {"retries": UNKNOWN}},
    {"auth": UNKNOWN},
    {"auth": {"method": UNKNOWN, "user": "u"}},
    {"auth": {"method": UNKNOWN, "user": "u", "token": "t"}},
    {"auth": {"method": "token", "token": UNKNOWN}},
    {"further": {"keys": ["are", "allowed"]}},
]


def configuration(changes: dict[str, Any]) -> Property:
    given: dict[str, Any] = {"host": "a.b", "auth": AUTH} | changes
    return {key: value for key, value in given.items() if value is not ...}


@pytest.mark.parametrize(("changes", "path", "wanted"), WRONG, ids=[str(changes) for changes, _, _ in WRONG])
def test_each_wrong_place_is_told_once_with_what_is_wanted_and_without_a_value(
    changes: dict[str, Any], path: tuple[str | int, ...], wanted: str
) -> None:
    [(where, text)] = misfits(configuration(changes), SPEC)
    assert where == path
    assert wanted in text
    assert SECRET not in text


@pytest.mark.parametrize("changes", FITTING, ids=str)
def test_what_the_server_may_take_is_not_refused(changes: dict[str, Any]) -> None:
    assert misfits(configuration(changes), SPEC) == []


@pytest.mark.parametrize(
    "spec",
    [
        {"type": 3},
        {"properties": {"host": {"$ref": "https://example.com/schema"}}},
        {"properties": {"host": {"$ref": "#/definitions/nothing"}}},
        {"$ref": "#"},
    ],
    ids=str,
)
def test_a_broken_specification_refuses_nothing(spec: dict[str, Any]) -> None:
    assert misfits({"host": 1}, spec) == []


def test_a_key_that_is_nearly_a_known_one_is_found_at_every_depth() -> None:
    given: dict[str, Any] = {"hots": 1, "host": 2, "prot": 3, "auth": {"tokn": 4}, "unlike": 5, "strict": {"retrys": 1}}
    found = misspelt(given, SPEC)
    assert found == [(("prot",), "port"), (("auth", "tokn"), "token"), (("strict", "retrys"), "retries")]


def test_a_preview_names_every_wrong_place_before_any_write(plugin: Plugin, lake: Lake) -> None:
    failures = plugin.check("source", lake.source(port="5432", credentials={"method": "token"}, keys={})).failures
    assert failures == {
        "configuration.credentials.token": "is required",
        "configuration.keys": "must be of the type array",
        "configuration.port": "must be of the type integer",
    }
    assert lake.writes() == []


def test_what_a_program_does_not_know_yet_is_no_failure_in_a_preview(plugin: Plugin, lake: Lake) -> None:
    assert plugin.check("source", lake.source(port=UNKNOWN, credentials=UNKNOWN)).failures == {}


def test_a_configuration_that_did_not_change_is_not_judged_again(plugin: Plugin, lake: Lake) -> None:
    before = lake.source(port="5432") | {"name": "thing"}
    lake.twin.clear_calls()
    assert plugin.check("source", before, before).failures == {}
    assert lake.asked() == []


def test_the_connectors_type_beside_its_definition_is_no_further_key(plugin: Plugin, lake: Lake) -> None:
    assert plugin.check("source", lake.source(sourceType="lab")).failures == {}


def test_a_misspelt_key_that_the_server_takes_is_told_and_not_refused(
    engine: tuple[Engine, Plugin], lake: Lake
) -> None:
    heard, plugin = engine
    line = "configuration.hosst is not in the connector's specification, so that the connector ignores it"
    before = plugin.checked("source", lake.source())
    inputs = plugin.checked("source", {**lake.source(), "configuration": {"hosst": "lab"}})
    plugin.create("source", inputs, preview=True)
    assert f"{line}: did you mean host?" in heard.told()
    plugin.diff("source", before, inputs)
    assert line in heard.told()
    plugin.diff("source", inputs, inputs | {"name": "other"})
    assert heard.told() == ""


def test_no_refusal_shows_a_secret(plugin: Plugin, lake: Lake) -> None:
    failures = plugin.check(
        "source", lake.source(credentials={"method": Secret(TOKEN), "token": Secret(TOKEN)})
    ).failures
    assert list(failures) == ["configuration.credentials.method"]
    assert TOKEN not in str(failures)
