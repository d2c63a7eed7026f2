"""`/groups`, with their members and permissions; they need a license.

The server answers 201 to the three POSTs, though the API's document declares 200 for a group.
"""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.bodies import GroupCreate, GroupPatch, GroupPermissionCreate, MemberAdd
from airbyte_twin.body import read_body
from airbyte_twin.documents import JsonArray, JsonObject, without_nulls
from airbyte_twin.errors import OpaqueError, ProblemError, bad_request, deleted, json_response, missing
from airbyte_twin.permissions import check_group_name, grant_to_group, known_group, members_of
from airbyte_twin.public.views import group_permission_view, group_view, membership_view
from airbyte_twin.queries import Page, converted_id, read_id, read_page
from airbyte_twin.records import Group, Membership
from airbyte_twin.twin import Twin

FEATURE = "feature-scim"
"""Groups are licensed with the provisioning of users (airbyte-platform GroupsEntitlementHelper)."""


def named_group(request: Request) -> Group:
    """The group that a path names, without a look at the license.

    Raises:
        ApiError: 404; 400, the path names none.
    """
    return known_group(Twin.of(request), converted_id(request, "groupId", request.path_params["group_id"]))


def licensed_group(request: Request) -> Group:
    """The same for the calls that the license must allow: all but PATCH and DELETE of a group.

    Raises:
        ApiError: 404, 400, or 403 without a license.
    """
    group = named_group(request)
    Twin.of(request).check_entitled(FEATURE)
    return group


def linked(request: Request, page: Page, data: JsonArray, query: str, *, more: bool) -> JsonObject:
    """A page between links to its neighbours, which are paths here, and absent where there is no neighbour."""

    def link(offset: int) -> str:
        return f"{request.url.path.removeprefix('/api')}?{query}limit={page.limit}&offset={offset}"

    return without_nulls(
        {
            "data": data,
            "next": link(page.offset + page.limit) if more else None,
            "previous": link(max(0, page.offset - page.limit)) if page.offset else None,
        }
    )


async def list_groups(request: Request) -> Response:
    """GET a page of an organization's groups."""
    twin, page, organization_id = Twin.of(request), read_page(request), read_id(request, "organizationId")
    if organization_id is None:
        raise bad_request("organizationId query parameter is required")
    twin.check_entitled(FEATURE)
    rows = [each for each in twin.store.groups if each.organization_id == organization_id]
    end = page.offset + page.limit
    shown: JsonArray = [group_view(twin, each) for each in rows[page.offset : end]]
    return json_response(linked(request, page, shown, f"organizationId={organization_id}&", more=len(rows) > end))


async def create(request: Request) -> Response:
    """POST a group; its name is unique in its organization, in any case."""
    twin, body = Twin.of(request), await read_body(request, GroupCreate)
    twin.check_entitled(FEATURE)
    organization_id = str(body.organization_id)
    if twin.store.organizations.get(organization_id) is None:
        raise OpaqueError(500)
    group = Group(id=str(uuid4()), name=body.name, description=body.description, organization_id=organization_id)
    check_group_name(twin, group)
    return json_response(group_view(twin, twin.store.groups.put(group)), 201)


async def get(request: Request) -> Response:
    """GET a group."""
    return json_response(group_view(Twin.of(request), licensed_group(request)))


async def patch(request: Request) -> Response:
    """PATCH name and description; neither can be taken away."""
    twin, body = Twin.of(request), await read_body(request, GroupPatch)
    before = named_group(request)
    group = before.model_copy(update=body.model_dump(exclude_none=True))
    check_group_name(twin, group)
    return json_response(group_view(twin, twin.store.groups.put(group)))


async def delete(request: Request) -> Response:
    """DELETE a group with its members and permissions."""
    store, group = Twin.of(request).store, named_group(request)
    for membership in [each for each in store.memberships if each.group_id == group.id]:
        store.memberships.drop(membership.id)
    for permission in [each for each in store.permissions if each.group_id == group.id]:
        store.permissions.drop(permission.id)
    store.groups.drop(group.id)
    return deleted()


async def list_members(request: Request) -> Response:
    """GET a page of a group's members, the last added first; a full page has a `next`, whatever follows."""
    twin, page = Twin.of(request), read_page(request)
    group = licensed_group(request)
    rows = [each for each in twin.store.memberships if each.group_id == group.id][::-1]
    shown: JsonArray = [member(twin, each) for each in rows[page.offset : page.offset + page.limit]]
    return json_response(linked(request, page, shown, "", more=len(shown) >= page.limit))


def member(twin: Twin, membership: Membership) -> JsonObject:
    """A membership with its user.

    Raises:
        OpaqueError: 500, the user is gone.
    """
    user = twin.store.users.get(membership.user_id)
    if user is None:
        raise OpaqueError(500)
    return membership_view(membership, user)


async def add_member(request: Request) -> Response:
    """POST a user of the organization into a group."""
    twin, body = Twin.of(request), await read_body(request, MemberAdd)
    group, user_id = licensed_group(request), str(body.user_id)
    user = twin.store.users.get(user_id)
    if user is None:
        raise missing("user", user_id)
    if user not in members_of(twin, group.organization_id):
        owner = f"OrganizationId(value={group.organization_id})"
        detail = f"User UserId(value={user_id}) is not a member of organization {owner}"
        raise ProblemError(404, "resource-not-found", {"resourceType": "user", "resourceId": user_id}, detail)
    if any((each.group_id, each.user_id) == (group.id, user_id) for each in twin.store.memberships):
        message = f"User UserId(value={user_id}) is already a member of group GroupId(value={group.id})"
        raise ProblemError(409, "error:group-member-already-exists", {"message": message})
    membership = Membership(id=str(uuid4()), group_id=group.id, user_id=user_id)
    return json_response(member(twin, twin.store.memberships.put(membership)), 201)


async def remove_member(request: Request) -> Response:
    """DELETE a user from a group; answers 204 for others too."""
    store, group = Twin.of(request).store, licensed_group(request)
    user_id = converted_id(request, "userId", request.path_params["user_id"])
    found = [each for each in store.memberships if (each.group_id, each.user_id) == (group.id, user_id)]
    for membership in found:
        store.memberships.drop(membership.id)
    return deleted()


async def list_permissions(request: Request) -> Response:
    """GET all permissions of a group."""
    group = licensed_group(request)
    rows = [each for each in Twin.of(request).store.permissions if each.group_id == group.id]
    return json_response({"data": [group_permission_view(each) for each in rows]})


async def add_permission(request: Request) -> Response:
    """POST a permission of a group."""
    twin, body = Twin.of(request), await read_body(request, GroupPermissionCreate)
    group = licensed_group(request)
    workspace_id = None if body.workspace_id is None else str(body.workspace_id)
    organization_id = None if body.organization_id is None else str(body.organization_id)
    made = grant_to_group(twin, group, body.permission_type, workspace_id, organization_id)
    return json_response(group_permission_view(made), 201)


async def remove_permission(request: Request) -> Response:
    """DELETE a permission of a group."""
    store, group = Twin.of(request).store, licensed_group(request)
    permission_id = converted_id(request, "permissionId", request.path_params["permission_id"])
    found = store.permissions.get(permission_id)
    if found is None or found.group_id != group.id:
        raise missing("permission", permission_id)
    store.permissions.drop(permission_id)
    return deleted()


ROUTES = [
    Route("/groups", list_groups, methods=["GET"]),
    Route("/groups", create, methods=["POST"]),
    Route("/groups/{group_id}", get, methods=["GET"]),
    Route("/groups/{group_id}", patch, methods=["PATCH"]),
    Route("/groups/{group_id}", delete, methods=["DELETE"]),
    Route("/groups/{group_id}/members", list_members, methods=["GET"]),
    Route("/groups/{group_id}/members", add_member, methods=["POST"]),
    Route("/groups/{group_id}/members/{user_id}", remove_member, methods=["DELETE"]),
    Route("/groups/{group_id}/permissions", list_permissions, methods=["GET"]),
    Route("/groups/{group_id}/permissions", add_permission, methods=["POST"]),
    Route("/groups/{group_id}/permissions/{permission_id}", remove_permission, methods=["DELETE"]),
]
