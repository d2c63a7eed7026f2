"""What the sensor of a connection's jobs asks Dagster for, against an Airbyte that answers as the real one does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.testing import running_twin
from lotus_dagster.definitions import STREAMS, current_manifest, definitions_of
from lotus_dagster.environment import EnvironmentVariableError
from lotus_dagster.jobs.airbyte import PAGE_SIZE, AirbyteError
from lotus_dagster.jobs.connections import ByJobs
from lotus_dagster.jobs.decide import MOST_JOBS
from lotus_dagster.lake import streams_in_stack
from lotus_dagster.manifest import Manifest

from lotus_infra import naming
from tests.dagster.job_lake import ADS, BEGAN, HOUR, Server, write_project, write_streams

SENSOR = "crm_jobs_sensor"
CONTACTS, DEALS = (["raw", "crm", name] for name in ("contacts", "deals"))


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_streams(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def definitions(streams: Path, tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return loaded(streams, write_project(tmp_path_factory.mktemp("project")))


def loaded(streams: Path, project: Path) -> dg.Definitions:
    lake = streams_in_stack(streams, "")
    manifest = Manifest.read(current_manifest(project))
    return definitions_of(lake.deployed, manifest, project, None, lake.left_out, lake.by_jobs)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with running_twin() as running:
        made = Server(running)
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


class Daemon:
    """Evaluates a sensor as Dagster's daemon does; its runs are records that never run."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance, sensor: str = SENSOR) -> None:
        self._definitions, self.instance, self._name = definitions, instance, sensor
        self.sensor = definitions.get_repository_def().get_sensor_def(sensor)
        self.cursor: str | None = None

    def look(self, *, crashes: bool = False) -> Any:
        """A tick; a crash loses its cursor."""
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=self._definitions
        ) as context:
            ticked = self.sensor.evaluate_tick(context)
        if not crashes:
            self.cursor = ticked.cursor
        return ticked

    def ran(self, stream: str, status: dg.DagsterRunStatus) -> str:
        """A run of the sensor with this end; returns its id."""
        run = self.instance.create_run_for_job(
            self._definitions.resolve_implicit_global_asset_job_def(),
            tags={"dagster/sensor_name": self._name, "lotus/stream": stream},
            status=status if status != dg.DagsterRunStatus.FAILURE else dg.DagsterRunStatus.STARTED,
        )
        if status == dg.DagsterRunStatus.FAILURE:
            self.instance.report_run_failed(run)
        return run.run_id


@pytest.fixture
def daemon(definitions: dg.Definitions) -> Iterator[Daemon]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Daemon(definitions, instance)


def requested(ticked: Any) -> list[str]:
    """The models that runs are requested of, sorted."""
    return sorted(key.path[-1] for request in ticked.run_requests or () for key in request.asset_selection)


def events(ticked: Any) -> list[tuple[str, list[str], int]]:
    return [
        (type(each).__name__.removeprefix("Asset"), each.asset_key.path, each.metadata["job"].value)
        for each in ticked.asset_events
    ]


BOTH = ["int_crm__contacts", "int_crm__deals"]


def test_a_job_that_succeeded_materializes_the_tables_and_requests_a_run_of_each_model(
    server: Server, daemon: Daemon
) -> None:
    server.job(1)
    server.job(2, "running")
    ticked = daemon.look()
    assert events(ticked) == [("Materialization", CONTACTS, 1), ("Materialization", DEALS, 1)]
    assert requested(ticked) == BOTH
    assert [request.tags["lotus/stream"] for request in ticked.run_requests] == ["contacts", "deals"]

    metadata = ticked.asset_events[0].metadata
    assert metadata["ended"].value == metadata["dagster/last_updated_timestamp"].value == BEGAN + HOUR + 60
    assert metadata["started"].value == BEGAN + HOUR
    assert (metadata["rows of the job"].value, metadata["bytes of the job"].value) == (10, 1000)

    quiet = daemon.look()
    assert (requested(quiet), events(quiet), quiet.skip_message) == ([], [], "no job has ended")
    server.job(2, ended=5 * HOUR)
    assert events(daemon.look())[0] == ("Materialization", CONTACTS, 2)


def test_a_tick_calls_airbyte_once_whatever_the_history_is(server: Server, daemon: Daemon) -> None:
    for number in range(1, 3 * PAGE_SIZE):
        server.job(number)
    for new in (None, 3 * PAGE_SIZE, None):
        if new is not None:
            server.job(new)
        server.running.clear_calls()
        daemon.look()
        assert [call.path for call in server.running.calls()] == ["/api/public/v1/jobs"]


def test_pages_of_a_history_are_read_until_a_success(server: Server, daemon: Daemon) -> None:
    server.job(1)
    for number in range(2, 2 * PAGE_SIZE + 10):
        server.job(number, "failed")
    server.running.clear_calls()
    assert events(daemon.look()) == [("Materialization", CONTACTS, 1), ("Materialization", DEALS, 1)]
    assert len(server.running.calls()) == 3


def test_after_a_long_absence_every_job_counts(server: Server, daemon: Daemon) -> None:
    server.job(1)
    daemon.look()
    missed = range(2, PAGE_SIZE + MOST_JOBS)
    for number in missed:
        server.job(number)
    seen = [daemon.look() for _ in range(len(missed) // MOST_JOBS + 2)]
    jobs = [number for ticked in seen for _, key, number in events(ticked) if key == CONTACTS]
    assert jobs == [*missed]


def test_a_failed_job_is_observed_once_and_requests_nothing(server: Server, daemon: Daemon) -> None:
    server.job(1)
    daemon.look()
    server.job(2, "failed")
    ticked = daemon.look()
    assert events(ticked) == [("Observation", CONTACTS, 2), ("Observation", DEALS, 2)]
    assert ticked.asset_events[0].description == "Airbyte's job 2: failed"
    assert requested(ticked) == []
    assert events(daemon.look()) == []


def test_a_crash_hands_out_the_same_runs_under_the_same_keys(server: Server, daemon: Daemon) -> None:
    server.job(1)
    daemon.look()
    server.job(2)
    lost, again = daemon.look(crashes=True), daemon.look()
    keys = [[request.run_key for request in each.run_requests] for each in (lost, again)]
    assert keys[0] == keys[1]
    assert len({*keys[0]}) == 2
    server.job(3)
    assert not {request.run_key for request in daemon.look().run_requests} & {*keys[0]}


def test_while_a_run_is_under_way_the_next_one_is_owed_and_other_streams_run(server: Server, daemon: Daemon) -> None:
    server.job(1)
    daemon.look()
    daemon.ran("contacts", dg.DagsterRunStatus.STARTED)
    for number in (2, 3):
        server.job(number)
        assert requested(daemon.look()) == ["int_crm__deals"]
    waiting = daemon.look()
    assert requested(waiting) == []
    assert "still reading" in waiting.skip_message
    daemon.ran("contacts", dg.DagsterRunStatus.SUCCESS)
    assert requested(daemon.look()) == ["int_crm__contacts"]
    assert requested(daemon.look()) == []


def test_a_failed_run_is_requested_again_by_the_rule_of_files(
    server: Server, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.job(1)
    daemon.look()
    failed = daemon.ran("contacts", dg.DagsterRunStatus.FAILURE)
    waiting = daemon.look()
    assert f"contacts: run {failed} failed: it is requested again at" in waiting.skip_message
    monkeypatch.setenv("LOTUS_RETRY_SECONDS", "0")
    first, second = daemon.look(), daemon.look()
    assert requested(first) == requested(second) == ["int_crm__contacts"]
    assert [each.run_key for each in first.run_requests] == [each.run_key for each in second.run_requests]
    daemon.ran("contacts", dg.DagsterRunStatus.SUCCESS)
    assert requested(daemon.look()) == []


def test_a_model_that_was_edited_runs_before_the_next_job(server: Server, daemon: Daemon) -> None:
    server.job(1)
    daemon.look()
    key = dg.AssetKey(["main", "int_crm__deals"])
    made = dg.AssetMaterialization(key, tags={"dagster/code_version": "before"})
    daemon.instance.report_runless_asset_event(made)
    assert requested(daemon.look()) == ["int_crm__deals"]


def test_a_connection_that_was_replaced_begins_again(
    server: Server, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.job(7)
    first = daemon.look()
    server.job(8, connection=ADS)
    monkeypatch.setenv(naming.CONNECTIONS_VARIABLE, json.dumps({"crm": ADS}))
    second = daemon.look()
    assert events(second) == [("Materialization", CONTACTS, 8), ("Materialization", DEALS, 8)]
    keys = [{request.run_key for request in each.run_requests} for each in (first, second)]
    assert not keys[0] & keys[1]


def test_a_warehouse_without_models_is_materialized_and_nothing_runs(
    server: Server, definitions: dg.Definitions
) -> None:
    server.job(1, connection=ADS)
    with dg.DagsterInstance.ephemeral() as instance:
        ticked = Daemon(definitions, instance, "ads_jobs_sensor").look()
    assert events(ticked) == [("Materialization", ["raw", "ads", "clicks"], 1)]
    assert requested(ticked) == []


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429}, {"drop": "before"}, {"status": 401}])
def test_an_airbyte_that_does_not_answer_fails_the_tick_and_skips_no_job(
    server: Server, daemon: Daemon, fault: dict[str, Any]
) -> None:
    server.job(1)
    daemon.look()
    server.job(2)
    server.running.twin.faults.add(Fault(path="/jobs", times=1, **fault))
    with pytest.raises(AirbyteError, match=r"does not list jobs: .*/jobs with method GET") as raised:
        daemon.look()
    assert str(fault.get("status", "onnection")) in str(raised.value)
    assert naming.AIRBYTE_VARIABLE in str(raised.value)
    assert [number for _, _, number in events(daemon.look())] == [2, 2]


def test_an_address_that_is_no_api_is_named(server: Server, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    address = json.dumps({"url": f"{server.running.url}/_twin/calls?x="})
    monkeypatch.setenv(naming.AIRBYTE_VARIABLE, address)
    with pytest.raises(AirbyteError, match="Airbyte at http"):
        daemon.look()


@pytest.mark.parametrize("way", ["client_credentials", "basic", "bearer"])
def test_it_signs_in_in_every_way(daemon: Daemon, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    with running_twin(auth="basic" if way == "basic" else "client_credentials") as running:
        server, settings = Server(running), running.twin.settings
        server.job(1)
        credentials = {
            "client_credentials": {"clientId": running.client_id, "clientSecret": running.client_secret},
            "basic": {"username": settings.username, "password": settings.password},
            "bearer": {"bearerAuth": running.twin.tokens.issue(running.client_id)},
        }[way]
        for name, value in server.environment(**credentials).items():
            monkeypatch.setenv(name, value)
        assert [number for _, _, number in events(daemon.look())] == [1, 1]
        wrong = dict.fromkeys(credentials, "wrong-credentials")
        monkeypatch.setenv(naming.AIRBYTE_VARIABLE, server.environment(**wrong)[naming.AIRBYTE_VARIABLE])
        with pytest.raises(AirbyteError, match="does not list jobs") as raised:
            daemon.look()
        assert "wrong-credentials" not in str(raised.value)


def test_all_connections_of_a_process_share_a_token(
    definitions: dg.Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_twin(auth="client_credentials") as running, dg.DagsterInstance.ephemeral() as instance:
        server = Server(running)
        signed = {"clientId": running.client_id, "clientSecret": running.client_secret}
        for name, value in server.environment(**signed).items():
            monkeypatch.setenv(name, value)
        for sensor in (SENSOR, "ads_jobs_sensor", SENSOR):
            Daemon(definitions, instance, sensor).look()
        paths = [call.path for call in running.calls()]
    assert paths == ["/api/public/v1/applications/token", *["/api/public/v1/jobs"] * 3]


def test_one_error_names_all_variables_that_are_missing(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (naming.AIRBYTE_VARIABLE, naming.CONNECTIONS_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EnvironmentVariableError, match=r"LOTUS_AIRBYTE .*LOTUS_CONNECTIONS "):
        daemon.look()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ((naming.AIRBYTE_VARIABLE, "secret-text"), "LOTUS_AIRBYTE can't be read"),
        ((naming.AIRBYTE_VARIABLE, '{"url": "secret-text"}'), "url: String should match pattern"),
        ((naming.AIRBYTE_VARIABLE, '{"url": "http://a", "clientSecret": "secret-text"}'), "give one of"),
        ((naming.AIRBYTE_VARIABLE, '{"url": "http://a", "token": "secret-text"}'), "token: Extra inputs"),
        ((naming.CONNECTIONS_VARIABLE, '["secret-text"]'), "LOTUS_CONNECTIONS can't be read"),
        ((naming.CONNECTIONS_VARIABLE, '{"ads": "secret-text"}'), "LOTUS_CONNECTIONS has no connection crm"),
    ],
)
def test_a_variable_that_can_not_be_read_is_named_and_not_shown(
    server: Server, daemon: Daemon, monkeypatch: pytest.MonkeyPatch, given: tuple[str, str], problem: str
) -> None:
    monkeypatch.setenv(*given)
    with pytest.raises(EnvironmentVariableError, match=problem) as raised:
        daemon.look()
    assert "secret-text" not in str(raised.value)


def test_each_place_has_its_assets_and_its_sensors(definitions: dg.Definitions) -> None:
    graph = definitions.get_repository_def().asset_graph
    streams = {"crm/deals", "ads/clicks", "logs/lines", "forms/answers", "faker/users"}
    found = {
        key.path[1]: (graph.get(key).description, graph.get(key).kinds)
        for key in graph.external_asset_keys
        if "/".join(key.path[1:]) in streams
    }
    assert found == {
        "crm": ("The table crm.deals, written by Airbyte.", {"airbyte", "postgres"}),
        "ads": ("The table ADS.CLICKS, written by Airbyte.", {"airbyte", "snowflake"}),
        "logs": ("Files below old/logs/lines/ in archive, written by Airbyte.", {"airbyte", "s3"}),
        "forms": ("A table in sheets, written by Airbyte.", {"airbyte", "table"}),
        "faker": ("Parquet files below raw/faker/users/, landed by Airbyte.", {"airbyte", "parquet"}),
    }
    assert graph.get(dg.AssetKey(CONTACTS)).metadata["dagster/table_name"] == "crm.crm.contacts"
    assert graph.get(dg.AssetKey(["main", "int_crm__contacts"])).parent_keys == {dg.AssetKey(CONTACTS)}
    sensors = {sensor.name: sensor for sensor in definitions.sensors or ()}
    assert {f"{name}_jobs_sensor" for name in ("crm", "ads", "logs", "forms")} <= sensors.keys()
    assert not [name for name in sensors if name.startswith(("crm_contacts", "crm_deals", "faker_jobs"))]
    selection = sensors[SENSOR].asset_selection
    assert selection is not None
    assert {key.path[-1] for key in selection.resolve(graph)} == {*BOTH}


def test_the_models_of_tables_are_no_marts(definitions: dg.Definitions) -> None:
    [marts] = [
        one for one in definitions.assets or () if isinstance(one, dg.AssetsDefinition) and one.op.name == "marts_dbt"
    ]
    assert not {key.path[-1] for key in marts.keys} & {*BOTH}


def test_a_lake_whose_streams_all_land_as_files_has_no_sensor_of_jobs() -> None:
    lake = streams_in_stack(STREAMS, "")
    assert lake.by_jobs == ByJobs()


def test_a_stack_that_leaves_out_a_table_has_neither_its_model_nor_its_sensor(
    streams: Path, definitions: dg.Definitions, tmp_path: Path
) -> None:
    (streams / "_stacks").mkdir(exist_ok=True)
    (streams / "_stacks/staging.json").write_text('{"sources": {"crm": {"deployed": false}}}')
    lake = streams_in_stack(streams, "staging")
    assert lake.by_jobs.left_out == lake.by_jobs.tags == ("crm__contacts", "crm__deals")
    assert "crm" not in {each.resource for each in lake.by_jobs.connections}


def test_a_table_that_a_stack_writes_elsewhere_is_watched_there_and_read_by_no_model(streams: Path) -> None:
    (streams / "_stacks").mkdir(exist_ok=True)
    (streams / "_stacks/trial.json").write_text('{"sources": {"crm": {"destination": "dwh"}}}')
    lake = streams_in_stack(streams, "trial")
    [crm] = [each for each in lake.by_jobs.connections if each.resource == "crm"]
    assert [(each.place, each.has_models) for each in crm.streams] == [
        ("the table CRM.CONTACTS", False),
        ("the table CRM.DEALS", False),
    ]
    assert lake.by_jobs.left_out == ("crm__contacts", "crm__deals")


def test_a_stream_that_lands_as_files_too_is_known_by_its_files(tmp_path: Path) -> None:
    streams = write_streams(tmp_path)
    file = streams / "crm/_source.json"
    document = json.loads(file.read_text())
    del document["destination"]
    document["connections"] = {"lake": {"destination": "s3", "streams": ["deals"]}, "db": {"destination": "crm_db"}}
    file.write_text(json.dumps(document))
    lake = streams_in_stack(streams, "")
    [found] = [each for each in lake.by_jobs.connections if each.resource.startswith("crm")]
    assert (found.resource, [each.name for each in found.streams]) == ("crm/db", ["contacts"])
    assert "deals" in {each.name for each in lake.deployed if each.source == "crm"}


def test_a_connection_that_has_had_no_job_waits_for_its_first(server: Server, daemon: Daemon) -> None:
    assert events(daemon.look()) == []
    server.job(1, "running")
    assert events(daemon.look()) == []
    server.job(1)
    assert [number for _, _, number in events(daemon.look())] == [1, 1]
