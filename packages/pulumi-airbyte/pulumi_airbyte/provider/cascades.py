"""Look right before a delete at what Airbyte would delete with it, silently.

With a source or destination it deletes the connections, with a definition its sources or destinations too, with a
workspace everything in it. The program's own objects were deleted before: the engine deletes dependents first.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.errors import Forbidden, NotFound
from pulumi_airbyte.client.models import ActorKind
from pulumi_airbyte.client.whole_lists import Ends
from pulumi_airbyte.provider.gone import actor_lives, connection_lives, exists

NAMED: Final = 5
Listed = TypeVar("Listed")


def refuse_connected(
    airbyte: Airbyte, ends: Callable[[str], list[Ends]], kind: ActorKind, actor_id: str, workspace_id: str
) -> None:
    """Refuse to delete a source or destination that live connections use (airbyte-platform, SourceHandler).

    Args:
        airbyte: the client.
        ends: lists the sources and destinations of a workspace's connections, read after the call.
        kind: source or destination.
        actor_id: the object's id.
        workspace_id: its workspace.

    Raises:
        AirbyteError: there are such connections, or they can't be listed.
    """
    suspects = [
        item
        for item in _listed(airbyte, workspace_id, ends)
        if actor_id == (item.source_id if kind == "source" else item.destination_id)
    ]
    # A connection may have been deleted since the list was read.
    living = [item for item in suspects if connection_lives(airbyte, item.connection_id)]
    if living:
        raise _refusal(
            f"The {kind} {actor_id}",
            _counted("connection", len(living)),
            [f'"{item.name}" ({item.connection_id})' for item in living],
        )


def refuse_configured(airbyte: Airbyte, kind: ActorKind, definition_id: str, workspace_id: str) -> None:
    """Refuse to delete a definition that live sources or destinations use.

    Args:
        airbyte: the client.
        kind: whether it is a definition of sources or of destinations.
        definition_id: its id.
        workspace_id: its workspace.

    Raises:
        AirbyteError: there are such objects, or they can't be listed.
    """
    actors = _listed(airbyte, workspace_id, lambda within: airbyte.every_actor(kind, within))
    suspects = [actor for actor in actors if actor.definition_id == definition_id]
    living = [actor for actor in suspects if actor_lives(airbyte, kind, actor.actor_id)]
    if living:
        raise _refusal(
            f"The definition {definition_id}",
            f"{_counted(kind, len(living))}, and all their connections",
            [f'"{actor.name}" ({actor.actor_id})' for actor in living],
        )


def refuse_full(airbyte: Airbyte, workspace_id: str) -> None:
    """Refuse to delete a workspace that still holds objects.

    Raises:
        AirbyteError: it holds objects, or they can't be listed.
    """
    kinds: tuple[ActorKind, ...] = ("source", "destination")
    try:
        held = [(kind, actor) for kind in kinds for actor in airbyte.list_actors(kind, workspace_id)]
    except (NotFound, Forbidden):
        # The workspace was deleted. The DELETE reports that.
        return
    if held:
        names = [f'{kind} "{actor.name}" ({actor.actor_id})' for kind, actor in held]
        raise _refusal(f"The workspace {workspace_id}", _counted("object", len(held)), names)


def _refusal(label: str, count: str, names: Sequence[str]) -> AirbyteError:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    kind = label.split()[1]
    return AirbyteError(
        f"{label} was not deleted: Airbyte would delete with it {count}: {', '.join(names[:NAMED])}{more}.",
        f"Delete them in Airbyte and run `pulumi up` again. To delete them together with the {kind}, declare the "
        f"{kind} with forceDestroy (again, if it has left the program), run `pulumi up`, and then remove it.",
    )


def _counted(kind: str, number: int) -> str:
    return (
        f"1 {kind} that the program has not deleted"
        if number == 1
        else f"{number} {kind}s that the program has not deleted"
    )


def _listed(airbyte: Airbyte, workspace_id: str, read: Callable[[str], list[Listed]]) -> list[Listed]:
    """A list of a workspace; empty if the workspace was deleted with everything in it, which the DELETE reports."""
    try:
        return read(workspace_id)
    except (NotFound, Forbidden):
        listed_as = ("workspaces", "workspaceId", workspace_id, "")
        if exists(airbyte, lambda: airbyte.get_workspace(workspace_id), listed_as) is not None:
            raise
        return []
