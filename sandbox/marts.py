"""Counts and reads what is in the lake: its streams, and the marts that dbt's manifest has.

Rows are counted in the Parquet files themselves, for a comparison with the counts of Airbyte's jobs.
"""

import os
from glob import escape
from pathlib import Path
from typing import Final

import duckdb
from lotus_dagster.arrivals.landing import stored_files
from lotus_dagster.definitions import DBT_PROJECT, STREAMS
from lotus_dagster.environment import STACK, Warehouse
from lotus_dagster.lake import streams_in_stack
from lotus_dagster.manifest import Manifest, ManifestError

from lotus_infra import naming
from lotus_infra.clients.ducklake import attach, prepare
from lotus_infra.errors import LotusError
from lotus_infra.lake.loader import load_usable_lake
from sandbox.lakehouse import Contents, Stream, Table

FIRST: Final = 3


def contents(warehouse: Warehouse, first: int = FIRST) -> Contents:
    """What is in the lake now.

    Args:
        warehouse: where it is.
        first: how many rows of each mart.

    Raises:
        LotusError: the catalog can't be read.
    """
    lake = load_usable_lake(STREAMS, os.environ.get(STACK, ""))
    landing = warehouse.landing.rstrip("/")
    with duckdb.connect() as connection:
        built = _built(connection, warehouse)
        connection.execute("set TimeZone = 'UTC'")
        streams = tuple(
            Stream(
                source=source.name,
                name=stream.name,
                connection=read.resource,
                latest=_count(connection, naming.dbt_model(source.name, stream.name), built),
                overwritten=stream.config.destination_sync_mode == "overwrite",
                **_landed(connection, landing, lake.place_of(read, stream)),
            )
            for source in lake.sources
            for stream in source.selected_streams
            if (read := lake.read_of(source, stream)) is not None
        )
        tables = tuple(
            Stream(
                source=source.name,
                name=stream.name,
                connection=read.resource,
                latest=_count(connection, naming.dbt_model(source.name, stream.name), built),
                overwritten=stream.config.destination_sync_mode == "overwrite",
                files=0,
                landed=0,
                is_table=True,
            )
            for source in lake.sources
            for stream in source.selected_streams
            if (read := lake.table_read_of(source, stream)) is not None
        )
        marts = tuple(_table(connection, name, first) for name in _marts() if name in built)
    return Contents(streams=(*streams, *tables), marts=marts)


def _marts() -> list[str]:
    """The tables of the models that belong to no stream, as the manifest of the last parse has them."""
    try:
        manifest = Manifest.read(DBT_PROJECT / "target" / "manifest.json")
    except ManifestError:
        return []
    streams = streams_in_stack(STREAMS, os.environ.get(STACK, ""))
    tags = [stream.tag for stream in (*streams.deployed, *streams.left_out)]
    return manifest.tables_without([*tags, *streams.by_jobs.tags])


def _built(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> set[str]:
    """The tables of the lake, which is attached where there is one: the first run makes its catalog."""
    if not Path(warehouse.catalog).exists():
        prepare(connection, warehouse)
        return set()
    try:
        attach(connection, warehouse, read_only=True)
    except duckdb.Error as error:
        raise LotusError(
            f"the lake can't be read: {error}", "is another process in it, such as `dagster dev`?"
        ) from error
    found = "from duckdb_tables() where database_name = 'lake' and schema_name = 'main'"
    views = found.replace("tables", "views")
    query = f"select table_name {found} union all select view_name {views}"
    return {name for (name,) in connection.execute(query).fetchall()}


def _landed(connection: duckdb.DuckDBPyConnection, landing: str, prefix: str) -> dict[str, int]:
    # DuckDB's own listing misses keys with an apostrophe where a server escapes it, and reads some names as patterns.
    keys = [one.key for one in stored_files(landing, prefix) if one.key.endswith(".parquet")]
    files = [escape(f"{landing}/{prefix}{key}") for key in keys]
    if not files:
        return {"files": 0, "landed": 0}
    query = "select sum(num_rows)::bigint from parquet_file_metadata(?)"
    ((rows,),) = connection.execute(query, [files]).fetchall()
    return {"files": len(files), "landed": rows}


def _count(connection: duckdb.DuckDBPyConnection, table: str, built: set[str]) -> int | None:
    if table not in built:
        return None
    ((rows,),) = connection.execute(f'select count(*) from lake.main."{table}"').fetchall()
    return int(rows)


def _table(connection: duckdb.DuckDBPyConnection, name: str, first: int) -> Table:
    query = f'select * from lake.main."{name}" order by 1 limit {first}'
    found = connection.execute(f"select columns(*)::varchar from ({query})")
    columns = tuple(str(column[0]) for column in found.description or ())
    rows = tuple(found.fetchall())  # The connection keeps the answer of its last query alone.
    return Table(name=name, rows=_count(connection, name, {name}) or 0, columns=columns, first=rows)
