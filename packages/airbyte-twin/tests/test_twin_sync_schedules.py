"""When schedules fire, and which syncs start when the clock is moved."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from airbyte_twin.cron import next_cron
from airbyte_twin.records import Schedule
from airbyte_twin.schedules import next_fire
from hypothesis import given, settings
from hypothesis import strategies as st
from landing_support import NEW_YEAR
from sync_support import nowhere
from twin_support import HOURLY, Api, serving

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def fires(expression: str, after: str, zone: ZoneInfo | None = None, times: int = 1) -> list[str]:
    """The next times at which an expression fires, as local times of its zone."""
    found, moment = [], datetime.fromisoformat(after).replace(tzinfo=zone or UTC)
    for _ in range(times):
        following = next_cron(expression, moment, zone or ZoneInfo("UTC"))
        if following is None:
            break
        moment = following
        found.append(moment.astimezone(zone or UTC).replace(tzinfo=None).isoformat(" ", "minutes"))
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 * * * ?", ["2026-01-31 13:00", "2026-01-31 14:00"]),
        ("0 */20 12-13 * * ?", ["2026-01-31 12:40", "2026-01-31 13:00"]),
        ("0 0 6 ? * MON-FRI", ["2026-02-02 06:00", "2026-02-03 06:00"]),
        ("0 0 6 ? * 2", ["2026-02-02 06:00", "2026-02-09 06:00"]),
        ("0 0 6 ? * SAT-SUN", ["2026-02-01 06:00", "2026-02-07 06:00"]),
        ("0 0 6 ? * L", ["2026-02-07 06:00", "2026-02-14 06:00"]),
        ("0 0 6 ? * 6L", ["2026-02-27 06:00", "2026-03-27 06:00"]),
        ("0 0 6 ? * FRI#5", ["2026-05-29 06:00", "2026-07-31 06:00"]),
        ("0 0 6 ? * 2#1,3#1", ["2026-02-02 06:00", "2026-02-03 06:00"]),
        ("0 0 6 L * ?", ["2026-02-28 06:00", "2026-03-31 06:00"]),
        ("0 0 6 L-3 * ?", ["2026-02-25 06:00", "2026-03-28 06:00"]),
        ("0 0 6 LW * ?", ["2026-02-27 06:00", "2026-03-31 06:00"]),
        ("0 0 6 15W * ?", ["2026-02-16 06:00", "2026-03-16 06:00"]),
        ("0 0 6 1W 8 ?", ["2026-08-03 06:00", "2027-08-02 06:00"]),
        ("0 0 6 31 * ?", ["2026-03-31 06:00", "2026-05-31 06:00"]),
        ("0 0 0 1 1 ? 2026-2028", ["2027-01-01 00:00", "2028-01-01 00:00"]),
        ("0 0 0 29 2 ?", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 0 30 2 ?", []),
        ("0 0 0 1 1 ? 2025", []),
    ],
)
def test_an_expression_fires_when_quartz_says(expression: str, expected: list[str]) -> None:
    assert fires(expression, "2026-01-31 12:30", times=2) == expected


def test_days_begin_in_the_zone_of_the_schedule() -> None:
    (found,) = fires("0 30 0 * * ?", "2026-01-31 23:45", BERLIN)
    assert found == "2026-02-01 00:30"
    assert next_cron("0 30 0 * * ?", datetime(2026, 1, 31, 22, 45, tzinfo=UTC), BERLIN) == datetime(
        2026, 1, 31, 23, 30, tzinfo=UTC
    )


def test_an_hour_that_is_skipped_fires_when_the_next_begins_and_one_that_comes_twice_fires_once() -> None:
    assert fires("0 30 2 * * ?", "2026-03-28 12:00", BERLIN, 2) == ["2026-03-29 03:30", "2026-03-30 02:30"]
    assert fires("0 30 2 * * ?", "2026-10-24 12:00", BERLIN, 2) == ["2026-10-25 02:30", "2026-10-26 02:30"]
    assert fires("0 0 * * * ?", "2026-03-29 00:30", BERLIN, 3) == [
        "2026-03-29 01:00",
        "2026-03-29 03:00",
        "2026-03-29 04:00",
    ]


expressions = st.builds(
    "{} {} {} ? {} {}".format,
    st.integers(0, 59),
    st.sampled_from(["0", "15,45", "*/7"]),
    st.sampled_from(["*", "3", "1-5", "22/1"]),
    st.sampled_from(["*", "2", "JAN,JUL"]),
    st.sampled_from(["*", "MON", "6L", "3#2", "SAT-MON"]),
)
moments = st.integers(1_577_836_800, 2_051_222_400).map(lambda second: datetime.fromtimestamp(second, UTC))


@settings(deadline=None, max_examples=50)
@given(expressions, moments, st.sampled_from([BERLIN, NEW_YORK, ZoneInfo("UTC")]))
def test_the_next_time_is_later_and_there_is_none_between(expression: str, after: datetime, zone: ZoneInfo) -> None:
    found = next_cron(expression, after, zone)
    assert found is not None
    assert found > after
    for earlier in (found - timedelta(seconds=1), after + (found - after) / 2):
        assert earlier < after or next_cron(expression, earlier, zone) == found


def test_a_basic_schedule_counts_from_the_last_start_and_is_due_at_once_without_one() -> None:
    hours = Schedule(kind="basic", time_unit="hours", units=6)
    assert next_fire(hours, 1000, None) == 1000
    assert next_fire(hours, 1000, 500) == 500 + 6 * 3600
    months = Schedule(kind="basic", time_unit="months", units=1)
    assert next_fire(months, 1000, 0) == 30 * 86400
    assert next_fire(Schedule(), 1000, None) is None


@pytest.fixture
def syncing() -> Iterator[Api]:
    """A twin that runs syncs, ten minutes past the hour."""
    with serving(run_syncs=True, first_records=3, later_records=3) as served:
        move(served, freeze=NEW_YEAR + 600)
        yield served


def move(api: Api, **order: Any) -> None:
    api.control("POST", "/clock", order, 200)
    api.twin.settle()


def jobs(api: Api, connection: Any) -> list[str]:
    """Statuses of a connection's jobs, oldest first."""
    return [each["status"] for each in api.get("/jobs", connectionId=connection["connectionId"])["data"]]


def scheduled(api: Api, **changes: Any) -> Any:
    return api.connection(destinationId=nowhere(api), schedule=HOURLY, **changes)


def test_a_connection_that_fell_due_however_often_gets_one_sync(syncing: Api) -> None:
    connection, manual = scheduled(syncing), syncing.connection(destinationId=nowhere(syncing))
    move(syncing, advance=3000 - 1)
    assert jobs(syncing, connection) == []
    move(syncing, advance=1)
    assert jobs(syncing, connection) == ["succeeded"]
    move(syncing, advance=5 * 3600)
    assert jobs(syncing, connection) == ["succeeded"] * 2
    move(syncing, freeze=NEW_YEAR + 100 * 3600)
    assert jobs(syncing, connection) == ["succeeded"] * 3
    move(syncing, freeze=NEW_YEAR)
    assert jobs(syncing, connection) == ["succeeded"] * 3
    assert jobs(syncing, manual) == []


def test_connections_that_are_not_active_do_not_sync(syncing: Api) -> None:
    connection = scheduled(syncing, status="inactive")
    move(syncing, advance=7200)
    assert jobs(syncing, connection) == []


def test_nothing_starts_while_a_job_is_under_way(syncing: Api) -> None:
    connection = scheduled(syncing)
    store = syncing.twin.store
    move(syncing, advance=3600)
    (job,) = store.jobs
    store.jobs.put(job.model_copy(update={"status": "incomplete"}))
    move(syncing, advance=7200)
    assert jobs(syncing, connection) == ["incomplete"]


def test_a_basic_schedule_fires_too(syncing: Api) -> None:
    connection = syncing.connection(destinationId=nowhere(syncing))
    basic = {"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 2}}}
    syncing.config("/connections/update", {"connectionId": connection["connectionId"], **basic})
    move(syncing, advance=1)
    assert jobs(syncing, connection) == ["succeeded"]
    move(syncing, advance=7199)
    assert len(jobs(syncing, connection)) == 1
    move(syncing, advance=1)
    assert len(jobs(syncing, connection)) == 2


def test_without_running_syncs_a_schedule_starts_nothing(api: Api) -> None:
    connection = scheduled(api)
    move(api, advance=7200)
    assert jobs(api, connection) == []
