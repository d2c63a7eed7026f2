"""When a live connection is the one that a program means."""

from collections.abc import Iterator
from typing import Final

from pulumi_airbyte.client.errors import Forbidden, NotFound
from pulumi_airbyte.client.models import Actor, Connection
from pulumi_airbyte.provider.adoption import Found, Seen, Sought
from pulumi_airbyte.provider.connection_tree import from_server, mapper_keys
from pulumi_airbyte.provider.inventory import Shelf
from pulumi_airbyte.provider.properties import Properties, Property, unwrap
from pulumi_airbyte.values import Path

IDENTITY: Final = ("name", "sourceId", "destinationId")


def sought(
    tree: Properties, first: Properties, sources: Shelf[Actor], connections: Shelf[Connection]
) -> Sought[Connection]:
    """What a create of this canonical tree, whose first call makes another one, looks for in its source's workspace.

    Raises:
        AirbyteError: the source can't be read.
    """

    def look(found: Connection) -> Seen:
        identity = (found.name, found.source_id, found.destination_id)
        return Seen(found.connection_id, identity, lambda: from_server(found, tree))

    identity = tuple(str(unwrap(tree[key])) for key in IDENTITY)
    return Sought(
        "connection",
        _home(sources, identity[1]),
        identity,
        {key: tree[key] for key in IDENTITY},
        tree,
        connections,
        look,
        as_posted=first,
        is_open=_is_open,
        adopting=lambda found: ", and ".join(_adopting(found, tree)),
    )


def _adopting(found: Found[Connection], tree: Properties) -> Iterator[str]:
    if found.behind:
        yield f"what a run that broke off has left ({', '.join(sorted(found.behind))}) will be written"
    if any(mapper_keys(tree)):
        yield "its streams will be written, since the keys of their mappers can't be compared"


def _home(sources: Shelf[Actor], source_id: str) -> str | None:
    """The workspace of a source; None for one that does not exist, about which the server has its own words."""
    try:
        return sources.home(source_id)
    except (NotFound, Forbidden):
        return None


def _is_open(path: Path, wanted: Property) -> bool:
    """What the server fills in: a stream's namespace, and a cursor or a key that is left to the source."""
    if len(path) < 3 or path[0] != "configurations":
        return False
    return path[2] == "namespace" or (wanted is None and path[2] in {"cursorField", "primaryKey"})
