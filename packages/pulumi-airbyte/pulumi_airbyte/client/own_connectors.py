"""The connectors of a workspace's own: images, and manifests of the low-code framework.

The public API lists images without a word on whose they are; the Config API marks those of the workspace.
"""

from typing import Any

from pydantic import Field

from pulumi_airbyte.client.calls import Calls
from pulumi_airbyte.client.models import ActorKind, Wire, parse
from pulumi_airbyte.values import JsonObject


class OwnImage(Wire):
    """A connector as the Config API lists it (SourceDefinitionRead, DestinationDefinitionRead)."""

    definition_id: str
    name: str
    repository: str = Field(alias="dockerRepository")
    tag: str = Field(alias="dockerImageTag")
    custom: bool = False


class OwnManifest(Wire):
    """A source of the low-code framework (DeclarativeSourceDefinitionResponse)."""

    definition_id: str = Field(alias="id")
    name: str
    manifest: dict[str, Any]
    version: int


class OwnConnectors(Calls):
    """The connectors that a workspace adds to those of Airbyte's registry."""

    def own_images(self, kind: ActorKind, workspace_id: str) -> list[OwnImage]:
        """The images of a workspace's own, by the Config API. Sources of a manifest are among them.

        Raises:
            AirbyteError: also if the server has no Config API.
        """
        what = f"list the {kind} connectors of workspace {workspace_id}"
        path = f"/{kind}_definitions/list_for_workspace"
        answer = self._config(path, what, {"workspaceId": workspace_id}, needed_by="A workspace's own connectors need")
        listed: Any = answer.get(f"{kind}Definitions") if isinstance(answer, dict) else None
        found = [parse(OwnImage, _with_id(kind, each), what) for each in listed or []]
        return [each for each in found if each.custom]

    def own_manifests(self, workspace_id: str) -> list[OwnManifest]:
        """GET the sources of the low-code framework."""
        what = f"list the manifests of workspace {workspace_id}"
        answer = self._public("GET", f"/workspaces/{workspace_id}/definitions/declarative_sources", what)
        listed: Any = answer.get("data") if isinstance(answer, dict) else None
        return [parse(OwnManifest, each, what) for each in listed or []]


def _with_id(kind: ActorKind, answer: JsonObject) -> JsonObject:
    """An answer whose name of the id does not contain the kind."""
    return {**answer, "definition_id": answer.get(f"{kind}DefinitionId")}
