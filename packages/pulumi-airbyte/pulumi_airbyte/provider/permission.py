"""Permissions of users. A user has at most one in each workspace, and one in each organization itself."""

from typing import Final

from pulumi_airbyte.client.errors import AirbyteError, Forbidden, NotFound, ServerError
from pulumi_airbyte.client.models import Permission
from pulumi_airbyte.provider.gone import Listed
from pulumi_airbyte.provider.inventory import UNKNOWN_WORKSPACE, Shelf, permission_place
from pulumi_airbyte.provider.plain import PlainType
from pulumi_airbyte.provider.properties import Properties, unwrap
from pulumi_airbyte.provider.resource import Checked, Checking, Failure
from pulumi_airbyte.provider.secrecy import without_nulls
from pulumi_airbyte.provider.tables import PERMISSION_INPUTS, PERMISSION_OUTPUTS, PERMISSION_TYPES
from pulumi_airbyte.provider.target import Known
from pulumi_airbyte.values import JsonObject

SCOPES: Final = ("workspaceId", "organizationId")
FAILED: Final = 500


class PermissionType(PlainType[Permission]):
    """`airbyte:index/permission:Permission`."""

    token = "airbyte:index/permission:Permission"
    kind = "permission"
    id_output = "permissionId"
    unique = True
    has_name = False
    summary = (
        "What a user may do in a workspace, or in an organization. Deleting one in an organization deletes the user's "
        "permissions in its workspaces."
    )
    identity = ("userId", *SCOPES)
    inputs = PERMISSION_INPUTS
    outputs = PERMISSION_OUTPUTS

    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Refuse two scopes or none, and a type of the other scope."""
        checked = super().check(inputs, checking)
        return Checked(checked.inputs, [*checked.failures, *_misplaced(checked.inputs)])

    def identified(self, inputs: Properties) -> tuple[str, ...] | None:
        """The user and the scope."""
        values = [unwrap(inputs.get(name, "")) for name in self.identity]
        texts = tuple(value for value in values if isinstance(value, str))
        return texts if len(texts) == len(values) and texts[0] else None

    def title(self, tree: Properties) -> str:
        """User and scope."""
        user, workspace, organization = (unwrap(tree.get(name)) for name in self.identity)
        return f"{user} in {f'workspace {workspace}' if workspace else f'organization {organization}'}"

    @property
    def shelf(self) -> Shelf[Permission]:
        """The live permissions."""
        return self.server.inventory.permissions

    def place(self, inputs: Properties) -> str:
        """The list that has it: one of its user."""
        user, _, organization = (unwrap(inputs.get(name)) for name in self.identity)
        return permission_place(user if isinstance(user, str) else "", str(organization or ""))

    def listed(self, object_id: str, workspace_id: str) -> Listed:
        """The caller's own permissions. `there` and `vanish` look into the list of its user instead."""
        return "permissions", "permissionId", object_id, ""

    def there(self, known: Known) -> Permission | None:
        """GET. The server answers 500 for an unknown id; then a list decides."""
        place = self.place(known.inputs)
        try:
            return self.shelf.get(known.id, place if known.inputs else UNKNOWN_WORKSPACE)
        except NotFound:
            return None
        except (Forbidden, ServerError) as error:
            self._require_gone(known, error)
            return None

    def vanish(self, known: Known) -> None:
        """DELETE."""
        try:
            self.erase(known.id, "")
        except NotFound:
            return
        except (Forbidden, ServerError) as error:
            if self._is_shown(known.id):
                raise
            self._require_gone(known, error)

    def _require_gone(self, known: Known, error: Forbidden | ServerError) -> None:
        """Raise an error unless it is the server's answer to an id that it does not have."""
        forbidden = isinstance(error, Forbidden)
        if forbidden and not self._is_listed_anywhere(known):
            raise error
        listed = self.shelf.reload(self.place(known.inputs))
        if not (forbidden or error.status == FAILED) or any(each.permission_id == known.id for each in listed):
            raise error

    def _is_shown(self, object_id: str) -> bool:
        """Whether the server shows the permission by its id."""
        try:
            self.airbyte.get_permission(object_id)
        except AirbyteError:
            return False
        return True

    def _is_listed_anywhere(self, known: Known) -> bool:
        """Whether a list would show the permission: without one, a caller who may not touch it can't say it is gone."""
        user, _, organization = (unwrap(known.inputs.get(name)) for name in self.identity)
        return bool(organization) or self.airbyte.whole_permissions(str(user or "")) is not None

    def _lives(self, known: Known) -> bool:
        return self.there(known) is not None

    def post(self, body: JsonObject) -> Permission:
        """POST."""
        return self.airbyte.create_permission(body)

    def write(self, known: Known, body: JsonObject) -> Permission:
        """PATCH."""
        return self.airbyte.patch_permission(known.id, body)

    def erase(self, object_id: str, workspace_id: str) -> None:
        """DELETE."""
        self.airbyte.delete_permission(object_id)

    def outputs_of(self, found: Permission) -> Properties:
        """The id."""
        return {"permissionId": found.permission_id}

    def from_server(self, found: Permission) -> Properties:
        """All properties."""
        return without_nulls(
            {
                "permissionType": found.permission_type,
                "userId": found.user_id,
                "workspaceId": found.workspace,
                "organizationId": found.organization,
            }
        )


def _misplaced(inputs: Properties) -> list[Failure]:
    given = [name for name in SCOPES if name in inputs]
    if len(given) != 1 or unwrap(inputs[given[0]]) == "":
        return [Failure("workspaceId", "give either workspaceId or organizationId: a permission is for one of them")]
    scope = given[0].removesuffix("Id")
    wanted = unwrap(inputs.get("permissionType"))
    if isinstance(wanted, str) and wanted in PERMISSION_TYPES and not wanted.startswith(f"{scope}_"):
        return [Failure("permissionType", f"{wanted!r} is not a permission in {_a(scope)}: give one of {scope}_…")]
    return []


def _a(scope: str) -> str:
    return f"{'an' if scope[0] == 'o' else 'a'} {scope}"
