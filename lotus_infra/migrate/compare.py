"""Where what exists is not what a file says, or what another reader saw: places, and no value of a configuration."""

from collections.abc import Mapping
from typing import Final

from airbyte_model.modes import KEYLESS_MODES, MODES
from airbyte_model.secrets import MASK
from pydantic import JsonValue

from lotus_infra.catalog import configure
from lotus_infra.migrate.model import FoundActor, FoundConnection, FoundStream
from lotus_infra.migrate.schedules import words
from lotus_infra.streams.lake import SourceFolder
from lotus_infra.streams.model import Configuration
from lotus_infra.streams.problems import JsonPath, field_name
from lotus_infra.streams.references import is_reference, walk

Parts = Mapping[str, object]
SHOWN: Final = 12


def differing(one: Parts, other: Parts) -> list[str]:
    """Names of the parts that are not the same in both, sorted."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def actor_places(ours: Mapping[str, JsonValue], theirs: Mapping[str, JsonValue]) -> list[str]:
    """Places in which two configurations differ; a reference and a mask agree with any value."""
    one, other = _leaves(ours), _leaves(theirs)
    return sorted(
        field_name(("configuration", *path))
        for path in {*one, *other}
        if not (_open(one.get(path)) or _open(other.get(path))) and not _same(one.get(path), other.get(path))
    )


def seen_otherwise(state: FoundActor | FoundConnection, live: FoundActor | FoundConnection) -> list[str]:
    """Places in which the server has something else than Terraform's state."""
    if isinstance(state, FoundActor) and isinstance(live, FoundActor):
        places = [] if state.typed else actor_places(state.configuration, live.configuration)
        return ["name"] * (state.label != live.label) + places
    if isinstance(state, FoundConnection) and isinstance(live, FoundConnection):
        return differing(_connection_parts(state), _connection_parts(live))
    return []


def against_files(folder: SourceFolder, source: FoundActor, connection: FoundConnection) -> list[str]:
    """Places in which a source's files are not what exists."""
    config = folder.config
    if config is None:
        return _streams_against(folder, connection)
    theirs: Parts = {
        "namespace": connection.namespace,
        "prefix": connection.prefix,
        "schedule": words(connection.schedule) if connection.schedule is not None else None,
        "non_breaking_changes": connection.non_breaking_changes,
    }
    ours: Parts = {
        "namespace": folder.namespace,
        "prefix": config.prefix,
        "schedule": words(config.schedule),
        "non_breaking_changes": config.non_breaking_changes,
    }
    places = actor_places(config.configuration, source.configuration)
    return [*differing(ours, theirs), *places, *_streams_against(folder, connection)]


def _streams_against(folder: SourceFolder, connection: FoundConnection) -> list[str]:
    pairs = MODES.keys()
    usable = [
        each for each in folder.selected_streams if (each.config.sync_mode, each.config.destination_sync_mode) in pairs
    ]
    ours = {
        f"streams.{made.name}": (made.sync_mode, made.cursor_field, made.primary_key, made.selected_fields)
        for made in (configure(each.config, each.discovered) for each in usable)
    }
    return differing(ours, {f"streams.{each.name}": _stream(each) for each in connection.streams})


def _connection_parts(connection: FoundConnection) -> Parts:
    return {
        "name": connection.label,
        "schedule": words(connection.schedule) if connection.schedule is not None else None,
        "namespace": connection.namespace,
        "prefix": connection.prefix,
        "status": connection.status,
        "non_breaking_changes": connection.non_breaking_changes,
        **{f"streams.{each.name}": _stream(each) for each in connection.streams},
    }


def _stream(stream: FoundStream) -> tuple[object, ...]:
    cursor = stream.cursor if stream.mode.startswith("incremental") else ()
    key = () if stream.mode in KEYLESS_MODES else stream.key
    fields = tuple(sorted(stream.fields)) if stream.fields is not None else None
    return (stream.mode, cursor, key, fields, *(stream.beyond and (stream.beyond,)))


def _leaves(configuration: Configuration | Mapping[str, JsonValue]) -> dict[JsonPath, JsonValue]:
    return {path: leaf for path, leaf in walk(dict(configuration)) if leaf is not None}


def _open(value: JsonValue) -> bool:
    """Whether nobody here knows what a value is."""
    return is_reference(value) or value == MASK


def _same(one: JsonValue, other: JsonValue) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def listed(places: list[str]) -> str:
    """The places in words; of many the first."""
    rest = [f"{len(places) - SHOWN} more"] if len(places) > SHOWN else []
    return ", ".join([*places[:SHOWN], *rest])
