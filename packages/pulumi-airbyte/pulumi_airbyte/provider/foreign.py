"""Connections that would go with their source or destination: Airbyte deletes them silently (SourceHandler)."""

from typing import Final

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.errors import Forbidden, NotFound
from pulumi_airbyte.client.models import ActorKind, Connection
from pulumi_airbyte.provider.gone import connection_there
from pulumi_airbyte.provider.inventory import Shelf

NAMED: Final = 5
HINT: Final = "Delete them or move them first, or set forceDestroy and run `pulumi up`, if they are to go too."


def refuse_foreign(
    airbyte: Airbyte, connections: Shelf[Connection], kind: ActorKind, actor_id: str, workspace_id: str
) -> None:
    """Refuse to delete what live connections still use.

    The program's own have been deleted before: whatever depends on an object goes first.

    Raises:
        AirbyteError: there are such connections, or they can't be listed.
    """
    # The list may be minutes old, and somebody may have deleted them since; a new one may leave some out.
    suspects = _ending(kind, actor_id, _listed(connections, workspace_id))
    living = [item for item in suspects if _lives(airbyte, item.connection_id)]
    if living:
        names = ", ".join(f'"{item.name}" ({item.connection_id})' for item in living[:NAMED])
        more = f" and {len(living) - NAMED} more" if len(living) > NAMED else ""
        count = "1 connection that" if len(living) == 1 else f"{len(living)} connections that"
        raise AirbyteError(
            f"The {kind} {actor_id} was not deleted: Airbyte would delete with it {count} the program "
            f"has not deleted: {names}{more}.",
            HINT,
        )


def _lives(airbyte: Airbyte, connection_id: str) -> bool:
    found = connection_there(airbyte, connection_id)
    return found is not None and found.status != "deprecated"


def _listed(connections: Shelf[Connection], workspace_id: str) -> list[Connection]:
    try:
        return connections.all(workspace_id)
    except (NotFound, Forbidden):
        # The workspace itself is gone, and all that was in it: the DELETE will tell.
        return []


def _ending(kind: ActorKind, actor_id: str, connections: list[Connection]) -> list[Connection]:
    return [item for item in connections if actor_id == (item.source_id if kind == "source" else item.destination_id)]
