"""A connection to a Postgres server; its errors become messages with what the server has to say."""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from airbyte_twin.landing.errors import LandingError
from airbyte_twin.tables.configuration import Configuration

CONNECT_SECONDS = 5
MISSING_DRIVER = (
    "The twin writes to Postgres with the driver psycopg2, which is not installed: install airbyte-twin[postgres]."
)


class Server:
    """The database of one destination. It is used by one thread, and connects at the first statement.

    Every method but `close` raises LandingError when the server can't be reached, or refuses.
    """

    def __init__(self, configuration: Configuration) -> None:
        """Take a configuration.

        Raises:
            LandingError: The driver is not installed.
        """
        try:
            import psycopg2  # noqa: PLC0415 - a twin without a Postgres destination starts without the driver
        except ImportError:
            raise LandingError(MISSING_DRIVER) from None
        self._driver = psycopg2
        self._configuration = configuration
        # psycopg2 has no types.
        self._connection: Any = None

    def run(self, *statements: str) -> None:
        """Run statements in one transaction: all of them, or none."""
        with self._transaction() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query with `%s` for each value."""
        with self._transaction() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def copy(self, into: str, lines: Sequence[bytes]) -> None:
        """Write rows, in the text format of COPY, in one transaction.

        Args:
            into: The table and its columns, in SQL.
            lines: The rows.
        """
        with self._transaction() as cursor:
            cursor.copy_expert(f"copy {into} from stdin", io.BytesIO(b"".join(lines)))

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        where = f"The database {self._configuration.database!r} at {self._address}"
        if self._connection is None:
            try:
                self._connection = self._connect()
            except self._driver.Error as error:
                remedy = "start the server, or correct host, port, database, username and password"
                raise LandingError(f"{where} can't be connected to: {str(error).strip()}: {remedy}.") from None
        try:
            with self._connection, self._connection.cursor() as cursor:
                yield cursor
        except self._driver.Error as error:
            said = str(error).strip()
            if self._connection.closed:
                self.close()
            raise LandingError(f"{where} failed: {said}") from None

    def _connect(self) -> Any:
        found = self._configuration
        return self._driver.connect(
            host=found.host,
            port=found.port,
            dbname=found.database,
            user=found.username,
            password=found.password.get_secret_value() if found.password else None,
            # Who runs the twin may have passwords of their own, which are not the destination's.
            passfile=os.devnull,
            sslmode=found.sslmode,
            connect_timeout=CONNECT_SECONDS,
            application_name="airbyte-twin",
            client_encoding="UTF8",
        )

    @property
    def _address(self) -> str:
        return f"{self._configuration.host}:{self._configuration.port}"
