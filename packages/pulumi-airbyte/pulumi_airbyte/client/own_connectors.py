"""Which connectors are a workspace's own: the public API lists them among those of Airbyte's registry."""

from pydantic import Field

from pulumi_airbyte.client.calls import Calls
from pulumi_airbyte.client.models import ActorKind, Wire, parse


class _Listed(Wire):
    """A connector as the Config API lists it (SourceDefinitionRead, DestinationDefinitionRead)."""

    source_id: str = Field(default="", alias="sourceDefinitionId")
    destination_id: str = Field(default="", alias="destinationDefinitionId")
    custom: bool = False


class _List(Wire):
    """The connectors of one kind (SourceDefinitionReadList, DestinationDefinitionReadList)."""

    sources: list[_Listed] = Field(default_factory=list, alias="sourceDefinitions")
    destinations: list[_Listed] = Field(default_factory=list, alias="destinationDefinitions")


class OwnConnectors(Calls):
    """The connectors that a workspace adds to those of Airbyte's registry."""

    def own_definition_ids(self, kind: ActorKind, workspace_id: str) -> frozenset[str]:
        """The ids of the connectors of a workspace's own, those with a manifest included, by the Config API.

        Raises:
            AirbyteError: also if the server has no Config API.
        """
        what = f"list the {kind} connectors of workspace {workspace_id}"
        path, needed_by = f"/{kind}_definitions/list_for_workspace", "A workspace's own connectors need"
        found = parse(_List, self._config(path, what, {"workspaceId": workspace_id}, needed_by=needed_by), what)
        return frozenset(
            each.source_id or each.destination_id for each in (*found.sources, *found.destinations) if each.custom
        )
