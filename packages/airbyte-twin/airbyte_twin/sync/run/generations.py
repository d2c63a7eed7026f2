"""Generations of streams: a new one begins where rows are to replace those before them.

Knows generations. Must not know who writes rows.
Source: airbyte-platform GenerationBumper, CatalogGenerationSetter.
"""

from dataclasses import dataclass

from airbyte_twin.records import Connection, Job, SelectedStream
from airbyte_twin.states import StreamKey
from airbyte_twin.store import Store
from airbyte_twin.sync_records import Generations, StreamGeneration

REPLACING = frozenset({"overwrite", "overwrite_dedup"})


@dataclass(frozen=True, slots=True)
class Generation:
    """Of a stream in one job: which it writes, and which is the oldest to keep (0: all)."""

    current: int
    minimum: int


def begin_generations(store: Store, connection: Connection, job: Job) -> dict[StreamKey, Generation]:
    """Begin a generation of each stream that a job reads anew or clears, and say how all of them stand."""
    known = store.generations.get(connection.id) or Generations(id=connection.id)
    numbers = {(each.namespace, each.name): each.generation_id for each in known.streams}
    found = {}
    for stream in connection.streams:
        anew, replacing = _anew(stream, job), _replacing(stream, job)
        number = numbers.get(stream.key, 0) + anew
        if anew:
            numbers[stream.key] = number
        found[stream.key] = Generation(number, number if replacing else 0)
    streams = tuple(
        StreamGeneration(name=name, namespace=space, generation_id=number) for (space, name), number in numbers.items()
    )
    if streams != known.streams:
        store.generations.put(Generations(id=connection.id, streams=streams))
    return found


def is_asked(stream: SelectedStream, job: Job) -> bool:
    """Whether a refresh or clear is about a stream."""
    return job.type != "sync" and (job.streams is None or stream.key in job.streams)


def _anew(stream: SelectedStream, job: Job) -> bool:
    return is_asked(stream, job) or (job.type != "reset" and stream.sync_mode == "full_refresh")


def _replacing(stream: SelectedStream, job: Job) -> bool:
    if is_asked(stream, job) and (job.type == "reset" or job.refresh_mode == "truncate"):
        return True
    return stream.sync_mode == "full_refresh" and stream.destination_sync_mode in REPLACING
