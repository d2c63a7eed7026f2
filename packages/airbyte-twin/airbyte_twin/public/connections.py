"""`/connections`; there is no PUT."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.actors import deprecate
from airbyte_twin.bodies import ConnectionCreate, ConnectionPatch
from airbyte_twin.body import read_body
from airbyte_twin.connections import create_connection, known_connection, patch_connection
from airbyte_twin.errors import deleted, json_response
from airbyte_twin.public.views import connection_view
from airbyte_twin.queries import envelope, read_filter, read_ids, read_page
from airbyte_twin.twin import Twin


async def list_connections(request: Request) -> Response:
    """GET a page of connections; deprecated ones only with `includeDeleted`."""
    twin, page = Twin.of(request), read_page(request)
    wanted, tags = read_filter(request), read_ids(request, "tagIds")
    rows = twin.listed(
        connection
        for connection in twin.store.connections
        if wanted.admits(connection.workspace_id, deleted=connection.status == "deprecated")
        and (not tags or not set(tags).isdisjoint(connection.tag_ids))
    )
    return json_response(envelope(request, page, rows, lambda row: connection_view(twin, row), wanted.query()))


async def create(request: Request) -> Response:
    """POST a connection; answers 200, not 201."""
    twin, body = Twin.of(request), await read_body(request, ConnectionCreate)
    return json_response(connection_view(twin, await create_connection(twin, body)))


async def get(request: Request) -> Response:
    """GET a connection, deprecated ones included."""
    twin = Twin.of(request)
    return json_response(connection_view(twin, known_connection(twin, request.path_params["connection_id"])))


async def patch(request: Request) -> Response:
    """PATCH a connection; never starts a job."""
    twin, body = Twin.of(request), await read_body(request, ConnectionPatch)
    connection = known_connection(twin, request.path_params["connection_id"])
    return json_response(connection_view(twin, await patch_connection(twin, connection, body)))


async def delete(request: Request) -> Response:
    """DELETE answers 204, also for a connection that was deleted before."""
    twin = Twin.of(request)
    deprecate(twin, known_connection(twin, request.path_params["connection_id"]))
    return deleted()


ROUTES = [
    Route("/connections", list_connections, methods=["GET"]),
    Route("/connections", create, methods=["POST"]),
    Route("/connections/{connection_id}", get, methods=["GET"]),
    Route("/connections/{connection_id}", patch, methods=["PATCH"]),
    Route("/connections/{connection_id}", delete, methods=["DELETE"]),
]
