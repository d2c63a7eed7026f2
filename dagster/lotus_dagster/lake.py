"""The lake's streams as Dagster needs them: names and prefixes, from the stream files alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lotus_dagster.jobs.connections import NOTHING, ByJobs, by_jobs
from lotus_infra import naming
from lotus_infra.lake.catalog import cursor_of, key_of
from lotus_infra.lake.diagnostics import JsonPath
from lotus_infra.lake.lake import Connection, Lake, SourceFolder, StreamFile
from lotus_infra.lake.loader import load_usable_lake
from lotus_infra.lake.models import Field, FieldPath, KeyPaths, Resources, Schedule
from lotus_infra.lake.overlays import for_stack
from lotus_infra.lake.references import references


@dataclass(frozen=True, slots=True)
class Ingestion:
    """How dlt reads a stream.

    Attributes:
        module: The file in `dagster/sources/`, without its suffix.
        resource: The stream's name in the source, and of the module's resource.
        is_incremental: Whether a run reads only the rows since the cursor.
        overwrites: Whether a run replaces the files of the runs before.
        cursor: The path of the cursor's field; empty for none.
        key: The paths of the key's fields; empty for none.
        fields: The top-level fields with their types, as far as they are known.
        takes_all: Whether fields land that are not in `fields`.
        backfill: The token that requests a full re-read.
        schedule: When the source's job runs.
        is_paused: Whether the schedule is stopped.
        resources: What the pod of a run gets; None for the cluster's default.
        secrets: The paths of the configuration whose values are secrets of the stack.
    """

    module: str
    resource: str
    is_incremental: bool
    overwrites: bool
    cursor: FieldPath
    key: KeyPaths
    fields: Mapping[str, Field] = field(hash=False)
    takes_all: bool
    backfill: bool | str
    schedule: Schedule
    is_paused: bool
    resources: Resources | None
    secrets: tuple[JsonPath, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that lands in the lake.

    Attributes:
        source: The folder.
        name: The file without its ending.
        prefix: Where its files are, below the landing zone: `raw/shopify/orders/`.
        ingestion: How dlt reads it; None for a stream that Airbyte brings.
    """

    source: str
    name: str
    prefix: str
    ingestion: Ingestion | None = None

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
            connection = lake.read_of(source, stream)
            if connection is not None:
                ingestion = _ingestion(source, connection, stream) if source.engine == "dlt" else None
                yield Stream(source.name, stream.name, lake.place_of(connection, stream), ingestion)


def _ingestion(source: SourceFolder, connection: Connection, stream: StreamFile) -> Ingestion:
    allocation = source.config.resource_allocation if source.config is not None else None
    return Ingestion(
        module=source.module,
        resource=stream.config.stream,
        is_incremental=stream.config.sync_mode == "incremental",
        overwrites=stream.config.destination_sync_mode == "overwrite",
        cursor=cursor_of(stream.config, stream.discovered),
        key=key_of(stream.config, stream.discovered),
        fields=stream.fields,
        takes_all=stream.config.takes_all,
        backfill=stream.config.backfill,
        schedule=connection.config.schedule,
        is_paused=connection.is_paused,
        resources=allocation.default if allocation is not None else None,
        secrets=tuple(path for path, each in references(source.config.configuration) if each.secret)
        if source.config is not None
        else (),
    )
