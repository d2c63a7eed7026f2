"""Request bodies that only the Config API has."""

from typing import Annotated, Literal, TypeVar

from pydantic import ConfigDict, create_model
from pydantic.alias_generators import to_camel

from airbyte_twin.bodies import MapperBody, ResourceAllocation, SelectedField, TagBody
from airbyte_twin.body import AnyCase, Body, Id, Many, Names
from airbyte_twin.documents import JsonObject
from airbyte_twin.json_mapper import JavaEnum
from airbyte_twin.records import ActorKind, ConnectionStatus, DestinationSyncMode, SyncMode, TimeUnit

B = TypeVar("B", bound=Body)


class ConnectionIdBody(Body):
    """Names a connection."""

    java = "ConnectionIdRequestBody"

    connection_id: Id


class WorkspaceIdBody(Body):
    """Names a workspace."""

    java = "WorkspaceIdRequestBody"

    workspace_id: Id


class ActorListBody(WorkspaceIdBody):
    """Names a workspace and a page of its actors."""

    java = "ActorListCursorPaginatedRequestBody"

    cursor: Id | None = None
    page_size: int | None = None


class StreamDescriptor(Body):
    """Names a stream in a saved state."""

    name: str
    namespace: str | None = None


class StreamNameBody(Body):
    """Names a stream in a request for a job."""

    java = "ConnectionStream"

    stream_name: str
    stream_namespace: str | None = None


class StreamsJobBody(ConnectionIdBody):
    """Streams to clear; none means all."""

    java = "ConnectionStreamRequestBody"

    streams: tuple[StreamNameBody, ...]


class RefreshBody(ConnectionIdBody):
    """Streams to refresh; none or absent means all."""

    java = "ConnectionStreamRefreshRequestBody"

    refresh_mode: Annotated[Literal["truncate", "merge"], AnyCase, JavaEnum("RefreshMode")]
    streams: tuple[StreamNameBody, ...] | None = None


class JobIdBody(Body):
    """Names a job."""

    java = "JobIdRequestBody"

    id: int


class StreamStateBody(Body):
    """The cursor of one stream."""

    java = "StreamState"

    stream_descriptor: StreamDescriptor
    stream_state: JsonObject | None = None


class GlobalStateBody(Body):
    """Cursors of a source that keeps one for all streams; `shared_state` is the only snake_case member."""

    java = "GlobalState"

    model_config = ConfigDict(alias_generator=None)

    shared_state: JsonObject | None = None
    streamStates: tuple[StreamStateBody, ...]  # noqa: N815


class ConnectionStateBody(Body):
    """A state, as in responses; its own connection id is ignored."""

    java = "ConnectionState"

    state_type: Annotated[Literal["not_set", "stream", "global", "legacy"], AnyCase, JavaEnum("ConnectionStateType")]
    state: JsonObject | None = None
    stream_state: tuple[StreamStateBody, ...] | None = None
    global_state: GlobalStateBody | None = None


class StateWriteBody(ConnectionIdBody):
    """A state and the connection to write it to."""

    java = "ConnectionStateCreateOrUpdate"

    connection_state: ConnectionStateBody


class CatalogStreamBody(Body):
    """The members of a discovered stream that are used: its identity and its schema."""

    java = "AirbyteStream"

    name: str
    namespace: str | None = None
    json_schema: JsonObject | None = None


class StreamConfigBody(Body):
    """The configuration of a stream, not checked against the source's definition."""

    java = "AirbyteStreamConfiguration"

    sync_mode: Annotated[SyncMode, AnyCase, JavaEnum("SyncMode")]
    destination_sync_mode: Annotated[DestinationSyncMode, AnyCase, JavaEnum("DestinationSyncMode")]
    cursor_field: Names | None = None
    primary_key: Annotated[tuple[Names, ...] | None, Many] = None
    selected: bool | None = None
    field_selection_enabled: bool | None = None
    selected_fields: Annotated[tuple[SelectedField, ...] | None, Many] = None
    include_files: bool | None = None
    destination_object_name: str | None = None
    mappers: Annotated[tuple[MapperBody, ...] | None, Many] = None


class CatalogEntryBody(Body):
    """A stream and its configuration."""

    java = "AirbyteStreamAndConfiguration"

    stream: CatalogStreamBody
    config: StreamConfigBody | None = None


class CatalogBody(Body):
    """Streams of a connection, unselected ones included."""

    java = "AirbyteCatalog"

    streams: tuple[CatalogEntryBody, ...]


class BasicScheduleBody(Body):
    """An interval."""

    java = "ConnectionScheduleDataBasicSchedule"

    time_unit: Annotated[TimeUnit, AnyCase, JavaEnum("TimeUnitEnum")]
    units: int


class CronBody(Body):
    """A cron expression and its zone; both are checked by the schedule's rules."""

    java = "ConnectionScheduleDataCron"

    cron_expression: str | None = None
    cron_time_zone: str | None = None


class ScheduleDataBody(Body):
    """The data of one kind of schedule."""

    java = "ConnectionScheduleData"

    basic_schedule: BasicScheduleBody | None = None
    cron: CronBody | None = None


class ConnectionUpdateBody(ConnectionIdBody):
    """Changes of a connection; null leaves a member unchanged."""

    java = "ConnectionUpdate"

    name: str | None = None
    namespace_definition: Annotated[
        Literal["source", "destination", "customformat"] | None, AnyCase, JavaEnum("NamespaceDefinitionType")
    ] = None
    namespace_format: str | None = None
    prefix: str | None = None
    operation_ids: tuple[Id, ...] | None = None
    sync_catalog: CatalogBody | None = None
    schedule: BasicScheduleBody | None = None
    schedule_type: Annotated[Literal["manual", "basic", "cron"] | None, AnyCase, JavaEnum("ConnectionScheduleType")] = (
        None
    )
    schedule_data: ScheduleDataBody | None = None
    status: Annotated[ConnectionStatus | None, AnyCase, JavaEnum("ConnectionStatus")] = None
    resource_requirements: JsonObject | None = None
    source_catalog_id: Id | None = None
    notify_schema_changes: bool | None = None
    notify_schema_changes_by_email: bool | None = None
    non_breaking_changes_preference: Annotated[
        Literal["ignore", "disable", "propagate_columns", "propagate_fully"] | None,
        AnyCase,
        JavaEnum("NonBreakingChangesPreference"),
    ] = None
    backfill_preference: Annotated[
        Literal["enabled", "disabled"] | None, AnyCase, JavaEnum("SchemaChangeBackfillPreference")
    ] = None
    breaking_change: bool | None = None
    tags: Annotated[tuple[TagBody, ...] | None, Many] = None


class ConnectionReadBody(ConnectionIdBody):
    """Names a connection, and whether to refresh its source's catalog."""

    java = "WebBackendConnectionRequestBody"

    with_refreshed_catalog: bool = False


class DiscoverBody(Body):
    """Names a source to discover; one member is snake_case in the API."""

    java = "SourceDiscoverSchemaRequestBody"

    model_config = ConfigDict(alias_generator=None)

    sourceId: Id  # noqa: N815
    disable_cache: bool | None = None


class ActorIdBody(Body):
    """Names a source or destination."""

    java = "ActorIdRequestBody"

    actor_id: Id


class ActorUpdateBody(ActorIdBody):
    """An actor with a configuration that is not saved yet."""

    java = "ActorUpdate"

    name: str
    connection_configuration: JsonObject
    resource_allocation: ResourceAllocation | None = None


class ActorCoreBody(WorkspaceIdBody):
    """An actor that does not exist yet."""

    java = "ActorCoreConfig"

    actor_definition_id: Id
    connection_configuration: JsonObject


class ActorDefinitionBody(WorkspaceIdBody):
    """Names a definition."""

    java = "ActorDefinitionIdWithWorkspaceId"

    actor_definition_id: Id


def of_kind(model: type[B], kind: ActorKind) -> type[B]:
    """The body for one kind of actor: its names have `source` or `destination` instead of `actor`."""

    def alias(name: str) -> str:
        return to_camel(name.replace("actor", kind, 1))

    made = create_model(model.__name__, __base__=model, __cls_kwargs__={"alias_generator": alias})
    made.java = model.java.replace("Actor", kind.capitalize())
    return made
