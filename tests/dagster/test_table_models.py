"""A table that Airbyte writes, from the job that has written it to the rows of the model, in a real Postgres."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from airbyte_twin.testing import running_twin
from lotus_dagster.definitions import current_manifest, definitions_of
from lotus_dagster.lake import streams_in_stack
from lotus_dagster.manifest import Manifest

from lotus_infra import naming
from lotus_infra.lake.postgres_address import connection_string
from sandbox.dagster_report import Run
from sandbox.dagster_round import Execution
from tests.dagster.job_lake import Server, write_project, write_streams
from tests.dagster.lake import Lake, close_connections
from tests.support.postgres import Postgres
from tests.support.postgres_lake import Database, new_database

SENSOR = "crm_jobs_sensor"
VARIABLE = naming.warehouse_variable("crm_db")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def definitions(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    streams = streams_in_stack(write_streams(tmp_path_factory.mktemp("lake")), "")
    manifest = Manifest.read(current_manifest(project))
    return definitions_of(streams.deployed, manifest, project, by_jobs=streams.by_jobs)


@pytest.fixture
def lake(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    made = Lake(tmp_path / "lake", project)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    yield made
    close_connections()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with running_twin() as running:
        made = Server(running)
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def database(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database whose user and password need quotes, with the table `contacts`."""
    found = new_database(postgres)
    monkeypatch.setenv(VARIABLE, address(found, password="it's \\ a password"))
    for statement in (
        "create schema crm",
        "create table crm.contacts (id bigint)",
        "create table crm.deals (id bigint)",
        "insert into crm.contacts values (1), (1), (2)",
    ):
        postgres.query(statement, database=found.name)
    return found


def address(database: Database, **changes: Any) -> str:
    """The variable's value, as the stack makes it of the destination's configuration."""
    configuration: Any = {**database.configuration, "password": "any", **changes}
    return connection_string(configuration)


class Daemon:
    """Ticks the sensor, and executes the runs that it requests."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self._definitions, self._instance = definitions, instance
        self._execution = Execution(definitions, instance)
        self._sensor = definitions.get_repository_def().get_sensor_def(SENSOR)
        self._cursor: str | None = None

    def round(self) -> list[Run]:
        with dg.build_sensor_context(
            instance=self._instance, cursor=self._cursor, definitions=self._definitions
        ) as context:
            ticked = self._sensor.evaluate_tick(context)
        self._cursor = ticked.cursor
        return [
            self._execution.run(
                request.tags["lotus/stream"],
                [*(request.asset_selection or ())],
                request.run_config,
                {**request.tags, "dagster/sensor_name": SENSOR},
            )
            for request in ticked.run_requests or ()
        ]


def test_rows_of_a_job_reach_the_model_and_those_of_the_next_one_too(
    lake: Lake, definitions: dg.Definitions, server: Server, database: Database, postgres: Postgres
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        daemon = Daemon(definitions, instance)
        assert daemon.round() == []
        server.job(1)
        contacts, deals = daemon.round()
        assert (contacts.failure, contacts.assets, contacts.tests_passed) == (None, ("main/int_crm__contacts",), 1)
        assert deals.failure is None
        close_connections()
        assert lake.query("select * from main.int_crm__contacts order by id") == [(1, 2), (2, 1)]

        postgres.query("insert into crm.contacts values (3)", database=database.name)
        server.job(2)
        assert [run.failure for run in daemon.round()] == [None, None]
        close_connections()
        assert lake.query("select count(*) from main.int_crm__contacts") == [(3,)]
        assert daemon.round() == []


def test_a_run_that_can_not_reach_its_table_fails_and_is_requested_until_it_can(
    lake: Lake,
    definitions: dg.Definitions,
    server: Server,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOTUS_RETRY_SECONDS", "0")
    server.job(1)
    with dg.DagsterInstance.ephemeral() as instance:
        daemon = Daemon(definitions, instance)
        monkeypatch.delenv(VARIABLE)
        assert [VARIABLE in (run.failure or "") for run in daemon.round()] == [True, True]
        monkeypatch.setenv(VARIABLE, address(database, port=1))
        assert all(run.failure for run in daemon.round())
        monkeypatch.setenv(VARIABLE, address(database))
        assert [run.failure for run in daemon.round()] == [None, None]
        assert daemon.round() == []
