"""When a live source or destination is the one that a program means."""

from collections.abc import Callable
from typing import Final, cast

from pulumi_airbyte.client.models import Actor, ActorKind
from pulumi_airbyte.provider.adoption import Found, Seen, Sought
from pulumi_airbyte.provider.inventory import Shelf
from pulumi_airbyte.provider.properties import Properties, has_secret, unwrap
from pulumi_airbyte.provider.secrecy import masks

IDENTITY: Final = ("workspaceId", "name")


def sought(
    kind: ActorKind, wanted: Properties, shelf: Shelf[Actor], from_server: Callable[[Actor], Properties]
) -> Sought[Actor]:
    """What a create of this canonical tree looks for.

    Args:
        kind: source or destination.
        wanted: the tree; its workspace and its name are known.
        shelf: the objects of its kind.
        from_server: a live object's tree.
    """
    named_by = {key: wanted[key] for key in IDENTITY}
    workspace_id, name = (str(unwrap(value)) for value in named_by.values())

    def look(actor: Actor) -> Seen:
        return Seen(actor.actor_id, (actor.name,), lambda: _named_as(wanted, kind, actor, from_server(actor)))

    def adopting(found: Found[Actor]) -> str:
        hidden = has_secret(wanted.get("configuration")) or any(masks(found.record.configuration))
        return "its secrets, which can't be compared, will be written" if hidden else ""

    return Sought(kind, workspace_id, (name,), named_by, wanted, shelf, look, adopting=adopting)


def _named_as(wanted: Properties, kind: ActorKind, actor: Actor, live: Properties) -> Properties:
    """A live actor's tree, its connector named in the way in which the wanted one names its own."""
    if "definitionId" in wanted:
        return live
    named = {**cast("Properties", live["configuration"]), f"{kind}Type": actor.connector_type}
    return {key: item for key, item in live.items() if key != "definitionId"} | {"configuration": named}
