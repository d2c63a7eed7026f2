"""A stream's run in Dagster: files that break it, other writers, and cancellation."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import dagster as dg
import duckdb
import pytest
from lotus_dagster import dbt_command
from lotus_dagster.arrivals.landing import stored_files
from lotus_dagster.arrivals.reading import StoredFile
from lotus_dagster.assets import POOL, stream_assets
from lotus_dagster.bookkeeping import quarantine
from lotus_dagster.dbt_command import LotusDbt, Outcome, dbt_of
from lotus_dagster.definitions import DBT_PROJECT, current_manifest
from lotus_dagster.lake import Stream
from lotus_dagster.manifest import Manifest
from lotus_dagster.quarantine import main, quarantine_check

from lotus_infra import naming
from lotus_infra.clients import ducklake
from lotus_infra.clients.ducklake import attach
from tests.dagster.lake import Lake, close_connections, order

ORDERS = Stream("shopify", "orders", "raw/shopify/orders/")
MODEL = "int_shopify__orders"
IDS = f"select id from {MODEL} order by id"
NOON = "2026-01-05T12:00:00Z"
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """A lake with one order, which this process's environment describes."""
    made = Lake(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    made.land("shopify", "orders", "2026-01-05", 0, [order(1, NOON)])
    yield made
    close_connections()


def run(**config: Any) -> dg.ExecuteInProcessResult:
    """Dagster's run of the stream, with its checks."""
    part = Manifest.read(current_manifest(DBT_PROJECT)).tagged(ORDERS.tag)
    assert part is not None
    assets = stream_assets(ORDERS, part)
    return dg.materialize(
        [assets, quarantine_check(dg.AssetKey(naming.asset_key("shopify", "orders")), POOL, ORDERS.prefix)],
        resources={"dbt": dbt_of(DBT_PROJECT)},
        run_config={"ops": {"shopify_orders_dbt": {"config": config}}},
        raise_on_error=False,
    )


def checks(ran: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {one.check_name: one.passed for one in ran.get_asset_check_evaluations()}


def put_aside(ran: dg.ExecuteInProcessResult) -> list[dict[str, str]]:
    (found,) = (one for one in ran.get_asset_check_evaluations() if one.check_name == naming.QUARANTINE_CHECK)
    assert found.severity == dg.AssetCheckSeverity.WARN
    files = found.metadata["files"].value
    assert isinstance(files, list)
    return files


def error_of(ran: dg.ExecuteInProcessResult) -> str:
    assert not ran.success
    (failed,) = ran.get_step_failure_events()
    assert failed.step_failure_data.error is not None
    return failed.step_failure_data.error.message


def damage(lake: Lake, part: int) -> str:
    """A file of no bytes; returns its key."""
    file = lake.landing / f"raw/shopify/orders/year=2026/month=01/day=05/part_{part}.parquet"
    file.write_bytes(b"")
    return file.relative_to(lake.landing).as_posix()


def test_a_run_reads_what_has_arrived_and_its_checks_pass(lake: Lake) -> None:
    ran = run(partitions=["2026-01-05"])
    assert ran.success
    assert checks(ran) == {f"not_null_{MODEL}_id": True, f"unique_{MODEL}_id": True, "quarantine": True}
    assert [event.asset_key for event in ran.get_asset_materialization_events()] == [dg.AssetKey(["main", MODEL])]
    assert put_aside(ran) == []
    close_connections()
    assert lake.query(IDS) == [(1,)]


def test_bad_files_are_put_aside_by_name_and_the_others_are_read(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = damage(lake, 1)
    lake.land("shopify", "orders", "2026-01-05", 2, [order(2, NOON)])
    lake.land("shopify", "orders", "2026-01-05", 3, [order(3, NOON)])
    no_key = lake.land("shopify", "orders", "2026-01-06", 4, [order(4, NOON) | {"id": None}])
    keys = [empty, no_key.relative_to(lake.landing).as_posix()]

    ran = run(partitions=["2026-01-05", "2026-01-06"])

    assert ran.success
    found = put_aside(ran)
    assert [one["file"] for one in found] == sorted(keys)
    reasons = {one["file"]: one["reason"] for one in found}
    assert "too small to be a Parquet file" in reasons[keys[0]]
    assert f"not_null_{MODEL}_id has 1 row" in reasons[keys[1]]
    assert checks(ran) == {f"not_null_{MODEL}_id": True, f"unique_{MODEL}_id": True, "quarantine": False}
    close_connections()
    assert lake.query(IDS) == [(1,), (2,), (3,)]
    assert [one["since"] for one in put_aside(run())] == [one["since"] for one in found]
    close_connections()
    assert main([]) == 0
    assert keys[0] in capsys.readouterr().out


@pytest.mark.nightly
def test_an_overwritten_file_is_tried_again_and_a_released_one_too(lake: Lake) -> None:
    keys = [damage(lake, 1), damage(lake, 2)]
    assert [one["file"] for one in put_aside(run())] == keys
    lake.land("shopify", "orders", "2026-01-05", 1, [order(2, NOON)])
    assert [one["file"] for one in put_aside(run())] == keys[1:]
    assert [one["file"] for one in put_aside(run(release=keys[1:]))] == keys[1:]
    close_connections()
    assert lake.query(IDS) == [(1,), (2,)]


def test_releasing_from_a_shell(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    key = damage(lake, 1)
    assert run().success
    close_connections()
    assert main(["release", MODEL, "raw/shopify/orders/no.parquet"]) == 1
    assert (
        "error: raw/shopify/orders/no.parquet is not in the quarantine of int_shopify__orders"
        in capsys.readouterr().err
    )
    assert main(["release", MODEL, key]) == 0
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"1 file released: the next run of {MODEL} reads it.",
        "No file is in quarantine.",
    ]


def test_a_release_of_a_file_that_is_not_in_quarantine_fails_the_run(lake: Lake) -> None:
    assert "raw/x.parquet is not in the quarantine" in error_of(run(release=["raw/x.parquet"]))


def test_files_that_all_fail_stay_unread_and_the_run_fails(lake: Lake) -> None:
    assert run().success
    keys = [damage(lake, 1), damage(lake, 2)]
    assert keys[0] in error_of(run())
    close_connections()
    assert lake.query("select count(*) from read_files.quarantined_files") == [(0,)]
    assert lake.query(IDS) == [(1,)]


@pytest.mark.nightly
def test_a_rebuild_passes_over_bad_files(lake: Lake) -> None:
    assert run().success
    key = damage(lake, 1)
    lake.land("shopify", "orders", "2026-01-05", 2, [order(2, NOON)])
    ran = run(rebuild=True)
    assert [one["file"] for one in put_aside(ran)] == [key]
    close_connections()
    assert lake.query(IDS) == [(1,), (2,)]


def test_a_test_that_rows_fail_without_any_file_s_fault_is_a_failed_check(lake: Lake) -> None:
    assert run().success
    close_connections()
    lake.query(f"insert into {MODEL} by name select 1 as id")
    ran = run()
    assert f"unique_{MODEL}_id has 1 row" in error_of(ran)
    assert checks(ran) == {f"unique_{MODEL}_id": False}


def once(action: Callable[[], None]) -> Callable[..., Any]:
    """In place of a model's listing of files, which its transaction waits for: acts the first time."""
    listed = stored_files
    done: list[bool] = []

    def listing(*arguments: Any) -> Any:
        if not done:
            done.append(True)
            action()
        return listed(*arguments)

    return listing


def write_elsewhere(lake: Lake, catalog: str) -> None:
    """As another run commits a build of the model."""
    with duckdb.connect() as connection:
        attach(connection, replace(lake.warehouse, catalog=catalog))
        connection.execute(f"update lake.runs.{MODEL} set runs = runs + 1")


def test_the_slower_of_two_writers_is_run_again(lake: Lake, catalog: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTUS_CATALOG", catalog)
    assert run().success
    lake.land("shopify", "orders", "2026-01-05", 1, [order(2, NOON)])
    monkeypatch.setattr("lotus_dagster.bookkeeping.stored_files", once(lambda: write_elsewhere(lake, catalog)))
    ran = run()
    assert ran.success
    assert put_aside(ran) == []
    lake.warehouse = replace(lake.warehouse, catalog=catalog)
    assert lake.query(IDS) == [(1,), (2,)]


def test_a_search_ends_where_another_run_writes_the_model_and_the_next_run_searches(
    lake: Lake, catalog: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOTUS_CATALOG", catalog)
    assert run().success
    bad = damage(lake, 1)
    lake.land("shopify", "orders", "2026-01-05", 2, [order(2, NOON)])
    call, searches = LotusDbt.call, 0

    def beside_another_run(dbt: LotusDbt, arguments: Sequence[str], variables: Mapping[str, str]) -> Outcome:
        nonlocal searches
        if not variables["LOTUS_FILES"]:
            return call(dbt, arguments, variables)
        searches += 1
        with monkeypatch.context() as patched:
            patched.setattr("lotus_dagster.bookkeeping.stored_files", once(lambda: write_elsewhere(lake, catalog)))
            return call(dbt, arguments, variables)

    with monkeypatch.context() as patched:
        patched.setattr(LotusDbt, "call", beside_another_run)
        assert bad in error_of(run())
    assert searches == 1
    assert [one["file"] for one in put_aside(run())] == [bad]
    lake.warehouse = replace(lake.warehouse, catalog=catalog)
    assert lake.query(IDS) == [(1,), (2,)]


def test_a_cancelled_run_leaves_the_table_as_it_was_and_dbt_usable(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run().success
    lake.land("shopify", "orders", "2026-01-05", 1, [order(2, NOON)])
    dbt = dbt_of(DBT_PROJECT)
    command = ["run", "--quiet", "--select", MODEL]

    cancelled, cancel_command = Event(), dbt_command._cancel

    def cancel() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        # The signal reaches another thread, which may be late.
        assert cancelled.wait(60)

    def cancel_and_go_on() -> None:
        cancel_command()
        cancelled.set()

    monkeypatch.setattr(dbt_command, "_cancel", cancel_and_go_on)
    monkeypatch.setattr("lotus_dagster.bookkeeping.stored_files", once(cancel))
    with pytest.raises(KeyboardInterrupt):
        dbt.call(command, {})
    close_connections()
    assert lake.query(IDS) == [(1,)]
    assert dbt.call(command, {}).failures == ()
    close_connections()
    assert lake.query(IDS) == [(1,), (2,)]


@contextmanager
def held(file: str) -> Iterator[None]:
    """As another process holds a catalog in a file."""
    program = "import duckdb, sys; kept = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.communicate()


def test_a_catalog_that_is_away_in_a_search_puts_no_file_aside(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ducklake, "LONGEST_WAIT_SECONDS", 0.0)
    bad = damage(lake, 1)
    lake.land("shopify", "orders", "2026-01-05", 2, [order(2, NOON)])
    call = LotusDbt.call

    def away(dbt: LotusDbt, arguments: Sequence[str], variables: Mapping[str, str]) -> Outcome:
        """While the batch has the second order."""
        batch = variables["LOTUS_FILES"]
        with held(lake.warehouse.catalog) if batch and "part_2." in Path(batch).read_text() else nullcontext():
            return call(dbt, arguments, variables)

    with monkeypatch.context() as patched:
        patched.setattr(LotusDbt, "call", away)
        assert bad in error_of(run())
    close_connections()
    assert lake.query("select count(*) from read_files.quarantined_files") == [(0,)]
    assert [one["file"] for one in put_aside(run())] == [bad]
    close_connections()
    assert lake.query(IDS) == [(1,), (2,)]


def test_files_in_quarantine_of_a_second_model_are_shown_and_released(lake: Lake) -> None:
    lake.land("shopify", "orders", "2026-01-05", 1, [order(2, NOON)])
    assert run().success
    first, second = stored_files(str(lake.landing), ORDERS.prefix)
    keys = [ORDERS.prefix + one.key for one in (first, second)]
    close_connections()
    with duckdb.connect() as connection:
        attach(connection, lake.warehouse)
        for one, key in zip((first, second), keys, strict=True):
            quarantine(connection, "int_shopify__order_lines", StoredFile(key, one.etag, one.size, BEFORE), "too long")
        quarantine(connection, MODEL, StoredFile("raw/shopify/refunds/x.parquet", "e", 1, BEFORE), "another stream's")
    assert [(one["file"], one["reason"]) for one in put_aside(run())] == [(key, "too long") for key in keys]
    assert [one["file"] for one in put_aside(run(release=keys[:1]))] == keys[1:]
    assert put_aside(run(release=["*"])) == []
