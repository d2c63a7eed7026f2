"""Where each value of a JSON text begins and ends, for messages that name a line and a column.

Knows the grammar of JSON. Must not know what a document means.
"""

import json
import re
from dataclasses import dataclass

BLANK = re.compile(r"[ \t\n\r]*")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
SCALAR = re.compile(r"[^,\]}\s]+")

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """The first and the last character of a value, counted from 0."""

    start: int
    end: int


def places(text: str) -> dict[Path, Place]:
    """The place of every value of a valid document, by its path; of a repeated key, the last one counts."""
    found: dict[Path, Place] = {}
    _value(text, _after_blank(text, 0), (), found)
    return found


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """A position as a line and a column, both counted from 1; columns count bytes, as the server's parser does."""
    before = text[:position]
    line_start = before.rfind("\n") + 1
    return before.count("\n") + 1, len(before[line_start:].encode()) + 1


def broken_at(text: str) -> int:
    """The position of the first character that cannot be JSON; behind the last one if more was expected."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        unended = error.msg.startswith("Unterminated string")
        return len(text) if unended else error.pos
    except RecursionError:
        return 0
    return len(text)


def _after_blank(text: str, at: int) -> int:
    found = BLANK.match(text, at)
    return found.end() if found else at


def _value(text: str, start: int, path: Path, found: dict[Path, Place]) -> int:
    """Note a value and those within it; gives the position behind it."""
    opener = text[start]
    if opener == "{":
        end = _members(text, start + 1, path, found)
    elif opener == "[":
        end = _items(text, start + 1, path, found)
    else:
        scalar = (STRING if opener == '"' else SCALAR).match(text, start)
        end = scalar.end() if scalar else start + 1
    found[path] = Place(start, end - 1)
    return end


def _members(text: str, at: int, path: Path, found: dict[Path, Place]) -> int:
    at = _after_blank(text, at)
    while text[at] != "}":
        key = STRING.match(text, at)
        if key is None:
            return at
        colon = _after_blank(text, key.end())
        name: str = json.loads(key[0])
        at = _separated(text, _value(text, _after_blank(text, colon + 1), (*path, name), found))
    return at + 1


def _items(text: str, at: int, path: Path, found: dict[Path, Place]) -> int:
    at, index = _after_blank(text, at), 0
    while text[at] != "]":
        at = _separated(text, _value(text, at, (*path, index), found))
        index += 1
    return at + 1


def _separated(text: str, at: int) -> int:
    """The start of the next element, or of the bracket that ends them."""
    at = _after_blank(text, at)
    return _after_blank(text, at + 1) if text[at] == "," else at
