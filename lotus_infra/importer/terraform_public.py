"""Objects of the Terraform provider `airbytehq/airbyte`, which uses the public API.

Formats: its resources `airbyte_source`, `airbyte_source_custom` and `airbyte_source_<connector>`, the same for
destinations, and `airbyte_connection` (docs/resources of the provider). The generic resources have their configuration
as a JSON text, the typed ones as an object.

The typed resources, of versions up to 0.x, add a level where the connector has a choice, named after the branch
(`credentials.api_password`), and leave out the constants that distinguish branches (`auth_method`).
`connector_configuration` reverts both with the connector's specification.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue

from lotus_infra.importer.model import (
    ActorKind,
    ExistingActor,
    ExistingConnection,
    ExistingDefinition,
    ExistingMapper,
    ExistingStream,
    ExistingTag,
    allocation_of,
    selected_fields,
)
from lotus_infra.importer.schedules import parse_schedule
from lotus_infra.importer.terraform import Id, Instance, parse_configuration, parse_id

PROVIDER: Final = "airbytehq/airbyte"
_TYPE_KEYS: Final = ("source_type", "destination_type", "sourceType", "destinationType")
"""Keys that name the connector; the connector itself does not receive them."""
_CHOICES: Final = frozenset(
    {"hashing", "encryption", "aes", "rsa", "field_renaming", "field_filtering", "row_filtering", "equal", "not"}
)
"""Levels that the provider adds to the configuration of a mapper, named after the chosen branch."""
_EXTRA: Final = "additional_properties"
"""The typed resources' own key, with a JSON text of properties that they do not know."""
Schema = Mapping[str, JsonValue]


class _ResourcePart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Actor(_ResourcePart):
    name: str
    workspace_id: Id
    definition_id: Id | None = None
    configuration: str | dict[str, JsonValue]
    resource_allocation: dict[str, JsonValue] | None = None


class _SelectedField(_ResourcePart):
    field_path: list[str] | None = None


class _Mapper(_ResourcePart):
    type: str
    mapper_configuration: dict[str, JsonValue]


class _Tag(_ResourcePart):
    tag_id: Id
    name: str


class _Stream(_ResourcePart):
    name: str
    namespace: str | None = None
    sync_mode: str | None = None
    cursor_field: list[str] | None = None
    primary_key: list[list[str]] | None = None
    selected_fields: list[_SelectedField] | None = None
    mappers: list[_Mapper] | None = None
    include_files: bool | None = None
    destination_object_name: str | None = None


class _Streams(_ResourcePart):
    streams: list[_Stream] | None = None


class _Schedule(_ResourcePart):
    schedule_type: str | None = None
    cron_expression: str | None = None
    basic_timing: str | None = None


class _Connection(_ResourcePart):
    connection_id: Id
    source_id: Id
    destination_id: Id
    name: str | None = None
    status: str | None = None
    schedule: _Schedule | None = None
    configurations: _Streams | None = None
    namespace_definition: str | None = None
    namespace_format: str | None = None
    prefix: str | None = None
    non_breaking_schema_updates_behavior: str | None = None
    tags: list[_Tag] | None = None


class _Definition(_ResourcePart):
    id: Id
    name: str
    workspace_id: Id
    docker_repository: str = ""
    docker_image_tag: str = ""
    manifest: str | dict[str, JsonValue] | None = None
    version: int | None = None


def parse_actor(instance: Instance, kind: ActorKind) -> ExistingActor:
    """A source or a destination; its definition's id is empty if the state has none.

    Raises:
        ValueError: The attributes are not the provider's.
    """
    read = _Actor.model_validate(instance.attributes)
    typed = isinstance(read.configuration, dict)
    given = parse_configuration(read.configuration)
    identity = parse_id(instance.attributes.get(f"{kind}_id"))
    configuration = {key: value for key, value in given.items() if key not in _TYPE_KEYS}
    return ExistingActor(
        kind,
        identity,
        read.name,
        read.definition_id or "",
        read.workspace_id,
        configuration,
        instance.address,
        typed,
        allocation_of(read.resource_allocation),
    )


def parse_connection(instance: Instance) -> ExistingConnection:
    """A connection with its streams.

    Raises:
        ValueError: The attributes are not the provider's.
    """
    read = _Connection.model_validate(instance.attributes)
    times = read.schedule or _Schedule()
    streams = read.configurations.streams if read.configurations is not None else None
    return ExistingConnection(
        id=read.connection_id,
        label=read.name or "",
        source_id=read.source_id,
        destination_id=read.destination_id,
        streams=tuple(map(_parse_stream, streams or ())),
        schedule=parse_schedule(times.schedule_type, times.cron_expression, None, times.basic_timing),
        status=read.status or "active",
        namespace_definition=read.namespace_definition or "destination",
        namespace_format=read.namespace_format or "",
        prefix=read.prefix or "",
        non_breaking_changes=read.non_breaking_schema_updates_behavior or "ignore",
        tags=tuple(sorted(each.name for each in read.tags or ())),
        address=instance.address,
    )


def parse_tags(instance: Instance) -> tuple[ExistingTag, ...]:
    """The tags of a connection. Terraform has no resource for them.

    Raises:
        ValueError: The attributes are not the provider's.
    """
    read = _Connection.model_validate(instance.attributes)
    return tuple(ExistingTag(each.tag_id, each.name) for each in read.tags or ())


def parse_definition(instance: Instance, kind: ActorKind) -> ExistingDefinition:
    """A connector of the workspace's own.

    Raises:
        ValueError: The attributes are not the provider's.
    """
    read = _Definition.model_validate(instance.attributes)
    manifest = parse_configuration(read.manifest) if read.manifest is not None else None
    return ExistingDefinition(
        kind,
        read.id,
        read.name,
        read.workspace_id,
        repository=read.docker_repository,
        version=read.docker_image_tag,
        manifest=manifest,
        address=instance.address,
    )


def _parse_stream(stream: _Stream) -> ExistingStream:
    fields, nested = selected_fields([each.field_path or [] for each in stream.selected_fields or []])
    return ExistingStream(
        name=stream.name,
        namespace=stream.namespace or None,
        mode=stream.sync_mode or "full_refresh_overwrite",
        cursor=tuple(stream.cursor_field or ()),
        key=tuple(map(tuple, stream.primary_key or ())),
        fields=fields or None,
        mappers=tuple(ExistingMapper(each.type, _mapper_configuration(each)) for each in stream.mappers or ()),
        include_files=bool(stream.include_files),
        object_name=stream.destination_object_name or None,
        unsupported=nested,
    )


def _mapper_configuration(mapper: _Mapper) -> dict[str, JsonValue]:
    """A mapper's configuration in the public API's form.

    Raises:
        ValueError: It has another shape than the provider's.
    """
    configuration = _api_form(mapper.mapper_configuration)
    if not isinstance(configuration, dict):
        raise ValueError("is no mapper")  # noqa: TRY004, a validator's error
    return configuration


def _api_form(value: JsonValue) -> JsonValue:
    """A value of the provider without the levels of choices, with the API's names."""
    if isinstance(value, list):
        return [_api_form(item) for item in value]
    if isinstance(value, str) and value.startswith("{"):
        # Conditions inside of conditions are JSON texts.
        return _api_form(json.loads(value))
    if not isinstance(value, dict):
        return value
    given = {key: inner for key, inner in value.items() if inner is not None}
    if len(given) == 1 and not _CHOICES.isdisjoint(given):
        return _api_form(*given.values())
    return dict(_members(given))


def _members(given: Mapping[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    for key, inner in given.items():
        named = re.sub(r"_([a-z])", lambda found: found[1].upper(), key)
        # A comparison's value is text, whatever it looks like.
        yield named, inner if isinstance(inner, str) else _api_form(inner)


def connector_configuration(value: JsonValue, schema: JsonValue) -> JsonValue | None:
    """The connector's own form of a typed configuration or of a part of it; None if the specification is ambiguous."""
    here = schema if isinstance(schema, dict) else {}
    if isinstance(value, list):
        items = [connector_configuration(item, here.get("items")) for item in value]
        return None if None in items else items
    if not isinstance(value, dict):
        return value
    given = {key: inner for key, inner in value.items() if inner is not None}
    branches = here.get("oneOf")
    if isinstance(branches, list):
        return _choice(given, [branch for branch in branches if isinstance(branch, dict)])
    return _object(given, here)


def _object(given: Mapping[str, JsonValue], schema: Schema) -> JsonValue | None:
    known = schema.get("properties")
    properties = known if isinstance(known, dict) else {}
    made: dict[str, JsonValue] = {}
    for key, inner in given.items():
        if key == _EXTRA and key not in properties:
            extra = _additional_properties(inner)
            if extra is None:
                return None
            made = extra | made
            continue
        if properties and key not in properties:
            # Not guessed: an unknown key may be the extra level of a choice.
            return None
        part = connector_configuration(inner, properties.get(key))
        if part is None:
            return None
        made[key] = part
    return _constants(properties) | made


def _additional_properties(value: JsonValue) -> dict[str, JsonValue] | None:
    """The properties that a typed resource does not know, from their JSON text; None if it is none."""
    try:
        return parse_configuration(value)
    except ValueError:
        return None


def _choice(given: Mapping[str, JsonValue], branches: list[dict[str, JsonValue]]) -> JsonValue | None:
    """The value of a choice in the only branch that fits, with the branch's constants; None if not exactly one fits."""
    if len(given) != 1:
        return None
    [inner] = given.values()
    if not isinstance(inner, dict):
        return None
    fitting = [made for branch in branches if (made := _in_branch(inner, branch)) is not None]
    return fitting[0] if len(fitting) == 1 else None


def _in_branch(inner: Mapping[str, JsonValue], branch: Schema) -> JsonValue | None:
    given = {key: value for key, value in inner.items() if value is not None}
    known, required = branch.get("properties"), branch.get("required")
    if not isinstance(known, dict) or not known.keys() >= given.keys() - {_EXTRA}:
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
