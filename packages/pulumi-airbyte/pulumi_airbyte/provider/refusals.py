"""Failures for inputs that the server refuses without a look-up: texts, ids, tags and mappers."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final, cast

from airbyte_model.streams import StreamTree
from airbyte_model.texts import HOLDS_NUL, name_flaw, nul_places

from pulumi_airbyte.provider.properties import Properties, Property, Secret, Unknown, is_known, unwrap
from pulumi_airbyte.provider.resource import Failure
from pulumi_airbyte.values import JsonValue, Path, is_list, render_path

if TYPE_CHECKING:
    from airbyte_model.specifications import Specification

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IDS: Final = ("workspaceId", "organizationId", "regionId", "userId", "definitionId", "sourceId", "destinationId")
_TAG: Final = ("tagId", "name", "color", "workspaceId")
_TAG_IDS: Final = ("tagId", "workspaceId")
NO_ID: Final = "is not an id of Airbyte, which is a UUID: give the resource's own output, or copy it from Airbyte"


def refused_texts(inputs: Properties) -> list[Failure]:
    """Failures for long names, invalid ids, and NUL characters in known values."""
    failures = [Failure(render_path(place), str(HOLDS_NUL)) for place in nul_places(_opened(inputs))]
    name = unwrap(inputs.get("name"))
    flaw = name_flaw(name) if isinstance(name, str) else None
    if flaw is not None and flaw != HOLDS_NUL:
        failures.append(Failure("name", str(flaw)))
    return failures + [Failure(name, NO_ID) for name in _IDS if _is_no_id(inputs.get(name))]


def refused_tags(tags: Property) -> list[Failure]:
    """Failures for incomplete tags; the server accepts no shorter form."""
    listed = unwrap(tags)
    return [failure for place, tag in _known(listed, ("tags",)) for failure in _tag_failures(place, tag)]


def _tag_failures(place: Path, tag: Property) -> Iterator[Failure]:
    found = unwrap(tag)
    if not isinstance(found, dict):
        yield Failure(render_path(place), f"must be an object with {', '.join(_TAG)}")
        return
    for key in _TAG:
        value = unwrap(found.get(key))
        if not isinstance(value, str | Unknown):
            yield Failure(render_path((*place, key)), "is required, as a text")
        elif key in _TAG_IDS and _is_no_id(value):
            yield Failure(render_path((*place, key)), NO_ID)


def refused_streams(streams: Mapping[str, StreamTree]) -> list[Failure]:
    """Failures for NUL characters and invalid mappers in streams by key."""
    found: list[tuple[Path, str]] = [(place, str(HOLDS_NUL)) for place in nul_places(streams)]
    for key, stream in streams.items():
        mappers = stream.get("mappers")
        if is_list(mappers):
            found += _misshapen(cast("Iterable[JsonValue]", mappers), (key, "mappers"))
    return [Failure(render_path(("configurations", *place)), what) for place, what in found]


def _misshapen(mappers: Iterable[JsonValue], place: Path) -> Iterator[tuple[Path, str]]:
    shape = _shape_of_mappers()
    for index, mapper in enumerate(mappers):
        for misfit in shape.misfits(mapper):
            yield (*place, index, *misfit.path), str(misfit.flaw)


@cache
def _shape_of_mappers() -> "Specification":
    from airbyte_model.mappers import MAPPER  # noqa: PLC0415 - only streams with mappers pay for it
    from airbyte_model.specifications import Specification  # noqa: PLC0415

    return Specification(MAPPER)


def _known(listed: Property, place: Path) -> Iterator[tuple[Path, Property]]:
    for index, item in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(unwrap(item), Unknown):
            yield (*place, index), item


def _is_no_id(value: Property) -> bool:
    plain = unwrap(value)
    return isinstance(plain, str) and plain != "" and _UUID.fullmatch(plain) is None


def _opened(value: Property) -> object:
    """The value without secret marks and unknown parts."""
    if isinstance(value, Secret):
        return _opened(value.value)
    if isinstance(value, dict):
        return {key: _opened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_opened(item) for item in value]
    return value if is_known(value) else None
