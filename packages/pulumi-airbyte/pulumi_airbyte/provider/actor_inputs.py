"""The inputs of a source or destination as a canonical tree, and the part of it that is written. Pure."""

from typing import Final

from pulumi_airbyte.client.models import Actor, ActorKind
from pulumi_airbyte.provider.properties import Properties, is_known, unwrap
from pulumi_airbyte.provider.secrecy import without_nulls
from pulumi_airbyte.provider.tables import actor_inputs
from pulumi_airbyte.values import Path

WRITTEN: Final = ("name", "configuration", "resourceAllocation")
"""The properties that a PUT sends; the server can't change the others."""


def canonical(kind: ActorKind, inputs: Properties) -> Properties:
    """Inputs without nulls and disabled options. If `definitionId` is given, the connector's type is left out."""
    local = {entry.name for entry in actor_inputs(kind) if entry.kept}
    cleaned = {key: value for key, value in without_nulls(inputs).items() if key not in local or unwrap(value)}
    if "resourceAllocation" in cleaned:
        cleaned = _without_empty_jobs(cleaned)
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
    """The part of inputs that a PUT sends, without the connector's type, which the server removes."""
    tree = canonical(kind, inputs)
    return _without_type(kind, {key: tree[key] for key in WRITTEN if key in tree})


def identity_of(kind: ActorKind, actor: Actor) -> Properties:
    """The outputs that never change."""
    return {f"{kind}Id": actor.actor_id, f"{kind}Type": actor.connector_type, "createdAt": actor.created_at}


def names_of_connector(kind: ActorKind) -> tuple[Path, Path]:
    """The two paths that can name the connector."""
    return ("definitionId",), ("configuration", f"{kind}Type")


def leaves_out(kind: ActorKind, path: Path) -> bool:
    """Whether the server is known to drop this path: it removes the connector's type from the configuration."""
    return path == ("configuration", f"{kind}Type")


def workspace_of(inputs: Properties) -> str:
    """The workspace id among inputs; empty while it is unknown."""
    given = unwrap(inputs.get("workspaceId"))
    return given if isinstance(given, str) else ""


def _without_type(kind: ActorKind, tree: Properties) -> Properties:
    configuration = unwrap(tree.get("configuration"))
    if not isinstance(configuration, dict):
        return tree
    return {**tree, "configuration": {key: item for key, item in configuration.items() if key != f"{kind}Type"}}


def _without_empty_jobs(tree: Properties) -> Properties:
    """The tree without a list of no jobs, which the server adds to every allocation."""
    given = unwrap(tree["resourceAllocation"])
    if not isinstance(given, dict) or not is_known(given) or unwrap(given.get("jobSpecific")) != []:
        return tree
    return {**tree, "resourceAllocation": {key: item for key, item in given.items() if key != "jobSpecific"}}
