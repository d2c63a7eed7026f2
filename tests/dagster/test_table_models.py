"""Models of streams that Airbyte writes into tables: Dagster builds them with dbt, from the whole table."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from lotus_dagster.definitions import current_manifest, definitions_of
from lotus_dagster.lake import streams_in_stack
from lotus_dagster.manifest import Manifest

from sandbox.dagster_round import Execution
from tests.dagster.job_lake import write_project, write_streams
from tests.dagster.lake import Lake, close_connections

CONTACTS = dg.AssetKey(["main", "int_crm__contacts"])


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """A lake whose tables of `crm` are in the lake itself, where no other database is needed."""
    made = Lake(tmp_path / "lake", write_project(tmp_path, database="lake", models_folder="models/tables"))
    made.queries(
        "create schema lake.crm",
        "create table lake.crm.contacts as select * from (values (1), (1), (2)) as rows(id)",
    )
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    yield made
    close_connections()


def test_a_run_builds_the_model_from_the_whole_table_and_fails_with_dbts_error(lake: Lake, tmp_path: Path) -> None:
    streams = streams_in_stack(write_streams(tmp_path), "")
    manifest = Manifest.read(current_manifest(lake.project))
    made = definitions_of(streams.deployed, manifest, lake.project, by_jobs=streams.by_jobs)
    with dg.DagsterInstance.ephemeral() as instance:
        execution = Execution(made, instance)
        first = execution.run("crm", [CONTACTS], {}, {})
        assert (first.failure, first.assets, first.tests_passed) == (None, ("main/int_crm__contacts",), 1)
        close_connections()
        assert lake.query("select * from main.int_crm__contacts order by id") == [(1, 2), (2, 1)]

        lake.query("insert into lake.crm.contacts values (3)")
        assert execution.run("crm", [CONTACTS], {}, {}).failure is None
        close_connections()
        assert lake.query("select count(*) from main.int_crm__contacts") == [(3,)]

        lake.query("drop table lake.crm.contacts")
        assert "contacts does not exist" in (execution.run("crm", [CONTACTS], {}, {}).failure or "")
