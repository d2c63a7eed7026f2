"""Postgres destinations in a dbt run: the function by which a model attaches the database that it reads.

A run attaches only the databases that its models read, when one of them does: a database that is away, or whose
variable is missing, fails the models that need it and no other.
"""

import os

import duckdb

from lotus_infra.clients.ducklake import attach_database
from lotus_infra.errors import LotusError


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection the function `attach_database`, which dbt's macro `source` calls.

    It takes a destination's name, and returns what is wrong; an empty text if nothing is. The address is in the
    environment, and never in SQL, which dbt writes to its logs.
    """

    def attach(destination: str) -> str:
        try:
            with connection.cursor() as cursor:
                attach_database(cursor, destination, os.environ)
        except LotusError as error:
            # No file of the landing zone is at fault: `refused` ends a search for one before it begins.
            return f"refused: {error.message}: {error.hint}"
        return ""

    connection.create_function(
        "attach_database",
        attach,
        ["varchar"],
        "varchar",
        side_effects=True,
    )
