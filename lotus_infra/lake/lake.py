"""A whole lake as it was loaded: what each file said, and which files could not be read.

A file that could not be read stands as None, so that rules stay quiet about what it might have said.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from airbyte_model.modes import KEYLESS_MODES, MODES
from airbyte_model.suggestions import suggestion

from lotus_infra import naming
from lotus_infra.errors import LotusError
from lotus_infra.lake.discovered import Connector, Discovered, cursor_of, key_of
from lotus_infra.lake.models import DestinationConfig, FieldPath, SourceConfig, StreamConfig

SOURCE_FILE = "_source.json"
DISCOVERED_FOLDER = "_discovered"
DESTINATIONS_FOLDER = "_destinations"
CONNECTORS_FOLDER = "_connectors"
SCHEMA_FOLDER = ".schema"


@dataclass(frozen=True, slots=True)
class StreamFile:
    """A stream's file.

    Attributes:
        file: Relative to the lake's folder.
        source: The folder.
        name: The file without its ending.
        config: What the file says.
        discovered: What the source says of the stream; None when that isn't known.
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
        name: The folder.
        config: What `_source.json` says; None when it is missing or can't be read.
        streams: The streams whose files could be read, by name.
        offered: The names in `_discovered/`; None without that folder.
        complete: Whether each of its files could be read.
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
        """What people see in Airbyte."""
        given = self.config.name if self.config is not None else None
        return given if given is not None else naming.label(self.name)

    @property
    def namespace(self) -> str:
        """What the source's streams are written under."""
        given = self.config.namespace if self.config is not None else None
        return given if given is not None else naming.namespace(self.name)

    @property
    def selected_streams(self) -> tuple[StreamFile, ...]:
        """The streams that the connection has."""
        return tuple(stream for stream in self.streams if stream.config.selected)


@dataclass(frozen=True, slots=True)
class Lake:
    """All that a folder of stream files says.

    Attributes:
        directory: The folder.
        sources: By name.
        destinations: By file name without its ending.
        connectors: Pinned connectors, by file name without its ending.
    """

    directory: Path
    sources: tuple[SourceFolder, ...]
    destinations: Mapping[str, DestinationConfig | None]
    connectors: Mapping[str, Connector | None]

    def with_facts(self, source: SourceFolder, facts: Mapping[str, Discovered]) -> "Lake":
        """The lake with one source alone, as it would be if the source had these streams."""
        streams = tuple(replace(stream, discovered=facts.get(stream.name)) for stream in source.streams)
        return replace(self, sources=(replace(source, streams=streams, offered=frozenset(facts)),))

    @property
    def streams(self) -> Iterator[StreamFile]:
        """Every stream of every source."""
        return (stream for source in self.sources for stream in source.streams)

    def pinned(self, connector: str) -> Connector | None:
        """The facts of a connector given by its name or by its definition's id; None when they aren't pinned."""
        if connector in self.connectors:
            return self.connectors[connector]
        for pinned in self.connectors.values():
            if pinned is not None and pinned.definition_id == connector.lower():
                return pinned
        return None

    def destination_label(self, name: str) -> str:
        """What people see in Airbyte."""
        config = self.destinations.get(name)
        return config.name if config is not None and config.name is not None else naming.label(name)

    def prefix_of(self, source: SourceFolder, stream: str) -> str:
        """Where a stream's files are, below the landing zone: `raw/shopify/orders/`."""
        destination = self.destination_of(source)
        path = destination.configuration.get("s3_bucket_path") if destination is not None else None
        return naming.s3_prefix(
            source.namespace,
            stream,
            prefix=source.config.prefix if source.config is not None else "",
            path=path.strip("/") if isinstance(path, str) else naming.LANDING_PATH,
        )

    def destination_of(self, source: SourceFolder) -> DestinationConfig | None:
        """Where a source's data goes; None when that isn't known."""
        return self.destinations.get(source.config.destination) if source.config is not None else None


@dataclass(frozen=True, slots=True)
class ConfiguredStream:
    """A stream as Airbyte's public API is asked for it.

    Attributes:
        name: The stream as the source calls it.
        namespace: The namespace that the source itself puts it in; None where it has none.
        sync_mode: Source and destination mode in one word, `incremental_append`.
        cursor_field: The path of the cursor; empty where the mode has none.
        primary_key: The paths of the key's fields; empty where the mode has none.
        selected_fields: Top-level fields in alphabetical order: their order in the file means nothing to the server.
        backfill: The token that asks for one more read from the beginning.
    """

    name: str
    namespace: str | None
    sync_mode: str
    cursor_field: FieldPath
    primary_key: tuple[FieldPath, ...]
    selected_fields: tuple[str, ...]
    backfill: bool | str = False


def configure(stream: StreamConfig, discovered: Discovered | None) -> ConfiguredStream:
    """Configure one stream.

    A cursor or a key that the mode does not honour is left out, since the server drops it (airbyte-platform, public
    API, AirbyteCatalogHelper); one that the file leaves out is the one that the source suggests.

    Args:
        stream: What the file says.
        discovered: What the source was found to have; None when that isn't known.

    Raises:
        KeyError: The two sync modes make no pair that Airbyte has.
    """
    mode = MODES[stream.sync_mode, stream.destination_sync_mode]
    return ConfiguredStream(
        name=stream.stream,
        namespace=discovered.namespace if discovered is not None else None,
        sync_mode=mode,
        cursor_field=cursor_of(stream, discovered),
        primary_key=() if mode in KEYLESS_MODES else key_of(stream, discovered),
        selected_fields=tuple(sorted(stream.fields)),
        backfill=stream.backfill,
    )


def catalog(source: SourceFolder) -> tuple[ConfiguredStream, ...]:
    """Every selected stream of a source, by name."""
    configured = [configure(stream.config, stream.discovered) for stream in source.selected_streams]
    return tuple(sorted(configured, key=lambda stream: stream.name))


def find_source(lake: Lake, name: str) -> SourceFolder:
    """A source by its name.

    Raises:
        LotusError: The lake has no such source.
    """
    sources = {source.name: source for source in lake.sources}
    if name not in sources:
        hint = suggestion(name, sources, f"sources are {', '.join(sources)}")
        raise LotusError(f'{lake.directory} has no source "{name}"', hint)
    return sources[name]


def find_stream(lake: Lake, source: str, stream: str) -> tuple[SourceFolder, StreamFile]:
    """A stream by its name, and its source.

    Raises:
        LotusError: The lake has no such source or stream.
    """
    folder = find_source(lake, source)
    streams = {one.name: one for one in folder.streams}
    if stream not in streams:
        hint = suggestion(stream, streams, f"write {source}/{stream}.json in {lake.directory} first")
        raise LotusError(f'the source "{source}" has no stream "{stream}"', hint)
    return folder, streams[stream]
