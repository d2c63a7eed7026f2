"""`/workspaces/{id}/definitions/declarative_sources`: connectors made of a manifest."""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.documents import JsonObject
from airbyte_twin.errors import bad_request, json_response
from airbyte_twin.public.definition_bodies import ManifestCreate, ManifestPut
from airbyte_twin.public.definitions import delete_definition, known_definition, visible_definitions
from airbyte_twin.public.views import declarative_view
from airbyte_twin.public.workspaces import known_workspace
from airbyte_twin.records import ActorKind, Definition
from airbyte_twin.specs import spec_flaw
from airbyte_twin.twin import Twin, manifest_spec

ROOT = "/workspaces/{workspace_id}/definitions/declarative_sources"
ONE = ROOT + "/{definition_id}"
RUNNER = "airbyte/source-declarative-manifest"


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
    workspace = known_workspace(twin, request.path_params["workspace_id"])
    rows = [each for each in visible_definitions(twin, ActorKind.SOURCE, workspace.id) if each.declarative]
    return json_response({"data": [declarative_view(row) for row in rows]})


async def create(request: Request) -> Response:
    """POST a manifest."""
    twin, body = Twin.of(request), await read_body(request, ManifestCreate)
    workspace = known_workspace(twin, request.path_params["workspace_id"])
    check_manifest(body.manifest)
    definition = Definition(
        id=str(uuid4()),
        kind=ActorKind.SOURCE,
        name=body.name,
        docker_repository=RUNNER,
        docker_image_tag=str(body.manifest.get("version", "0.0.0")),
        workspace_id=workspace.id,
        manifest=body.manifest,
    )
    return json_response(declarative_view(twin.store.definitions.put(definition)))


async def get(request: Request) -> Response:
    """GET a declarative definition."""
    found = known_definition(Twin.of(request), ActorKind.SOURCE, request, declarative=True)
    return json_response(declarative_view(found))


async def put(request: Request) -> Response:
    """PUT a manifest; its version grows."""
    twin, body = Twin.of(request), await read_body(request, ManifestPut)
    before = known_definition(twin, ActorKind.SOURCE, request, declarative=True)
    check_manifest(body.manifest)
    changes = {"manifest": body.manifest, "manifest_version": before.manifest_version + 1}
    return json_response(declarative_view(twin.store.definitions.put(before.model_copy(update=changes))))


async def delete(request: Request) -> Response:
    """DELETE answers 200 with what was deleted."""
    twin = Twin.of(request)
    definition = known_definition(twin, ActorKind.SOURCE, request, declarative=True)
    delete_definition(twin, definition)
    return json_response(declarative_view(definition))


ROUTES = [
    Route(ROOT, list_declarative, methods=["GET"]),
    Route(ROOT, create, methods=["POST"]),
    Route(ONE, get, methods=["GET"]),
    Route(ONE, put, methods=["PUT"]),
    Route(ONE, delete, methods=["DELETE"]),
]
