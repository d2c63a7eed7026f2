"""`/organizations`, `/users`, `/permissions` and `/applications`, with the rules of the public API.

Source: airbyte-platform OrganizationsHandler, UserHandler, PermissionHandler.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.config.actors import page_at
from airbyte_twin.config.bodies import (
    ApplicationIdBody,
    AuthUserBody,
    OrganizationIdBody,
    OrganizationUpdateBody,
    PermissionCreateBody,
    PermissionIdBody,
    PermissionUpdateBody,
    UserEmailBody,
    UserIdBody,
    UserOrganizationsBody,
    UserUpdateBody,
    WorkspaceIdBody,
)
from airbyte_twin.config.workspaces import config_workspace
from airbyte_twin.documents import JsonArray, JsonObject, without_nulls
from airbyte_twin.errors import json_response
from airbyte_twin.permissions import grant, known_permission, new_permission, permissions_of, retype, revoke
from airbyte_twin.public import applications, views
from airbyte_twin.public.applications import delete_application, known_application
from airbyte_twin.public.views import permission_view
from airbyte_twin.records import DEFAULT_ID, Organization, User
from airbyte_twin.twin import Twin


def known_organization(twin: Twin, organization_id: object) -> Organization:
    """An organization.

    Raises:
        ApiError: 404 or 403.
    """
    found = twin.store.organizations.get(str(organization_id))
    if found is None:
        raise twin.unknown_in_config()
    return found


def known_user(twin: Twin, user_id: object) -> User:
    """A user.

    Raises:
        ApiError: 404 or 403.
    """
    found = twin.store.users.get(str(user_id))
    if found is None:
        raise twin.unknown_in_config()
    return found


def organization_view(organization: Organization) -> JsonObject:
    """An OrganizationRead."""
    return {**views.organization_view(organization), "isAgentic": False}


def organization_info_view(organization: Organization) -> JsonObject:
    """An OrganizationInfoRead; a self-managed server bills nothing."""
    return {
        "organizationId": organization.id,
        "organizationName": organization.name,
        "sso": False,
        "scim": False,
    }


def user_view(user: User) -> JsonObject:
    """A UserRead."""
    return without_nulls(
        {
            "name": user.name,
            "userId": user.id,
            "defaultWorkspaceId": user.default_workspace_id,
            "status": "registered",
            "email": user.email,
            "news": False,
            "metadata": {},
        }
    )


async def get_organization(request: Request) -> Response:
    """An organization."""
    twin, body = Twin.of(request), await read_body(request, OrganizationIdBody)
    return json_response(organization_view(known_organization(twin, body.organization_id)))


async def get_organization_info(request: Request) -> Response:
    """An organization with what it has bought."""
    twin, body = Twin.of(request), await read_body(request, OrganizationIdBody)
    return json_response(organization_info_view(known_organization(twin, body.organization_id)))


async def get_info_of_workspace(request: Request) -> Response:
    """The same of a workspace's organization."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceIdBody)
    workspace = config_workspace(twin, body.workspace_id)
    return json_response(organization_info_view(known_organization(twin, workspace.organization_id)))


async def update_organization(request: Request) -> Response:
    """Change an organization's name and address."""
    twin, body = Twin.of(request), await read_body(request, OrganizationUpdateBody)
    before = known_organization(twin, body.organization_id)
    changes = {"name": body.organization_name or before.name, "email": body.email or before.email}
    return json_response(organization_view(twin.store.organizations.put(before.model_copy(update=changes))))


async def list_organizations(request: Request) -> Response:
    """The organizations that a user has a permission for; an administrator of the instance sees all."""
    twin, body = Twin.of(request), await read_body(request, UserOrganizationsBody)
    mine = permissions_of(twin, str(body.user_id))
    everything = any(each.type == "instance_admin" for each in mine)
    inside = {each.organization_id for each in mine}
    wanted = (body.name_contains or "").lower()
    rows = [
        each for each in twin.store.organizations if (everything or each.id in inside) and wanted in each.name.lower()
    ]
    return json_response({"organizations": [organization_view(each) for each in page_at(rows, body.pagination)]})


async def get_user(request: Request) -> Response:
    """A user."""
    twin, body = Twin.of(request), await read_body(request, UserIdBody)
    return json_response(user_view(known_user(twin, body.user_id)))


async def get_user_by_auth_id(request: Request) -> Response:
    """The user of a token's subject: an application acts for the default user."""
    twin, body = Twin.of(request), await read_body(request, AuthUserBody)
    subject = body.auth_user_id
    if any(each.client_id == subject for each in twin.store.applications):
        subject = DEFAULT_ID
    return json_response(user_view(known_user(twin, subject)))


async def get_user_by_email(request: Request) -> Response:
    """The user of an address."""
    twin, body = Twin.of(request), await read_body(request, UserEmailBody)
    for user in twin.store.users:
        if user.email.lower() == body.email.lower():
            return json_response(user_view(user))
    raise twin.unknown_in_config()


async def update_user(request: Request) -> Response:
    """Change a user's name and default workspace."""
    twin, body = Twin.of(request), await read_body(request, UserUpdateBody)
    before = known_user(twin, body.user_id)
    workspace = None if body.default_workspace_id is None else config_workspace(twin, body.default_workspace_id).id
    changes = {"name": body.name or before.name, "default_workspace_id": workspace or before.default_workspace_id}
    return json_response(user_view(twin.store.users.put(before.model_copy(update=changes))))


async def list_instance_admins(request: Request) -> Response:
    """The administrators of the instance, each with the permission that makes them one; the body is ignored."""
    twin = Twin.of(request)
    shown: JsonArray = []
    for permission in twin.store.permissions:
        user = twin.store.users.get(permission.user_id or "")
        if permission.type == "instance_admin" and user is not None:
            shown.append({"name": user.name, "userId": user.id, "email": user.email, "permissionId": permission.id})
    return json_response({"users": shown})


async def list_members(request: Request) -> Response:
    """The users with a permission of an organization itself."""
    twin, body = Twin.of(request), await read_body(request, OrganizationIdBody)
    key = known_organization(twin, body.organization_id).id
    shown: JsonArray = []
    for permission in twin.store.permissions:
        user = twin.store.users.get(permission.user_id or "")
        if permission.organization_id == key and user is not None:
            shown.append({"name": user.name, "email": user.email, **permission_view(permission)})
    return json_response({"users": shown})


async def delete_application_by_body(request: Request) -> Response:
    """Delete an application, which a community server refuses."""
    twin, body = Twin.of(request), await read_body(request, ApplicationIdBody)
    delete_application(twin, known_application(twin, body.application_id))
    return Response()


async def create_permission(request: Request) -> Response:
    """Create a permission of a user."""
    twin, body = Twin.of(request), await read_body(request, PermissionCreateBody)
    workspace_id = None if body.workspace_id is None else str(body.workspace_id)
    organization_id = None if body.organization_id is None else str(body.organization_id)
    made = grant(twin, new_permission(str(body.user_id), body.permission_type, workspace_id, organization_id))
    return json_response(permission_view(made))


async def get_permission(request: Request) -> Response:
    """A permission; unlike in the public API, an unknown one is a 404."""
    twin, body = Twin.of(request), await read_body(request, PermissionIdBody)
    found = twin.store.permissions.get(str(body.permission_id))
    if found is None:
        raise twin.unknown_in_config()
    return json_response(permission_view(found))


async def update_permission(request: Request) -> Response:
    """Change the type of a permission; answers 204."""
    twin, body = Twin.of(request), await read_body(request, PermissionUpdateBody)
    permission = known_permission(twin, str(body.permission_id))
    if body.permission_type is not None:
        retype(twin, permission, body.permission_type)
    return Response(status_code=204)


async def delete_permission(request: Request) -> Response:
    """Delete a permission; answers 204."""
    twin, body = Twin.of(request), await read_body(request, PermissionIdBody)
    revoke(twin, known_permission(twin, str(body.permission_id)))
    return Response(status_code=204)


async def list_permissions(request: Request) -> Response:
    """The permissions of a user."""
    twin, body = Twin.of(request), await read_body(request, UserIdBody)
    return json_response({"permissions": [permission_view(each) for each in permissions_of(twin, str(body.user_id))]})


CALLS = {
    "/organizations/get": get_organization,
    "/organizations/get_organization_info": get_organization_info,
    "/organizations/update": update_organization,
    "/organizations/list_by_user_id": list_organizations,
    "/workspaces/get_organization_info": get_info_of_workspace,
    "/users/get": get_user,
    "/users/get_by_auth_id": get_user_by_auth_id,
    "/users/get_by_email": get_user_by_email,
    "/users/update": update_user,
    "/users/list_instance_admin": list_instance_admins,
    "/users/list_by_organization_id": list_members,
    "/applications/list": applications.list_applications,
    "/applications/create": applications.create,
    "/applications/delete": delete_application_by_body,
    "/permissions/create": create_permission,
    "/permissions/get": get_permission,
    "/permissions/update": update_permission,
    "/permissions/delete": delete_permission,
    "/permissions/list_by_user": list_permissions,
}
ROUTES = [Route(path, call, methods=["POST"]) for path, call in CALLS.items()]
