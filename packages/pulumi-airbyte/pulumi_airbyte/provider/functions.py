"""Look-ups (functions of the schema): read-only calls for programs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast, get_args

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.models import ActorKind, ConnectorDefinition, StreamProperties
from pulumi_airbyte.provider import audit
from pulumi_airbyte.provider.properties import Properties, Property, reveal
from pulumi_airbyte.provider.resource import Failure, table_failures
from pulumi_airbyte.provider.tables import Field, ObjectType

_PARENTHESES: Final = re.compile(r"\(([^)]*)\)")


@dataclass(frozen=True)
class Function:
    """One look-up: its field tables and its implementation."""

    summary: str
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    answer: Callable[[Airbyte, Properties], Properties]

    def call(self, airbyte: Airbyte, arguments: Properties) -> Properties | list[Failure]:
        """The answer, or failures for the arguments.

        Raises:
            AirbyteError: the server failed, or has no such object.
            ValueError: an argument is unknown.
        """
        plain = cast("Properties", {key: reveal(value) for key, value in arguments.items()})
        return table_failures(self.inputs, plain) or self.answer(airbyte, plain)


def _workspace(airbyte: Airbyte, arguments: Properties) -> Properties:
    wanted_id, wanted_name = arguments.get("workspaceId"), arguments.get("name")
    if wanted_id:
        found = [airbyte.get_workspace(str(wanted_id))]
    else:
        found = [item for item in airbyte.list_workspaces() if not wanted_name or item.name == wanted_name]
    if len(found) != 1:
        known = (
            f"{len(found)} workspaces are called {wanted_name!r}"
            if wanted_name
            else f"there are {len(found)} workspaces"
        )
        raise AirbyteError(f"The workspace is ambiguous: {known}.", "Give workspaceId.")
    [workspace] = found
    return {"workspaceId": workspace.workspace_id, "name": workspace.name, "dataResidency": workspace.data_residency}


def _connector_definition(airbyte: Airbyte, arguments: Properties) -> Properties:
    name = str(arguments["name"])
    prefix, _, bare = name.partition("-")
    kind = str(arguments.get("type") or prefix)
    if kind not in {"source", "destination"}:
        raise AirbyteError(
            f"{name!r} is no connector name.", 'Write it like "source-faker" or "destination-s3", or give type.'
        )
    wanted = _letters(bare if kind == prefix else name)
    workspace_id = str(arguments.get("workspaceId") or "") or _any_workspace(airbyte)
    definitions = airbyte.connector_definitions(cast("ActorKind", kind), workspace_id)
    found = [definition for definition in definitions if wanted in _spellings(definition.name)]
    if len(found) != 1:
        raise AirbyteError(f"The server has {len(found)} {kind} connectors called {name!r}.", _choices(definitions))
    [definition] = found
    answer = {"definitionId": definition.definition_id, "displayName": definition.name, "version": definition.version}
    return {**answer, "type": definition.kind}


def _any_workspace(airbyte: Airbyte) -> str:
    """The id of any visible workspace: all of them list the public connectors.

    Raises:
        AirbyteError: no workspace is visible.
    """
    found = min((workspace.workspace_id for workspace in airbyte.list_workspaces()), default="")
    if not found:
        raise AirbyteError("Airbyte lists connectors by workspace, and there is none to ask for.", "Give workspaceId.")
    return found


def _choices(definitions: list[ConnectorDefinition]) -> str:
    names = sorted(definition.name for definition in definitions)
    more = ", …" if len(names) > 40 else ""
    return f"Known are: {', '.join(names[:40])}{more}. Or give the definition's id to the resource."


def _spellings(display_name: str) -> set[str]:
    """Accepted names of a connector. The API has only a display name, such as "Sample Data (Faker)"."""
    return {_letters(name) for name in (display_name, *_PARENTHESES.findall(display_name))}


def _letters(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _streams(airbyte: Airbyte, arguments: Properties) -> Properties:
    found = airbyte.streams(
        str(arguments["sourceId"]),
        str(arguments.get("destinationId") or ""),
        ignore_cache=arguments.get("ignoreCache") is True,
    )
    return {"streams": [_stream(stream) for stream in sorted(found, key=lambda stream: stream.stream_name)]}


def _stream(stream: StreamProperties) -> Property:
    described: Mapping[str, object] = {
        "streamName": stream.stream_name,
        "namespace": stream.namespace,
        "syncModes": stream.sync_modes,
        "defaultCursorField": stream.default_cursor_field,
        "sourceDefinedCursorField": stream.source_defined_cursor,
        "sourceDefinedPrimaryKey": stream.source_defined_primary_key,
        "propertyFields": stream.property_fields,
    }
    return cast("Property", {key: value for key, value in described.items() if value is not None})


def _inventory(airbyte: Airbyte, arguments: Properties) -> Properties:
    workspace_id = str(arguments["workspaceId"])
    managed = [str(each) for each in cast("list[Property]", arguments.get("managed") or [])]
    declared = [_declared(each) for each in cast("list[Property]", arguments.get("declared") or [])]
    live = audit.listed(
        airbyte.list_actors("source", workspace_id),
        airbyte.list_actors("destination", workspace_id),
        airbyte.list_connections(workspace_id),
    )
    return {"objects": [_audited(each) for each in audit.audit(live, managed, declared)]}


def _declared(given: Property) -> audit.Declared:
    texts = {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {}
    if not texts.get("name") or texts.get("kind") not in get_args(audit.Kind) or not texts.keys() <= DECLARED_KEYS:
        raise AirbyteError(
            "An entry of declared is no object of a program.",
            "Give kind (source, destination or connection) and name, for a connection sourceName and destinationName.",
        )
    kind = cast("audit.Kind", texts["kind"])
    return audit.Declared(kind, texts["name"], texts.get("sourceName", ""), texts.get("destinationName", ""))


def _audited(each: audit.Audited) -> Property:
    found = each.found
    ends: Properties = {"sourceId": found.source_id, "destinationId": found.destination_id}
    return {
        "kind": found.kind,
        "id": found.id,
        "name": found.name,
        "standing": each.standing,
        "twins": list(each.twins),
        **(ends if found.kind == "connection" else {}),
    }


DECLARED_KEYS: Final = frozenset({"kind", "name", "sourceName", "destinationName"})
_WORKSPACE_ID: Final = Field("workspaceId", "string", "The workspace's id.")
_KINDS: Final = get_args(audit.Kind)
_STREAM: Final = ObjectType(
    "StreamProperties",
    "A stream that a source offers.",
    (
        Field("streamName", "string", "Its name.", required=True),
        Field("namespace", "string", "Its namespace in the source; absent without one."),
        Field("syncModes", "texts", "In the public API's spelling; empty without `destinationId`.", required=True),
        Field("defaultCursorField", "texts", "Path of the field that marks new records; may be empty.", required=True),
        Field("sourceDefinedCursorField", "boolean", "Whether the source allows no other cursor.", required=True),
        Field("sourceDefinedPrimaryKey", "paths", "Paths of the key's parts; may be empty.", required=True),
        Field("propertyFields", "paths", "Paths of all fields.", required=True),
    ),
)
_DECLARED: Final = ObjectType(
    "DeclaredObject",
    "An object that a program declares, by its names on the server.",
    (
        Field("kind", "string", "Its kind.", required=True, values=_KINDS),
        Field("name", "string", "Its display name.", required=True),
        Field("sourceName", "string", "Display name of a connection's source."),
        Field("destinationName", "string", "Display name of a connection's destination."),
    ),
)
_LIVE: Final = ObjectType(
    "LiveObject",
    "A live object and its standing.",
    (
        Field("kind", "string", "Its kind.", required=True, values=_KINDS),
        Field("id", "string", "Its id.", required=True),
        Field("name", "string", "Its display name.", required=True),
        Field(
            "standing",
            "string",
            "`managed`, `adoptable` (the next `up` adopts it if it is identical), `duplicate` (another object has the "
            "same identity) or `orphan`.",
            required=True,
            values=get_args(audit.Standing),
        ),
        Field("twins", "texts", "Ids of the other objects with its identity.", required=True),
        Field("sourceId", "string", "Id of a connection's source."),
        Field("destinationId", "string", "Id of a connection's destination."),
    ),
)

FUNCTIONS: Final[dict[str, Function]] = {
    "airbyte:index/getWorkspace:getWorkspace": Function(
        "A workspace by id or by name; with neither, the only one there is.",
        (_WORKSPACE_ID, Field("name", "string", "The workspace's name.")),
        (
            replace(_WORKSPACE_ID, required=True),
            Field("name", "string", "The workspace's name.", required=True),
            Field("dataResidency", "string", "Where its jobs run.", required=True),
        ),
        _workspace,
    ),
    "airbyte:index/getConnectorDefinition:getConnectorDefinition": Function(
        "The definition id of a connector by its name, such as `source-faker`.",
        (
            Field("name", "string", "The connector's name, with its kind in front.", required=True),
            Field("type", "string", "The kind, where the name doesn't have it.", values=("source", "destination")),
            Field(
                "workspaceId",
                "string",
                "Look among the connectors of this workspace, custom ones included. Default: any workspace there is.",
            ),
        ),
        (
            Field("definitionId", "string", "The definition's id.", required=True),
            Field("displayName", "string", "The name that the server shows.", required=True),
            Field("type", "string", "source or destination.", required=True),
            Field("version", "string", "The connector's version (its image tag).", required=True),
        ),
        _connector_definition,
    ),
    "airbyte:index/getStreams:getStreams": Function(
        "The streams that a source offers, by discovery.",
        (
            Field("sourceId", "string", "The source.", required=True),
            Field("destinationId", "string", "Give sync modes for this destination."),
            Field("ignoreCache", "boolean", "Run a new discovery, which can take minutes."),
        ),
        (Field("streams", "objects", "The streams, by name.", required=True, of=_STREAM),),
        _streams,
    ),
    "airbyte:index/getInventory:getInventory": Function(
        "Every source, destination and connection of a workspace, and where each stands: managed, adoptable, duplicate "
        "or orphan.",
        (
            Field("workspaceId", "string", "The workspace.", required=True),
            Field("managed", "texts", "Ids of what the program has."),
            Field(
                "declared",
                "objects",
                "What the program declares: kind and name, of a connection also sourceName and destinationName.",
                of=_DECLARED,
            ),
        ),
        (
            Field(
                "objects",
                "objects",
                "The objects, each with kind, id, name, standing and twins.",
                required=True,
                of=_LIVE,
            ),
        ),
        _inventory,
    ),
}
