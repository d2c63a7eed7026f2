"""Write streams as tables of Postgres: coerce, buffer, copy, then merge or replace.

Rows that must not be seen before a sync has succeeded are collected in a table beside the stream's own. It outlives a
sync that fails or is killed, and the next sync of the same generation continues it.

Source: airbytehq/airbyte, bulk CDK: DirectLoadTableStreamLoader; destination-postgres 3.0: PostgresWriter,
PostgresOssChecker.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from airbyte_twin.documents import JsonObject, dump_json
from airbyte_twin.landing.errors import LandingError
from airbyte_twin.landing.stream import LandingStream, record_size
from airbyte_twin.tables.columns import columns_of, copy_line, row_texts
from airbyte_twin.tables.configuration import Configuration, parse_configuration
from airbyte_twin.tables.names import StreamName, TableName, qualified, quoted, table_names, temporary_name
from airbyte_twin.tables.server import Server
from airbyte_twin.tables.table import Found, Table, shape_of

LARGEST_BUFFER: Final = 4 << 20


class TableWriter:
    """Writes one stream.

    Attributes:
        rows: Records of this writer.
        bytes: Of these records' JSON.
    """

    def __init__(self, configuration: Configuration, server: Server, stream: LandingStream, name: TableName) -> None:
        self.rows = 0
        self.bytes = 0
        self._stream = stream
        self._server = server
        self._columns = columns_of(stream)
        hard_delete = configuration.cdc_deletion_mode == "Hard delete"
        shape = shape_of(stream, self._columns, hard_delete=hard_delete, cascade=configuration.drop_cascade)
        self._table = Table(server, name, shape)
        self._aside = Table(server, temporary_name(name), shape)
        self._merging = Table(server, temporary_name(self._aside.name), shape)
        self._lines: list[bytes] = []
        self._buffered = 0
        self._continued = False
        self._target = self._begun()

    def write(self, record: JsonObject, extracted_at: int) -> None:
        """Take a record; it is not durable before the next checkpoint.

        Args:
            record: The record's data.
            extracted_at: Milliseconds since 1970.

        Raises:
            LandingError: It is no JSON, or the server fails.
        """
        size = record_size(record)
        texts, changes = row_texts(self._columns, record)
        meta = dump_json({"sync_id": self._stream.sync_id, "changes": changes}).decode()
        at = datetime.fromtimestamp(extracted_at / 1000, UTC).isoformat(" ", "milliseconds")
        line = copy_line([str(uuid4()), at, meta, str(self._stream.generation_id), *texts])
        self._lines.append(line)
        self._buffered += len(line)
        self.rows += 1
        self.bytes += size
        if self._buffered >= LARGEST_BUFFER:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Make the records written so far durable.

        Raises:
            LandingError: The server fails; another checkpoint may follow.
        """
        if self._lines:
            self._target.copy(self._lines)
            self.abort()

    def close(self) -> None:
        """Make all durable and visible, and rows of generations below the minimum go.

        Raises:
            LandingError: The server fails; the stream's table is as it was.
        """
        self.checkpoint()
        if self._stream.deduplicated:
            self._merge()
        elif self._target is self._aside:
            self._server.run(*self._table.replaced(self._aside))

    def fail(self) -> None:
        """Make rows visible that are durable, unless they are to replace those of older generations.

        Raises:
            LandingError: The server fails; the stream's table is as it was.
        """
        if self._stream.deduplicated and not self._is_replacing:
            self._merge()

    def abort(self) -> None:
        """Discard records since the last checkpoint."""
        self._lines, self._buffered = [], 0

    def _begun(self) -> Table:
        """The table that records go to, with the stream's columns."""
        create_schema(self._server, self._table.name.schema)
        table, aside = self._table.find(), self._aside.find()
        if self._stream.deduplicated or (self._is_replacing and aside is not None):
            self._continued = aside is not None
            self._prepare(self._aside, aside)
            return self._aside
        if self._is_replacing and table is not None and not self._is_current(table):
            self._server.run(*self._aside.created())
            return self._aside
        changes = self._table.created() if table is None else self._table.matched(table)
        if aside is not None:
            changes += [*self._aside.matched(aside), *self._table.appended(self._aside)]
        self._server.run(*changes)
        return self._table

    def _prepare(self, table: Table, found: Found | None) -> None:
        """Continue a table of this generation, or begin it."""
        usable = found is not None and self._is_current(found)
        self._server.run(*(table.matched(found) if found is not None and usable else table.created()))

    def _merge(self) -> None:
        found = self._table.find()
        if found is None or not self._is_replacing or (self._is_current(found) and not self._continued):
            changes = self._table.created() if found is None else self._table.matched(found)
            self._server.run(*changes, *self._table.merged(self._aside), self._aside.dropped())
            return
        merged = [*self._merging.created(), *self._merging.merged(self._aside)]
        self._server.run(*merged, *self._table.replaced(self._merging), self._aside.dropped())

    @property
    def _is_replacing(self) -> bool:
        """Whether rows of older generations go in the end."""
        return self._stream.minimum_generation_id > 0

    def _is_current(self, found: Found) -> bool:
        """Whether a table has no row of a generation that has to go."""
        return found.generation is None or found.generation >= self._stream.minimum_generation_id


class Tables:
    """One destination-postgres; no connection is opened before it is used, and `close` ends it."""

    def __init__(self, configuration: JsonObject, streams: Iterable[StreamName]) -> None:
        """Take a configuration.

        Args:
            configuration: As the destination's spec has it, secrets in plain text.
            streams: All streams of the connection, in its order, as the destination gets them: their order decides who
                keeps a name that two of them would have.

        Raises:
            LandingError: An unsupported option, or the driver is not installed.
        """
        self._configuration = parse_configuration(configuration)
        self._tables = table_names(streams, self._configuration.default_schema)
        self._server = Server(self._configuration)

    def check(self) -> None:
        """See whether the default schema can be written, by a table that is created, filled and dropped.

        Raises:
            LandingError: It can't.
        """
        name = f"_airbyte_connection_test_{uuid4().hex}"
        [table] = table_names([(None, name)], self._configuration.default_schema).values()
        create_schema(self._server, table.schema)
        probe = qualified(table)
        filled = f"insert into {probe} values ('test-value')"  # noqa: S608 - the name is quoted
        self._server.run(f"create table {probe} (test_key character varying)", filled, f"drop table {probe}")

    def open(self, stream: LandingStream) -> TableWriter:
        """Begin to write a stream: its table gets the stream's columns.

        Raises:
            LandingError: The server fails, or the stream can't be written.
        """
        return TableWriter(self._configuration, self._server, stream, self._table_of(stream))

    def clear(self, stream: LandingStream) -> None:
        """Empty the table of a stream, which gets the stream's columns.

        Raises:
            LandingError: The server fails.
        """
        self.open(replace(stream, deduplicated=False)).close()

    def close(self) -> None:
        """Let go of the connection."""
        self._server.close()

    def _table_of(self, stream: LandingStream) -> TableName:
        return self._tables[stream.namespace, stream.prefix + stream.name]


def create_schema(server: Server, schema: str) -> None:
    """Create a schema that does not exist.

    Raises:
        LandingError: The server fails.
    """

    def exists() -> bool:
        return bool(server.rows("select 1 from pg_namespace where nspname = %s", schema))

    if not exists():
        try:
            server.run(f"create schema if not exists {quoted(schema)}")
        except LandingError:
            # Another job may create it at the same time, which "if not exists" does not cover.
            if not exists():
                raise
