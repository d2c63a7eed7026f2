"""Configurations held against their connector's specification: the rule that `lotus check` and the provider share."""

from typing import Any

import pytest
from airbyte_model.json_values import UNKNOWN, Unknown
from airbyte_model.secrets import is_secret
from airbyte_model.specifications import Specification, SpecificationError

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
        "token": {"type": "string", "pattern": "^t", "airbyte_secret": True},
        "day": {"type": "string", "format": "date"},
        "moment": {"type": "string", "format": "date-time"},
        "free": {"type": "object", "properties": {"known": {}}, "additionalProperties": {"type": "string"}},
        "coded": {"type": "object", "patternProperties": {r"^\p{Alpha}": {}}, "additionalProperties": False},
        "never": False,
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
AUTH: dict[str, Any] = {"method": "token", "token": SECRET}
WRONG: list[tuple[dict[str, Any], tuple[str | int, ...], str]] = [
    ({"host": ...}, ("host",), "is required: add it"),
    ({"host": 5}, ("host",), "has the wrong type: write a string"),
    ({"host": SECRET}, ("host",), "has the wrong form: write what matches the pattern ^[a-z.]+$"),
    ({"host": "secret_coordinate::Vault/1"}, ("host",), "has the wrong form"),
    ({"token": 5}, ("token",), "has the wrong type"),
    ({"port": "1"}, ("port",), "has the wrong type: write an integer or null"),
    ({"port": 0}, ("port",), "is too small: write at least 1"),
    ({"port": 10}, ("port",), "is too large: write at most 9"),
    ({"port": Unknown(frozenset({"string"}))}, ("port",), "has the wrong type: write an integer or null"),
    ({"mode": "slov"}, ("mode",), 'is not an allowed value: did you mean "slow"?'),
    ({"mode": 3}, ("mode",), "has the wrong type"),
    ({"tags": []}, ("tags",), "has too few items: list at least this many: 1"),
    ({"tags": ["a", 1]}, ("tags", 1), "has the wrong type"),
    ({"tags": ["a", "a"]}, ("tags",), "has an item twice: keep one"),
    ({"strict": {"retrys": 1}}, ("strict", "retrys"), 'that the specification allows: did you mean "retries"?'),
    ({"strict": {"zzzzzz": 1}}, ("strict", "zzzzzz"), "that the specification allows: write one of retries"),
    ({"auth": {"method": "token"}}, ("auth", "token"), "is required"),
    ({"auth": {"method": "login"}}, ("auth", "user"), "is required"),
    ({"auth": {"method": "login", "user": 1}}, ("auth", "user"), "has the wrong type"),
    ({"auth": {"method": "tokn"}}, ("auth", "method"), 'is not an allowed value: did you mean "token"?'),
    ({"auth": {"method": "zzz"}}, ("auth", "method"), "is not an allowed value: write one of token, login"),
    ({"auth": {}}, ("auth", "method"), "is required: write one of token, login"),
    ({"either": {"a": 1, "b": 1}}, ("either",), "fits more than one of the choices"),
    ({"auth": "text"}, ("auth",), "has the wrong type: write an object"),
    ({"host": ..., "port": UNKNOWN}, ("host",), "is required"),
    ({"auth": {"method": "login", "password": UNKNOWN}}, ("auth", "user"), "is required"),
    ({"day": "2026-02-30"}, ("day",), "is not a date: write one such as 2026-01-31"),
    ({"day": "20260131"}, ("day",), "is not a date"),
    ({"moment": "2026-01-31"}, ("moment",), "is not a date-time: write one such as 2026-01-31T00:00:00Z"),
    ({"moment": "2026-01-31T25:00:00Z"}, ("moment",), "is not a date-time"),
    ({"never": 1}, (), "has a key that is against the rules of the connector's specification"),
    ({"not": 3}, ("not",), "breaks the rule not"),
]
FITTING: list[dict[str, Any]] = [
    {},
    {"host": UNKNOWN},
    {"token": "secret_coordinate::Vault/1"},
    {"odd": "1"},
    {"port": UNKNOWN, "mode": UNKNOWN, "tags": [UNKNOWN, UNKNOWN], "not": UNKNOWN, "strict": {"retries": UNKNOWN}},
    {"port": Unknown(frozenset({"integer", "string"}))},
    {"auth": UNKNOWN},
    {"auth": {"method": UNKNOWN, "user": "u"}},
    {"auth": {"method": UNKNOWN, "user": "u", "token": "t"}},
    {"auth": {"method": "token", "token": UNKNOWN}},
    {"further": {"keys": ["are", "allowed"]}},
    {"day": "2026-01-31", "moment": "2026-01-31t00:00:00.5+01:00"},
    {"coded": {"1": 1}},
]


def configuration(changes: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {"host": "a.b", "auth": AUTH} | changes
    return {key: value for key, value in given.items() if value is not ...}


@pytest.mark.parametrize(("changes", "path", "wanted"), WRONG, ids=[str(changes) for changes, _, _ in WRONG])
def test_each_wrong_place_is_reported_once_with_a_remedy_and_without_a_value(
    changes: dict[str, Any], path: tuple[str | int, ...], wanted: str
) -> None:
    [misfit] = Specification(SPEC).misfits(configuration(changes))
    assert misfit.path == path
    assert wanted in str(misfit.flaw)
    assert SECRET not in str(misfit.flaw)


@pytest.mark.parametrize("changes", FITTING)
def test_what_the_server_may_accept_is_not_refused(changes: dict[str, Any]) -> None:
    assert Specification(SPEC).misfits(configuration(changes)) == []


def test_a_misfit_of_type_has_the_types_that_are_allowed() -> None:
    [misfit] = Specification(SPEC).misfits(configuration({"port": "1"}))
    assert misfit.types == ("integer", "null")


@pytest.mark.parametrize(
    "spec",
    [
        {"properties": {"host": {"$ref": "https://example.com/schema"}}},
        {"properties": {"host": {"$ref": "#/definitions/nothing"}}},
        {"$ref": "#"},
    ],
    ids=str,
)
def test_a_reference_that_leads_nowhere_makes_a_specification_unusable(spec: dict[str, Any]) -> None:
    with pytest.raises(SpecificationError, match=r"points to what it doesn't have|leads back to itself"):
        Specification(spec).misfits({"host": 1})


def test_a_specification_that_is_no_schema_is_unusable() -> None:
    assert Specification.usable({"type": 3}) is None
    with pytest.raises(SpecificationError, match="is no JSON Schema"):
        Specification({"type": "objekt"})


def test_a_key_that_is_nearly_a_known_one_is_found_at_every_depth() -> None:
    given: dict[str, Any] = {"hots": 1, "host": 2, "prot": 3, "auth": {"tokn": 4}, "unlike": 5, "strict": {"retrys": 1}}
    found = [*Specification(SPEC).unknown_keys(given | {"MODE": 6})]
    assert found == [
        (("hots",), None),
        (("prot",), "port"),
        (("auth", "tokn"), "token"),
        (("unlike",), None),
        (("strict", "retrys"), "retries"),
        (("MODE",), "mode"),
    ]


def test_where_keys_are_free_no_other_key_was_meant() -> None:
    assert [*Specification(SPEC).unknown_keys({"free": {"knowm": "x"}})] == [(("free", "knowm"), None)]


@pytest.mark.parametrize("schema", [{"type": "array", "items": {}}, {"oneOf": [{"properties": {"a": {}}}]}])
def test_what_is_inside_a_secret_is_secret(schema: dict[str, Any]) -> None:
    spec: dict[str, Any] = {"properties": {"keys": schema | {"airbyte_secret": True}, "open": schema}}
    assert [is_secret(spec, path) for path in (("keys",), ("keys", 0), ("keys", "a"))] == [True] * 3
    assert not is_secret(spec, ("open", "a"))
    assert Specification(spec).is_secret(("keys", 3))


ENDLESS = "^(a|aa)+$"
LONG = "a" * 100 + "!"


def patterned(**keywords: Any) -> Specification:
    return Specification({"type": "object", "properties": {"name": {"type": "string", **keywords}}})


def test_a_pattern_that_takes_too_long_refuses_nothing_and_says_where_it_stands() -> None:
    verdict = patterned(pattern=ENDLESS).judge({"name": LONG})
    assert verdict == ([], [("name",)])


def test_a_pattern_that_took_too_long_is_not_tried_again() -> None:
    specification = patterned(pattern=ENDLESS)
    assert specification.judge({"name": LONG}).unchecked == [("name",)]
    assert specification.judge({"name": "b"}) == ([], [("name",)])


@pytest.mark.parametrize(
    "keywords",
    [
        {"not": {"pattern": ENDLESS}},
        {"oneOf": [{"pattern": ENDLESS}, {"minLength": 1}]},
        {"anyOf": [{"pattern": ENDLESS}, {"maxLength": 1}]},
        {"if": {"pattern": ENDLESS}, "then": False},
        {"if": {"pattern": ENDLESS}, "else": False},
        {"allOf": [{"not": {"not": {"pattern": ENDLESS}}}]},
    ],
)
def test_with_an_undecided_pattern_no_verdict_that_could_turn_is_given(keywords: dict[str, Any]) -> None:
    assert patterned(**keywords).judge({"name": LONG}) == ([], [("name",)])


def test_an_undecided_pattern_of_keys_refuses_no_key() -> None:
    schema: dict[str, Any] = {"patternProperties": {ENDLESS: {"type": "string"}}, "additionalProperties": False}
    assert Specification(schema).judge({LONG: 1}) == ([], [()])
    assert Specification({"propertyNames": {"pattern": ENDLESS}}).judge({LONG: 1}) == ([], [()])


@pytest.mark.parametrize("pattern", ["^(?!https://)(?!https://).*", r"^\w{1,2000}$", "^[^\\s]+(?<!x)$", "^(a+)+$"])
def test_patterns_that_only_look_hard_are_decided(pattern: str) -> None:
    assert patterned(pattern=pattern).judge({"name": "a"}) == ([], [])
    assert [misfit.path for misfit in patterned(pattern=pattern).judge({"name": "https://x y x"}).misfits] == [
        ("name",)
    ]


def test_what_python_can_not_read_and_what_is_longer_than_any_pattern_is_left_to_the_server() -> None:
    for pattern in (r"^\p{Alpha}+$", "(" * 3_000, "a" * 3_000, "(" * 900 + ")" * 900):
        assert patterned(pattern=pattern).judge({"name": "1"}) == ([], [("name",)])


def test_a_list_of_thousands_of_different_objects_is_unique() -> None:
    items = [{"a": {"b": number}} for number in range(4_000)]
    specification = Specification({"properties": {"all": {"uniqueItems": True}}})
    assert specification.misfits({"all": items}) == []
    assert [misfit.path for misfit in specification.misfits({"all": [*items, {"a": {"b": 7}}]})] == [("all",)]
