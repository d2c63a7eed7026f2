"""What has arrived, materialized on one machine: the sandbox's process for it, on a landing folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from lotus_dagster.code_location import defs
from lotus_dagster.definitions import DBT_PROJECT, STREAMS, current_manifest
from lotus_dagster.lake import streams_of

from lotus_infra import naming
from lotus_infra.clients import ducklake
from lotus_infra.clients.ducklake import attach
from lotus_infra.commands import runners
from lotus_infra.errors import LotusError
from sandbox import marts
from sandbox.dagster_cursors import Cursors
from sandbox.dagster_home import CODE_LOCATION, Home
from sandbox.dagster_report import Report, Run
from sandbox.dagster_round import OURS, Daemon, Execution
from sandbox.flow import confirmed
from sandbox.lakehouse import Contents, Stream, environment
from sandbox.layout import Layout
from sandbox.marts import contents
from sandbox.process import free_port
from sandbox.s3 import Server
from sandbox.ui import ui
from tests.dagster.lake import Lake, order, refund

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def called(lake: Lake, **variables: str) -> "subprocess.CompletedProcess[str]":
    # What runs there is measured where it is tested by itself: here it costs a fifth of the time.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    ours = {"DAGSTER_HOME": str(lake.landing.parent / "dagster"), "LOTUS_RETRY_SECONDS": "0"}
    own = {**kept, **lake.environment, **ours, **variables}
    command = [sys.executable, "-m", "sandbox.dagster_runs"]
    return subprocess.run(command, cwd=REPOSITORY, env=own, capture_output=True, text=True, check=False)


def report_of(call: "subprocess.CompletedProcess[str]") -> Report:
    return Report.model_validate_json(call.stdout)


def run_of(report: Report, stream: str) -> Run:
    (run,) = (run for run in report.runs if run.name == f"shopify_{stream}_sensor")
    return run


def rows_of(found: Contents, stream: str) -> tuple[int, int, int | None]:
    (one,) = (one for one in found.streams if one.name == stream)
    return one.files, one.landed, one.latest


@pytest.mark.nightly  # by day, the sandbox's story goes through the same process
def test_what_has_arrived_reaches_the_marts_once(lake: Lake) -> None:
    lake.land(
        "shopify", "orders", "2026-01-05", 0, [order(9, "2026-01-05T10:00:00Z"), order(10, "2026-01-05T10:00:00Z")]
    )
    lake.land("shopify", "orders", "2026-01-05", 1, [order(9, "2026-01-05T11:00:00Z", financial_status="refunded")])
    lake.land("shopify", "order_refunds", "2026-01-05", 0, [refund(1, 9, "2026-01-05T11:00:00Z", 30.0)])

    first = called(lake)

    assert first.returncode == 0, first.stderr
    made = report_of(first).materialized
    # The streams without files are made once, with no rows, so that the marts have all that they read.
    models = {"/".join(naming.asset_key(one.source, one.name)) for one in streams_of(STREAMS)}
    assert {asset: made[asset] for asset in models} == dict.fromkeys(models, 1)
    assert made.keys() - models == {"main/fct_sales", "main/dim_customers", "main/fct_purchases"}
    assert sum(run.tests_passed for run in report_of(first).runs) >= 36
    assert "[13/13] shopify_orders_sensor asks for a run" in first.stderr
    found = contents(lake.warehouse)
    assert (rows_of(found, "orders"), rows_of(found, "order_refunds")) == ((2, 3, 2), (1, 1, 1))
    assert rows_of(found, "users") == (0, 0, 0)
    (sales,) = (mart for mart in found.marts if mart.rows > 1)
    assert (sales.name, sales.rows) == ("fct_sales", 2)
    assert [row[sales.columns.index("order_id")] for row in sales.first] == ["9", "10"]
    assert dict(zip(sales.columns, sales.first[0], strict=True))["financial_status"] == "refunded"
    assert report_of(called(lake)).runs == ()


@pytest.mark.nightly
def test_a_bad_file_is_named_and_a_run_that_fails_says_why_and_is_made_up_for_later(lake: Lake) -> None:
    good = lake.land("shopify", "order_refunds", "2026-01-05", 0, [refund(1, 1, "2026-01-05T11:00:00Z", 30.0)])
    bad = good.with_name("part_1.parquet")
    bad.write_text("no Parquet")

    passed_over = called(lake)

    assert passed_over.returncode == 0, passed_over.stderr
    run = run_of(report_of(passed_over), "order_refunds")
    (key,) = run.quarantined
    assert key.endswith("part_1.parquet")
    assert f"in quarantine: {key}: " in passed_over.stderr
    assert (run.tests_warned, run.assets) == (("quarantine",), ("main/int_shopify__order_refunds",))
    worse = [good.with_name(f"part_{number}.parquet") for number in (2, 3)]
    for file in worse:
        file.write_text("no Parquet")

    failed = called(lake)

    assert failed.returncode == 1
    (why,) = report_of(failed).failures
    assert "shopify_order_refunds_sensor: " in why
    assert "part_2.parquet" in why
    assert "Traceback" not in why
    for file in worse:
        file.unlink()
    lake.land("shopify", "order_refunds", "2026-01-05", 4, [refund(2, 1, "2026-01-05T11:00:00Z", 30.0)])
    healed = report_of(called(lake))
    assert healed.failures == ()
    assert run_of(healed, "order_refunds").assets == ("main/int_shopify__order_refunds",)


def test_a_landing_zone_out_of_reach_fails_each_look_and_concludes_nothing(lake: Lake) -> None:
    call = called(lake, LOTUS_LANDING=str(lake.landing / "nowhere"))
    assert call.returncode == 1
    assert len(report_of(call).refused) == 12
    assert all("is no folder" in why for why in report_of(call).failures)
    home = lake.landing.parent / "dagster"
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert {Cursors(instance).read(sensor) for sensor in report_of(call).refused} == {None}
        assert not instance.telemetry_enabled
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1


@pytest.mark.parametrize("name", ["LOTUS_CATALOG", pytest.param("DAGSTER_HOME", marks=pytest.mark.nightly)])
def test_a_variable_that_is_missing_is_one_error(lake: Lake, name: str) -> None:
    call = called(lake, **{name: ""})
    assert (call.returncode, call.stdout) == (1, "")
    assert call.stderr.startswith("error: ")
    assert name in call.stderr


def test_a_run_that_was_killed_does_not_keep_its_sensor_waiting() -> None:
    job = defs.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        killed = instance.create_run_for_job(job, tags=OURS, status=dg.DagsterRunStatus.STARTED)
        foreign = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        assert Execution(defs, instance).end_what_was_killed() == 1
        ended = {run.run_id: run.status for run in instance.get_runs()}
    assert ended == {killed.run_id: dg.DagsterRunStatus.FAILURE, foreign.run_id: dg.DagsterRunStatus.STARTED}


def test_runs_of_an_ended_daemon_do_not_keep_their_sensors_waiting() -> None:
    job = defs.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        left = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        assert Execution(defs, instance).end_what_was_killed(every=True) == 1
        ended = instance.get_run_by_id(left.run_id)
    assert ended is not None
    assert ended.status == dg.DagsterRunStatus.FAILURE


def test_a_run_of_the_daemon_is_waited_for_while_the_daemon_runs() -> None:
    job, sensor = defs.resolve_implicit_global_asset_job_def(), "shopify_orders_sensor"
    with dg.DagsterInstance.ephemeral() as instance:
        tags = {"dagster/sensor_name": sensor}
        run = instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
        daemon = Daemon(instance, os.getpid())
        assert (daemon.run_of(sensor), daemon.run_of("shopify_customers_sensor")) == (run, None)
        instance.report_run_failed(run)
        assert daemon.wait_for(run.run_id)
        assert daemon.run_of(sensor) is None
        assert Daemon(instance, 0).run_of(sensor) is None


def test_a_sensors_cursor_is_where_dagsters_daemon_keeps_it(tmp_path: Path) -> None:
    sensors = [one for one in defs.sensors or () if isinstance(one, dg.SensorDefinition)]
    with dg.DagsterInstance.from_config(str(Home(tmp_path).folder)) as instance:
        cursors = Cursors(instance)
        assert cursors.read(sensors[0].name) is None
        for text in ("first", "second"):
            cursors.write(sensors[0], text)
            assert cursors.read(sensors[0].name) == text
        assert cursors.read(sensors[1].name) is None
        (state,) = instance.all_instigator_state()
    assert (state.origin.location_name, state.status.value) == (CODE_LOCATION, "DECLARED_IN_CODE")


def test_a_mart_that_was_added_shows_once_it_is_built(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads(current_manifest(DBT_PROJECT).read_text(encoding="utf-8"))
    mart = document["nodes"]["model.lotus.fct_sales"]
    for name in ("agg_sales", "not_built"):
        document["nodes"][f"model.lotus.{name}"] = {**mart, "alias": name}
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setattr(marts, "DBT_PROJECT", tmp_path)
    with duckdb.connect() as connection:
        attach(connection, lake.warehouse)
        for name in ("agg_sales", "int_shopify__orders", "of_nothing"):
            connection.execute(f"create table lake.main.{name} as select 7 as total")

    (shown,) = contents(lake.warehouse).marts

    assert (shown.name, shown.rows, shown.columns, shown.first) == ("agg_sales", 1, ("total",), (("7",),))


def test_a_catalog_that_another_process_holds_is_waited_for(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys, duckdb; from lotus_infra.clients.ducklake import attach;"
        "from lotus_dagster.environment import Warehouse;"
        "c = duckdb.connect(); attach(c, Warehouse.read()); print('held', flush=True); sys.stdin.readline()"
    )
    held = subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | lake.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert held.stdout is not None
    assert held.stdout.readline() == "held\n"
    with held, duckdb.connect() as connection:
        monkeypatch.setattr(ducklake, "LONGEST_WAIT_SECONDS", 0.0)
        with pytest.raises(duckdb.IOException, match="lock"):
            attach(connection, lake.warehouse)
        monkeypatch.setattr(ducklake, "LONGEST_WAIT_SECONDS", 60.0)
        assert held.stdin is not None
        held.stdin.close()
        attach(connection, lake.warehouse)


def test_files_that_landed_are_counted_before_anything_is_built(lake: Lake) -> None:
    lake.land("shopify", "orders", "2026-01-05", 0, [order(1, "2026-01-05T10:00:00Z")])

    found = contents(lake.warehouse)

    assert [(one.name, one.files, one.landed, one.latest) for one in found.streams if one.files] == [
        ("orders", 1, 1, None)
    ]
    assert found.marts == ()


def test_the_files_of_a_stream_that_a_sync_overwrites_are_not_counted_as_added() -> None:
    before, after = of_shop(appended=1000, overwritten=200), of_shop(appended=1010, overwritten=215)
    run = runners.Run("shop", "id", rows=225, connection="shop")

    assert "brought 225 rows" in confirmed(before, after, [run], {"shop"})
    with pytest.raises(LotusError, match="its job reports 225 rows, and its Parquet files have 224"):
        confirmed(before, of_shop(appended=1009, overwritten=215), [run], {"shop"})


def of_shop(*, appended: int, overwritten: int) -> Contents:
    """A lake of one connection with two streams: a sync appends to one and overwrites the other."""
    rows = {"orders": appended, "sheet": overwritten}
    return Contents(
        streams=tuple(
            Stream(
                source="shop",
                name=name,
                connection="shop",
                overwritten=name == "sheet",
                files=1,
                landed=rows[name],
                latest=None,
            )
            for name in rows
        ),
        marts=(),
    )


def test_a_catalog_that_is_none_is_one_error(lake: Lake) -> None:
    Path(lake.warehouse.catalog).write_text("no catalog", encoding="utf-8")

    with pytest.raises(LotusError, match="the lake can't be read"):
        contents(lake.warehouse)


def test_dagster_is_given_the_sandbox_s3_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "production")
    for file in ("Pulumi.yaml", "Pulumi.sandbox.yaml"):
        (tmp_path / file).symlink_to(REPOSITORY / file)

    given = environment(Layout(tmp_path), Server(pid=1, url="http://127.0.0.1:9"))

    assert "AWS_PROFILE" not in given
    assert "AWS_SESSION_TOKEN" not in given
    assert (given["AWS_ENDPOINT_URL_S3"], given["LOTUS_LANDING"]) == ("http://127.0.0.1:9", "s3://landing")
    assert given["LOTUS_RETRY_SECONDS"] == "0"


def test_without_a_sandbox_the_interface_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LotusError, match="make sandbox"):
        ui(Layout(tmp_path))


def test_a_port_that_is_none_is_one_error_with_a_remedy() -> None:
    with pytest.raises(LotusError, match=r"port 99999 can't be had[\s\S]+PORT="):
        free_port(99_999)
