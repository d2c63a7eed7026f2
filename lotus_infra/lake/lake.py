"""A loaded lake, typed: source folders with their streams, destinations, pinned connectors, and how to find one.

A file that could not be read stands as None, so that rules stay quiet about what it might contain. This module reads no
file and has no rule.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airbyte_model.places import written_name, written_namespace
from airbyte_model.streams import key_of, shown
from airbyte_model.suggestions import suggestion

from lotus_infra import naming
from lotus_infra.errors import LotusError
from lotus_infra.lake.capabilities import READERS, TABLE, Capabilities, Place, Reader
from lotus_infra.lake.diagnostics import JsonPath
from lotus_infra.lake.discovered import Connector, Discovered, Identity, meant_streams
from lotus_infra.lake.models import (
    DestinationConfig,
    Engine,
    Field,
    NamedConnectionConfig,
    SourceConfig,
    StreamConfig,
    is_definition_id,
)
from lotus_infra.lake.modules import SourceModule
from lotus_infra.lake.references import LANDING, LakeNames, named_values
from lotus_infra.lake.warehouses import POSTGRES, WAREHOUSES, Table, Warehouse

if TYPE_CHECKING:
    from pydantic import JsonValue

    from lotus_infra.lake.overlays import StackOverlay

SOURCE_FILE = "_source.json"
DISCOVERED_FOLDER = "_discovered"
DESTINATIONS_FOLDER = "_destinations"
CONNECTORS_FOLDER = "_connectors"
STACKS_FOLDER = "_stacks"
SCHEMA_FOLDER = ".schema"
BUCKET_PATH = "s3_bucket_path"
"""The key of a destination's configuration that says where in the bucket it writes."""
S3: Final = "destination-s3"


@dataclass(frozen=True, slots=True)
class StreamFile:
    """A stream's file.

    Attributes:
        file: Relative to the lake's folder.
        source: The name of the source's folder.
        name: The file name without its suffix.
        config: The content.
        discovered: The stream as the source offers it; None if that is unknown.
        alike: The namespaces in which the source has a stream of its name, if it names none of these; None if that is
            unknown.
    """

    file: str
    source: str
    name: str
    config: StreamConfig
    discovered: Discovered | None = None
    alike: tuple[str | None, ...] | None = None

    @property
    def namespace(self) -> str | None:
        """The stream's namespace in its source: the file's, else the discovered one; None if it has none."""
        return self.config.namespace or (self.discovered.namespace if self.discovered is not None else None)

    @property
    def identity(self) -> Identity:
        """The namespace and the name that the stream has in its source."""
        return self.namespace, self.config.stream

    def among(self, offered: Mapping[Identity, Discovered]) -> "StreamFile":
        """The stream as one of those that its source has: the discovered one, or the namespaces that come near."""
        meant = meant_streams((self.config.namespace, self.config.stream), offered)
        if len(meant) == 1:
            return replace(self, discovered=offered[meant[0]], alike=None)
        return replace(self, discovered=None, alike=tuple(namespace for namespace, _ in meant))

    @property
    def fields(self) -> Mapping[str, Field]:
        """The top-level fields that it syncs; none if it syncs all of them and they are not discovered."""
        if self.config.fields is not None:
            return self.config.fields
        return self.discovered.fields if self.discovered is not None else {}


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection of a source.

    Attributes:
        source: The name of the source's folder.
        name: Its name among the source's connections; that of the source if the file has no `connections`.
        config: Its settings.
        streams: The selected streams that it takes, by file name.
        is_listed: Whether the source's file has it in `connections`.
        engine: What reads its source.
    """

    source: str
    name: str
    config: NamedConnectionConfig
    streams: tuple[StreamFile, ...]
    is_listed: bool
    engine: Engine

    @property
    def resource(self) -> str:
        """Its Pulumi name."""
        return naming.connection_resource(self.source, self.name)

    @property
    def file(self) -> str:
        """The file with its settings, relative to the lake's folder."""
        return f"{self.source}/{SOURCE_FILE}"

    @property
    def is_paused(self) -> bool:
        """Whether its file pauses it."""
        return self.config.status == "inactive"

    def takes(self, stream: StreamFile) -> bool:
        """Whether it takes a stream of its source as soon as the stream is selected."""
        return self.config.streams is None or stream.name in self.config.streams

    def path(self, *keys: str | int) -> JsonPath:
        """The path of one of its settings in that file."""
        return ("connections", self.name, *keys) if self.is_listed else keys

    @property
    def namespace_format(self) -> str | None:
        """The format of its custom namespace, by default the source's folder; None if it has another definition."""
        if self.config.namespace_definition != "custom_format":
            return None
        return self.config.namespace if self.config.namespace is not None else naming.namespace(self.source)

    def namespace_of(self, stream: StreamFile) -> str:
        """The namespace that a stream gets at the destination; empty for none."""
        return written_namespace(self.config.namespace_definition, self.namespace_format, stream.namespace)

    def name_of(self, stream: StreamFile) -> str:
        """The name that a stream gets at the destination."""
        return written_name(self.config.prefix, stream.config.stream)


@dataclass(frozen=True)
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
    def engine(self) -> Engine:
        """What reads the source; Airbyte if its file can't be read."""
        return self.config.engine if self.config is not None else "airbyte"

    @property
    def reader(self) -> Reader:
        """What holds for all sources of its engine."""
        return READERS[self.engine]

    @property
    def module(self) -> str:
        """The module of a source that dlt reads: the name of its file in `dagster/sources/`, without the suffix."""
        return (self.config.module if self.config is not None else None) or self.name

    @property
    def label(self) -> str:
        """The source's name in Airbyte."""
        given = self.config.name if self.config is not None else None
        return given if given is not None else naming.label(self.name)

    @cached_property
    def connections(self) -> tuple[Connection, ...]:
        """Its connections, in the file's order; none if the file can't be read."""
        if self.config is None:
            return ()
        selected = [stream for stream in self.streams if stream.config.selected]
        is_listed = self.config.connections is not None
        found = (
            Connection(self.name, name, config, (), is_listed, self.engine)
            for name, config in self.config.named_connections(self.name).items()
        )
        return tuple(replace(each, streams=tuple(filter(each.takes, selected))) for each in found)

    @cached_property
    def selected_streams(self) -> tuple[StreamFile, ...]:
        """The streams that its connections take; every selected one if its file can't be read."""
        selected = (stream for stream in self.streams if stream.config.selected)
        if self.config is None:
            return tuple(selected)
        taken = {stream.name for connection in self.connections for stream in connection.streams}
        return tuple(stream for stream in selected if stream.name in taken)

    def files_of(self, identity: Identity) -> tuple[StreamFile, ...]:
        """The files of a stream; also those of which one side does not know the namespace."""
        namespace, name = identity
        return tuple(
            each
            for each in self.streams
            if each.config.stream == name and (each.namespace == namespace or None in {each.namespace, namespace})
        )

    def names_of(self, identity: Identity) -> tuple[str, ...]:
        """The names by which a person may mean a stream: with its namespace, as its file, or its own name alone.

        Its own name alone means another stream if that is the name of another stream's file.
        """
        files, own = [each.name for each in self.files_of(identity)], identity[1]
        means_another = own not in files and any(each.name == own for each in self.streams)
        return tuple(dict.fromkeys([shown(key_of(identity)), *files, *([] if means_another else [own])]))


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
        modules: The modules of sources that dlt reads, by name; those that are missing are left out. None if the
            folder of the repository is unknown.
    """

    directory: Path
    sources: tuple[SourceFolder, ...]
    destinations: Mapping[str, DestinationConfig | None]
    connectors: Mapping[str, Connector | None]
    overlays: "Mapping[str, StackOverlay | None]" = field(default_factory=dict)
    stack: str = ""
    undeployed: tuple[SourceFolder, ...] = ()
    modules: Mapping[str, SourceModule] | None = None

    @property
    def streams(self) -> Iterator[StreamFile]:
        """Every stream of every source."""
        return (stream for source in self.sources for stream in source.streams)

    @property
    def connections(self) -> Iterator[Connection]:
        """Every connection of every source."""
        return (connection for source in self.sources for connection in source.connections)

    @property
    def airbyte(self) -> "Lake":
        """The lake with the sources alone that Airbyte reads."""
        return replace(self, sources=tuple(source for source in self.sources if source.engine == "airbyte"))

    @property
    def dlt(self) -> "Lake":
        """The lake with the sources alone that dlt reads."""
        return replace(self, sources=tuple(source for source in self.sources if source.engine == "dlt"))

    @property
    def value_names(self) -> LakeNames | None:
        """The names of the stack's values that its files refer to; None if a file or a reference can't be read."""
        configs = [*(source.config for source in self.sources), *self.destinations.values()]
        read: list[JsonValue] = [config.configuration for config in configs if config is not None]
        if len(read) < len(configs):
            return None
        read += [each.configuration for stream in self.streams for each in stream.config.mappers]
        for connector in self.connectors.values():
            if connector is not None and isinstance(connector.definition_id, dict):
                read.append(dict(connector.definition_id))
        return named_values(read)

    def pinned(self, connector: str | None) -> Connector | None:
        """The pinned connector of a name or a definition id; None if there is none."""
        if connector is None:
            return None
        if connector in self.connectors:
            return self.connectors[connector]
        for pinned in self.connectors.values():
            if pinned is not None and pinned.definition_id == connector.lower():
                return pinned
        return None

    @property
    def own_connectors(self) -> dict[str, Connector]:
        """The connectors of one's own that sources and their connections use, by name."""
        used = map(self.destination_of, self.connections)
        configs = [each for each in (*(source.config for source in self.sources), *used) if each is not None]
        pinned = [
            self.pinned(connector) for connector in sorted({each.connector for each in configs if each.connector})
        ]
        return {each.connector: each for each in pinned if each is not None and each.is_own}

    def destination_of(self, connection: Connection) -> DestinationConfig | None:
        """The destination of a connection; None if it is unknown."""
        return self.destinations.get(connection.config.destination)

    def destination_label(self, name: str) -> str:
        """A destination's name in Airbyte."""
        config = self.destinations.get(name)
        return config.name if config is not None and config.name is not None else naming.label(name)

    def connection_label(self, source: SourceFolder, connection: Connection) -> str:
        """A connection's name in Airbyte."""
        if connection.config.name is not None:
            return connection.config.name
        own = "" if connection.name == source.name else connection.name
        return naming.connection_label(source.label, self.destination_label(connection.config.destination), own)

    def selector_of(self, connection: Connection) -> str:
        """The text by which `find_connections` finds a connection alone."""
        several = len(find_source(self, connection.source).connections) > 1
        return f"{connection.source}/{connection.name}" if several else connection.source

    def lands(self, connection: Connection) -> bool:
        """Whether the lake's sensors and models read what a connection writes; true for an unknown destination."""
        config = self.destination_of(connection)
        return config is None or self.is_landing(config)

    def writes_files(self, connection: Connection) -> bool:
        """Whether a connection writes files into a bucket; true for an unknown destination."""
        config = self.destination_of(connection)
        return config is None or self.is_s3(config)

    def is_landing(self, destination: DestinationConfig) -> bool:
        """Whether a destination writes where the lake's sensors and models read: into the landing bucket.

        It is that of each destination-s3 which refers to it; of every destination-s3 if none does.
        """
        known = (each for each in self.destinations.values() if each is not None)
        refer = [each for each in known if self.is_s3(each) and _refers_to_landing(each)]
        return self.is_s3(destination) and (_refers_to_landing(destination) or not refer)

    def is_s3(self, destination: DestinationConfig) -> bool:
        """Whether a destination is a destination-s3; one that is not pinned is recognized by its configuration."""
        name = self._connector_name(destination)
        return name == S3 or (is_definition_id(name) and BUCKET_PATH in destination.configuration)

    def place(self, connection: Connection) -> Place:
        """The kind of place that a connection writes to; the landing bucket for an unknown destination."""
        config = self.destination_of(connection)
        if config is None or self.is_landing(config):
            return "landing"
        if self.is_s3(config):
            return "bucket"
        name = self._connector_name(config)
        if name == POSTGRES:
            return "postgres"
        return "warehouse" if name in WAREHOUSES else "other"

    def capabilities(self, connection: Connection) -> Capabilities | None:
        """What holds for the streams of a connection; None if its engine does not write to its destination."""
        return TABLE.get((connection.engine, self.place(connection)))

    def warehouse_of(self, connection: Connection) -> Warehouse | None:
        """The kind of warehouse that a connection writes tables into; None if it writes files, or is not known."""
        config = self.destination_of(connection)
        return WAREHOUSES.get(self._connector_name(config)) if config is not None else None

    def arrives_by_job(self, connection: Connection) -> bool:
        """Whether Dagster follows the jobs of a connection, as no file shows its new rows."""
        found = self.capabilities(connection)
        return found is not None and found.arrival == "job" and bool(connection.streams)

    def table_of(self, connection: Connection, stream: StreamFile) -> Table | None:
        """The table that a connection writes a stream into; None if it writes files, or the warehouse is not known."""
        config, warehouse = self.destination_of(connection), self.warehouse_of(connection)
        if config is None or warehouse is None:
            return None
        database, schema = (config.configuration.get(key) for key in (warehouse.database, warehouse.schema))
        default = warehouse.default_schema if schema is None else schema if isinstance(schema, str) else ""
        given = connection.namespace_of(stream) or default
        return Table(
            connection.config.destination,
            warehouse.name(database) if isinstance(database, str) else "",
            warehouse.name(given) if given else "",
            warehouse.name(connection.name_of(stream)),
        )

    def _connector_name(self, destination: DestinationConfig) -> str:
        pinned = self.pinned(destination.connector)
        return pinned.connector if pinned is not None else destination.connector

    def place_of(self, connection: Connection, stream: StreamFile) -> str:
        """The prefix of a stream's files in the bucket of a connection's destination: `raw/shopify/orders/`."""
        destination = self.destination_of(connection)
        path = destination.configuration.get(BUCKET_PATH) if destination is not None else None
        return naming.s3_prefix(
            connection.namespace_of(stream),
            stream.config.stream,
            prefix=connection.config.prefix,
            path=path.strip("/") if isinstance(path, str) else naming.LANDING_PATH,
        )

    def read_of(self, source: SourceFolder, stream: StreamFile) -> Connection | None:
        """The connection whose files of a stream the lake's sensors and models read.

        It is the first that takes the stream into a destination-s3; None if none does.
        """
        found = (each for each in source.connections if self.lands(each) and each.takes(stream))
        return next(found, None)

    def table_read_of(self, source: SourceFolder, stream: StreamFile) -> Connection | None:
        """The connection whose table of a stream the lake's models read, as no connection lands files of it.

        It is the first that takes the stream into a Postgres database; None if none does.
        """
        if self.read_of(source, stream) is not None:
            return None
        found = (each for each in source.connections if self.place(each) == "postgres" and each.takes(stream))
        return next(found, None)

    def unread_table_of(self, source: SourceFolder, stream: StreamFile) -> Connection | None:
        """The connection whose table of a stream the lake's models can't read; None if they read the stream elsewhere.

        It is the first that takes the stream into a known warehouse.
        """
        if self.read_of(source, stream) is not None or self.table_read_of(source, stream) is not None:
            return None
        found = (each for each in source.connections if self.place(each) == "warehouse" and each.takes(stream))
        return next(found, None)

    def arrival_of(self, source: SourceFolder, stream: StreamFile) -> Connection | None:
        """The connection by which new rows of a stream are seen; None if none is known to write it.

        It is the one that the models read; else the first that takes the stream.
        """
        read = self.read_of(source, stream) or self.table_read_of(source, stream)
        taking = (each for each in source.connections if each.takes(stream) and self.capabilities(each) is not None)
        return read or next(taking, None)

    def prefix_of(self, source: SourceFolder, stream: StreamFile) -> str | None:
        """The prefix below which the lake's sensors and models find a stream's files; None if they read none."""
        connection = self.read_of(source, stream)
        return self.place_of(connection, stream) if connection is not None else None

    def with_facts(self, source: SourceFolder, discovered: Mapping[str, Discovered]) -> "Lake":
        """A lake of one source only, with these discovered streams in place of those in its files."""
        by_identity = {each.identity: each for each in discovered.values()}
        streams = tuple(stream.among(by_identity) for stream in source.streams)
        return replace(self, sources=(replace(source, streams=streams, offered=frozenset(discovered)),))


def _refers_to_landing(destination: DestinationConfig) -> bool:
    """Whether a destination writes to the stack's landing bucket."""
    return destination.configuration.get("s3_bucket_name") == {LANDING: "bucket"}


def find_source(lake: Lake, name: str) -> SourceFolder:
    """Find a source by its name.

    Raises:
        LotusError: The lake has no such source.
    """
    sources = {source.name: source for source in lake.sources}
    if name in {source.name for source in lake.undeployed}:
        remedy = f'delete its "deployed": false in {STACKS_FOLDER}/{lake.stack}.json, or choose another stack'
        raise LotusError(f'the source "{name}" is not deployed in the stack {lake.stack}', remedy)
    if name not in sources:
        hint = suggestion(name, sources, f"sources are {', '.join(sources)}")
        raise LotusError(f'{lake.directory} has no source "{name}"', hint)
    return sources[name]


def find_connections(lake: Lake, selector: str) -> tuple[Connection, ...]:
    """Find the connections of a source, `shopify`, or one of them, `shopify/daily`.

    Raises:
        LotusError: The lake has no such source or connection, or the source's file can't be read.
    """
    name, one, key = selector.partition("/")
    source = find_source(lake, name)
    if source.config is None:
        raise LotusError(f"{source.file} can't be used", "`lotus check` has details")
    found = {each.name: each for each in source.connections}
    if not one:
        return source.connections
    if key not in found:
        hint = suggestion(key, found, f"its connections are {', '.join(found)}" if len(found) > 1 else f"name {name}")
        raise LotusError(f'the source "{name}" has no connection "{key}"', hint)
    return (found[key],)


def choose_connections(lake: Lake, selectors: Iterable[str]) -> tuple[Connection, ...]:
    """The connections of sources, `shopify`, or single ones, `shopify/daily`, each once.

    Raises:
        LotusError: A source or a connection does not exist, or a source's file is invalid.
    """
    found = (each for selector in selectors for each in find_connections(lake, selector))
    return tuple({each.resource: each for each in found}.values())


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
