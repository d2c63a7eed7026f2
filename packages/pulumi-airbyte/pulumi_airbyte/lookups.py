"""Look-ups: what a program may ask of the server without owning it.

Each raises what the engine raises when the server has no such thing; the message says what to give instead.
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
        definition_id: what sources and destinations refer to.
        display_name: as the server shows it.
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
        namespace: of the source; None where it has none.
        sync_modes: in the public API's spelling; empty unless asked for with a destination.
        default_cursor_field: path of the field by which new records are found; may be empty.
        source_defined_cursor: whether the source insists on that cursor.
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
    """An object that a program declares, by the names that it has on the server.

    Attributes:
        kind: `source`, `destination` or `connection`.
        name: its display name.
        source_name: of a connection, the display name of its source.
        destination_name: of a connection, the display name of its destination.
    """

    kind: Literal["source", "destination", "connection"]
    name: str
    source_name: str = ""
    destination_name: str = ""


@dataclass(frozen=True)
class LiveObject:
    """An object that the server has, and where it stands.

    Attributes:
        kind: `source`, `destination` or `connection`.
        id: its id.
        name: its display name.
        standing: `managed`, `adoptable` (the next `up` takes it over where it is identical), `duplicate` (another one
            has the same identity) or `orphan`.
        twins: ids of the other objects of its identity.
        source_id: of a connection.
        destination_id: of a connection.
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
    """A workspace by id or by name; with neither, the only one there is."""
    answer = _invoke("getWorkspace", {"workspaceId": workspace_id, "name": name}, opts)
    return WorkspaceProperties(answer["workspaceId"], answer["name"], answer["dataResidency"])


def get_connector_definition(
    name: str,
    *,
    type: Literal["source", "destination"] | None = None,  # noqa: A002
    workspace_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> ConnectorDefinition:
    """A connector by its name, such as `source-faker`; in a workspace its custom connectors too."""
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
    """The streams that a source offers, by name. Discovers the source, which takes minutes where nothing is cached."""
    arguments = {"sourceId": source_id, "destinationId": destination_id, "ignoreCache": ignore_cache}
    return [_stream(stream) for stream in _invoke("getStreams", arguments, opts)["streams"]]


def get_inventory(
    workspace_id: str,
    *,
    managed: Sequence[str] = (),
    declared: Sequence[DeclaredObject] = (),
    opts: pulumi.InvokeOptions | None = None,
) -> list[LiveObject]:
    """Every source, destination and connection of a workspace, and where each stands.

    Args:
        workspace_id: the workspace.
        managed: ids of what the program has.
        declared: what the program declares.
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
