"""What is known of the outside world: connectors that are pinned, and streams that were discovered.

People read these files and tools write them. They are compared with what people write, by the rules in `checks`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final, cast, get_args

from pydantic import JsonValue

from lotus_infra.lake.diagnostics import field_name
from lotus_infra.lake.models import (
    Configuration,
    ConnectorName,
    DefinitionId,
    DestinationSyncMode,
    Field,
    FieldPath,
    KeyPaths,
    LakeFile,
    LakeModel,
    SyncMode,
    TypeName,
)

MODES_OF_SOURCES: Final[tuple[SyncMode, ...]] = ("full_refresh", "incremental")
"""How sources can be read; one that names no known mode can be read in full (Airbyte protocol)."""
_UNKNOWN = Field("unknown")
_NULL = Field("null")
_TYPES = frozenset(get_args(TypeName))
_LONGEST_NAME = 200
_NOT_IN_FILE_NAMES = frozenset('/\\:*?"<>|')
Fields = Mapping[str, Field]


class Options(LakeModel):
    """The modes that a discovered stream can be read in."""

    sync_modes: tuple[SyncMode, ...]
    """How the source can be read."""

    destination_sync_modes: tuple[DestinationSyncMode, ...] = ()
    """Modes that older discoveries list; the pinned destination says which ones hold, so nothing reads these."""


class Defaults(LakeModel):
    """What a discovered stream suggests."""

    primary_key: KeyPaths = ()
    """The suggested key."""

    cursor_field: FieldPath = ()
    """The suggested cursor."""


class Discovered(LakeFile):
    """What a source says of one of its streams, `<source>/_discovered/<stream>.json`."""

    stream: str
    """The stream; the file has the same name."""

    namespace: str | None = None
    """The namespace that the source itself puts the stream in, as databases do."""

    options: Options
    """The modes that the stream can be read in."""

    defaults: Defaults = Defaults()
    """The key and the cursor that the source suggests."""

    source_defined_cursor: bool = False
    """Whether the source keeps to its own cursor, `defaults.cursor_field`, and lets nobody choose."""

    source_defined_primary_key: KeyPaths = ()
    """The key that the source keeps to; empty when anyone may choose."""

    fields: dict[str, Field]
    """Every top-level field that the source has, each with its type."""


class Connector(LakeFile):
    """A connector at one version, `_connectors/<connector>.json`: facts of its specification."""

    connector: ConnectorName
    """The connector's name; the file has the same name."""

    definition_id: DefinitionId
    """The id of its definition in Airbyte."""

    version: str | None = None
    """The version that the facts are of."""

    destination_sync_modes: tuple[DestinationSyncMode, ...] = ()
    """The modes that a destination can write in; empty for a source."""

    spec: Configuration
    """JSON Schema of its configuration, secret leaves marked with "airbyte_secret": true."""


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


def fields_of(schema: Mapping[str, JsonValue]) -> dict[str, Field]:
    """The top-level fields of a stream, in the schema's order."""
    return dict(field_of(dict(schema)).properties or {})


def field_of(schema: JsonValue) -> Field:
    """A JSON Schema as a field: alternatives become a list of types, and what says no type is unknown.

    A `$ref` is not followed: connectors are to resolve theirs (Airbyte protocol), and one that is left says no type.
    """
    if not isinstance(schema, dict):
        return _UNKNOWN
    field = _stated(schema)
    for keyword in ("oneOf", "anyOf"):
        choices = [field_of(choice) for choice in _list(schema.get(keyword))]
        field = _completed(field, _either([choice for choice in choices if choice != _NULL]))
    for part in _list(schema.get("allOf")):
        field = _completed(field, field_of(part))
    return field


def _stated(schema: dict[str, JsonValue]) -> Field:
    """What a schema says itself, its branches aside."""
    properties, items = schema.get("properties"), schema.get("items")
    inside = {name: field_of(inner) for name, inner in properties.items()} if isinstance(properties, dict) else None
    given = schema.get("type")
    names = [given] if isinstance(given, str) else [name for name in _list(given) if isinstance(name, str)]
    if not names:
        names = ["object"] * (inside is not None) or ["array"] * isinstance(items, dict)
    return Field(
        type=_NULL.type if names == ["null"] else _type(names),
        format=_text(schema.get("format")),
        airbyte_type=_text(schema.get("airbyte_type")),
        properties=inside,
        items=field_of(items) if isinstance(items, dict) else None,
    )


def _either(choices: Sequence[Field]) -> Field:
    """A field that is any of the choices; what they don't agree on is left open."""
    return reduce(_one_or_other, choices) if choices else _UNKNOWN


def _one_or_other(one: Field, other: Field) -> Field:
    ours, theirs = one.properties or {}, other.properties or {}
    names = dict.fromkeys((*ours, *theirs))
    items = [field.items for field in (one, other) if field.items is not None]
    return Field(
        type=_type((*_names(one), *_names(other))),
        format=one.format if one.format == other.format else None,
        airbyte_type=one.airbyte_type if one.airbyte_type == other.airbyte_type else None,
        properties={name: _either([each[name] for each in (ours, theirs) if name in each]) for name in names} or None,
        items=_either(items) if items else None,
    )


def _completed(field: Field, more: Field) -> Field:
    """A field with what it doesn't say of itself taken from elsewhere."""
    return Field(
        type=field.type if field.type != "unknown" else more.type,
        format=field.format or more.format,
        airbyte_type=field.airbyte_type or more.airbyte_type,
        properties={**more.properties, **(field.properties or {})} if more.properties else field.properties,
        items=field.items or more.items,
    )


def _names(field: Field) -> tuple[TypeName, ...]:
    return (field.type,) if isinstance(field.type, str) else field.type


def _type(names: Sequence[str]) -> TypeName | tuple[TypeName, ...]:
    known = tuple(cast("TypeName", name) for name in dict.fromkeys(names) if name != "null")
    if not known or "unknown" in known or not _TYPES.issuperset(known):
        return "unknown"
    return known[0] if len(known) == 1 else known


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def arranged(found: Discovered, before: Discovered | None) -> Discovered:
    """The facts in the order of an older file: what it has keeps its place, the rest follows in the source's order.

    Servers keep schemas in an order of their own (airbyte-platform stores them as jsonb), so that the order of an
    answer says nothing, and following it would make a difference of a whole file where a field was added.
    """
    if before is None:
        return found
    return found.model_copy(update={"schema_uri": before.schema_uri, "fields": _in_order(found.fields, before.fields)})


def _in_order(found: Fields, before: Fields) -> dict[str, Field]:
    names = [*(name for name in before if name in found), *(name for name in found if name not in before)]
    return {name: _field_in_order(found[name], before.get(name)) for name in names}


def _field_in_order(found: Field, before: Field | None) -> Field:
    if before is None:
        return found
    properties, items = found.properties, found.items
    return replace(
        found,
        properties=None if properties is None else _in_order(properties, before.properties or {}),
        items=None if items is None else _field_in_order(items, before.items),
    )


def text_of(discovered: Discovered) -> str:
    """The text of a discovered stream's file."""
    document = discovered.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"options": {"destination_sync_modes"}}
    )
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def unwritable(streams: Sequence[Discovered]) -> Iterator[tuple[Discovered, str]]:
    """The streams that can't have a file of their own, each with the reason."""
    named: dict[str, list[Discovered]] = {}
    for stream in streams:
        named.setdefault(stream.stream.casefold(), []).append(stream)
    for stream in streams:
        alike = named[stream.stream.casefold()]
        if not _can_name_a_file(stream.stream):
            yield stream, "its name can't be that of a file"
        elif len({each.stream for each in alike}) > 1:
            yield stream, f"not every disk tells {' from '.join(sorted({each.stream for each in alike}))}"
        elif len(alike) > 1:
            spaces = ", ".join(each.namespace or "none" for each in alike)
            yield stream, f"the source has it in several namespaces ({spaces})"
        elif not _is_text(text_of(stream)):
            yield stream, "its schema has something in it that is no text"


def _can_name_a_file(name: str) -> bool:
    return (
        name.isprintable()
        and name == name.strip()
        and not name.startswith(("_", "."))
        and not _NOT_IN_FILE_NAMES & set(name)
        and 0 < len(name.encode(errors="replace")) <= _LONGEST_NAME
    )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
