"""Look-ups of sources and destinations."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from pulumi_airbyte.client.models import Actor, ActorKind
from pulumi_airbyte.provider.functions.function import (
    WORKSPACE,
    WORKSPACE_FILTER,
    Arguments,
    Directory,
    Function,
    Keys,
    answered,
    shelved,
    token,
)
from pulumi_airbyte.provider.properties import Properties, Property, Secret
from pulumi_airbyte.provider.secrecy import Specifications, masks, secrets_at_leaves, with_secrets_marked
from pulumi_airbyte.provider.tables import Field, ObjectType
from pulumi_airbyte.values import MASK, render_path


def _functions(kind: ActorKind) -> Iterator[tuple[str, Function]]:
    shape, keys = _shape(kind), _keys(kind)
    yield (
        token(f"get{kind.capitalize()}"),
        Function(
            f"A {kind}, by id or by name. Airbyte shows its secrets as masks, never the values.",
            (
                Field(f"{kind}Id", "string", f"The {kind}'s id."),
                Field("name", "string", f"The {kind}'s display name."),
                WORKSPACE,
            ),
            shape.fields,
            partial(_one, kind),
            keys.failures,
        ),
    )
    yield (
        token(f"get{kind.capitalize()}s"),
        Function(
            f"All {kind}s, by name. Airbyte shows their secrets as masks, never the values.",
            (
                WORKSPACE_FILTER,
                Field("definitionId", "string", "Only those of this connector."),
            ),
            (Field(f"{kind}s", "objects", f"The {kind}s, by name.", required=True, of=shape),),
            partial(_all, kind),
        ),
    )


def _shape(kind: ActorKind) -> ObjectType:
    return ObjectType(
        f"{kind.capitalize()}Properties",
        f"A {kind}.",
        (
            Field(f"{kind}Id", "string", "Its id.", required=True),
            Field("name", "string", "Its display name.", required=True),
            Field("workspaceId", "string", "The workspace that holds it.", required=True),
            Field("definitionId", "string", "The definition of its connector.", required=True),
            Field(f"{kind}Type", "string", "The connector's type name; empty for custom connectors.", required=True),
            Field("configuration", "object", f"Its configuration, with each secret as `{MASK}`.", required=True),
            Field("secretPaths", "texts", "Paths of the secrets in the configuration.", required=True),
            Field("resourceAllocation", "object", "CPU and memory of its connector's jobs; absent without any."),
            Field("createdAt", "integer", "When it was created, in seconds since 1970.", required=True),
        ),
    )


def _keys(kind: ActorKind) -> Keys[Actor]:
    return Keys(
        kind, f"{kind}Id", lambda found: found.actor_id, lambda found: found.name, {"name": lambda found: found.name}
    )


def _one(kind: ActorKind, directory: Directory, arguments: Arguments) -> Properties:
    shelf = directory.inventory.actors(kind)
    found = shelved(directory, shelf, _keys(kind), arguments, lambda actor: actor.configuration is None)
    return _shown(kind, found, directory.specifications)


def _all(kind: ActorKind, directory: Directory, arguments: Arguments) -> Properties:
    definition_id = arguments.text("definitionId")
    listed = directory.inventory.actors(kind).all(arguments.text("workspaceId"))
    found = [actor for actor in listed if definition_id in {"", actor.definition_id}]
    ordered = sorted(found, key=lambda actor: (actor.name, actor.actor_id))
    return {f"{kind}s": [_shown(kind, actor, directory.specifications) for actor in ordered]}


def _shown(kind: ActorKind, actor: Actor, specifications: Specifications) -> Properties:
    configuration = _masked(kind, actor, specifications)
    return answered(
        {
            f"{kind}Id": actor.actor_id,
            "name": actor.name,
            "workspaceId": actor.workspace_id,
            "definitionId": actor.definition_id,
            f"{kind}Type": actor.connector_type,
            "configuration": configuration,
            "secretPaths": [render_path(path) for path in masks(configuration)],
            "resourceAllocation": actor.resource_allocation,
            "createdAt": actor.created_at,
        }
    )


def _masked(kind: ActorKind, actor: Actor, specifications: Specifications) -> Property:
    """The configuration without secrets: a value that the specification calls secret is masked, whatever Airbyte shows.

    Raises:
        AirbyteError: the server is failing, so that the specification can't be read.
    """
    configuration = actor.configuration or {}
    schema = specifications.get(kind, actor.definition_id, actor.workspace_id)
    if schema is None:
        return configuration
    return _hidden(secrets_at_leaves(with_secrets_marked(configuration, schema)))


def _hidden(value: Property) -> Property:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, dict):
        return {key: _hidden(item) for key, item in value.items()}
    return [_hidden(item) for item in value] if isinstance(value, list) else value


FUNCTIONS: Final = {**dict(_functions("source")), **dict(_functions("destination"))}
