"""Schedules in Dagster's words, against Dagster's own clock and the twin's Quartz: both must run at the same times."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from airbyte_twin.cron import next_cron
from dagster._utils.schedules import is_valid_cron_schedule, schedule_execution_time_iterator
from hypothesis import assume, given
from hypothesis import strategies as st

from lotus_infra.lake.dagster_schedule import Cron, UnscheduledError, cron_of
from lotus_infra.lake.models import Schedule

START = datetime(2026, 1, 1, tzinfo=UTC)


def quartz_times(expression: str, zone: str, count: int) -> list[datetime]:
    found: list[datetime] = []
    after = START - timedelta(seconds=1)
    while len(found) < count and (following := next_cron(expression, after, ZoneInfo(zone))) is not None:
        found.append(following)
        after = following
    return found


def dagster_times(cron: Cron, count: int) -> list[datetime]:
    times = schedule_execution_time_iterator(START.timestamp(), cron.expression, cron.time_zone)
    return [next(times).astimezone(UTC) for _ in range(count)]


def same_times(expression: str, zone: str = "UTC", count: int = 6) -> str:
    cron = cron_of(Schedule(type="cron", cron=expression, time_zone=zone))
    assert cron is not None
    assert is_valid_cron_schedule(cron.expression)
    assert dagster_times(cron, count) == quartz_times(expression, zone, count)
    return cron.expression


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 * * * ?", "0 * * * *"),
        ("0 */15 * * * ?", "*/15 * * * *"),
        ("0 /20 * * * ?", "*/20 * * * *"),
        ("0 5/15 * * * ?", "5,20,35,50 * * * *"),
        ("0 30 22-2 * * ?", "30 0-2,22-23 * * *"),
        ("0 0 6 ? * MON-FRI", "0 6 * * 1-5"),
        ("0 0 6 ? * FRI-MON", "0 6 * * 0-1,5-6"),
        ("0 0 6 ? * 1", "0 6 * * 0"),
        ("0 0 6 ? * L", "0 6 * * 6"),
        ("0 0 6 ? * 6L", "0 6 * * L5"),
        ("0 0 6 ? * FRIL", "0 6 * * L5"),
        ("0 0 6 ? * MON#2", "0 6 * * 1#2"),
        ("0 0 6 L * ?", "0 6 L * *"),
        ("0 0 6 1,15 jan-MAR ?", "0 6 1,15 1-3 *"),
        ("0 0 6 29 2 ?", "0 6 29 2 *"),
        ("0 0 6 * * ? *", "0 6 * * *"),
    ],
)
def test_a_quartz_expression_runs_in_dagster_at_the_same_times(expression: str, expected: str) -> None:
    assert same_times(expression, count=2 if " 29 2 " in expression else 6) == expected


def test_a_schedule_keeps_its_zone() -> None:
    same_times("0 30 6 * * ?", "Europe/Berlin", count=120)
    assert cron_of(Schedule(type="cron", cron="0 0 6 * * ?")) == Cron("0 6 * * *", "UTC")


def part(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    step = st.integers(1, min(high, high - low + 1))
    item = st.one_of(
        number.map(str),
        st.tuples(number, number).map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.tuples(number, step).map(lambda pair: f"{pair[0]}/{pair[1]}"),
        st.tuples(number, number, step).map(lambda three: f"{three[0]}-{three[1]}/{three[2]}"),
        step.map(lambda each: f"*/{each}"),
    )
    return st.one_of(st.just("*"), st.lists(item, min_size=1, max_size=3).map(",".join))


WEEK_DAYS = st.one_of(
    part(1, 7),
    st.integers(1, 7).map(lambda day: f"{day}L"),
    st.tuples(st.integers(1, 7), st.integers(1, 4)).map(lambda two: f"{two[0]}#{two[1]}"),
)


@given(
    minutes=part(0, 59),
    hours=part(0, 23),
    days=st.one_of(part(1, 31).map(lambda text: (text, "?")), WEEK_DAYS.map(lambda text: ("?", text))),
    months=part(1, 12),
)
def test_every_expression_of_numbers_runs_at_the_same_times(
    minutes: str, hours: str, days: tuple[str, str], months: str
) -> None:
    expression = f"0 {minutes} {hours} {days[0]} {months} {days[1]}"
    try:
        same_times(expression, count=3)
    except UnscheduledError as error:
        assume(quartz_times(expression, "UTC", 1) != [])
        raise AssertionError(expression) from error


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("1 minutes", "* * * * *"),
        ("20 minutes", "*/20 * * * *"),
        ("60 minutes", "0 * * * *"),
        ("1 hours", "0 * * * *"),
        ("Every 6 HOURS", "0 */6 * * *"),
        ("24 hours", "0 0 * * *"),
        ("1 days", "0 0 * * *"),
    ],
)
def test_an_interval_that_divides_a_day_is_a_cron_expression(every: str, expected: str) -> None:
    cron = cron_of(Schedule(type="basic", every=every))
    assert cron == Cron(expected, "UTC")
    times = dagster_times(cron, 50)
    [gap] = {later - sooner for sooner, later in pairwise(times)}
    assert gap == timedelta(days=1) / round(timedelta(days=1) / gap)


@pytest.mark.parametrize("every", ["7 minutes", "45 minutes", "90 minutes", "5 hours", "2 days", "1 weeks", "1 months"])
def test_any_other_interval_is_refused_with_those_that_work(every: str) -> None:
    with pytest.raises(UnscheduledError, match="minutes that divide an hour") as found:
        cron_of(Schedule(type="basic", every=every))
    assert found.value.part == "every"


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("30 0 * * * ?", "whole ones"),
        ("0 0 6 * * ? 2026", "years"),
        ("0 0 6 LW * ?", "LW"),
        ("0 0 6 L-3 * ?", "L-3"),
        ("0 0 6 15W * ?", "15W"),
        ("0 0 6 1,L * ?", "1,L"),
        ("0 0 6 ? * MON#1,FRI#1", "MON#1,FRI#1"),
        ("0 0 6 31 4,6 ?", "none of its months"),
        ("0 0 6 30 2 ?", "none of its months"),
        ("0 0 * * *", "5 parts"),
        ("0 0 6 ? * MON#7", "MON#7"),
    ],
)
def test_an_expression_that_dagster_lacks_is_refused(expression: str, what: str) -> None:
    with pytest.raises(UnscheduledError) as found:
        cron_of(Schedule(type="cron", cron=expression))
    assert found.value.part == "cron"
    assert what in found.value.what


def test_a_manual_schedule_is_none() -> None:
    assert cron_of(Schedule(type="manual")) is None


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnscheduledError, match="no time zone"):
        cron_of(Schedule(type="cron", cron="0 0 6 * * ?", time_zone="Europe/Berlim"))
