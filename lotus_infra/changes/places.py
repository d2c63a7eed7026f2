"""Where two states of an object differ, with values as text that may be shown: never a secret's."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import JsonValue

from lotus_infra.changes.digest import HIDDEN, UNKNOWN, ResourceState, Step, is_hidden
from lotus_infra.changes.impact import Setting

LONGEST: Final = 80
_PART: Final = re.compile(r'\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|\[(?P<index>\d+)\]|(?P<plain>[^.\[]+)')

Place = tuple[str, ...]


def places(step: Step) -> Iterator[Place]:
    """The paths of properties that differ, as the provider compared them, in alphabetical order."""
    told = [place_of(path) for path in step.detailed_diff] or [(name,) for name in step.diff_reasons]
    yield from sorted(told)


def place_of(path: str) -> Place:
    """A property path in its parts: `a.b[0]["c.d"]` is `a`, `b`, `0`, `c.d`."""
    found = _PART.finditer(path)
    return tuple(
        _unquoted(part["quoted"]) if part["quoted"] is not None else part["index"] or part["plain"] for part in found
    )


def _unquoted(text: str) -> str:
    """A quoted part as it is meant: the provider quotes as JSON does, the engine only quotation marks."""
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text.replace('\\"', '"')


def is_secret(step: Step, place: Place) -> bool:
    """Whether what is in a place, or what it is in, is a secret before or after."""
    return any(_hides(_inputs(state), place) for state in (step.old, step.new))


def setting(step: Step, place: Place) -> Setting:
    """What a place that is no secret held, and will hold."""
    old, new = (_value(_inputs(state), place) for state in (step.old, step.new))
    return Setting(".".join(place), shown(old), shown(new))


def shown(value: JsonValue) -> str:
    """A value as short text; empty for none."""
    if value is None:
        return ""
    if _hides(value, ()):
        return HIDDEN
    if value == UNKNOWN:
        return "known once it is made"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _inputs(state: ResourceState | None) -> Mapping[str, JsonValue]:
    return state.inputs if state is not None else {}


def _value(inputs: Mapping[str, JsonValue], place: Place) -> JsonValue:
    node: JsonValue = dict(inputs)
    for part in place:
        node = _inner(node, part)
    return node


def _inner(node: JsonValue, part: str) -> JsonValue:
    if isinstance(node, list):
        return node[int(part)] if part.isdigit() and int(part) < len(node) else None
    return node.get(part) if isinstance(node, dict) else None


def _hides(value: JsonValue | Mapping[str, JsonValue], place: Place) -> bool:
    """Whether a secret is on the way to a place, or anywhere below it."""
    node: JsonValue = value if isinstance(value, list | str | int | float | bool | None) else dict(value)
    for part in place:
        if is_hidden(node):
            return True
        node = _inner(node, part)
    return is_hidden(node) or any(_hides(inner, ()) for inner in _members(node))


def _members(node: JsonValue) -> list[JsonValue]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []
