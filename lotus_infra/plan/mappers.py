"""Compare the mappers of a stream before and after: which values and rows land that were kept out, and which change.

`airbyte_model.mappers` has the rules of the server: which fields of the source land, under which name, and whether
hashed or encrypted. A closed world: a mapper that is not known, or has another form, may have kept anything out, so its
removal or change is an exposure.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from airbyte_model.mapper_types import ENCRYPTION, HASHING, MAPPER_TYPES, ROW_FILTERING
from airbyte_model.mappers import MappedField, Mapper, fields_after, fields_read, specification_of
from airbyte_model.streams import Stream
from pydantic import JsonValue

from lotus_infra.plan.impact import Finding
from lotus_infra.plan.rules import exposes, touches

_LEFT_OUT: Final = "left out"
_CLEAR: Final = "kept"
_SECRECY: Final = {_CLEAR: 0, "encrypted": 1, "hashed": 2, _LEFT_OUT: 3}
"""How much each treatment of a field hides: whoever has the key reads what is encrypted."""


class _Landed(NamedTuple):
    """A field of the source at the destination.

    Attributes:
        change: what happens to its values, or `left out`.
        name: its name there.
    """

    change: str
    name: str


def compare_mappers(old: Stream, new: Stream) -> tuple[Finding, ...]:
    """What a change of a stream's mappers exposes or changes, worst first; none if nothing differs.

    A field that only one of the two lands is exposed by no mapper.
    """
    before, after = _mappers(old), _mappers(new)
    if before == after:
        return ()
    had, has = ([mapper for each in listed if (mapper := _known(each)) is not None] for listed in (before, after))
    found = [*_unknown(before, after), *_rows(had, has)]
    old_fields, new_fields = _fields(old, new, had, has), _fields(new, old, had, has)
    was, becomes = _landed(had, old_fields), _landed(has, new_fields)
    for name in sorted(set(old_fields) & set(new_fields)):
        found += _field(name, was[name], becomes[name], (had, has))
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


def _known(mapper: JsonValue) -> Mapper | None:
    """A mapper that is known, and has the form that the server documents; None for any other."""
    if not isinstance(mapper, Mapping):
        return None
    kind, settings = mapper.get("type"), mapper.get("mapperConfiguration")
    if (
        kind not in MAPPER_TYPES
        or not isinstance(settings, Mapping)
        or any(specification_of(str(kind)).misfits(settings))
    ):
        return None
    return Mapper(str(kind), settings)


def _fields(stream: Stream, other: Stream, *mappers: Iterable[Mapper]) -> list[str]:
    """The fields that a stream reads, as far as they matter here: of all fields, those that anything names."""
    if stream.selected_fields is not None:
        return list(stream.selected_fields)
    both = [mapper for listed in mappers for mapper in listed]
    made = {name for mapper in both for name in _made(mapper)}
    read = {name for mapper in both for _, name in fields_read(mapper)}
    return sorted((read - made) | set(other.selected_fields or ()))


def _made(mapper: Mapper) -> Iterator[str]:
    """The names of fields that a mapper writes."""
    target, suffix, new = (mapper.configuration.get(key) for key in ("targetField", "fieldNameSuffix", "newFieldName"))
    if isinstance(new, str):
        yield new
    elif isinstance(suffix, str):
        yield f"{target}{suffix}"


def _landed(mappers: Iterable[Mapper], fields: Iterable[str]) -> dict[str, _Landed]:
    """What becomes of each field, by its name in the source."""
    found: dict[str, tuple[str, MappedField]] = {
        field.origin: (name, field) for name, field in fields_after(mappers, fields).items()
    }
    return {
        name: _Landed(found[name][1].change, found[name][0]) if name in found else _Landed(_LEFT_OUT, name)
        for name in fields
    }


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _unknown(before: Iterable[JsonValue], after: Iterable[JsonValue]) -> Iterator[Finding]:
    had, has = ({_text(each) for each in listed if _known(each) is None} for listed in (before, after))
    if had - has:
        yield exposes("loses or changes a mapper that Lotus does not know, which may have kept values or rows out")
    elif has - had:
        yield touches("gains a mapper that Lotus does not know")


def _rows(had: Iterable[Mapper], has: Iterable[Mapper]) -> Iterator[Finding]:
    before, after = (
        {_text(each.configuration.get("conditions")) for each in listed if each.type == ROW_FILTERING}
        for listed in (had, has)
    )
    if before - after:
        yield exposes("rows land from now on that a filter kept out")
    elif after - before:
        yield touches("a filter keeps rows out from now on: existing ones stay")


def _field(name: str, was: _Landed, becomes: _Landed, mappers: tuple[list[Mapper], list[Mapper]]) -> Iterator[Finding]:
    """The verdicts on a field that both land, or leave out."""
    if was.change != becomes.change:
        yield _changed(name, was.change, becomes.change)
    elif was.change != _CLEAR:
        yield from _in_another_way(name, was.change, *mappers)
    if was.name != becomes.name and becomes.change != _LEFT_OUT:
        yield touches(f"{name} lands as {becomes.name}, and no longer as {was.name}")


def _changed(name: str, before: str, after: str) -> Finding:
    if before == _CLEAR:
        return touches(f"{name} is {after} from now on: existing rows keep its values in the clear")
    if after == _CLEAR:
        return exposes(f"{name} lands in the clear from now on: it is no longer {before}")
    if _SECRECY[after] < _SECRECY[before]:
        keys = ": whoever has the key can read it" if after == "encrypted" else ""
        return exposes(f"{name} lands {after} from now on, and no longer {before}{keys}")
    return touches(f"{name} is {after} from now on, and no longer {before}: new values do not match existing ones")


def _in_another_way(name: str, change: str, had: list[Mapper], has: list[Mapper]) -> Iterator[Finding]:
    """The verdicts on a field that stays hashed or encrypted, if mappers of that kind differ."""
    hashed = [_settings(listed, HASHING) for listed in (had, has)]
    encrypted = [_settings(listed, ENCRYPTION) for listed in (had, has)]
    if change == "encrypted" and hashed[0] - hashed[1]:
        yield exposes(f"{name} may land encrypted only, and no longer hashed before")
    keys = [
        {each.configuration.get("publicKey") for each in listed if each.type == ENCRYPTION} for listed in (had, has)
    ]
    if change == "encrypted" and keys[1] - keys[0]:
        yield exposes(f"{name} is encrypted for another key: whoever has that key can read it")
    elif change in {"hashed", "encrypted"} and (hashed, encrypted) != (hashed[::-1], encrypted[::-1]):
        yield touches(f"{name} is {change} in another way: new values do not match existing ones")


def _settings(mappers: Iterable[Mapper], kind: str) -> set[str]:
    """The settings of all mappers of a kind, without the names of fields."""
    left = {"targetField", "fieldNameSuffix"}
    listed = (each.configuration for each in mappers if each.type == kind)
    return {_text({key: value for key, value in each.items() if key not in left}) for each in listed}
