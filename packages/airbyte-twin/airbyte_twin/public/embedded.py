"""`/embedded`: tokens for Airbyte's widget in other people's pages. It is there only where the server issues tokens."""

import base64

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.bodies import ScopedTokenOrder, WidgetOrder
from airbyte_twin.body import read_body
from airbyte_twin.documents import JsonArray, JsonObject, dump_json
from airbyte_twin.errors import OpaqueError, forbidden, json_response
from airbyte_twin.public.workspaces import new_workspace
from airbyte_twin.records import DEFAULT_ID
from airbyte_twin.settings import AuthMode
from airbyte_twin.twin import Twin

FEATURE = "feature-embedded"


def guarded(request: Request) -> Twin:
    """The twin, if it issues tokens.

    Raises:
        HTTPException: 404, the server's controller does not exist without its own authentication.
    """
    twin = Twin.of(request)
    if twin.settings.auth is not AuthMode.CLIENT_CREDENTIALS:
        raise HTTPException(404)
    return twin


def embedded_token(twin: Twin, workspace_id: str, person: str) -> str:
    """A token for one workspace and one person; no call of the twin takes it."""
    claims: JsonObject = {
        "sub": DEFAULT_ID,
        "typ": "embedded_v1",
        "act": {"sub": person},
        "scope": {"workspaceId": workspace_id},
    }
    return twin.tokens.signed(claims)


async def list_organizations(request: Request) -> Response:
    """GET all organizations, with the caller's permission, an instance admin's."""
    twin = guarded(request)
    rows: JsonArray = [
        {"organizationId": each.id, "organizationName": each.name, "permission": "instance_admin"}
        for each in twin.store.organizations
    ]
    return json_response({"organizations": rows})


async def scoped_token(request: Request) -> Response:
    """POST a token for a workspace."""
    twin, body = guarded(request), await read_body(request, ScopedTokenOrder)
    workspace_id = str(body.workspace_id)
    if twin.settings.unknown_id_status == 403 and twin.store.workspaces.get(workspace_id) is None:
        raise forbidden()
    return json_response({"token": embedded_token(twin, workspace_id, workspace_id)})


async def widget_token(request: Request) -> Response:
    """POST a token for a person's widget, in Base64 with its address; the person's workspace is made if needed."""
    twin, body = guarded(request), await read_body(request, WidgetOrder)
    organization_id, person = str(body.organization_id), body.external_user_id
    if twin.store.organizations.get(organization_id) is None:
        raise forbidden() if twin.settings.unknown_id_status == 403 else OpaqueError(500)
    twin.check_entitled(FEATURE)
    owned = (each for each in twin.store.workspaces if each.organization_id == organization_id and not each.deleted)
    found = next((each for each in owned if each.name == person), None)
    workspace = found or twin.store.workspaces.put(new_workspace(twin, person, organization_id))
    page = f"http://localhost:8001/embedded-widget?workspaceId={workspace.id}&allowedOrigin={body.allowed_origin}"
    document = dump_json({"token": embedded_token(twin, workspace.id, person), "widgetUrl": page})
    return json_response({"token": base64.b64encode(document).decode()})


ROUTES = [
    Route("/embedded/organizations", list_organizations, methods=["GET"]),
    Route("/embedded/scoped_token", scoped_token, methods=["POST"]),
    Route("/embedded/widget_token", widget_token, methods=["POST"]),
]
