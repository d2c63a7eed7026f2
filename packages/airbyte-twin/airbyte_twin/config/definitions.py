"""`/source_definitions` and `/destination_definitions`, their specifications and versions: handlers under two names.

Source: airbyte-platform SourceDefinitionsHandler, ActorDefinitionVersionHandler.
"""

from collections.abc import Iterable
from uuid import NAMESPACE_URL, uuid4, uuid5

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.actors import allocation_document, known_actor
from airbyte_twin.body import read_body
from airbyte_twin.config.bodies import (
    ActorDefinitionBody,
    ActorIdBody,
    CustomDefinitionBody,
    DefinitionIdBody,
    DefinitionUpdateBody,
    DefinitionVersionBody,
    ScopedDefinitionBody,
    WorkspaceDefinitionsBody,
    WorkspaceIdBody,
    of_kind,
)
from airbyte_twin.config.views import definition_version_view, synchronous_job_view, version_view
from airbyte_twin.documents import JsonArray, JsonObject, as_object, without_nulls
from airbyte_twin.errors import KnownError, json_response, unprocessable
from airbyte_twin.public.definitions import delete_definition, visible_definitions
from airbyte_twin.records import ActorKind, Definition, Description, Image
from airbyte_twin.specs import spec_flaw
from airbyte_twin.twin import Twin

ORGANIZATION = "organization"


def known_definition(twin: Twin, kind: ActorKind, definition_id: str, *, deleted: bool = False) -> Definition:
    """A definition of a kind; deleted ones only if they are asked for.

    Raises:
        ApiError: 404 or 403.
    """
    found = twin.store.definitions.get(definition_id)
    if found is None or found.kind is not kind or (found.deleted and not deleted):
        raise twin.unknown_in_config()
    return found


def definition_view(definition: Definition) -> JsonObject:
    """A SourceDefinitionRead or DestinationDefinitionRead."""
    custom = definition.workspace_id is not None
    shown: JsonObject = {
        f"{definition.kind}DefinitionId": definition.id,
        "name": definition.name,
        "dockerRepository": definition.docker_repository,
        "dockerImageTag": definition.docker_image_tag,
        "documentationUrl": definition.documentation_url or "",
        "protocolVersion": "0.2.0",
        "custom": custom,
        "enterprise": False,
        "supportLevel": "none" if custom else "certified",
        "releaseStage": "custom" if custom else "generally_available",
        "resourceRequirements": definition.resource_requirements,
    }
    if definition.kind is ActorKind.SOURCE:
        shown["sourceType"] = "custom" if custom else "api"
    return without_nulls(shown)


class DefinitionRoutes:
    """Handlers of the definitions of one kind."""

    def __init__(self, kind: ActorKind) -> None:
        self.kind = kind
        self._id_body = of_kind(DefinitionIdBody, kind)
        self._workspace_body = of_kind(ActorDefinitionBody, kind)
        self._custom_body = of_kind(CustomDefinitionBody, kind)
        self._update_body = of_kind(DefinitionUpdateBody, kind)
        self._actor_body = of_kind(ActorIdBody, kind)

    async def index(self, request: Request) -> Response:
        """All definitions, those of workspaces included; the body is ignored."""
        twin = Twin.of(request)
        return self._list(each for each in twin.store.definitions if not each.deleted)

    async def latest(self, request: Request) -> Response:
        """The registry's definitions; the body is ignored."""
        return self._list(each for each in Twin.of(request).store.definitions if each.workspace_id is None)

    async def for_workspace(self, request: Request) -> Response:
        """The connectors that a workspace may use, its own ones included."""
        twin, body = Twin.of(request), await read_body(request, WorkspaceDefinitionsBody)
        workspace_id = str(body.workspace_id)
        rows = visible_definitions(twin, self.kind, workspace_id)
        if body.filter_by_used:
            actors = (each for each in twin.store.actors if each.workspace_id == workspace_id and not each.deleted)
            used = {each.definition_id for each in actors}
            rows = [each for each in rows if each.id in used]
        return self._list(rows)

    async def private(self, request: Request) -> Response:
        """Definitions that would have to be granted to a workspace: the twin has none."""
        await read_body(request, WorkspaceIdBody)
        return json_response({f"{self.kind}Definitions": []})

    def _list(self, definitions: Iterable[Definition]) -> Response:
        shown: JsonArray = [definition_view(each) for each in definitions if each.kind is self.kind]
        return json_response({f"{self.kind}Definitions": shown})

    async def get(self, request: Request) -> Response:
        """A definition; a deleted one is still found."""
        twin, body = Twin.of(request), await read_body(request, self._id_body)
        found = known_definition(twin, self.kind, str(body.actor_definition_id), deleted=True)
        return json_response(definition_view(found))

    async def get_for_workspace(self, request: Request) -> Response:
        """A definition that a workspace may use."""
        twin, body = Twin.of(request), await read_body(request, self._workspace_body)
        return json_response(definition_view(self._visible(twin, body.actor_definition_id, str(body.workspace_id))))

    async def get_for_scope(self, request: Request) -> Response:
        """A definition that a workspace, or all of an organization's, may use."""
        twin, body = Twin.of(request), await read_body(request, ScopedDefinitionBody)
        workspace_id = "" if body.scope_type == ORGANIZATION else str(body.scope_id)
        return json_response(definition_view(self._visible(twin, body.actor_definition_id, workspace_id)))

    def _visible(self, twin: Twin, definition_id: object, workspace_id: str) -> Definition:
        found = known_definition(twin, self.kind, str(definition_id))
        if found not in visible_definitions(twin, self.kind, workspace_id):
            raise twin.unknown_in_config()
        return found

    async def create(self, request: Request) -> Response:
        """Create a definition of a workspace; a specification that is sent is that of its image.

        Raises:
            ApiError: 422 for a definition of an organization, or a specification that is no JSON Schema.
        """
        twin, body = Twin.of(request), await read_body(request, self._custom_body)
        workspace_id = body.workspace_id or (None if body.scope_type == ORGANIZATION else body.scope_id)
        if workspace_id is None:
            raise unprocessable("Cannot determine workspace ID for custom source definition creation")
        made = body.actor_definition
        if made.connector_specification is not None:
            self._describe(twin, made.docker_repository, made.connector_specification)
        definition = Definition(
            id=str(uuid4()),
            kind=self.kind,
            name=made.name,
            docker_repository=made.docker_repository,
            docker_image_tag=made.docker_image_tag,
            documentation_url=made.documentation_url,
            workspace_id=str(workspace_id),
            resource_requirements=allocation_document(twin, made.resource_requirements),
        )
        return json_response(definition_view(twin.store.definitions.put(definition)))

    def _describe(self, twin: Twin, repository: str, sent: JsonObject) -> None:
        spec = as_object(sent.get("connectionSpecification"))
        flaw = spec_flaw(spec)
        if flaw:
            raise KnownError(422, f"The connection specification is no JSON Schema: {flaw}")
        if twin.store.images.get(repository) is None and twin.registry.by_repository(repository) is None:
            twin.store.images.put(Image(id=repository, description=Description(kind=self.kind, spec=spec)))

    async def update(self, request: Request) -> Response:
        """Change a tag and, of a custom definition only, the name."""
        twin, body = Twin.of(request), await read_body(request, self._update_body)
        before = known_definition(twin, self.kind, str(body.actor_definition_id))
        allocation = allocation_document(twin, body.resource_requirements)
        changes: dict[str, object] = {
            "docker_image_tag": body.docker_image_tag,
            "name": body.name if body.name is not None and before.workspace_id is not None else before.name,
            "resource_requirements": allocation if allocation is not None else before.resource_requirements,
        }
        return json_response(definition_view(twin.store.definitions.put(before.model_copy(update=changes))))

    async def delete(self, request: Request) -> Response:
        """Tombstone a definition with its actors and their connections; answers 204, also a second time."""
        twin, body = Twin.of(request), await read_body(request, self._id_body)
        found = known_definition(twin, self.kind, str(body.actor_definition_id), deleted=True)
        delete_definition(twin, found)
        return Response(status_code=204)

    async def specification(self, request: Request) -> Response:
        """The spec of a connector; a destination's names the sync modes that it supports."""
        twin, body = Twin.of(request), await read_body(request, self._workspace_body)
        return self._specification(twin, known_definition(twin, self.kind, str(body.actor_definition_id)))

    async def specification_of_actor(self, request: Request) -> Response:
        """The same for an actor."""
        twin, body = Twin.of(request), await read_body(request, self._actor_body)
        actor = known_actor(twin, self.kind, str(body.actor_id))
        return self._specification(twin, known_definition(twin, self.kind, actor.definition_id, deleted=True))

    def _specification(self, twin: Twin, definition: Definition) -> Response:
        connector = twin.connector(definition.id)
        shown: JsonObject = {
            f"{self.kind}DefinitionId": definition.id,
            "connectionSpecification": connector.spec,
            "jobInfo": synchronous_job_view(twin, "get_spec"),
        }
        if definition.documentation_url is not None:
            shown["documentationUrl"] = definition.documentation_url
        if self.kind is ActorKind.DESTINATION:
            shown["supportedDestinationSyncModes"] = list(connector.destination_modes)
        return json_response(shown)

    async def version_of_actor(self, request: Request) -> Response:
        """The version that an actor has."""
        twin, body = Twin.of(request), await read_body(request, self._actor_body)
        return json_response(definition_version_view(twin, known_actor(twin, self.kind, str(body.actor_id))))

    def routes(self) -> list[Route]:
        """All routes of the kind."""
        root = f"/{self.kind}_definitions"
        calls = {
            f"{root}/list": self.index,
            f"{root}/list_latest": self.latest,
            f"{root}/list_for_workspace": self.for_workspace,
            f"{root}/list_private": self.private,
            f"{root}/get": self.get,
            f"{root}/get_for_workspace": self.get_for_workspace,
            f"{root}/get_for_scope": self.get_for_scope,
            f"{root}/create_custom": self.create,
            f"{root}/update": self.update,
            f"{root}/delete": self.delete,
            f"/{self.kind}_definition_specifications/get": self.specification,
            f"/{self.kind}_definition_specifications/get_for_{self.kind}": self.specification_of_actor,
            f"/actor_definition_versions/get_for_{self.kind}": self.version_of_actor,
        }
        return [Route(path, call, methods=["POST"]) for path, call in calls.items()]


async def default_version(request: Request) -> Response:
    """The version that new actors of a definition get."""
    twin, body = Twin.of(request), await read_body(request, DefinitionIdBody)
    definition = twin.definition(str(body.actor_definition_id))
    if definition is None:
        raise twin.unknown_in_config()
    return json_response(version_view(twin, definition))


async def resolve_version(request: Request) -> Response:
    """The version of a definition that has a tag: the twin knows any tag, and takes it for the version it has."""
    twin, body = Twin.of(request), await read_body(request, DefinitionVersionBody)
    definition = known_definition(twin, ActorKind(body.actor_type), str(body.actor_definition_id))
    connector = twin.connector(definition.id)
    return json_response(
        {
            "versionId": str(uuid5(NAMESPACE_URL, f"airbyte-twin:{definition.id}:{body.docker_image_tag}")),
            "dockerRepository": definition.docker_repository,
            "dockerImageTag": body.docker_image_tag,
            "supportRefreshes": connector.supports_refreshes and definition.kind is ActorKind.DESTINATION,
            "supportFileTransfer": False,
            "supportDataActivation": False,
        }
    )


async def list_stubs(_request: Request) -> Response:
    """The connectors that only a license has, as Airbyte's pages advertise them: none; the body is ignored."""
    return json_response({"enterpriseConnectorStubs": []})


STUBS = (
    "/source_definitions/list_enterprise_source_stubs",
    "/source_definitions/list_enterprise_stubs_for_workspace",
    "/destination_definitions/list_enterprise_stubs_for_workspace",
)
ROUTES = [
    *(Route(path, list_stubs, methods=["POST"]) for path in STUBS),
    *DefinitionRoutes(ActorKind.SOURCE).routes(),
    *DefinitionRoutes(ActorKind.DESTINATION).routes(),
    Route("/actor_definition_versions/get_default", default_version, methods=["POST"]),
    Route("/actor_definition_versions/resolve", resolve_version, methods=["POST"]),
]
