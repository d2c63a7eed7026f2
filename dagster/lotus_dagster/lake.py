"""The lake's streams as Dagster needs them: names and prefixes, from the stream files alone."""

from dataclasses import dataclass
from pathlib import Path

from lotus_infra import naming
from lotus_infra.errors import LakeError
from lotus_infra.streams.lake import Lake, SourceFolder
from lotus_infra.streams.load import load_lake


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
    """The selected streams of a lake.

    Raises:
        LakeError: The folder or one of its files can't be read.
    """
    lake, findings = load_lake(directory)
    if findings:
        told = "; ".join(f"{finding.file} {finding.what}" for finding in findings)
        raise LakeError(f"{directory} has files that can't be used: {told}", "run `lotus check`")
    return tuple(
        Stream(source.name, stream.name, _prefix(lake, source, stream.name))
        for source in lake.sources
        for stream in source.selected_streams
    )


def _prefix(lake: Lake, source: SourceFolder, stream: str) -> str:
    destination = lake.destination_of(source)
    path = destination.configuration.get("s3_bucket_path") if destination is not None else None
    return naming.s3_prefix(
        source.namespace,
        stream,
        prefix=source.config.prefix if source.config is not None else "",
        path=path.strip("/") if isinstance(path, str) else naming.LANDING_PATH,
    )
