"""What the first `pulumi up` changes although the files say what exists, as nearly as files can."""

from collections.abc import Iterator

from lotus_infra import naming
from lotus_infra.migrate.compare import listed
from lotus_infra.migrate.model import Note
from lotus_infra.migrate.pairs import Pair


def first_changes(pair: Pair, folder: str, *, own_file: bool, own_streams: bool) -> Iterator[Note]:
    """What it changes of a connection.

    Args:
        pair: The connection with its ends.
        folder: Its source's folder.
        own_file: Whether the source had a file before, whose differences are told elsewhere.
        own_streams: Whether it had stream files before.
    """
    connection = pair.connection
    label = naming.connection_label(pair.source.label, pair.destination.label)
    told: list[tuple[str, str]] = []
    if connection.label != label:
        told.append((f'is called "{label}" from then on', "the lake names its connections by their ends"))
    if connection.status != "active":
        told.append(("is switched on", "where it is to rest, delete its folder and its lines of the import file"))
    if connection.loses:
        told.append((f"loses {', '.join(connection.loses)}", "files of a lake can't say that"))
    every = sorted(each.name for each in connection.streams if each.fields is None)
    if every and not own_streams:
        what = f"takes the fields that there are now, and no later ones, of {listed(every)}"
        told.append((what, "no row and no cursor changes by it"))
    if not own_file and not sayable(connection.namespace):
        what = f"writes under {folder}/ instead of its namespace ({connection.namespace})"
        told.append((what, "older files stay where they are: read both, or backfill"))
    for actor in (pair.source, pair.destination):
        if actor.loses:
            yield Note("changes", actor.subject, f"loses {', '.join(actor.loses)}", "files of a lake can't say that")
    yield from (Note("changes", connection.subject, what, remedy) for what, remedy in told)


def sayable(namespace: str) -> bool:
    """Whether a file can name where data goes: the source's and the destination's own namespaces have no name."""
    return naming.is_identifier(namespace) and namespace not in {"source", "destination"}
