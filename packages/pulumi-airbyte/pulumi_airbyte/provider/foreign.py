"""Connections that would go with their source or destination: Airbyte deletes them silently (SourceHandler)."""

from collections.abc import Callable
from typing import Final

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.errors import Forbidden, NotFound
from pulumi_airbyte.client.models import ActorKind
from pulumi_airbyte.client.whole_lists import Ends
from pulumi_airbyte.provider.gone import connection_lives, exists

NAMED: Final = 5


def refuse_foreign(
    airbyte: Airbyte, ends: Callable[[str], list[Ends]], kind: ActorKind, actor_id: str, workspace_id: str
) -> None:
    """Refuse to delete what live connections still use.

    The program's own have been deleted before: whatever depends on an object goes first.

    Args:
        airbyte: where it is.
        ends: what the connections of a workspace connect now; never from a list that is older than the step.
        kind: of the object.
        actor_id: its id.
        workspace_id: its workspace.

    Raises:
        AirbyteError: there are such connections, or they can't be listed.
    """
    suspects = [
        item
        for item in _listed(airbyte, ends, workspace_id)
        if actor_id == (item.source_id if kind == "source" else item.destination_id)
    ]
    # One may have been deleted since the list was read.
    living = [item for item in suspects if connection_lives(airbyte, item.connection_id)]
    if living:
        names = ", ".join(f'"{item.name}" ({item.connection_id})' for item in living[:NAMED])
        more = f" and {len(living) - NAMED} more" if len(living) > NAMED else ""
        count = "1 connection that" if len(living) == 1 else f"{len(living)} connections that"
        raise AirbyteError(
            f"The {kind} {actor_id} was not deleted: Airbyte would delete with it {count} the program "
            f"has not deleted: {names}{more}.",
            f"Delete them in Airbyte and run `pulumi up` again. To delete them together with the {kind}, declare the "
            f"{kind} with forceDestroy (again, if it has left the program), run `pulumi up`, and then remove it.",
        )


def _listed(airbyte: Airbyte, ends: Callable[[str], list[Ends]], workspace_id: str) -> list[Ends]:
    try:
        return ends(workspace_id)
    except (NotFound, Forbidden):
        listed_as = ("workspaces", "workspaceId", workspace_id, "")
        if exists(airbyte, lambda: airbyte.get_workspace(workspace_id), listed_as) is not None:
            raise
        # The workspace itself is gone, and all that was in it: the DELETE will show it.
        return []
