"""`lotus query`: command lines on a lake that DuckDB made, with a catalog in a file and in Postgres."""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import duckdb
import pytest
from moto.server import ThreadedMotoServer

from lotus_infra.clients.ducklake import LakeAddress, packaged
from lotus_infra.clients.lake_reader import LakeReader, reading
from lotus_infra.commands.cli import main
from lotus_infra.errors import LotusError
from lotus_infra.naming import warehouse_variable
from sandbox.process import LOOPBACK
from tests.commands.lab import write_lake
from tests.docs.pages import page
from tests.support.postgres import Postgres
from tests.support.tables import POSTGRES, TABLE, row

LOTUS = Path(sys.executable).parent / "lotus"
EXTENSIONS = ("ducklake", "postgres_scanner", "httpfs")
SALES = """
create table lake.main.fct_sales as
select range as order_id, 'c' || range % 7 as customer, (range * 1.5)::decimal(18, 4) as total,
    timestamptz '2026-01-01 00:00:00+00' + interval (range) hour as sold_at,
    case when range % 3 <> 0 then 'a note, with "quotes"' end as note
from range(250);
create view lake.main.by_customer as select customer, sum(total) as total from lake.main.fct_sales group by customer;
create schema lake.runs;
create table lake.runs.fct_sales as select 1 as run;
delete from lake.main.fct_sales where order_id >= 240;
"""
PAGE = "docs/how-to/query-the-lake.md"
VARIABLE = warehouse_variable(POSTGRES)


@dataclass(frozen=True)
class Answer:
    """How a command line ended."""

    exit_code: int
    output: str
    error: str


@dataclass(frozen=True)
class World:
    """A project with a lake's files, and tables that DuckDB made.

    Attributes:
        project: The current folder of the command lines.
        variables: Of their environment.
    """

    project: Path
    variables: dict[str, str]

    def lotus(self, *arguments: str, text: str = "", **variables: str) -> Answer:
        """Run a command line in this process, which has DuckDB loaded after the first one."""
        out, err = (TextIOWrapper(BytesIO(), encoding="utf-8", newline="") for _ in range(2))
        with (
            patch.multiple(sys, argv=["lotus", "query", *arguments], stdin=StringIO(text), stdout=out, stderr=err),
            patch.dict(os.environ, self.environment(variables), clear=True),
            chdir(self.project),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        shown, error = (_written(stream) for stream in (out, err))
        return Answer(int(ended.value.code or 0), shown, error)

    def in_a_process(self, command: Sequence[str | Path], text: str = "", **variables: str) -> Answer:
        """Run a command line in a process of its own."""
        ran = subprocess.run(
            command,
            cwd=self.project,
            env=self.environment(variables),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Answer(ran.returncode, ran.stdout, ran.stderr)

    def environment(self, variables: dict[str, str]) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("LOTUS_", "AWS_", "PULUMI_"))}
        return kept | {"COLUMNS": "80"} | self.variables | variables

    def shown(self, *arguments: str, **variables: str) -> str:
        answer = self.lotus(*arguments, **variables)
        assert (answer.exit_code, answer.error) == (0, "")
        return answer.output

    def refused(self, *arguments: str, **variables: str) -> str:
        """The one line of an error."""
        answer = self.lotus(*arguments, **variables)
        assert (answer.exit_code, answer.output) == (1, ""), answer
        (line,) = answer.error.splitlines()
        return line


def _written(stream: TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, BytesIO)
    return raw.getvalue().decode()


def connected() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for extension in EXTENSIONS:
        connection.load_extension(str(packaged(extension)))
    return connection


def land(landing: Path) -> None:
    folder = landing / "raw/shop/users/year=2026/month=01/day=01"
    folder.mkdir(parents=True)
    duckdb.sql("select 1 as id, 'landed' as name").write_parquet(str(folder / "part_0.parquet"))


def made(root: Path, catalog: str) -> World:
    """A lake with this catalog, and its files below a folder."""
    project = root / "project"
    write_lake(project / "streams")
    (project / "Pulumi.yaml").write_text("name: lotus\n", encoding="utf-8")
    with connected() as connection:
        connection.execute(f"attach 'ducklake:{catalog}' as lake (data_path '{root / 'tables'}')")
        connection.execute(SALES)
    land(root / "landing")
    return World(project, {"LOTUS_CATALOG": catalog, "LOTUS_LANDING": str(root / "landing")})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("lake")
    return made(root, str(root / "lake.ducklake"))


def contents(folder: Path) -> dict[str, str]:
    """The hash of each file."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


# Reading


def test_a_table_fits_the_terminal_and_shows_the_first_hundred_rows(world: World) -> None:
    answer = world.lotus("select * from main.fct_sales order by order_id")

    lines = answer.output.splitlines()
    assert answer.exit_code == 0
    assert max(map(len, lines)) <= 80
    assert "order_id" in lines[1]
    assert "100 rows" in lines[-1]
    assert answer.error == "the first 100 rows: --limit 0 shows all, --output FILE writes them\n"


def test_a_limit_is_the_users(world: World) -> None:
    assert "240 rows" in world.shown("from fct_sales", "--limit", "0")
    assert "the first 2 rows" in world.lotus("from fct_sales", "--limit", "2").error
    assert world.lotus("from fct_sales limit 2", "--limit", "2").error == ""
    assert len(world.shown("from fct_sales", "--limit", "3", "--format", "jsonl").splitlines()) == 3


def test_without_a_query_it_lists_tables_views_and_streams_with_rows_and_last_changes(world: World) -> None:
    listed = json.loads(world.shown("--format", "json"))

    rows = {each["table"]: (each["kind"], each["rows"]) for each in listed}
    assert [each["table"] for each in listed][:2] == ["main.by_customer", "main.fct_sales"]
    assert list(rows)[-1] == "runs.fct_sales"
    assert rows["main.fct_sales"] == ("table", 240)
    assert rows["main.by_customer"] == ("view", None)
    assert rows["landing.shop__users"] == ("files", None)
    [changed] = [each["last change"] for each in listed if each["table"] == "main.fct_sales"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00", changed)
    assert "main.fct_sales" in world.shown()


def test_each_format_holds_the_same_rows(world: World, tmp_path: Path) -> None:
    query = "select order_id, total, note from fct_sales order by order_id limit 2"
    expected = [
        {"order_id": 0, "total": 0.0, "note": None},
        {"order_id": 1, "total": 1.5, "note": 'a note, with "quotes"'},
    ]

    assert json.loads(world.shown(query, "--format", "json")) == json.loads(world.shown(query, "--json")) == expected
    assert [json.loads(line) for line in world.shown(query, "--format", "jsonl").splitlines()] == expected
    assert list(csv.reader(world.shown(query, "--format", "csv").splitlines())) == [
        ["order_id", "total", "note"],
        ["0", "0.0000", ""],
        ["1", "1.5000", 'a note, with "quotes"'],
    ]
    markdown = world.shown(query, "--format", "markdown").splitlines()
    assert markdown[:3] == ["| order&#95;id | total | note |", "| --- | --- | --- |", "| 0 | 0.0000 |  |"]
    assert world.shown(query, "--output", str(tmp_path / "answer.parquet")) == ""
    assert duckdb.sql(f"from '{tmp_path}/answer.parquet'").fetchall()[1][0] == 1


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl", "ndjson", "md", "parquet", "txt"])
def test_a_file_has_all_rows_in_the_format_of_its_suffix(suffix: str, world: World, tmp_path: Path) -> None:
    file = tmp_path / f"answer.{suffix}"

    assert world.shown("select order_id, note from fct_sales", "--output", str(file)) == ""

    assert [each.name for each in tmp_path.iterdir()] == [file.name]
    if suffix in {"csv", "json", "ndjson", "parquet"}:
        assert duckdb.sql(f"from '{file}'").shape == (240, 2)
    else:
        assert len(file.read_text(encoding="utf-8").splitlines()) >= 240


def test_a_failed_query_and_an_unwritable_file_leave_everything_as_it_was(world: World, tmp_path: Path) -> None:
    file = tmp_path / "answer.csv"
    file.write_text("before", encoding="utf-8")

    assert "Conversion Error" in world.refused("select note::integer from fct_sales", "--output", str(file))
    assert file.read_text(encoding="utf-8") == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["answer.csv"]
    assert "missing" in world.refused("select 1", "--output", str(tmp_path / "missing" / "answer.csv"))


def test_a_query_comes_from_a_file_or_from_standard_input(world: World, tmp_path: Path) -> None:
    file = tmp_path / "report.sql"
    file.write_text("-- sold; by customer\nselect count(*) as n\nfrom fct_sales; -- done;\n", encoding="utf-8")

    assert json.loads(world.shown("--file", str(file), "--format", "json")) == [{"n": 240}]
    assert world.lotus("-", "--format", "csv", text="select 'é;' as x;").output == "x\né;\n"
    assert world.in_a_process([LOTUS, "query", "-", "--format", "csv"], "select 'é;' as x;").output == "x\né;\n"
    assert world.lotus("select 1", "--file", str(file)).exit_code == 2
    assert "No such file" in world.refused("--file", str(tmp_path / "other.sql"))
    file.write_bytes(b"select '\xff'")
    assert "it is not UTF-8" in world.refused("--file", str(file))


@pytest.mark.parametrize(
    "query",
    [
        "summarize fct_sales",
        "describe main.fct_sales",
        "show all tables",
        "values (1), (2)",
        "with a as (select 1 as n) from a",
        "pivot fct_sales on customer in ('c0', 'c1') using count(*)",
        "select unnest(range(3))",
        "from lake.snapshots()",
        "from by_customer",
        "table fct_sales",
        "select 1 as a, 2 as a",
    ],
)
def test_every_form_of_a_select_is_answered(query: str, world: World) -> None:
    assert json.loads(world.shown(query, "--format", "json", "--limit", "1"))


def test_an_older_state_of_a_table_can_be_read(world: World) -> None:
    [deleted] = json.loads(world.shown("select max(snapshot_id) as id from lake.snapshots()", "--format", "json"))
    before = f"select count(*) as n from main.fct_sales at (version => {deleted['id'] - 1})"

    assert json.loads(world.shown(before, "--format", "json")) == [{"n": 250}]
    for state in ("timestamp => timestamp '2001-01-01'", "version => 100000", "version => 0"):
        assert "from lake.snapshots()" in world.refused(f"select * from main.fct_sales at ({state})"), state


def test_the_files_of_a_stream_are_read_as_they_landed(world: World) -> None:
    query = "select name from landing.shop__users join fct_sales on order_id = id"

    assert json.loads(world.shown(query, "--format", "json")) == [{"name": "landed"}]
    assert "no file has landed there yet" in world.refused("from landing.store__users")
    assert "no stream has files named landing.other" in world.refused("from landing.other")


def test_a_file_in_the_current_folder_can_be_joined(world: World) -> None:
    (world.project / "targets.csv").write_text("customer,target\nc1,5\n", encoding="utf-8")

    query = "select target from by_customer join 'targets.csv' using (customer)"

    assert json.loads(world.shown(query, "--format", "json")) == [{"target": 5}]


def test_values_cannot_steer_a_terminal_or_a_table(world: World) -> None:
    hostile = "select 'a\x1b[31m|<b>@team' as x"

    assert "\x1b" not in world.shown(hostile)
    assert world.shown(hostile, "--format", "markdown").count("|") == 2 * 3


# Refusing

HOSTILE = [
    "drop table fct_sales",
    "create table lake.main.copy as from fct_sales",
    "create temp table copy as from fct_sales",
    "insert into fct_sales from fct_sales",
    "update fct_sales set total = 0",
    "delete from fct_sales",
    "truncate fct_sales",
    "alter table fct_sales rename to sales",
    "attach 'other.db' as other",
    "detach lake",
    "use memory",
    "copy fct_sales to 'stolen.csv'",
    "export database 'stolen'",
    "install spatial",
    "load httpfs",
    "set threads = 1",
    "set enable_external_access = true",
    "create secret s (type s3)",
    "checkpoint",
    "vacuum",
    "begin; delete from fct_sales; commit",
    "select 1; drop table fct_sales",
    "explain analyze delete from fct_sales",
    "prepare p as delete from fct_sales",
    "execute p",
    "call lake.set_option('data_inlining_row_limit', '1')",
    "call ducklake_merge_adjacent_files('lake')",
    "pragma database_size",
    "from ducklake_expire_snapshots('lake', older_than => now())",
    "from lake.expire_snapshots(older_than => now())",
    "from ducklake_cleanup_old_files('lake', cleanup_all => true)",
    "from DUCKLAKE_DELETE_ORPHANED_FILES('lake', cleanup_all => true)",
    "select (select count(*) from ducklake_delete_orphaned_files('lake', cleanup_all => true))",
    "with a as (from ducklake_cleanup_old_files('lake', cleanup_all => true)) from a",
    "from query('drop table fct_sales')",
    "from json_execute_serialized_sql('{}')",
    "from postgres_query('__ducklake_metadata_lake', 'delete from ducklake_table')",
    "from duckdb_settings()",
    "from duckdb_secrets()",
    "from read_csv('/etc/passwd')",
    "from '/etc/passwd'",
    "from read_text('../lake.ducklake')",
    "from read_text('streams/../../lake.ducklake')",
    "from glob('/etc/*')",
    "from read_csv('http://127.0.0.1:9/x.csv')",
    "from read_parquet('s3://elsewhere/x.parquet')",
    "select * from sys",
    "",
    ";",
    "select",
    "select 1) (",
    "/* only a comment */",
]


@pytest.mark.parametrize("query", HOSTILE)
def test_a_query_that_may_do_more_than_read_is_refused_and_changes_nothing(query: str, world: World) -> None:
    before = contents(world.project.parent)

    line = world.refused(query)

    assert line.startswith("lotus: ")
    assert contents(world.project.parent) == before


@pytest.mark.parametrize("name", ["../private.txt", "streams/../../private.txt", "{root}/private.txt"])
def test_a_file_outside_of_the_current_folder_is_not_read_in_the_folder_of_temporary_files_either(
    name: str, world: World
) -> None:
    root = world.project.parent
    (root / "private.txt").write_text("private", encoding="utf-8")

    with patch.object(tempfile, "tempdir", str(root)):
        line = world.refused(f"from read_text('{name.format(root=root)}')")

    assert "a query reads the lake, the landing zone, and files in the current folder" in line


@pytest.mark.parametrize("kind", ["csv", "parquet", "table"])
def test_a_pipe_named_as_the_output_is_written_to_and_stays(kind: str, world: World, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        world.shown("select 17 as answer", "--format", kind, "--output", str(pipe))
        written, _ = reader.communicate(timeout=30)

    assert b"answer" in written
    assert pipe.is_fifo()


def test_an_answer_keeps_the_rights_of_the_file_that_it_replaces(world: World, tmp_path: Path) -> None:
    file = tmp_path / "answer.csv"
    file.touch(mode=0o600)

    world.shown("select 1", "--output", str(file))

    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["table", "csv"])
def test_a_query_that_is_interrupted_ends_without_a_traceback_and_leaves_no_file(
    kind: str, world: World, tmp_path: Path
) -> None:
    output = tmp_path / "answer.csv"
    output.write_text("of before", encoding="utf-8")
    endless = "select count(*) from range(100000000) a, range(100000000) b where a.range * b.range % 7 = 3"
    code = (
        "import _thread, signal, sys, threading\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from lotus_infra.clients.lake_reader import LakeReader\n"
        "from lotus_infra.commands.cli import main\n"
        "restrict = LakeReader.restrict\n"
        "def restricted(*given, **named):\n"
        "    restrict(*given, **named)\n"
        "    threading.Timer(0.5, _thread.interrupt_main).start()\n"
        "LakeReader.restrict = restricted\n"
        "main()\n"
    )
    words = ["query", endless, "--format", kind, "--output", str(output)]

    answer = world.in_a_process([sys.executable, "-c", code, *words])

    assert answer.exit_code == 1
    assert answer.error.strip() == "Aborted!"
    assert [file.name for file in tmp_path.iterdir()] == ["answer.csv"]
    assert output.read_text(encoding="utf-8") == "of before"


def test_a_query_leaves_no_temporary_folder(world: World) -> None:
    with patch.object(tempfile, "tempdir", str(world.project.parent)):
        before = sorted(world.project.parent.iterdir())
        world.shown("select 1")
        world.shown("select 1", "--format", "csv")

    assert sorted(world.project.parent.iterdir()) == before


def test_a_refused_query_says_what_to_write(world: World) -> None:
    assert world.refused("drop table fct_sales") == (
        "lotus: DROP is refused: a query only reads: write one SELECT, SUMMARIZE, DESCRIBE or SHOW"
    )
    assert 'Did you mean "fct_sales"?' in world.refused("from fct_sale")
    assert "files in the current folder" in world.refused("from read_text('/etc/passwd')")


def test_options_that_do_not_fit_together_are_refused(world: World) -> None:
    assert world.lotus("select 1", "--format", "parquet").exit_code == 2
    assert world.lotus("select 1", "--output", "answer.xlsx").exit_code == 2
    assert world.lotus("select 1", "--format", "csv", "--json").exit_code == 2


# Finding the lake


def test_without_a_catalog_it_says_how_to_name_one(world: World) -> None:
    assert world.refused("select 1", LOTUS_CATALOG="").startswith(
        "lotus: no catalog: neither --catalog nor LOTUS_CATALOG is set: in the sandbox run `. .sandbox/env` first"
    )
    missing = str(world.project / "none.ducklake")
    assert f"no catalog at {missing}" in world.refused("select 1", "--catalog", missing)
    assert not Path(missing).exists()


def test_a_catalog_that_another_process_holds_is_named_with_that_process(world: World) -> None:
    code = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    holder = [sys.executable, "-c", code, world.variables["LOTUS_CATALOG"]]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        line = world.refused("select 1")
        process.communicate()

    assert f"is open in another process (PID {process.pid})" in line
    assert "one process at a time" in line


@pytest.fixture(scope="module")
def shared_catalog(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A lake as a cluster has it: its catalog is the database `ducklake` of the user `ducklake`."""
    postgres.query("create role ducklake login", database="postgres")
    postgres.query("create database ducklake owner ducklake", database="postgres")
    world = made(tmp_path_factory.mktemp("cluster"), address(postgres, "ducklake"))
    statements = block("sql", "create role").partition("\\password")[0]
    postgres.query(statements, database="ducklake")
    return World(world.project, world.variables | {"LOTUS_CATALOG": address(postgres, "lake_reader")})


def address(postgres: Postgres, user: str) -> str:
    return f"postgres:dbname=ducklake host={LOOPBACK} port={postgres.port} user={user}"


def block(language: str, words: str) -> str:
    """A block of the page."""
    [found] = [each.text for each in page(PAGE).blocks if each.language == language and words in each.text]
    return found


def test_the_role_of_the_page_reads_tables_old_and_new_and_writes_none(
    shared_catalog: World, postgres: Postgres
) -> None:
    with connected() as owner:
        owner.execute(f"attach 'ducklake:{address(postgres, 'ducklake')}' as lake")
        owner.execute("create table lake.main.dim_new as select 1 as id")
        owner.execute("insert into lake.main.dim_new values (2)")  # inlined into a table of the catalog

    assert json.loads(shared_catalog.shown("select sum(id) as n from dim_new", "--format", "json")) == [{"n": 3}]
    listed = json.loads(shared_catalog.shown("--format", "json"))
    assert {"main.dim_new": 2, "main.fct_sales": 240}.items() <= {
        each["table"]: each["rows"] for each in listed
    }.items()
    with connected() as reader:
        reader.execute(f"attach 'ducklake:{address(postgres, 'lake_reader')}' as lake")
        with pytest.raises(duckdb.Error, match=r"read-only transaction|permission denied"):
            reader.execute("insert into lake.main.dim_new values (3)")


@pytest.mark.parametrize(
    "query",
    [
        "from postgres_query('__ducklake_metadata_lake', 'select 1')",
        "call postgres_execute('__ducklake_metadata_lake', 'drop table ducklake_table')",
        "from postgres_scan('dbname=ducklake', 'public', 'ducklake_table')",
        "drop table __ducklake_metadata_lake.ducklake_table",
    ],
)
def test_the_catalogs_database_is_not_reached_past_ducklake(query: str, shared_catalog: World) -> None:
    assert "is refused" in shared_catalog.refused(query)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("postgres:dbname=ducklake password='hid \\'den' host=db", "hid 'den"),
        ("postgres:password = hid\\\\den dbname=ducklake host=db", "hid\\den"),
        ("postgres:postgresql://reader:hid%20den@db:5432/ducklake", "hid den"),
    ],
)
def test_the_password_of_an_address_reaches_postgres_apart_from_it(written: str, read: str) -> None:
    seen: list[tuple[str, str | None]] = []

    def attached(_: object, address: LakeAddress, **__: object) -> None:
        seen.append((address.catalog, os.environ.get("PGPASSWORD")))
        raise duckdb.Error("stop")

    with (
        patch.dict(os.environ, {"PGPASSWORD": "of before"}),
        patch("lotus_infra.clients.lake_reader.attach", attached),
    ):
        with pytest.raises(LotusError), reading(LakeAddress("", written, ""), {}):
            pass
        assert os.environ["PGPASSWORD"] == "of before"

    [(catalog, password)] = seen
    assert password == read
    assert "den" not in catalog
    assert "ducklake" in catalog


@pytest.mark.parametrize(
    "query",
    [
        "select path from duckdb_databases",
        "from system.main.DUCKDB_DATABASES",
        "with a as (from pragma_database_list) from a",
        "select (select file from pragma_database_list limit 1)",
        "from pg_settings",
        "select current_setting('allowed_paths')",
        "show databases",
        "show all tables",
        "from lake.settings()",
        "from lake.options()",
        "select sql from duckdb_tables()",
        "describe duckdb_databases",
    ],
)
def test_a_query_does_not_print_the_password_of_the_catalogs_address(
    query: str, shared_catalog: World, postgres: Postgres
) -> None:
    catalog = f"{address(postgres, 'lake_reader')} password='hid den'"

    answer = shared_catalog.lotus(query, "--format", "csv", LOTUS_CATALOG=catalog)

    assert "hid den" not in answer.output + answer.error


def test_an_unreachable_catalog_is_one_line_without_the_password(shared_catalog: World, postgres: Postgres) -> None:
    wrong = f"{address(postgres, 'lake_reader')} password='hid den'".replace("dbname=ducklake", "dbname=none")

    line = shared_catalog.refused("select 1", "--catalog", wrong)

    assert 'database "none" does not exist' in line
    assert "hid" not in line
    gone = "postgres:host=127.0.0.1 port=1 dbname=lake password=hidden"
    line = shared_catalog.refused("select 1", "--catalog", gone)
    assert "Connection refused" in line
    assert "hidden" not in line
    postgres.query("create database empty owner ducklake", database="postgres")
    empty = address(postgres, "ducklake").replace("dbname=ducklake", "dbname=empty")
    assert "has no catalog" in shared_catalog.refused("select 1", "--catalog", empty)


# A bucket


@dataclass(frozen=True)
class Bucket:
    """An S3 server with the bucket `lake-files`, and a lake in it."""

    world: World
    endpoint: str


# Tables of Postgres destinations


@pytest.fixture(scope="module")
def crm(postgres: Postgres) -> str:
    """The address of a database with the table of contacts."""
    address = postgres.new_catalog().removeprefix("postgres:")
    text = TABLE + row(1, "2026-01-05T10:00:00Z") + "create table public.secrets as select 1 as id;"
    postgres.query(text, database=address.partition(" ")[0].removeprefix("dbname="))
    return f"{address} password='hid den'"


@pytest.mark.parametrize("table", ["crm_db.crm.Contacts", "CRM_DB.crm.contacts"])
def test_a_table_of_a_destination_is_read_beside_the_lake(table: str, world: World, crm: str) -> None:
    query = f"select id, (select max(order_id) from main.fct_sales) as last from {table}"
    assert world.shown(query, "--format", "csv", **{VARIABLE: crm}) == "id,last\n1,239\n"
    assert world.shown(query, "--json", **{VARIABLE: crm}) == '[\n\t{"id":1,"last":239}\n]\n'


@pytest.mark.parametrize(
    "query",
    [
        "insert into crm_db.crm.contacts select * from crm_db.crm.contacts",
        "from postgres_execute('crm_db', 'drop table public.secrets')",
        "from postgres_query('crm_db', 'delete from public.secrets returning id')",
    ],
)
def test_a_destination_is_not_written(query: str, world: World, crm: str) -> None:
    assert "refused" in world.refused(query, **{VARIABLE: crm})


def test_a_password_of_a_destination_is_in_no_answer(world: World, crm: str) -> None:
    shown = "select s.*, c.id from duckdb_settings() as s, crm_db.crm.contacts as c"
    assert "hid" not in world.refused(shown, **{VARIABLE: crm})
    line = world.refused("select id from crm_db.crm.nothing", **{VARIABLE: crm})
    assert "hid" not in line
    away = world.refused("from crm_db.crm.contacts", **{VARIABLE: "host=127.0.0.1 port=1 password=hidden"})
    assert away.startswith("lotus: the database crm_db can't be reached: connection to server")
    assert "hidden" not in away


def test_a_destination_without_its_variable_names_it(world: World) -> None:
    line = world.refused("from crm_db.crm.contacts")
    assert line.endswith("a Postgres destination is read if its variable, LOTUS_WAREHOUSE_<DESTINATION>, is set")


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Bucket]:
    root = tmp_path_factory.mktemp("bucket")
    server = ThreadedMotoServer(ip_address=LOOPBACK, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client: Any = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="eu-west-1",
        aws_access_key_id="K",
        aws_secret_access_key="S",
    )
    client.create_bucket(Bucket="lake-files", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    land(root)
    for file in (file for file in root.rglob("*") if file.is_file()):
        client.put_object(Bucket="lake-files", Key=file.relative_to(root).as_posix(), Body=file.read_bytes())
    catalog = postgres.new_catalog()
    with connected() as connection:
        connection.execute(secret(f"{host}:{port}"))
        connection.execute(f"attach 'ducklake:{catalog}' as lake (data_path 's3://lake-files/lake')")
        connection.execute(SALES)
    project = root / "project"
    write_lake(project / "streams")
    (project / "Pulumi.yaml").write_text("name: lotus\n", encoding="utf-8")
    variables = {"LOTUS_CATALOG": catalog, "AWS_ACCESS_KEY_ID": "K", "AWS_SECRET_ACCESS_KEY": "S"}
    yield Bucket(World(project, variables), f"http://{host}:{port}")
    for one in client.list_objects_v2(Bucket="lake-files")["Contents"]:  # moto's buckets outlive its servers
        client.delete_object(Bucket="lake-files", Key=one["Key"])
    server.stop()


def secret(server: str) -> str:
    """The page's secret, for a server on loopback."""
    text = block("sql", "create secret").partition("attach")[0]
    return text.replace("s3.example.com", server).replace("use_ssl true", "use_ssl false")


def test_the_stack_names_the_bucket_of_tables_and_files(bucket: Bucket) -> None:
    zone = {"server": "s3", "region": "eu-west-1", "landing": "lake-files", "endpoint": bucket.endpoint}
    stack = {"config": {"lotus:landingZone": zone | {"backup": "lake-backup", "features": []}}}
    (bucket.world.project / "Pulumi.prod.yaml").write_text(json.dumps(stack), encoding="utf-8")

    query = "select count(*) as n from fct_sales join landing.shop__users on id = order_id"

    assert json.loads(bucket.world.shown(query, "--stack", "prod", "--format", "json")) == [{"n": 1}]


def test_a_query_does_not_print_the_keys_of_the_bucket(bucket: Bucket) -> None:
    query = "select current_setting('s3_secret_access_key') as a, current_setting('s3_session_token') as b"
    variables = {
        "AWS_ENDPOINT_URL_S3": bucket.endpoint,
        "AWS_SECRET_ACCESS_KEY": "hidden",
        "AWS_SESSION_TOKEN": "hidden",
    }

    assert "hidden" not in bucket.world.shown(query, **variables, AWS_REGION="eu-west-1")


def test_keys_that_a_bucket_refuses_are_one_line_without_the_keys(bucket: Bucket) -> None:
    elsewhere = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1", "AWS_SECRET_ACCESS_KEY": "hidden"}

    line = bucket.world.refused("select sum(total) from fct_sales", **elsewhere, AWS_REGION="eu-west-1")

    assert "hidden" not in line
    assert "AWS_ACCESS_KEY_ID or a profile" in line


def test_the_statements_of_the_page_connect_a_tool(bucket: Bucket, postgres: Postgres) -> None:
    attach = block("sql", "create secret").partition("attach")[2]
    database = bucket.world.variables["LOTUS_CATALOG"].split("dbname=")[1].split()[0]
    for old, new in (("dbname=ducklake", f"dbname={database}"), ("port=5432", f"port={postgres.port}")):
        assert old in attach
        attach = attach.replace(old, new)
    with connected() as tool:
        tool.execute(secret(bucket.endpoint.removeprefix("http://")))
        tool.execute(f"attach{attach.replace('user=lake_reader', 'user=lake')}")
        assert tool.fetchall() == [(240,)]


def test_the_policy_of_the_page_reads_the_tables_alone() -> None:
    read, listed = json.loads(block("json", "Statement"))["Statement"]

    assert (read["Action"], read["Resource"]) == ("s3:GetObject", "arn:aws:s3:::BUCKET/lake/*")
    assert (listed["Action"], listed["Condition"]) == ("s3:ListBucket", {"StringLike": {"s3:prefix": "lake/*"}})


def test_the_older_states_of_the_page_can_be_read(world: World) -> None:
    for query in (
        block("sql", "snapshot_time").replace("12", "1").replace("interval 1 day", "interval 0 day").splitlines()
    ):
        world.shown(query)


# Missing parts


def test_without_duckdb_it_says_what_to_install(world: World) -> None:
    code = "import sys; sys.modules['duckdb'] = None; from lotus_infra.commands.cli import main; main()"
    answer = world.in_a_process([sys.executable, "-c", code, "query", "select 1"])

    assert (answer.exit_code, answer.error) == (
        1,
        "lotus: DuckDB is not installed: install it: pip install 'lotus-infra[deploy,query]'\n",
    )


def test_a_ui_that_can_not_be_downloaded_is_one_line(world: World, tmp_path: Path) -> None:
    with connected() as connection:
        connection.execute(f"set extension_directory = '{tmp_path}'")
        connection.execute("set autoinstall_extension_repository = 'http://127.0.0.1:1'")
        connection.execute("set custom_extension_repository = 'http://127.0.0.1:1'")

        with pytest.raises(LotusError, match=r"DuckDB's UI can't be loaded: .* downloads it from") as error:
            LakeReader(connection, LakeAddress("", "", "")).start_ui()

    assert "\n" not in str(error.value)
