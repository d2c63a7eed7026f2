"""Organizations, users and groups, their permissions, and the OAuth applications that users consent to."""

from typing import Final

from pydantic import Field

from pulumi_airbyte.client.calls import Calls
from pulumi_airbyte.client.errors import AirbyteError, Forbidden, NotFound, Rejected, Unauthenticated
from pulumi_airbyte.client.models import Group, GroupMember, Organization, Permission, User, Wire, parse
from pulumi_airbyte.values import JsonObject

NOT_IMPLEMENTED: Final = 501
CLOUD_ONLY: Final = "OAuth credentials of a workspace exist on Airbyte Cloud only; this server is self-managed."
REMOVE_ADVICE: Final = (
    "Remove the resource, and give client id and secret in the configuration of each source or destination."
)
NEEDED: Final = "Complete lists of permissions need"


class _Listed(Wire):
    """The permissions of a user (PermissionReadList)."""

    permissions: list[Permission] = Field(default_factory=list)


class Access(Calls):
    """Calls about people, their permissions and OAuth credentials. Every method raises AirbyteError."""

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
        what = _listing(user_id)
        query = [(name, value) for name, value in (("userId", user_id), ("organizationId", organization_id)) if value]
        return [parse(Permission, item, what) for item in self._items("/permissions", what, query)]

    def get_permission(self, permission_id: str) -> Permission:
        """GET a permission."""
        what = f"read permission {permission_id}"
        return parse(Permission, self._public("GET", f"/permissions/{permission_id}", what), what)

    def create_permission(self, body: JsonObject) -> Permission:
        """POST /permissions. The server answers a permission that exists already as if it were new."""
        what = f"give user {body.get('userId')} the permission {body.get('permissionType')}"
        return parse(Permission, self._public("POST", "/permissions", what, body=body), what)

    def patch_permission(self, permission_id: str, body: JsonObject) -> Permission:
        """PATCH a permission; only its type can change."""
        what = f"update permission {permission_id}"
        return parse(Permission, self._public("PATCH", f"/permissions/{permission_id}", what, body=body), what)

    def delete_permission(self, permission_id: str) -> None:
        """DELETE a permission. With one in an organization, the user loses those in its workspaces."""
        self._public("DELETE", f"/permissions/{permission_id}", f"delete permission {permission_id}")

    def permissions_within(self, user_id: str, organization_id: str = "") -> list[Permission]:
        """The permissions of a user in an organization itself, or else in workspaces.

        The public API lists the caller's own permissions, and those of others in an organization. It has no list of
        another user's permissions in workspaces, only the Config API has: without that one, such a list is empty.
        """
        found = self.every_permission(user_id, organization_id)
        if organization_id:
            return [each for each in found if each.organization == organization_id]
        return [each for each in found if each.workspace is not None]

    def every_permission(self, user_id: str, organization_id: str) -> list[Permission]:
        """The permissions of a user, or of the caller for an empty id.

        Without the Config API, those of another user than the caller are listed for one organization only.
        """
        if (whole := self.whole_permissions(user_id)) is not None:
            return whole
        try:
            return self.permissions(user_id, organization_id)
        except (Forbidden, Rejected):
            if organization_id:
                raise
            return []

    def whole_permissions(self, user_id: str) -> list[Permission] | None:
        """All permissions of a user; None without a user, or if the Config API does not list them."""
        if not (user_id and self.has_config_api):
            return None
        what = _listing(user_id)
        try:
            answer = self._config("/permissions/list_by_user", what, {"userId": user_id}, needed_by=NEEDED)
            return parse(_Listed, answer, what).permissions
        except (Forbidden, NotFound, Unauthenticated):
            return None
        except AirbyteError as error:
            if error.status != NOT_IMPLEMENTED:
                raise
            return None

    def put_oauth_credentials(self, owner: str, body: JsonObject) -> None:
        """PUT the OAuth credentials of a connector for a workspace or an organization; no call shows them.

        Args:
            owner: the owner's path, such as `workspaces/<id>`.
            body: actorType, name and configuration.

        Raises:
            AirbyteError: also if the server has no such credentials.
        """
        what = f"set the OAuth credentials of {body.get('name')} in {owner}"
        try:
            self._public("PUT", f"/{owner}/oauthCredentials", what, body=body)
        except AirbyteError as error:
            raise _cloud_only(error) from error

    def delete_oauth_credentials(self, owner: str, kind: str, name: str) -> None:
        """DELETE the OAuth credentials of a connector; it is no error if there are none."""
        what = f"delete the OAuth credentials of {name} in {owner}"
        self._public("DELETE", f"/{owner}/oauthCredentials/{kind}/{name}", what)


def _cloud_only(error: AirbyteError) -> AirbyteError:
    if error.status != NOT_IMPLEMENTED:
        return error
    return AirbyteError(f"{CLOUD_ONLY} It answered {NOT_IMPLEMENTED}.", REMOVE_ADVICE, error.status)


def _listing(user_id: str) -> str:
    return f"list the permissions of {f'user {user_id}' if user_id else 'the caller'}"
