"""A source of the lake whose streams are tables of a real Postgres: deployed by the real engine, synced by the twin."""

from collections.abc import Iterator
from typing import Any

import pytest
from airbyte_twin.testing import RunningTwin, running_twin

from lotus_infra.lake.lake import find_source
from lotus_infra.lake.loader import load_lake
from tests.engine.lake import Lake
from tests.support.postgres import Postgres
from tests.support.postgres_lake import PASSWORD, SOURCE, STREAMS, Database, add_postgres_source, new_database

TOKEN = "2026-02-01-reprice"


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    """An Airbyte that runs syncs of sources it makes up."""
    with running_twin(run_syncs=True, first_records=20, later_records=5) as twin:
        yield twin


@pytest.fixture
def database(postgres: Postgres) -> Database:
    return new_database(postgres)


@pytest.fixture
def deployed(lake: Lake, database: Database) -> Lake:
    """The project's own lake with `crm`, applied."""
    add_postgres_source(lake.pulumi.project / "streams", database)
    lake.pulumi.run("config", "set", f"lotus:{PASSWORD}", "any-word", "--secret").ok()
    lake.pulumi.up().ok()
    return lake


def sync(lake: Lake) -> dict[str, Any]:
    """A job of the connection, once it has ended."""
    [connection] = [each for each in lake.live("connections") if each["name"].startswith("CRM")]
    job = lake.api("POST", "/jobs", {"connectionId": connection["connectionId"], "jobType": "sync"})
    lake.twin.settle()
    return lake.api("GET", f"/jobs/{job['jobId']}")


def tables(lake: Lake) -> dict[str, str]:
    """The table of each stream by the lake's own rules."""
    found = load_lake(lake.pulumi.project / "streams").lake
    [connection] = find_source(found, SOURCE).connections
    return {each.name: str(found.table_of(connection, each)) for each in connection.streams}


def test_rows_arrive_in_the_tables_that_the_lake_expects_and_nothing_changes_by_itself(
    deployed: Lake, database: Database, postgres: Postgres
) -> None:
    job = sync(deployed)

    assert (job["status"], job["rowsSynced"]) == ("succeeded", 60)
    names = tables(deployed)
    assert set(names) == set(STREAMS)
    for table in names.values():
        assert postgres.query(f"select count(*) from {table}", database=database.name) == [["20"]]
    assert deployed.changes("--refresh") == []
    assert "any-word" not in deployed.written()


def test_a_new_token_reads_one_stream_again_and_a_new_field_becomes_a_column(
    deployed: Lake, database: Database, postgres: Postgres
) -> None:
    deployed.edit(f"{SOURCE}/users.json", lambda stream: stream["fields"].pop("email"))
    deployed.pulumi.up().ok()
    sync(deployed)

    def columns() -> set[str]:
        asked = "select column_name from information_schema.columns where table_schema = 'crm' and table_name = 'users'"
        return {name for [name] in postgres.query(asked, database=database.name)}

    def generations(table: str) -> list[list[str]]:
        asked = f"select distinct _airbyte_generation_id from crm.{table} order by 1"
        return postgres.query(asked, database=database.name)

    assert "email" not in columns()
    deployed.edit(f"{SOURCE}/users.json", lambda stream: stream["fields"].update(email={"type": "string"}))
    deployed.edit(f"{SOURCE}/users.json", lambda stream: stream.update(backfill=TOKEN))
    deployed.pulumi.up().ok()
    deployed.twin.settle()

    assert "email" in columns()
    assert generations("users") == [["0"], ["1"]]
    assert generations("purchases") == [["0"]]
    assert deployed.changes("--refresh") == []
