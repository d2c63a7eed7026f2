"""`/health` and `/instance_configuration`, both anonymous."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.errors import json_response
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


ROUTES = [
    Route("/health", health, methods=["GET"]),
    Route("/instance_configuration", instance_configuration, methods=["GET"]),
]
