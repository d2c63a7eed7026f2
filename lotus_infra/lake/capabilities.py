"""What holds for a stream by the engine that reads its source and by the destination that it lands in.

One table for all readers: checks, scaffold, lineage, status, comments, Dagster and the documentation ask it, and none
of them names an engine or a connector itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from airbyte_model.modes import DestinationMode

from lotus_infra.lake.models import Engine

Place = Literal["landing", "bucket", "postgres", "warehouse", "other"]
"""Where a connection writes: the landing bucket, another bucket, a Postgres database, another warehouse, or an unknown
destination."""
Arrival = Literal["files", "job"]
"""What shows that rows have arrived: new files in the landing bucket, or a job of Airbyte that has succeeded."""


@dataclass(frozen=True, slots=True)
class Unused:
    """A setting that an engine does not have.

    Attributes:
        path: The keys that lead to it in the file.
        remedy: What to do where a file has it.
        harmless: The only value that says what the engine does anyway; empty if there is none.
    """

    path: tuple[str, ...]
    remedy: str
    harmless: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """What holds for all sources of an engine.

    Attributes:
        label: The engine's name, for people.
        source: What the engine reads a source with.
        has_module: Whether that is a module of the repository.
        scheduler: Who starts the syncs, and so whose schedules a source may have.
        discovers: Whether the engine can list the streams and fields of a source.
        rotates: Whether the engine writes rotated secrets back.
        modes: The destination modes that it has; empty if they are the destination's.
        source_lacks: The settings of `_source.json` that it does not have.
        stream_lacks: The settings of a stream's file that it does not have.
    """

    label: str
    source: str
    has_module: bool
    scheduler: Literal["airbyte", "dagster"]
    discovers: bool
    rotates: bool
    modes: tuple[DestinationMode, ...]
    source_lacks: tuple[Unused, ...]
    stream_lacks: tuple[Unused, ...]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """A row of the table.

    Attributes:
        reader: What holds for all sources of the engine.
        arrival: What shows that rows have arrived.
        writes: Whether a stream becomes files below a prefix, or a table of a database.
        has_models: Whether the lake's models can read it.
        cursor: Who keeps the cursor.
        backfill: How a new backfill token is carried out.
        schema_change: What happens when the source gains a field.
    """

    reader: Reader
    arrival: Arrival
    writes: Literal["files", "table"]
    has_models: bool
    cursor: str
    backfill: str
    schema_change: str


_FOR_DLT: Final = 'delete it, or write "engine": "dlt"'
_IN_THE_MODULE: Final = "delete it, and change the rows in the source's module"

READERS: Final[Mapping[Engine, Reader]] = {
    "airbyte": Reader(
        label="Airbyte",
        source="a connector",
        has_module=False,
        scheduler="airbyte",
        discovers=True,
        rotates=True,
        modes=(),
        source_lacks=(Unused(("module",), _FOR_DLT),),
        stream_lacks=(),
    ),
    "dlt": Reader(
        label="dlt",
        source="a module of the lake",
        has_module=True,
        scheduler="dagster",
        discovers=False,
        rotates=False,
        modes=("append", "overwrite"),
        source_lacks=(
            Unused(("connections",), "write destination, schedule and status beside the configuration: it has one"),
            Unused(("namespace_definition",), 'delete it, and write "namespace"', harmless="custom_format"),
            Unused(("tags",), "delete it: tags are those of connections in Airbyte"),
            Unused(
                ("non_breaking_changes",), 'delete it: with "fields": "all" new fields land, else the file\'s alone'
            ),
            Unused(("notify_schema_changes",), "delete it: Airbyte's workspace does not know the source"),
            Unused(("resource_allocation", "jobs"), 'delete it, and write "default": it has one kind of run'),
        ),
        stream_lacks=(
            Unused(("namespace",), "delete it: a resource has a name alone"),
            Unused(("mappers",), _IN_THE_MODULE),
            Unused(("include_files",), "delete it: files are not copied"),
            Unused(("destination_object_name",), 'delete it: files lie below the name of the stream and "prefix"'),
        ),
    ),
}
"""By engine."""

_AIRBYTE: Final = READERS["airbyte"]
_AIRBYTES_CURSOR: Final = "Airbyte, with the connection"
_REFRESH: Final = "a refresh of the stream in Airbyte"
_PROPAGATES: Final = "as `non_breaking_changes` of the connection says"

TABLE: Final[Mapping[tuple[Engine, Place], Capabilities]] = {
    ("airbyte", "landing"): Capabilities(_AIRBYTE, "files", "files", True, _AIRBYTES_CURSOR, _REFRESH, _PROPAGATES),
    ("airbyte", "bucket"): Capabilities(_AIRBYTE, "job", "files", False, _AIRBYTES_CURSOR, _REFRESH, _PROPAGATES),
    ("airbyte", "postgres"): Capabilities(_AIRBYTE, "job", "table", True, _AIRBYTES_CURSOR, _REFRESH, _PROPAGATES),
    ("airbyte", "warehouse"): Capabilities(_AIRBYTE, "job", "table", False, _AIRBYTES_CURSOR, _REFRESH, _PROPAGATES),
    ("airbyte", "other"): Capabilities(_AIRBYTE, "job", "table", False, _AIRBYTES_CURSOR, _REFRESH, _PROPAGATES),
    ("dlt", "landing"): Capabilities(
        reader=READERS["dlt"],
        arrival="files",
        writes="files",
        has_models=True,
        cursor="dlt, in the landing bucket",
        backfill="the next run reads the stream from its start, as a new generation",
        schema_change='lands with "fields": "all"; else only fields of the file land',
    ),
}
"""By engine and place; what is not in it can't be."""
