"""Differences between existing objects and files or a Terraform state, as names of fields, never with values.

A reference or a mask equals any value, because neither shows one.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from airbyte_model.json_values import canonical_json
from airbyte_model.modes import KEYLESS_MODES, MODES
from airbyte_model.secrets import MASK
from airbyte_model.streams import key_of, shown
from pydantic import JsonValue

from lotus_infra.importer.files import namespace_of
from lotus_infra.importer.model import ExistingActor, ExistingConnection, ExistingMapper, ExistingObject, ExistingStream
from lotus_infra.importer.schedules import comparable_schedule
from lotus_infra.importer.secrets import readable_path
from lotus_infra.lake.catalog import ConfiguredStream, configure
from lotus_infra.lake.diagnostics import JsonPath
from lotus_infra.lake.lake import Connection, StreamFile
from lotus_infra.lake.models import Allocation, Configuration, Resources
from lotus_infra.lake.references import is_reference, walk_leaves

Settings = Mapping[str, object]
_MOST_NAMES: Final = 12
_ENCRYPTION: Final = "encryption"


def shortened(names: list[str]) -> str:
    """A list of names; after the first ones, the number of the others."""
    rest = [f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
    return ", ".join([*names[:_MOST_NAMES], *rest])


def differing_configuration(ours: Mapping[str, JsonValue], theirs: Mapping[str, JsonValue]) -> list[str]:
    """The fields in which two configurations differ."""
    one, other = _leaves(ours), _leaves(theirs)
    return sorted(
        readable_path(("configuration", *path))
        for path in {*one, *other}
        if not (_is_hidden(one.get(path)) or _is_hidden(other.get(path))) and not _equal(one.get(path), other.get(path))
    )


def differing_allocation(ours: Allocation | None, theirs: ExistingActor) -> list[str]:
    """Whether the CPU and memory of a connector differ."""
    given = ours or Allocation()
    one = (_resources(given.default), {job: _resources(each) for job, each in given.jobs.items()})
    other = (dict(theirs.allocation.default), {job: dict(each) for job, each in theirs.allocation.jobs.items()})
    return ["resource_allocation"] * (one != other)


def differing_from_state(state: ExistingObject, live: ExistingObject) -> list[str]:
    """The fields in which the server differs from Terraform's state."""
    if isinstance(state, ExistingActor) and isinstance(live, ExistingActor):
        # A typed configuration has another shape, so that its fields can't be compared.
        fields = [] if state.typed else differing_configuration(state.configuration, live.configuration)
        return ["name"] * (state.label != live.label) + fields
    if isinstance(state, ExistingConnection) and isinstance(live, ExistingConnection):
        return _differing(_connection_settings(state), _connection_settings(live))
    return []


def differing_from_file(ours: Connection, theirs: ExistingConnection) -> list[str]:
    """The fields in which a connection's settings in its source's file differ from the existing connection."""
    config = ours.config
    custom = config.namespace_definition == "custom_format"
    written = config.namespace if config.namespace is not None else ours.source
    settings: Settings = {
        "namespace": (config.namespace_definition, written if custom else ""),
        "prefix": config.prefix,
        "schedule": comparable_schedule(config.schedule),
        "non_breaking_changes": config.non_breaking_changes,
        "status": config.status,
        "tags": tuple(sorted(config.tags)),
        "resource_requirements": _resources(config.resource_requirements),
    }
    existing = _connection_settings(theirs)
    return _differing(settings, {name: existing[name] for name in settings})


def differing_streams(files: Iterable[StreamFile], theirs: ExistingConnection) -> list[str]:
    """The streams in which stream files differ from a connection."""
    # A pair of modes that Airbyte does not have is reported by `lotus check`.
    usable = [each for each in files if (each.config.sync_mode, each.config.destination_sync_mode) in MODES]
    ours = {_name(each.identity): _configured(configure(each.config, each.discovered)) for each in usable}
    return _differing(_with_namespaces_of(theirs, ours), _stream_settings(theirs))


def _with_namespaces_of(connection: ExistingConnection, ours: Mapping[str, object]) -> dict[str, object]:
    """Streams of files without a namespace, under the name of the connection's only stream of that name."""
    theirs = {each.name: _name(each.identity) for each in connection.streams}
    alone = {f"streams.{name}": named for name, named in theirs.items() if _is_alone(name, connection)}
    known = set(map(_name, (each.identity for each in connection.streams)))
    return {name if name in known else alone.get(name, name): settings for name, settings in ours.items()}


def _is_alone(name: str, connection: ExistingConnection) -> bool:
    return sum(each.name == name for each in connection.streams) == 1


def stream_text(stream: ExistingStream) -> str:
    """All settings of a stream as one text: two streams with equal ones can share a file."""
    return repr((stream.identity, _stream_setting(stream), stream.unsupported))


def has_secrets(stream: ExistingStream) -> bool:
    """Whether a mapper of a stream has a secret, so that the stream can't share a file with another connection's."""
    return any(
        each.type == _ENCRYPTION or any(leaf == MASK for _, leaf in walk_leaves(dict(each.configuration)))
        for each in stream.mappers
    )


def _connection_settings(connection: ExistingConnection) -> Settings:
    schedule = connection.schedule
    return {
        "name": connection.label,
        "schedule": comparable_schedule(schedule) if schedule is not None else None,
        "namespace": namespace_of(connection),
        "prefix": connection.prefix,
        "status": connection.status,
        "non_breaking_changes": connection.non_breaking_changes,
        "tags": connection.tags,
        "resource_requirements": dict(connection.resources),
        **_stream_settings(connection),
    }


def _stream_settings(connection: ExistingConnection) -> Settings:
    return {_name(each.identity): _stream_setting(each) for each in connection.streams}


def _name(identity: tuple[str | None, str]) -> str:
    return f"streams.{shown(key_of(identity))}"


def _stream_setting(stream: ExistingStream) -> tuple[object, ...]:
    """The settings that a stream's mode uses: Airbyte keeps a cursor and a key that the mode ignores."""
    cursor = stream.cursor if stream.mode.startswith("incremental") else ()
    key = () if stream.mode in KEYLESS_MODES else stream.key
    fields = tuple(sorted(stream.fields)) if stream.fields is not None else None
    mappers = tuple(_mapper_text(each.type, each.configuration) for each in stream.mappers)
    rest = (mappers, stream.include_files, stream.object_name)
    return (stream.mode, cursor, key, fields, *rest, *(stream.unsupported and (stream.unsupported,)))


def _configured(stream: ConfiguredStream) -> tuple[object, ...]:
    """The settings of a stream file, as `_stream_setting` has them."""
    mappers = tuple(ExistingMapper(each.type, each.configuration) for each in stream.mappers)
    return _stream_setting(
        ExistingStream(
            stream.name,
            stream.sync_mode,
            stream.namespace,
            stream.cursor_field,
            stream.primary_key,
            stream.selected_fields,
            mappers,
            bool(stream.include_files),
            stream.destination_object_name,
        )
    )


def _mapper_text(kind: str, configuration: Mapping[str, JsonValue]) -> str:
    """A mapper without its secrets, which can't be compared."""
    shown = {key: value for key, value in configuration.items() if (kind, key) != (_ENCRYPTION, "key")}
    leaves = {repr(path): None if _is_hidden(leaf) else leaf for path, leaf in walk_leaves(shown)}
    return canonical_json([kind, leaves])


def _resources(resources: Resources | None) -> dict[str, str]:
    return resources.model_dump(exclude_none=True) if resources is not None else {}


def _differing(one: Settings, other: Settings) -> list[str]:
    """The names of settings that are not equal, sorted."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def _leaves(configuration: Configuration | Mapping[str, JsonValue]) -> dict[JsonPath, JsonValue]:
    return {path: leaf for path, leaf in walk_leaves(dict(configuration)) if leaf is not None}


def _is_hidden(value: JsonValue) -> bool:
    return is_reference(value) or value == MASK


def _equal(one: JsonValue, other: JsonValue) -> bool:
    # In Python, True equals 1.
    return one == other and isinstance(one, bool) == isinstance(other, bool)
