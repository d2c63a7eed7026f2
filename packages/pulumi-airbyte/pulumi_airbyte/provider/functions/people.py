"""Look-ups of organizations, users, groups and permissions."""

from typing import Final

from pulumi_airbyte.client.errors import ServerError
from pulumi_airbyte.client.models import Group, GroupMember, Organization, Permission, User
from pulumi_airbyte.provider.functions.function import Arguments, Directory, Function, Keys, answered, token
from pulumi_airbyte.provider.properties import Properties
from pulumi_airbyte.provider.resource import Failure
from pulumi_airbyte.provider.tables import ROLES, Field, ObjectType

FAILED: Final = 500
NO_PERMISSION: Final = (
    "Airbyte fails so for an id that no permission has, and for a permission of a group: look those up by groupId with "
    "getPermissions."
)
_ORGANIZATION: Final = ObjectType(
    "OrganizationProperties",
    "An organization.",
    (
        Field("organizationId", "string", "Its id.", required=True),
        Field("name", "string", "Its name.", required=True),
        Field("email", "string", "Its e-mail address.", required=True),
    ),
)
_USER: Final = ObjectType(
    "UserProperties",
    "A user.",
    (
        Field("userId", "string", "The user's id.", required=True),
        Field("name", "string", "The user's name.", required=True),
        Field("email", "string", "The user's e-mail address.", required=True),
    ),
)
_GROUP_FIELDS: Final = (
    Field("groupId", "string", "Its id.", required=True),
    Field("name", "string", "Its name.", required=True),
    Field("organizationId", "string", "The organization that holds it.", required=True),
    Field("description", "string", "Its description; absent without one."),
    Field("memberCount", "integer", "The number of its members.", required=True),
)
_GROUP: Final = ObjectType("GroupProperties", "A group of users.", _GROUP_FIELDS)
_PERMISSION: Final = ObjectType(
    "PermissionProperties",
    "What a user or a group may do.",
    (
        Field("permissionId", "string", "Its id.", required=True),
        Field("permissionType", "string", "The role, such as `workspace_admin`.", required=True),
        Field("userId", "string", "The user; absent for a group."),
        Field("groupId", "string", "The group; absent for a user."),
        Field("workspaceId", "string", "The workspace that it is for; absent for an organization or the whole server."),
        Field("organizationId", "string", "The organization that it is for; absent for a workspace."),
    ),
)
_ORGANIZATION_ID: Final = Field("organizationId", "string", "The organization. Default: the only one there is.")
_ORGANIZATIONS: Final = Keys[Organization](
    "organization",
    "organizationId",
    lambda found: found.organization_id,
    lambda found: found.name,
    {"name": lambda found: found.name},
)
_USERS: Final = Keys[User](
    "user",
    "userId",
    lambda found: found.user_id,
    lambda found: found.email,
    {"email": lambda found: found.email, "name": lambda found: found.name},
)
_GROUPS: Final = Keys[Group](
    "group", "groupId", lambda found: found.group_id, lambda found: found.name, {"name": lambda found: found.name}
)


def _organization(directory: Directory, arguments: Arguments) -> Properties:
    return _organization_shown(_ORGANIZATIONS.one(directory.organizations(""), arguments))


def _organizations(directory: Directory, _: Arguments) -> Properties:
    found = sorted(directory.organizations(""), key=lambda each: (each.name, each.organization_id))
    return {"organizations": [_organization_shown(each) for each in found]}


def _organization_shown(found: Organization) -> Properties:
    return {"organizationId": found.organization_id, "name": found.name, "email": found.email}


def _within(directory: Directory, arguments: Arguments) -> str:
    """The id of the given organization, or of the only one.

    Raises:
        AirbyteError: none is given, and there is none, or more than one.
    """
    given = arguments.text("organizationId")
    return given or _ORGANIZATIONS.one(directory.organizations(""), Arguments({})).organization_id


def _user(directory: Directory, arguments: Arguments) -> Properties:
    return _user_shown(_USERS.one(directory.users(_within(directory, arguments)), arguments))


def _users(directory: Directory, arguments: Arguments) -> Properties:
    ids, emails = set(arguments.texts("ids")), set(arguments.texts("emails"))
    found = [
        each
        for each in directory.users(_within(directory, arguments))
        if (not ids or each.user_id in ids) and (not emails or each.email in emails)
    ]
    return {"users": [_user_shown(each) for each in sorted(found, key=lambda each: (each.email, each.user_id))]}


def _user_shown(found: User | GroupMember) -> Properties:
    return {"userId": found.user_id, "name": found.name, "email": found.email}


def _group(directory: Directory, arguments: Arguments) -> Properties:
    group_id = arguments.text("groupId")
    found = (
        directory.airbyte.get_group(group_id)
        if group_id
        else _GROUPS.one(directory.groups(_within(directory, arguments)), arguments)
    )
    members = sorted(directory.airbyte.group_members(found.group_id), key=lambda each: (each.email, each.user_id))
    return {**_group_shown(found), "members": [_user_shown(each) for each in members]}


def _groups(directory: Directory, arguments: Arguments) -> Properties:
    found = directory.groups(_within(directory, arguments))
    return {"groups": [_group_shown(each) for each in sorted(found, key=lambda each: (each.name, each.group_id))]}


def _group_shown(found: Group) -> Properties:
    return answered(
        {
            "groupId": found.group_id,
            "name": found.name,
            "organizationId": found.organization_id,
            "description": found.description,
            "memberCount": found.member_count,
        }
    )


def _permission(directory: Directory, arguments: Arguments) -> Properties:
    try:
        return _permission_shown(directory.airbyte.get_permission(arguments.text("permissionId")))
    except ServerError as error:
        if error.status != FAILED:
            raise
        raise ServerError(error.message, NO_PERMISSION, error.status) from None


def _permissions(directory: Directory, arguments: Arguments) -> Properties:
    user_id, group_id = arguments.text("userId"), arguments.text("groupId")
    if group_id:
        listed = directory.airbyte.group_permissions(group_id)
    else:
        # Without a user, Airbyte lists the caller's own, and then refuses an organization.
        organization_id = _within(directory, arguments) if user_id else ""
        listed = directory.airbyte.every_permission(user_id, organization_id)
    wanted = (arguments.text("permissionType"), arguments.text("workspaceId"))
    found = [
        each
        for each in sorted(listed, key=lambda each: (each.permission_type, each.permission_id))
        if wanted[0] in {"", each.permission_type} and wanted[1] in {"", each.workspace}
    ]
    return {"permissions": [_permission_shown(each) for each in found]}


def _one_holder(arguments: Arguments) -> list[Failure]:
    both = arguments.text("userId") and arguments.text("groupId")
    return [Failure("groupId", "is given beside userId: give one of them")] if both else []


def _permission_shown(found: Permission) -> Properties:
    return answered(
        {
            "permissionId": found.permission_id,
            "permissionType": found.permission_type,
            "userId": found.user_id,
            "groupId": found.group_id,
            "workspaceId": found.workspace,
            "organizationId": found.organization,
        }
    )


FUNCTIONS: Final = {
    token("getOrganization"): Function(
        "An organization by id or by name; with neither, the only one there is.",
        (
            Field("organizationId", "string", "The organization's id."),
            Field("name", "string", "The organization's name."),
        ),
        _ORGANIZATION.fields,
        _organization,
    ),
    token("getOrganizations"): Function(
        "All organizations of the caller, by name.",
        (),
        (Field("organizations", "objects", "The organizations, by name.", required=True, of=_ORGANIZATION),),
        _organizations,
    ),
    token("getUser"): Function(
        "A user of an organization, by id, e-mail address or name.",
        (
            Field("userId", "string", "The user's id."),
            Field("email", "string", "The user's e-mail address."),
            Field("name", "string", "The user's name."),
            _ORGANIZATION_ID,
        ),
        _USER.fields,
        _user,
        _USERS.failures,
    ),
    token("getUsers"): Function(
        "All users of an organization, by e-mail address.",
        (
            _ORGANIZATION_ID,
            Field("ids", "texts", "Only the users with these ids."),
            Field("emails", "texts", "Only the users with these e-mail addresses."),
        ),
        (Field("users", "objects", "The users, by e-mail address.", required=True, of=_USER),),
        _users,
    ),
    token("getGroup"): Function(
        "A group of users and its members, by id or by name.",
        (
            Field("groupId", "string", "The group's id."),
            Field("name", "string", "The group's name."),
            _ORGANIZATION_ID,
        ),
        (*_GROUP_FIELDS, Field("members", "objects", "Its members, by e-mail address.", required=True, of=_USER)),
        _group,
        _GROUPS.failures,
    ),
    token("getGroups"): Function(
        "All groups of an organization, by name.",
        (_ORGANIZATION_ID,),
        (Field("groups", "objects", "The groups, by name.", required=True, of=_GROUP),),
        _groups,
    ),
    token("getPermission"): Function(
        "A permission of a user, by id.",
        (Field("permissionId", "string", "The permission's id.", required=True),),
        _PERMISSION.fields,
        _permission,
    ),
    token("getPermissions"): Function(
        "The permissions of a user or of a group; with neither, those of the caller. Without the Config API, those of "
        "another user than the caller are listed for one organization only, and not for workspaces.",
        (
            Field("userId", "string", "The user."),
            Field("groupId", "string", "The group."),
            _ORGANIZATION_ID,
            Field("permissionType", "string", "Only those of this role.", values=ROLES, enum="Role"),
            Field("workspaceId", "string", "Only those for this workspace."),
        ),
        (Field("permissions", "objects", "The permissions, by role.", required=True, of=_PERMISSION),),
        _permissions,
        _one_holder,
    ),
}
