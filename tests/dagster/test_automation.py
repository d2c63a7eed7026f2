"""When Dagster materializes marts: after an upstream, once all are there, and after a failure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData
from dagster._core.test_utils import create_run_for_test, freeze_time
from lotus_dagster.automation import empty_model_condition, mart_condition
from lotus_dagster.retries import mart_retry_sensor

MART, REPORT, MODEL, OTHER = (dg.AssetKey(name) for name in ("mart", "report", "model", "other"))
"""A mart of two models, and a mart of a mart and a model."""


class Daemon:
    """Evaluates a mart's condition, and runs what is requested; an hour is a number here."""

    def __init__(self, instance: dg.DagsterInstance, condition: "dg.AutomationCondition[Any]") -> None:
        self.instance = instance
        self.now = datetime(2026, 1, 20, 10, 1, tzinfo=UTC)
        self.while_it_runs: Callable[[], None] = lambda: None
        self.between_marts: Callable[[], None] = lambda: None
        self.cursor: Any = None

        @dg.multi_asset(
            can_subset=True,
            specs=[
                dg.AssetSpec(MART, deps=[MODEL, OTHER], group_name="marts", automation_condition=condition),
                dg.AssetSpec(REPORT, deps=[MART, MODEL], group_name="marts", automation_condition=condition),
            ],
        )
        def marts(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
            self.while_it_runs()
            for key in (MART, REPORT):
                if key in context.selected_asset_keys:
                    self.now += timedelta(seconds=1)
                    with freeze_time(self.now):
                        yield dg.MaterializeResult(key)
                    self.between_marts()

        self.definitions = dg.Definitions([dg.AssetSpec(MODEL), dg.AssetSpec(OTHER), marts])

    def update(self, key: dg.AssetKey) -> None:
        """A model is materialized, a second after all before."""
        self.now += timedelta(seconds=1)
        with freeze_time(self.now):
            self.instance.report_runless_asset_event(dg.AssetMaterialization(key))

    def passes(self, minutes: int = 1) -> int:
        """Evaluates after some minutes; returns how often the marts were run, both of them in one run."""
        self.now += timedelta(minutes=minutes)
        found = dg.evaluate_automation_conditions(
            self.definitions,
            self.instance,
            asset_selection=dg.AssetSelection.assets(MART, REPORT),
            cursor=self.cursor,
            evaluation_time=self.now,
        )
        self.cursor = found.cursor
        assert found.get_num_requested(REPORT) == found.get_num_requested(MART)
        for _ in range(found.get_num_requested(MART)):
            self.now += timedelta(seconds=1)
            with freeze_time(self.now):
                self.execute({})
        return found.get_num_requested(MART)

    def execute(self, tags: Mapping[str, str]) -> None:
        """A run of both marts."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        job.execute_in_process(
            instance=self.instance, asset_selection=[MART, REPORT], tags=dict(tags), raise_on_error=False
        )

    def passes_in(self, minutes: int) -> int:
        """How many marts were run in some minutes."""
        return sum(self.passes() for _ in range(minutes))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def daemon(instance: dg.DagsterInstance) -> Daemon:
    """A mart that was materialized once."""
    made = Daemon(instance, mart_condition())
    for key in (MODEL, OTHER):
        made.update(key)
    assert made.passes() == 1
    assert made.passes_in(12) == 0
    return made


def fails() -> None:
    raise ValueError("broken")


def test_a_mart_waits_until_each_of_its_models_is_there(instance: dg.DagsterInstance) -> None:
    daemon = Daemon(instance, mart_condition())
    assert daemon.passes() == 0
    daemon.update(MODEL)
    assert daemon.passes() == 0
    daemon.update(OTHER)
    assert daemon.passes() == 1
    assert daemon.passes_in(12) == 0


def retries(daemon: Daemon) -> Any:
    """A tick of the sensor that requests failed marts again."""
    (marts,) = (one for one in daemon.definitions.assets or () if isinstance(one, dg.AssetsDefinition))
    with dg.build_sensor_context(instance=daemon.instance, definitions=daemon.definitions) as context:
        return mart_retry_sensor(marts).evaluate_tick(context)


def test_marts_that_fail_are_requested_again_after_twice_as_long_each_time_until_they_succeed(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.while_it_runs = fails
    daemon.update(MODEL)
    assert daemon.passes() == 1
    assert daemon.passes_in(20) == 0
    daemon.execute({})  # by the clock of this machine, which the sensor reads
    waits, keys = [], set()
    for _ in range(9):
        monkeypatch.delenv("LOTUS_RETRY_SECONDS", raising=False)
        before = datetime.now(UTC)
        message = str(retries(daemon).skip_message)
        again = datetime.strptime(message.split("again at ")[1][:23], "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
        waits.append(round((again - before) / timedelta(minutes=1)))
        monkeypatch.setenv("LOTUS_RETRY_SECONDS", "0")
        [request] = retries(daemon).run_requests
        assert request.asset_selection == [MART, REPORT]
        keys.add(request.run_key)
        daemon.execute(request.tags)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert len(keys) == len(waits)

    daemon.while_it_runs = lambda: None
    daemon.execute(retries(daemon).run_requests[0].tags)
    assert retries(daemon).skip_message == "no mart has failed"
    assert daemon.passes_in(12) == 0


def test_only_the_marts_that_a_failed_run_did_not_materialize_are_requested_again(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOTUS_RETRY_SECONDS", "0")
    daemon.between_marts = fails
    daemon.update(MODEL)
    assert daemon.passes() == 1
    [request] = retries(daemon).run_requests
    assert request.asset_selection == [REPORT]


def test_a_mart_that_failed_is_requested_at_once_when_a_model_is_updated(daemon: Daemon) -> None:
    daemon.while_it_runs = fails
    daemon.update(MODEL)
    assert daemon.passes() == 1
    daemon.while_it_runs = lambda: None
    daemon.update(MODEL)
    assert daemon.passes() == 1
    assert daemon.passes_in(12) == 0


def test_a_model_that_is_updated_right_after_the_mart_has_run_is_not_forgotten(daemon: Daemon) -> None:
    daemon.update(MODEL)
    assert daemon.passes() == 1
    daemon.update(OTHER)
    assert daemon.passes() == 1
    assert daemon.passes_in(12) == 0


def meanwhile(daemon: Daemon, key: dg.AssetKey) -> Callable[[], None]:
    def updates_once() -> None:
        daemon.while_it_runs = lambda: None
        daemon.update(key)
        daemon.now += timedelta(seconds=1)

    return updates_once


def test_a_model_that_is_updated_while_the_mart_runs_is_not_forgotten(daemon: Daemon) -> None:
    daemon.while_it_runs = meanwhile(daemon, MODEL)
    daemon.update(MODEL)
    assert daemon.passes() == 1
    assert daemon.passes() == 1
    assert daemon.passes_in(12) == 0


def test_a_mart_does_not_wait_for_a_model_that_runs_again(daemon: Daemon) -> None:
    daemon.update(MODEL)
    run = create_run_for_test(daemon.instance, "models", status=dg.DagsterRunStatus.STARTED)
    planned = AssetMaterializationPlannedData(OTHER)
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    daemon.instance.report_dagster_event(dg.DagsterEvent(kind.value, "models", event_specific_data=planned), run.run_id)
    assert daemon.passes() == 1


def test_dagsters_own_condition_forgets_such_an_update(instance: dg.DagsterInstance) -> None:
    """Once this fails, Dagster's `eager` can take the place of the condition's first half."""
    daemon = Daemon(instance, dg.AutomationCondition.eager())
    daemon.passes()
    for key in (MODEL, OTHER):
        daemon.update(key)
    assert daemon.passes() == 1
    daemon.update(OTHER)
    assert daemon.passes_in(12) == 0


def test_a_model_without_files_to_come_materializes_once(instance: dg.DagsterInstance) -> None:
    @dg.asset(key=MODEL, deps=["raw"], automation_condition=empty_model_condition())
    def model() -> None: ...

    definitions, cursor, requested = dg.Definitions([model]), None, []
    for _ in range(4):
        found = dg.evaluate_automation_conditions(
            definitions, instance, asset_selection=dg.AssetSelection.assets(MODEL), cursor=cursor
        )
        cursor = found.cursor
        requested.append(found.get_num_requested(MODEL))
        if requested[-1]:
            dg.materialize([model], instance=instance)
    assert requested == [1, 0, 0, 0]
