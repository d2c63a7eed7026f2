"""`/permissions` of users, `/users` and `/organizations`. Whoever calls is the default user, an instance admin."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.bodies import PermissionCreate, PermissionPatch
from airbyte_twin.body import read_body
from airbyte_twin.errors import OpaqueError, bad_request, deleted, forbidden, json_response
from airbyte_twin.permissions import grant, known_permission, members_of, new_permission, permissions_of, retype, revoke
from airbyte_twin.public.views import listed_permission_view, organization_view, permission_view, user_view
from airbyte_twin.queries import missing_query
from airbyte_twin.records import DEFAULT_ID, Permission
from airbyte_twin.twin import Twin, canonical_id


async def list_permissions(request: Request) -> Response:
    """GET the permissions of a user: of the caller all, of another one those in an organization itself."""
    twin, query = Twin.of(request), request.query_params
    user_id = canonical_id(query["userId"]) if "userId" in query else DEFAULT_ID
    rows = permissions_of(twin, user_id)
    if user_id != DEFAULT_ID:
        if "organizationId" not in query:
            raise bad_request("Organization ID is required when getting someone else's permissions.")
        organization_id = canonical_id(query["organizationId"])
        rows = [each for each in rows if each.organization_id == organization_id]
    return json_response({"data": [listed_permission_view(each) for each in rows]})


async def create(request: Request) -> Response:
    """POST a permission; the same one again answers the first."""
    twin, body = Twin.of(request), await read_body(request, PermissionCreate)
    workspace_id = None if body.workspace_id is None else str(body.workspace_id)
    organization_id = None if body.organization_id is None else str(body.organization_id)
    wanted = new_permission(str(body.user_id), body.permission_type, workspace_id, organization_id)
    return json_response(permission_view(grant(twin, wanted)))


async def get(request: Request) -> Response:
    """GET a permission of a user; one of a group fails."""
    return json_response(permission_view(of_user(named_permission(request))))


async def patch(request: Request) -> Response:
    """PATCH the type of a permission."""
    twin, body = Twin.of(request), await read_body(request, PermissionPatch)
    changed = retype(twin, named_permission(request), body.permission_type)
    return json_response(permission_view(of_user(changed)))


async def delete(request: Request) -> Response:
    """DELETE answers 204."""
    revoke(Twin.of(request), named_permission(request))
    return deleted()


def named_permission(request: Request) -> Permission:
    """The permission that a path names.

    Raises:
        OpaqueError: 500, there is none.
    """
    return known_permission(Twin.of(request), canonical_id(request.path_params["permission_id"]))


def of_user(permission: Permission) -> Permission:
    """A permission that has a user, which the server takes for granted.

    Raises:
        OpaqueError: 500, it is a group's.
    """
    if permission.user_id is None:
        raise OpaqueError(500)
    return permission


async def list_users(request: Request) -> Response:
    """GET the members of an organization, or those of some ids or addresses."""
    twin, query = Twin.of(request), request.query_params
    if "organizationId" not in query:
        raise missing_query(request, "organizationId")
    organization_id = canonical_id(query["organizationId"])
    if twin.settings.unknown_id_status == 403 and twin.store.organizations.get(organization_id) is None:
        raise forbidden()
    rows = members_of(twin, organization_id)
    ids, emails = listed(request, "ids"), listed(request, "emails")
    wanted = [each for each in rows if each.id in ids or each.email in emails] if ids or emails else rows
    return json_response({"data": [user_view(each) for each in wanted]})


def listed(request: Request, name: str) -> set[str]:
    """The texts of a parameter, repeated or joined by commas."""
    return {text for value in request.query_params.getlist(name) for text in value.split(",") if text}


async def list_organizations(request: Request) -> Response:
    """GET all organizations."""
    return json_response({"data": [organization_view(each) for each in Twin.of(request).store.organizations]})


ROUTES = [
    Route("/permissions", list_permissions, methods=["GET"]),
    Route("/permissions", create, methods=["POST"]),
    Route("/permissions/{permission_id}", get, methods=["GET"]),
    Route("/permissions/{permission_id}", patch, methods=["PATCH"]),
    Route("/permissions/{permission_id}", delete, methods=["DELETE"]),
    Route("/users", list_users, methods=["GET"]),
    Route("/organizations", list_organizations, methods=["GET"]),
]
