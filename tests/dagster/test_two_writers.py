"""Runs of the same models at once, on a catalog in Postgres: no row is lost, none is there twice."""

import os
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.dagster.lake import Lake, order, refund

MOST_TRIES = 20
IDS_A_ROUND = 50
SELECT = ("tag:shopify__orders", "tag:shopify__order_refunds", "fct_sales")


def ran(root: Path, catalog: str, select: Sequence[str], pause: float) -> list[str]:
    """Runs dbt in this process until it succeeds, as Dagster's retries do; returns the errors of the runs before."""
    lake = Lake(root, catalog=catalog)
    lake.target = root / f"target-{os.getpid()}"
    failures: list[str] = []
    time.sleep(pause)
    while len(failures) < MOST_TRIES:
        try:
            lake.dbt("run", "--select", *select)
        except AssertionError as error:
            failures.append(str(error))
        else:
            break
    return failures


@pytest.fixture(scope="module")
def writers() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        yield pool


def at_once(
    writers: ProcessPoolExecutor, lake: Lake, number: int, select: Sequence[str], chance: random.Random
) -> list[str]:
    """Starts runs within half a second; returns the errors of those that were run again."""
    root = lake.landing.parent
    started: list[Future[list[str]]] = [
        writers.submit(ran, root, lake.warehouse.catalog, select, chance.choice([0, chance.random() / 2]))
        for _ in range(number)
    ]
    failures = [one.result() for one in started]
    assert all(len(one) < MOST_TRIES for one in failures), failures
    return [message for one in failures for message in one]


def rounds(tmp_path: Path, catalog: str, writers: ProcessPoolExecutor, number: int, how_many: int) -> None:
    lake = Lake(tmp_path, catalog=catalog)
    chance = random.Random(number)  # noqa: S311, the same times in each run of the test
    for place in range(how_many):
        ids = range(place * IDS_A_ROUND, (place + 1) * IDS_A_ROUND)
        # Half of them in a file of the second day, every tenth a version of an order that is there already.
        rows = [order(one, f"2026-01-05T10:{place:02}:00Z") for one in ids]
        rows += [order(one, f"2026-01-05T11:{place:02}:00Z", financial_status="refunded") for one in range(0, place * 10, 10)]
        lake.land("shopify", "orders", "2026-01-05", place, rows[::2])
        lake.land("shopify", "orders", "2026-01-06", place, rows[1::2])
        lake.land("shopify", "order_refunds", "2026-01-06", place, [refund(place, place, "2026-01-06T10:00:00Z", 1.0)])
        failures = at_once(writers, lake, number, SELECT, chance)
        assert place == 0 or all("conflict" in one for one in failures), failures
        count = (place + 1) * IDS_A_ROUND
        found = lake.queries(
            "select count(*), count(distinct id) from int_shopify__orders",
            "select count(*), count(distinct order_id) from fct_sales",
            "select count(*), count(distinct file) from lake.read_files.int_shopify__orders",
            "select count(*), count(distinct file) from lake.read_files.int_shopify__order_refunds",
        )
        assert found == [[(size, size)] for size in (count, count, 2 * (place + 1), place + 1)]


def test_two_runs_at_once_leave_each_row_once(tmp_path: Path, catalog: str, writers: ProcessPoolExecutor) -> None:
    rounds(tmp_path, catalog, writers, 2, 3)


@pytest.mark.nightly
@pytest.mark.parametrize("number", [2, 4])
def test_twenty_rounds_of_runs_at_once_leave_each_row_once(
    tmp_path: Path, catalog: str, writers: ProcessPoolExecutor, number: int
) -> None:
    rounds(tmp_path, catalog, writers, number, 20)
