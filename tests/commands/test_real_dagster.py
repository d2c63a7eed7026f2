"""A real webserver of Dagster and the recorded answers tell the same story of a job that is named like dlt's."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from pulumi_airbyte.client.redactor import Redactor

from lotus_infra.clients.dagster_runs import DagsterRuns, DeployedJob, JobRun
from lotus_infra.commands.runners import RETRYING, DagsterRunner, Run
from lotus_infra.errors import LotusError
from lotus_infra.lake.loader import load_lake
from sandbox.process import free_port
from tests.support.dagster import ScriptedDagster, serving
from tests.support.lakes import clean_files, write

CODE = """
import os, time
import dagster as dg

@dg.asset(key=["raw", "erp", "orders"])
def erp_orders_dlt():
    what = open(os.environ["WHAT"]).read()
    if what == "fail once":
        open(os.environ["WHAT"], "w").write("succeed")
    if what.startswith("fail"):
        raise ValueError("401 for https://erp.example.com/orders")
    if what == "wait":
        time.sleep(600)
    return dg.MaterializeResult(metadata={"dagster/partition_row_count": 12})

job = dg.define_asset_job("erp_dlt", selection=[erp_orders_dlt], tags={"kept": "yes"})
manual = dg.define_asset_job("market_dlt", selection=[erp_orders_dlt], tags={"dagster/max_retries": "2"})
schedule = dg.ScheduleDefinition(
    name="erp_dlt_schedule", job=job, cron_schedule="0 6 * * *", execution_timezone="Europe/Berlin",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
defs = dg.Definitions(assets=[erp_orders_dlt], jobs=[job, manual], schedules=[schedule])
"""
INSTANCE = """
telemetry: {enabled: false}
run_retries: {enabled: true, max_retries: 0}
run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
"""
WORKSPACE = "load_from: [{python_file: {relative_path: erp_jobs.py, location_name: lotus-lake}}]"


@contextmanager
def real(folder: Path) -> Iterator[str]:
    """The address of a webserver with the code location, and with Dagster's daemon."""
    (folder / "erp_jobs.py").write_text(CODE)
    (folder / "dagster.yaml").write_text(INSTANCE)
    (folder / "workspace.yaml").write_text(WORKSPACE)
    port, programs = free_port(), Path(sys.executable).parent
    webserver = ["dagster-webserver", "--workspace", "workspace.yaml", "--host", "127.0.0.1", "--port", str(port)]
    daemon = ["dagster-daemon", "run", "--workspace", "workspace.yaml"]
    environment = os.environ | {"DAGSTER_HOME": str(folder), "WHAT": str(folder / "what")}
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log, ExitStack() as running:
        for name, *options in (webserver, daemon):
            command = [str(programs / name), *options]
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
            running.callback(process.wait, 60)
            running.callback(process.terminate)
        until(lambda: answers(address))
        yield address


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/server_info").is_success
    except httpx.HTTPError:
        return False


def until(met: Callable[[], bool], seconds: float = 180) -> None:
    """Ask until it is met."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end
        time.sleep(0.2)


def story(runs: DagsterRuns, behave: Callable[[str], object], finish: Callable[[JobRun], JobRun]) -> list[object]:
    """What `DagsterRuns` says of a job that succeeds, fails and is cancelled.

    Args:
        runs: The instance.
        behave: Called with what the next run does: `succeed`, `fail` or `wait`.
        finish: Waits for the end of a run.
    """
    told: list[object] = []
    job, manual = runs.job("erp_dlt"), runs.job("market_dlt")
    told += [(job.location, job.repository, job.has_schedule, job.is_scheduled, job.next_run is not None)]
    told += [(manual.has_schedule, manual.is_scheduled, manual.next_run), runs.last_runs("erp_dlt")]
    for what in ("succeed", "fail"):
        behave(what)
        run = runs.start(job)
        told += [(run.job, run.finished, run.ended, run.rows), runs.running("erp_dlt") is not None]
        ended = finish(run)
        told += [(ended.run_id == run.run_id, ended.status, ended.rows, (ended.seconds or 0) > 0)]
        told += [runs.failure(run.run_id), runs.running("erp_dlt"), runs.cancel(run.run_id).status]
    behave("wait")
    waiting = runs.start(job)
    until(lambda: runs.run(waiting.run_id).status == "running")
    runs.cancel(waiting.run_id)
    told += [finish(waiting).status, [each.status for each in runs.last_runs("erp_dlt", 5)]]
    told += [len(runs.last_runs("erp_dlt", 5, succeeded=True)), len(runs.last_runs("market_dlt", 5))]
    for refused in (
        lambda: runs.start(DeployedJob("none_dlt", job.location, job.repository)),
        lambda: runs.job("none_dlt"),
        lambda: runs.run("none"),
        lambda: runs.cancel("none"),
    ):
        with pytest.raises(LotusError) as caught:
            refused()
        told.append(str(caught.value))
    return told


@pytest.mark.nightly
def test_the_recorded_answers_tell_the_story_that_the_real_webserver_tells(tmp_path: Path) -> None:
    what = tmp_path / "what"

    with real(tmp_path) as address:
        runs = DagsterRuns(address, Redactor())

        def wait(run: JobRun) -> JobRun:
            until(lambda: runs.run(run.run_id).finished)
            return runs.run(run.run_id)

        by_dagster = story(runs, what.write_text, wait)

    assert by_dagster == told_by_recorded_answers()


@pytest.mark.nightly
def test_a_sync_follows_a_failed_run_to_the_run_that_the_daemon_starts_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "what").write_text("fail once")
    lake = load_lake(write(tmp_path / "streams", clean_files())).lake

    with real(tmp_path) as address:
        runner = DagsterRunner(lake, DagsterRuns(address, Redactor()))
        first = runner.start(Run("market", "", engine="dlt"))
        followed = [first]

        def ended() -> bool:
            followed.append(runner.poll(followed[-1]))
            return followed[-1].finished

        until(ended)

    assert followed[-1].status == "succeeded"
    assert followed[-1].run_id != first.run_id
    assert RETRYING in {each.status for each in followed}


def test_the_recorded_answers_tell_a_story() -> None:
    told = told_by_recorded_answers()

    assert told[0] == ("lotus-lake", "__repository__", True, True, True)
    assert told[-4:] == [
        (
            "Dagster did not start none_dlt: Could not find Pipeline lotus-lake.__repository__.none_dlt: "
            "its UI shows details, under Runs"
        ),
        "Dagster has no job none_dlt: deploy Dagster's image of this commit with `pulumi up`",
        "Dagster no longer has the run none: it was deleted there",
        "Dagster no longer has the run none: it was deleted there",
    ]


def told_by_recorded_answers() -> list[object]:
    dagster, behaviors = ScriptedDagster({"erp_dlt": "RUNNING", "market_dlt": None}), [""]

    def behave(what: str) -> None:
        behaviors[0] = what
        dagster.begins = "STARTED" if what == "wait" else "QUEUED"

    with serving(dagster) as address:
        runs = DagsterRuns(address, Redactor())

        def finish(run: JobRun) -> JobRun:
            if behaviors[0] == "succeed":
                dagster.drive(run.run_id, "SUCCESS")
            if behaviors[0] == "fail":
                dagster.fail(run.run_id, "ValueError: 401 for https://erp.example.com/orders", "raw__erp__orders")
            return runs.run(run.run_id)

        return story(runs, behave, finish)
