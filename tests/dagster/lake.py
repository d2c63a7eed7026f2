"""A lake on this machine for tests: Parquet files in the landing layout, dbt in this process, a DuckLake in a file."""

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from lotus_dagster.definitions import DBT_PROJECT, current_manifest
from lotus_dagster.environment import Warehouse

from lotus_infra.clients.ducklake import attach

Row = Mapping[str, Any]
LOST_X = {"field": "x", "change": "NULLED", "reason": "y"}


def order(number: int, updated: str, **fields: Any) -> dict[str, Any]:
    shipping = {"shop_money": {"amount": 5.0, "currency_code": "EUR"}}
    return {
        "id": number,
        "created_at": "2025-12-30T10:00:00Z",
        "updated_at": updated,
        "test": False,
        "total_line_items_price": 100.0,
        "total_discounts": 10.0,
        "total_shipping_price_set": shipping,
        "total_tax": 8.0,
        "financial_status": "paid",
        "fulfillment_status": None,
        "cancelled_at": None,
        "cancel_reason": None,
        "customer": {"id": 7},
    } | fields


def refund(number: int, order_id: int, created: str, subtotal: float, tax: float = 0.0) -> dict[str, Any]:
    lines = [{"subtotal": subtotal, "total_tax": tax}]
    return {
        "id": number,
        "order_id": order_id,
        "created_at": created,
        "refund_line_items": lines,
        "transactions": [{"kind": "refund"}],
    }


def write_parquet(file: Path, rows: Sequence[Row]) -> None:
    """Rows with the types that DuckDB sees in them; what looks like a time is one."""
    text = file.with_suffix(".json")
    text.write_text("\n".join(json.dumps(row) for row in rows))
    times = ("created_at", "updated_at", "cancelled_at", "_airbyte_extracted_at")
    known = ", ".join(f"{name}::timestamptz as {name}" for name in times if name in rows[0])
    source, target = (str(path).replace("'", "''") for path in (text, file))
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace ({known}) from read_json('{source}', format = 'newline_delimited',"
            " maximum_depth = -1, field_appearance_threshold = 0, hive_partitioning = false,"
            f" map_inference_threshold = -1)) to '{target}' (format parquet)"
        )
    text.unlink()


def close_connections() -> None:
    """Lets go of the catalog's file, which dbt-duckdb keeps open for the next call in the same process."""
    manager: Any = DuckDBConnectionManager
    if manager._ENV is not None:
        manager._ENV.close()
    manager.close_all_connections()


class Lake:
    """A landing folder, a catalog (a file if none is given) and a folder of tables, all below one folder."""

    def __init__(self, root: Path, project: Path = DBT_PROJECT, catalog: str = "") -> None:
        self.project = project
        self.landing = root / "landing"
        self.warehouse = Warehouse(str(self.landing), catalog or str(root / "lake.ducklake"), str(root / "tables"))
        self.target = root / "target"
        self.landing.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LOTUS_LANDING": self.warehouse.landing,
            "LOTUS_CATALOG": self.warehouse.catalog,
            "LOTUS_LAKE_DATA": self.warehouse.data,
        }

    def land(
        self, source: str, stream: str, day: str, part: int, rows: Iterable[Row], *, as_text: bool = False, **meta: Any
    ) -> Path:
        """Writes one file; `meta` overrides `extracted_at`, `generation`, `raw_id` and `changes`.

        Objects and lists become Parquet's structs and lists, as those with a schema do in destination-s3; with
        `as_text` they become JSON text, as those without a schema do.
        """
        year, month, date = day.split("-")
        file = self.landing / f"raw/{source}/{stream}/year={year}/month={month}/day={date}/part_{part}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        known = {
            "_airbyte_extracted_at": meta.get("extracted_at", f"{day}T12:00:00Z"),
            "_airbyte_meta": {"sync_id": 1, "changes": meta.get("changes", [LOST_X])},
            "_airbyte_generation_id": meta.get("generation", 0),
        }
        raw_id = meta.get("raw_id", f"{stream}-{day}-{part}")
        written = [
            {
                name: json.dumps(value) if as_text and isinstance(value, dict | list) else value
                for name, value in row.items()
            }
            | known
            | {"_airbyte_raw_id": f"{raw_id}-{place}"}
            for place, row in enumerate(rows)
        ]
        write_parquet(file, written)
        return file

    def parsed(self) -> None:
        """Begins with what dbt knows of the project from other tests, which saves the seconds of a parse."""
        known = current_manifest(DBT_PROJECT).with_name("partial_parse.msgpack")
        if not self.target.exists() and known.is_file():
            self.target.mkdir()
            shutil.copy(known, self.target)

    def dbt(self, *arguments: str, partitions: Iterable[str] = ()) -> None:
        self.parsed()
        close_connections()  # Dagster's runs in this process leave one without a lake
        before = dict(os.environ)
        os.environ.update(self.environment | {"LOTUS_PARTITIONS": " ".join(partitions)})
        try:
            paths = {"--project-dir": self.project, "--profiles-dir": self.project, "--target-path": self.target}
            call = [
                *arguments,
                "--quiet",
                "--no-write-json",  # two manifests and a graph a call, a quarter of its time, which no test reads
                "--log-level-file",
                "none",
                *(str(part) for pair in paths.items() for part in pair),
            ]
            result = dbtRunner().invoke(call)
        finally:
            close_connections()
            os.environ.clear()
            os.environ.update(before)
        if not result.success:
            told = [f"{one.node.name}: {one.message}" for one in getattr(result.result, "results", ()) if one.message]
            raise AssertionError(f"dbt failed: {result.exception or told}")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        [found] = self.queries(sql)
        return found

    def queries(self, *statements: str) -> list[list[tuple[Any, ...]]]:
        """Several queries at once, which load DuckDB's extensions once."""
        with duckdb.connect() as connection:
            attach(connection, self.warehouse)
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("use lake.main")
            return [connection.execute(sql).fetchall() for sql in statements]
