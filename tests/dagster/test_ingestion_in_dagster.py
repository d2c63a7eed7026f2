"""A lake with a source that dlt reads, as Dagster runs it: its job, its stream's sensor, its models."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from lotus_dagster.arrivals.cursor import read_cursor
from lotus_dagster.arrivals.decide import Clock
from lotus_dagster.definitions import DBT_PROJECT, current_manifest, definitions_of
from lotus_dagster.ingestion.assets import dlt_jobs
from lotus_dagster.lake import streams_of
from lotus_dagster.manifest import Manifest
from lotus_dagster.sensors import tick

from lotus_infra.commands.scaffold import scaffold_all
from sandbox.dagster_round import Execution
from tests.dagster.airbyte import reading_s3, s3_in_process
from tests.dagster.erp import SMALL_FILES, SOURCE, Erp, variables
from tests.dagster.kills import run_until
from tests.dagster.lake import Lake
from tests.soak.servers import BUCKET
from tests.support.lakes import write
from tests.support.rest_api import RestApi, serving

RAW = dg.AssetKey(["raw", "erp", "orders"])


class Machine:
    """The lake's code location, with a Dagster of its own."""

    def __init__(self, erp: Erp, lake: Lake, instance: dg.DagsterInstance) -> None:
        self.erp, self.lake, self.instance = erp, lake, instance
        self.cursors: dict[str, str | None] = {}
        streams = streams_of(erp.root / "streams")
        self.definitions = definitions_of(streams, Manifest.read(current_manifest(lake.project)), lake.project)

    def sync(self, **given: str) -> dg.ExecuteInProcessResult:
        """A run of the source's job."""
        with variables(**self.erp.environment, **given):
            job = self.definitions.resolve_job_def("erp_dlt")
            return job.execute_in_process(instance=self.instance, raise_on_error=False)

    def look(self, name: str = "orders") -> dg.SensorResult:
        """A tick of a stream's sensor, and the run that it asks for."""
        clock = Clock(datetime.now(UTC).date())
        stream = self.erp.stream(name)
        ticked = tick(stream, self.lake.warehouse.landing, read_cursor(self.cursors.get(name)), clock)
        self.cursors[name] = ticked.cursor
        for request in ticked.run_requests or ():
            with variables(**self.lake.environment):
                model = dg.AssetKey(["main", f"int_erp__{name}"])
                ran = Execution(self.definitions, self.instance).run(name, [model], request.run_config, {})
            assert ran.failure is None, ran.failure
            assert not ran.quarantined
        return ticked

    def models(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the models."""
        return self.lake.query(query)

    def materialized(self) -> Sequence[dg.EventLogRecord]:
        """The materializations of the orders' files."""
        return self.instance.fetch_materializations(RAW, limit=10).records


@contextmanager
def running(root: Path, **changes: object) -> Iterator[Machine]:
    """The lake with five orders and customers in the ERP, and changes of the orders' file."""
    with serving(RestApi()) as api, s3_in_process():
        for number in range(1, 6):
            api.put("orders", number, total=number * 10, lines=[{"sku": f"a{number}"}])
            api.put("customers", number, name=f"Ada {number}")
        erp = Erp(root, api, f"s3://{BUCKET}")
        erp.edit("orders", **changes)
        (root / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
        project = root / "dagster" / "dbt"
        others = shutil.ignore_patterns("target", "logs", "core", "marts", "sales*")
        shutil.copytree(DBT_PROJECT, project, ignore=others)
        scaffold_all(root / "streams")
        with dg.DagsterInstance.ephemeral() as instance:
            yield Machine(erp, reading_s3(Lake(root / "machine", project)), instance)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with running(tmp_path) as made:
        yield made


def test_an_api_s_rows_reach_the_models_by_the_job_and_the_sensor_each_once(machine: Machine) -> None:
    api = machine.erp.api
    api.refuses_each = 4

    done = machine.sync()

    assert done.success
    assert api.answered(429)
    (event,) = machine.materialized()
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["dagster/partition_row_count"].value == 5
    ticked = machine.look()
    assert ticked.run_requests
    assert not [one for one in ticked.asset_events or () if isinstance(one, dg.AssetMaterialization)]
    orders = "select id, total, json_extract_string(lines, '$[0].sku') from int_erp__orders order by id"
    assert machine.models(orders) == [(number, number * 10.0, f"a{number}") for number in range(1, 6)]
    machine.look("customers")
    assert machine.models("select count(*), count(distinct id) from int_erp__customers") == [(5, 5)]

    api.put("orders", 2, total=99, lines=[])
    api.put("orders", 6, total=60, lines=[{"sku": "a6"}])
    api.delete("customers", 5)
    assert machine.sync().success
    machine.look()
    machine.look("customers")
    assert [row[:2] for row in machine.models(orders)] == [(1, 10), (2, 99), (3, 30), (4, 40), (5, 50), (6, 60)]
    assert machine.models("select id from int_erp__customers order by id") == [(1,), (2,), (3,), (4,)]
    assert not machine.look().run_requests


@pytest.mark.nightly
def test_a_run_that_is_killed_between_two_files_brings_each_row_into_the_model_once(tmp_path: Path) -> None:
    """The stream has no key, so that its model would keep a second copy."""
    with running(tmp_path, primary_key=[]) as machine, variables(**SMALL_FILES):
        point = 8
        while not machine.erp.keys():
            assert not run_until(machine.erp, "orders", point)
            point += 1
        assert len(machine.erp.rows()) < 5
        machine.look()
        assert machine.models("select count(*) from int_erp__orders") == [(len(machine.erp.rows()),)]

        machine.erp.api.put("orders", 6, total=60)
        assert machine.sync().success
        machine.look()

        assert machine.models("select id from int_erp__orders order by id") == [(number,) for number in range(1, 7)]
        assert not machine.look().run_requests


def test_a_stream_that_fails_keeps_no_other_from_landing_and_says_why(machine: Machine) -> None:
    machine.erp.api._tables["orders"][3] |= {"id": "three"}
    done = machine.sync()
    assert not done.success
    (failed,) = done.get_step_failure_events()
    assert failed.step_key == "erp_orders_dlt"
    assert failed.step_failure_data.error is not None
    assert 'erp/orders: "id" is a str that is no integer' in failed.step_failure_data.error.message
    assert [key.path for key in (event.asset_key for event in done.get_asset_materialization_events()) if key] == [
        ["raw", "erp", "customers"]
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "the environment lacks LOTUS_SOURCE_ERP (the configuration of erp, as JSON): run the job erp_dlt"),
        ('["hidden-value"]', "LOTUS_SOURCE_ERP is no JSON object"),
    ],
)
def test_a_run_without_the_source_s_configuration_says_so_and_shows_none(
    machine: Machine, given: str, message: str
) -> None:
    with variables(LOTUS_LANDING=machine.erp.landing, LOTUS_SOURCE_ERP=given):
        done = machine.definitions.resolve_job_def("erp_dlt").execute_in_process(
            instance=machine.instance, raise_on_error=False
        )
    errors = [event.step_failure_data.error for event in done.get_step_failure_events()]
    assert [message in error.message for error in errors if error is not None] == [True, True]
    assert "hidden-value" not in str(errors)


@pytest.fixture
def files(tmp_path: Path) -> Erp:
    """The lake's files alone: nothing is served."""
    (tmp_path / "landing").mkdir()
    return Erp(tmp_path, RestApi(), str(tmp_path / "landing"))


def scheduled(files: Erp, **settings: object) -> tuple[Any, dg.ScheduleDefinition | None]:
    write(files.root / "streams", {"erp/_source.json": SOURCE | settings})
    (made,) = dlt_jobs(streams_of(files.root / "streams"))
    return made


def test_a_source_s_schedule_is_its_file_s(files: Erp) -> None:
    nightly = {"type": "cron", "cron": "0 30 2 * * ?", "time_zone": "Europe/Berlin"}
    _, schedule = scheduled(files, schedule=nightly)
    assert schedule is not None
    assert (schedule.name, schedule.cron_schedule) == ("erp_dlt_schedule", "30 2 * * *")
    assert schedule.execution_timezone == "Europe/Berlin"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING

    _, schedule = scheduled(files, schedule={"type": "basic", "every": "6 hours"}, status="inactive")
    assert schedule is not None
    assert (schedule.cron_schedule, schedule.default_status) == ("0 */6 * * *", dg.DefaultScheduleStatus.STOPPED)

    assert scheduled(files)[1] is None


def test_a_run_s_pod_gets_the_source_s_secret_and_resources(files: Erp) -> None:
    resources = {"cpu_request": "500m", "memory_request": "1Gi", "memory_limit": "2Gi"}
    job, _ = scheduled(files, resource_allocation={"default": resources})
    assert json.loads(job.tags["dagster-k8s/config"]) == {
        "container_config": {
            "env_from": [{"secret_ref": {"name": "source-erp-dlt"}}],
            "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
        }
    }
    dagster_k8s = pytest.importorskip("dagster_k8s.job")
    read = dagster_k8s.get_user_defined_k8s_config(job.tags)
    assert read.container_config["resources"]["requests"]["cpu"] == "500m"


def test_definitions_load_without_dlt_the_module_and_an_environment(files: Erp) -> None:
    files.write("raise RuntimeError('loaded')")
    current_manifest(DBT_PROJECT)
    loads = (
        "import sys; from pathlib import Path; from lotus_dagster.definitions import *;"
        " from lotus_dagster.lake import streams_of;"
        f" d = definitions_of(streams_of(Path({str(files.root / 'streams')!r})),"
        " Manifest.read(current_manifest(DBT_PROJECT)), DBT_PROJECT);"
        " r = d.get_repository_def(); print(sorted(job.name for job in r.get_all_jobs()), 'dlt' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=False, cwd=Path.cwd())
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "['__ASSET_JOB', 'erp_dlt'] False"
