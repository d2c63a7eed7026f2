"""A loaded lake, typed: source folders with their streams, destinations, pinned connectors, and how to find one.

A file that could not be read stands as None, so that rules stay quiet about what it might contain. This module reads no
file and has no rule.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from airbyte_model.suggestions import suggestion

from lotus_infra import naming
from lotus_infra.errors import LotusError
from lotus_infra.lake.discovered import Connector, Discovered
from lotus_infra.lake.models import DestinationConfig, SourceConfig, StreamConfig
from lotus_infra.lake.references import LakeNames, named_values

if TYPE_CHECKING:
    from lotus_infra.lake.overlays import StackOverlay

SOURCE_FILE = "_source.json"
DISCOVERED_FOLDER = "_discovered"
DESTINATIONS_FOLDER = "_destinations"
CONNECTORS_FOLDER = "_connectors"
STACKS_FOLDER = "_stacks"
SCHEMA_FOLDER = ".schema"
BUCKET_PATH = "s3_bucket_path"
"""The key of a destination's configuration that says where in the bucket it writes."""


@dataclass(frozen=True, slots=True)
class StreamFile:
    """A stream's file.

    Attributes:
        file: Relative to the lake's folder.
        source: The name of the source's folder.
        name: The file name without its suffix.
        config: The content.
        discovered: The stream as the source offers it; None if that is unknown.
    """

    file: str
    source: str
    name: str
    config: StreamConfig
    discovered: Discovered | None = None


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """A source's folder.

    Attributes:
        name: The folder's name.
        config: The content of `_source.json`; None if it is missing or can't be read.
        streams: The streams whose files could be read, by name.
        offered: The names of the files in `_discovered/`; None without that folder.
        complete: Whether all its files could be read.
    """

    name: str
    config: SourceConfig | None
    streams: tuple[StreamFile, ...]
    offered: frozenset[str] | None
    complete: bool = True

    @property
    def file(self) -> str:
        """The source's file, relative to the lake's folder."""
        return f"{self.name}/{SOURCE_FILE}"

    @property
    def label(self) -> str:
        """The source's name in Airbyte."""
        given = self.config.name if self.config is not None else None
        return given if given is not None else naming.label(self.name)

    @property
    def namespace(self) -> str:
        """The folder of the bucket that the source's streams are written under."""
        given = self.config.namespace if self.config is not None else None
        return given if given is not None else naming.namespace(self.name)

    @property
    def selected_streams(self) -> tuple[StreamFile, ...]:
        """The streams of the source's connection."""
        return tuple(stream for stream in self.streams if stream.config.selected)


@dataclass(frozen=True, slots=True)
class Lake:
    """All files of a lake's folder.

    Attributes:
        directory: The folder.
        sources: By name.
        destinations: By file name without the suffix.
        connectors: Pinned connectors, by file name without the suffix.
        overlays: What differs by stack, by file name without the suffix.
        stack: The stack whose lake this is (`overlays.for_stack`); empty for the lake as its files have it.
        undeployed: The sources that the stack leaves out.
    """

    directory: Path
    sources: tuple[SourceFolder, ...]
    destinations: Mapping[str, DestinationConfig | None]
    connectors: Mapping[str, Connector | None]
    overlays: "Mapping[str, StackOverlay | None]" = field(default_factory=dict)
    stack: str = ""
    undeployed: tuple[SourceFolder, ...] = ()

    @property
    def streams(self) -> Iterator[StreamFile]:
        """Every stream of every source."""
        return (stream for source in self.sources for stream in source.streams)

    @property
    def value_names(self) -> LakeNames | None:
        """The names of the stack's values that its files refer to; None if a file or a reference can't be read."""
        configs = [*(source.config for source in self.sources), *self.destinations.values()]
        read = [config.configuration for config in configs if config is not None]
        return named_values(read) if len(read) == len(configs) else None

    def pinned(self, connector: str) -> Connector | None:
        """The pinned connector of a name or a definition id; None if there is none."""
        if connector in self.connectors:
            return self.connectors[connector]
        for pinned in self.connectors.values():
            if pinned is not None and pinned.definition_id == connector.lower():
                return pinned
        return None

    def destination_of(self, source: SourceFolder) -> DestinationConfig | None:
        """The destination of a source; None if it is unknown."""
        return self.destinations.get(source.config.destination) if source.config is not None else None

    def destination_label(self, name: str) -> str:
        """A destination's name in Airbyte."""
        config = self.destinations.get(name)
        return config.name if config is not None and config.name is not None else naming.label(name)

    def prefix_of(self, source: SourceFolder, stream: str) -> str:
        """The prefix of a stream's files in the bucket: `raw/shopify/orders/`."""
        destination = self.destination_of(source)
        path = destination.configuration.get(BUCKET_PATH) if destination is not None else None
        return naming.s3_prefix(
            source.namespace,
            stream,
            prefix=source.config.prefix if source.config is not None else "",
            path=path.strip("/") if isinstance(path, str) else naming.LANDING_PATH,
        )

    def with_facts(self, source: SourceFolder, discovered: Mapping[str, Discovered]) -> "Lake":
        """A lake of one source only, with these discovered streams in place of those in its files."""
        streams = tuple(replace(stream, discovered=discovered.get(stream.name)) for stream in source.streams)
        return replace(self, sources=(replace(source, streams=streams, offered=frozenset(discovered)),))


def find_source(lake: Lake, name: str) -> SourceFolder:
    """Find a source by its name.

    Raises:
        LotusError: The lake has no such source.
    """
    sources = {source.name: source for source in lake.sources}
    if name in {source.name for source in lake.undeployed}:
        remedy = f"delete its \"deployed\": false in {STACKS_FOLDER}/{lake.stack}.json, or choose another stack"
        raise LotusError(f'the source "{name}" is not deployed in the stack {lake.stack}', remedy)
    if name not in sources:
        hint = suggestion(name, sources, f"sources are {', '.join(sources)}")
        raise LotusError(f'{lake.directory} has no source "{name}"', hint)
    return sources[name]


def find_stream(lake: Lake, source: str, stream: str) -> tuple[SourceFolder, StreamFile]:
    """Find a source and one of its streams by their names.

    Raises:
        LotusError: The lake has no such source or stream.
    """
    folder = find_source(lake, source)
    streams = {one.name: one for one in folder.streams}
    if stream not in streams:
        hint = suggestion(stream, streams, f"write {source}/{stream}.json in {lake.directory} first")
        raise LotusError(f'the source "{source}" has no stream "{stream}"', hint)
    return folder, streams[stream]
