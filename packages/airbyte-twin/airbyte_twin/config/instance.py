"""`/health` and `/instance_configuration`, both anonymous, and `/workspaces/get`."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.config.bodies import WorkspaceIdBody
from airbyte_twin.documents import JsonObject
from airbyte_twin.errors import json_response
from airbyte_twin.records import Workspace
from airbyte_twin.settings import DEFAULT_ORGANIZATION_ID, AuthMode, Edition
from airbyte_twin.twin import Twin


async def health(_request: Request) -> Response:
    """GET: always available."""
    return json_response({"available": True})


async def instance_configuration(request: Request) -> Response:
    """GET: version and edition."""
    settings = Twin.of(request).settings
    return json_response(
        {
            "airbyteUrl": "http://localhost:8001",
            "edition": "community" if settings.edition is Edition.COMMUNITY else "pro",
            "version": settings.version,
            "licenseStatus": "pro",
            "auth": {
                "mode": "simple" if settings.auth is AuthMode.CLIENT_CREDENTIALS else "none",
                "clientId": "airbyte-webapp",
                "defaultRealm": "airbyte",
            },
            "initialSetupComplete": True,
            "defaultUserId": DEFAULT_ORGANIZATION_ID,
            "defaultOrganizationId": DEFAULT_ORGANIZATION_ID,
            "defaultOrganizationEmail": "admin@example.com",
            "trackingStrategy": "logging",
        }
    )


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
    Route("/health", health, methods=["GET"]),
    Route("/instance_configuration", instance_configuration, methods=["GET"]),
    Route("/workspaces/get", get_workspace, methods=["POST"]),
]
