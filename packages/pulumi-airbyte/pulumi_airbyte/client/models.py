"""Airbyte's answers as frozen models, named after the OpenAPI documents. Unused fields are dropped."""

import threading
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pulumi_airbyte.client.errors import ServerError
from pulumi_airbyte.values import JsonValue

ActorKind = Literal["source", "destination"]
DefinitionKind = Literal["source", "destination", "declarative_source"]
"""Kinds of connectors of a workspace's own: an image of either kind, or a manifest."""
FINISHED: Final = frozenset({"succeeded", "failed", "cancelled"})
"""Final statuses of a job. `incomplete` is none: the server may retry the job."""


class Wire(BaseModel):
    """Base of all models: frozen, ignoring fields of later server versions. `build_models` builds them."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class Actor(Wire):
    """A source or a destination (SourceResponse, DestinationResponse). A null configuration means deleted."""

    actor_id: str
    name: str
    definition_id: str = Field(alias="definitionId")
    workspace_id: str = Field(alias="workspaceId")
    configuration: dict[str, Any] | None = None
    created_at: int = Field(default=0, alias="createdAt")
    resource_allocation: dict[str, Any] | None = Field(default=None, alias="resourceAllocation")
    connector_type: str = ""


class Stream(Wire):
    """A configured stream of a connection (StreamConfiguration)."""

    name: str
    namespace: str | None = None
    sync_mode: str | None = Field(default=None, alias="syncMode")
    cursor_field: list[str] = Field(default_factory=list, alias="cursorField")
    primary_key: list[list[str]] = Field(default_factory=list, alias="primaryKey")
    selected_fields: list[dict[str, Any]] = Field(default_factory=list, alias="selectedFields")
    mappers: list[dict[str, Any]] = Field(default_factory=list)
    include_files: bool = Field(default=False, alias="includeFiles")
    destination_object_name: str | None = Field(default=None, alias="destinationObjectName")


class Streams(Wire):
    """The streams of a connection (StreamConfigurations)."""

    streams: list[Stream] = Field(default_factory=list)


class Schedule(Wire):
    """When a connection syncs (ConnectionScheduleResponse); `basic` can be read but not written by the public API."""

    schedule_type: str = Field(alias="scheduleType")
    cron_expression: str | None = Field(default=None, alias="cronExpression")
    basic_timing: str | None = Field(default=None, alias="basicTiming")


class Tag(Wire):
    """A workspace's tag."""

    tag_id: str = Field(alias="tagId")
    name: str
    color: str
    workspace_id: str = Field(alias="workspaceId")


class Connection(Wire):
    """A connection (ConnectionResponse). The status `deprecated` means deleted."""

    connection_id: str = Field(alias="connectionId")
    name: str
    source_id: str = Field(alias="sourceId")
    destination_id: str = Field(alias="destinationId")
    workspace_id: str = Field(default="", alias="workspaceId")
    status: str = "active"
    schedule: Schedule = Field(default_factory=lambda: Schedule(schedule_type="manual"))
    configurations: Streams = Field(default_factory=Streams)
    namespace_definition: str = Field(default="destination", alias="namespaceDefinition")
    namespace_format: str | None = Field(default=None, alias="namespaceFormat")
    prefix: str = ""
    non_breaking_schema_updates_behavior: str = Field(default="ignore", alias="nonBreakingSchemaUpdatesBehavior")
    created_at: int = Field(default=0, alias="createdAt")
    tags: list[Tag] = Field(default_factory=list)


class Workspace(Wire):
    """A workspace (WorkspaceResponse)."""

    workspace_id: str = Field(alias="workspaceId")
    name: str
    data_residency: str = Field(default="auto", alias="dataResidency")
    notifications: dict[str, Any] = Field(default_factory=dict)


class WorkspacePlace(Wire):
    """Where a workspace is, which the public API does not show (part of WorkspaceRead)."""

    organization_id: str = Field(default="", alias="organizationId")
    region_id: str = Field(default="", alias="dataplaneGroupId")


class Definition(Wire):
    """A connector of a workspace's own (DefinitionResponse, DeclarativeSourceDefinitionResponse).

    It has an image, or a manifest.
    """

    definition_id: str = Field(alias="id")
    workspace_id: str = Field(alias="workspaceId")
    name: str
    docker_repository: str | None = Field(default=None, alias="dockerRepository")
    docker_image_tag: str | None = Field(default=None, alias="dockerImageTag")
    documentation_url: str | None = Field(default=None, alias="documentationUrl")
    manifest: dict[str, Any] | None = None
    version: int | None = None


class Organization(Wire):
    """An organization (OrganizationResponse)."""

    organization_id: str = Field(alias="organizationId")
    name: str = Field(alias="organizationName")
    email: str = ""


class User(Wire):
    """A user of an organization (UserResponse)."""

    user_id: str = Field(alias="id")
    name: str
    email: str


class Group(Wire):
    """A group of users (GroupResponse)."""

    group_id: str = Field(alias="groupId")
    name: str
    organization_id: str = Field(alias="organizationId")
    description: str | None = None
    member_count: int = Field(default=0, alias="memberCount")


class GroupMember(Wire):
    """A user of a group (GroupMemberResponse)."""

    user_id: str = Field(alias="userId")
    name: str = Field(alias="userName")
    email: str = Field(alias="userEmail")


class Permission(Wire):
    """What a user or a group may do (PermissionResponse, PermissionResponseRead, GroupPermissionResponse).

    A list of a user's permissions has `scope` and `scope_id`, any other answer the workspace or the organization.
    """

    permission_id: str = Field(alias="permissionId")
    permission_type: str = Field(alias="permissionType")
    user_id: str | None = Field(default=None, alias="userId")
    group_id: str | None = Field(default=None, alias="groupId")
    workspace_id: str | None = Field(default=None, alias="workspaceId")
    organization_id: str | None = Field(default=None, alias="organizationId")
    scope: str | None = None
    scope_id: str | None = Field(default=None, alias="scopeId")

    @property
    def workspace(self) -> str | None:
        """The id of the workspace that it is for; None for an organization or the whole server."""
        return self.scope_id if self.scope == "workspace" else self.workspace_id

    @property
    def organization(self) -> str | None:
        """The id of the organization that it is for; None for a workspace or the whole server."""
        return self.scope_id if self.scope == "organization" else self.organization_id


class ConnectorDefinition(Wire):
    """A connector of the server (`GET /connector_definitions`); `version` is its image tag."""

    definition_id: str = Field(alias="id")
    name: str
    kind: ActorKind = Field(alias="connectorDefinitionType")
    version: str = ""


class StreamProperties(Wire):
    """A stream that a source offers (`GET /streams`)."""

    stream_name: str = Field(alias="streamName")
    namespace: str | None = Field(default=None, alias="streamnamespace")
    sync_modes: list[str] = Field(default_factory=list, alias="syncModes")
    default_cursor_field: list[str] = Field(default_factory=list, alias="defaultCursorField")
    source_defined_cursor: bool = Field(default=False, alias="sourceDefinedCursorField")
    source_defined_primary_key: list[list[str]] = Field(default_factory=list, alias="sourceDefinedPrimaryKey")
    property_fields: list[list[str]] = Field(default_factory=list, alias="propertyFields")


class Instance(Wire):
    """A server (InstanceConfigurationResponse)."""

    version: str
    edition: str


class Specification(Wire):
    """A connector's JSON Schema (SourceDefinitionSpecificationRead, DestinationDefinitionSpecificationRead)."""

    connection_specification: dict[str, Any] = Field(alias="connectionSpecification")
    destination_sync_modes: list[str] = Field(default_factory=list, alias="supportedDestinationSyncModes")


class Job(Wire):
    """A job of a connection (JobResponse). Counts and the end time are absent while it runs."""

    job_id: int = Field(alias="jobId")
    status: str
    job_type: str = Field(alias="jobType")
    connection_id: str = Field(alias="connectionId")
    started: datetime | None = Field(default=None, alias="startTime")
    ended: datetime | None = Field(default=None, alias="lastUpdatedAt")
    duration: timedelta | None = None
    bytes_synced: int | None = Field(default=None, alias="bytesSynced")
    rows_synced: int | None = Field(default=None, alias="rowsSynced")

    @property
    def finished(self) -> bool:
        """Whether its status is final."""
        return self.status in FINISHED


class Failure(Wire):
    """A failure (FailureReason): a message for users, or else the connector's internal one."""

    external_message: str = Field(default="", alias="externalMessage")
    internal_message: str = Field(default="", alias="internalMessage")

    @property
    def text(self) -> str:
        """The raw message. Remove secrets before joining its lines."""
        return self.external_message or self.internal_message


class FailureSummary(Wire):
    """The failures of an attempt (AttemptFailureSummary), the first one first."""

    failures: list[Failure] = Field(default_factory=list)


class Attempt(Wire):
    """One attempt of a job (AttemptRead)."""

    failure_summary: FailureSummary = Field(default=FailureSummary(), alias="failureSummary")


class AttemptInfo(Wire):
    """An attempt as a job lists it (AttemptInfoRead)."""

    attempt: Attempt


class JobAttempts(Wire):
    """A job's attempts, the oldest first (JobInfoRead)."""

    attempts: list[AttemptInfo] = Field(default_factory=list)

    @property
    def reason(self) -> str:
        """The message of the last attempt that has one; empty without one."""
        failures = [failure for info in self.attempts for failure in info.attempt.failure_summary.failures[:1]]
        return failures[-1].text if failures else ""


class DiscoveredStream(Wire):
    """A discovered stream (AirbyteStream)."""

    name: str
    namespace: str | None = None
    json_schema: dict[str, Any] = Field(default_factory=dict, alias="jsonSchema")
    supported_sync_modes: list[str] = Field(default_factory=list, alias="supportedSyncModes")
    source_defined_cursor: bool = Field(default=False, alias="sourceDefinedCursor")
    default_cursor_field: list[str] = Field(default_factory=list, alias="defaultCursorField")
    source_defined_primary_key: list[list[str]] = Field(default_factory=list, alias="sourceDefinedPrimaryKey")


class DiscoveredEntry(Wire):
    """A discovered stream, without Airbyte's suggested configuration (AirbyteStreamAndConfiguration)."""

    stream: DiscoveredStream


class DiscoveredCatalog(Wire):
    """All discovered streams of a source (AirbyteCatalog)."""

    streams: list[DiscoveredEntry] = Field(default_factory=list)


class ConnectorJob(Wire):
    """The result of running a connector on demand (SynchronousJobRead)."""

    succeeded: bool
    failure: Failure = Field(default_factory=Failure, alias="failureReason")


class DiscoveryAnswer(Wire):
    """The result of a discovery (SourceDiscoverSchemaRead). The catalog is missing if the connector failed."""

    catalog: DiscoveredCatalog = Field(default_factory=DiscoveredCatalog)
    job: ConnectorJob = Field(alias="jobInfo")


class ConnectionCheck(Wire):
    """The result of a connection check (CheckConnectionRead)."""

    status: str
    message: str = ""
    job: ConnectorJob = Field(alias="jobInfo")


Parsed = TypeVar("Parsed")
_BUILDING: Final = threading.Lock()


def build_models() -> None:
    """Build the validators of all models, once. The first call needs them, and the start of a process does not.

    Pydantic would build each on its first use, but two threads must not do that at the same time.
    """
    with _BUILDING:
        waiting: list[type[Wire]] = [Wire]
        while waiting:
            model = waiting.pop()
            model.model_rebuild()
            waiting.extend(model.__subclasses__())


def parse(kind: type[Parsed], body: JsonValue, what: str) -> Parsed:
    """Parse an answer.

    Raises:
        ServerError: the answer has an unexpected shape. The message names fields, never values.
    """
    try:
        return TypeAdapter(kind).validate_python(body)
    except ValidationError as error:
        fields = ", ".join(".".join(str(part) for part in item["loc"]) or "the body" for item in error.errors()[:5])
        hint = "Check that serverUrl is Airbyte's public API and that the server is 1.2 or later."
        raise ServerError(
            f"Airbyte's answer has an unexpected shape when asked to {what}: see {fields}", hint
        ) from None


def parse_actor(kind: ActorKind, body: JsonValue, what: str) -> Actor:
    """Parse a source or destination; the names of its id and type contain its kind."""
    if isinstance(body, dict):
        renamed = {"actor_id": body.get(f"{kind}Id"), "connector_type": body.get(f"{kind}Type") or ""}
        return parse(Actor, {**body, **renamed}, what)
    return parse(Actor, body, what)
