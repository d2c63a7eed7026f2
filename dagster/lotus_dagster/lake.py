"""The lake's streams as Dagster needs them: names and prefixes, from the stream files alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lotus_dagster.jobs.connections import NOTHING, ByJobs, by_jobs
from lotus_infra import naming
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.loader import load_usable_lake
from lotus_infra.lake.overlays import for_stack


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that lands in the lake.

    Attributes:
        source: The folder.
        name: The file without its ending.
        prefix: Where its files are, below the landing zone: `raw/shopify/orders/`.
    """

    source: str
    name: str
    prefix: str

    @property
    def tag(self) -> str:
        """The dbt tag of the stream's models."""
        return naming.dbt_tag(self.source, self.name)


class StackStreams(NamedTuple):
    """The selected streams of a lake, by whether they land in a stack.

    Attributes:
        deployed: Those that land.
        left_out: Those that don't, because the stack leaves out their source or writes it elsewhere. Marts may read
            their models.
        by_jobs: What arrives by jobs, such as tables.
    """

    deployed: tuple[Stream, ...]
    left_out: tuple[Stream, ...]
    by_jobs: ByJobs = NOTHING


def streams_of(directory: Path, stack: str = "") -> tuple[Stream, ...]:
    """The selected streams that land in a stack's lake; those of other destinations than destination-s3 are left out.

    Args:
        directory: The lake's folder.
        stack: The stack; empty for the lake as its files have it.

    Raises:
        LakeError: The folder or one of its files can't be read.
    """
    return streams_in_stack(directory, stack).deployed


def streams_in_stack(directory: Path, stack: str) -> StackStreams:
    """All selected streams of a lake; arguments and errors as of `streams_of`."""
    lake = load_usable_lake(directory)
    own = for_stack(lake, stack)
    deployed = tuple(_streams(own))
    names = {(stream.source, stream.name) for stream in deployed}
    left_out = tuple(each for each in _streams(lake) if (each.source, each.name) not in names)
    return StackStreams(deployed, left_out, by_jobs(own, lake))


def _streams(lake: Lake) -> Iterator[Stream]:
    for source in lake.sources:
        for stream in source.selected_streams:
            prefix = lake.prefix_of(source, stream)
            if prefix is not None:
                yield Stream(source.name, stream.name, prefix)
