"""Counts and reads what is in the lake: `python -m sandbox.marts` prints one line of JSON (`lakehouse.Contents`).

Rows are counted in the Parquet files themselves, for a comparison with the counts of Airbyte's jobs.
"""

import os
import sys
from glob import escape
from pathlib import Path
from typing import Final

import duckdb
from lotus_dagster.arrivals.landing import stored_files
from lotus_dagster.definitions import STREAMS
from lotus_dagster.environment import STACK, Warehouse

from lotus_infra import naming
from lotus_infra.clients.ducklake import attach, prepare
from lotus_infra.errors import LotusError
from lotus_infra.lake.loader import load_usable_lake
from sandbox.lakehouse import Contents, Stream, Table

MARTS: Final = ("fct_sales", "dim_customers", "fct_purchases")
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
        marts = tuple(_table(connection, name, first) for name in MARTS if name in built)
    return Contents(streams=streams, marts=marts)


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
    return {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}


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


def main() -> int:
    """Print the contents; return 1 if they can't be read."""
    try:
        print(contents(Warehouse.read()).model_dump_json())
    except LotusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
