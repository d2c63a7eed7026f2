"""Request bodies and query parameters, parsed once into frozen models.

Knows what both APIs accept as input. Must not know what is done with it.
Unknown members are ignored, enums are taken in any case, null counts as absent, and one value may stand for a list, as
the server's JSON mapper does it.
"""

import re
from typing import Annotated, ClassVar, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from airbyte_twin.documents import JsonObject, parse_json
from airbyte_twin.errors import BareError, HttpError, OpaqueError, target_of, unconverted
from airbyte_twin.json_mapper import (
    CONFIG_MAPPER,
    PUBLIC_MAPPER,
    JavaEnum,
    MissingMemberError,
    java_name,
    no_content,
    syntax_error,
)
from airbyte_twin.records import ConnectionStatus, NamespaceDefinition, NonBreakingPolicy
from airbyte_twin.sync_modes import CombinedMode

JSON = "application/json"


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _listed(value: object) -> object:
    return value if value is None or isinstance(value, list) else [value]


def _standard(value: object) -> object:
    if isinstance(value, str) and not STANDARD_ID.fullmatch(value):
        raise ValueError("no UUID of 36 characters")
    return value


STANDARD_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
AnyCase = BeforeValidator(_lowered)
Many = BeforeValidator(_listed)
"""Mark of a list for which one value may stand."""
Id = Annotated[UUID, BeforeValidator(_standard)]
Names = Annotated[tuple[str, ...], Many]


class Body(BaseModel):
    """Base of all request bodies: camelCase outside, snake_case inside.

    Attributes:
        java: Simple name of the server's class, where it is not the model's.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, coerce_numbers_to_str=True)

    java: ClassVar[str] = ""


B = TypeVar("B", bound=Body)


async def read_body(request: Request, model: type[B], class_name: str = "") -> B:
    """Parse the request's body.

    Args:
        request: The call.
        model: What the body must be.
        class_name: The server's class, where it is not the model's own.

    Raises:
        BareError: 415, it is announced as something other than JSON.
        ApiError: 400, it is no JSON or does not fit; 500, there is none, it is null, or lacks what the server needs.
    """
    raw = await request.body()
    announced = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if raw and announced != JSON:
        raise BareError(415)
    name = class_name or java_name(model)
    argument = name[:1].lower() + name[1:]
    if raw and not raw.strip():
        raise unconverted(request, argument, "null", no_content(raw))
    try:
        document = parse_json(raw) if raw else None
    except ValueError as error:
        raise HttpError(400, "Invalid JSON", target_of(request), syntax_error(raw)) from error
    if document is None:
        raise OpaqueError(500)
    mapper = PUBLIC_MAPPER if request.url.path.startswith("/api/public/") else CONFIG_MAPPER
    try:
        return model.model_validate(document)
    except ValidationError as error:
        try:
            reason = mapper.refusal(raw, model, name, error)
        except MissingMemberError:
            raise OpaqueError(500) from error
        raise unconverted(request, argument, "null", reason) from error


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
        """As it is stored and read back."""
        dumped: JsonObject = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return dumped


class ActorCreate(Body):
    """POST of a source or destination."""

    name: str
    workspace_id: Id
    definition_id: Id | None = None
    configuration: JsonValue
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
    """One stream of a connection, as the public API takes it."""

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
    """A schedule, as the public API takes it: `basic` is no value of its enum."""

    java = "AirbyteApiConnectionSchedule"

    schedule_type: Annotated[Literal["cron", "manual"], AnyCase, JavaEnum("ScheduleTypeEnum")]
    cron_expression: str | None = None


class TagBody(Body):
    """A tag of a connection, which must be sent whole."""

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

    java = "WorkspaceUpdateRequest"

    name: str | None = None
    notifications: Notifications | None = None


class WorkspaceCreate(Body):
    """POST of a workspace; `organizationId` and `regionId` have no effect on a self-managed server."""

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


class ApplicationCreate(Body):
    """POST of an application."""

    java = "ApplicationCreate"

    name: str
