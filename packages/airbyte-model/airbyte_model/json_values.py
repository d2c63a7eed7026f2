"""JSON documents as the rules read them, and the leaf whose value is not known yet."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = Mapping[str, JsonValue]
Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from a document's root to a value; empty for the whole document."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A leaf whose value is not known yet: an output of another resource, or a reference to what a stack holds.

    Rules accept it wherever its value could turn out valid.

    Attributes:
        types: the JSON types that the value can have; empty where it can have any.
    """

    types: frozenset[str] = frozenset()


UNKNOWN: Final = Unknown()


def is_known(value: object) -> bool:
    """Whether nothing in a document is unknown."""
    if isinstance(value, dict):
        return all(map(is_known, value.values()))
    if isinstance(value, list):
        return all(map(is_known, value))
    return not isinstance(value, Unknown)


def canonical_json(value: JsonValue) -> str:
    """One text for all equal values: sorted keys, no spaces, no escapes of printable text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def is_list(value: object) -> bool:
    """Whether the value is a JSON array (text is a sequence too, but not one)."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def leaves(value: JsonValue, path: Path = ()) -> Iterator[tuple[Path, JsonValue]]:
    """Every scalar of the tree with its path; empty objects and arrays count as scalars."""
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for index, child in enumerate(value):
            yield from leaves(child, (*path, index))
    else:
        yield path, value
