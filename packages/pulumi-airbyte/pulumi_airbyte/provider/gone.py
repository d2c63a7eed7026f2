"""Decide whether an object exists.

Self-managed Community servers answer 404 for an unknown id. Cloud and Enterprise answer 403, because the permission
check can't find the id's workspace. So after a 403, the list decides.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from pulumi_airbyte.client import Airbyte
from pulumi_airbyte.client.errors import AirbyteError, Forbidden, NotFound, Rejected, ServerError
from pulumi_airbyte.client.models import Actor, ActorKind, Connection

Found = TypeVar("Found")
Listed = tuple[str, str, str, str]
"""The list that would contain an object: collection, key of the id, the id, and the workspace or an empty text."""

REFRESH_HINT: Final = "It was deleted outside the program. Run `pulumi refresh`, then `pulumi up` makes it again."


def actor_listed(kind: ActorKind, actor_id: str, workspace_id: str = "") -> Listed:
    """The list that would contain a source or destination."""
    return f"{kind}s", f"{kind}Id", actor_id, workspace_id


def connection_listed(connection_id: str) -> Listed:
    """The list that would contain a connection."""
    return "connections", "connectionId", connection_id, ""


def connection_there(airbyte: Airbyte, connection_id: str) -> Connection | None:
    """Read a connection; None if the server does not have it. A deleted one has the status `deprecated`.

    Raises:
        AirbyteError: the read failed.
    """
    return exists(airbyte, lambda: airbyte.get_connection(connection_id), connection_listed(connection_id))


def connection_lives(airbyte: Airbyte, connection_id: str) -> bool:
    """Whether a connection exists and is not deleted.

    Raises:
        AirbyteError: the read failed.
    """
    found = connection_there(airbyte, connection_id)
    return found is not None and found.status != "deprecated"


def actor_there(airbyte: Airbyte, kind: ActorKind, actor_id: str) -> Actor | None:
    """Read a source or destination; None if the server does not have it. A deleted one has no configuration.

    Raises:
        AirbyteError: the read failed.
    """
    return exists(airbyte, lambda: airbyte.get_actor(kind, actor_id), actor_listed(kind, actor_id))


def actor_lives(airbyte: Airbyte, kind: ActorKind, actor_id: str) -> bool:
    """Whether a source or destination exists and is not deleted.

    Raises:
        AirbyteError: the read failed.
    """
    found = actor_there(airbyte, kind, actor_id)
    return found is not None and found.configuration is not None


def exists(airbyte: Airbyte, read: Callable[[], Found], listed_as: Listed) -> Found | None:
    """The result of `read`, or None if the object does not exist.

    Args:
        airbyte: the client.
        read: one GET.
        listed_as: the list that would contain the object.

    Raises:
        AirbyteError: the read failed for another reason.
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
    """Delete an object. It is no error if it does not exist.

    Raises:
        AirbyteError: the delete failed for another reason.
    """
    try:
        delete()
    except NotFound:
        return
    except Forbidden:
        if _is_listed(airbyte, listed_as):
            raise


def changed(change: Callable[[], Found], label: str, there: Callable[[], bool]) -> Found:
    """The result of `change`.

    The server may answer a change of a deleted object with 500 or 422. So after such a failure, look at the object.

    Args:
        change: the write.
        label: the object in words.
        there: reads the object, and returns whether it exists.

    Raises:
        NotFound: the object was deleted; the message advises a refresh.
        AirbyteError: the change failed for another reason.
    """
    try:
        return change()
    except (NotFound, ServerError, Rejected, Forbidden) as error:
        if not isinstance(error, NotFound) and _may_be_there(there):
            raise
        raise no_more(label, error.status) from error


def no_more(label: str, status: int | None = None) -> NotFound:
    """The error for an object of the state that was deleted."""
    return NotFound(f"{label} does not exist any more.", REFRESH_HINT, status)


def _may_be_there(there: Callable[[], bool]) -> bool:
    try:
        return there()
    except AirbyteError:
        return True


def _is_listed(airbyte: Airbyte, listed_as: Listed) -> bool:
    collection, key, object_id, workspace_id = listed_as
    return object_id in airbyte.ids(collection, key, workspace_id)
