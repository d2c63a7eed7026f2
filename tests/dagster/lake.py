"""A lake on this machine for tests: Parquet files in the landing layout, dbt in this process, a DuckLake in a file."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from lotus_dagster.duckdb_plugin import prepare
from lotus_dagster.environment import Warehouse

PROJECT = Path(__file__).resolve().parents[2] / "dagster" / "dbt"
Row = Mapping[str, Any]


def order(number: int, updated: str, **fields: Any) -> dict[str, Any]:
    shipping = {"shop_money": {"amount": 5.0, "currency_code": "EUR"}}
    return {
        "id": number,
        "created_at": "2025-12-30T10:00:00Z",
        "updated_at": updated,
        "test": False,
        "total_line_items_price": 100.0,
        "total_discounts": 10.0,
        "total_shipping_price_set": json.dumps(shipping),
        "total_tax": 8.0,
        "financial_status": "paid",
        "fulfillment_status": None,
        "cancelled_at": None,
        "cancel_reason": None,
        "customer": json.dumps({"id": 7}),
    } | fields


def refund(number: int, order_id: int, created: str, subtotal: float, tax: float = 0.0) -> dict[str, Any]:
    lines = [{"subtotal": subtotal, "total_tax": tax}]
    return {
        "id": number,
        "order_id": order_id,
        "created_at": created,
        "refund_line_items": json.dumps(lines),
        "transactions": "[]",
    }


def close_connections() -> None:
    """Lets go of the catalog's file, which dbt-duckdb keeps open for the next call in the same process."""
    manager: Any = DuckDBConnectionManager
    if manager._ENV is not None:
        manager._ENV.close()
    manager.close_all_connections()


class Lake:
    """A landing folder, a catalog file and a folder of tables, all below one folder."""

    def __init__(self, root: Path, project: Path = PROJECT) -> None:
        self.project = project
        self.landing = root / "landing"
        self.warehouse = Warehouse(str(self.landing), str(root / "lake.ducklake"), str(root / "tables"))
        self.target = root / "target"
        self.landing.mkdir(parents=True)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LOTUS_LANDING": self.warehouse.landing,
            "LOTUS_CATALOG": self.warehouse.catalog,
            "LOTUS_LAKE_DATA": self.warehouse.data,
        }

    def land(self, source: str, stream: str, day: str, part: int, rows: Iterable[Row], **meta: Any) -> Path:
        """Writes one file; `meta` overrides `extracted_at` and `generation`."""
        year, month, date = day.split("-")
        file = self.landing / f"raw/{source}/{stream}/year={year}/month={month}/day={date}/part_{part}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        written = [
            dict(row)
            | {
                "_airbyte_raw_id": f"{stream}-{day}-{part}-{place}",
                "_airbyte_extracted_at": meta.get("extracted_at", f"{day}T12:00:00Z"),
                "_airbyte_meta": "{}",
                "_airbyte_generation_id": meta.get("generation", 0),
            }
            for place, row in enumerate(rows)
        ]
        text = file.with_suffix(".json")
        text.write_text("\n".join(json.dumps(row) for row in written))
        with duckdb.connect() as connection:
            dates = ["created_at", "updated_at", "cancelled_at", "_airbyte_extracted_at"]
            known = ", ".join(f"{name}::timestamptz as {name}" for name in dates if name in written[0])
            connection.execute(
                f"copy (select * replace ({known}) from read_json('{text}', format = 'newline_delimited',"
                f" field_appearance_threshold = 0, hive_partitioning = false,"
                f" map_inference_threshold = -1)) to '{file}' (format parquet)"
            )
        text.unlink()
        return file

    def dbt(self, *arguments: str, partitions: Iterable[str] = ()) -> None:
        given = {**self.environment, "DBT_TARGET_PATH": str(self.target), "DBT_LOG_PATH": str(self.target)}
        before = dict(os.environ)
        os.environ.update(given)
        try:
            call = [
                *arguments,
                "--log-level-file",
                "none",
                "--project-dir",
                str(self.project),
                "--profiles-dir",
                str(self.project),
                "--quiet",
            ]
            call += ["--quiet", "--log-level-file", "none", "--vars", json.dumps({"partitions": list(partitions)})]
            result = dbtRunner().invoke(call)
        finally:
            close_connections()
            os.environ.clear()
            os.environ.update(before)
        if not result.success:
            told = [f"{one.node.name}: {one.message}" for one in getattr(result.result, "results", ()) if one.message]
            raise AssertionError(f"dbt failed: {result.exception or told}")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            prepare(connection, self.warehouse)
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"attach 'ducklake:{self.warehouse.catalog}' as lake")
            connection.execute("use lake.main")
            return connection.execute(sql).fetchall()
