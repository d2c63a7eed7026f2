"""Look-ups: what a program may ask of the server without owning it.

Each raises what the engine raises when the server has no such thing; the message says what to give instead.
"""

from collections.abc import Mapping
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
