"""Which line of a JSON text a path is on.

It reads texts that `json` has already accepted, and so checks nothing; it is slow next to a parser and meant for the
few files that have problems.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from pydantic import JsonValue

from lotus_infra.lake.diagnostics import JsonPath

_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\r\n]*")
_INDENT = re.compile(r"\{[ \t]*\r?\n([ \t]+)\"")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\]:,"]+')


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be at one place.

    Attributes:
        path: keys from the document's root; objects on the way that are missing are made.
        value: what is to be there; None takes the key away.
        order: keys in the order in which a file has them: a new key goes behind the nearest one before it, else to the
            end.
    """

    path: tuple[str, ...]
    value: JsonValue
    order: tuple[str, ...] = ()


class _Member(NamedTuple):
    """A key and its value in a text: where the key starts, and where the value does and ends."""

    key: str
    at: int
    value: int
    end: int


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text with all the edits made, first to last."""
    return reduce(_edited, edits, text)


def _edited(text: str, edit: Edit) -> str:
    start = _skip(text, 0)
    for depth, key in enumerate(edit.path):
        members = _members(text, start)
        found = next((member for member in members if member.key == key), None)
        last = depth == len(edit.path) - 1
        if found is None:
            return text if edit.value is None else _inserted(text, start, members, edit, depth)
        if last or text[found.value] != "{":
            if edit.value is not None:
                return _replaced(text, start, found, _nested(edit, depth))
            return _removed(text, start, members, found) if last else text
        start = found.value
    return text


def _nested(edit: Edit, depth: int) -> JsonValue:
    """The value with the objects around it that are below a depth of its path."""
    return reduce(lambda inner, key: {key: inner}, reversed(edit.path[depth + 1 :]), edit.value)


def _members(text: str, start: int) -> list[_Member]:
    """The members of the object that starts there."""
    found: list[_Member] = []
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, after = _DECODER.raw_decode(text, at)
        value = _skip(text, _skip(text, after) + 1)
        end = _DECODER.raw_decode(text, value)[1]
        found.append(_Member(key, at, value, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _skip(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks else at


def _replaced(text: str, start: int, found: _Member, value: JsonValue) -> str:
    old = text[found.value : found.end]
    spread = "\n" in old if _is_filled(old) else "\n" in text[start : found.at]
    return text[: found.value] + _written(text, value, found.at, spread=spread) + text[found.end :]


def _is_filled(value: str) -> bool:
    return value[0] in "{[" and len(value) > 2


def _removed(text: str, start: int, members: list[_Member], found: _Member) -> str:
    place = members.index(found)
    if len(members) == 1:
        return text[: start + 1] + text[_skip(text, found.end) :]
    if place + 1 < len(members):
        return text[: found.at] + text[members[place + 1].at :]
    return text[: members[place - 1].end] + text[found.end :]


def _inserted(text: str, start: int, members: list[_Member], edit: Edit, depth: int) -> str:
    value, key = _nested(edit, depth), json.dumps(edit.path[depth], ensure_ascii=False)
    if not members:
        return _filled(text, start, key, value)
    spread = "\n" in text[start : members[0].at]
    flat = any(_is_filled(text[each.value : each.end]) and "\n" not in text[each.value : each.end] for each in members)
    before = _before(members, edit) if depth == len(edit.path) - 1 else members[-1]
    item = f"{key}: {_written(text, value, before.at, spread=spread and not flat)}"
    gap = _line_end(text) + _indent_of(text, before.at) if spread else " "
    return f"{text[: before.end]},{gap}{item}{text[before.end :]}"


def _filled(text: str, start: int, key: str, value: JsonValue) -> str:
    """The text with the first member in an empty object."""
    after, end = _skip(text, start + 1), _line_end(text)
    outer, spread = _indent_of(text, start), _INDENT.search(text) is not None
    if not spread:
        return f"{text[: start + 1]}{key}: {_written(text, value, start, spread=False)}{text[after:]}"
    item = f"{key}: {_written(text, value, start, spread=True, deeper=_unit(text))}"
    return f"{text[: start + 1]}{end}{outer}{_unit(text)}{item}{end}{outer}{text[after:]}"


def _before(members: list[_Member], edit: Edit) -> _Member:
    """The member that a new one goes behind."""
    name = edit.path[-1]
    earlier = edit.order[: edit.order.index(name)] if name in edit.order else ()
    ranks = {key: rank for rank, key in enumerate(earlier)}
    known = [member for member in members if member.key in ranks]
    return max(known, key=lambda member: ranks[member.key]) if known else members[-1]


def _written(text: str, value: JsonValue, at: int, *, spread: bool, deeper: str = "") -> str:
    """A value as the text would have it: over several lines, indented as the line of a place is, or on one."""
    if not spread:
        return json.dumps(value, ensure_ascii=False)
    lines = json.dumps(value, indent=_unit(text), ensure_ascii=False)
    return lines.replace("\n", _line_end(text) + _indent_of(text, at) + deeper)


def _indent_of(text: str, at: int) -> str:
    line = text.rfind("\n", 0, at) + 1
    return text[line : _skip(text, line)] if _skip(text, line) <= at else ""


def _unit(text: str) -> str:
    found = _INDENT.match(text, _skip(text, 0))
    return found[1] if found else "  "


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def positions(text: str) -> Iterator[tuple[JsonPath, int]]:
    """Yield the path of every key and array element with its 1-based line, in the text's order.

    A key that is written twice is yielded twice.
    """
    path: list[str | int] = []
    line, scanned = 1, 0
    key_next = element_next = False
    for token in _TOKEN.finditer(text):
        line += text.count("\n", scanned, token.start())
        scanned = token.start()
        symbol = token[0]
        if symbol in "}]":
            path.pop()
            key_next = element_next = False
            continue
        if element_next or (key_next and symbol != ","):
            if key_next:
                path[-1] = str(json.loads(symbol, strict=False))
            yield tuple(path), line
            key_next = element_next = False
        if symbol in "{[":
            path.append("" if symbol == "{" else 0)
            key_next, element_next = symbol == "{", symbol == "["
        elif symbol == ",":
            last = path[-1]
            path[-1] = last + 1 if isinstance(last, int) else ""
            key_next, element_next = isinstance(last, str), isinstance(last, int)


def line_of(text: str, path: JsonPath) -> int:
    """The line of a path, or of the deepest part of it that the text has; 1 when it has none of it."""
    best, depth = 1, 0
    for place, line in positions(text):
        if len(place) > depth and place == path[: len(place)]:
            best, depth = line, len(place)
            if depth == len(path):
                break
    return best


def duplicates(text: str) -> Iterator[tuple[JsonPath, int]]:
    """Yield each key that its object already has, with the line of the repetition; nothing below one is searched."""
    seen: set[JsonPath] = set()
    repeated: set[JsonPath] = set()
    for place, line in positions(text):
        if place[:-1] in repeated:
            repeated.add(place)
        elif place in seen:
            repeated.add(place)
            yield place, line
        seen.add(place)


def child(value: JsonValue, step: str | int) -> tuple[()] | tuple[JsonValue]:
    """What a value has at a key or an index, in a tuple; an empty tuple when it has nothing there."""
    if isinstance(value, dict) and isinstance(step, str) and step in value:
        return (value[step],)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return (value[step],)
    return ()


def as_written(document: JsonValue, path: JsonPath) -> JsonPath:
    """A path through the model as the document has it: array items may be a bare map, without "properties"."""
    written: list[str | int] = []
    here = document
    for position, step in enumerate(path):
        found = child(here, step)
        if found:
            here = found[0]
            written.append(step)
        elif step != "properties":
            written.extend(path[position:])
            break
    return tuple(written)
