"""What a model has to read although its run was asked to look elsewhere, and what it must not read."""

import shutil
from pathlib import Path

import duckdb
import pytest
from lotus_dagster.bookkeeping import ALL, quarantine, release, unread_files
from lotus_dagster.definitions import DBT_PROJECT

from lotus_infra.clients.ducklake import attach
from tests.dagster.lake import Lake, order

MODEL = "int_shopify__orders"
PREFIX = "raw/shopify/orders/"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with an order on each of two days."""
    made = Lake(tmp_path)
    for day in (5, 6):
        made.land("shopify", "orders", f"2026-01-0{day}", day, [order(day, f"2026-01-0{day}T10:00:00Z")])
    return made


def build(lake: Lake, *units: str) -> list[int]:
    lake.dbt("run", "--select", MODEL, partitions=units)
    return [number for (number,) in lake.query(f"select id from {MODEL} order by id")]


@pytest.mark.parametrize("drops", [False, True])
def test_a_model_that_has_read_nothing_looks_at_all_partitions(lake: Lake, *, drops: bool) -> None:
    """Its sensor has handed out the others to a table that was dropped, or to another model."""
    if drops:
        build(lake)
        lake.query(f"drop table {MODEL}")
    assert build(lake, "2026-01-06") == [5, 6]


def test_a_file_that_was_released_is_read_whatever_partitions_the_next_run_looks_at(lake: Lake) -> None:
    build(lake)
    lake.land("shopify", "orders", "2026-01-05", 7, [order(7, "2026-01-05T10:00:00Z")])
    with duckdb.connect() as connection:
        attach(connection, lake.warehouse)
        (file,) = unread_files(connection, lake.warehouse.landing, MODEL, PREFIX)
        quarantine(connection, MODEL, file, "bad")
    assert build(lake) == [5, 6]
    with duckdb.connect() as connection:
        attach(connection, lake.warehouse)
        assert release(connection, MODEL, [ALL]) == 1
    assert build(lake, "2026-01-06") == [5, 6, 7]


def test_a_model_of_two_streams_is_refused(tmp_path: Path) -> None:
    """Of both it would read the files of the last."""
    project = tmp_path / "dbt"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target"))
    columns = "id, _airbyte_raw_id, _airbyte_extracted_at, _airbyte_generation_id, updated_at"
    rows = " union all ".join(
        f"select {columns} from {{{{ arrivals('shopify', '{stream}') }}}}" for stream in ("orders", "customers")
    )
    (project / "models/core/shopify/int_shopify__both.sql").write_text(
        "{{ config(unique_key='id') }} with arrived as (" + rows + ") {{ latest('arrived', 'id', 'updated_at') }}"
    )
    with pytest.raises(AssertionError, match="int_shopify__both reads 2 streams: give each a model of its own"):
        Lake(tmp_path, project).dbt("run", "--select", "int_shopify__both")
