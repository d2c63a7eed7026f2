"""Changing one entry of a JSON text, and no other byte of it.

It reads texts that `json` has already accepted as an object that is not empty. It knows no file and no model.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import JsonValue

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"\s*")


class _Entry(NamedTuple):
    """An entry of an object: its key, and where its blanks, itself, its colon, its value and the rest begin."""

    key: str
    gap: int
    start: int
    colon: int
    value: int
    end: int


def with_entry(text: str, key: str, value: JsonValue, *, after: str) -> str:
    """A text whose object has a value at a key.

    Args:
        text: One JSON object.
        key: The key.
        value: Takes the place of the value that is there.
        after: The key of the entry that a new entry comes after, laid out like that one; the last one if it is missing.
    """
    entries = {entry.key: entry for entry in _entries(text)}
    written = json.dumps(value, ensure_ascii=False)
    if key in entries:
        found = entries[key]
        return text[: found.value] + written + text[found.end :]
    before = entries.get(after) or next(reversed(entries.values()))
    gap, colon = text[before.gap : before.start], text[before.colon : before.value]
    return f"{text[: before.end]},{gap}{json.dumps(key)}{colon}{written}{text[before.end :]}"


def _entries(text: str) -> Iterator[_Entry]:
    """The entries of the text's object, in order."""
    at = _past(text, 0) + 1
    while True:
        gap, start = at, _past(text, at)
        key, colon = _DECODER.raw_decode(text, start)
        value = _past(text, _past(text, colon) + 1)
        _, end = _DECODER.raw_decode(text, value)
        yield _Entry(key, gap, start, colon, value, end)
        at = _past(text, end)
        if text[at] == "}":
            return
        at += 1


def _past(text: str, at: int) -> int:
    """The first place from one on that is no blank."""
    found = _BLANK.match(text, at)
    return at if found is None else found.end()
