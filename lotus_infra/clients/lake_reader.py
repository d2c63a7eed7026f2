"""Run SQL of unknown origin on the lake's tables, without a way to change anything.

Three rules hold together. The catalog is attached read-only. A text is one SELECT by DuckDB's own parser, and the table
functions in it are known to read: some of DuckLake's delete files, and run inside of a SELECT. DuckDB then reads from
the tables' files, the landing zone and the current folder only, and calls no other server.
"""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import unquote

from pydantic import JsonValue, TypeAdapter

from lotus_infra.clients.ducklake import (
    ALIAS,
    POSTGRES,
    LakeAddress,
    attach,
    attach_database,
    hidden_passwords,
    literal,
    prepare,
    without_password,
)
from lotus_infra.errors import LotusError, one_line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LANDING: Final = "landing"
"""The schema of the streams' files."""
FileFormat = Literal["csv", "json", "jsonl", "parquet"]
COPIED: Final[Mapping[FileFormat, str]] = {
    "csv": "format csv, header",
    "json": "format json, array true",
    "jsonl": "format json",
    "parquet": "format parquet",
}
READING: Final = frozenset(
    (
        *("generate_series", "generate_subscripts", "range", "repeat", "repeat_row", "unnest", "glob"),
        *("json_each", "json_tree", "read_blob", "read_text", "sniff_csv"),
        *("parquet_file_metadata", "parquet_kv_metadata", "parquet_metadata", "parquet_scan", "parquet_schema"),
        *("read_csv", "read_csv_auto", "read_json", "read_json_auto", "read_json_objects", "read_ndjson"),
        *("read_ndjson_auto", "read_ndjson_objects", "read_parquet"),
        *("duckdb_columns", "duckdb_functions", "duckdb_schemas"),
        *("duckdb_tables", "duckdb_types", "duckdb_views", "pg_timezone_names", "pragma_table_info"),
        *("current_snapshot", "last_committed_snapshot", "options", "settings", "snapshots", "table_info"),
        *("table_changes", "table_deletions", "table_insertions", "list_files"),
        *("ducklake_current_snapshot", "ducklake_last_committed_snapshot", "ducklake_list_files", "ducklake_options"),
        *("ducklake_settings", "ducklake_snapshots", "ducklake_table_changes", "ducklake_table_deletions"),
        *("ducklake_table_info", "ducklake_table_insertions"),
    )
)
"""Table functions that read only; all others are refused."""
PRIVATE: Final = frozenset({"duckdb_databases", "pragma_database_list", "pg_settings"})
"""DuckDB's own views over functions that are refused: of a catalog in Postgres, they print the whole address."""
_METADATA: Final = f"__ducklake_metadata_{ALIAS}"
_REWRITES: Final = ("compacted_table", "merge_adjacent", "rewrite_delete", "flushed_inlined", "inline_flush")
"""Changes in DuckLake's snapshots that move a table's rows to other files and leave them as they are."""
_CHANGES: Final = f"""
with changes as (
    select snapshot_time, unnest(map_entries(changes)) as change from {ALIAS}.snapshots()
),
touched as (
    select snapshot_time, unnest(change.value) as what from changes where change.key not in {_REWRITES}
),
found as (
    select s.schema_name, t.table_name, t.table_id
    from ducklake_table_info('{ALIAS}') as t
    join {_METADATA}.ducklake_schema as s on s.schema_id = t.schema_id and s.end_snapshot is null
)
select schema_name, table_name, max(snapshot_time)
from found
left join touched on what in (table_id::varchar, schema_name || '.' || table_name)
group by all
"""
_LOCKED: Final = re.compile(r"Conflicting lock is held in .*?\(PID (\d+)\)")
_UNREACHABLE: Final = re.compile(r'Unable to connect to Postgres at ".*": (.*)', re.DOTALL)
_INTERRUPTED: Final = "Query interrupted"
_PASSWORD_VARIABLE: Final = "PGPASSWORD"
_PASSWORD_IN_URL: Final = re.compile(r"(//[^/?#\s:@]*):([^\s/?#]*)@")
_PLACE_IN_TEXT: Final = re.compile(r"\n\s*LINE \d+:.*", re.DOTALL)
_HINTS: Final = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (
            "file system operations are disabled",
            "a query reads the lake, the landing zone, and files in the current folder",
        ),
        ("No files found that match", "no file has landed there yet; `lotus status` shows what has"),
        ("HTTP", "check the bucket, AWS_REGION and the credentials (AWS_ACCESS_KEY_ID or a profile)"),
        (
            "No snapshot found|does not exist at",
            "list the states: `select snapshot_id, snapshot_time from lake.snapshots()`",
        ),
        (
            '^(Binder|Catalog) Error: Catalog "',
            "a Postgres destination is read if its variable, LOTUS_WAREHOUSE_<DESTINATION>, is set",
        ),
        ("^Catalog Error: Table.*does not exist", "`lotus query` without a query lists the tables"),
    )
)
"""What to do about DuckDB's messages, by a pattern; the first that matches counts."""
_JSON: Final[TypeAdapter[JsonValue]] = TypeAdapter(JsonValue)


class QueryError(LotusError):
    """A query is refused, or failed."""


@dataclass(frozen=True, slots=True)
class Query:
    """A text that only reads.

    Attributes:
        text: One SELECT, which may be part of another one.
        files: The names in the schema `landing` that it may read.
        places: The databases and schemas that it names.
    """

    text: str
    files: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Table:
    """A table or a view of the lake, or the files of a stream.

    Attributes:
        name: With its schema: `main.fct_sales`.
        kind: What it is.
        rows: How many it has; None if they are not counted.
        changed: When its rows or columns last changed; None if that is not known.
    """

    name: str
    kind: Literal["table", "view", "files"]
    rows: int | None = None
    changed: datetime | None = None


@contextmanager
def reading(address: LakeAddress, environment: Mapping[str, str]) -> Iterator["LakeReader"]:
    """The lake, attached read-only to a DuckDB in memory.

    Args:
        address: Where the lake is.
        environment: The variables that describe S3's server and credentials.

    Raises:
        LotusError: DuckDB is not installed, or the catalog is missing, out of reach, or open in another process.
    """
    try:
        import duckdb  # noqa: PLC0415, an optional package, and slow to load
    except ImportError:
        raise LotusError("DuckDB is not installed", "install it: pip install 'lotus-infra[deploy,query]'") from None
    if not address.catalog.startswith(POSTGRES) and not Path(address.catalog).exists():
        hint = "name a file, or Postgres as postgres:dbname=… host=…; Dagster's first run creates the catalog"
        raise LotusError(f"no catalog at {hidden_passwords(address.catalog)}", hint)
    # DuckDB lets a query read all of this folder, so it is not the one of all programs. Without it, DuckDB would
    # write to the current folder.
    with (
        _without_password(address) as place,
        tempfile.TemporaryDirectory(prefix="lotus-query-") as folder,
        duckdb.connect() as connection,
    ):
        try:
            attach(connection, place, read_only=True, waits=False, environment=environment)
        except ImportError as error:
            raise LotusError(f"{error}", "install them: pip install 'lotus-infra[deploy,query]'") from None
        except FileNotFoundError as error:
            raise LotusError(str(error)) from None
        except duckdb.Error as error:
            raise _not_attached(place, str(error)) from None
        stored = _stored_data(connection)
        if not place.data and stored.startswith("s3://"):
            prepare(connection, replace(place, data=stored), environment)
        _forget_keys(connection)
        connection.execute(f"use {ALIAS}; attach ':memory:' as {LANDING}; set TimeZone = 'UTC'")
        connection.execute(f"set temp_directory = {literal(folder)}")
        yield LakeReader(connection, replace(place, data=place.data or stored))


class LakeReader:
    """A lake that is attached read-only.

    Args:
        connection: DuckDB.
        address: Where the lake is.
    """

    def __init__(self, connection: "DuckDBPyConnection", address: LakeAddress) -> None:
        self._connection, self._address = connection, address

    def parse(self, text: str) -> Query:
        """Parse a text, and refuse what may do more than read.

        Raises:
            QueryError: It is not one SELECT, or calls a function that is not known to read only.
        """
        import duckdb  # noqa: PLC0415

        try:
            statements = [one.query for one in duckdb.extract_statements(text)]
        except duckdb.Error as error:
            raise _failed(str(error)) from None
        if len(statements) != 1 or not statements[0].strip():
            raise QueryError(
                f"the text has {len(statements)} statements" if statements else "the query is empty",
                "write one SELECT; list the values of a PIVOT with IN",
            )
        ((serialized,),) = self._connection.execute("select json_serialize_sql(?)", [statements[0]]).fetchall()
        tree = _JSON.validate_json(serialized)
        if not isinstance(tree, dict) or tree.get("error"):
            word = statements[0].split()[0].upper()
            raise QueryError(f"{word} is refused: a query only reads", "write one SELECT, SUMMARIZE, DESCRIBE or SHOW")
        nodes = list(_nodes(tree))
        for name in map(_called, nodes):
            if name is not None and name not in READING:
                raise QueryError(f"the table function {name} is refused", "it is not known to read only")
        for name in map(_table_name, nodes):
            if name in PRIVATE:
                raise QueryError(f"the view {name} is refused", "it may print a password")
        files = frozenset(name for name in map(_landed_name, nodes) if name is not None)
        # As a text in a text, it may end with a semicolon or a comment.
        return Query(f"from query({literal(statements[0])})", files, frozenset().union(*map(_places, nodes)))

    def add_files(self, name: str, files: str) -> None:
        """Add the files of a stream as `landing.<name>`.

        Args:
            name: The name.
            files: The files as a table in SQL.

        Raises:
            QueryError: There are no files, or they can't be read.
        """
        self._execute(f"create view {LANDING}.main.{_name(name)} as from {files}")

    def attach_database(self, destination: str, environment: Mapping[str, str]) -> None:
        """Attach the database of a Postgres destination, read-only.

        Raises:
            LotusError: It is out of reach.
        """
        attach_database(self._connection, destination, environment)

    def restrict(self, *, output: Path | None = None) -> None:
        """Refuse all files and servers from now on but the lake's, and files in the current folder.

        Args:
            output: A file that may be written.
        """
        places = (self._address.data, self._address.landing, str(Path.cwd()))
        folders = [f"{place.rstrip('/')}/" for place in places if place]
        settings = [f"set allowed_directories = [{', '.join(map(literal, folders))}]"]
        settings += [f"set allowed_paths = [{literal(str(output))}]"] if output is not None else []
        settings += ["set python_enable_replacements = false", "set enable_external_access = false"]
        self._connection.execute("; ".join([*settings, "set lock_configuration = true"]))

    def tables(self) -> list[Table]:
        """The tables and views, with the number of their rows and their last change.

        Raises:
            QueryError: They can't be read.
        """
        found = [(f"{schema}.{name}", schema, name, at) for schema, name, at in self._fetch(_CHANGES)]
        counts = [
            f"select {literal(full)}, count(*) from {ALIAS}.{_name(schema)}.{_name(name)}"
            for full, schema, name, _ in found
        ]
        rows = dict(self._fetch(" union all ".join(counts))) if counts else {}
        views = self._fetch(
            "select schema_name || '.' || view_name from duckdb_views() where not internal and database_name = "
            + literal(ALIAS)
        )
        listed = [Table(full, "table", rows[full], at) for full, _, _, at in found]
        return [*listed, *(Table(name, "view") for (name,) in views)]

    def listing(self, tables: Sequence[Table]) -> Query:
        """Tables as the rows of a query."""
        self._execute(
            'create temp table listing ("table" varchar, kind varchar, "rows" bigint, "last change" timestamptz)'
        )
        for each in tables:
            changed = each.changed.replace(microsecond=0) if each.changed is not None else None
            values = [each.name, each.kind, each.rows, changed]
            self._connection.execute("insert into temp.listing values (?, ?, ?, ?)", values)
        return Query("from temp.listing")

    def answer(self, query: Query, limit: int) -> bool:
        """Keep the first rows of an answer for `drawn` and `texts`.

        Args:
            query: The query.
            limit: The maximum of rows; 0 for all.

        Returns:
            Whether there are more rows.

        Raises:
            QueryError: The query failed.
        """
        more = f"limit {limit + 1}" if limit else ""
        self._execute(f"create or replace temp table answer as from (\n{query.text}\n) {more}")
        if not limit:
            return False
        ((rows,),) = self._fetch("select count(*) from temp.answer")
        self._execute(f"create or replace temp table answer as from temp.answer limit {limit}")
        return bool(rows > limit)

    def drawn(self, width: int) -> str:
        """The kept rows as a table of that many characters; columns that have no room are left out in the middle."""
        shown = StringIO()
        ((rows,),) = self._fetch("select count(*) from temp.answer")
        with redirect_stdout(shown):
            # DuckDB shows control characters escaped.
            self._connection.sql("from temp.answer").show(max_width=width, max_rows=max(rows, 1))
        return shown.getvalue().rstrip("\n")

    def texts(self) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
        """The names of the columns, and the kept rows as texts; None is NULL."""
        found = self._connection.execute("select columns(*)::varchar from temp.answer")
        columns = tuple(str(column[0]) for column in found.description or ())
        return columns, found.fetchall()

    def write(self, query: Query, file: Path, kind: FileFormat, limit: int) -> None:
        """Write an answer to the file that `restrict` was given.

        Raises:
            QueryError: The query failed, or the file can't be written.
        """
        first = f"limit {limit}" if limit else ""
        self._execute(f"copy (from (\n{query.text}\n) {first}) to {literal(str(file))} ({COPIED[kind]})")

    def start_ui(self) -> str:
        """Start DuckDB's UI in this process, and return its message.

        Raises:
            LotusError: Its extension can't be loaded.
        """
        try:
            ((message,),) = self._fetch("call start_ui()")
        except QueryError as error:
            hint = "DuckDB downloads it from extensions.duckdb.org once: allow that, or connect another tool"
            raise LotusError(f"DuckDB's UI can't be loaded: {error.message}", hint) from None
        return str(message)

    def _fetch(self, sql: str) -> list[tuple[Any, ...]]:
        self._execute(sql)
        return self._connection.fetchall()

    def _execute(self, sql: str) -> None:
        import duckdb  # noqa: PLC0415

        try:
            self._connection.execute(sql)
        except duckdb.Error as error:
            raise _failed(str(error)) from None
        except RuntimeError as error:
            # DuckDB's Python package raises it for Ctrl-C while a query runs.
            raise (KeyboardInterrupt() if str(error) == _INTERRUPTED else error) from None


@contextmanager
def _without_password(address: LakeAddress) -> Iterator[LakeAddress]:
    """An address whose password is in PGPASSWORD, because a query can print the address by several settings."""
    catalog, password = _parted(address.catalog) if address.catalog.startswith(POSTGRES) else (address.catalog, None)
    before = os.environ.get(_PASSWORD_VARIABLE)
    try:
        if password is not None:
            os.environ[_PASSWORD_VARIABLE] = password
        yield replace(address, catalog=catalog)
    finally:
        if password is not None:
            os.environ.pop(_PASSWORD_VARIABLE)
            os.environ.update({_PASSWORD_VARIABLE: before} if before is not None else {})


def _parted(catalog: str) -> tuple[str, str | None]:
    """An address in Postgres without its password, and the password; None if it has none."""
    in_url = _PASSWORD_IN_URL.search(catalog)
    if in_url is not None:
        return _PASSWORD_IN_URL.sub(r"\1@", catalog), unquote(in_url[2])
    return without_password(catalog) if "://" not in catalog else (catalog, None)


def _stored_data(connection: "DuckDBPyConnection") -> str:
    """The place of the tables' files, as the catalog has it."""
    query = f"select value from {_METADATA}.ducklake_metadata where key = 'data_path' and scope is null"
    ((data,),) = connection.execute(query).fetchall()
    return str(data) if "://" in data else str(Path(data).absolute())


def _forget_keys(connection: "DuckDBPyConnection") -> None:
    """Empty the settings that a query may print; the keys stay in DuckDB's secret, which it redacts."""
    query = "select name from duckdb_settings() where name in ('s3_secret_access_key', 's3_session_token')"
    for (name,) in connection.execute(query).fetchall():
        connection.execute(f"set {name} = ''")


def _nodes(tree: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """All objects of a document."""
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _called(node: Mapping[str, JsonValue]) -> str | None:
    """The table function that a node of a query calls; None if it is another node."""
    function = node.get("function")
    if node.get("type") != "TABLE_FUNCTION" or not isinstance(function, dict):
        return None
    return str(function.get("function_name")).lower()


def _landed_name(node: Mapping[str, JsonValue]) -> str | None:
    """The name in the schema `landing` that a node of a query reads; None if it reads none."""
    return _table_name(node) if LANDING in _places(node) else None


def _places(node: Mapping[str, JsonValue]) -> frozenset[str]:
    """The database and the schema that a node of a query names; none if it is no table."""
    names = (str(node.get(key) or "").lower() for key in ("catalog_name", "schema_name"))
    return frozenset(filter(None, names)) if _table_name(node) is not None else frozenset()


def _table_name(node: Mapping[str, JsonValue]) -> str | None:
    """The name of the table or view that a node of a query reads; None if it reads none."""
    return str(node.get("table_name")).lower() if node.get("type") == "BASE_TABLE" else None


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _failed(message: str) -> QueryError:
    """The error of a query that DuckDB refuses."""
    text = one_line(hidden_passwords(_PLACE_IN_TEXT.sub("", message)))
    hint = next((hint for pattern, hint in _HINTS if pattern.search(text) is not None), "")
    return QueryError(text, hint)


def _not_attached(address: LakeAddress, message: str) -> LotusError:
    """The error of a catalog that can't be attached."""
    catalog, locked, unreachable = (
        hidden_passwords(address.catalog),
        _LOCKED.search(message),
        _UNREACHABLE.search(message),
    )
    if locked is not None:
        hint = "a catalog that is a file serves one process at a time: wait for its end, or stop it, and repeat"
        return LotusError(f"the catalog {catalog} is open in another process (PID {locked[1]})", hint)
    if unreachable is not None:
        hint = "check the address, that its port is forwarded, and PGPASSWORD"
        return LotusError(f"the catalog can't be reached: {one_line(hidden_passwords(unreachable[1]))}", hint)
    if "does not exist - and creating" in message:
        return LotusError(f"the database {catalog} has no catalog", "Dagster's first run creates it")
    return LotusError(f"the catalog {catalog} can't be read: {one_line(hidden_passwords(message))}")
