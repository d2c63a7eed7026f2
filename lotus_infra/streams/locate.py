"""Which line of a JSON text a path is on.

It reads texts that `json` has already accepted, and so checks nothing; it is slow next to a parser and meant for the
few files that have problems.
"""

import json
import re
from collections.abc import Iterator

from pydantic import JsonValue

from lotus_infra.streams.problems import JsonPath

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\]:,"]+')


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
