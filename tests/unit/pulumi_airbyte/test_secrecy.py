"""What a specification calls secret."""

from typing import Any

from pulumi_airbyte.provider.properties import Secret
from pulumi_airbyte.provider.secrecy import masks, secrets_at_leaves, with_secrets_marked, without_nulls
from pulumi_airbyte.values import MASK

HIDDEN: Any = {"type": "string", "airbyte_secret": True}
SCHEMA: Any = {
    "properties": {
        "shop": {"type": "string"},
        "credentials": {
            "oneOf": [
                {"properties": {"method": {"const": "password"}, "password": HIDDEN}},
                {"properties": {"method": {"const": "token"}, "token": HIDDEN}},
            ]
        },
        "accounts": {"type": "array", "items": {"properties": {"key": HIDDEN}}},
    }
}


def test_a_secret_of_any_branch_is_marked() -> None:
    given: Any = {"shop": "s", "credentials": {"method": "token", "token": "t", "password": "p"}}
    marked = {"shop": "s", "credentials": {"method": "token", "token": Secret("t"), "password": Secret("p")}}
    assert with_secrets_marked(given, SCHEMA) == marked


def test_a_secret_in_a_list_is_marked() -> None:
    assert with_secrets_marked({"accounts": [{"key": "k"}]}, SCHEMA) == {"accounts": [{"key": Secret("k")}]}


def test_what_is_secret_already_stays_so() -> None:
    assert with_secrets_marked({"shop": Secret("s")}, SCHEMA) == {"shop": Secret("s")}


def test_the_secrecy_of_a_whole_goes_to_its_leaves() -> None:
    assert secrets_at_leaves({"a": Secret({"b": 1, "c": ["d"]})}) == {"a": {"b": Secret(1), "c": [Secret("d")]}}


def test_masks_are_found_wherever_they_hide() -> None:
    assert list(masks({"a": Secret(MASK), "b": [{"c": MASK}], "d": "*"})) == [("a",), ("b", 0, "c")]


def test_nulls_are_dropped_at_every_depth() -> None:
    assert without_nulls({"a": None, "b": {"c": None, "d": 1}}) == {"b": {"d": 1}}
