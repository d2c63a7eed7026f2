"""The client: one method per call of Airbyte's APIs, with typed results."""

import threading
from contextlib import nullcontext

from pulumi_airbyte.client.access import Access
from pulumi_airbyte.client.config_connections import ConfigConnections
from pulumi_airbyte.client.cursors import Cursors
from pulumi_airbyte.client.definitions import Definitions
from pulumi_airbyte.client.models import (
    Actor,
    ActorKind,
    Connection,
    ConnectorDefinition,
    Instance,
    Specification,
    StreamProperties,
    Workspace,
    WorkspacePlace,
    parse,
    parse_actor,
)
from pulumi_airbyte.client.operations import Operations, discovering
from pulumi_airbyte.client.own_connectors import OwnConnectors
from pulumi_airbyte.client.settings import ClientSettings
from pulumi_airbyte.client.whole_lists import within_workspace
from pulumi_airbyte.values import JsonObject


class Airbyte(ConfigConnections, Cursors, Operations, OwnConnectors, Access, Definitions):
    """One Airbyte server. Thread-safe; every method raises AirbyteError.

    `list_…` methods read pages. Rows may move between two pages, so that some are skipped: use them for display. Use
    `every_…` to decide a create or a delete.
    """

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._asking = threading.Lock()
        self._instance: Instance | None = None

    def instance(self, needed_by: str) -> Instance:
        """GET /instance_configuration, once. An answer shows that the server has a Config API.

        Args:
            needed_by: begins the error message, such as `Basic schedules need`.

        Raises:
            AirbyteError: also when the server has no Config API.
        """
        what = "read the server's version"
        with self._asking:
            if self._instance is None:
                answer = self._config_get("/instance_configuration", what, needed_by=needed_by)
                self._instance = parse(Instance, answer, what)
            return self._instance

    def create_actor(self, kind: ActorKind, body: JsonObject) -> Actor:
        """POST /sources or /destinations; not repeated, because the server has no idempotency key."""
        what = f'create {kind} "{body.get("name")}"'
        return parse_actor(kind, self._public("POST", f"/{kind}s", what, body=body), what)

    def get_actor(self, kind: ActorKind, actor_id: str, *, coordinates: bool = False) -> Actor:
        """GET a source or destination. A deleted one has a null configuration.

        Args:
            kind: source or destination.
            actor_id: its id.
            coordinates: show each secret as `secret_coordinate::<name>_v<N>` instead of a mask. Servers before 1.7 and
                Airbyte Cloud ignore this.
        """
        what = f"read {kind} {actor_id}"
        query = [("includeSecretCoordinates", "true")] if coordinates else []
        return parse_actor(kind, self._public("GET", f"/{kind}s/{actor_id}", what, query=query), what)

    def put_actor(self, kind: ActorKind, actor_id: str, body: JsonObject) -> Actor:
        """PUT, a full replacement. There is no PATCH here, because it stores masks as secrets."""
        what = f'update {kind} "{body.get("name")}"'
        return parse_actor(kind, self._public("PUT", f"/{kind}s/{actor_id}", what, body=body), what)

    def grant_source(self, source_id: str, body: JsonObject) -> Actor:
        """PATCH a source with the id of an OAuth consent. Its configuration may not be in the body: see `put_actor`.

        The body needs the source's resource allocation, which the server drops otherwise.
        """
        what = f"give source {source_id} the tokens of its secretId"
        return parse_actor("source", self._public("PATCH", f"/sources/{source_id}", what, body=body), what)

    def delete_actor(self, kind: ActorKind, actor_id: str) -> None:
        """DELETE a source or destination. The server also deletes its connections."""
        self._public("DELETE", f"/{kind}s/{actor_id}", f"delete {kind} {actor_id}")

    def list_actors(self, kind: ActorKind, workspace_id: str = "") -> list[Actor]:
        """The sources or destinations of one workspace, or of all visible ones, without deleted ones."""
        what = f"list {kind}s"
        found = self._pages(f"/{kind}s", f"{kind}Id", what, within_workspace(workspace_id))
        return [actor for actor in (parse_actor(kind, item, what) for item in found) if actor.configuration is not None]

    def create_connection(self, body: JsonObject) -> Connection:
        """POST /connections. The server discovers the source first, which may take minutes."""
        what = f'create connection "{body.get("name")}"'
        with discovering():
            answer = self._public("POST", "/connections", what, body=body)
        return parse(Connection, answer, what)

    def get_connection(self, connection_id: str) -> Connection:
        """GET a connection. A deleted one has the status `deprecated`."""
        what = f"read connection {connection_id}"
        return parse(Connection, self._public("GET", f"/connections/{connection_id}", what), what)

    def patch_connection(self, connection_id: str, body: JsonObject) -> Connection:
        """PATCH a connection. Absent fields stay; a non-empty stream list replaces the whole catalog."""
        what = f"update connection {connection_id}"
        with discovering() if "configurations" in body else nullcontext():
            answer = self._public("PATCH", f"/connections/{connection_id}", what, body=body)
        return parse(Connection, answer, what)

    def delete_connection(self, connection_id: str) -> None:
        """DELETE a connection: its status becomes `deprecated`."""
        self._public("DELETE", f"/connections/{connection_id}", f"delete connection {connection_id}")

    def list_connections(self, workspace_id: str = "") -> list[Connection]:
        """The connections of one workspace, or of all visible ones, without deleted ones."""
        what = "list connections"
        found = self._pages("/connections", "connectionId", what, within_workspace(workspace_id))
        connections = (parse(Connection, item, what) for item in found)
        return [connection for connection in connections if connection.status != "deprecated"]

    def create_workspace(self, body: JsonObject) -> Workspace:
        """POST /workspaces."""
        what = f'create workspace "{body.get("name")}"'
        return parse(Workspace, self._public("POST", "/workspaces", what, body=body), what)

    def get_workspace(self, workspace_id: str) -> Workspace:
        """GET a workspace."""
        what = f"read workspace {workspace_id}"
        return parse(Workspace, self._public("GET", f"/workspaces/{workspace_id}", what), what)

    def workspace_place(self, workspace_id: str) -> WorkspacePlace:
        """The organization and the region of a workspace, from the Config API.

        Raises:
            AirbyteError: also if the server has no Config API.
        """
        what = f"read the organization and the region of workspace {workspace_id}"
        answer = self._config("/workspaces/get", what, {"workspaceId": workspace_id}, needed_by="Regions need")
        return parse(WorkspacePlace, answer, what)

    def patch_workspace(self, workspace_id: str, body: JsonObject) -> Workspace:
        """PATCH a workspace."""
        what = f"update workspace {workspace_id}"
        return parse(Workspace, self._public("PATCH", f"/workspaces/{workspace_id}", what, body=body), what)

    def delete_workspace(self, workspace_id: str) -> None:
        """DELETE a workspace with everything in it."""
        self._public("DELETE", f"/workspaces/{workspace_id}", f"delete workspace {workspace_id}")

    def list_workspaces(self) -> list[Workspace]:
        """All visible workspaces."""
        what = "list workspaces"
        return [parse(Workspace, item, what) for item in self._pages("/workspaces", "workspaceId", what)]

    def connector_definitions(self, kind: ActorKind, workspace_id: str) -> list[ConnectorDefinition]:
        """GET /connector_definitions: the connectors of a workspace. The server requires the workspace."""
        what = f"list {kind} connectors"
        query = [("type", kind), ("workspaceId", workspace_id)]
        return [parse(ConnectorDefinition, item, what) for item in self._items("/connector_definitions", what, query)]

    def streams(
        self, source_id: str, destination_id: str = "", *, ignore_cache: bool = False
    ) -> list[StreamProperties]:
        """GET /streams, which discovers the source: slow if not cached. Only with a destination, it has sync modes."""
        what = f"discover the streams of source {source_id}"
        query = [("sourceId", source_id), ("ignoreCache", str(ignore_cache).lower())]
        query += [("destinationId", destination_id)] if destination_id else []
        with discovering():
            found = self._items("/streams", what, query)
        return [parse(StreamProperties, item, what) for item in found]

    def specification(self, kind: ActorKind, definition_id: str, workspace_id: str) -> JsonObject:
        """The JSON Schema of a connector's configuration, as `full_specification`."""
        return self.full_specification(kind, definition_id, workspace_id).connection_specification

    def full_specification(self, kind: ActorKind, definition_id: str, workspace_id: str) -> Specification:
        """The specification of a connector, from the Config API.

        Raises:
            AirbyteError: also if the server has no Config API.
        """
        what = f"read the specification of {kind} connector {definition_id}"
        body = {f"{kind}DefinitionId": definition_id, "workspaceId": workspace_id}
        path = f"/{kind}_definition_specifications/get"
        answer = self._config(path, what, body, needed_by="Connector specifications need")
        return parse(Specification, answer, what)
