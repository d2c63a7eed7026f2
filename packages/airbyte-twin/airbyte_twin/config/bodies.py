"""Request bodies that only the Config API has."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict

from airbyte_twin.bodies import AnyCase, Body, MapperBody, ResourceAllocation, SelectedField, TagBody
from airbyte_twin.documents import JsonObject
from airbyte_twin.records import ConnectionStatus, DestinationSyncMode, SyncMode, TimeUnit


class ConnectionIdBody(Body):
    """Names a connection."""

    connection_id: UUID


class WorkspaceIdBody(Body):
    """Names a workspace."""

    workspace_id: UUID


class ActorListBody(WorkspaceIdBody):
    """Names a workspace, and how many of its actors after which one to list."""

    cursor: UUID | None = None
    page_size: int | None = None


class StreamDescriptor(Body):
    """Names a stream in a saved state."""

    name: str
    namespace: str | None = None


class StreamNameBody(Body):
    """Names a stream in a request for a job."""

    stream_name: str
    stream_namespace: str | None = None


class StreamsJobBody(ConnectionIdBody):
    """Streams to clear; none means all."""

    streams: tuple[StreamNameBody, ...]


class RefreshBody(ConnectionIdBody):
    """Streams to refresh; none or absent means all."""

    refresh_mode: Annotated[Literal["truncate", "merge"], AnyCase]
    streams: tuple[StreamNameBody, ...] | None = None


class JobIdBody(Body):
    """Names a job."""

    id: int


class StreamStateBody(Body):
    """The cursor of one stream."""

    stream_descriptor: StreamDescriptor
    stream_state: JsonObject | None = None


class GlobalStateBody(Body):
    """Cursors of a source that keeps one for all streams; its shared part is the one snake_case member."""

    model_config = ConfigDict(alias_generator=None)

    shared_state: JsonObject | None = None
    streamStates: tuple[StreamStateBody, ...]  # noqa: N815


class ConnectionStateBody(Body):
    """A state, as it is read; its own connection id is ignored."""

    state_type: Annotated[Literal["not_set", "stream", "global", "legacy"], AnyCase]
    state: JsonObject | None = None
    stream_state: tuple[StreamStateBody, ...] | None = None
    global_state: GlobalStateBody | None = None


class StateWriteBody(ConnectionIdBody):
    """A state and the connection to write it to."""

    connection_state: ConnectionStateBody


class CatalogStreamBody(Body):
    """The part of a discovered stream that a catalog is matched by."""

    name: str
    namespace: str | None = None


class StreamConfigBody(Body):
    """How a stream is synced; nothing of it is checked against what the source defines."""

    sync_mode: Annotated[SyncMode, AnyCase]
    destination_sync_mode: Annotated[DestinationSyncMode, AnyCase]
    cursor_field: tuple[str, ...] | None = None
    primary_key: tuple[tuple[str, ...], ...] | None = None
    selected: bool | None = None
    field_selection_enabled: bool | None = None
    selected_fields: tuple[SelectedField, ...] | None = None
    include_files: bool | None = None
    destination_object_name: str | None = None
    mappers: tuple[MapperBody, ...] | None = None


class CatalogEntryBody(Body):
    """A stream and its configuration."""

    stream: CatalogStreamBody
    config: StreamConfigBody | None = None


class CatalogBody(Body):
    """Streams of a connection, unselected ones included."""

    streams: tuple[CatalogEntryBody, ...]


class BasicScheduleBody(Body):
    """Every so many units."""

    time_unit: Annotated[TimeUnit, AnyCase]
    units: int


class CronBody(Body):
    """A cron expression and its zone; both are checked by the schedule's rules."""

    cron_expression: str | None = None
    cron_time_zone: str | None = None


class ScheduleDataBody(Body):
    """The data of one kind of schedule."""

    basic_schedule: BasicScheduleBody | None = None
    cron: CronBody | None = None


class ConnectionUpdateBody(ConnectionIdBody):
    """What to change in a connection; null leaves a member as it is."""

    name: str | None = None
    namespace_definition: Annotated[Literal["source", "destination", "customformat"] | None, AnyCase] = None
    namespace_format: str | None = None
    prefix: str | None = None
    operation_ids: tuple[UUID, ...] | None = None
    sync_catalog: CatalogBody | None = None
    schedule: BasicScheduleBody | None = None
    schedule_type: Annotated[Literal["manual", "basic", "cron"] | None, AnyCase] = None
    schedule_data: ScheduleDataBody | None = None
    status: Annotated[ConnectionStatus | None, AnyCase] = None
    resource_requirements: JsonObject | None = None
    source_catalog_id: UUID | None = None
    notify_schema_changes: bool | None = None
    notify_schema_changes_by_email: bool | None = None
    non_breaking_changes_preference: Annotated[
        Literal["ignore", "disable", "propagate_columns", "propagate_fully"] | None, AnyCase
    ] = None
    backfill_preference: Annotated[Literal["enabled", "disabled"] | None, AnyCase] = None
    breaking_change: bool | None = None
    tags: tuple[TagBody, ...] | None = None


class ConnectionReadBody(ConnectionIdBody):
    """Names a connection, and whether to discover its source anew."""

    with_refreshed_catalog: bool = False


class DiscoverBody(Body):
    """Names a source to discover; the one snake_case member is the API's own."""

    model_config = ConfigDict(alias_generator=None)

    sourceId: UUID  # noqa: N815
    disable_cache: bool | None = None


class SourceIdBody(Body):
    """Names a source."""

    source_id: UUID


class DestinationIdBody(Body):
    """Names a destination."""

    destination_id: UUID


class SourceUpdateBody(SourceIdBody):
    """A source with a configuration that is not saved yet."""

    name: str
    connection_configuration: JsonObject
    resource_allocation: ResourceAllocation | None = None


class DestinationUpdateBody(DestinationIdBody):
    """A destination with a configuration that is not saved yet."""

    name: str
    connection_configuration: JsonObject
    resource_allocation: ResourceAllocation | None = None


class SourceCoreBody(WorkspaceIdBody):
    """A source that does not exist yet."""

    source_definition_id: UUID
    connection_configuration: JsonObject


class DestinationCoreBody(WorkspaceIdBody):
    """A destination that does not exist yet."""

    destination_definition_id: UUID
    connection_configuration: JsonObject


class SourceDefinitionBody(WorkspaceIdBody):
    """Names a source definition."""

    source_definition_id: UUID


class DestinationDefinitionBody(WorkspaceIdBody):
    """Names a destination definition."""

    destination_definition_id: UUID
