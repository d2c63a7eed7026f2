"""Streams as a source offers them, and pinned connectors: files that tools write and people commit.

Four things that change together, all pure: the files' models; a source's JSON Schema as `Field`s, without
descriptions and titles; the changes between two discoveries; and the text of a stream's file. This module knows neither
the source nor where files are. The rules in `checks` compare these files with those that people write.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import count
from typing import Annotated, Final, cast, get_args

from airbyte_model.modes import DestinationMode, SourceMode
from pydantic import AfterValidator, BeforeValidator, JsonValue
from pydantic_core import PydanticCustomError

from lotus_infra import naming
from lotus_infra.lake.diagnostics import format_path
from lotus_infra.lake.disk import MOST_BYTES
from lotus_infra.lake.models import (
    REFUSED,
    Configuration,
    ConnectorName,
    DefinitionId,
    Field,
    FieldPath,
    KeyPaths,
    Label,
    LakeFile,
    LakeModel,
    TypeName,
)
from lotus_infra.lake.reading import excess_of
from lotus_infra.lake.references import Reference, is_reference, parse_reference

SOURCE_SYNC_MODES: Final[tuple[SourceMode, ...]] = get_args(SourceMode)
"""The modes that sources have; one that names no known mode supports the first (Airbyte protocol)."""
_UNKNOWN = Field("unknown")
_NULL = Field("null")
_TYPES = frozenset(get_args(TypeName))

Identity = tuple[str | None, str]
"""A stream's namespace in the source (None if it has none) and its name: what it is toward Airbyte."""
_MOST_OF_NAME = 100
"""Characters of a file's name, of which disks can hold 255 bytes."""

_Fields = Mapping[str, Field]


class Options(LakeModel):
    """The modes that a discovered stream supports."""

    sync_modes: tuple[SourceMode, ...]
    """How the source can be read."""

    destination_sync_modes: tuple[DestinationMode, ...] = ()
    """Modes that older discoveries list; ignored: the pinned destination has the supported modes."""


class Defaults(LakeModel):
    """The suggestions of a source for a stream."""

    primary_key: KeyPaths = ()
    """The suggested key."""

    cursor_field: FieldPath = ()
    """The suggested cursor."""


class Discovered(LakeFile):
    """A stream as the source offers it, `<source>/_discovered/<file>.json`."""

    stream: str
    """The stream's name in the source; with the namespace it says which stream the file is of."""

    namespace: str | None = None
    """The stream's namespace in the source, such as a database's schema."""

    options: Options
    """The modes that the stream supports."""

    defaults: Defaults = Defaults()
    """The key and the cursor that the source suggests."""

    source_defined_cursor: bool = False
    """Whether the source always uses its own cursor, `defaults.cursor_field`, and no other can be chosen."""

    source_defined_primary_key: KeyPaths = ()
    """The key that the source always uses; empty if the key can be chosen."""

    fields: dict[str, Field]
    """Every top-level field of the stream, each with its type."""

    @property
    def identity(self) -> Identity:
        """The stream's namespace and name; an empty namespace is none."""
        return self.namespace or None, self.stream


def _check_definition(value: object) -> object:
    if isinstance(value, dict):
        found = parse_reference(value) if is_reference(value) else None
        if not isinstance(found, Reference) or found.secret or found.part is not None or found.type != "string":
            what, remedy = "is no reference to a value of the stack", 'write {"$config": "source_mine_definition"}'
            raise PydanticCustomError(REFUSED, "{what}: {remedy}", {"what": what, "remedy": remedy})
    return value


def _check_image(value: str) -> str:
    if not value or any(map(str.isspace, value)):
        raise PydanticCustomError(
            REFUSED, "{what}: {remedy}", {"what": "is empty or has blanks", "remedy": "write what docker pull takes"}
        )
    return value


ImagePart = Annotated[str, AfterValidator(_check_image)]
ConnectorDefinition = Annotated[DefinitionId | dict[str, str], BeforeValidator(_check_definition)]


class Image(LakeModel):
    """A Docker image at one tag."""

    repository: ImagePart
    """The repository, such as "registry.example.com/source-mine"."""

    tag: ImagePart
    """The tag, such as "1.2.0"."""


class Connector(LakeFile):
    """A connector at one version, `_connectors/<connector>.json`, with its specification."""

    connector: ConnectorName
    """The connector's name; the file has the same name."""

    name: Label | None = None
    """The name in Airbyte of a connector of one's own; by default the connector's name."""

    definition_id: ConnectorDefinition | None = None
    """The id of its definition in Airbyte, or {"$config": name} for an id that differs by stack. None for a connector
    of one's own, whose definition is a resource of the stack."""

    version: str | None = None
    """The version that the specification belongs to."""

    image: Image | None = None
    """The Docker image of a connector of one's own."""

    manifest: str | None = None
    """The YAML file of a connector of one's own in this folder, such as "source-mine.yaml": a low-code manifest."""

    destination_sync_modes: tuple[DestinationMode, ...] = ()
    """The modes that a destination supports; empty for a source."""

    spec: Configuration
    """JSON Schema of its configuration, with secret properties marked "airbyte_secret": true."""

    @property
    def known_id(self) -> str | None:
        """The id of its definition, if it is the same in every stack."""
        return self.definition_id if isinstance(self.definition_id, str) else None

    @property
    def id_reference(self) -> Reference | None:
        """The value of the stack that is the id of its definition; None if the id does not differ by stack."""
        found = parse_reference(dict(self.definition_id)) if isinstance(self.definition_id, dict) else None
        return found if isinstance(found, Reference) else None

    @property
    def label(self) -> str:
        """The name in Airbyte of a connector of one's own."""
        return self.name if self.name is not None else self.connector

    @property
    def is_own(self) -> bool:
        """Whether it is a connector of one's own: an image or a manifest, with a definition in the stack."""
        return self.image is not None or self.manifest is not None


def parse_fields(schema: Mapping[str, JsonValue]) -> dict[str, Field]:
    """The top-level fields of a stream's JSON Schema, in its order."""
    return dict(parse_field(dict(schema)).properties or {})


def parse_field(schema: JsonValue) -> Field:
    """Translate a JSON Schema to a field: alternatives become a list of types; a missing type becomes "unknown".

    A `$ref` is not followed: connectors must resolve theirs (Airbyte protocol), and one that is left has no type.
    """
    if not isinstance(schema, dict):
        return _UNKNOWN
    field = _without_branches(schema)
    for keyword in ("oneOf", "anyOf"):
        choices = [parse_field(choice) for choice in _list(schema.get(keyword))]
        field = _complete(field, _union([choice for choice in choices if choice != _NULL]))
    for branch in _list(schema.get("allOf")):
        field = _complete(field, parse_field(branch))
    return field


def _without_branches(schema: dict[str, JsonValue]) -> Field:
    """The field that a schema's own keywords describe, without oneOf, anyOf and allOf."""
    properties, items = schema.get("properties"), schema.get("items")
    inside = {name: parse_field(inner) for name, inner in properties.items()} if isinstance(properties, dict) else None
    given = schema.get("type")
    names = [given] if isinstance(given, str) else [name for name in _list(given) if isinstance(name, str)]
    if not names:
        names = ["object"] * (inside is not None) or ["array"] * isinstance(items, dict)
    return Field(
        type=_NULL.type if names == ["null"] else _known_type(names),
        format=_text(schema.get("format")),
        airbyte_type=_text(schema.get("airbyte_type")),
        properties=inside,
        items=parse_field(items) if isinstance(items, dict) else None,
    )


def _union(choices: Sequence[Field]) -> Field:
    """The field that allows any of the choices; a format on which they disagree is dropped."""
    return reduce(_union_of_two, choices) if choices else _UNKNOWN


def _union_of_two(one: Field, other: Field) -> Field:
    ours, theirs = one.properties or {}, other.properties or {}
    names = dict.fromkeys((*ours, *theirs))
    items = [field.items for field in (one, other) if field.items is not None]
    return Field(
        type=_known_type((*_type_names(one), *_type_names(other))),
        format=one.format if one.format == other.format else None,
        airbyte_type=one.airbyte_type if one.airbyte_type == other.airbyte_type else None,
        properties={name: _union([each[name] for each in (ours, theirs) if name in each]) for name in names} or None,
        items=_union(items) if items else None,
    )


def _complete(field: Field, more: Field) -> Field:
    """A field with what it leaves open filled in from another; its own properties override."""
    return Field(
        type=field.type if field.type != "unknown" else more.type,
        format=field.format or more.format,
        airbyte_type=field.airbyte_type or more.airbyte_type,
        properties={**more.properties, **(field.properties or {})} if more.properties else field.properties,
        items=field.items or more.items,
    )


def _type_names(field: Field) -> tuple[TypeName, ...]:
    return (field.type,) if isinstance(field.type, str) else field.type


def _known_type(names: Sequence[str]) -> TypeName | tuple[TypeName, ...]:
    """The types without "null"; "unknown" if one of them is."""
    known = tuple(cast("TypeName", name) for name in dict.fromkeys(names) if name != "null")
    if not known or "unknown" in known or not _TYPES.issuperset(known):
        return "unknown"
    return known[0] if len(known) == 1 else known


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class DiscoveredChange:
    """One change of a stream between two discoveries.

    Attributes:
        place: The path of a key such as `options.sync_modes`, or of a field such as `fields.address.zip`; the items of
            an array are `fields.lines[]`.
        before: The value in the older discovery; None if the path is new.
        after: The value in the newer discovery; None if the path is gone.
    """

    place: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.place}: {self.after}"
        if self.after is None:
            return f"- {self.place}: {self.before}"
        return f"~ {self.place}: {self.before} → {self.after}"


def discovered_changes(before: Discovered, after: Discovered) -> tuple[DiscoveredChange, ...]:
    """The changes between two discoveries, modes, cursor and key first; an added or removed field is one change."""
    ours, theirs = _keys(before), _keys(after)
    changed = [DiscoveredChange(path, ours[path], theirs[path]) for path in ours if ours[path] != theirs[path]]
    return (*changed, *_field_changes("fields.", before.fields, after.fields))


def _keys(stream: Discovered) -> dict[str, str]:
    """Every key of a file but its fields, by path, as people read it."""
    return {
        "stream": stream.stream,
        "namespace": stream.namespace or "none",
        "options.sync_modes": ", ".join(sorted(stream.options.sync_modes)) or "none",
        "defaults.cursor_field": format_path(stream.defaults.cursor_field) or "none",
        "defaults.primary_key": _key_text(stream.defaults.primary_key),
        "source_defined_cursor": "yes" if stream.source_defined_cursor else "no",
        "source_defined_primary_key": _key_text(stream.source_defined_primary_key),
    }


def _key_text(paths: tuple[FieldPath, ...]) -> str:
    return ", ".join(map(format_path, paths)) or "none"


def _field_changes(prefix: str, before: _Fields, after: _Fields) -> Iterator[DiscoveredChange]:
    for name in dict.fromkeys((*before, *after)):
        yield from _changes_of_field(prefix + name, before.get(name), after.get(name))


def _changes_of_field(path: str, before: Field | None, after: Field | None) -> Iterator[DiscoveredChange]:
    ours, theirs = _type_text(before), _type_text(after)
    if ours != theirs:
        yield DiscoveredChange(path, ours, theirs)
    if before is not None and after is not None:
        yield from _field_changes(f"{path}.", before.properties or {}, after.properties or {})
        if before.items is not None or after.items is not None:
            yield from _changes_of_field(f"{path}[]", before.items, after.items)


def _type_text(field: Field | None) -> str | None:
    """A field's type as people read it: `string (date-time)`, `number or string`."""
    if field is None:
        return None
    formats = ", ".join(filter(None, (field.format, field.airbyte_type)))
    return " or ".join(sorted(field.types) or ["unknown"]) + (f" ({formats})" if formats else "")


def in_file_order(found: Discovered, before: Discovered | None) -> Discovered:
    """A discovered stream in the order of its older file: known fields keep their order, new ones follow.

    Servers keep schemas in an order of their own (airbyte-platform stores them as jsonb): the order of an answer has no
    meaning, and following it would show a whole file as changed where one field was added.
    """
    if before is None:
        return found
    return found.model_copy(update={"schema_uri": before.schema_uri, "fields": _in_order(found.fields, before.fields)})


def _in_order(found: _Fields, before: _Fields) -> dict[str, Field]:
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


def file_text(discovered: Discovered) -> str:
    """The text of a discovered stream's file."""
    document = discovered.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"options": {"destination_sync_modes"}}
    )
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class DiscoveredFiles:
    """The files of a source's discovered streams.

    Attributes:
        files: The streams by file name without the suffix, sorted.
        left_out: The streams that can't have a file, each with the reason.
    """

    files: Mapping[str, Discovered]
    left_out: tuple[tuple[Discovered, str], ...] = ()


def files_of(streams: Sequence[Discovered], before: Mapping[str, Discovered | None] | None = None) -> DiscoveredFiles:
    """Give every stream a file: the one that it has, else one by its name.

    A new stream's file has its name, with its namespace in front where several namespaces have the name, and a number
    where another stream has the file. The order of the streams makes no difference.

    Args:
        streams: The streams of a source.
        before: Its files by name without the suffix; None for a file whose content is invalid.
    """
    offered, left_out = _writable(streams)
    files: dict[str, Discovered] = {}
    for file, known in sorted((before or {}).items()):
        if known is not None and known.identity in offered:
            files[file] = offered.pop(known.identity)
    taken = {file.casefold() for file in files}
    namespaces: dict[str, set[str | None]] = {}
    for each in (*files.values(), *offered.values()):
        namespaces.setdefault(naming.stream_file(each.stream), set()).add(each.identity[0])
    wanted = []
    for each in offered.values():
        base = naming.stream_file(each.stream)
        file = base if len(namespaces[base]) == 1 else naming.stream_file(each.stream, each.namespace or "")
        # A stream with the name itself goes before one whose name only resembles it.
        if len(file) > _MOST_OF_NAME:
            file = file[:_MOST_OF_NAME].rstrip("_")
        wanted.append((file != each.stream, each.namespace or "", each.stream, file, each))
    for *_, file, each in sorted(wanted, key=lambda one: one[:3]):
        free = next(name for name in _numbered(file) if name not in taken)
        taken.add(free)
        files[free] = each
    return DiscoveredFiles(dict(sorted(files.items())), left_out)


def meant_streams(wanted: Identity, offered: Iterable[Identity]) -> tuple[Identity, ...]:
    """The streams that a stream file may mean, of those that its source has.

    It is the stream of its namespace and name; if it names no namespace and there is none without one, those of its
    name: only one of them is clear.

    Args:
        wanted: The namespace and the name in the file.
        offered: Those of the source's streams.
    """
    alike = [each for each in offered if each[1] == wanted[1]]
    if wanted in alike:
        return (wanted,)
    return tuple(sorted(alike, key=str)) if wanted[0] is None else ()


def _numbered(name: str) -> Iterator[str]:
    """The name, then with a number: `orders`, `orders_2`, `orders_3`."""
    return (name if number == 1 else f"{name}_{number}" for number in count(1))


def _writable(
    streams: Sequence[Discovered],
) -> tuple[dict[Identity, Discovered], tuple[tuple[Discovered, str], ...]]:
    """The streams that can have a file, by identity, and the others with the reason."""
    found: dict[Identity, Discovered] = {}
    left_out: list[tuple[Discovered, str]] = []
    for stream in streams:
        other = found.setdefault(stream.identity, stream)
        if other is not stream and other != stream:
            left_out.append((stream, "the source has it twice, with different schemas"))
    for identity, stream in tuple(found.items()):
        if reason := _unwritable(stream):
            left_out.append((found.pop(identity), reason))
    return found, tuple(left_out)


def _unwritable(stream: Discovered) -> str:
    """Why a stream can't have a file; empty if it can."""
    if not stream.stream:
        return "its name is empty"
    for text in filter(None, (stream.stream, stream.namespace)):
        what = "name" if text is stream.stream else "namespace"
        if "\0" in text:
            return f"its {what} has a NUL character"
        if not _is_storable(text):
            return f"its {what} has characters that UTF-8 can't encode"
    reason = _unreadable(file_text(stream))
    return f"its schema {reason}" if reason else ""


def _is_storable(text: str) -> bool:
    """Whether UTF-8 can encode a text: not half of a surrogate pair, which JSON can escape and no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unreadable(text: str) -> str:
    """Why no command could read a file with this text; empty if it could."""
    if not _is_storable(text):
        return "has characters that UTF-8 can't encode"
    if len(text.encode()) > MOST_BYTES:
        return f"has more than {MOST_BYTES // 10**6} MB"
    return excess_of(json.loads(text), text)
