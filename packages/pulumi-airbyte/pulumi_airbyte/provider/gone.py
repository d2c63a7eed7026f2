"""When an object counts as gone.

Self-managed Community servers answer 404 for an unknown id; Cloud and Enterprise answer 403, because the permission
check can't find the id's workspace. So a 403 is believed only after the list has confirmed it.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from pulumi_airbyte.client import Airbyte
from pulumi_airbyte.client.errors import Forbidden, NotFound
from pulumi_airbyte.client.models import ActorKind, Connection

Found = TypeVar("Found")
Listed = tuple[str, str, str, str]
"""Where an object would be listed: collection, key of its id, its id, its workspace (or an empty text)."""

REFRESH_HINT: Final = "It was deleted behind the program's back. Run `pulumi refresh`, then `pulumi up` makes it again."


def actor_listed(kind: ActorKind, actor_id: str, workspace_id: str = "") -> Listed:
    """Where a source or a destination would be listed."""
    return f"{kind}s", f"{kind}Id", actor_id, workspace_id


def connection_listed(connection_id: str) -> Listed:
    """Where a connection would be listed."""
    return "connections", "connectionId", connection_id, ""


def connection_there(airbyte: Airbyte, connection_id: str) -> Connection | None:
    """A connection as a GET of its own shows it, or None; one that is deleted is answered as `deprecated`.

    Raises:
        AirbyteError: reading failed for another reason than its absence.
    """
    return exists(airbyte, lambda: airbyte.get_connection(connection_id), connection_listed(connection_id))


def exists(airbyte: Airbyte, read: Callable[[], Found], listed_as: Listed) -> Found | None:
    """What `read` gives, or None when the object does not exist.

    Args:
        airbyte: where to look.
        read: one GET.
        listed_as: where the object would be listed.

    Raises:
        AirbyteError: reading failed for another reason than the object's absence.
    """
    try:
        return read()
    except NotFound:
        return None
    except Forbidden:
        if _is_listed(airbyte, listed_as):
            raise
        return None


def remove(airbyte: Airbyte, delete: Callable[[], None], listed_as: Listed) -> None:
    """Delete an object; one that does not exist (any more) is no error.

    Raises:
        AirbyteError: deleting failed for another reason than the object's absence.
    """
    try:
        delete()
    except NotFound:
        return
    except Forbidden:
        if _is_listed(airbyte, listed_as):
            raise


def changed(change: Callable[[], Found]) -> Found:
    """What `change` gives.

    Raises:
        AirbyteError: the change failed; for an object that is gone with the advice to refresh.
    """
    try:
        return change()
    except NotFound as error:
        raise NotFound(error.message, REFRESH_HINT, error.status) from None


def _is_listed(airbyte: Airbyte, listed_as: Listed) -> bool:
    collection, key, object_id, workspace_id = listed_as
    return object_id in airbyte.ids(collection, key, workspace_id)
