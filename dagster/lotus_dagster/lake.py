"""The lake's streams as Dagster needs them: names and prefixes, from the stream files alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lotus_infra import naming
from lotus_infra.lake.lake import Lake, SourceFolder
from lotus_infra.lake.loader import load_usable_lake


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
    """The selected streams of a lake, by whether a stack deploys their source.

    Attributes:
        deployed: Those that land.
        left_out: Those that don't, although marts may read their models.
    """

    deployed: tuple[Stream, ...]
    left_out: tuple[Stream, ...]


def streams_of(directory: Path, stack: str = "") -> tuple[Stream, ...]:
    """The selected streams of a lake, without those of sources that a stack leaves out.

    Args:
        directory: The lake's folder.
        stack: The stack; empty for the lake as its files have it.

    Raises:
        LakeError: The folder or one of its files can't be read.
    """
    return streams_in_stack(directory, stack).deployed


def streams_in_stack(directory: Path, stack: str) -> StackStreams:
    """All selected streams of a lake; arguments and errors as of `streams_of`."""
    lake = load_usable_lake(directory, stack)
    return StackStreams(tuple(_streams(lake, lake.sources)), tuple(_streams(lake, lake.undeployed)))


def _streams(lake: Lake, sources: Iterable[SourceFolder]) -> Iterable[Stream]:
    for source in sources:
        for stream in source.selected_streams:
            yield Stream(source.name, stream.name, lake.prefix_of(source, stream.name))
