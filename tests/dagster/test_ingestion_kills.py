"""A run of dlt that is killed at every point at which the landing zone changes, and the run after it.

A run's folder on this machine goes with its pod. What others see of a run are its requests to S3, or its changes in a
landing folder: it is killed before and after each of them, in a process of its own that shares nothing with the next.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pendulum
import pytest

from tests.dagster.airbyte import s3_in_process, s3_on_disk
from tests.dagster.erp import SMALL_FILES, Erp, variables
from tests.dagster.kills import run_until
from tests.soak.servers import BUCKET
from tests.support.rest_api import RestApi, serving
from toolchain import s3_server

nightly = pytest.mark.nightly


@pytest.fixture(
    params=["moto", pytest.param("versitygw", marks=nightly), pytest.param("folder", marks=nightly)],
)
def erp(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Erp]]:
    """Makes lakes with an ERP of their own; each file of theirs has two rows."""
    if request.param == "versitygw" and not s3_server.is_there():
        pytest.skip("there is no S3 server on this machine")
    servers: dict[str, Callable[[], Any]] = {"moto": s3_in_process, "versitygw": lambda: s3_on_disk(tmp_path / "s3")}
    apis: list[Any] = []

    def made(name: str) -> Erp:
        served = serving(RestApi())
        apis.append(served)
        api = served.__enter__()
        for number in range(1, 6):
            api.put("orders", number, total=number * 10)
            api.put("customers", number, name=f"Ada {number}")
        root = tmp_path / name
        (root / "landing").mkdir(parents=True)
        place = f"s3://{BUCKET}/{name}" if request.param in servers else str(root / "landing")
        return Erp(root, api, place)

    with variables(**SMALL_FILES):
        if request.param in servers:
            with servers[request.param]():
                yield made
        else:
            yield made
    for one in apis:
        one.__exit__(None, None, None)


def every_point(
    erp: Callable[[str], Erp], stream: str, prepare: Callable[[Erp], None], first: int = 1
) -> Iterator[Erp]:
    """A lake for each point of a run, in which a run was killed at that point; ends at the run's own end."""
    for point in range(first, 200):
        one = erp(f"point-{point}")
        prepare(one)
        if run_until(one, stream, point):
            assert point > 5
            return
        yield one
    pytest.fail("the run has no end")


@nightly
def test_a_first_run_that_is_killed_anywhere_loses_nothing_and_doubles_nothing(erp: Callable[[str], Erp]) -> None:
    for one in every_point(erp, "orders", lambda _: None):
        before = one.keys()
        one.land()
        assert one.contents() == one.expected()
        assert {key: one.keys()[key] for key in before} == before
        assert one.land().rows == 0


def test_a_later_run_that_is_killed_anywhere_loses_nothing_and_doubles_nothing(erp: Callable[[str], Erp]) -> None:
    def prepare(one: Erp) -> None:
        one.land()
        for number in (2, 6, 7):
            one.api.put("orders", number, total=number * 100)

    for one in every_point(erp, "orders", prepare):
        before, first = one.keys(), [(number, number * 10.0) for number in range(1, 6)]
        one.api.put("orders", 9, total=900)
        one.land()
        landed = sorted((row[0], row[2]) for row in one.contents())
        assert landed == sorted([*first, *((number, number * 100.0) for number in (2, 6, 7, 9))])
        assert {key: one.keys()[key] for key in before} == before


@nightly
def test_a_backfill_that_is_killed_anywhere_reads_the_stream_once_more_and_once_only(
    erp: Callable[[str], Erp],
) -> None:
    def prepare(one: Erp) -> None:
        one.land()
        one.edit("orders", backfill="again")

    for one in every_point(erp, "orders", prepare):
        one.land()
        one.land()
        assert one.contents() == sorted(one.expected() * 2)
        assert sorted(row["_airbyte_generation_id"] for row in one.rows()) == [0] * 5 + [1] * 5


def test_an_overwrite_that_is_killed_anywhere_ends_with_the_rows_of_the_last_run(erp: Callable[[str], Erp]) -> None:
    def prepare(one: Erp) -> None:
        one.land("customers")
        one.api.delete("customers", 1)
        one.api.put("customers", 2, name="Grace")

    for one in every_point(erp, "customers", prepare):
        assert one.contents("customers"), "the rows of before went before the new ones had landed"
        one.land("customers")
        assert one.contents("customers") == one.expected("customers")


def test_a_run_that_is_finished_on_a_later_day_lands_under_the_keys_of_the_first(
    erp: Callable[[str], Erp], monkeypatch: pytest.MonkeyPatch
) -> None:
    tomorrow = pendulum.now("UTC").add(days=1)
    for one in every_point(erp, "orders", lambda _: None, first=8):
        before = one.keys()
        if not before:
            continue
        # The clock of everything that dlt reads it with.
        monkeypatch.setattr("time.time", tomorrow.timestamp)
        monkeypatch.setattr("pendulum.now", lambda *_, **__: tomorrow)
        try:
            one.land()
        finally:
            monkeypatch.undo()
        assert one.contents() == one.expected()
        keys = one.keys()
        assert len(keys) > len(before)
        assert len({key.rpartition("/")[0] for key in keys}) == 1
        return
    pytest.fail("no run was killed between two files")
