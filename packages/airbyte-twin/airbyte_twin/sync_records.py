"""What syncs remember beside jobs and states.

Knows the stored shape of it. Must not know how a sync is carried out.
"""

from airbyte_twin.records import Record


class Epoch(Record):
    """What happened in a made-up system up to one of its syncs; `ends_at` is milliseconds since 1970."""

    ends_at: int
    rows: int


class Outside(Record):
    """How far the made-up system behind a source has come.

    `id` is the source's, `since` is where the first epoch starts, in milliseconds since 1970.
    """

    id: str
    since: int
    epochs: tuple[Epoch, ...]


class StreamGeneration(Record):
    """Which generation of a stream is the last that was begun."""

    name: str
    namespace: str | None = None
    generation_id: int


class Generations(Record):
    """The generations of a connection's streams that are not at their first; `id` is the connection's."""

    id: str
    streams: tuple[StreamGeneration, ...] = ()
