"""`/workspaces`, `/health` and the redirect to the documentation."""

from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.actors import delete_actor
from airbyte_twin.bodies import Notifications, WorkspaceCreate, WorkspacePatch
from airbyte_twin.body import read_body
from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.errors import OpaqueError, forbidden, json_response
from airbyte_twin.public.views import workspace_view
from airbyte_twin.queries import envelope, read_filter, read_page
from airbyte_twin.records import DEFAULT_ID, Workspace
from airbyte_twin.secrets import merged
from airbyte_twin.settings import Edition
from airbyte_twin.twin import Twin, canonical_id, default_notifications


async def health(_request: Request) -> Response:
    """GET, anonymous: a line of text."""
    return Response("Successful operation", headers={"content-type": "*/*"})


async def documentation(_request: Request) -> Response:
    """GET `/api/public`, anonymous: a redirect to the reference. The document's `/` is `/api/public/v1/`, a 404."""
    return Response(status_code=302, headers={"location": "https://reference.airbyte.com/"})


def known_workspace(twin: Twin, workspace_id: str) -> Workspace:
    """A workspace that was not deleted.

    Raises:
        ApiError: 404 or 403.
    """
    key = canonical_id(workspace_id)
    found = twin.store.workspaces.get(key)
    if found is None or found.deleted:
        raise twin.unknown("STANDARD_WORKSPACE", key)
    return found


def delete_workspace(twin: Twin, workspace: Workspace) -> None:
    """Tombstone a workspace with its sources, destinations and connections."""
    for actor in [actor for actor in twin.store.actors if actor.workspace_id == workspace.id]:
        delete_actor(twin, actor)
    twin.store.workspaces.put(workspace.model_copy(update={"deleted": True}))


def notifications_after(before: JsonObject, sent: Notifications | None) -> JsonObject:
    """The settings after merging in those sent."""
    if sent is None:
        return before
    return as_object(merged(before, sent.model_dump(mode="json", by_alias=True, exclude_none=True)))


def new_workspace(twin: Twin, name: str, organization_id: str) -> Workspace:
    """A workspace with the settings that every new one has, not stored yet."""
    return Workspace(
        id=str(uuid4()),
        name=name,
        notifications=default_notifications(),
        created_at=twin.clock.seconds(),
        organization_id=organization_id,
    )


def owner_of(twin: Twin, body: WorkspaceCreate) -> str:
    """The organization of a new workspace: on a self-managed server the only one, whatever was sent.

    Raises:
        ProblemError: 403, Cloud does not know it.
    """
    if twin.settings.edition is Edition.COMMUNITY or body.organization_id is None:
        return DEFAULT_ID
    if twin.store.organizations.get(str(body.organization_id)) is None:
        raise forbidden()
    return str(body.organization_id)


def region_of(twin: Twin, region_id: UUID | None) -> str | None:
    """The region that a body names; None for the default one.

    Raises:
        OpaqueError: 500, there is none of that id.
    """
    if region_id is None:
        return None
    if twin.store.regions.get(str(region_id)) is None:
        raise OpaqueError(500)
    return str(region_id)


async def list_workspaces(request: Request) -> Response:
    """GET a page of workspaces."""
    twin, page = Twin.of(request), read_page(request)
    wanted = read_filter(request)
    rows = [each for each in twin.store.workspaces if wanted.admits(each.id, deleted=each.deleted)]
    return json_response(envelope(request, page, rows, lambda row: workspace_view(twin, row), wanted.query()))


async def create(request: Request) -> Response:
    """POST a workspace; names need not be unique."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceCreate)
    made = new_workspace(twin, body.name, owner_of(twin, body))
    changes = {
        "notifications": notifications_after(made.notifications, body.notifications),
        "region_id": region_of(twin, body.region_id),
    }
    return json_response(workspace_view(twin, twin.store.workspaces.put(made.model_copy(update=changes))))


async def get(request: Request) -> Response:
    """GET a workspace."""
    twin = Twin.of(request)
    return json_response(workspace_view(twin, known_workspace(twin, request.path_params["workspace_id"])))


async def patch(request: Request) -> Response:
    """PATCH name, region and notifications."""
    twin, body = Twin.of(request), await read_body(request, WorkspacePatch)
    before = known_workspace(twin, request.path_params["workspace_id"])
    changes = {
        "name": before.name if body.name is None else body.name,
        "notifications": notifications_after(before.notifications, body.notifications),
        "region_id": region_of(twin, body.region_id) or before.region_id,
    }
    return json_response(workspace_view(twin, twin.store.workspaces.put(before.model_copy(update=changes))))


async def delete(request: Request) -> Response:
    """DELETE a workspace with all its sources, destinations and connections."""
    twin = Twin.of(request)
    delete_workspace(twin, known_workspace(twin, request.path_params["workspace_id"]))
    return Response(status_code=204)


ROUTES = [
    Route("/health", health, methods=["GET"]),
    Route("/workspaces", list_workspaces, methods=["GET"]),
    Route("/workspaces", create, methods=["POST"]),
    Route("/workspaces/{workspace_id}", get, methods=["GET"]),
    Route("/workspaces/{workspace_id}", patch, methods=["PATCH"]),
    Route("/workspaces/{workspace_id}", delete, methods=["DELETE"]),
]
