"""Look-ups: read objects of the server that the program does not manage.

Each raises the engine's error if the server has no such object; the message lists the possible arguments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pulumi


@dataclass(frozen=True)
class WorkspaceProperties:
    """A workspace.

    Attributes:
        workspace_id: its id.
        name: its display name.
        data_residency: where its jobs run; `auto` on self-managed servers.
    """

    workspace_id: str
    name: str
    data_residency: str


@dataclass(frozen=True)
class ConnectorDefinition:
    """A connector that the server can run.

    Attributes:
        definition_id: the id that sources and destinations refer to.
        display_name: the name that the server shows.
        type: `source` or `destination`.
        version: the connector's version.
    """

    definition_id: str
    display_name: str
    type: str
    version: str


@dataclass(frozen=True)
class StreamProperties:
    """A stream that a source offers.

    Attributes:
        stream_name: its name.
        namespace: its namespace in the source; None without one.
        sync_modes: in the public API's spelling; empty without `destination_id`.
        default_cursor_field: path of the field that marks new records; may be empty.
        source_defined_cursor: whether the source allows no other cursor.
        source_defined_primary_key: paths of the key's parts; may be empty.
        property_fields: paths of all fields.
    """

    stream_name: str
    namespace: str | None
    sync_modes: tuple[str, ...]
    default_cursor_field: tuple[str, ...]
    source_defined_cursor: bool
    source_defined_primary_key: tuple[tuple[str, ...], ...]
    property_fields: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class DeclaredObject:
    """An object that a program declares, by its names on the server.

    Attributes:
        kind: `source`, `destination` or `connection`.
        name: its display name.
        source_name: display name of a connection's source.
        destination_name: display name of a connection's destination.
    """

    kind: Literal["source", "destination", "connection"]
    name: str
    source_name: str = ""
    destination_name: str = ""


@dataclass(frozen=True)
class LiveObject:
    """A live object and its standing.

    Attributes:
        kind: `source`, `destination` or `connection`.
        id: its id.
        name: its display name.
        standing: `managed`, `adoptable` (the next `up` adopts it if it is identical), `duplicate` (another object has
            the same identity) or `orphan`.
        twins: ids of the other objects with its identity.
        source_id: id of a connection's source.
        destination_id: id of a connection's destination.
    """

    kind: Literal["source", "destination", "connection"]
    id: str
    name: str
    standing: Literal["managed", "adoptable", "duplicate", "orphan"]
    twins: tuple[str, ...]
    source_id: str | None = None
    destination_id: str | None = None


def get_workspace(
    *, workspace_id: str | None = None, name: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> WorkspaceProperties:
    """A workspace by id or name; with neither, the only workspace."""
    answer = _invoke("getWorkspace", {"workspaceId": workspace_id, "name": name}, opts)
    return WorkspaceProperties(answer["workspaceId"], answer["name"], answer["dataResidency"])


def get_connector_definition(
    name: str,
    *,
    type: Literal["source", "destination"] | None = None,  # noqa: A002
    workspace_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> ConnectorDefinition:
    """A connector by name, such as `source-faker`. With a workspace, custom connectors are included."""
    arguments = {"name": name, "type": type, "workspaceId": workspace_id}
    answer = _invoke("getConnectorDefinition", arguments, opts)
    return ConnectorDefinition(answer["definitionId"], answer["displayName"], answer["type"], answer["version"])


def get_streams(
    source_id: str,
    *,
    destination_id: str | None = None,
    ignore_cache: bool | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> list[StreamProperties]:
    """The streams that a source offers, by name. Discovers the source, which takes minutes if not cached."""
    arguments = {"sourceId": source_id, "destinationId": destination_id, "ignoreCache": ignore_cache}
    return [_stream(stream) for stream in _invoke("getStreams", arguments, opts)["streams"]]


def get_inventory(
    workspace_id: str,
    *,
    managed: Sequence[str] = (),
    declared: Sequence[DeclaredObject] = (),
    opts: pulumi.InvokeOptions | None = None,
) -> list[LiveObject]:
    """Every source, destination and connection of a workspace, with its standing.

    Args:
        workspace_id: the workspace.
        managed: ids of the objects in the program's state.
        declared: the objects that the program declares.
        opts: options of the call.
    """
    entries = [
        {
            "kind": each.kind,
            "name": each.name,
            "sourceName": each.source_name,
            "destinationName": each.destination_name,
        }
        for each in declared
    ]
    arguments = {"workspaceId": workspace_id, "managed": list(managed), "declared": entries}
    return [_live(each) for each in _invoke("getInventory", arguments, opts)["objects"]]


def _live(found: Mapping[str, Any]) -> LiveObject:
    return LiveObject(
        kind=found["kind"],
        id=found["id"],
        name=found["name"],
        standing=found["standing"],
        twins=tuple(found["twins"]),
        source_id=found.get("sourceId"),
        destination_id=found.get("destinationId"),
    )


def _invoke(name: str, arguments: Mapping[str, Any], opts: pulumi.InvokeOptions | None) -> dict[str, Any]:
    token = f"airbyte:index/{name}:{name}"
    given = {key: value for key, value in arguments.items() if value is not None}
    answer: dict[str, Any] = pulumi.runtime.invoke(token, given, opts).value
    return answer


def _stream(stream: Mapping[str, Any]) -> StreamProperties:
    return StreamProperties(
        stream_name=stream["streamName"],
        namespace=stream.get("namespace"),
        sync_modes=tuple(stream["syncModes"]),
        default_cursor_field=tuple(stream["defaultCursorField"]),
        source_defined_cursor=stream["sourceDefinedCursorField"],
        source_defined_primary_key=_paths(stream["sourceDefinedPrimaryKey"]),
        property_fields=_paths(stream["propertyFields"]),
    )


def _paths(paths: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(str(part) for part in path) for path in paths)
