"""The lake's streams as Dagster needs them: names and prefixes, from the stream files alone."""

from dataclasses import dataclass
from pathlib import Path

from lotus_infra import naming
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


def streams_of(directory: Path) -> tuple[Stream, ...]:
    """The selected streams that land in a lake; those of other destinations than destination-s3 are left out.

    Raises:
        LakeError: The folder or one of its files can't be read.
    """
    lake = load_usable_lake(directory)
    return tuple(
        Stream(source.name, stream.name, prefix)
        for source in lake.sources
        for stream in source.selected_streams
        if (prefix := lake.prefix_of(source, stream)) is not None
    )
