"""What a stream's sensor asks Dagster for: after files, after failures, after crashes."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from lotus_dagster.arrivals.cursor import Cursor, read_cursor, write_cursor
from lotus_dagster.arrivals.decide import Clock
from lotus_dagster.assets import stream_assets
from lotus_dagster.definitions import DBT_PROJECT, STREAMS, current_manifest, definitions_of
from lotus_dagster.earlier_runs import FailedRun
from lotus_dagster.environment import EnvironmentVariableError
from lotus_dagster.lake import Stream, streams_of
from lotus_dagster.manifest import Manifest
from lotus_dagster.sensors import stream_sensor, tick

from tests.dagster.lake import Lake, order

ORDERS = Stream("shopify", "orders", "raw/shopify/orders/")
CLOCK = Clock(date(2026, 1, 20))
FRESH = Cursor(lineage="test")
FAILURE = FailedRun("4f1c", datetime(2026, 1, 20, tzinfo=UTC))
SENSOR = "shopify_orders_sensor"


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return definitions_of(streams_of(STREAMS), Manifest.read(current_manifest(DBT_PROJECT)), DBT_PROJECT)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake in which one order has landed."""
    made = Lake(tmp_path)
    made.land("shopify", "orders", "2026-01-05", 0, [order(1, "2026-01-05T10:00:00Z")])
    monkeypatch.setenv("LOTUS_LANDING", str(made.landing))
    return made


class Daemon:
    """Evaluates a sensor as Dagster's daemon does; its runs are records that never run."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self._definitions, self.instance = definitions, instance
        self.sensor = definitions.get_repository_def().get_sensor_def(SENSOR)
        self.cursor: str | None = write_cursor(FRESH)

    def evaluate(self) -> Any:
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=self._definitions
        ) as context:
            return self.sensor.evaluate_tick(context)

    def ran(self, status: dg.DagsterRunStatus, **asked: Any) -> str:
        """A run of the sensor with this end; returns its id."""
        run = self.instance.create_run_for_job(
            self._definitions.resolve_implicit_global_asset_job_def(),
            tags={"dagster/sensor_name": SENSOR},
            run_config={"ops": {"shopify_orders_dbt": {"config": asked}}},
            status=status if status != dg.DagsterRunStatus.FAILURE else dg.DagsterRunStatus.STARTED,
        )
        if status == dg.DagsterRunStatus.FAILURE:
            self.instance.report_run_failed(run)
        return run.run_id


@pytest.fixture
def daemon(definitions: dg.Definitions) -> Any:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Daemon(definitions, instance)


def config_of(ticked: Any) -> dict[str, Any]:
    """What the only request asks for; it never releases files from quarantine."""
    (request,) = ticked.run_requests
    config = dict(request.run_config["ops"]["shopify_orders_dbt"]["config"])
    assert config.pop("release") == []
    return config


def test_a_tick_asks_for_a_run_of_the_new_partitions_and_tells_of_the_files(lake: Lake) -> None:
    result = tick(ORDERS, str(lake.landing), FRESH, CLOCK)
    assert config_of(result) == {"partitions": ["2026-01-05"], "rebuild": False}
    assert [event.asset_key.path for event in result.asset_events] == [["raw", "shopify", "orders"]]
    assert not tick(ORDERS, str(lake.landing), read_cursor(result.cursor), CLOCK).run_requests


def test_a_stream_without_files_asks_for_one_run_that_reads_nothing(lake: Lake) -> None:
    refunds = Stream("shopify", "order_refunds", "raw/shopify/order_refunds/")
    result = tick(refunds, str(lake.landing), FRESH, CLOCK)
    (request,) = result.run_requests or ()
    config = request.run_config["ops"]["shopify_order_refunds_dbt"]["config"]
    assert config == {"partitions": [], "rebuild": False, "release": []}
    assert result.asset_events == []
    assert not tick(refunds, str(lake.landing), read_cursor(result.cursor), CLOCK).run_requests


def test_after_a_failed_run_the_next_one_reads_whatever_is_unread(lake: Lake) -> None:
    result = tick(ORDERS, str(lake.landing), FRESH, CLOCK, FAILURE)
    assert config_of(result) == {"partitions": [], "rebuild": False}


def test_a_failed_run_is_asked_for_again_although_no_file_arrives_and_once_for_each_failure(lake: Lake) -> None:
    known = read_cursor(tick(ORDERS, str(lake.landing), FRESH, CLOCK).cursor)
    again = tick(ORDERS, str(lake.landing), known, CLOCK, FAILURE)
    twice = tick(ORDERS, str(lake.landing), read_cursor(again.cursor), CLOCK, FAILURE)
    other = tick(ORDERS, str(lake.landing), read_cursor(again.cursor), CLOCK, FailedRun("77aa", FAILURE.again_at))
    assert config_of(again) == {"partitions": [], "rebuild": False}
    [key], [same], [new] = ([one.run_key for one in each.run_requests or ()] for each in (again, twice, other))
    assert key == same != new


def test_a_batch_that_is_handed_out_again_after_its_run_failed_has_a_key_of_its_own(lake: Lake) -> None:
    first = tick(ORDERS, str(lake.landing), FRESH, CLOCK)
    lost = tick(ORDERS, str(lake.landing), FRESH, CLOCK, FAILURE)
    [key], [again] = ([one.run_key for one in each.run_requests or ()] for each in (first, lost))
    assert key != again


def test_a_sensor_waits_after_a_failure_twice_as_long_each_time_and_never_over_an_hour(
    lake: Lake, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = []
    for _ in range(9):
        run_id = daemon.ran(dg.DagsterRunStatus.FAILURE)
        before = datetime.now(UTC)
        message = str(daemon.evaluate().skip_message)
        assert run_id in message
        again = datetime.strptime(message.split("again at ")[1][:23], "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
        waits.append(round((again - before) / timedelta(minutes=1)))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]

    monkeypatch.setenv("LOTUS_RETRY_SECONDS", "0")
    assert config_of(daemon.evaluate()) == {"partitions": [], "rebuild": False}


def test_a_success_ends_the_waiting(lake: Lake, daemon: Daemon) -> None:
    daemon.ran(dg.DagsterRunStatus.FAILURE)
    daemon.ran(dg.DagsterRunStatus.SUCCESS)
    assert config_of(daemon.evaluate())["partitions"] == ["2026-01-05"]
    daemon.ran(dg.DagsterRunStatus.FAILURE)
    assert "it is requested again" in daemon.evaluate().skip_message


def edited(definitions: dg.Definitions, text: str) -> dg.AssetsDefinition:
    """The stream's models after somebody has added a text to their SQL."""
    document = json.loads(current_manifest(DBT_PROJECT).read_bytes())
    document["nodes"]["model.lotus.int_shopify__orders"]["raw_code"] += text
    part = Manifest(document).tagged(ORDERS.tag)
    assert part is not None
    return stream_assets(ORDERS, part)


def test_a_model_whose_sql_has_changed_is_run_without_a_file_and_once_for_each_change(
    lake: Lake, daemon: Daemon, definitions: dg.Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in lake.environment.items():
        monkeypatch.setenv(name, value)
    keys: list[str] = []
    for text in ("", "-- changed", ""):
        models = edited(definitions, text)
        daemon.sensor = stream_sensor(ORDERS, models)
        ticked = daemon.evaluate()
        daemon.cursor = ticked.cursor
        assert config_of(ticked) == {"partitions": [] if keys else ["2026-01-05"], "rebuild": False}
        keys += [ticked.run_requests[0].run_key, daemon.evaluate().run_requests[0].run_key if keys else ""]
        assert dg.materialize([models], instance=daemon.instance, resources=definitions.resources).success
        assert not daemon.evaluate().run_requests
    assert keys[2] == keys[3] != keys[4] == keys[5]


def test_a_rebuild_that_failed_is_not_asked_for_again(
    lake: Lake, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is refused while files have expired; models start over by themselves when that loses no row.
    monkeypatch.setenv("LOTUS_RETRY_SECONDS", "0")
    daemon.ran(dg.DagsterRunStatus.FAILURE, partitions=["2026-01-04"], rebuild=True)
    assert config_of(daemon.evaluate()) == {"partitions": [], "rebuild": False}


def test_a_run_by_hand_without_a_configuration_does_not_stop_the_sensor(
    lake: Lake, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOTUS_RETRY_SECONDS", "0")
    daemon.ran(dg.DagsterRunStatus.CANCELED)
    assert config_of(daemon.evaluate()) == {"partitions": [], "rebuild": False}


@pytest.mark.parametrize("name", ["LOTUS_RETRY_SECONDS", "LOTUS_EXPIRE_RAW_DAYS"])
@pytest.mark.parametrize("value", ["soon", "-1", "1.5", "9" * 10])
def test_a_variable_that_is_no_whole_number_fails_the_tick_and_is_named(
    lake: Lake, daemon: Daemon, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    daemon.ran(dg.DagsterRunStatus.FAILURE)
    with pytest.raises(EnvironmentVariableError, match=f"{name} is '{value}': set it to a whole number"):
        daemon.evaluate()


def test_a_sensor_waits_for_its_run_and_a_lost_cursor_asks_for_the_same_run(lake: Lake, daemon: Daemon) -> None:
    [lost], [again] = daemon.evaluate().run_requests, daemon.evaluate().run_requests
    assert lost.run_key == again.run_key
    daemon.ran(dg.DagsterRunStatus.STARTED)
    waiting = daemon.evaluate()
    assert not waiting.run_requests
    assert "still reading" in waiting.skip_message


def test_keys_outside_the_layout_and_far_dates_are_shown_once_at_the_streams_files(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    stray = lake.landing / "raw/shopify/orders/year=2026/month=99/day=01/part_0.parquet"
    stray.parent.mkdir(parents=True)
    stray.write_text("x")
    lake.land("shopify", "orders", "2098-01-01", 1, [order(2, "2026-01-05T10:00:00Z")])
    result = tick(ORDERS, str(lake.landing), FRESH, CLOCK)
    observed = [one for one in result.asset_events if isinstance(one, dg.AssetObservation)]
    assert [one.asset_key.path for one in observed] == [["raw", "shopify", "orders"]] * 2
    told = [str(one.description) for one in observed]
    assert "keys outside the lake's layout" in told[0]
    assert "month=99" in told[0]
    assert "dated far from now" in told[1]
    assert "year=2098" in told[1]
    assert [record.message for record in caplog.records if record.name.startswith("lotus")] == told
    after = tick(ORDERS, str(lake.landing), read_cursor(result.cursor), CLOCK)
    assert after.asset_events == []
