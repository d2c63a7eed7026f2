"""Request bodies and query parameters, parsed once into frozen models.

Knows what both APIs accept as input. Must not know what is done with it.
Unknown members are ignored, enums are taken in any case, null counts as absent, as the server's JSON mapper does.
"""

from typing import Annotated, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from airbyte_twin.documents import JsonObject, parse_json
from airbyte_twin.errors import HttpError, OpaqueError
from airbyte_twin.records import ConnectionStatus, NamespaceDefinition, NonBreakingPolicy
from airbyte_twin.sync_modes import CombinedMode


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


AnyCase = BeforeValidator(_lowered)


class Body(BaseModel):
    """Base of all request bodies: camelCase outside, snake_case inside."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, coerce_numbers_to_str=True)


B = TypeVar("B", bound=Body)


async def read_body(request: Request, model: type[B]) -> B:
    """Parse the request's body.

    Raises:
        HttpError: 415, it is announced as something other than JSON.
        OpaqueError: 422, it is no JSON or does not fit the model.
    """
    announced = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if announced != "application/json":
        raise HttpError(415, "Unsupported Media Type", request.url.path)
    try:
        return model.model_validate(parse_json(await request.body()))
    except ValueError as error:
        raise OpaqueError(422) from error


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
    ]
    resource_requirements: ResourceRequirementsBody


class ResourceAllocation(Body):
    """Resources of an actor's jobs."""

    default: ResourceRequirementsBody | None = None
    job_specific: tuple[JobResources, ...] | None = None

    def document(self) -> JsonObject:
        """As it is stored and read back."""
        dumped: JsonObject = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return dumped


class ActorCreate(Body):
    """POST of a source or destination."""

    name: str
    workspace_id: UUID
    definition_id: UUID | None = None
    configuration: JsonObject
    resource_allocation: ResourceAllocation | None = None


class ActorPut(Body):
    """PUT of a source or destination."""

    name: str
    configuration: JsonObject
    resource_allocation: ResourceAllocation | None = None


class ActorPatch(Body):
    """PATCH of a source or destination."""

    name: str | None = None
    configuration: JsonObject | None = None
    resource_allocation: ResourceAllocation | None = None


class SelectedField(Body):
    """One column of a stream."""

    field_path: tuple[str, ...] | None = None


class MapperBody(Body):
    """One mapper of a stream."""

    id: UUID | None = None
    type: Annotated[Literal["hashing", "field-renaming", "row-filtering", "encryption", "field-filtering"], AnyCase]
    mapper_configuration: JsonObject


class StreamBody(Body):
    """One stream of a connection, as the public API takes it."""

    name: str
    namespace: str | None = None
    sync_mode: Annotated[CombinedMode | None, AnyCase] = None
    cursor_field: tuple[str, ...] | None = None
    primary_key: tuple[tuple[str, ...], ...] | None = None
    include_files: bool | None = None
    destination_object_name: str | None = None
    selected_fields: tuple[SelectedField, ...] | None = None
    mappers: tuple[MapperBody, ...] | None = None


class StreamsBody(Body):
    """`configurations` of a connection."""

    streams: tuple[StreamBody, ...] | None = None


class ScheduleBody(Body):
    """A schedule, as the public API takes it: `basic` is no value of its enum."""

    schedule_type: Annotated[Literal["manual", "cron"], AnyCase]
    cron_expression: str | None = None


class TagBody(Body):
    """A tag of a connection, which must be sent whole."""

    tag_id: UUID
    workspace_id: UUID
    name: str
    color: str


class ConnectionPatch(Body):
    """PATCH of a connection."""

    name: str | None = None
    configurations: StreamsBody | None = None
    schedule: ScheduleBody | None = None
    namespace_definition: Annotated[NamespaceDefinition | None, AnyCase] = None
    namespace_format: str | None = None
    prefix: str | None = None
    non_breaking_schema_updates_behavior: Annotated[NonBreakingPolicy | None, AnyCase] = None
    status: Annotated[ConnectionStatus | None, AnyCase] = None
    tags: tuple[TagBody, ...] | None = None


class ConnectionCreate(ConnectionPatch):
    """POST of a connection."""

    source_id: UUID
    destination_id: UUID


class JobCreate(Body):
    """POST of a job."""

    connection_id: str
    job_type: Annotated[Literal["sync", "reset", "refresh", "clear"], AnyCase]


class EmailNotification(Body):
    """Whether to send mail."""

    enabled: bool | None = None


class WebhookNotification(Body):
    """Whether to call a webhook, and which."""

    enabled: bool | None = None
    url: str | None = None


class Notification(Body):
    """Both ways to tell of one kind of event."""

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

    name: str | None = None
    notifications: Notifications | None = None


class WorkspaceCreate(Body):
    """POST of a workspace; `organizationId` and `regionId` have no effect on a self-managed server."""

    name: str
    organization_id: UUID | None = None
    region_id: UUID | None = None
    notifications: Notifications | None = None


class TagPatch(Body):
    """PATCH of a tag: both members are required."""

    name: str
    color: str


class TagCreate(TagPatch):
    """POST of a tag."""

    workspace_id: UUID


class DefinitionCreate(Body):
    """POST of a docker definition."""

    name: str
    docker_repository: str
    docker_image_tag: str
    documentation_url: str | None = None


class DefinitionPut(Body):
    """PUT of a docker definition."""

    name: str
    docker_image_tag: str


class ManifestCreate(Body):
    """POST of a declarative definition."""

    name: str
    manifest: JsonObject


class ManifestPut(Body):
    """PUT of a declarative definition."""

    manifest: JsonObject


class ApplicationCreate(Body):
    """POST of an application."""

    name: str
