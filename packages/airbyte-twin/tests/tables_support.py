"""What tests of tables share: a database of its own on a real server, and what is in it."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2
from airbyte_twin.documents import JsonObject
from airbyte_twin.landing import LandingStream
from airbyte_twin.tables import Tables, TableWriter
from landing_support import NEW_YEAR, stream

from tests.support.postgres import USER, Postgres

MARKS = ("_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta", "_airbyte_generation_id")
ORDERS = '"shopify"."orders"'


@dataclass(frozen=True)
class Warehouse:
    """An empty database.

    Attributes:
        server: Its server.
        database: Its name.
    """

    server: Postgres
    database: str

    def configuration(self, **overrides: Any) -> JsonObject:
        """A destination that writes to it."""
        clean: JsonObject = {
            "host": "127.0.0.1",
            "port": self.server.port,
            "database": self.database,
            "schema": "public",
            "username": USER,
            "password": "some-password",
        }
        return clean | overrides

    def tables(self, *streams: LandingStream, **overrides: Any) -> Tables:
        """The destination of a connection with these streams."""
        names = [(each.namespace, each.prefix + each.name) for each in streams or [stream()]]
        return Tables(self.configuration(**overrides), names)

    def opened(self, landed: LandingStream, **overrides: Any) -> TableWriter:
        """A sync of one stream that has begun."""
        return self.tables(landed, **overrides).open(landed)

    def sync(self, records: Iterable[JsonObject], at: int = NEW_YEAR * 1000, **overrides: Any) -> None:
        """One sync that succeeds.

        Args:
            records: Of orders.
            at: When they were extracted, in milliseconds since 1970.
            overrides: Of the stream.
        """
        landed = stream(**overrides)
        with closing(self.tables(landed)) as tables:
            writer = tables.open(landed)
            for record in records:
                writer.write(record, at)
            writer.close()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.execute(statement + ";", fetch=True)

    def execute(self, statement: str, *, fetch: bool = False) -> list[tuple[Any, ...]]:
        """Run a statement as another user of the database would."""
        address = {"host": "127.0.0.1", "port": self.server.port, "user": USER, "dbname": self.database}
        with closing(psycopg2.connect(**address)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if fetch else []

    def rows(self, table: str = ORDERS) -> list[dict[str, Any]]:
        """The fields of a table's rows, without Airbyte's own, ordered by all of them."""
        names = [name for name in self.types(table) if name not in MARKS]
        columns = ", ".join(f'"{name}"' for name in names)
        return [
            dict(zip(names, row, strict=True))
            for row in self.query(f"select {columns} from {table} order by {columns}")
        ]

    def marks(self, name: str, table: str = ORDERS) -> set[Any]:
        """The values of one of Airbyte's own columns."""
        return {value for (value,) in self.query(f'select distinct "{name}" from {table}')}

    def types(self, table: str = ORDERS) -> dict[str, str]:
        """The types of a table's columns, in their order."""
        statement = (
            "select attname, format_type(atttypid, atttypmod) from pg_attribute"
            f" where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped order by attnum"
        )
        return dict(self.query(statement))

    def all_tables(self) -> list[str]:
        """Every table, `schema.table`."""
        found = self.query(
            "select schemaname || '.' || tablename from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema') order by 1"
        )
        return [name for (name,) in found]


def new_warehouse(server: Postgres) -> Warehouse:
    """A new database on a server."""
    return Warehouse(server, server.new_database())
