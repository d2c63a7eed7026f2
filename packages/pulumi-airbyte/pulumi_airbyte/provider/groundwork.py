"""What a connection stands on: its source, its destination and its tags, looked at right before it is written.

The server makes a connection on a source or a destination that was deleted, and leaves out tags that it does not know,
both in silence. Answers are never older than the question; connections that are written at once share them.
"""

from collections.abc import Iterable
from functools import partial
from typing import Final, get_args

from pulumi_airbyte.client.errors import NotFound, Rejected
from pulumi_airbyte.client.models import Actor, ActorKind
from pulumi_airbyte.provider.connection_tree import tag_shown
from pulumi_airbyte.provider.gone import actor_there
from pulumi_airbyte.provider.inventory import Shared
from pulumi_airbyte.provider.properties import Properties, Property, reveal, unwrap
from pulumi_airbyte.provider.resource import Server

ENDS_HINT: Final = (
    "Nothing was written. Run `pulumi refresh` where the program declares it: `pulumi up` then makes it again. Else "
    "give the id of one that exists."
)
TAGS_HINT: Final = "Nothing was written. Take it out of the program, or make it in Airbyte and give the new id."


class Groundwork:
    """Looks for the ends and the tags of connections. Thread-safe."""

    def __init__(self, server: Server) -> None:
        self._airbyte = server.airbyte
        self._ends: dict[ActorKind, Shared[Actor | None]] = {
            kind: Shared(partial(actor_there, server.airbyte, kind)) for kind in get_args(ActorKind)
        }
        self._tags: Shared[frozenset[str]] = Shared(self._tags_of)

    def require_ends(self, tree: Properties) -> None:
        """Refuse to make a connection whose source or destination is not there.

        Raises:
            NotFound: it is not.
            AirbyteError: that can't be read.
        """
        for kind, look in self._ends.items():
            end_id = str(reveal(tree.get(f"{kind}Id")))
            found = look(end_id)
            if found is None or found.configuration is None:
                label = f'{kind} "{found.name}" ({end_id})' if found else f"{kind} {end_id}"
                raise NotFound(
                    f'The connection "{reveal(tree.get("name"))}" was not made: its {label} does not exist'
                    f"{' any more' if found else ''}.",
                    ENDS_HINT,
                )

    def require_tags(self, tree: Properties) -> None:
        """Refuse to write a connection with tags that its workspace does not have.

        Raises:
            Rejected: it has tags that are not there.
            AirbyteError: the tags can't be listed.
        """
        missing = [tag for tag in _tags(tree) if _text(tag, "tagId") not in self._tags(_text(tag, "workspaceId"))]
        if missing:
            shown = ", ".join(map(tag_shown, missing))
            raise Rejected(
                f'The connection "{reveal(tree.get("name"))}" was not written: its workspace has no {shown}.', TAGS_HINT
            )

    def _tags_of(self, workspace_id: str) -> frozenset[str]:
        return frozenset(tag.tag_id for tag in self._airbyte.tags(workspace_id))


def _tags(tree: Properties) -> Iterable[Property]:
    found = unwrap(tree.get("tags"))
    return found if isinstance(found, list) else ()


def _text(tag: Property, key: str) -> str:
    plain = reveal(tag)
    return str(plain.get(key)) if isinstance(plain, dict) else ""
