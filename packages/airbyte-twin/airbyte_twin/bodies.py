"""Request bodies of the public API, as frozen models."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from airbyte_twin.body import AnyCase, Body, Id, Many, Names
from airbyte_twin.documents import JsonObject
from airbyte_twin.json_mapper import JavaEnum
from airbyte_twin.records import (
    ActorKind,
    ConnectionStatus,
    NamespaceDefinition,
    NonBreakingPolicy,
    PermissionType,
    PublicPermissionType,
)
from airbyte_twin.sync_modes import CombinedMode


class ResourceRequirementsBody(BaseModel):
    """CPU and memory, in Kubernetes' spelling."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cpu_request: str | None = None
    cpu_limit: str | None = None
    memory_request: str | None = None
    memory_limit: str | None = None
    ephemeral_storage_request: str | None = None
    ephemeral_storage_limit: str | None = None


class JobResources(Body):
    """Resources of one type of job."""

    java = "JobTypeResourceLimit"

    job_type: Annotated[
        Literal[
            "get_spec",
            "check_connection",
            "discover_schema",
            "sync",
            "reset_connection",
            "connection_updater",
            "replicate",
        ],
        AnyCase,
        JavaEnum("JobType"),
    ]
    resource_requirements: ResourceRequirementsBody


class ResourceAllocation(Body):
    """Resources of an actor's jobs."""

    java = "ScopedResourceRequirements"

    default: ResourceRequirementsBody | None = None
    job_specific: Annotated[tuple[JobResources, ...], Many] = ()

    def document(self) -> JsonObject:
        """The stored document."""
        dumped: JsonObject = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return dumped


class ActorCreate(Body):
    """POST of a source or destination."""

    name: str
    workspace_id: Id
    definition_id: Id | None = None
    configuration: JsonValue
    secret_id: str | None = None
    resource_allocation: ResourceAllocation | None = None


class ActorPut(Body):
    """PUT of a source or destination."""

    name: str
    configuration: JsonValue
    resource_allocation: ResourceAllocation | None = None


class ActorPatch(Body):
    """PATCH of a source or destination."""

    name: str | None = None
    configuration: JsonValue = None
    secret_id: str | None = None
    resource_allocation: ResourceAllocation | None = None


class SelectedField(Body):
    """One column of a stream."""

    java = "SelectedFieldInfo"

    field_path: Names | None = None


class MapperBody(Body):
    """One mapper of a stream."""

    java = "ConfiguredStreamMapper"

    id: Id | None = None
    type: Annotated[
        Literal["hashing", "field-renaming", "row-filtering", "encryption", "field-filtering"],
        AnyCase,
        JavaEnum("StreamMapperType"),
    ]
    mapper_configuration: JsonObject


class StreamBody(Body):
    """One stream of a connection."""

    java = "StreamConfiguration"

    name: str
    namespace: str | None = None
    sync_mode: Annotated[CombinedMode | None, AnyCase, JavaEnum("ConnectionSyncModeEnum")] = None
    cursor_field: Names | None = None
    primary_key: Annotated[tuple[Names, ...] | None, Many] = None
    include_files: bool | None = None
    destination_object_name: str | None = None
    selected_fields: Annotated[tuple[SelectedField, ...] | None, Many] = None
    mappers: Annotated[tuple[MapperBody, ...] | None, Many] = None


class StreamsBody(Body):
    """`configurations` of a connection."""

    java = "StreamConfigurations"

    streams: Annotated[tuple[StreamBody, ...] | None, Many] = None


class ScheduleBody(Body):
    """A schedule, in the public API, whose enum lacks `basic`."""

    java = "AirbyteApiConnectionSchedule"

    schedule_type: Annotated[Literal["cron", "manual"], AnyCase, JavaEnum("ScheduleTypeEnum")]
    cron_expression: str | None = None


class TagBody(Body):
    """A tag of a connection, with all members required."""

    java = "Tag"

    tag_id: Id
    workspace_id: Id
    name: str
    color: str


class ConnectionPatch(Body):
    """PATCH of a connection."""

    java = "ConnectionPatchRequest"

    name: str | None = None
    configurations: StreamsBody | None = None
    schedule: ScheduleBody | None = None
    namespace_definition: Annotated[NamespaceDefinition | None, AnyCase, JavaEnum("NamespaceDefinitionEnum")] = None
    namespace_format: str | None = None
    prefix: str | None = None
    non_breaking_schema_updates_behavior: Annotated[
        NonBreakingPolicy | None, AnyCase, JavaEnum("NonBreakingSchemaUpdatesBehaviorEnum")
    ] = None
    status: Annotated[ConnectionStatus | None, AnyCase, JavaEnum("ConnectionStatusEnum")] = None
    tags: Annotated[tuple[TagBody, ...] | None, Many] = None


class ConnectionCreate(ConnectionPatch):
    """POST of a connection."""

    java = "ConnectionCreateRequest"

    source_id: Id
    destination_id: Id


class JobCreate(Body):
    """POST of a job."""

    java = "JobCreateRequest"

    connection_id: Id
    job_type: Annotated[Literal["sync", "reset", "refresh", "clear"], AnyCase, JavaEnum("JobTypeEnum")]


class EmailNotification(Body):
    """Notification by mail."""

    enabled: bool | None = None


class WebhookNotification(Body):
    """Notification by webhook."""

    enabled: bool | None = None
    url: str | None = None


class Notification(Body):
    """Notification settings of one kind of event."""

    email: EmailNotification | None = None
    webhook: WebhookNotification | None = None


class Notifications(Body):
    """Notifications of a workspace, by event."""

    failure: Notification | None = None
    success: Notification | None = None
    connection_update: Notification | None = None
    connection_update_action_required: Notification | None = None
    sync_disabled: Notification | None = None
    sync_disabled_warning: Notification | None = None


class WorkspacePatch(Body):
    """PATCH of a workspace."""

    java = "WorkspaceUpdateRequest"

    name: str | None = None
    region_id: Id | None = None
    notifications: Notifications | None = None


class WorkspaceCreate(Body):
    """POST of a workspace; `organizationId` has no effect on a self-managed server."""

    java = "WorkspaceCreateRequest"

    name: str
    organization_id: Id | None = None
    region_id: Id | None = None
    notifications: Notifications | None = None


class TagPatch(Body):
    """PATCH of a tag: both members are required."""

    java = "TagPatchRequest"

    name: str
    color: str


class TagCreate(TagPatch):
    """POST of a tag."""

    java = "TagCreateRequest"

    workspace_id: Id


class ApplicationCreate(Body):
    """POST of an application."""

    java = "ApplicationCreate"

    name: str


class DefinitionCreate(Body):
    """POST of a docker definition."""

    java = "CreateDefinitionRequest"

    name: str
    docker_repository: str
    docker_image_tag: str
    documentation_url: str | None = None


class DefinitionPut(Body):
    """PUT of a docker definition."""

    java = "UpdateDefinitionRequest"

    name: str
    docker_image_tag: str


class ManifestCreate(Body):
    """POST of a declarative definition."""

    java = "CreateDeclarativeSourceDefinitionRequest"

    name: str
    manifest: JsonObject


class ManifestPut(Body):
    """PUT of a declarative definition."""

    java = "UpdateDeclarativeSourceDefinitionRequest"

    manifest: JsonObject


class PermissionCreate(Body):
    """POST of a user's permission."""

    java = "PermissionCreateRequest"

    permission_type: Annotated[PublicPermissionType, AnyCase, JavaEnum("PublicPermissionType")]
    user_id: Id
    workspace_id: Id | None = None
    organization_id: Id | None = None


class PermissionPatch(Body):
    """PATCH of a permission."""

    java = "PermissionUpdateRequest"

    permission_type: Annotated[PermissionType, AnyCase, JavaEnum("PermissionType")]


class GroupCreate(Body):
    """POST of a group."""

    java = "GroupCreateRequest"

    name: str
    description: str | None = None
    organization_id: Id


class GroupPatch(Body):
    """PATCH of a group."""

    java = "GroupUpdateRequest"

    name: str | None = None
    description: str | None = None


class MemberAdd(Body):
    """POST of a user into a group."""

    java = "GroupMemberAddRequest"

    user_id: Id


class GroupPermissionCreate(Body):
    """POST of a group's permission."""

    java = "GroupPermissionCreateRequest"

    permission_type: Annotated[PermissionType, AnyCase, JavaEnum("PermissionType")]
    workspace_id: Id | None = None
    organization_id: Id | None = None


class RegionCreate(Body):
    """POST of a region."""

    java = "RegionCreateRequest"

    name: str
    organization_id: Id
    enabled: bool | None = None


class RegionPatch(Body):
    """PATCH of a region."""

    java = "RegionPatchRequest"

    name: str | None = None
    enabled: bool | None = None


class DataplaneCreate(Body):
    """POST of a dataplane."""

    java = "DataplaneCreateRequest"

    region_id: Id
    name: str
    enabled: bool | None = None


class DataplanePatch(Body):
    """PATCH of a dataplane."""

    java = "DataplanePatchRequest"

    name: str | None = None
    enabled: bool | None = None


class OAuthCredentialsPut(Body):
    """PUT of the credentials of a workspace or an organization."""

    java = "OAuthCredentialsRequest"

    actor_type: Annotated[Literal[ActorKind.SOURCE, ActorKind.DESTINATION], AnyCase, JavaEnum("ActorTypeEnum")]
    name: str
    configuration: JsonObject


class OAuthStart(Body):
    """POST of an OAuth flow; `name` is the older name of `source_type`."""

    java = "InitiateOauthRequest"

    name: str | None = None
    source_type: str | None = None
    redirect_url: str
    workspace_id: Id


class WidgetOrder(Body):
    """POST of a token for a widget."""

    java = "EmbeddedWidgetRequest"

    allowed_origin: str
    external_user_id: str
    organization_id: Id


class ScopedTokenOrder(Body):
    """POST of a token for one workspace."""

    java = "EmbeddedScopedTokenRequest"

    workspace_id: Id
