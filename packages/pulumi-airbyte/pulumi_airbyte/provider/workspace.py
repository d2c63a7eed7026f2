"""Workspaces."""

from typing import Final, cast

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.errors import Forbidden, NotFound
from pulumi_airbyte.client.models import ActorKind, Workspace
from pulumi_airbyte.provider.adoption import Adoption, Seen, Sought
from pulumi_airbyte.provider.gone import Listed, changed, exists, remove
from pulumi_airbyte.provider.losses import losses, refuse_lost
from pulumi_airbyte.provider.properties import Properties, Property, reveal, unwrap
from pulumi_airbyte.provider.reconcile import merged, rewrites
from pulumi_airbyte.provider.refusals import refused_texts
from pulumi_airbyte.provider.resource import (
    Checked,
    Checking,
    Live,
    Made,
    ResourceType,
    kept_rewrites,
    table_failures,
    with_rewrites,
)
from pulumi_airbyte.provider.secrecy import without_nulls
from pulumi_airbyte.provider.tables import WORKSPACE_INPUTS, WORKSPACE_OUTPUTS
from pulumi_airbyte.provider.target import Known, Target
from pulumi_airbyte.values import Path

SHOWN: Final = ("name", "notifications")
"""The inputs that the server shows; it shows neither organization nor region."""
UNSHOWN: Final = ("organizationId", "regionId")
NAMED: Final = 5


class WorkspaceType(ResourceType):
    """`airbyte:index/workspace:Workspace`."""

    token = "airbyte:index/workspace:Workspace"
    summary = "A workspace: what holds sources, destinations and connections. Deleting it deletes them."
    identity = ("name",)
    inputs = WORKSPACE_INPUTS
    outputs = WORKSPACE_OUTPUTS

    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Fill in the name."""
        named: Properties = {"name": checking.name, **without_nulls(inputs)}
        refused = [] if checking.importing else refused_texts(named)
        return Checked(named, table_failures(self.inputs, named) + refused)

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without nulls."""
        return without_nulls(inputs)

    def create(self, inputs: Properties, target: Target) -> Made:
        """POST, or adopt an existing workspace."""
        made = self._adoption(inputs, target).make(lambda: self._post(inputs), lambda found: found.record)
        return Made(made.workspace_id, self._written(made, inputs))

    def foresee(self, inputs: Properties, target: Target) -> Properties:
        """Report in a preview whether the workspace will be adopted."""
        if not isinstance(unwrap(inputs["name"]), str):
            return {}
        found = self._adoption(inputs, target).foresee()
        return _identity(found.record) if found is not None else {}

    def read(self, known: Known, target: Target) -> Live | None:
        """GET."""
        workspaces = self.server.inventory.workspaces
        found = exists(self.airbyte, lambda: workspaces.get(known.id), _listed(known.id))
        if found is None:
            return None
        if not known.inputs:
            # The server shows all notifications, a program only those that it changes. So an import takes none.
            imported: Properties = {"name": found.name}
            return Live(imported, _outputs(found, imported))
        sent, made = self.remote(self.tree(known.inputs)), self.taken(known)
        live = cast("Properties", merged(_from_server(found), sent, made.rewrites))
        return Live(live | self.local(known.inputs), {**_identity(found), **kept_rewrites(known.outputs, sent, made)})

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """PATCH the workspace with the program's inputs."""
        body = {key: reveal(value) for key, value in self.remote(new).items()}
        patched = changed(
            lambda: self.airbyte.patch_workspace(known.id, body),
            f'The workspace "{body.get("name")}" ({known.id})',
            lambda: exists(self.airbyte, lambda: self.airbyte.get_workspace(known.id), _listed(known.id)) is not None,
        )
        self.server.inventory.workspaces.put(patched)
        return self._written(patched, new)

    def leaves_out(self, tree: Properties, path: Path) -> bool:
        """Whether the server does not show this path: the organization or the region."""
        return path[0] in UNSHOWN

    def delete(self, known: Known, target: Target) -> None:
        """DELETE, unless the workspace still holds objects. The server answers 404 if it is already deleted."""
        if unwrap(known.inputs.get("forceDestroy")) is not True:
            self._refuse_full(known.id)
        remove(self.airbyte, lambda: self.airbyte.delete_workspace(known.id), _listed(known.id))
        self.server.inventory.workspaces.drop(known.id)

    def _refuse_full(self, workspace_id: str) -> None:
        """Refuse to delete a workspace that still holds objects. The program's own were deleted before.

        Raises:
            AirbyteError: it holds objects, or they can't be listed.
        """
        kinds: tuple[ActorKind, ...] = ("source", "destination")
        try:
            held = [(kind, actor) for kind in kinds for actor in self.airbyte.list_actors(kind, workspace_id)]
        except (NotFound, Forbidden):
            # The workspace was deleted. The DELETE reports that.
            return
        if held:
            names = ", ".join(f'{kind} "{actor.name}" ({actor.actor_id})' for kind, actor in held[:NAMED])
            more = f" and {len(held) - NAMED} more" if len(held) > NAMED else ""
            raise AirbyteError(
                f"The workspace {workspace_id} was not deleted: Airbyte would delete with it what the program has not "
                f"deleted: {names}{more}.",
                "Delete them in Airbyte first; or declare the workspace with forceDestroy, run `pulumi up`, and remove "
                "it then.",
            )

    def _post(self, inputs: Properties) -> Workspace:
        made = self.airbyte.create_workspace({key: reveal(value) for key, value in self.remote(inputs).items()})
        self.server.inventory.workspaces.put(made)
        return made

    def _written(self, answer: Workspace, inputs: Properties) -> Properties:
        """The outputs of a write; raises UnfinishedError if the server dropped a value."""
        sent = self.remote(self.tree(inputs))
        lost = losses(sent, _from_server(answer), self.leaves_out)
        names = (self.named(sent, path) for path in lost)
        return refuse_lost(f'The workspace "{answer.name}"', answer.workspace_id, _outputs(answer, sent), names)

    def _adoption(self, inputs: Properties, target: Target) -> Adoption[Workspace]:
        wanted = {key: value for key, value in self.tree(inputs).items() if key in SHOWN}
        named_by: Properties = {"name": unwrap(inputs["name"])}
        identity = (str(named_by["name"]),)
        workspaces = self.server.inventory.workspaces
        sought = Sought("workspace", "", identity, named_by, wanted, workspaces, _look, is_open=_is_open)
        return Adoption(self.server, sought, target)


def _look(workspace: Workspace) -> Seen:
    return Seen(workspace.workspace_id, (workspace.name,), lambda: _from_server(workspace))


def _is_open(_path: Path, wanted: Property) -> bool:
    """Whether the server fills in this path: notifications that the program leaves out."""
    return wanted is None


def _listed(workspace_id: str) -> Listed:
    return "workspaces", "workspaceId", workspace_id, ""


def _outputs(workspace: Workspace, sent: Properties) -> Properties:
    return with_rewrites(_identity(workspace), rewrites(sent, _from_server(workspace)), sent)


def _identity(workspace: Workspace) -> Properties:
    return {"workspaceId": workspace.workspace_id, "dataResidency": workspace.data_residency}


def _from_server(workspace: Workspace) -> Properties:
    return without_nulls({"name": workspace.name, "notifications": workspace.notifications})
