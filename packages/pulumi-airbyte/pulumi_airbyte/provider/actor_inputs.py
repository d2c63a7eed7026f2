"""A source or destination as a canonical tree, and what of it the server is told. Pure."""

from typing import Final

from pulumi_airbyte.client.models import Actor, ActorKind
from pulumi_airbyte.provider.properties import Properties, unwrap
from pulumi_airbyte.provider.secrecy import without_nulls
from pulumi_airbyte.provider.tables import actor_inputs
from pulumi_airbyte.values import Path

WRITTEN: Final = ("name", "configuration", "resourceAllocation")
"""What a PUT sends: the server can't change the rest."""


def canonical(kind: ActorKind, inputs: Properties) -> Properties:
    """Inputs without nulls and what is not asked for, and with one name of the connector: its definition wins."""
    local = {entry.name for entry in actor_inputs(kind) if entry.local}
    cleaned = {key: value for key, value in without_nulls(inputs).items() if key not in local or unwrap(value)}
    return _without_type(kind, cleaned) if "definitionId" in cleaned else cleaned


def from_server(kind: ActorKind, actor: Actor) -> Properties:
    """The server's answer as a canonical tree."""
    found: Properties = {
        "name": actor.name,
        "workspaceId": actor.workspace_id,
        "definitionId": actor.definition_id,
        "configuration": actor.configuration,
        "resourceAllocation": actor.resource_allocation,
    }
    return canonical(kind, found)


def writable(kind: ActorKind, inputs: Properties) -> Properties:
    """What a PUT sends of inputs; the server takes the connector's type out, so that it is none of it."""
    tree = canonical(kind, inputs)
    return _without_type(kind, {key: tree[key] for key in WRITTEN if key in tree})


def identity_of(kind: ActorKind, actor: Actor) -> Properties:
    """The outputs that an actor never changes."""
    return {f"{kind}Id": actor.actor_id, f"{kind}Type": actor.connector_type, "createdAt": actor.created_at}


def names_of_connector(kind: ActorKind) -> tuple[Path, Path]:
    """The two places that can name the connector."""
    return ("definitionId",), ("configuration", f"{kind}Type")


def leaves_out(kind: ActorKind, path: Path) -> bool:
    """Whether the server is known to leave a place out: it takes the connector's type out of the configuration."""
    return path == ("configuration", f"{kind}Type")


def workspace_of(inputs: Properties) -> str:
    """The id of the workspace that inputs name; empty where it is not known."""
    given = unwrap(inputs.get("workspaceId"))
    return given if isinstance(given, str) else ""


def _without_type(kind: ActorKind, tree: Properties) -> Properties:
    configuration = unwrap(tree.get("configuration"))
    if not isinstance(configuration, dict):
        return tree
    return {**tree, "configuration": {key: item for key, item in configuration.items() if key != f"{kind}Type"}}
