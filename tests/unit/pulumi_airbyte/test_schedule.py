"""Schedules, as the server reads and writes them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi_airbyte.arguments import ConnectionScheduleArgs
from pulumi_airbyte.client.config_connections import ConfigConnection
from pulumi_airbyte.provider.schedule import (
    canonical_schedule,
    config_request,
    schedule_failures,
    takes_config_api,
)

HOURLY = "0 0 * * * ?"
UNITS = ("minutes", "hours", "days", "weeks", "months")
SPACES = st.sampled_from([" ", "  ", "\t"])


def cron(expression: str, **zone: str) -> dict[str, Any]:
    return {"scheduleType": "cron", "cronExpression": expression, **zone}


def basic(timing: str) -> dict[str, Any]:
    return {"scheduleType": "basic", "basicTiming": timing}


@pytest.mark.parametrize("read", ["0 0 * * * ? UTC", "0  0 * * * ?", " 0 0 * * * ? ", "0 0 * * * ? utc"])
def test_what_the_server_reads_back_is_what_was_sent(read: str) -> None:
    assert canonical_schedule(cron(read)) == cron(HOURLY)


def test_a_zone_is_the_same_behind_the_expression_and_beside_it() -> None:
    beside = cron(HOURLY, cronTimeZone="America/New_York")
    assert canonical_schedule(cron(f"{HOURLY} America/New_York")) == canonical_schedule(beside) == beside
    assert canonical_schedule(cron(f"{HOURLY} America/Toronto")) != beside
    assert canonical_schedule(cron(HOURLY, cronTimeZone="UTC")) == cron(HOURLY)


@pytest.mark.parametrize("written", ["every 1 hour", "Every 1 HOURS", "1 hours", " 01 Hour "])
def test_an_interval_is_the_same_in_any_case_and_number(written: str) -> None:
    assert canonical_schedule(basic(written)) == basic("Every 1 HOURS")


@given(st.integers(1, 99), st.sampled_from(UNITS), SPACES)
def test_an_interval_comes_back_from_the_config_api_as_it_was(units: int, unit: Any, space: str) -> None:
    wanted = canonical_schedule(basic(f"{units}{space}{unit}"))
    written: Any = ConnectionScheduleArgs("basic", units=units, time_unit=unit).to_wire()
    assert wanted == canonical_schedule({**written})
    assert came_back(wanted) == wanted


@given(st.lists(SPACES, min_size=5, max_size=5), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]))
def test_a_zoned_expression_comes_back_from_the_config_api_as_it_was(spaces: list[str], zone: str) -> None:
    expression = "".join(part for pair in zip(HOURLY.split(), [*spaces, ""], strict=True) for part in pair)
    wanted = canonical_schedule(cron(expression, cronTimeZone=zone))
    assert came_back(wanted) == wanted
    assert bool(takes_config_api(wanted)) == (zone != "UTC")


def came_back(wanted: Any) -> Any:
    found = ConfigConnection.model_validate({"connectionId": "c", **config_request(wanted)})
    return canonical_schedule(found.schedule.model_dump(by_alias=True))


@pytest.mark.parametrize("sound", [HOURLY, "0 0,20,40 * * * ? UTC", "0 15 10 ? * MON-FRI 2027", f"{HOURLY} CET"])
def test_a_sound_expression_has_no_problem(sound: str) -> None:
    assert schedule_failures({**cron(sound)}) == []


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("0 * * * *", "has 5 parts instead of 6 or 7"),
        ("* 0 * * * ?", "seconds must be a number"),
        ("0 * 10 * * ? 2027", "minutes must be a number"),
        ("0 0 25 * * ? Europe/Berlin", '"25" is no hour: write 0 to 23'),
        ("", "has 0 parts"),
    ],
)
def test_a_broken_expression_is_refused_with_a_reason(broken: str, reason: str) -> None:
    [failure] = schedule_failures({**cron(broken)})
    assert failure.path == "schedule.cronExpression"
    assert reason in failure.reason


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        ("Etc/GMT+1", "is refused by Airbyte"),
        ("europe/berlin", 'did you mean "Europe/Berlin"?'),
        ("Mars/Base", "there is no time zone"),
    ],
)
def test_a_zone_is_one_that_the_server_knows(zone: str, reason: str) -> None:
    [failure] = schedule_failures({**cron(HOURLY, cronTimeZone=zone)})
    assert failure.path == "schedule.cronTimeZone"
    assert reason in failure.reason


@pytest.mark.parametrize(
    ("schedule", "path"),
    [
        (basic("hourly"), "schedule.basicTiming"),
        (basic("0 hours"), "schedule.basicTiming"),
        ({"scheduleType": "basic"}, "schedule.basicTiming"),
        (basic("1 hours") | {"cronTimeZone": "UTC"}, "schedule.cronTimeZone"),
        (cron(f"{HOURLY} CET", cronTimeZone="UTC"), "schedule.cronExpression"),
        (cron(HOURLY, cronTimeZone="Mars/Base"), "schedule.cronTimeZone"),
    ],
    ids=str,
)
def test_a_schedule_that_can_not_be_meant_is_refused(schedule: Any, path: str) -> None:
    assert [failure.path for failure in schedule_failures(schedule)] == [path]


def test_half_an_interval_is_no_schedule() -> None:
    with pytest.raises(ValueError, match="go together"):
        ConnectionScheduleArgs("basic", units=1).to_wire()
