"""Organizations, their users and groups, and permissions."""

from pulumi_airbyte.client.calls import Calls
from pulumi_airbyte.client.models import Group, GroupMember, Organization, Permission, User, parse


class People(Calls):
    """Calls that read who may do what. Every method raises AirbyteError."""

    def organizations(self) -> list[Organization]:
        """GET /organizations: those of the caller."""
        what = "list organizations"
        return [parse(Organization, item, what) for item in self._items("/organizations", what, [])]

    def users(self, organization_id: str) -> list[User]:
        """GET /users: all users of an organization. The list has no pages."""
        what = f"list the users of organization {organization_id}"
        found = self._items("/users", what, [("organizationId", organization_id)])
        return [parse(User, item, what) for item in found]

    def groups(self, organization_id: str) -> list[Group]:
        """GET /groups: all groups of an organization."""
        what = f"list the groups of organization {organization_id}"
        found = self._pages("/groups", "groupId", what, [("organizationId", organization_id)])
        return [parse(Group, item, what) for item in found]

    def get_group(self, group_id: str) -> Group:
        """GET a group."""
        what = f"read group {group_id}"
        return parse(Group, self._public("GET", f"/groups/{group_id}", what), what)

    def group_members(self, group_id: str) -> list[GroupMember]:
        """GET /groups/{id}/members: all members of a group."""
        what = f"list the members of group {group_id}"
        return [parse(GroupMember, item, what) for item in self._pages(f"/groups/{group_id}/members", "memberId", what)]

    def group_permissions(self, group_id: str) -> list[Permission]:
        """GET /groups/{id}/permissions: what a group may do."""
        what = f"list the permissions of group {group_id}"
        return [parse(Permission, item, what) for item in self._items(f"/groups/{group_id}/permissions", what, [])]

    def permissions(self, user_id: str = "", organization_id: str = "") -> list[Permission]:
        """GET /permissions: what a user may do.

        Args:
            user_id: the user; empty for the caller.
            organization_id: the server requires it for the permissions of another user than the caller.
        """
        what = f"list the permissions of {f'user {user_id}' if user_id else 'the caller'}"
        query = [(name, value) for name, value in (("userId", user_id), ("organizationId", organization_id)) if value]
        return [parse(Permission, item, what) for item in self._items("/permissions", what, query)]

    def get_permission(self, permission_id: str) -> Permission:
        """GET a permission."""
        what = f"read permission {permission_id}"
        return parse(Permission, self._public("GET", f"/permissions/{permission_id}", what), what)
