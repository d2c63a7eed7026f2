"""Objects of the Terraform provider `aballiet/airbyte-oss`, which uses the Config API.

Formats: its resources `airbyte_source`, `airbyte_destination` and `airbyte_connection` (docs/resources of the
provider). A stream's `json_schema` is a map whose values are JSON texts.
"""

import json
from typing import Annotated, Final

from airbyte_model.modes import MODES
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from lotus_infra.importer.model import (
    ActorKind,
    ExistingActor,
    ExistingConnection,
    ExistingDefinition,
    ExistingMapper,
    ExistingStream,
    SourceSchema,
    resources_of,
    selected_fields,
    unsupported_connection_settings,
)
from lotus_infra.importer.schedules import parse_schedule
from lotus_infra.importer.terraform import Id, Instance, parse_configuration, parse_id
from lotus_infra.lake.discovered import SOURCE_SYNC_MODES, Defaults, Discovered, Options, files_of, parse_fields
from lotus_infra.lake.models import Schedule

PROVIDER: Final = "aballiet/airbyte-oss"
_NAMESPACES: Final = {"customformat": "custom_format"}
_NON_BREAKING: Final = {"disable": "disable_connection"}


class _ResourcePart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Actor(_ResourcePart):
    name: str
    workspace_id: Id
    connection_configuration: str


class _Source(_Actor):
    source_id: Id
    source_definition_id: Id


class _Destination(_Actor):
    destination_id: Id
    destination_definition_id: Id


class _SelectedField(_ResourcePart):
    field_path: list[str] | None = None


class _Mapper(_ResourcePart):
    type: str
    mapper_configuration: Annotated[dict[str, JsonValue], BeforeValidator(parse_configuration)]


class _Config(_ResourcePart):
    sync_mode: str
    destination_sync_mode: str
    cursor_field: list[str] | None = None
    primary_key: list[list[str]] | None = None
    selected: bool | None = None
    field_selection_enabled: bool | None = None
    selected_fields: list[_SelectedField] | None = None
    alias_name: str | None = None
    mappers: list[_Mapper] | None = None
    hashed_fields: list[JsonValue] | None = None


class _Stream(_ResourcePart):
    name: str
    namespace: str | None = None
    json_schema: dict[str, str] | None = None
    supported_sync_modes: list[str] | None = None
    default_cursor_field: list[str] | None = None
    source_defined_cursor: bool | None = None
    source_defined_primary_key: list[list[str]] | None = None


class _Entry(_ResourcePart):
    stream: _Stream
    config: _Config


class _Catalog(_ResourcePart):
    streams: list[_Entry] = Field(default_factory=list)


class _Basic(_ResourcePart):
    time_unit: str
    units: int


class _Cron(_ResourcePart):
    cron_expression: str
    cron_time_zone: str | None = None


class _ScheduleData(_ResourcePart):
    basic_schedule: _Basic | None = None
    cron: _Cron | None = None


class _Connection(_ResourcePart):
    connection_id: Id
    source_id: Id
    destination_id: Id
    name: str | None = None
    status: str = "active"
    namespace_definition: str | None = None
    namespace_format: str | None = None
    prefix: str | None = None
    non_breaking_changes_preference: str | None = None
    notify_schema_changes: bool | None = None
    notify_schema_changes_by_email: bool | None = None
    resource_requirements: dict[str, str | None] | None = None
    schedule_type: str | None = None
    schedule_data: _ScheduleData | None = None
    sync_catalog: _Catalog | None = None


class _Definition(_ResourcePart):
    name: str
    docker_repository: str
    docker_image_tag: str


def parse_actor(instance: Instance, kind: ActorKind) -> ExistingActor:
    """A source or a destination.

    Raises:
        ValueError: The attributes are not the provider's.
    """
    read: _Source | _Destination
    if kind == "source":
        read = source = _Source.model_validate(instance.attributes)
        identity, definition = source.source_id, source.source_definition_id
    else:
        read = destination = _Destination.model_validate(instance.attributes)
        identity, definition = destination.destination_id, destination.destination_definition_id
    configuration = parse_configuration(read.connection_configuration)
    return ExistingActor(kind, identity, read.name, definition, read.workspace_id, configuration, instance.address)


def parse_connection(instance: Instance) -> ExistingConnection:
    """A connection with its selected streams.

    Raises:
        ValueError: The attributes are not the provider's.
    """
    read = _Connection.model_validate(instance.attributes)
    namespace = read.namespace_definition or "source"
    policy = read.non_breaking_changes_preference or "ignore"
    return ExistingConnection(
        id=read.connection_id,
        label=read.name or "",
        source_id=read.source_id,
        destination_id=read.destination_id,
        streams=tuple(_parse_stream(entry) for entry in _entries(read) if entry.config.selected is not False),
        schedule=_schedule(read),
        status=read.status,
        namespace_definition=_NAMESPACES.get(namespace, namespace),
        namespace_format=read.namespace_format or "",
        prefix=read.prefix or "",
        non_breaking_changes=_NON_BREAKING.get(policy, policy),
        notify_schema_changes=read.notify_schema_changes,
        resources=resources_of(read.resource_requirements),
        unsupported=unsupported_connection_settings(mail=bool(read.notify_schema_changes_by_email)),
        address=instance.address,
    )


def parse_definition(instance: Instance, kind: ActorKind) -> ExistingDefinition:
    """A connector of the workspace's own.

    Raises:
        ValueError: The attributes are not the provider's.
    """
    attributes = instance.attributes
    read = _Definition.model_validate(attributes.get(f"{kind}_definition"))
    return ExistingDefinition(
        kind,
        parse_id(attributes.get(f"{kind}_definition_id")),
        read.name,
        parse_id(attributes.get("workspace_id")),
        repository=read.docker_repository,
        version=read.docker_image_tag,
        address=instance.address,
    )


def parse_source_schema(instance: Instance) -> SourceSchema:
    """The schema of a connection's source, from the connection's catalog, with streams that are not selected.

    Raises:
        ValueError: The attributes are not the provider's.
    """
    entries = _entries(_Connection.model_validate(instance.attributes))
    schemas = [_discovered(entry.stream) for entry in entries if entry.stream.json_schema]
    return files_of(schemas).files


def _entries(read: _Connection) -> list[_Entry]:
    return read.sync_catalog.streams if read.sync_catalog is not None else []


def _schedule(read: _Connection) -> Schedule | None:
    data = read.schedule_data or _ScheduleData()
    cron, basic = data.cron, data.basic_schedule
    return parse_schedule(
        read.schedule_type,
        cron.cron_expression if cron else None,
        cron.cron_time_zone if cron else None,
        f"{basic.units} {basic.time_unit}" if basic else None,
    )


def _parse_stream(entry: _Entry) -> ExistingStream:
    config, stream = entry.config, entry.stream
    unsupported = []
    if config.hashed_fields:
        unsupported.append("hashed fields")
    if config.alias_name and config.alias_name != stream.name:
        unsupported.append(f"the alias {config.alias_name}")
    selected, nested = selected_fields([each.field_path or [] for each in config.selected_fields or []])
    return ExistingStream(
        name=stream.name,
        namespace=stream.namespace or None,
        mode=_mode(config),
        cursor=tuple(config.cursor_field or ()),
        key=tuple(map(tuple, config.primary_key or ())),
        fields=selected if config.field_selection_enabled else None,
        mappers=tuple(ExistingMapper(each.type, each.mapper_configuration) for each in config.mappers or ()),
        unsupported=(*unsupported, *(nested if config.field_selection_enabled else ())),
    )


def _mode(config: _Config) -> str:
    pair = (config.sync_mode, config.destination_sync_mode)
    return next((mode for known, mode in MODES.items() if known == pair), "")


def _discovered(stream: _Stream) -> Discovered:
    schema = {key: json.loads(text) for key, text in (stream.json_schema or {}).items()}
    modes = tuple(mode for mode in SOURCE_SYNC_MODES if mode in (stream.supported_sync_modes or ()))
    own_key = tuple(map(tuple, stream.source_defined_primary_key or ()))
    return Discovered(
        stream=stream.name,
        namespace=stream.namespace or None,
        options=Options(sync_modes=modes or SOURCE_SYNC_MODES[:1]),
        defaults=Defaults(primary_key=own_key, cursor_field=tuple(stream.default_cursor_field or ())),
        source_defined_cursor=bool(stream.source_defined_cursor),
        source_defined_primary_key=own_key,
        fields=parse_fields(schema),
    )
