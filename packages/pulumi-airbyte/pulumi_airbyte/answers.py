"""Answers of look-ups, as frozen classes. Lists are tuples; what Airbyte does not have is None or empty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

WIRE: Final = "wire"
"""The metadata of an attribute that has another name in the answer than its own in camel case."""


@dataclass(frozen=True)
class WorkspaceProperties:
    """A workspace.

    Attributes:
        workspace_id: its id.
        name: its display name.
        data_residency: where its jobs run; `auto` on self-managed servers.
    """

    workspace_id: str
    name: str
    data_residency: str


@dataclass(frozen=True)
class DefinitionProperties:
    """A connector with an image.

    Attributes:
        definition_id: its id.
        name: its display name.
        workspace_id: the workspace in which it was looked up.
        docker_repository: the image, without its tag.
        docker_image_tag: the image's tag: the connector's version.
        documentation_url: where it is documented; None where Airbyte has no page.
    """

    definition_id: str
    name: str
    workspace_id: str
    docker_repository: str
    docker_image_tag: str
    documentation_url: str | None = None


@dataclass(frozen=True)
class DeclarativeDefinitionProperties:
    """A connector of the connector builder.

    Attributes:
        definition_id: its id.
        name: its display name.
        workspace_id: the workspace in which it was looked up.
        manifest: its manifest.
        version: the manifest's version, which grows with each change.
    """

    definition_id: str
    name: str
    workspace_id: str
    manifest: Mapping[str, Any]
    version: int


@dataclass(frozen=True)
class SourceProperties:
    """A source.

    Attributes:
        source_id: its id.
        name: its display name.
        workspace_id: the workspace that holds it.
        definition_id: the definition of its connector.
        source_type: the connector's type name; empty for custom connectors.
        configuration: its configuration, with each secret as `**********`.
        secret_paths: paths of the secrets in the configuration.
        created_at: when it was created, in seconds since 1970.
        resource_allocation: CPU and memory of its connector's jobs; None without any.
    """

    source_id: str
    name: str
    workspace_id: str
    definition_id: str
    source_type: str
    configuration: Mapping[str, Any]
    secret_paths: tuple[str, ...]
    created_at: int
    resource_allocation: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class DestinationProperties:
    """A destination.

    Attributes:
        destination_id: its id.
        name: its display name.
        workspace_id: the workspace that holds it.
        definition_id: the definition of its connector.
        destination_type: the connector's type name; empty for custom connectors.
        configuration: its configuration, with each secret as `**********`.
        secret_paths: paths of the secrets in the configuration.
        created_at: when it was created, in seconds since 1970.
        resource_allocation: CPU and memory of its connector's jobs; None without any.
    """

    destination_id: str
    name: str
    workspace_id: str
    definition_id: str
    destination_type: str
    configuration: Mapping[str, Any]
    secret_paths: tuple[str, ...]
    created_at: int
    resource_allocation: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ScheduleProperties:
    """When a connection syncs.

    Attributes:
        schedule_type: how it is started.
        cron_expression: quartz cron, seconds first; None without a cron schedule.
        cron_time_zone: the zone of the cron expression; None for UTC.
        basic_timing: the interval, such as `Every 1 HOURS`; None without a basic schedule.
    """

    schedule_type: str
    cron_expression: str | None = None
    cron_time_zone: str | None = None
    basic_timing: str | None = None


@dataclass(frozen=True)
class ConnectionStreamProperties:
    """A stream that a connection syncs.

    Attributes:
        name: its name in the source.
        cursor_field: path of the field that marks new records; may be empty.
        primary_key: paths of the key's parts; may be empty.
        mappers: its mappers, with keys as `**********`.
        include_files: whether the files that records refer to are copied.
        namespace: its namespace in the source; None without one.
        sync_mode: how it is read and written: full_refresh_overwrite, full_refresh_append,
            full_refresh_overwrite_deduped, full_refresh_update, full_refresh_soft_delete, incremental_append,
            incremental_deduped_history, incremental_update, incremental_soft_delete; None where the public API has
            no name for it.
        selected_fields: names of the selected top-level fields; None where all are.
        destination_object_name: the object that it is written into; None without one.
    """

    name: str
    cursor_field: tuple[str, ...]
    primary_key: tuple[tuple[str, ...], ...]
    mappers: tuple[Mapping[str, Any], ...]
    include_files: bool
    namespace: str | None = None
    sync_mode: str | None = None
    selected_fields: tuple[str, ...] | None = None
    destination_object_name: str | None = None


@dataclass(frozen=True)
class TagProperties:
    """A tag: a label of connections.

    Attributes:
        tag_id: its id.
        name: its name.
        color: six hexadecimal digits.
        workspace_id: the workspace that holds it.
    """

    tag_id: str
    name: str
    color: str
    workspace_id: str


@dataclass(frozen=True)
class ConnectionProperties:
    """A connection.

    Attributes:
        connection_id: its id.
        name: its display name.
        workspace_id: the workspace that holds it.
        source_id: the source that it reads.
        destination_id: the destination that it writes.
        status: whether it runs.
        schedule: when it syncs.
        streams: the streams that it syncs, by name.
        namespace_definition: where the namespace of the written data comes from.
        prefix: put before every stream's name in the destination; may be empty.
        non_breaking_schema_updates_behavior: what Airbyte does when the source gains or loses fields.
        tags: its tags, by name.
        created_at: when it was created, in seconds since 1970.
        namespace_format: the namespace for `custom_format`; None without one.
    """

    connection_id: str
    name: str
    workspace_id: str
    source_id: str
    destination_id: str
    status: str
    schedule: ScheduleProperties
    streams: tuple[ConnectionStreamProperties, ...]
    namespace_definition: str
    prefix: str
    non_breaking_schema_updates_behavior: str
    tags: tuple[TagProperties, ...]
    created_at: int
    namespace_format: str | None = None


@dataclass(frozen=True)
class StreamProperties:
    """A stream that a source offers.

    Attributes:
        stream_name: its name.
        namespace: its namespace in the source; None without one.
        sync_modes: in the public API's spelling; empty without `destination_id`.
        default_cursor_field: path of the field that marks new records; may be empty.
        source_defined_cursor: whether the source allows no other cursor.
        source_defined_primary_key: paths of the key's parts; may be empty.
        property_fields: paths of all fields.
    """

    stream_name: str
    namespace: str | None
    sync_modes: tuple[str, ...]
    default_cursor_field: tuple[str, ...]
    source_defined_cursor: bool = field(metadata={WIRE: "sourceDefinedCursorField"})
    source_defined_primary_key: tuple[tuple[str, ...], ...]
    property_fields: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class StreamDifference:
    """A stream of a connection that differs from what its source offers.

    Attributes:
        stream_name: its name.
        is_offered: whether the source offers the stream.
        unselected_fields: top-level fields that it leaves out.
        missing_fields: paths of fields that it selects, or has as cursor or key, and the source does not offer.
        namespace: its namespace in the source; None without one.
    """

    stream_name: str
    is_offered: bool
    unselected_fields: tuple[str, ...]
    missing_fields: tuple[tuple[str, ...], ...]
    namespace: str | None = None


@dataclass(frozen=True)
class JobProperties:
    """A job of a connection.

    Attributes:
        job_id: its id.
        status: its status.
        job_type: its type; a clear is a `reset`.
        connection_id: the connection.
        start_time: when it was created, in ISO 8601.
        last_updated_at: when it ended, in ISO 8601; None before.
        duration: how long it has run, in ISO 8601 such as `PT1H6M12S`; None while it waits.
        bytes_synced: the bytes that it has synced; None where Airbyte has not counted.
        rows_synced: the rows that it has synced; None where Airbyte has not counted.
    """

    job_id: int
    status: str
    job_type: str
    connection_id: str
    start_time: str
    last_updated_at: str | None = None
    duration: str | None = None
    bytes_synced: int | None = None
    rows_synced: int | None = None


@dataclass(frozen=True)
class OrganizationProperties:
    """An organization.

    Attributes:
        organization_id: its id.
        name: its name.
        email: its e-mail address.
    """

    organization_id: str
    name: str
    email: str


@dataclass(frozen=True)
class UserProperties:
    """A user.

    Attributes:
        user_id: the user's id.
        name: the user's name.
        email: the user's e-mail address.
    """

    user_id: str
    name: str
    email: str


@dataclass(frozen=True)
class GroupProperties:
    """A group of users.

    Attributes:
        group_id: its id.
        name: its name.
        organization_id: the organization that holds it.
        member_count: the number of its members.
        description: its description; None without one.
    """

    group_id: str
    name: str
    organization_id: str
    member_count: int
    description: str | None = None


@dataclass(frozen=True)
class PermissionProperties:
    """What a user or a group may do.

    Attributes:
        permission_id: its id.
        permission_type: the role, such as `workspace_admin`.
        user_id: the user; None for a group.
        group_id: the group; None for a user.
        workspace_id: the workspace that it is for; None for an organization or the whole server.
        organization_id: the organization that it is for; None for a workspace.
    """

    permission_id: str
    permission_type: str
    user_id: str | None = None
    group_id: str | None = None
    workspace_id: str | None = None
    organization_id: str | None = None


@dataclass(frozen=True)
class LiveObject:
    """A live object and its standing.

    Attributes:
        kind: `source`, `destination` or `connection`.
        id: its id.
        name: its display name.
        standing: `managed`, `adoptable` (the next `up` adopts it if it is identical), `duplicate` (another object has
            the same identity) or `orphan`.
        twins: ids of the other objects with its identity.
        source_id: id of a connection's source.
        destination_id: id of a connection's destination.
    """

    kind: Literal["source", "destination", "connection"]
    id: str
    name: str
    standing: Literal["managed", "adoptable", "duplicate", "orphan"]
    twins: tuple[str, ...]
    source_id: str | None = None
    destination_id: str | None = None


@dataclass(frozen=True)
class DeclaredObject:
    """An object that a program declares, by its names on the server.

    Attributes:
        kind: `source`, `destination` or `connection`.
        name: its display name.
        source_name: display name of a connection's source.
        destination_name: display name of a connection's destination.
    """

    kind: Literal["source", "destination", "connection"]
    name: str
    source_name: str = ""
    destination_name: str = ""


@dataclass(frozen=True)
class ConnectorDefinition:
    """A connector that the server can run.

    Attributes:
        definition_id: the id that sources and destinations refer to.
        display_name: the name that the server shows.
        type: `source` or `destination`.
        version: the connector's version.
    """

    definition_id: str
    display_name: str
    type: str
    version: str


@dataclass(frozen=True)
class SelectionDifferences:
    """The differences between what a connection selects and what its source offers.

    Attributes:
        source_id: the connection's source.
        unselected_streams: the streams that the source offers and the connection does not select, by name.
        differences: the selected streams whose fields differ, or that the source does not offer, by name.
    """

    source_id: str
    unselected_streams: tuple[StreamProperties, ...]
    differences: tuple[StreamDifference, ...]


@dataclass(frozen=True)
class GroupWithMembers:
    """A group of users and its members, by id or by name.

    Attributes:
        group_id: its id.
        name: its name.
        organization_id: the organization that holds it.
        member_count: the number of its members.
        members: its members, by e-mail address.
        description: its description; None without one.
    """

    group_id: str
    name: str
    organization_id: str
    member_count: int
    members: tuple[UserProperties, ...]
    description: str | None = None


Answer = TypeVar("Answer")


def answer_of(kind: type[Answer], values: Mapping[str, Any]) -> Answer:
    """An answer of the plugin as an object of its class; a value that is missing is None, or an empty list."""
    return kind(**{name: _typed(hint, values.get(wire)) for name, wire, hint in _attributes(cast("Any", kind))})


@cache
def _attributes(kind: Any) -> tuple[tuple[str, str, Any], ...]:
    """The attributes of a class: name, name in the answer, type."""
    hints = get_type_hints(kind)
    return tuple((each.name, each.metadata.get(WIRE) or _camel(each.name), hints[each.name]) for each in fields(kind))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _typed(hint: Any, value: Any) -> Any:
    if get_origin(hint) is UnionType:
        [hint] = [each for each in get_args(hint) if each is not NoneType]
        return None if value is None else _typed(hint, value)
    if get_origin(hint) is tuple:
        items: Sequence[Any] = value or ()
        return tuple(_typed(get_args(hint)[0], item) for item in items)
    if is_dataclass(hint):
        return answer_of(cast("Any", hint), value)
    return _plain(value)


def _plain(value: Any) -> Any:
    """JSON with whole numbers as such: the engine's numbers are all floats."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
