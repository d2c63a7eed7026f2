"""Jobs and runs of Dagster are read, started and cancelled by answers that were recorded from a webserver."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from dagster_graphql.schema import create_schema
from graphql import parse, validate
from pulumi_airbyte.client.redactor import Redactor

from lotus_infra.clients.dagster_runs import CANCEL, EVENTS, JOBS, LAST_RUNS, START, DagsterRuns
from lotus_infra.errors import LotusError
from tests.support.dagster import START_SECONDS, ScriptedDagster, serving


@dataclass
class World:
    """A webserver, and what asks it."""

    dagster: ScriptedDagster
    runs: DagsterRuns
    redactor: Redactor


@pytest.fixture
def world() -> Iterator[World]:
    dagster = ScriptedDagster({"erp_dlt": "RUNNING", "market_dlt": None})
    with serving(dagster) as address:
        redactor = Redactor()
        yield World(dagster, DagsterRuns(address, redactor), redactor)


@pytest.mark.parametrize("query", [JOBS, LAST_RUNS, START, CANCEL, EVENTS])
def test_each_query_is_one_that_dagsters_schema_allows(query: str) -> None:
    assert validate(create_schema().graphql_schema, parse(query)) == []


def test_a_job_is_found_with_its_schedule(world: World) -> None:
    erp, market = world.runs.job("erp_dlt"), world.runs.job("market_dlt")

    assert (erp.location, erp.repository, erp.has_schedule, erp.is_scheduled) == (
        "lotus-lake",
        "__repository__",
        True,
        True,
    )
    assert erp.next_run == datetime.fromtimestamp(1_796_101_200, UTC)
    assert (market.has_schedule, market.next_run) == (False, None)
    assert world.dagster.asked == ["Jobs"]


def test_a_stopped_schedule_has_no_next_run(world: World) -> None:
    world.dagster.jobs["erp_dlt"] = "STOPPED"

    job = world.runs.job("erp_dlt")

    assert (job.has_schedule, job.is_scheduled, job.next_run) == (True, False, None)


def test_a_job_that_is_not_deployed_is_an_error_that_says_how_to_deploy_it(world: World) -> None:
    with pytest.raises(LotusError, match="Dagster has no job shop_dlt: deploy Dagster's image of this commit"):
        world.runs.job("shop_dlt")


def test_a_code_location_that_is_not_loaded_is_the_reason_of_a_missing_job(world: World) -> None:
    world.dagster.broken = "ModuleNotFoundError: No module named 'sources'\n"

    with pytest.raises(LotusError, match="no job erp_dlt: the code location lotus-lake is not loaded: ModuleNotFound"):
        world.runs.job("erp_dlt")


def test_the_last_runs_of_a_job_have_their_status_times_and_rows(world: World) -> None:
    world.dagster.add_run("erp_dlt", "FAILURE")
    world.dagster.add_run("erp_dlt", "STARTED", rows=3)
    world.dagster.add_run("market_dlt")

    running, failed = world.runs.last_runs("erp_dlt", 5)

    assert (running.status, running.finished, running.ended, running.rows) == ("running", False, None, 3)
    assert (failed.status, failed.finished, failed.seconds) == ("failed", True, 7.0)
    assert failed.started == datetime.fromtimestamp(START_SECONDS, UTC)
    assert world.runs.running("erp_dlt") == running
    assert world.runs.running("market_dlt") is None
    assert world.runs.last_runs("erp_dlt", 5, succeeded=True) == []


def test_a_run_is_started_with_the_place_of_its_job(world: World) -> None:
    run = world.runs.start(world.runs.job("erp_dlt"))

    assert (run.status, run.rows) == ("pending", None)
    assert world.dagster.variables[-1]["params"]["selector"] == {
        "repositoryLocationName": "lotus-lake",
        "repositoryName": "__repository__",
        "jobName": "erp_dlt",
    }
    assert world.runs.run(run.run_id).job == "erp_dlt"


def test_a_refused_start_has_dagsters_reason(world: World) -> None:
    job = world.runs.job("erp_dlt")
    world.dagster.refuses = "Could not find Pipeline lotus-lake.__repository__.erp_dlt"

    with pytest.raises(LotusError, match="Dagster did not start erp_dlt: Could not find Pipeline"):
        world.runs.start(job)


def test_a_run_is_cancelled_and_a_finished_one_stays_as_it_is(world: World) -> None:
    going, done = world.dagster.add_run("erp_dlt", "STARTED"), world.dagster.add_run("erp_dlt")

    assert world.runs.cancel(going).status == "cancelled"
    assert world.runs.cancel(done).status == "succeeded"
    with pytest.raises(LotusError, match="Dagster no longer has the run none"):
        world.runs.cancel("none")


def test_the_reason_of_a_failure_is_the_innermost_cause_of_the_first_failed_step(world: World) -> None:
    run_id = world.dagster.add_run("erp_dlt")
    world.dagster.fail(
        run_id, "requests.exceptions.HTTPError: 401 Client Error for url: https://erp.example.com/orders"
    )

    assert world.runs.failure(run_id) == (
        "erp_orders_dlt: requests.exceptions.HTTPError: 401 Client Error for url: https://erp.example.com/orders"
    )

    world.dagster.events[run_id].insert(2, {"stepKey": "other", "stepError": {"message": "x", "errorChain": []}})
    assert world.runs.failure(run_id).endswith(" (and 1 more failed)")


def test_a_run_that_fails_outside_of_its_steps_has_the_message_of_the_run(world: World) -> None:
    run_id = world.dagster.add_run("erp_dlt", "FAILURE")
    world.dagster.events[run_id] = [{}, {"runMessage": "Run timed out waiting for its pod"}]

    assert world.runs.failure(run_id) == "Run timed out waiting for its pod"
    assert world.runs.failure(world.dagster.add_run("erp_dlt", "FAILURE")) == ""


def test_the_reason_of_a_failure_has_no_secret_of_the_stack(world: World) -> None:
    run_id = world.dagster.add_run("erp_dlt")
    world.dagster.fail(run_id, "401 for https://erp.example.com/orders?api_key=first-key, sent key second-key")
    world.redactor.expect(lambda: ["second-key"])

    reason = world.runs.failure(run_id)

    assert "first-key" not in reason
    assert "second-key" not in reason
    assert "401 for https://erp.example.com/orders" in reason


def test_the_reason_of_a_failure_is_not_shown_if_the_stacks_secrets_are_not_known(world: World) -> None:
    run_id = world.dagster.add_run("erp_dlt")
    world.dagster.fail(run_id, "401 with the key some-key")
    world.redactor.expect(lambda: None)

    assert "some-key" not in world.runs.failure(run_id)


def test_an_unknown_status_is_no_success(world: World) -> None:
    world.dagster.add_run("erp_dlt", "RESTING")

    with pytest.raises(LotusError, match="the answer is not one of Dagster's"):
        world.runs.last_runs("erp_dlt")
