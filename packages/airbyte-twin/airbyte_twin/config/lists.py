"""`/sources/list` and `/destinations/list`, and `get` of each and of workspaces."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.config.actor_bodies import DestinationIdBody, SourceIdBody
from airbyte_twin.config.bodies import ActorListBody, WorkspaceIdBody
from airbyte_twin.config.connectors import config_actor
from airbyte_twin.config.views import actor_view, listed_actor_view
from airbyte_twin.documents import JsonArray, JsonObject
from airbyte_twin.errors import json_response
from airbyte_twin.records import Actor, ActorKind, Workspace
from airbyte_twin.settings import DEFAULT_ORGANIZATION_ID
from airbyte_twin.twin import Twin

DEFAULT_PAGE_SIZE = 20


def page_of(rows: list[Actor], body: ActorListBody) -> list[Actor]:
    """The rows after the cursor, at most a page."""
    if body.cursor is not None:
        position = next((index for index, row in enumerate(rows) if row.id == str(body.cursor)), -1)
        rows = rows[position + 1 :]
    return rows[: page_size(body)]


def page_size(body: ActorListBody) -> int:
    """How many rows a page has at most."""
    return DEFAULT_PAGE_SIZE if body.page_size is None else max(body.page_size, 0)


async def list_actors(request: Request, kind: ActorKind) -> Response:
    """Actors of a workspace but the deleted ones."""
    twin, body = Twin.of(request), await read_body(request, ActorListBody)
    rows = [
        actor
        for actor in twin.store.actors_of(kind)
        if actor.workspace_id == str(body.workspace_id) and not actor.deleted
    ]
    shown: JsonArray = [listed_actor_view(twin, row) for row in page_of(rows, body)]
    return json_response({f"{kind}s": shown, "page_size": page_size(body), "num_connections": len(rows)})


async def list_sources(request: Request) -> Response:
    """Sources of a workspace."""
    return await list_actors(request, ActorKind.SOURCE)


async def list_destinations(request: Request) -> Response:
    """Destinations of a workspace."""
    return await list_actors(request, ActorKind.DESTINATION)


async def get_source(request: Request) -> Response:
    """A source."""
    twin, body = Twin.of(request), await read_body(request, SourceIdBody)
    return json_response(actor_view(twin, config_actor(twin, ActorKind.SOURCE, body.source_id)))


async def get_destination(request: Request) -> Response:
    """A destination."""
    twin, body = Twin.of(request), await read_body(request, DestinationIdBody)
    return json_response(actor_view(twin, config_actor(twin, ActorKind.DESTINATION, body.destination_id)))


def workspace_view(workspace: Workspace) -> JsonObject:
    """A WorkspaceRead."""
    return {
        "workspaceId": workspace.id,
        "customerId": workspace.id,
        "name": workspace.name,
        "slug": workspace.id,
        "initialSetupComplete": True,
        "organizationId": DEFAULT_ORGANIZATION_ID,
        "tombstone": workspace.deleted,
    }


async def get_workspace(request: Request) -> Response:
    """A workspace."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceIdBody)
    found = twin.store.workspaces.get(str(body.workspace_id))
    if found is None or found.deleted:
        raise twin.unknown_in_config()
    return json_response(workspace_view(found))


ROUTES = [
    Route("/sources/list", list_sources, methods=["POST"]),
    Route("/sources/get", get_source, methods=["POST"]),
    Route("/destinations/list", list_destinations, methods=["POST"]),
    Route("/destinations/get", get_destination, methods=["POST"]),
    Route("/workspaces/get", get_workspace, methods=["POST"]),
]
