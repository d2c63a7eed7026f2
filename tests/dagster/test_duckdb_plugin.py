"""Attaching the lake."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import duckdb
from lotus_dagster.environment import Warehouse

from lotus_infra.clients.ducklake import attach


def test_several_connections_may_make_the_catalog_at_once(catalog: str, tmp_path: Path) -> None:
    warehouse, at_once = Warehouse(str(tmp_path), catalog, str(tmp_path / "lake")), Barrier(4)

    def tables() -> list[tuple[object, ...]]:
        with duckdb.connect() as connection:
            at_once.wait()
            attach(connection, warehouse)
            return connection.execute("select table_name from duckdb_tables() where database_name = 'lake'").fetchall()

    with ThreadPoolExecutor(4) as pool:
        assert [one.result() for one in [pool.submit(tables) for _ in range(4)]] == [[]] * 4
