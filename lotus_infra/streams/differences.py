"""What has changed between two discoveries of a stream, place by place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lotus_infra.streams.facts import Discovered
from lotus_infra.streams.fields import Field
from lotus_infra.streams.problems import field_name
from lotus_infra.streams.values import FieldPath


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that is not what it was.

    Attributes:
        place: A key of the file such as `options.sync_modes`, or a field such as `fields.address.zip`; what an array
            holds is `fields.lines[]`.
        before: What was there; None when nothing was.
        after: What is there; None when nothing is.
    """

    place: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.place}: {self.after}"
        return (
            f"- {self.place}: {self.before}" if self.after is None else f"~ {self.place}: {self.before} → {self.after}"
        )


def differences(before: Discovered, after: Discovered) -> tuple[Difference, ...]:
    """What has changed, modes, cursor and key first; a field inside an added or removed one is not told by itself."""
    ours, theirs = _settings(before), _settings(after)
    changed = [Difference(place, ours[place], theirs[place]) for place in ours if ours[place] != theirs[place]]
    return (*changed, *_between("fields.", before.fields, after.fields))


def _settings(stream: Discovered) -> dict[str, str]:
    return {
        "namespace": stream.namespace or "none",
        "options.sync_modes": ", ".join(sorted(stream.options.sync_modes)) or "none",
        "defaults.cursor_field": field_name(stream.defaults.cursor_field) or "none",
        "defaults.primary_key": _key(stream.defaults.primary_key),
        "source_defined_cursor": "yes" if stream.source_defined_cursor else "no",
        "source_defined_primary_key": _key(stream.source_defined_primary_key),
    }


def _key(paths: tuple[FieldPath, ...]) -> str:
    return ", ".join(map(field_name, paths)) or "none"


def _between(start: str, before: Mapping[str, Field], after: Mapping[str, Field]) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        yield from _of_field(start + name, before.get(name), after.get(name))


def _of_field(place: str, before: Field | None, after: Field | None) -> Iterator[Difference]:
    ours, theirs = _written(before), _written(after)
    if ours != theirs:
        yield Difference(place, ours, theirs)
    if before is not None and after is not None:
        yield from _between(f"{place}.", before.properties or {}, after.properties or {})
        if before.items is not None or after.items is not None:
            yield from _of_field(f"{place}[]", before.items, after.items)


def _written(field: Field | None) -> str | None:
    if field is None:
        return None
    finer = ", ".join(filter(None, (field.format, field.airbyte_type)))
    return " or ".join(sorted(field.types) or ["unknown"]) + (f" ({finer})" if finer else "")
