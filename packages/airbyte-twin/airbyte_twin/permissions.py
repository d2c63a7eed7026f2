"""Rules of permissions, of users and of groups.

Source: airbyte-platform PermissionHandler, PermissionServiceDataImpl, GroupPermissionValidator, and the constraints of
the table of permissions.
"""

from collections.abc import Iterable
from uuid import uuid4

from airbyte_twin.database import duplicate_key, missing_row, violated_check
from airbyte_twin.errors import (
    KnownError,
    OpaqueError,
    ProblemError,
    bad_request,
    forbidden,
    missing,
    unexpected,
    unprocessable,
)
from airbyte_twin.records import Group, Permission, PermissionType, User
from airbyte_twin.twin import Twin

AUTHORITY: dict[str, int] = {
    "instance_admin": 1000,
    "organization_admin": 500,
    "organization_editor": 400,
    "organization_runner": 300,
    "organization_reader": 200,
    "organization_member": 100,
    "workspace_owner": 500,
    "workspace_admin": 500,
    "workspace_editor": 400,
    "workspace_runner": 300,
    "workspace_reader": 200,
}
"""How much a type allows: one of a workspace adds nothing to one of its organization that allows as much."""


def known_permission(twin: Twin, permission_id: str) -> Permission:
    """A permission.

    Raises:
        OpaqueError: 500, there is none: the public API looks it up before it handles errors, whatever the edition.
    """
    found = twin.store.permissions.get(permission_id)
    if found is None:
        raise OpaqueError(500)
    return found


def permissions_of(twin: Twin, user_id: str) -> list[Permission]:
    """Permissions of a user, those of groups not among them."""
    return [each for each in twin.store.permissions if each.user_id == user_id]


def members_of(twin: Twin, organization_id: str) -> list[User]:
    """Users with a permission of the organization itself."""
    found = (each for each in twin.store.permissions if each.organization_id == organization_id)
    users = (twin.store.users.get(each.user_id) for each in found if each.user_id is not None)
    return [user for user in users if user is not None]


def grant(twin: Twin, permission: Permission) -> Permission:
    """Add a permission of a user, or find the one that is the same; permissions that it makes redundant go.

    Raises:
        ProblemError: 400, it has two scopes or none; 500, the user has as much already, has another permission in that
            scope, or does not exist, or the type is of another scope.
    """
    check_scope(permission)
    mine = permissions_of(twin, permission.user_id or "")
    for each in mine:
        if each == permission.model_copy(update={"id": each.id}):
            return each
    if is_redundant(twin, permission, mine):
        raise unexpected(
            f"Permission type {permission.type} would be redundant for user {permission.user_id}. Preventing creation."
        )
    left = without_redundant(twin, permission, mine)
    check_row(twin, permission, left)
    drop(twin, [each.id for each in mine if each not in left])
    return twin.store.permissions.put(permission)


def check_scope(permission: Permission) -> None:
    """Refuse a permission in two scopes, or in none.

    Raises:
        ProblemError: 400.
    """
    if permission.workspace_id is not None and permission.organization_id is not None:
        raise bad_request("A permission cannot target both a workspace and an organization.")
    if permission.workspace_id is None and permission.organization_id is None:
        raise bad_request("Workspace ID or Organization ID must be provided in order to create a permission.")


def check_row(twin: Twin, permission: Permission, others: Iterable[Permission]) -> None:
    """Refuse what the table of permissions does not take.

    Raises:
        ProblemError: 500 with the database's message; 403 on Cloud for an unknown workspace or organization.
    """
    if not fits_scope(permission):
        raise violated_check("permission", "permission_check_organization_id_and_workspace_id")
    references = (
        ("user", permission.user_id, twin.store.users.get(permission.user_id or "")),
        ("workspace", permission.workspace_id, twin.store.workspaces.get(permission.workspace_id or "")),
        ("organization", permission.organization_id, twin.store.organizations.get(permission.organization_id or "")),
    )
    for table, key, found in references:
        if key is not None and found is None:
            hidden = table != "user" and twin.settings.unknown_id_status == 403
            raise forbidden() if hidden else missing_row("permission", table, key)
    scope = "organization" if permission.workspace_id is None else "workspace"
    key = permission.organization_id or permission.workspace_id
    if any(key in (each.organization_id, each.workspace_id) for each in others):
        columns = {"user_id": permission.user_id, f"{scope}_id": key}
        raise duplicate_key(f"permission_unique_user_{scope}", columns)


def fits_scope(permission: Permission) -> bool:
    """Whether its type is one of its scope's."""
    if permission.type == "workspace_owner":
        return False
    scope, _, _ = permission.type.partition("_")
    return (scope == "workspace", scope == "organization") == (
        permission.workspace_id is not None,
        permission.organization_id is not None,
    )


def retype(twin: Twin, permission: Permission, wanted: PermissionType) -> Permission:
    """Change the type of a permission, which is all that can change.

    Raises:
        ProblemError: 422 for an instance admin's; 409, it is the organization's last admin's; 500, the type is of
            another scope; 404, the new type is redundant: the server deletes the permission and then looks for it.
    """
    if wanted == "instance_admin":
        raise unprocessable("Cannot update permission record to INSTANCE_ADMIN.")
    changed = permission.model_copy(update={"type": wanted})
    if permission.type == "organization_admin" and is_last_admin(twin, permission):
        raise conflict(f"Cannot demote the last admin in Organization {permission.organization_id}.")
    others = [each for each in permissions_of(twin, permission.user_id or "") if each.id != permission.id]
    if is_redundant(twin, changed, others):
        twin.store.permissions.drop(permission.id)
        raise missing("PERMISSION", f"Permission not found: {permission.id}")
    left = without_redundant(twin, changed, others)
    if not fits_scope(changed):
        raise violated_check("permission", "permission_check_organization_id_and_workspace_id")
    drop(twin, [each.id for each in others if each not in left])
    return twin.store.permissions.put(changed)


def revoke(twin: Twin, permission: Permission) -> None:
    """Delete a permission of a user; one of an organization takes those of its workspaces along.

    Raises:
        ProblemError: 409, it is the organization's last admin's; 404, it is a group's.
    """
    if permission.type == "organization_admin" and is_last_admin(twin, permission):
        raise conflict(f"Cannot delete the last admin in Organization {permission.organization_id}.")
    if permission.user_id is None:
        raise missing("PERMISSION", f"User not found for permission: {permission.id}")
    inside = [
        each.id
        for each in permissions_of(twin, permission.user_id)
        if permission.organization_id is not None and organization_of(twin, each) == permission.organization_id
    ]
    drop(twin, [permission.id, *inside])


def is_last_admin(twin: Twin, permission: Permission) -> bool:
    """Whether no other permission, of a user or a group, makes an admin of the same organization."""
    others = (each for each in twin.store.permissions if each.organization_id == permission.organization_id)
    return all(each.id == permission.id or each.type != "organization_admin" for each in others)


def organization_of(twin: Twin, permission: Permission) -> str | None:
    """The organization of a workspace's permission."""
    workspace = twin.store.workspaces.get(permission.workspace_id or "")
    return workspace.organization_id if workspace else None


def is_redundant(twin: Twin, permission: Permission, others: Iterable[Permission]) -> bool:
    """Whether a permission of a workspace allows no more than one of its organization."""
    organization_id = organization_of(twin, permission)
    if organization_id is None:
        return False
    found = next((each for each in others if each.organization_id == organization_id), None)
    return found is not None and AUTHORITY[permission.type] <= AUTHORITY[found.type]


def without_redundant(twin: Twin, added: Permission, others: list[Permission]) -> list[Permission]:
    """The other permissions of a user that still add something to a new one."""
    return [each for each in others if not is_redundant(twin, each, [added])]


def drop(twin: Twin, permission_ids: Iterable[str]) -> None:
    """Delete permissions."""
    for key in permission_ids:
        twin.store.permissions.drop(key)


def conflict(message: str) -> ProblemError:
    """409 `state-conflict` with the reason."""
    return ProblemError(409, "state-conflict", {"message": message}, config=KnownError(409, message))


def known_group(twin: Twin, group_id: str) -> Group:
    """A group.

    Raises:
        ProblemError: 404, whatever the edition: the server looks it up before it checks permissions.
    """
    found = twin.store.groups.get(group_id)
    if found is None:
        raise missing("group", group_id)
    return found


def check_group_name(twin: Twin, group: Group) -> None:
    """Refuse a name that another group of the organization has in any case.

    Raises:
        ProblemError: 409.
    """
    others = (each for each in twin.store.groups if each.organization_id == group.organization_id)
    if any(each.id != group.id and each.name.lower() == group.name.lower() for each in others):
        owner = f"OrganizationId(value={group.organization_id})"
        message = f"Group with name '{group.name}' already exists in organization {owner}"
        raise ProblemError(409, "error:group-already-exists", {"message": message})


def grant_to_group(
    twin: Twin, group: Group, wanted: PermissionType, workspace_id: str | None, organization_id: str | None
) -> Permission:
    """Add a permission of a group.

    Raises:
        ProblemError: 400, it has two scopes or none, or a type of another scope, or exists; 404, its scope is not
            in the group's organization.
    """
    if workspace_id is not None and organization_id is not None:
        raise bad_request("Provide exactly one of workspaceId or organizationId, not both.")
    key = workspace_id or organization_id
    if key is None:
        raise bad_request("Workspace ID or Organization ID must be provided in order to create a group permission.")
    scope = "workspace" if workspace_id is not None else "organization"
    if not wanted.startswith(scope):
        raise bad_request(
            f"Permission type {wanted} cannot be granted on {'a' if scope == 'workspace' else 'an'} {scope}. "
            f"Use {'a' if scope == 'workspace' else 'an'} {scope}-scoped permission type."
        )
    workspace = twin.store.workspaces.get(workspace_id or "")
    owner = organization_id if workspace is None or workspace.deleted else workspace.organization_id
    if owner != group.organization_id:
        raise missing(scope, key)
    permission = Permission(
        id=str(uuid4()), type=wanted, group_id=group.id, workspace_id=workspace_id, organization_id=organization_id
    )
    if any(each == permission.model_copy(update={"id": each.id}) for each in twin.store.permissions):
        raise bad_request(f"Group already has {wanted} permission for {scope} {key}")
    return twin.store.permissions.put(permission)


def new_permission(
    user_id: str, wanted: PermissionType, workspace_id: str | None = None, organization_id: str | None = None
) -> Permission:
    """A permission of a user that is not stored yet."""
    return Permission(
        id=str(uuid4()), type=wanted, user_id=user_id, workspace_id=workspace_id, organization_id=organization_id
    )
