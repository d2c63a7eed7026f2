"""Request bodies that only the Config API has."""

from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, ConfigDict, JsonValue, create_model
from pydantic.alias_generators import to_camel

from airbyte_twin.bodies import MapperBody, ResourceAllocation, SelectedField, TagBody
from airbyte_twin.body import AnyCase, Body, Id, Many, Names
from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.json_mapper import JavaEnum
from airbyte_twin.records import (
    ActorKind,
    ConnectionStatus,
    DestinationSyncMode,
    JobStatus,
    PermissionType,
    SyncMode,
    TimeUnit,
)

B = TypeVar("B", bound=Body)


class ConnectionIdBody(Body):
    """Names a connection."""

    java = "ConnectionIdRequestBody"

    connection_id: Id


class WorkspaceIdBody(Body):
    """Names a workspace."""

    java = "WorkspaceIdRequestBody"

    workspace_id: Id


class WorkspaceReadBody(WorkspaceIdBody):
    """Names a workspace, deleted or not."""

    java = "WorkspaceIdRequestBody"

    include_tombstone: bool = False


class PageBody(Body):
    """A page by its size and first row."""

    java = "Pagination"

    page_size: int | None = None
    row_offset: int | None = None


class WorkspacesPageBody(Body):
    """Names workspaces and a page of what they have."""

    java = "ListResourcesForWorkspacesRequestBody"

    workspace_ids: Annotated[tuple[Id, ...], Many]
    include_deleted: bool = False
    pagination: PageBody
    name_contains: str | None = None


ActorStatus = Annotated[Literal["active", "inactive"], AnyCase, JavaEnum("ActorStatus")]


class ActorFiltersBody(Body):
    """Which actors of a list to show."""

    java = "ActorListFilters"

    states: Annotated[tuple[ActorStatus, ...] | None, Many] = None
    search_term: str | None = None


class ActorListBody(WorkspaceIdBody):
    """Names a workspace and a page of its actors."""

    java = "ActorListCursorPaginatedRequestBody"

    cursor: Id | None = None
    page_size: int | None = None
    filters: ActorFiltersBody | None = None
    sort_key: str | None = None


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


class ConnectionJobBody(ConnectionIdBody):
    """Names a job of a connection."""

    java = "ConnectionAndJobIdRequestBody"

    job_id: int


class AttemptBody(Body):
    """Names an attempt of a job."""

    java = "GetAttemptStatsRequestBody"

    job_id: int
    attempt_number: int


JobKind = Annotated[
    Literal[
        "check_connection_source",
        "check_connection_destination",
        "discover_schema",
        "get_spec",
        "sync",
        "reset_connection",
        "refresh",
        "clear",
    ],
    AnyCase,
    JavaEnum("JobConfigType"),
]


class JobsBody(Body):
    """Which jobs to list, and a page of them; times are ISO texts."""

    java = "JobListRequestBody"

    config_types: Annotated[tuple[JobKind, ...], Many]
    config_id: str | None = None
    including_job_id: int | None = None
    workspace_ids: Annotated[tuple[Id, ...] | None, Many] = None
    pagination: PageBody | None = None
    statuses: Annotated[
        tuple[Annotated[JobStatus, AnyCase, JavaEnum("JobStatus")], ...] | None,
        Many,
    ] = None
    created_at_start: AwareDatetime | None = None
    created_at_end: AwareDatetime | None = None
    updated_at_start: AwareDatetime | None = None
    updated_at_end: AwareDatetime | None = None
    order_by_field: Annotated[Literal["createdAt", "updatedAt"] | None, JavaEnum("OrderByFieldEnum")] = None
    order_by_method: Annotated[Literal["ASC", "DESC"] | None, JavaEnum("OrderByMethodEnum")] = None


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
    """A discovered stream."""

    java = "AirbyteStream"

    name: str
    namespace: str | None = None
    json_schema: JsonObject | None = None
    supported_sync_modes: Annotated[
        tuple[Annotated[SyncMode, AnyCase, JavaEnum("SyncMode")], ...] | None,
        Many,
    ] = None
    source_defined_cursor: bool | None = None
    default_cursor_field: Names | None = None
    source_defined_primary_key: Annotated[tuple[Names, ...] | None, Many] = None
    is_resumable: bool | None = None
    is_file_based: bool | None = None


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
    hashed_fields: Annotated[tuple[SelectedField, ...] | None, Many] = None
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


class ConnectionMembersBody(Body):
    """What a connection can be created with and what can be changed of it; null leaves a member unchanged."""

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


class ConnectionUpdateBody(ConnectionMembersBody, ConnectionIdBody):
    """Changes of a connection."""

    java = "ConnectionUpdate"


class ReasonedUpdateBody(Body):
    """Changes of a connection, with a reason, which is ignored."""

    java = "ConnectionUpdateWithReason"

    connection_update: ConnectionUpdateBody


class ConnectionCreateBody(ConnectionMembersBody):
    """A new connection."""

    java = "ConnectionCreate"

    source_id: Id
    destination_id: Id
    status: Annotated[ConnectionStatus, AnyCase, JavaEnum("ConnectionStatus")]


class ConnectionSearchBody(Body):
    """The values of the connections to find; null is any."""

    java = "ConnectionSearch"

    connection_id: Id | None = None
    name: str | None = None
    namespace_definition: Annotated[
        Literal["source", "destination", "customformat"] | None, AnyCase, JavaEnum("NamespaceDefinitionType")
    ] = None
    namespace_format: str | None = None
    prefix: str | None = None
    source_id: Id | None = None
    destination_id: Id | None = None
    schedule_type: Annotated[Literal["manual", "basic", "cron"] | None, AnyCase, JavaEnum("ConnectionScheduleType")] = (
        None
    )
    status: Annotated[ConnectionStatus | None, AnyCase, JavaEnum("ConnectionStatus")] = None
    source: JsonObject | None = None
    destination: JsonObject | None = None


class ConnectionsPageBody(Body):
    """Names workspaces and a page of their connections."""

    java = "ListConnectionsForWorkspacesRequestBody"

    workspace_ids: Annotated[tuple[Id, ...], Many]
    tag_ids: Annotated[tuple[Id, ...] | None, Many] = None
    include_deleted: bool = False
    pagination: PageBody | None = None


class ConnectionIdsBody(Body):
    """Names connections."""

    java = "ConnectionStatusesRequestBody"

    connection_ids: Annotated[tuple[Id, ...], Many]


class DefinitionConnectionsBody(Body):
    """Names a definition whose connections to list."""

    java = "ActorDefinitionRequestBody"

    actor_definition_id: Id
    actor_type: Annotated[Literal["source", "destination"], AnyCase, JavaEnum("ActorType")]


class DbtCloudBody(Body):
    """A job of dbt Cloud."""

    java = "OperatorWebhookDbtCloud"

    account_id: int
    job_id: int


class WebhookBody(Body):
    """A call after a sync."""

    java = "OperatorWebhook"

    webhook_config_id: Id | None = None
    webhook_type: Annotated[Literal["dbtCloud"] | None, JavaEnum("WebhookTypeEnum")] = None
    dbt_cloud: DbtCloudBody | None = None
    execution_url: str | None = None
    execution_body: str | None = None


class OperatorBody(Body):
    """What an operation does; only webhooks have a configuration."""

    java = "OperatorConfiguration"

    operator_type: Annotated[Literal["normalization", "dbt", "webhook"], AnyCase, JavaEnum("OperatorType")]
    webhook: WebhookBody | None = None


class OperationCreateBody(WorkspaceIdBody):
    """A new operation."""

    java = "OperationCreate"

    name: str
    operator_configuration: OperatorBody


class OperationIdBody(Body):
    """Names an operation."""

    java = "OperationIdRequestBody"

    operation_id: Id


class OperationUpdateBody(OperationIdBody):
    """An operation's new name and configuration."""

    java = "OperationUpdate"

    name: str
    operator_configuration: OperatorBody


class OperationSavedBody(OperationCreateBody):
    """An operation that is saved with its connection: a new one, unless its id is one of the connection's."""

    java = "WebBackendOperationCreateOrUpdate"

    operation_id: Id | None = None


class SavedConnectionBody(ConnectionUpdateBody):
    """What Airbyte's pages save of a connection; its operations are made and removed with it."""

    java = "WebBackendConnectionUpdate"

    skip_reset: bool | None = None
    operations: Annotated[tuple[OperationSavedBody, ...] | None, Many] = None


class NewConnectionBody(ConnectionCreateBody):
    """What Airbyte's pages create, operations included."""

    java = "WebBackendConnectionCreate"

    operations: Annotated[tuple[OperationCreateBody, ...] | None, Many] = None


class BackendFiltersBody(Body):
    """Which connections of a page of Airbyte's to show."""

    java = "WebBackendConnectionListFilters"

    source_definition_ids: Annotated[tuple[Id, ...] | None, Many] = None
    destination_definition_ids: Annotated[tuple[Id, ...] | None, Many] = None
    statuses: Annotated[
        tuple[Annotated[Literal["healthy", "failed", "running", "paused"], AnyCase, JavaEnum("StatusesEnum")], ...]
        | None,
        Many,
    ] = None
    states: Annotated[tuple[ActorStatus, ...] | None, Many] = None
    tag_ids: Annotated[tuple[Id, ...] | None, Many] = None
    search_term: str | None = None


class BackendListBody(WorkspaceIdBody):
    """Names a workspace and a page of its connections, as Airbyte's pages list them."""

    java = "WebBackendConnectionListRequestBody"

    source_id: Annotated[tuple[Id, ...] | None, Many] = None
    destination_id: Annotated[tuple[Id, ...] | None, Many] = None
    cursor: Id | None = None
    sort_key: str | None = None
    filters: BackendFiltersBody | None = None
    page_size: int | None = None


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
    """An actor's new name and configuration."""

    java = "ActorUpdate"

    name: str
    connection_configuration: JsonObject
    secret_id: str | None = None
    resource_allocation: ResourceAllocation | None = None


class ActorPatchBody(ActorIdBody):
    """Changes of an actor."""

    java = "PartialActorUpdate"

    name: str | None = None
    connection_configuration: JsonValue = None
    secret_id: str | None = None
    resource_allocation: ResourceAllocation | None = None


class ActorCreateBody(WorkspaceIdBody):
    """A new actor."""

    java = "ActorCreate"

    actor_definition_id: Id
    name: str
    connection_configuration: JsonObject
    secret_id: str | None = None
    resource_allocation: ResourceAllocation | None = None


class ActorSearchBody(Body):
    """The values of the actors to find; null is any."""

    java = "ActorSearch"

    actor_definition_id: Id | None = None
    actor_id: Id | None = None
    workspace_id: Id | None = None
    connection_configuration: JsonObject | None = None
    name: str | None = None
    actor_name: str | None = None


class ActorCoreBody(WorkspaceIdBody):
    """An actor that does not exist yet."""

    java = "ActorCoreConfig"

    actor_definition_id: Id
    connection_configuration: JsonObject


class ActorDefinitionBody(WorkspaceIdBody):
    """Names a definition."""

    java = "ActorDefinitionIdWithWorkspaceId"

    actor_definition_id: Id


class DefinitionIdBody(Body):
    """Names a definition."""

    java = "ActorDefinitionIdRequestBody"

    actor_definition_id: Id


class DefinitionUpdateBody(WorkspaceIdBody):
    """A definition's new tag and, maybe, name."""

    java = "ActorDefinitionUpdate"

    actor_definition_id: Id
    name: str | None = None
    docker_image_tag: str
    resource_requirements: ResourceAllocation | None = None


class DefinitionVersionBody(DefinitionIdBody):
    """Names the version of a definition by its tag."""

    java = "ResolveActorDefinitionVersionRequestBody"

    actor_type: Annotated[Literal["source", "destination"], AnyCase, JavaEnum("ActorType")]
    docker_image_tag: str


class WorkspaceDefinitionsBody(WorkspaceIdBody):
    """Names a workspace, and says whether to list only the definitions that its actors have."""

    java = "WorkspaceIdActorDefinitionRequestBody"

    filter_by_used: bool = False


Scope = Annotated[Literal["workspace", "organization"], AnyCase, JavaEnum("ScopeType")]


class ScopedDefinitionBody(DefinitionIdBody):
    """Names a definition and who is to use it."""

    java = "ActorDefinitionIdWithScope"

    scope_id: Id
    scope_type: Scope


class NewDefinitionBody(Body):
    """A new definition of an image."""

    java = "DefinitionCreate"

    name: str
    docker_repository: str
    docker_image_tag: str
    documentation_url: str
    resource_requirements: ResourceAllocation | None = None
    connector_specification: JsonObject | None = None


class CustomDefinitionBody(Body):
    """A new definition, and whose it is: a workspace's, by `workspaceId` or by a scope."""

    java = "CustomActorDefinitionCreate"

    workspace_id: Id | None = None
    scope_id: Id | None = None
    scope_type: Scope | None = None
    actor_definition: NewDefinitionBody


class SpecifiedBody(Body):
    """Something with a specification beside it, in the connectors' own document."""

    spec: JsonObject

    def specification(self) -> JsonObject:
        """The schema of configurations."""
        return as_object(self.spec.get("connectionSpecification"))


class ManifestBody(SpecifiedBody):
    """One version of a manifest."""

    java = "DeclarativeSourceManifest"

    description: str
    manifest: JsonObject
    version: int


class ManifestsBody(WorkspaceIdBody):
    """Names a declarative definition."""

    java = "ListDeclarativeManifestsRequestBody"

    source_definition_id: Id


class CreateManifestBody(ManifestsBody):
    """A new version of a declarative definition."""

    java = "DeclarativeSourceDefinitionCreateManifestRequestBody"

    set_as_active_manifest: bool
    declarative_manifest: ManifestBody


class ActiveManifestBody(ManifestsBody):
    """The version that a declarative definition is to use."""

    java = "UpdateActiveManifestRequestBody"

    version: int


class ProjectDetailsBody(Body):
    """A project of the connector builder."""

    java = "ConnectorBuilderProjectDetails"

    name: str
    draft_manifest: JsonObject | None = None


class NewProjectBody(WorkspaceIdBody):
    """A new project."""

    java = "ConnectorBuilderProjectWithWorkspaceId"

    builder_project: ProjectDetailsBody


class ProjectBody(WorkspaceIdBody):
    """Names a project, and maybe a version of its manifest."""

    java = "ConnectorBuilderProjectIdWithWorkspaceId"

    builder_project_id: Id
    version: int | None = None


class ProjectUpdateBody(ProjectBody):
    """A project's new name and draft."""

    java = "ExistingConnectorBuilderProjectWithWorkspaceId"

    builder_project: ProjectDetailsBody


class PublishBody(ProjectBody):
    """The first manifest of a project's definition."""

    java = "ConnectorBuilderPublishRequestBody"

    name: str
    initial_declarative_manifest: ManifestBody


class BuilderDefinitionBody(WorkspaceIdBody):
    """Names a definition whose project to find."""

    java = "BuilderProjectForDefinitionRequestBody"

    actor_definition_id: Id


class BuilderTestingBody(ProjectBody, SpecifiedBody):
    """What to try a project with."""

    java = "ConnectorBuilderProjectTestingValuesUpdate"

    testing_values: JsonObject


class SlackBody(Body):
    """Where a notification is sent."""

    java = "SlackNotificationConfiguration"

    webhook: str


class NotificationItemBody(Body):
    """How one kind of event is reported."""

    java = "NotificationItem"

    notification_type: Annotated[
        tuple[Annotated[Literal["slack", "customerio"], AnyCase, JavaEnum("NotificationType")], ...] | None, Many
    ] = None
    slack_configuration: SlackBody | None = None


class NotificationSettingsBody(Body):
    """How events are reported."""

    java = "NotificationSettings"

    send_on_success: NotificationItemBody | None = None
    send_on_failure: NotificationItemBody | None = None
    send_on_sync_disabled: NotificationItemBody | None = None
    send_on_sync_disabled_warning: NotificationItemBody | None = None
    send_on_connection_update: NotificationItemBody | None = None
    send_on_connection_update_action_required: NotificationItemBody | None = None


class WorkspaceMembersBody(Body):
    """What a workspace can be created with and what can be changed of it; null leaves a member unchanged."""

    name: str | None = None
    email: str | None = None
    anonymous_data_collection: bool | None = None
    news: bool | None = None
    security_updates: bool | None = None
    display_setup_wizard: bool | None = None
    initial_setup_complete: bool | None = None
    dataplane_group_id: Id | None = None
    notification_settings: NotificationSettingsBody | None = None


class WorkspaceCreateBody(WorkspaceMembersBody):
    """A new workspace."""

    java = "WorkspaceCreate"

    name: str
    organization_id: Id | None = None


class WorkspaceIdCreateBody(WorkspaceCreateBody):
    """A new workspace with an id of the caller's."""

    java = "WorkspaceCreateWithId"

    id: Id


class WorkspaceUpdateBody(WorkspaceMembersBody, WorkspaceIdBody):
    """Changes of a workspace."""

    java = "WorkspaceUpdate"


class WorkspaceNameBody(WorkspaceIdBody):
    """A workspace's new name."""

    java = "WorkspaceUpdateName"

    name: str


class SlugBody(Body):
    """Names a workspace by its slug."""

    java = "SlugRequestBody"

    slug: str


class OrganizationWorkspacesBody(Body):
    """Names an organization and a page of its workspaces."""

    java = "ListWorkspacesInOrganizationRequestBody"

    organization_id: Id
    pagination: PageBody | None = None
    name_contains: str | None = None


class UserWorkspacesBody(Body):
    """Names a user and a page of the workspaces that they see."""

    java = "ListWorkspacesByUserRequestBody"

    user_id: Id
    pagination: PageBody | None = None
    name_contains: str | None = None


class TagUpdateBody(WorkspaceIdBody):
    """A tag's new name and color."""

    java = "TagUpdateRequestBody"

    tag_id: Id
    name: str
    color: str


class TagDeleteBody(WorkspaceIdBody):
    """Names a tag."""

    java = "TagDeleteRequestBody"

    tag_id: Id


class OrganizationIdBody(Body):
    """Names an organization."""

    java = "OrganizationIdRequestBody"

    organization_id: Id


class OrganizationUpdateBody(OrganizationIdBody):
    """An organization's new name and address."""

    java = "OrganizationUpdateRequestBody"

    organization_name: str | None = None
    email: str | None = None


class ApplicationIdBody(Body):
    """Names an application."""

    java = "ApplicationIdRequestBody"

    application_id: str


class UserIdBody(Body):
    """Names a user."""

    java = "UserIdRequestBody"

    user_id: Id


class UserOrganizationsBody(UserIdBody):
    """Names a user and a page of the organizations that they see."""

    java = "ListOrganizationsByUserRequestBody"

    pagination: PageBody | None = None
    name_contains: str | None = None


class AuthUserBody(Body):
    """Names a user by the subject of a token."""

    java = "UserAuthIdRequestBody"

    auth_user_id: str


class UserEmailBody(Body):
    """Names a user by their address."""

    java = "UserEmailRequestBody"

    email: str


class UserUpdateBody(UserIdBody):
    """A user's new name and default workspace."""

    java = "UserUpdate"

    name: str | None = None
    default_workspace_id: Id | None = None


PermissionKind = Annotated[PermissionType, AnyCase, JavaEnum("PermissionType")]


class PermissionCreateBody(UserIdBody):
    """A new permission of a user."""

    java = "PermissionCreate"

    permission_type: PermissionKind
    workspace_id: Id | None = None
    organization_id: Id | None = None


class PermissionIdBody(Body):
    """Names a permission."""

    java = "PermissionIdRequestBody"

    permission_id: Id


class PermissionUpdateBody(PermissionIdBody):
    """A permission's new type."""

    java = "PermissionUpdate"

    permission_type: PermissionKind | None = None


def of_kind(model: type[B], kind: ActorKind) -> type[B]:
    """The body for one kind of actor: its names have `source` or `destination` instead of `actor`."""

    def alias(name: str) -> str:
        return to_camel(name.replace("actor", kind, 1))

    made = create_model(model.__name__, __base__=model, __cls_kwargs__={"alias_generator": alias})
    made.java = model.java.replace("Actor", kind.capitalize())
    return made
