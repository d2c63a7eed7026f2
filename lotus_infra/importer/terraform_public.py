"""Objects of the Terraform provider `airbytehq/airbyte`, which speaks the public API.

Shapes: its resources `airbyte_source`, `airbyte_source_custom` and `airbyte_source_<connector>`, the same of
destinations, and `airbyte_connection` (docs/resources of the provider). The generic ones have their configuration as a
JSON text, the typed ones as an object.
"""

import json
from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue

from lotus_infra.importer.model import ActorKind, FoundActor, FoundConnection, FoundStream, selection, settings_lost
from lotus_infra.importer.schedules import schedule
from lotus_infra.importer.terraform import Instance

EXTRA = "additional_properties"
Schema = Mapping[str, JsonValue]
PROVIDER: Final = "airbytehq/airbyte"
TYPE_KEYS: Final = ("source_type", "destination_type", "sourceType", "destinationType")
"""Say which connector it is, and are no part of what the connector is given."""


def undone(value: JsonValue, schema: JsonValue) -> JsonValue | None:
    """A part of a typed configuration as the connector has it; None where the specification does not tell."""
    here = schema if isinstance(schema, dict) else {}
    if isinstance(value, list):
        items = [undone(item, here.get("items")) for item in value]
        return None if None in items else items
    if not isinstance(value, dict):
        return value
    given = {key: inner for key, inner in value.items() if inner is not None}
    branches = here.get("oneOf")
    if isinstance(branches, list):
        return _chosen(given, [branch for branch in branches if isinstance(branch, dict)])
    return _object(given, here)


def _object(given: Mapping[str, JsonValue], schema: Schema) -> JsonValue | None:
    known = schema.get("properties")
    properties = known if isinstance(known, dict) else {}
    made: dict[str, JsonValue] = {}
    for key, inner in given.items():
        if key == EXTRA and key not in properties:
            continue
        if properties and key not in properties:
            return None
        part = undone(inner, properties.get(key))
        if part is None:
            return None
        made[key] = part
    return _constants(properties) | made


def _chosen(given: Mapping[str, JsonValue], branches: list[dict[str, JsonValue]]) -> JsonValue | None:
    """The one branch that has all that is given, with its constants."""
    if len(given) != 1:
        return None
    [inner] = given.values()
    if not isinstance(inner, dict):
        return None
    fitting = [made for branch in branches if (made := _fitting(inner, branch)) is not None]
    return fitting[0] if len(fitting) == 1 else None


def _fitting(inner: Mapping[str, JsonValue], branch: Schema) -> JsonValue | None:
    given = {key: value for key, value in inner.items() if value is not None}
    known, required = branch.get("properties"), branch.get("required")
    if not isinstance(known, dict) or not known.keys() >= given.keys() - {EXTRA}:
        return None
    made = _object(given, branch)
    needed = {str(key) for key in required} if isinstance(required, list) else set()
    return made if isinstance(made, dict) and made.keys() >= needed else None


def _constants(properties: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    constants: dict[str, JsonValue] = {}
    for key, schema in properties.items():
        if isinstance(schema, dict):
            only = schema.get("enum")
            if "const" in schema:
                constants[key] = schema["const"]
            elif isinstance(only, list) and len(only) == 1:
                constants[key] = only[0]
    return constants


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Actor(_Part):
    name: str
    workspace_id: str
    definition_id: str | None = None
    configuration: str | dict[str, JsonValue]


class _SelectedField(_Part):
    field_path: list[str] | None = None


class _Stream(_Part):
    name: str
    namespace: str | None = None
    sync_mode: str | None = None
    cursor_field: list[str] | None = None
    primary_key: list[list[str]] | None = None
    selected_fields: list[_SelectedField] | None = None
    mappers: list[JsonValue] | None = None
    include_files: bool | None = None
    destination_object_name: str | None = None


class _Streams(_Part):
    streams: list[_Stream] | None = None


class _Schedule(_Part):
    schedule_type: str | None = None
    cron_expression: str | None = None
    basic_timing: str | None = None


class _Connection(_Part):
    connection_id: str
    source_id: str
    destination_id: str
    name: str | None = None
    status: str | None = None
    schedule: _Schedule | None = None
    configurations: _Streams | None = None
    namespace_definition: str | None = None
    namespace_format: str | None = None
    prefix: str | None = None
    non_breaking_schema_updates_behavior: str | None = None
    tags: list[JsonValue] | None = None


def actor(instance: Instance, kind: ActorKind) -> FoundActor:
    """A source or a destination; the id of its definition is empty where the state has none.

    Raises:
        ValueError: It is not as the provider writes it.
    """
    read = _Actor.model_validate(instance.attributes)
    typed = isinstance(read.configuration, dict)
    given = json.loads(read.configuration) if isinstance(read.configuration, str) else read.configuration
    identity = instance.attributes.get(f"{kind}_id")
    if not isinstance(given, dict) or not isinstance(identity, str):
        raise TypeError("it has no configuration or no id")
    configuration = {key: value for key, value in given.items() if key not in TYPE_KEYS}
    return FoundActor(
        kind, identity, read.name, read.definition_id or "", read.workspace_id, configuration, instance.address, typed
    )


def connection(instance: Instance) -> FoundConnection:
    """A connection with its streams.

    Raises:
        ValueError: It is not as the provider writes it.
    """
    read = _Connection.model_validate(instance.attributes)
    times = read.schedule or _Schedule()
    streams = read.configurations.streams if read.configurations is not None else None
    return FoundConnection(
        id=read.connection_id,
        label=read.name or "",
        source_id=read.source_id,
        destination_id=read.destination_id,
        streams=tuple(map(_stream, streams or ())),
        schedule=schedule(times.schedule_type, times.cron_expression, None, times.basic_timing),
        status=read.status or "active",
        namespace=namespace(read.namespace_definition, read.namespace_format),
        prefix=read.prefix or "",
        non_breaking_changes=read.non_breaking_schema_updates_behavior or "ignore",
        loses=settings_lost(tags=bool(read.tags)),
        address=instance.address,
    )


def namespace(definition: str | None, given: str | None) -> str:
    """Where data goes: `source`, `destination`, or the format; an empty one means the destination's own."""
    return (given or "destination") if definition == "custom_format" else definition or "destination"


def _stream(stream: _Stream) -> FoundStream:
    fields, nested = selection([each.field_path or [] for each in stream.selected_fields or []])
    return FoundStream(
        name=stream.name,
        namespace=stream.namespace or None,
        mode=stream.sync_mode or "full_refresh_overwrite",
        cursor=tuple(stream.cursor_field or ()),
        key=tuple(map(tuple, stream.primary_key or ())),
        fields=fields or None,
        beyond=beyond(bool(stream.mappers), bool(stream.include_files), stream.destination_object_name, nested),
    )


def beyond(mappers: bool, files: bool, object_name: str | None, nested: tuple[str, ...]) -> tuple[str, ...]:  # noqa: FBT001
    """What a stream has that a stream file can't say, each in words."""
    named = [f"the object {object_name} of the destination"] if object_name else []
    return (*["mappers"] * mappers, *["files of its source"] * files, *named, *nested)
