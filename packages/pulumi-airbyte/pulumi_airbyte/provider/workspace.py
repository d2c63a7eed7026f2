"""Workspaces."""

from typing import Final

from pulumi_airbyte.client.models import Workspace
from pulumi_airbyte.provider.cascades import refuse_full
from pulumi_airbyte.provider.gone import Listed
from pulumi_airbyte.provider.inventory import Shelf
from pulumi_airbyte.provider.plain import PlainType
from pulumi_airbyte.provider.properties import Properties, Property
from pulumi_airbyte.provider.secrecy import without_nulls
from pulumi_airbyte.provider.tables import WORKSPACE_INPUTS, WORKSPACE_OUTPUTS
from pulumi_airbyte.provider.target import Known
from pulumi_airbyte.values import JsonObject, Path

UNSHOWN: Final = ("organizationId", "regionId")
"""The inputs that the server does not show."""


class WorkspaceType(PlainType[Workspace]):
    """`airbyte:index/workspace:Workspace`."""

    token = "airbyte:index/workspace:Workspace"
    kind = "workspace"
    id_output = "workspaceId"
    summary = "A workspace: what holds sources, destinations and connections. Deleting it deletes them."
    identity = ("name",)
    inputs = WORKSPACE_INPUTS
    outputs = WORKSPACE_OUTPUTS

    @property
    def shelf(self) -> Shelf[Workspace]:
        """The live workspaces."""
        return self.server.inventory.workspaces

    def listed(self, object_id: str, workspace_id: str) -> Listed:
        """The list of all workspaces."""
        return "workspaces", "workspaceId", object_id, ""

    def post(self, body: JsonObject) -> Workspace:
        """POST."""
        return self.airbyte.create_workspace(body)

    def write(self, known: Known, body: JsonObject) -> Workspace:
        """PATCH."""
        return self.airbyte.patch_workspace(known.id, body)

    def erase(self, object_id: str, workspace_id: str) -> None:
        """DELETE."""
        self.airbyte.delete_workspace(object_id)

    def refuse_cascade(self, known: Known) -> None:
        """Refuse to delete a workspace that still holds objects."""
        refuse_full(self.airbyte, known.id)

    def leaves_out(self, tree: Properties, path: Path) -> bool:
        """Whether the server does not show this path: the organization or the region."""
        return path[0] in UNSHOWN

    def is_open(self, path: Path, wanted: Property) -> bool:
        """Whether the server fills in this path: notifications that the program leaves out."""
        return wanted is None

    def imported(self, found: Workspace) -> Properties:
        """The name: the server shows all notifications, a program only those that it changes."""
        return {"name": found.name}

    def outputs_of(self, found: Workspace) -> Properties:
        """The id, and where its jobs run."""
        return {"workspaceId": found.workspace_id, "dataResidency": found.data_residency}

    def from_server(self, found: Workspace) -> Properties:
        """The name and all notifications."""
        return without_nulls({"name": found.name, "notifications": found.notifications})
