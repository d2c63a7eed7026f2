"""Look-ups of workspaces."""

from typing import Final

from pulumi_airbyte.client.models import Workspace
from pulumi_airbyte.provider.functions.function import Arguments, Directory, Function, Keys, in_list, token
from pulumi_airbyte.provider.inventory import EVERYWHERE
from pulumi_airbyte.provider.properties import Properties
from pulumi_airbyte.provider.tables import Field, ObjectType

_WORKSPACE: Final = ObjectType(
    "WorkspaceProperties",
    "A workspace.",
    (
        Field("workspaceId", "string", "Its id.", required=True),
        Field("name", "string", "Its display name.", required=True),
        Field("dataResidency", "string", "Where its jobs run; `auto` on self-managed servers.", required=True),
    ),
)
_KEYS: Final = Keys[Workspace](
    "workspace",
    "workspaceId",
    lambda found: found.workspace_id,
    lambda found: found.name,
    {"name": lambda found: found.name},
)


def _one(directory: Directory, arguments: Arguments) -> Properties:
    shelf, workspace_id = directory.inventory.workspaces, arguments.text("workspaceId")
    if workspace_id:
        return _shown(shelf.look(workspace_id))
    return _shown(in_list(shelf, _KEYS, EVERYWHERE, arguments))


def _all(directory: Directory, _: Arguments) -> Properties:
    found = directory.inventory.workspaces.all(EVERYWHERE)
    return {"workspaces": [_shown(each) for each in sorted(found, key=lambda each: (each.name, each.workspace_id))]}


def _shown(workspace: Workspace) -> Properties:
    return {
        "workspaceId": workspace.workspace_id,
        "name": workspace.name,
        "dataResidency": workspace.data_residency,
    }


FUNCTIONS: Final = {
    token("getWorkspace"): Function(
        "A workspace by id or by name; with neither, the only one there is.",
        (Field("workspaceId", "string", "The workspace's id."), Field("name", "string", "The workspace's name.")),
        _WORKSPACE.fields,
        _one,
    ),
    token("getWorkspaces"): Function(
        "All visible workspaces, by name.",
        (),
        (Field("workspaces", "objects", "The workspaces, by name.", required=True, of=_WORKSPACE),),
        _all,
    ),
}
