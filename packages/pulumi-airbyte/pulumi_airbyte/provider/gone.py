"""When an object counts as gone.

Self-managed Community servers answer 404 for an unknown id; Cloud and Enterprise answer 403, because the permission
check can't find the id's workspace. So a 403 is believed only after the list has confirmed it.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from pulumi_airbyte.client import Airbyte
from pulumi_airbyte.client.errors import AirbyteError, Forbidden, NotFound, Rejected, ServerError
from pulumi_airbyte.client.models import Actor, ActorKind, Connection

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


def connection_lives(airbyte: Airbyte, connection_id: str) -> bool:
    """Whether a connection is there and not deleted.

    Raises:
        AirbyteError: it can't be read.
    """
    found = connection_there(airbyte, connection_id)
    return found is not None and found.status != "deprecated"


def actor_there(airbyte: Airbyte, kind: ActorKind, actor_id: str) -> Actor | None:
    """A source or destination as a GET of its own shows it, or None; a deleted one has no configuration.

    Raises:
        AirbyteError: reading failed for another reason than its absence.
    """
    return exists(airbyte, lambda: airbyte.get_actor(kind, actor_id), actor_listed(kind, actor_id))


def actor_lives(airbyte: Airbyte, kind: ActorKind, actor_id: str) -> bool:
    """Whether a source or destination is there and not deleted.

    Raises:
        AirbyteError: it can't be read.
    """
    found = actor_there(airbyte, kind, actor_id)
    return found is not None and found.configuration is not None


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


def changed(change: Callable[[], Found], label: str, there: Callable[[], bool]) -> Found:
    """What `change` gives.

    A server may answer the change of a deleted object with 500 or 422, which say nothing of it: so it is looked at
    after a failure that may mean that.

    Args:
        change: the write.
        label: the object in words.
        there: whether it is there, by a look of its own.

    Raises:
        NotFound: the object is gone; with the advice to refresh.
        AirbyteError: the change failed for another reason.
    """
    try:
        return change()
    except (NotFound, ServerError, Rejected, Forbidden) as error:
        if not isinstance(error, NotFound) and _may_be_there(there):
            raise
        raise no_more(label, error.status) from error


def no_more(label: str, status: int | None = None) -> NotFound:
    """What is said of an object of the state that was deleted."""
    return NotFound(f"{label} does not exist any more.", REFRESH_HINT, status)


def _may_be_there(there: Callable[[], bool]) -> bool:
    try:
        return there()
    except AirbyteError:
        return True


def _is_listed(airbyte: Airbyte, listed_as: Listed) -> bool:
    collection, key, object_id, workspace_id = listed_as
    return object_id in airbyte.ids(collection, key, workspace_id)
