"""The stored objects: one frozen record for each kind."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from airbyte_twin.documents import JsonObject

FieldPath = tuple[str, ...]
PrimaryKey = tuple[FieldPath, ...]
SyncMode = Literal["full_refresh", "incremental"]
DestinationSyncMode = Literal["append", "overwrite", "append_dedup", "overwrite_dedup", "update", "soft_delete"]
ConnectionStatus = Literal["active", "inactive", "deprecated", "locked"]
NamespaceDefinition = Literal["source", "destination", "custom_format"]
NonBreakingPolicy = Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"]
JobStatus = Literal["pending", "queued", "running", "incomplete", "failed", "succeeded", "cancelled"]
JobType = Literal["sync", "reset", "refresh"]
StateType = Literal["not_set", "stream", "global", "legacy"]
FailureOrigin = Literal["source", "destination", "airbyte_platform"]
RefreshMode = Literal["truncate", "merge"]
TimeUnit = Literal["minutes", "hours", "days", "weeks", "months"]
PublicPermissionType = Literal[
    "organization_admin",
    "organization_editor",
    "organization_runner",
    "organization_reader",
    "organization_member",
    "workspace_admin",
    "workspace_editor",
    "workspace_runner",
    "workspace_reader",
]
PermissionType = Literal[PublicPermissionType, "instance_admin", "workspace_owner"]

DEFAULT_ID = "00000000-0000-0000-0000-000000000000"
"""Of the organization and of the user that every self-managed Airbyte starts with."""

TERMINAL_STATUSES: frozenset[str] = frozenset({"failed", "succeeded", "cancelled"})


class ActorKind(StrEnum):
    """Sources and destinations share everything but their names."""

    SOURCE = "source"
    DESTINATION = "destination"


class Record(BaseModel):
    """Base of all records: frozen, and without unknown members in a saved state."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Organization(Record):
    """Owns workspaces, groups and regions."""

    id: str
    name: str
    email: str


class User(Record):
    """A person, who belongs to the organizations that a permission names."""

    id: str
    name: str
    email: str
    default_workspace_id: str | None = None


class Group(Record):
    """Users of an organization with common permissions."""

    id: str
    name: str
    description: str | None = None
    organization_id: str


class Membership(Record):
    """A user in a group."""

    id: str
    group_id: str
    user_id: str


class Permission(Record):
    """A role of a user or of a group, in a workspace, in an organization, or (an instance admin's) everywhere."""

    id: str
    type: PermissionType
    user_id: str | None = None
    group_id: str | None = None
    workspace_id: str | None = None
    organization_id: str | None = None


class Region(Record):
    """Where the jobs of workspaces run; Airbyte's database calls it a dataplane group."""

    id: str
    name: str
    organization_id: str
    enabled: bool = True
    created_at: int
    updated_at: int
    deleted: bool = False


class Dataplane(Record):
    """One cluster of a region."""

    id: str
    name: str
    region_id: str
    enabled: bool = True
    created_at: int
    updated_at: int
    deleted: bool = False


class Workspace(Record):
    """A workspace; `notifications` is complete, in the public API's shape; no `region_id` is the default region.

    Only the Config API has `settings`.
    """

    id: str
    name: str
    notifications: JsonObject
    created_at: int
    deleted: bool = False
    settings: JsonObject = {}
    organization_id: str = DEFAULT_ID
    region_id: str | None = None


class Definition(Record):
    """A connector that actors may use: one of the registry's, or one that a caller defined.

    `manifest_spec` is the specification that was sent beside a manifest.
    """

    id: str
    kind: ActorKind
    name: str
    docker_repository: str
    docker_image_tag: str
    documentation_url: str | None = None
    workspace_id: str | None = None
    manifest: JsonObject | None = None
    manifest_version: int = 1
    manifest_spec: JsonObject | None = None
    resource_requirements: JsonObject | None = None
    deleted: bool = False

    @property
    def declarative(self) -> bool:
        """Whether it has a manifest instead of a docker image."""
        return self.manifest is not None


class ManifestVersion(Record):
    """One version of a declarative definition; `id` is `<definition id>:<version>`."""

    id: str
    definition_id: str
    version: int
    description: str
    manifest: JsonObject
    spec: JsonObject | None = None


class BuilderProject(Record):
    """A project of the connector builder, with or without a draft; published, it has a definition."""

    id: str
    workspace_id: str
    name: str
    updated_at: int
    draft: JsonObject | None = None
    definition_id: str | None = None
    testing_values: JsonObject | None = None


class Operation(Record):
    """What is done after a sync; `webhook` is that of a webhook."""

    id: str
    workspace_id: str
    name: str
    type: Literal["normalization", "dbt", "webhook"]
    webhook: JsonObject | None = None
    deleted: bool = False


class Actor(Record):
    """A source or a destination.

    `configuration` holds `{"_secret": "<coordinate>"}` where a secret was; it is None once the actor is deleted.
    `catalog_id` names the schema that the outside system has now, when it is not the connector's own.
    """

    id: str
    kind: ActorKind
    name: str
    definition_id: str
    workspace_id: str
    configuration: JsonObject | None
    resource_allocation: JsonObject | None = None
    created_at: int
    deleted: bool = False
    catalog_id: str | None = None


class DiscoveredStream(Record):
    """A stream as a source offers it."""

    name: str
    namespace: str | None = None
    json_schema: JsonObject
    supported_sync_modes: tuple[SyncMode, ...]
    source_defined_cursor: bool = False
    default_cursor_field: FieldPath = ()
    source_defined_primary_key: PrimaryKey = ()
    is_resumable: bool | None = None
    is_file_based: bool | None = None


class Description(Record):
    """What an image says of itself when it runs, in the spelling of `registry.Connector`."""

    kind: ActorKind
    spec: JsonObject
    streams: tuple[DiscoveredStream, ...] | None = None
    supported_destination_sync_modes: tuple[DestinationSyncMode, ...] = ()
    suggested_streams: tuple[str, ...] = ()
    supports_refreshes: bool = False
    supports_files: bool = False


class Image(Record):
    """An image of a test's own; `id` is its docker repository."""

    id: str
    description: Description


class Catalog(Record):
    """All streams of a source at one discovery."""

    id: str
    streams: tuple[DiscoveredStream, ...]


class Discovery(Record):
    """Which catalog a source's last discovery found, and for which configuration."""

    id: str
    cache_key: str
    catalog_id: str


class Mapper(Record):
    """A transformation of a stream; secret leaves are `{"_secret": "<coordinate>"}`."""

    id: str
    type: str
    configuration: JsonObject


class SelectedStream(Record):
    """A stream as a connection syncs it; `selected_fields` are top-level names, None means all."""

    name: str
    namespace: str | None = None
    sync_mode: SyncMode
    destination_sync_mode: DestinationSyncMode
    cursor_field: FieldPath | None = None
    primary_key: PrimaryKey | None = None
    selected_fields: tuple[str, ...] | None = None
    mappers: tuple[Mapper, ...] = ()
    include_files: bool = False
    destination_object_name: str | None = None

    @property
    def key(self) -> tuple[str | None, str]:
        """The identity of the stream within a source: namespace and name."""
        return (self.namespace, self.name)


class Schedule(Record):
    """When a connection syncs; the members of the other kinds are None."""

    kind: Literal["manual", "basic", "cron"] = "manual"
    cron_expression: str | None = None
    cron_time_zone: str | None = None
    time_unit: TimeUnit | None = None
    units: int | None = None


class Connection(Record):
    """A connection; `catalog_id` is the discovery that its streams were configured against."""

    id: str
    name: str
    source_id: str
    destination_id: str
    workspace_id: str
    status: ConnectionStatus = "active"
    schedule: Schedule = Schedule()
    streams: tuple[SelectedStream, ...]
    catalog_id: str
    namespace_definition: NamespaceDefinition = "destination"
    namespace_format: str | None = None
    prefix: str = ""
    non_breaking_policy: NonBreakingPolicy = "ignore"
    tag_ids: tuple[str, ...] = ()
    created_at: int
    notify_schema_changes: bool = False
    notify_schema_changes_by_email: bool = False
    backfill_preference: Literal["enabled", "disabled"] | None = None
    breaking_change: bool = False
    resource_requirements: JsonObject | None = None
    operation_ids: tuple[str, ...] = ()


class Tag(Record):
    """A label of connections; `color` is six hex digits."""

    id: str
    name: str
    color: str
    workspace_id: str


class JobFailure(Record):
    """Why a job failed: `message` is for users, `internal` for developers of the connector."""

    origin: FailureOrigin
    message: str
    internal: str | None = None


class StreamCount(Record):
    """What a job has written of one stream."""

    name: str
    namespace: str | None = None
    rows: int
    bytes: int


class Job(Record):
    """A run; `streams` are those that a clear or a refresh was to read again, None for all. Times are whole seconds.

    `enabled_streams` are those that a sync or refresh reads, `stream_counts` what it has written of them.
    `refresh_mode` is that of a refresh.
    """

    id: str
    connection_id: str
    type: JobType
    status: JobStatus = "pending"
    created_at: int
    updated_at: int
    started_at: int | None = None
    streams: tuple[tuple[str | None, str], ...] | None = None
    bytes_synced: int | None = None
    rows_synced: int | None = None
    enabled_streams: tuple[tuple[str | None, str], ...] | None = None
    stream_counts: tuple[StreamCount, ...] = ()
    refresh_mode: RefreshMode | None = None
    failure: JobFailure | None = None

    @property
    def finished(self) -> bool:
        """Whether it can change no more."""
        return self.status in TERMINAL_STATUSES


class StreamState(Record):
    """The cursor of one stream, as its connector wrote it."""

    name: str
    namespace: str | None = None
    blob: JsonObject | None = None


class ConnectionState(Record):
    """All cursors of a connection; `id` is the connection's."""

    id: str
    type: StateType = "not_set"
    streams: tuple[StreamState, ...] = ()
    shared: JsonObject | None = None
    legacy: JsonObject | None = None


class Application(Record):
    """A pair of client credentials."""

    id: str
    name: str
    client_id: str
    client_secret: str
    created_at: int


class OAuthCredentials(Record):
    """A workspace's or organization's own client for a connector's OAuth; `secret_id` has its configuration."""

    id: str
    kind: ActorKind
    definition_id: str
    workspace_id: str | None = None
    organization_id: str | None = None
    secret_id: str


class Secret(Record):
    """A secret's value; `id` is its versioned coordinate."""

    id: str
    value: str


class Temper(Record):
    """How an actor's connector behaves when it is run; `id` is the actor's."""

    id: str
    check_failure: str | None = None
    discover_failure: str | None = None
    discover_seconds: float = Field(default=0, ge=0)
    read_failure: str | None = None
    read_failure_after: int = Field(default=0, ge=0)


class Epoch(Record):
    """The changes in a synthesized system up to one of its syncs; `ends_at` is milliseconds since 1970."""

    ends_at: int
    rows: int


class Outside(Record):
    """The epochs of the synthesized system behind a source.

    `id` is the source's, `since` is where the first epoch starts, in milliseconds since 1970.
    """

    id: str
    since: int
    epochs: tuple[Epoch, ...]


class StreamGeneration(Record):
    """Which generation of a stream is the last that was begun."""

    name: str
    namespace: str | None = None
    generation_id: int


class Generations(Record):
    """The generations of a connection's streams that are not at their first; `id` is the connection's."""

    id: str
    streams: tuple[StreamGeneration, ...] = ()
