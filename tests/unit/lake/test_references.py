"""References in configurations."""

import pytest
from pydantic import JsonValue

from lotus_infra.lake.references import (
    Reference,
    is_reference,
    parse_reference,
    property_path,
    references,
    rotating_paths,
    substitute,
)

MALFORMED: list[tuple[dict[str, JsonValue], str]] = [
    ({"$secrt": "a"}, "$secrt is not a kind of reference"),
    ({"$": "a"}, "$ is not a kind of reference"),
    ({"$secret": 3}, "$secret does not name a value"),
    ({"$secret": "Not-A-Name"}, "$secret does not name a value"),
    ({"$secret": "a", "as": "int"}, '"as" is not a known type'),
    ({"$secret": "a", "$config": "b"}, "a $secret reference can't also have $config"),
    ({"$secret": "a", "rotate": True}, "a $secret reference can't also have rotate"),
    ({"$config": "a", "rotates": True}, "a $config reference can't also have rotates"),
    ({"$landing": "secret_access_key", "rotates": True}, "a $landing reference can't also have rotates"),
    ({"rotates": "yes", "$secret": "a"}, '"rotates" is not true or false'),
    ({"$secret": "a", "rotates": 1}, '"rotates" is not true or false'),
    ({"$secret": "a", "rotates": None}, '"rotates" is not true or false'),
    ({"$config": "a", "default": 3}, "a $config reference can't also have default"),
    ({"$config": "a", "as": "int"}, '"as" is not a known type'),
    ({"$config": "a", "as": None}, '"as" is not a known type'),
    ({"$landing": "buckt"}, "the landing zone has no such part"),
    ({"$landing": None}, "the landing zone has no such part"),
    ({"$landing": ["bucket"]}, "the landing zone has no such part"),
    ({"$landing": "bucket", "as": "string"}, "a $landing reference can't also have as"),
]


@pytest.mark.parametrize(("value", "what"), MALFORMED)
def test_a_malformed_reference_is_reported(value: dict[str, JsonValue], what: str) -> None:
    problem = parse_reference(value)

    assert is_reference(value)
    assert isinstance(problem, tuple)
    assert problem[0] == what
    assert problem[1]


def test_a_reference_names_a_value_and_how_it_is_read() -> None:
    assert parse_reference({"$secret": "key"}) == Reference("key", secret=True)
    assert parse_reference({"$config": "count", "as": "integer"}) == Reference("count", secret=False, type="integer")


def test_a_secret_may_be_airbytes_own_after_the_first_write() -> None:
    assert parse_reference({"$secret": "token", "rotates": True}) == Reference("token", secret=True, rotates=True)
    assert parse_reference({"$secret": "token", "rotates": False}) == parse_reference({"$secret": "token"})
    assert parse_reference({"$secret": "token", "rotate": True}) == (
        "a $secret reference can't also have rotate",
        'did you mean "rotates"?',
    )


def test_secrets_that_rotate_are_found_with_their_paths() -> None:
    configuration: JsonValue = {
        "credentials": {"refresh_token": {"$secret": "a", "rotates": True}, "client_secret": {"$secret": "b"}},
        "accounts": [{"token": {"$secret": "c", "rotates": True}}],
    }
    assert list(rotating_paths(configuration)) == [("credentials", "refresh_token"), ("accounts", 0, "token")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("configuration", "credentials", "refresh_token"), "configuration.credentials.refresh_token"),
        (("configuration", "accounts", 0, "token"), "configuration.accounts[0].token"),
        (("configuration", "a.b", "c"), 'configuration["a.b"].c'),
        (("configuration", "a[0]"), 'configuration["a[0]"]'),
        (("configuration", 'a "quoted" key'), r'configuration["a \"quoted\" key"]'),
        (("configuration", r"a\b"), r'configuration["a\b"]'),
        (("configuration", "größe"), 'configuration["größe"]'),
        (("configuration", "a-b", ""), 'configuration["a-b"][""]'),
        (("configuration", "*"), None),
        (("configuration", "a\\", "b"), None),
    ],
)
def test_a_path_is_written_as_the_engine_reads_it(path: tuple[str | int, ...], text: str | None) -> None:
    assert property_path(path) == text


def test_a_part_of_the_landing_zone_is_a_reference_and_its_credentials_are_secret() -> None:
    assert parse_reference({"$landing": "bucket"}) == Reference("landingZone", secret=False, part="bucket")
    assert parse_reference({"$landing": "secret_access_key"}) == Reference(
        "landingZone", secret=True, part="secret_access_key"
    )


def test_a_misspelt_part_gets_the_nearest_one() -> None:
    assert parse_reference({"$landing": "buckt"}) == ("the landing zone has no such part", 'did you mean "bucket"?')


@pytest.mark.parametrize("value", ["$secret", {}, {"secret": "a"}, [], None, 3])
def test_what_has_no_dollar_key_is_no_reference(value: JsonValue) -> None:
    assert not is_reference(value)


CONFIGURATION: JsonValue = {
    "shop": {"$config": "shop"},
    "credentials": {"password": {"$secret": "password"}},
    "accounts": [{"id": {"$config": "account", "as": "integer"}}, "plain"],
    "wrong": {"$secrt": "x"},
}


def test_references_are_found_with_their_paths() -> None:
    assert [(path, reference.name) for path, reference in references(CONFIGURATION)] == [
        (("shop",), "shop"),
        (("credentials", "password"), "password"),
        (("accounts", 0, "id"), "account"),
    ]


def test_each_reference_is_replaced_and_all_else_stays() -> None:
    assert substitute(CONFIGURATION, lambda reference: f"<{reference.name}>") == {
        "shop": "<shop>",
        "credentials": {"password": "<password>"},
        "accounts": [{"id": "<account>"}, "plain"],
        "wrong": {"$secrt": "x"},
    }
