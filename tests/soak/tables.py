"""The lake's tables as they are, and where they differ from a reckoning."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import duckdb
from lotus_dagster.environment import Warehouse

from lotus_infra.clients.ducklake import attach
from tests.soak.world import STREAMS, Seen

COLUMNS: Final = {
    **{one.model: ("id", "_airbyte_raw_id", *one.compared) for one in STREAMS.values()},
    "fct_sales": ("order_id", "financial_status", "gross", "total"),
    "dim_customers": ("customer_id", "is_known", "email"),
    "fct_purchases": ("purchase_id", "country", "make"),
}
NUMBERS: Final = {"total_line_items_price", "price", "gross", "total"}
EXAMPLES: Final = 3
Entry = Mapping[str, Any]
"""A row of the bookkeeping by the names of its columns."""


class LakeTables:
    """Tables of one moment, each with the rows that a query gives; a table that is missing has none."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.rows: dict[str, list[tuple[Any, ...]]] = {}
        self.read: dict[str, list[Entry]] = {}
        self.quarantined: list[Entry] = []
        with duckdb.connect() as connection:
            attach(connection, warehouse)
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("begin")
            found = connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'lake'"
            ).fetchall()
            for table, columns in COLUMNS.items():
                if ("main", table) in found:
                    self.rows[table] = connection.execute(
                        f"select {', '.join(columns)} from lake.main.{table}"
                    ).fetchall()
                if ("read_files", table) in found:
                    self.read[table] = _entries(connection, table)
            if ("read_files", "quarantined_files") in found:
                self.quarantined = _entries(connection, "quarantined_files")

    def seen(self, table: str) -> list[tuple[Any, ...]]:
        """The rows of a table, with money as the reckoning has it."""
        numbers = [name in NUMBERS for name in COLUMNS[table]]
        return [
            tuple(
                Decimal(str(value)).quantize(Decimal("0.01")) if number and value is not None else value
                for value, number in zip(row, numbers, strict=True)
            )
            for row in self.rows.get(table, [])
        ]

    def differences(self, expected: Mapping[str, Seen]) -> list[str]:
        """Where the tables differ, a line a kind of difference and table."""
        return [line for table, rows in expected.items() for line in compare(table, self.seen(table), rows)]

    def twice_read(self) -> list[str]:
        """Files that the bookkeeping has more than once."""
        found: list[str] = []
        for table, rows in self.read.items():
            twice = [file for file, times in Counter(row["file"] for row in rows).items() if times > 1]
            found += described(table, "files are in the bookkeeping twice", twice)
        return found


def _entries(connection: duckdb.DuckDBPyConnection, table: str) -> list[Entry]:
    found = connection.execute(f"from lake.read_files.{table}")
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def compare(table: str, seen: Iterable[tuple[Any, ...]], expected: Seen) -> list[str]:
    """Keys that are missing, too many, twice, or have other values."""
    rows = list(seen)
    by_key = {row[0]: row[1:] for row in rows}
    times = Counter(row[0] for row in rows)
    others = [f"{key}: {by_key[key]} for {row}" for key, row in expected.items() if by_key.get(key, row) != row]
    return [
        *described(table, "keys are missing", [key for key in expected if key not in by_key]),
        *described(table, "keys should not be there", [key for key in by_key if key not in expected]),
        *described(table, "keys are there twice", [key for key, count in times.items() if count > 1]),
        *described(table, "keys have other values", others),
    ]


def described(table: str, what: str, found: Sequence[Any]) -> list[str]:
    """One line with the first few of what was found; none of nothing."""
    shown = ", ".join(str(one) for one in found[:EXAMPLES])
    return [f"{table}: {len(found)} {what}: {shown}{', …' if len(found) > EXAMPLES else ''}"] if found else []
