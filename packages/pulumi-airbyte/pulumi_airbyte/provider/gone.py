"""When an object counts as gone.

Self-managed Community servers answer 404 for an unknown id; Cloud and Enterprise answer 403, because the permission
check can't find the
id's workspace. So a 403 is believed only after the list has confirmed it.
"""

from collections.abc import Callable
from typing import TypeVar

from pulumi_airbyte.client import Airbyte
from pulumi_airbyte.client.errors import Forbidden, NotFound

Found = TypeVar("Found")


def exists(airbyte: Airbyte, read: Callable[[], Found], listed_as: tuple[str, str, str, str]) -> Found | None:
    """What `read` gives, or None when the object does not exist.

    Args:
        airbyte: where to look.
        read: one GET.
        listed_as: where the object would be listed: collection, key of its id, its id, its workspace (or an empty
            text).

    Raises:
        AirbyteError: reading failed for another reason than the object's absence.
    """
    try:
        return read()
    except NotFound:
        return None
    except Forbidden:
        collection, key, object_id, workspace_id = listed_as
        if object_id in airbyte.ids(collection, key, workspace_id):
            raise
        return None
