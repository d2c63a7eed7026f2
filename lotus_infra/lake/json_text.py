"""Find lines in a JSON text, and edit single entries of it while every other byte stays as it is.

Edits keep the order of keys, indents and line ends, so that a diff shows the changed entry only. All functions take
texts that `json` has accepted and in which no object has a duplicate key; the loader checks both. Pure.

One scanner, `_entries`, serves lines and edits: the standard library's decoder finds where a value ends. The package
json-source-map (1.0.5) can't replace it: it leaves escapes in keys undecoded, joins keys to pointers without escaping
`/`, loses a duplicate key, and gives no gaps between entries to edit in.
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


@dataclass(frozen=True, slots=True)
class Edit:
    """One value to set or to remove.

    Attributes:
        path: Keys from the document's root; missing objects on the way are created.
        value: The new value; None removes the key.
        order: The order of keys in such a file: a new key is inserted behind the nearest of its predecessors, or at
            the end.
    """

    path: tuple[str, ...]
    value: JsonValue
    order: tuple[str, ...] = ()


class _Entry(NamedTuple):
    """A member of an object or an element of an array, by its offsets in the text.

    `step` is the key or the index; the entry starts at `start`, with its key where it has one; its value is
    `text[value:end]`.
    """

    step: str | int
    start: int
    value: int
    end: int


def line_of(text: str, path: JsonPath) -> int:
    """The 1-based line of a path, or of the deepest part of it that exists; 1 if no part exists."""
    line_at, value = 0, _skip_blanks(text, 0)
    for step in path:
        entry = next((entry for entry in _entries(text, value) if entry.step == step), None)
        if entry is None:
            break
        line_at, value = entry.start, entry.value
    return _line_at(text, line_at)


def duplicates(text: str) -> Iterator[tuple[JsonPath, int]]:
    """Yield the path and the line of each key that its object already has; nothing inside a duplicate is searched."""
    found: list[tuple[int, JsonPath]] = []
    # A stack rather than a recursion: `json` accepts deeper nesting than Python functions may recurse.
    pending: list[tuple[JsonPath, int]] = [((), _skip_blanks(text, 0))]
    while pending:
        path, start = pending.pop()
        steps: set[str | int] = set()
        for entry in _entries(text, start):
            here = (*path, entry.step)
            if entry.step in steps:
                found.append((entry.start, here))
            else:
                steps.add(entry.step)
                pending.append((here, entry.value))
    yield from ((path, _line_at(text, start)) for start, path in sorted(found))


def _line_at(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _entries(text: str, start: int) -> list[_Entry]:
    """The entries of the object or array that starts at an offset; none for any other value."""
    entries: list[_Entry] = []
    if text[start] not in "{[":
        return entries
    at = _skip_blanks(text, start + 1)
    while text[at] not in "}]":
        step: str | int
        step, value = len(entries), at
        if text[start] == "{":
            step, after_key = _DECODER.raw_decode(text, at)
            value = _skip_blanks(text, _skip_blanks(text, after_key) + 1)
        end = _DECODER.raw_decode(text, value)[1]
        entries.append(_Entry(step, at, value, end))
        at = _skip_blanks(text, end)
        if text[at] == ",":
            at = _skip_blanks(text, at + 1)
    return entries


def _skip_blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks else at


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Apply edits to a text, first to last."""
    return reduce(_apply, edits, text)


def _apply(text: str, edit: Edit) -> str:
    start = _skip_blanks(text, 0)
    for depth, key in enumerate(edit.path):
        entries = _entries(text, start)
        entry = next((entry for entry in entries if entry.step == key), None)
        is_last = depth == len(edit.path) - 1
        if entry is None:
            return text if edit.value is None else _insert(text, start, entries, edit, depth)
        if is_last or text[entry.value] != "{":
            if edit.value is not None:
                return _replace(text, start, entry, _nest(edit, depth))
            return _remove(text, start, entries, entry) if is_last else text
        start = entry.value
    return text


def _nest(edit: Edit, depth: int) -> JsonValue:
    """Wrap an edit's value in the objects that its path names below a depth."""
    return reduce(lambda inner, key: {key: inner}, reversed(edit.path[depth + 1 :]), edit.value)


def _replace(text: str, start: int, entry: _Entry, value: JsonValue) -> str:
    old = text[entry.value : entry.end]
    spread = "\n" in old if _is_filled(old) else "\n" in text[start : entry.start]
    return text[: entry.value] + _dump(text, value, entry.start, spread=spread) + text[entry.end :]


def _is_filled(value: str) -> bool:
    """Whether a value's text is an object or array with entries."""
    return value[0] in "{[" and len(value) > 2


def _remove(text: str, start: int, entries: list[_Entry], entry: _Entry) -> str:
    index = entries.index(entry)
    if len(entries) == 1:
        return text[: start + 1] + text[_skip_blanks(text, entry.end) :]
    if index + 1 < len(entries):
        return text[: entry.start] + text[entries[index + 1].start :]
    return text[: entries[index - 1].end] + text[entry.end :]


def _insert(text: str, start: int, entries: list[_Entry], edit: Edit, depth: int) -> str:
    """Insert the key of an edit's path at a depth into the object that starts at an offset."""
    value, key = _nest(edit, depth), json.dumps(edit.path[depth], ensure_ascii=False)
    if not entries:
        return _fill(text, start, key, value)
    spread = "\n" in text[start : entries[0].start]
    # Siblings on one line each, as in a stream's "fields", are a style to keep: the new value is on one line too.
    flat = any(_is_filled(text[each.value : each.end]) and "\n" not in text[each.value : each.end] for each in entries)
    before = _predecessor(entries, edit) if depth == len(edit.path) - 1 else entries[-1]
    item = f"{key}: {_dump(text, value, before.start, spread=spread and not flat)}"
    gap = _line_end(text) + _indent_at(text, before.start) if spread else " "
    return f"{text[: before.end]},{gap}{item}{text[before.end :]}"


def _fill(text: str, start: int, key: str, value: JsonValue) -> str:
    """Insert the first entry into an empty object."""
    after, end = _skip_blanks(text, start + 1), _line_end(text)
    outer, spread = _indent_at(text, start), _INDENT.search(text) is not None
    if not spread:
        return f"{text[: start + 1]}{key}: {_dump(text, value, start, spread=False)}{text[after:]}"
    item = f"{key}: {_dump(text, value, start, spread=True, deeper=_indent_unit(text))}"
    return f"{text[: start + 1]}{end}{outer}{_indent_unit(text)}{item}{end}{outer}{text[after:]}"


def _predecessor(entries: list[_Entry], edit: Edit) -> _Entry:
    """The entry behind which the edit's key is inserted."""
    name = edit.path[-1]
    earlier = edit.order[: edit.order.index(name)] if name in edit.order else ()
    ranks: dict[str | int, int] = {key: rank for rank, key in enumerate(earlier)}
    known = [entry for entry in entries if entry.step in ranks]
    return max(known, key=lambda entry: ranks[entry.step]) if known else entries[-1]


def _dump(text: str, value: JsonValue, at: int, *, spread: bool, deeper: str = "") -> str:
    """A value in the text's style: on one line, or over several, indented as the line at an offset is."""
    if not spread:
        return json.dumps(value, ensure_ascii=False)
    lines = json.dumps(value, indent=_indent_unit(text), ensure_ascii=False)
    return lines.replace("\n", _line_end(text) + _indent_at(text, at) + deeper)


def _indent_at(text: str, at: int) -> str:
    """The indent of the line at an offset."""
    line = text.rfind("\n", 0, at) + 1
    return text[line : _skip_blanks(text, line)] if _skip_blanks(text, line) <= at else ""


def _indent_unit(text: str) -> str:
    """The indent of the document's first key; two spaces if the document is on one line."""
    found = _INDENT.match(text, _skip_blanks(text, 0))
    return found[1] if found else "  "


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def child(value: JsonValue, step: str | int) -> tuple[()] | tuple[JsonValue]:
    """A value's entry at a key or an index, as a tuple of one; an empty tuple if it has none (None is a JSON value)."""
    if isinstance(value, dict) and isinstance(step, str) and step in value:
        return (value[step],)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return (value[step],)
    return ()


def path_in_document(document: JsonValue, path: JsonPath) -> JsonPath:
    """Translate a path through the models to the document: array items may be a bare map, without "properties"."""
    translated: list[str | int] = []
    here = document
    for position, step in enumerate(path):
        found = child(here, step)
        if found:
            here = found[0]
            translated.append(step)
        elif step != "properties":
            translated.extend(path[position:])
            break
    return tuple(translated)
