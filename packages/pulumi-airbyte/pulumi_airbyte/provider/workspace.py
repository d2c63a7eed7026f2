"""Workspaces."""

from typing import Final

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.models import Workspace
from pulumi_airbyte.provider.cascades import refuse_full
from pulumi_airbyte.provider.gone import Listed
from pulumi_airbyte.provider.inventory import Shelf
from pulumi_airbyte.provider.plain import PlainType
from pulumi_airbyte.provider.properties import Properties, Property, unwrap
from pulumi_airbyte.provider.resource import Live
from pulumi_airbyte.provider.secrecy import without_nulls
from pulumi_airbyte.provider.tables import WORKSPACE_INPUTS, WORKSPACE_OUTPUTS
from pulumi_airbyte.provider.target import Known, Target
from pulumi_airbyte.values import JsonObject, Path

REGION: Final = "regionId"
UNSHOWN: Final = ("organizationId", REGION)
"""The inputs that the public API does not show."""


class WorkspaceType(PlainType[Workspace]):
    """`airbyte:index/workspace:Workspace`."""

    token = "airbyte:index/workspace:Workspace"
    kind = "workspace"
    id_output = "workspaceId"
    left_alone = frozenset(UNSHOWN)
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
        """Whether the server does not show this path. States of earlier versions record it as a rewrite."""
        return path[0] in UNSHOWN

    def is_open(self, path: Path, wanted: Property) -> bool:
        """Whether the server fills in this path: notifications that the program leaves out."""
        return wanted is None

    def read(self, known: Known, target: Target) -> Live | None:
        """GET. An import gets the organization and the region from the Config API, if there is one.

        The public API shows a region by its name only. If that is another name than at the last write, someone has
        moved the workspace.
        """
        live = super().read(known, target)
        if live is None:
            return None
        if not known.inputs:
            return Live(live.inputs | self._place(known.id), live.outputs)
        before, now = (unwrap(each.get("dataResidency")) for each in (known.outputs, live.outputs))
        if REGION not in known.inputs or before in (None, now):
            return live
        target.say(f"its jobs run in the region {now}, and before in {before}: it was moved outside the program")
        others = {key: value for key, value in live.inputs.items() if key != REGION}
        place = self._place(known.id)
        return Live(others | ({REGION: place[REGION]} if REGION in place else {}), live.outputs)

    def _place(self, workspace_id: str) -> Properties:
        """The organization and the region; empty if the server does not tell."""
        try:
            found = self.airbyte.workspace_place(workspace_id)
        except AirbyteError:
            return {}
        place = zip(UNSHOWN, (found.organization_id, found.region_id), strict=True)
        return {name: value for name, value in place if value}

    def imported(self, found: Workspace) -> Properties:
        """The name: the server shows all notifications, a program only those that it changes."""
        return {"name": found.name}

    def outputs_of(self, found: Workspace) -> Properties:
        """The id, and where its jobs run."""
        return {"workspaceId": found.workspace_id, "dataResidency": found.data_residency}

    def from_server(self, found: Workspace) -> Properties:
        """The name and all notifications."""
        return without_nulls({"name": found.name, "notifications": found.notifications})
