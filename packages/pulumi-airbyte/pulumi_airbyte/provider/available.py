"""Whether Airbyte has the workspace and the connector of a new source or destination; for previews.

It is a module of its own because its answers serve all resource types of a run. A preview that skips these checks
would pass, and `up` would fail half-way: the server answers an unknown connector with 404, and an unknown workspace
with 500.
"""

from typing import Final, get_args

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.errors import Forbidden, NotFound
from pulumi_airbyte.client.models import ActorKind, ConnectorDefinition
from pulumi_airbyte.provider.inventory import Kept
from pulumi_airbyte.provider.secrecy import Specifications

MOST_SHOWN: Final = 10
"""This many workspaces are named in an error."""
WORKSPACE_HINT: Final = "Set workspaceId to the id of one that these credentials may use"


class Available:
    """What one Airbyte has. Thread-safe.

    Each answer is asked for once a run. So is one that fails: each try of many new resources would take half a minute.
    """

    def __init__(self, airbyte: Airbyte, specifications: Specifications) -> None:
        self._airbyte = airbyte
        self._specifications = specifications
        self._connectors: Kept[tuple[ActorKind, str], list[ConnectorDefinition] | None] = Kept(
            lambda key: self._connectors_of(*key)
        )
        self._refusals: Kept[str, str] = Kept(self._refusal_of)

    def require_workspace(self, workspace_id: str) -> None:
        """Refuse a workspace that these credentials can't read; passes while the server fails.

        Raises:
            NotFound: there is no such workspace; the hint names those that there are.
        """
        hint = self._refusals(workspace_id.lower())
        if hint:
            raise NotFound(f"This Airbyte has no workspace {workspace_id}.", hint)

    def require_connector(self, kind: ActorKind, definition_id: str, workspace_id: str) -> None:
        """Refuse a definition that a workspace does not have; passes if the server can't list its connectors.

        A specification is evidence enough, and the check of a new source or destination has read it.

        Raises:
            NotFound: the workspace has no such definition of this kind.
        """
        if self._specifications.fetched(kind, definition_id) is not None:
            return
        wanted, other = definition_id.lower(), _other(kind)
        listed = self._listed(kind, workspace_id)
        if listed is None or wanted in listed:
            return
        misplaced = (self._listed(other, workspace_id) or {}).get(wanted)
        raise NotFound(
            f"This Airbyte has no {kind} connector {definition_id}"
            + (f": it is a {other} connector ({misplaced})." if misplaced else ", which definitionId names."),
            f"Set definitionId to a connector of the workspace {workspace_id}: the function getConnectorDefinition "
            f"finds it by name. A connector of your own is declared as a {kind.capitalize()}Definition.",
        )

    def _listed(self, kind: ActorKind, workspace_id: str) -> dict[str, str] | None:
        """The names of a workspace's connectors, by their ids; None if the server can't list them."""
        found = self._connectors((kind, workspace_id))
        return {each.definition_id.lower(): each.name for each in found} if found is not None else None

    def _connectors_of(self, kind: ActorKind, workspace_id: str) -> list[ConnectorDefinition] | None:
        try:
            return self._airbyte.connector_definitions(kind, workspace_id)
        except AirbyteError:
            return None

    def _refusal_of(self, workspace_id: str) -> str:
        """The hint of the refusal of a workspace; empty if it exists, or if the server fails."""
        try:
            self._airbyte.get_workspace(workspace_id)
        except (NotFound, Forbidden):
            try:
                found = sorted((each.name, each.workspace_id) for each in self._airbyte.list_workspaces())
            except AirbyteError:
                return ""
        except AirbyteError:
            return ""
        else:
            return ""
        if any(each == workspace_id for _, each in found):
            return ""
        named = ", ".join(f'{each} ("{name}")' for name, each in found[:MOST_SHOWN])
        more = f" and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
        return f"{WORKSPACE_HINT}: {named}{more}." if named else f"{WORKSPACE_HINT}; they may use none."


def _other(kind: ActorKind) -> ActorKind:
    return next(each for each in get_args(ActorKind) if each != kind)
