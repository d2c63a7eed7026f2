"""Files that are overwritten, removed, expired, bad or put aside, in a folder and in a table that a real dbt builds."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from lotus_dagster import bookkeeping
from lotus_dagster.arrivals.landing import stored_files
from lotus_dagster.arrivals.partitions import StoredObject
from lotus_dagster.arrivals.reading import StoredFile
from lotus_dagster.bookkeeping import ALL, quarantine, quarantined, release, unread_files, write_batch
from lotus_dagster.definitions import DBT_PROJECT
from lotus_dagster.environment import EXPIRE_RAW_DAYS, FILES

from lotus_infra.clients.ducklake import attach
from lotus_infra.errors import LotusError
from tests.dagster.lake import Lake, order

MODEL = "int_shopify__orders"
PREFIX = "raw/shopify/orders/"
DAY = "2026-01-05"
UPDATED = f"{DAY}T10:00:00Z"
PRODUCT = {"id": 1, "make": "A", "model": "B", "year": 2020, "price": 1.0, "created_at": UPDATED, "updated_at": UPDATED}
OLD_START = 'on-run-start: "create schema if not exists {{ target.database }}.read_files"'
OLD_HOOKS = re.compile(r"(\+post-hook):\n.*\n\s+- (.*remember_files_read.*)\n.*audit.*")
BOOKS = f"select file, etag, size from lake.read_files.{MODEL} order by file"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def land(lake: Lake, part: int, *ids: int, day: str = DAY, extracted_at: str = "", **fields: object) -> Path:
    at = extracted_at or f"{day}T12:00:00Z"
    return lake.land("shopify", "orders", day, part, [order(one, UPDATED, **fields) for one in ids], extracted_at=at)


def build(lake: Lake, *arguments: str, units: tuple[str, ...] = ()) -> None:
    lake.dbt("run", "--select", MODEL, *arguments, partitions=units)


def ids(lake: Lake) -> list[int]:
    return [number for (number,) in lake.query(f"select id from {MODEL} order by id")]


@contextmanager
def connected(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        attach(connection, lake.warehouse)
        yield connection


def unread(lake: Lake, *units: str) -> tuple[StoredFile, ...]:
    with connected(lake) as connection:
        return unread_files(connection, lake.warehouse.landing, MODEL, PREFIX, units)


def aged(file: Path, days: int) -> None:
    """As a file that was written so many days ago."""
    at = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(file, (at, at))


def test_a_file_that_is_overwritten_before_another_lands_is_read_again(lake: Lake) -> None:
    land(lake, 0, 1, 2)
    build(lake)
    land(lake, 0, 1, 3, financial_status="refunded")
    land(lake, 1, 4)
    build(lake, units=(DAY,))
    assert lake.query(f"select id, financial_status from {MODEL} order by id") == [
        (1, "refunded"),
        (3, "refunded"),
        (4, "paid"),
    ]
    assert [file[-14:] for file, *_ in lake.query(BOOKS)] == ["part_0.parquet", "part_1.parquet"]


def test_rows_of_a_removed_file_are_gone_with_the_next_run_that_looks_there(lake: Lake) -> None:
    first, _ = land(lake, 0, 1), land(lake, 0, 2, day="2026-01-06")
    build(lake)
    first.unlink()
    build(lake, units=("2026-01-06",))
    assert ids(lake) == [1, 2]
    build(lake, units=(DAY,))
    assert ids(lake) == [2]


def test_a_run_on_another_landing_zone_does_not_empty_the_model(lake: Lake) -> None:
    file = land(lake, 0, 1)
    build(lake)
    file.unlink()
    with pytest.raises(AssertionError, match="refused: the landing zone has none of the 1 files"):
        build(lake)
    assert ids(lake) == [1]


def test_a_table_of_names_adopts_identities_without_reading_again(lake: Lake) -> None:
    """As the version before left it: its rows are marked, so that a second reading shows."""
    land(lake, 0, 1)
    build(lake)
    with connected(lake) as connection:
        for column in ("etag", "size", "modified", "read_at"):
            connection.execute(f"alter table lake.read_files.{MODEL} drop column {column}")
        connection.execute(f"update lake.main.{MODEL} set financial_status = 'as it was'")
    land(lake, 1, 2)
    build(lake)
    assert lake.query(f"select id, financial_status from {MODEL} order by id") == [(1, "as it was"), (2, "paid")]
    assert all(etag and size for _, etag, size in lake.query(BOOKS))
    land(lake, 0, 3)
    build(lake)
    assert ids(lake) == [2, 3]


def test_a_file_of_a_table_of_names_that_was_overwritten_since_is_read_again(lake: Lake) -> None:
    land(lake, 0, 1)
    land(lake, 1, 2)
    build(lake)
    with connected(lake) as connection:
        for column in ("etag", "size", "modified", "read_at"):
            connection.execute(f"alter table lake.read_files.{MODEL} drop column {column}")
    land(lake, 0, 3)
    build(lake, units=("2026-01",))
    assert ids(lake) == [2, 3]
    assert all(etag and size for _, etag, size in lake.query(BOOKS))


def test_models_are_built_with_the_hooks_of_the_version_before_except_those_with_deletions(lake: Lake) -> None:
    """A dbt_project.yml that somebody has kept."""
    lake.project = Path(
        shutil.copytree(DBT_PROJECT, lake.landing.parent / "dbt", ignore=shutil.ignore_patterns("target"))
    )
    settings = lake.project / "dbt_project.yml"
    settings.write_text(OLD_HOOKS.sub(r"\1: \2", settings.read_text()) + OLD_START)
    lake.land("faker", "products", DAY, 0, [PRODUCT])
    lake.dbt("run", "--select", "int_faker__products")
    lake.dbt("run", "--select", "int_faker__products")
    assert lake.query("select id from int_faker__products") == [(1,)]
    land(lake, 0, 1)
    with pytest.raises(
        AssertionError, match=r"lacks the hook .*write '\{\{ set_deletions_apart\(\) \}\}' as the first"
    ):
        build(lake)


@pytest.mark.nightly
def test_rows_of_expired_files_stay_when_others_are_overwritten(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    today = datetime.now(UTC).isoformat()
    old, young = land(lake, 0, 1, 2, day="2025-11-01"), land(lake, 0, 2, 3, extracted_at=today)
    aged(old, 40)
    build(lake)
    old.unlink()
    monkeypatch.setenv(EXPIRE_RAW_DAYS, "31")
    build(lake)
    assert ids(lake) == [1, 2, 3]
    land(lake, 0, 2, extracted_at=today)
    build(lake)
    assert ids(lake) == [1, 2]
    assert len(lake.query(BOOKS)) == 2
    with pytest.raises(AssertionError, match="refused: 1 files that were read have expired"):
        build(lake, "--full-refresh")
    assert ids(lake) == [1, 2]
    monkeypatch.setenv(EXPIRE_RAW_DAYS, "")
    build(lake, "--full-refresh")
    assert (ids(lake), len(lake.query(BOOKS)), young.exists()) == ([2], 1, True)


def test_a_file_put_aside_is_passed_over_released_and_tried_again_when_it_is_overwritten(lake: Lake) -> None:
    good = land(lake, 0, 1).relative_to(lake.landing)
    build(lake)
    land(lake, 1, 2).write_bytes(b"")
    with pytest.raises(AssertionError, match=r"part_1[.]parquet"):
        build(lake)
    (empty,) = unread(lake, DAY)
    with connected(lake) as connection:
        quarantine(connection, MODEL, empty, "too small to be Parquet")
        assert quarantined(connection)[0][:5] == (*(MODEL, empty.file, empty.etag, 0), "too small to be Parquet")
    build(lake)
    assert (ids(lake), unread(lake)) == ([1], ())
    with connected(lake) as connection:
        assert release(connection, "int_shopify__customers", [ALL]) == 0
        with pytest.raises(LotusError, match=f"{good} is not in the quarantine of {MODEL}"):
            release(connection, MODEL, [empty.file, good.as_posix()])
        assert release(connection, MODEL, [empty.file]) == 1
    assert unread(lake) == (empty,)
    with connected(lake) as connection:
        quarantine(connection, MODEL, empty, "again")
    land(lake, 1, 2)
    build(lake)
    assert ids(lake) == [1, 2]
    with connected(lake) as connection:
        assert quarantined(connection) == ()


@pytest.mark.nightly
def test_rows_of_a_file_whose_present_version_is_put_aside_are_gone(lake: Lake) -> None:
    land(lake, 0, 1)
    file = land(lake, 1, 2)
    build(lake)
    file.write_bytes(b"bad")
    (bad,) = unread(lake)
    with connected(lake) as connection:
        quarantine(connection, MODEL, bad, "bad")
    land(lake, 2, 3)
    build(lake)
    assert ids(lake) == [1, 3]


@pytest.mark.nightly
def test_a_batch_limits_what_is_read(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    land(lake, 0, 1)
    monkeypatch.setenv(FILES, str(tmp_path / "batch.json"))
    for batch in (slice(0, 0), slice(0, 1)):
        write_batch(tmp_path / "batch.json", unread(lake)[batch])
        build(lake)
        assert ids(lake) == [1][batch]
    land(lake, 1, 2)
    land(lake, 2, 3)
    write_batch(tmp_path / "batch.json", unread(lake)[1:])
    build(lake, "--full-refresh")
    assert ids(lake) == [1, 3]


def test_a_batch_that_can_t_be_read_is_one_error(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    land(lake, 0, 1)
    monkeypatch.setenv(FILES, str(tmp_path / "none.json"))
    with pytest.raises(AssertionError, match=r"refused: LOTUS_FILES names .*none.json, which can"):
        build(lake)


def test_quarantine_of_a_lake_without_tables_is_empty(lake: Lake) -> None:
    with connected(lake) as connection:
        assert quarantined(connection) == ()
        assert release(connection, MODEL, [ALL]) == 0


@pytest.mark.nightly
def test_a_run_that_another_one_overtakes_changes_nothing_and_is_run_again(
    tmp_path: Path, catalog: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path, catalog=catalog)
    land(lake, 0, 1)
    build(lake)
    land(lake, 1, 2)

    def overtaken(*asked: Any) -> Iterator[StoredObject]:
        """The listing, while another run commits."""
        with connected(lake) as connection:
            connection.execute(f"update lake.runs.{MODEL} set runs = runs + 1")
        return stored_files(*asked)

    with monkeypatch.context() as patched:
        patched.setattr(bookkeeping, "stored_files", overtaken)
        with pytest.raises(AssertionError, match="Transaction conflict"):
            build(lake)
    assert (ids(lake), len(lake.query(BOOKS))) == ([1], 1)
    build(lake)
    assert (ids(lake), len(lake.query(BOOKS))) == ([1, 2], 2)


def test_rows_that_fail_a_test_never_reach_the_table(lake: Lake) -> None:
    land(lake, 0, 1)
    lake.dbt("build", "--select", MODEL)
    before = lake.query(BOOKS)
    land(lake, 1, 2)
    lake.land("shopify", "orders", DAY, 2, [order(3, UPDATED, id=None)])
    with pytest.raises(AssertionError, match=f"audit of {MODEL} failed: not_null_{MODEL}_id has 1 rows"):
        build(lake)
    with pytest.raises(AssertionError, match=f"audit of {MODEL} failed"):
        build(lake, "--full-refresh")
    assert (ids(lake), lake.query(BOOKS)) == ([1], before)


def test_rows_that_fail_a_test_never_reach_a_mart(lake: Lake) -> None:
    for stream in ("users", "purchases", "products"):
        row = {"id": 1, "user_id": None if stream == "purchases" else 1, "product_id": 1, "created_at": UPDATED}
        lake.land("faker", stream, DAY, 0, [row | {"updated_at": UPDATED}])
    with pytest.raises(
        AssertionError, match="audit of fct_purchases failed: not_null_fct_purchases_user_id has 1 rows"
    ):
        lake.dbt("run", "--select", "tag:faker__users", "tag:faker__purchases", "tag:faker__products", "fct_purchases")
    assert lake.query("select count(*) from duckdb_tables() where table_name like 'fct_purchases%'") == [(0,)]
