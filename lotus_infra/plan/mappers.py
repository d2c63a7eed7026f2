"""Compare the mappers of a stream before and after: which values and rows land that were kept out, and which change.

Mappers run one after the other, and each sees the names that the one before it made (airbyte-platform, mappers). So a
protection belongs to the field of the source, whatever it is called where the mapper runs. A closed world: a mapper
that is not known may have kept anything out, so its removal or change is an exposure.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from airbyte_model.streams import Stream
from pydantic import JsonValue

from lotus_infra.plan.impact import Finding
from lotus_infra.plan.rules import exposes, touches

_HASHING: Final = "hashing"
_ENCRYPTION: Final = "encryption"
_FILTERED: Final = "field-filtering"
_DONE: Final = {_HASHING: "hashed", _ENCRYPTION: "encrypted", _FILTERED: "left out"}
_REVERSIBLE: Final = frozenset({_ENCRYPTION})
"""Protections that whoever has a key can undo."""


@dataclass(frozen=True, slots=True)
class _Protection:
    """A mapper on one field.

    Attributes:
        kind: its type.
        reader: who can undo it: the public key of an encryption; empty for everything else.
        rest: its other settings, as comparable text.
    """

    kind: str
    reader: str
    rest: str


@dataclass(slots=True)
class _Effect:
    """What a list of mappers does.

    Attributes:
        fields: the protections of each field of the source, in order.
        names: the name under which each renamed or protected field lands.
        rows: the conditions of row filters.
        unknown: mappers that are not known, or not understood.
    """

    fields: dict[str, list[_Protection]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    rows: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    def origin(self, name: str) -> str:
        """The field of the source that has a name at this point."""
        return next((own for own, now in self.names.items() if now == name), name)


def compare_mappers(old: Stream, new: Stream) -> tuple[Finding, ...]:
    """What a change of a stream's mappers exposes or changes, worst first; none if nothing differs.

    A field that no longer lands is exposed by nothing.
    """
    before, after = _mappers(old), _mappers(new)
    if before == after:
        return ()
    was, becomes = _effect_of(before), _effect_of(after)
    found = [*_unknown(was, becomes), *_rows(was, becomes)]
    for name in sorted(was.fields.keys() | becomes.fields.keys() | was.names.keys() | becomes.names.keys()):
        if new.selected_fields is None or name in new.selected_fields:
            found += _field(name, was, becomes)
    found = list(dict.fromkeys(found)) or [touches("its mappers run in another order or with other settings")]
    return tuple(sorted(found, key=lambda each: each.effect != "exposes"))


def mapper_text(mapper: JsonValue) -> str:
    """A mapper as text without the settings that may hold a key: `hashing email`, `row-filtering`."""
    if not isinstance(mapper, Mapping):
        return "a mapper that is not known"
    settings = mapper.get("mapperConfiguration")
    named = settings if isinstance(settings, Mapping) else {}
    names = (named.get(key) for key in ("targetField", "originalFieldName", "newFieldName"))
    return " ".join([str(mapper.get("type")), *(name for name in names if isinstance(name, str))])


def _mappers(stream: Stream) -> list[JsonValue]:
    found = stream.others.get("mappers")
    return list(found) if isinstance(found, list | tuple) else []


def _effect_of(mappers: Iterable[JsonValue]) -> _Effect:
    effect = _Effect()
    for mapper in mappers:
        if not _apply(effect, mapper):
            effect.unknown.add(_text(mapper))
    return effect


def _apply(effect: _Effect, mapper: JsonValue) -> bool:
    """Add what a mapper does; returns whether it is understood."""
    kind = mapper.get("type") if isinstance(mapper, Mapping) else None
    settings = mapper.get("mapperConfiguration") if isinstance(mapper, Mapping) else None
    if not isinstance(kind, str) or not isinstance(settings, Mapping):
        return False
    if kind == "row-filtering":
        effect.rows.add(_text(settings.get("conditions")))
        return True
    names = ("originalFieldName", "newFieldName") if kind == "field-renaming" else ("targetField", "fieldNameSuffix")
    target, second = (settings.get(name) for name in names)
    if not isinstance(target, str) or not isinstance(second, str | None):
        return False
    own = effect.origin(target)
    if kind == "field-renaming":
        effect.names[own] = second or target
        return True
    if kind not in _DONE:
        return False
    rest = {key: value for key, value in settings.items() if key not in {"targetField", "publicKey", "fieldNameSuffix"}}
    effect.fields.setdefault(own, []).append(_Protection(kind, str(settings.get("publicKey") or ""), _text(rest)))
    if second:
        effect.names[own] = f"{target}{second}"
    return True


def _text(value: JsonValue | Mapping[str, JsonValue]) -> str:
    return json.dumps(value, sort_keys=True)


def _unknown(was: _Effect, becomes: _Effect) -> Iterator[Finding]:
    if was.unknown - becomes.unknown:
        yield exposes("loses or changes a mapper that Lotus does not know, which may have kept values or rows out")
    elif becomes.unknown - was.unknown:
        yield touches("gains a mapper that Lotus does not know")


def _rows(was: _Effect, becomes: _Effect) -> Iterator[Finding]:
    if was.rows - becomes.rows:
        yield exposes("rows land from now on that a filter kept out")
    elif becomes.rows - was.rows:
        yield touches("a filter keeps rows out from now on: existing ones stay")


def _field(name: str, was: _Effect, becomes: _Effect) -> Iterator[Finding]:
    old, new = was.fields.get(name, []), becomes.fields.get(name, [])
    kinds, left = ({each.kind for each in protections} for protections in (old, new))
    done = ", ".join(_DONE[kind] for kind in sorted(kinds))
    if kinds and not left:
        yield exposes(f"{name} lands in the clear from now on: it is no longer {done}")
    elif left and not kinds:
        stays = "existing rows keep its values in the clear"
        yield touches(f"{name} is {', '.join(_DONE[kind] for kind in sorted(left))} from now on: {stays}")
    elif old != new:
        yield _other_protection(name, old, new)
    before, after = was.names.get(name, name), becomes.names.get(name, name)
    if before != after and _FILTERED not in left:
        yield touches(f"{name} lands as {after}, and no longer as {before}")


def _other_protection(name: str, old: list[_Protection], new: list[_Protection]) -> Finding:
    """The verdict on a field that stays protected, in another way."""
    kinds, left = ({each.kind for each in protections} for protections in (old, new))
    if not left <= _REVERSIBLE or kinds <= _REVERSIBLE:
        readers = {each.reader for each in new if each.kind == _ENCRYPTION}
        if readers - {each.reader for each in old if each.kind == _ENCRYPTION} and kinds & left & _REVERSIBLE:
            return exposes(f"{name} is encrypted for another key: whoever has that key can read it")
        if _FILTERED in kinds - left:
            now = ", ".join(_DONE[kind] for kind in sorted(left))
            return exposes(f"{name} lands {now} from now on: it was left out")
        return touches(f"{name} is changed in another way: its new values do not match those of existing rows")
    return exposes(f"{name} is only encrypted from now on: whoever has the key can read it")
