"""The connections whose streams are known to have arrived by Airbyte's jobs, from the stream files alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from lotus_infra import naming
from lotus_infra.lake.capabilities import TABLE, Capabilities
from lotus_infra.lake.lake import Connection, Lake, SourceFolder, StreamFile
from lotus_infra.lake.warehouses import WAREHOUSES


@dataclass(frozen=True, slots=True)
class JobStream:
    """A stream that Airbyte writes elsewhere than into the landing zone.

    Attributes:
        source: The folder.
        name: The file without its ending.
        place: Where it is, for people: `the table crm.contacts`.
        kinds: Of Dagster, such as `airbyte` and `postgres`.
        table: The table with its schema and, if it is known, its database; empty if it is none that is known.
        has_models: Whether the lake's models read it.
    """

    source: str
    name: str
    place: str
    kinds: frozenset[str]
    table: str
    has_models: bool

    @property
    def tag(self) -> str:
        """The dbt tag of the stream's models."""
        return naming.dbt_tag(self.source, self.name)


@dataclass(frozen=True, slots=True)
class JobConnection:
    """A connection whose jobs show that rows have arrived.

    Attributes:
        resource: Its Pulumi name.
        streams: The streams that are known by it. A stream of several connections is known by the one that the models
            read, else by the first.
    """

    resource: str
    streams: tuple[JobStream, ...]


class ByJobs(NamedTuple):
    """What of a lake arrives by jobs.

    Attributes:
        connections: The stack's connections with such streams.
        left_out: The dbt tags of models that read a table which these connections do not write.
    """

    connections: tuple[JobConnection, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def with_models(self) -> tuple[JobStream, ...]:
        """The streams that models read."""
        return tuple(each for connection in self.connections for each in connection.streams if each.has_models)

    @property
    def tags(self) -> tuple[str, ...]:
        """The dbt tags of all models that read tables, in this stack or elsewhere."""
        return (*(stream.tag for stream in self.with_models), *self.left_out)


NOTHING: Final = ByJobs()
"""Of a lake in which everything lands as files."""


def by_jobs(lake: Lake, written: Lake) -> ByJobs:
    """What of a stack's lake arrives by jobs.

    Args:
        lake: The stack's.
        written: The lake as its files have it, which the models are written for.
    """
    connections = (
        JobConnection(connection.resource, tuple(_streams(lake, source, connection, capabilities, written)))
        for source in lake.sources
        for connection in source.connections
        if (capabilities := _job_capabilities(lake, source, connection)) is not None
    )
    found = ByJobs(tuple(each for each in connections if each.streams))
    built = {stream.tag for stream in found.with_models}
    read = (
        naming.dbt_tag(source.name, stream.name)
        for source in written.sources
        for stream in source.selected_streams
        if written.table_read_of(source, stream) is not None
    )
    return found._replace(left_out=tuple(tag for tag in read if tag not in built))


def _job_capabilities(lake: Lake, source: SourceFolder, connection: Connection) -> Capabilities | None:
    found = TABLE.get((source.engine, lake.place(connection)))
    return found if found is not None and found.arrival == "job" else None


def _streams(
    lake: Lake, source: SourceFolder, connection: Connection, capabilities: Capabilities, written: Lake
) -> Iterator[JobStream]:
    models = {each.name: each for each in written.sources}[source.name] if capabilities.has_models else None
    for stream in connection.streams:
        if _known_by(lake, source, stream) is not connection:
            continue
        table = lake.table_of(connection, stream)
        name = "" if table is None else ".".join(filter(None, (table.database, str(table))))
        yield JobStream(
            source=source.name,
            name=stream.name,
            place=_place(lake, connection, stream, capabilities),
            kinds=frozenset({"airbyte", _kind(lake, connection, capabilities)}),
            table=name,
            has_models=models is not None and written.table_read_of(models, stream) is not None,
        )


def _known_by(lake: Lake, source: SourceFolder, stream: StreamFile) -> Connection | None:
    read = lake.read_of(source, stream) or lake.table_read_of(source, stream)
    taking = (each for each in source.connections if stream in each.streams)
    return read or next((each for each in taking if _job_capabilities(lake, source, each) is not None), None)


def _place(lake: Lake, connection: Connection, stream: StreamFile, capabilities: Capabilities) -> str:
    if capabilities.writes == "files":
        return f"files below {lake.place_of(connection, stream)} in {connection.config.destination}"
    table = lake.table_of(connection, stream)
    return f"a table in {connection.config.destination}" if table is None else f"the table {table}"


def _kind(lake: Lake, connection: Connection, capabilities: Capabilities) -> str:
    """The kind of place, by the name that Dagster has an icon for."""
    if capabilities.writes == "files":
        return "s3"
    destination = lake.destination_of(connection)
    pinned = lake.pinned(destination.connector) if destination is not None else None
    connector = pinned.connector if pinned is not None else destination.connector if destination is not None else ""
    warehouse = WAREHOUSES.get(connector)
    return "table" if warehouse is None else warehouse.label.lower()
