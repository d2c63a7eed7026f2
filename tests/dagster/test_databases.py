"""Models of streams that land in Postgres: a real server, with tables as destination-postgres makes them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest
from dbt.cli.main import dbtRunner
from lotus_dagster.dbt_command import Outcome, dbt_of
from lotus_dagster.definitions import DBT_PROJECT

from lotus_infra.clients.ducklake import attach_database
from lotus_infra.commands.scaffold import scaffold_all, scaffold_model
from lotus_infra.errors import LotusError
from lotus_infra.naming import warehouse_variable
from tests.dagster.lake import Lake, close_connections, order
from tests.support.lakes import Files, source, stream
from tests.support.postgres import USER, Postgres
from tests.support.tables import POSTGRES, TABLE, contacts, row, tables_lake

MODEL = "int_crm__contacts"
VARIABLE = warehouse_variable(POSTGRES)


class Crm:
    """A lake beside a database with the table of contacts.

    Attributes:
        lake: With the repository's models, and that of contacts as the scaffold writes it.
    """

    def __init__(self, root: Path, server: Postgres, changes: Files | None = None) -> None:
        project = root / "dagster" / "dbt"
        streams = tables_lake(root, changes)
        shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target"), dirs_exist_ok=True)
        scaffold_model(streams, "crm", "contacts")
        self.lake = Lake(root, project)
        self._server = server
        self.address = server.new_catalog().removeprefix("postgres:")
        self._database = self.address.partition(" ")[0].removeprefix("dbname=")

    def sql(self, text: str) -> None:
        self._server.query(text, database=self._database)

    def rows(self, columns: str = "id, Full_Name") -> list[tuple[Any, ...]]:
        return self.lake.query(f"select {columns} from {MODEL} order by id")


@pytest.fixture
def crm(tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crm]:
    made = Crm(tmp_path, postgres)
    made.sql(TABLE)
    monkeypatch.setenv(VARIABLE, made.address)
    yield made
    close_connections()


def test_a_model_has_the_latest_row_of_each_key_with_the_types_of_the_table(crm: Crm) -> None:
    crm.sql(row(1, "2026-01-05T10:00:00Z", name="Old"))
    crm.sql(row(1, "2026-01-06T10:00:00Z", name="New") + row(2, "2026-01-05T10:00:00Z"))
    crm.lake.dbt("build", "--select", MODEL)
    assert crm.rows() == [(1, "New"), (2, "Ada")]
    types = dict(crm.lake.query(f"select column_name, column_type from (describe {MODEL})"))
    assert {name: types[name] for name in ("id", "order", "amount", "is_on", "day", "local", "address")} == {
        "id": "BIGINT",
        "order": "VARCHAR",
        "amount": "DOUBLE",
        "is_on": "BOOLEAN",
        "day": "DATE",
        "local": "TIMESTAMP",
        "address": "VARCHAR",
    }
    assert (types["updated_at"], types["_airbyte_extracted_at"]) == ("TIMESTAMP WITH TIME ZONE",) * 2
    assert crm.rows("address ->> '$.\"the city\"', tags::json ->> 1")[0] == ("Ulm", "b")


def test_rows_that_change_or_go_do_so_in_the_model_and_no_books_are_kept_of_files(crm: Crm) -> None:
    crm.sql(row(1, "2026-01-05T10:00:00Z") + row(2, "2026-01-05T10:00:00Z"))
    crm.lake.dbt("build", "--select", MODEL)
    crm.sql('delete from crm."Contacts" where id = 1; update crm."Contacts" set "Full_Name" = \'Eve\'')
    crm.lake.dbt("build", "--select", MODEL)
    assert crm.rows() == [(2, "Eve")]
    assert crm.lake.query("select table_name from duckdb_tables() where schema_name = 'read_files'") == [
        ("quarantined_files",)
    ]
    assert crm.lake.query(f'select runs from lake.runs."{MODEL}"') == [(2,)]


def test_files_that_the_run_reads_for_another_model_are_not_taken_for_those_of_a_table(crm: Crm) -> None:
    crm.sql(row(1, "2026-01-05T10:00:00Z"))
    crm.lake.land("shopify", "orders", "2026-01-05", 1, [order(5, "2026-01-05T10:00:00Z")])
    crm.lake.dbt("build", "--select", "int_shopify__orders", MODEL)
    names = crm.lake.query("select table_name from duckdb_tables() where schema_name = 'read_files' order by 1")
    assert names == [("int_shopify__orders",), ("quarantined_files",)]
    assert len(crm.lake.query("from lake.read_files.int_shopify__orders")) == 1


def test_a_table_of_a_lake_that_expires_files_keeps_no_versions(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTUS_EXPIRE_RAW_DAYS", "30")
    crm.sql(row(1, "2026-01-05T10:00:00Z", name="Old") + row(1, "2026-01-06T10:00:00Z", name="New"))
    crm.lake.dbt("build", "--select", MODEL)
    assert crm.rows() == [(1, "New")]
    assert crm.lake.query("select count(*) from duckdb_tables() where schema_name in ('older_rows', 'row_files')") == [
        (0,)
    ]


def test_the_audit_keeps_the_table_of_before_when_a_test_of_the_new_one_fails(crm: Crm) -> None:
    crm.sql(row(1, "2026-01-05T10:00:00Z"))
    crm.lake.dbt("build", "--select", MODEL)
    crm.sql('alter table crm."Contacts" alter "updated_at" drop not null; update crm."Contacts" set updated_at = null')
    with pytest.raises(AssertionError, match=f"audit of {MODEL} failed: not_null_{MODEL}_updated_at has 1 rows"):
        crm.lake.dbt("run", "--select", MODEL)
    assert crm.rows("id, updated_at is null") == [(1, False)]


def test_deleted_rows_are_set_apart(tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    text = {"type": "string"}
    deleted = {"type": "string", "format": "date-time"}
    fields = {"id": text, "updated_at": deleted, "_ab_cdc_deleted_at": deleted}
    crm = Crm(tmp_path, postgres, {"crm/contacts.json": contacts(fields=fields)})
    own = (
        "_airbyte_raw_id varchar, _airbyte_extracted_at timestamptz, _airbyte_meta jsonb, _airbyte_generation_id bigint"
    )
    crm.sql(
        f'create schema crm; create table crm."Contacts" ({own}, id varchar, updated_at timestamptz, '
        '_ab_cdc_deleted_at timestamptz); insert into crm."Contacts" values '
        "('a', now(), '{}', 0, '1', now(), null), ('b', now(), '{}', 0, '2', now(), null), "
        "('c', now(), '{}', 0, '2', null, now() + interval '1 hour')"
    )
    monkeypatch.setenv(VARIABLE, crm.address)
    crm.lake.dbt("build", "--select", MODEL)
    assert crm.rows("id") == [("1",)]


def outcome_of(crm: Crm, *models: str) -> Outcome:
    """Several models as Dagster builds them, in this process."""
    close_connections()
    return dbt_of(crm.lake.project).call(
        ["build", "--select", *models], {**crm.lake.environment, "LOTUS_PARTITIONS": ""}
    )


def test_a_database_that_is_away_fails_the_models_that_read_it_and_no_other(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.lake.land("shopify", "orders", "2026-01-05", 1, [order(5, "2026-01-05T10:00:00Z")])
    monkeypatch.setenv(VARIABLE, f"dbname=x host=127.0.0.1 port=1 user={USER} password='it\\'s  hidden'")
    outcome = outcome_of(crm, "int_shopify__orders", MODEL)
    (failure,) = outcome.failures
    assert failure.node == f"model.lotus.{MODEL}"
    assert "refused: the database crm_db can't be reached: connection to server" in failure.message
    assert f"check {VARIABLE}" in failure.message
    assert "hidden" not in failure.message
    assert crm.lake.query("select id from int_shopify__orders") == [(5,)]


def test_a_missing_variable_is_named_by_the_models_that_need_it(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    crm.lake.land("shopify", "orders", "2026-01-05", 1, [order(5, "2026-01-05T10:00:00Z")])
    (failure,) = outcome_of(crm, "int_shopify__orders", MODEL).failures
    assert failure.node == f"model.lotus.{MODEL}"
    assert f"refused: the environment lacks {VARIABLE}" in failure.message
    assert crm.lake.query("select id from int_shopify__orders") == [(5,)]


def test_a_later_run_of_the_same_process_sees_a_table_as_it_is_then(crm: Crm) -> None:
    crm.sql(row(1, "2026-01-05T10:00:00Z"))
    assert outcome_of(crm, MODEL).failures == ()
    dbt = dbt_of(crm.lake.project)
    crm.sql(
        'drop table crm."Contacts"; '
        + TABLE.replace('"is_on" boolean', '"is_on" varchar')
        + row(2, "2026-01-05T10:00:00Z").replace("true", "'yes'")
    )
    again = dbt.call(["build", "--select", MODEL], {**crm.lake.environment, "LOTUS_PARTITIONS": ""})
    assert again.failures == ()
    close_connections()
    assert crm.rows("id, is_on") == [(2, "yes")]


def test_an_address_is_in_none_of_dbts_messages(crm: Crm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in crm.lake.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(VARIABLE, f"{crm.address} password='it\\'s  hidden'")
    crm.sql(row(1, "2026-01-05T10:00:00Z"))
    close_connections()
    heard: list[str] = []
    folders = {
        "--project-dir": crm.lake.project,
        "--profiles-dir": crm.lake.project,
        "--target-path": tmp_path / "target",
    }
    options = [str(part) for pair in folders.items() for part in pair]
    result = dbtRunner(callbacks=[lambda event: heard.append(str(event))]).invoke(["run", "--select", MODEL, *options])
    assert result.success
    messages = "".join(heard)
    assert f"attach_database(\\'{POSTGRES}\\')" in messages
    assert "hidden" not in messages


@pytest.mark.parametrize("is_url", [False, True])
def test_a_password_is_used_whether_the_address_is_in_pairs_or_a_url(postgres: Postgres, *, is_url: bool) -> None:
    secret, role = "it's a \\ %/", f"reader_{is_url}".lower()
    database = postgres.new_catalog().partition("=")[2].partition(" ")[0]
    literal = secret.replace("'", "''")
    postgres.query(
        f"create role {role} login password '{literal}'; create table public.seen as select 7 as id; "
        f"grant select on public.seen to {role}",
        database=database,
    )
    rules = postgres.data / "pg_hba.conf"
    rules.write_text(f"host all {role} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
    postgres.query("select pg_reload_conf()", database=database)
    escaped = secret.replace("\\", "\\\\").replace("'", "\\'")
    address = f"dbname={database} host=127.0.0.1 port={postgres.port} user={role} password='{escaped}'"
    if is_url:
        address = f"postgresql://{role}:{quote(secret, safe='')}@127.0.0.1:{postgres.port}/{database}?sslmode=prefer"
    with duckdb.connect() as connection:
        attach_database(connection, POSTGRES, {VARIABLE: address})
        assert connection.execute(f"select id from {POSTGRES}.public.seen").fetchall() == [(7,)]
        shown = [connection.execute(f"from {each}()").fetchall() for each in ("duckdb_databases", "duckdb_secrets")]
        assert "it's" not in str(shown).replace("\\", "")
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute(f"create table {POSTGRES}.public.mine (id int)")
    wrong = {VARIABLE: address.replace("25%2F" if is_url else "%/", "no")}
    with duckdb.connect() as connection, pytest.raises(LotusError, match="password authentication failed"):
        attach_database(connection, POSTGRES, wrong)


def test_a_text_that_is_no_address_is_not_shown() -> None:
    with (
        duckdb.connect() as connection,
        pytest.raises(LotusError, match=f"^{VARIABLE} is no connection string of libpq"),
    ):
        attach_database(connection, POSTGRES, {VARIABLE: "host=127.0.0.1 password=a secret b"})


def test_a_source_of_files_and_of_tables_is_one_to_dbt(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {key: value for key, value in source(name="Crm").items() if key != "destination"}
    places = {
        "files": {"destination": "s3", "streams": ["deals"]},
        "tables": {"destination": POSTGRES, "streams": ["contacts"]},
    }
    changes: Files = {
        "crm/_source.json": {**body, "connections": places},
        "crm/deals.json": stream(stream="deals", fields={"id": {"type": "integer"}, "updated_at": {"type": "string"}}),
    }
    crm = Crm(tmp_path, postgres, changes)
    scaffold_all(tmp_path / "streams", "crm")
    crm.sql(TABLE + row(1, "2026-01-05T10:00:00Z"))
    monkeypatch.setenv(VARIABLE, crm.address)
    crm.lake.land("crm", "deals", "2026-01-05", 1, [{"id": 3, "updated_at": "2026-01-05T10:00:00Z"}])
    crm.lake.dbt("build", "--select", MODEL, "int_crm__deals")
    assert crm.rows() == [(1, "Ada")]
    assert crm.lake.query("select id from int_crm__deals") == [(3,)]
