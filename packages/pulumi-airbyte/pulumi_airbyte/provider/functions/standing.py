"""The look-up of where each object of a workspace stands to a program."""

from typing import Final, cast, get_args

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.provider import audit
from pulumi_airbyte.provider.functions.function import Arguments, Directory, Function, token
from pulumi_airbyte.provider.properties import Properties, Property
from pulumi_airbyte.provider.tables import Field, ObjectType

DECLARED_KEYS: Final = frozenset({"kind", "name", "sourceName", "destinationName"})
_KINDS: Final = get_args(audit.Kind)
_DECLARED: Final = ObjectType(
    "DeclaredObject",
    "An object that a program declares, by its names on the server.",
    (
        Field("kind", "string", "Its kind.", required=True, values=_KINDS, enum="ObjectKind"),
        Field("name", "string", "Its display name.", required=True),
        Field("sourceName", "string", "Display name of a connection's source."),
        Field("destinationName", "string", "Display name of a connection's destination."),
    ),
)
_LIVE: Final = ObjectType(
    "LiveObject",
    "A live object and its standing.",
    (
        Field("kind", "string", "Its kind.", required=True, values=_KINDS, enum="ObjectKind"),
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


def _inventory(directory: Directory, arguments: Arguments) -> Properties:
    airbyte, workspace_id = directory.airbyte, arguments.text("workspaceId")
    managed, declared = arguments.texts("managed"), [_declared(each) for each in arguments.objects("declared")]
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


FUNCTIONS: Final = {
    token("getInventory"): Function(
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
