"""Airbyte in verbs: one method a call, typed records out. The only user of the transport."""

from collections.abc import Iterator
from typing import Any, Final

from pulumi_airbyte.client.errors import AirbyteError
from pulumi_airbyte.client.models import (
    Actor,
    ActorKind,
    Connection,
    ConnectorDefinition,
    Specification,
    StreamProperties,
    Workspace,
    parse,
    parse_actor,
)
from pulumi_airbyte.client.redactor import Redactor
from pulumi_airbyte.client.settings import ClientSettings
from pulumi_airbyte.client.transport import Method, Query, Transport
from pulumi_airbyte.values import JsonObject, JsonValue

PAGE: Final = 100
"""The largest page that the server gives (airbyte-platform, PaginationMapper)."""


class Airbyte:
    """One Airbyte server. Thread-safe; every method raises AirbyteError."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._transport = Transport(settings)

    @property
    def redactor(self) -> Redactor:
        """Removes secrets from messages; teach it the values that a request carries."""
        return self._transport.redactor

    @property
    def has_config_api(self) -> bool:
        """Whether a root of the Config API is known."""
        return bool(self._settings.config_url)

    def cancel(self) -> None:
        """End without further tries."""
        self._transport.cancel()

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    def create_actor(self, kind: ActorKind, body: JsonObject) -> Actor:
        """POST /sources or /destinations; not repeated, because the server has no idempotency key."""
        what = f'create {kind} "{body.get("name")}"'
        return parse_actor(kind, self._public("POST", f"/{kind}s", what, body=body), what)

    def get_actor(self, kind: ActorKind, actor_id: str) -> Actor:
        """GET one; a deleted one is answered with a null configuration."""
        what = f"read {kind} {actor_id}"
        return parse_actor(kind, self._public("GET", f"/{kind}s/{actor_id}", what), what)

    def put_actor(self, kind: ActorKind, actor_id: str, body: JsonObject) -> Actor:
        """PUT: full replacement. A PATCH would store masks as secrets, so there is none here."""
        what = f'update {kind} "{body.get("name")}"'
        return parse_actor(kind, self._public("PUT", f"/{kind}s/{actor_id}", what, body=body), what)

    def delete_actor(self, kind: ActorKind, actor_id: str) -> None:
        """DELETE one; the server also deletes its connections."""
        self._public("DELETE", f"/{kind}s/{actor_id}", f"delete {kind} {actor_id}")

    def create_connection(self, body: JsonObject) -> Connection:
        """POST /connections; discovers the source first, which may take minutes."""
        what = f'create connection "{body.get("name")}"'
        return parse(Connection, self._public("POST", "/connections", what, body=body), what)

    def get_connection(self, connection_id: str) -> Connection:
        """GET one; a deleted one is answered with the status `deprecated`."""
        what = f"read connection {connection_id}"
        return parse(Connection, self._public("GET", f"/connections/{connection_id}", what), what)

    def patch_connection(self, connection_id: str, body: JsonObject) -> Connection:
        """PATCH: fields that are absent stay; a non-empty stream list replaces the whole catalog."""
        what = f"update connection {connection_id}"
        return parse(Connection, self._public("PATCH", f"/connections/{connection_id}", what, body=body), what)

    def delete_connection(self, connection_id: str) -> None:
        """DELETE one (softly: its status becomes `deprecated`)."""
        self._public("DELETE", f"/connections/{connection_id}", f"delete connection {connection_id}")

    def create_workspace(self, body: JsonObject) -> Workspace:
        """POST /workspaces."""
        what = f'create workspace "{body.get("name")}"'
        return parse(Workspace, self._public("POST", "/workspaces", what, body=body), what)

    def get_workspace(self, workspace_id: str) -> Workspace:
        """GET one."""
        what = f"read workspace {workspace_id}"
        return parse(Workspace, self._public("GET", f"/workspaces/{workspace_id}", what), what)

    def patch_workspace(self, workspace_id: str, body: JsonObject) -> Workspace:
        """PATCH one."""
        what = f"update workspace {workspace_id}"
        return parse(Workspace, self._public("PATCH", f"/workspaces/{workspace_id}", what, body=body), what)

    def delete_workspace(self, workspace_id: str) -> None:
        """DELETE one, with all that is in it."""
        self._public("DELETE", f"/workspaces/{workspace_id}", f"delete workspace {workspace_id}")

    def list_workspaces(self) -> list[Workspace]:
        """Every workspace that the caller sees."""
        what = "list workspaces"
        return [parse(Workspace, item, what) for item in self._pages("/workspaces", "workspaceId", what)]

    def ids(self, collection: str, key: str, workspace_id: str = "") -> frozenset[str]:
        """The ids of all objects of a collection (such as `sources`) that are not deleted."""
        query = [("workspaceIds", workspace_id)] if workspace_id else []
        found = self._pages(f"/{collection}", key, f"list {collection}", query)
        return frozenset(str(item.get(key)) for item in found)

    def connector_definitions(self, kind: ActorKind, workspace_id: str = "") -> list[ConnectorDefinition]:
        """GET /connector_definitions: what the server (or one workspace) can run."""
        what = f"list {kind} connectors"
        query = [("type", kind), *([("workspaceId", workspace_id)] if workspace_id else [])]
        return [parse(ConnectorDefinition, item, what) for item in self._items("/connector_definitions", what, query)]

    def streams(
        self, source_id: str, destination_id: str = "", *, ignore_cache: bool = False
    ) -> list[StreamProperties]:
        """GET /streams: discovers the source, slowly when it is not cached. Sync modes come only with a destination."""
        what = f"discover the streams of source {source_id}"
        query = [("sourceId", source_id), ("ignoreCache", str(ignore_cache).lower())]
        query += [("destinationId", destination_id)] if destination_id else []
        return [parse(StreamProperties, item, what) for item in self._items("/streams", what, query)]

    def specification(self, kind: ActorKind, definition_id: str, workspace_id: str) -> JsonObject:
        """The connector's JSON Schema, by the Config API.

        Raises:
            AirbyteError: also when the server has no Config API.
        """
        if not self.has_config_api:
            hint = "Set configUrl to the root of the Config API, e.g. https://airbyte.example.com/api/v1."
            raise AirbyteError(
                "Connector specifications need Airbyte's Config API, and its address is not known.", hint
            )
        what = f"read the specification of {kind} connector {definition_id}"
        body = {f"{kind}DefinitionId": definition_id, "workspaceId": workspace_id}
        url = f"{self._settings.config_url}/{kind}_definition_specifications/get"
        answer = self._transport.request("POST", url, what, body=body, repeatable=True)
        return parse(Specification, answer, what).connection_specification

    def _public(self, method: Method, path: str, what: str, *, body: JsonObject | None = None) -> JsonValue:
        return self._transport.request(method, self._settings.public_url + path, what, body=body)

    def _items(self, path: str, what: str, query: Query) -> list[dict[str, Any]]:
        answer = self._transport.request("GET", self._settings.public_url + path, what, query=query)
        unwrapped = answer.get("data") if isinstance(answer, dict) else answer
        return parse(list[dict[str, Any]], unwrapped, what)

    def _pages(self, path: str, key: str, what: str, query: Query | None = None) -> Iterator[dict[str, Any]]:
        """All items of a list, each once.

        The answer's `next` is never followed: it names the server's own host and is there on the last page too. Pages
        have no stable order under concurrent writes, so an item may come twice. A full page without anything new comes
        from a server that does not page, and ends the list too.
        """
        seen: set[str] = set()
        offset = 0
        while True:
            page = self._items(path, what, [*(query or []), ("limit", str(PAGE)), ("offset", str(offset))])
            new = {str(item.get(key)): item for item in page if str(item.get(key)) not in seen}
            yield from new.values()
            seen |= new.keys()
            if len(page) < PAGE or not new:
                return
            offset += PAGE
