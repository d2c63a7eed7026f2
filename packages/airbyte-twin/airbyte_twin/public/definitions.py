"""`/connector_definitions` and `/workspaces/{id}/definitions/{sources,destinations,declarative_sources}`."""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.actors import DEFINITION_TYPES, delete_actor
from airbyte_twin.bodies import DefinitionCreate, DefinitionPut, ManifestCreate, ManifestPut
from airbyte_twin.body import read_body
from airbyte_twin.declarative import add_version, manifest_version, new_definition, versions_of
from airbyte_twin.documents import JsonObject
from airbyte_twin.errors import OpaqueError, bad_request, json_response
from airbyte_twin.manifests import manifest_spec
from airbyte_twin.public.views import declarative_view, definition_view
from airbyte_twin.public.workspaces import known_workspace
from airbyte_twin.queries import converted_id, read_id
from airbyte_twin.records import ActorKind, Definition, Workspace
from airbyte_twin.settings import Edition
from airbyte_twin.specs import spec_flaw
from airbyte_twin.twin import Twin


def visible_definitions(twin: Twin, kind: ActorKind, workspace_id: str) -> list[Definition]:
    """Definitions of the registry, and those of a workspace."""
    return [
        each
        for each in twin.store.definitions
        if each.kind is kind and not each.deleted and each.workspace_id in {None, workspace_id}
    ]


def named_workspace(request: Request) -> Workspace:
    """The workspace that a path names, whose id the server converts here before its own code sees it.

    Raises:
        ApiError: 404 or 403; 400, it is no UUID.
    """
    workspace_id = converted_id(request, "workspaceId", request.path_params["workspace_id"])
    return known_workspace(Twin.of(request), workspace_id)


def known_definition(twin: Twin, kind: ActorKind, request: Request, *, declarative: bool = False) -> Definition:
    """The definition that a path names, if its workspace has it; declarative ones are only known under their own path.

    Raises:
        ApiError: 404 or 403.
    """
    converted_id(request, "workspaceId", request.path_params["workspace_id"])  # both are, before any is looked for
    definition_id = converted_id(request, "definitionId", request.path_params["definition_id"])
    workspace = named_workspace(request)
    found = twin.definition(definition_id)
    if (
        found is None
        or found not in visible_definitions(twin, kind, workspace.id)
        or found.declarative is not declarative
    ):
        raise twin.unknown(DEFINITION_TYPES[kind], definition_id)
    return found


def own_definition(twin: Twin, kind: ActorKind, request: Request) -> Definition:
    """The docker definition to write that a path names.

    Raises:
        ApiError: 404 or 403; 400 `bad-request` for a definition of the registry.
    """
    found = known_definition(twin, kind, request)
    if found.workspace_id is None:
        raise bad_request("Public definitions cannot be modified.")
    return found


def refuse_on_cloud(twin: Twin) -> None:
    """Refuse docker definitions on Cloud, which runs Airbyte's own images only.

    Raises:
        ProblemError: 400.
    """
    if twin.settings.edition is Edition.CLOUD:
        raise bad_request("Non-declarative definitions cannot be created or updated in Airbyte Cloud.")


def delete_definition(twin: Twin, definition: Definition) -> None:
    """Tombstone a definition, with every actor of it and their connections."""
    twin.store.definitions.put(definition.model_copy(update={"deleted": True}))
    for actor in [each for each in twin.store.actors if each.definition_id == definition.id]:
        delete_actor(twin, actor)


async def list_connector_definitions(request: Request) -> Response:
    """GET id, name, type and version of all connectors of one kind."""
    twin = Twin.of(request)
    kinds = {kind.value: kind for kind in ActorKind}
    kind = kinds.get(request.query_params.get("type", "").lower())
    if kind is None:
        raise OpaqueError(400)
    workspace_id = read_id(request, "workspaceId")
    if workspace_id is None:
        raise OpaqueError(500)
    rows = visible_definitions(twin, kind, known_workspace(twin, workspace_id).id)
    return json_response({"data": [connector_view(row) for row in rows]})


def connector_view(definition: Definition) -> JsonObject:
    """A ConnectorDefinitionResponse."""
    return {
        "id": definition.id,
        "name": definition.name,
        "connectorDefinitionType": definition.kind,
        "version": definition.docker_image_tag,
    }


class DefinitionRoutes:
    """Handlers of docker definitions of one kind."""

    def __init__(self, kind: ActorKind) -> None:
        self.kind = kind

    async def index(self, request: Request) -> Response:
        """GET all docker definitions that a workspace sees."""
        twin = Twin.of(request)
        workspace = named_workspace(request)
        rows = [each for each in visible_definitions(twin, self.kind, workspace.id) if not each.declarative]
        return json_response({"data": [definition_view(row) for row in rows]})

    async def create(self, request: Request) -> Response:
        """POST a docker definition; refused on Cloud."""
        twin, body = Twin.of(request), await read_body(request, DefinitionCreate)
        refuse_on_cloud(twin)
        workspace = named_workspace(request)
        definition = Definition(
            id=str(uuid4()),
            kind=self.kind,
            name=body.name,
            docker_repository=body.docker_repository,
            docker_image_tag=body.docker_image_tag,
            documentation_url=body.documentation_url or "",
            workspace_id=workspace.id,
        )
        return json_response(definition_view(twin.store.definitions.put(definition)))

    async def get(self, request: Request) -> Response:
        """GET a docker definition."""
        return json_response(definition_view(known_definition(Twin.of(request), self.kind, request)))

    async def put(self, request: Request) -> Response:
        """PUT a name and a tag."""
        twin, body = Twin.of(request), await read_body(request, DefinitionPut)
        refuse_on_cloud(twin)
        before = own_definition(twin, self.kind, request)
        changes = {"name": body.name, "docker_image_tag": body.docker_image_tag}
        return json_response(definition_view(twin.store.definitions.put(before.model_copy(update=changes))))

    async def delete(self, request: Request) -> Response:
        """DELETE answers 200 with the deleted object."""
        twin = Twin.of(request)
        definition = own_definition(twin, self.kind, request)
        delete_definition(twin, definition)
        return json_response(definition_view(definition))

    def routes(self) -> list[Route]:
        """All of them."""
        root = "/workspaces/{workspace_id}/definitions/" + f"{self.kind}s"
        one = root + "/{definition_id}"
        return [
            Route(root, self.index, methods=["GET"]),
            Route(root, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.put, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]


DECLARATIVE_ROOT = "/workspaces/{workspace_id}/definitions/declarative_sources"
DECLARATIVE_ONE = DECLARATIVE_ROOT + "/{definition_id}"


def check_manifest(manifest: JsonObject) -> None:
    """Refuse a manifest whose spec no configuration could be checked against.

    Raises:
        ProblemError: 400.
    """
    flaw = spec_flaw(manifest_spec(manifest))
    if flaw:
        raise bad_request(f"The manifest's connection_specification is no JSON Schema: {flaw}")


async def list_declarative(request: Request) -> Response:
    """GET all declarative definitions of a workspace."""
    twin = Twin.of(request)
    workspace = named_workspace(request)
    rows = [each for each in visible_definitions(twin, ActorKind.SOURCE, workspace.id) if each.declarative]
    return json_response({"data": [declarative_view(row) for row in rows]})


async def create_declarative(request: Request) -> Response:
    """POST a manifest."""
    twin, body = Twin.of(request), await read_body(request, ManifestCreate)
    workspace = named_workspace(request)
    check_manifest(body.manifest)
    definition = new_definition(twin, workspace.id, body.name, body.manifest)
    return json_response(declarative_view(definition))


async def get_declarative(request: Request) -> Response:
    """GET a declarative definition."""
    found = known_definition(Twin.of(request), ActorKind.SOURCE, request, declarative=True)
    return json_response(declarative_view(found))


async def put_declarative(request: Request) -> Response:
    """PUT a manifest; its version grows."""
    twin, body = Twin.of(request), await read_body(request, ManifestPut)
    before = known_definition(twin, ActorKind.SOURCE, request, declarative=True)
    check_manifest(body.manifest)
    latest = max(each.version for each in versions_of(twin, before))
    after = add_version(twin, before, manifest_version(before.id, latest + 1, body.manifest), active=True)
    return json_response(declarative_view(after))


async def delete_declarative(request: Request) -> Response:
    """DELETE answers 200 with the deleted object."""
    twin = Twin.of(request)
    definition = known_definition(twin, ActorKind.SOURCE, request, declarative=True)
    delete_definition(twin, definition)
    return json_response(declarative_view(definition))


ROUTES = [
    Route("/connector_definitions", list_connector_definitions, methods=["GET"]),
    *DefinitionRoutes(ActorKind.SOURCE).routes(),
    *DefinitionRoutes(ActorKind.DESTINATION).routes(),
    Route(DECLARATIVE_ROOT, list_declarative, methods=["GET"]),
    Route(DECLARATIVE_ROOT, create_declarative, methods=["POST"]),
    Route(DECLARATIVE_ONE, get_declarative, methods=["GET"]),
    Route(DECLARATIVE_ONE, put_declarative, methods=["PUT"]),
    Route(DECLARATIVE_ONE, delete_declarative, methods=["DELETE"]),
]
