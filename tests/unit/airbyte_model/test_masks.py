"""Masks that a specification refuses, so that they can't keep a secret."""

from typing import Any

import pytest
from airbyte_model.secrets import MASK
from airbyte_model.specifications import Specification

TEXT: Any = {"type": "string", "airbyte_secret": True}
REFUSED: dict[str, Any] = {
    "a pattern": {"pattern": "^[0-9]+$"},
    "a longer text": {"minLength": 11},
    "a shorter text": {"maxLength": 9},
    "a choice": {"enum": ["a", "b"]},
    "a constant": {"const": "a"},
    "a date": {"format": "date"},
    "an address": {"format": "uri"},
    "another type": {"type": "integer"},
}
TAKEN: dict[str, Any] = {
    "any text": {},
    "a text of its length": {"minLength": 10, "maxLength": 10},
    "a pattern that it has": {"pattern": "^[*]+$"},
    "a pattern of another language": {"pattern": "^(?<a>x)$"},
    "a format that means nothing": {"format": "password"},
}


def schema(leaf: Any) -> Any:
    branch = {"properties": {"kind": {"const": "k"}, "token": TEXT | leaf}, "required": ["kind", "token"]}
    other = {"properties": {"kind": {"const": "o"}}, "required": ["kind"]}
    items = {"type": "array", "items": {"properties": {"key": TEXT | leaf}}}
    return {"type": "object", "properties": {"choice": {"oneOf": [branch, other]}, "keys": items, "free": TEXT}}


CONFIGURATION: Any = {"choice": {"kind": "k", "token": MASK}, "keys": [{"key": MASK}], "free": MASK}
PATHS: Any = [("choice", "token"), ("keys", 0, "key"), ("free",)]


@pytest.mark.parametrize("leaf", REFUSED.values(), ids=REFUSED)
def test_a_mask_is_refused_where_the_specification_wants(leaf: Any) -> None:
    assert Specification(schema(leaf)).refused_masks(CONFIGURATION, PATHS) == PATHS[:2]


@pytest.mark.parametrize("leaf", TAKEN.values(), ids=TAKEN)
def test_a_mask_is_taken_where_the_specification_wants(leaf: Any) -> None:
    assert Specification(schema(leaf)).refused_masks(CONFIGURATION, PATHS) == []


def test_what_else_is_wrong_with_a_configuration_refuses_no_mask() -> None:
    wrong: Any = CONFIGURATION | {"free": 3, "choice": {"token": MASK}}
    assert Specification(schema({})).refused_masks(wrong, PATHS[:2]) == []
