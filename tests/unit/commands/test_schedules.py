"""When a connection syncs next, by its schedule."""

from datetime import datetime

import pytest
from pulumi_airbyte.client.models import Schedule

from lotus_infra.commands.status import next_run

NOW = datetime.fromisoformat("2026-03-04T10:20:30+00:00")  # a Wednesday


@pytest.mark.parametrize(
    ("expression", "then"),
    [
        ("0 0 * * * ? UTC", "2026-03-04T11:00"),
        ("0 15/20 * * * ? UTC", "2026-03-04T10:35"),
        ("0 30 6 ? * MON-FRI Europe/Berlin", "2026-03-05T05:30"),
        ("0 0 12 ? * 1 UTC", "2026-03-08T12:00"),
        ("0 0 12 ? * 6#1 UTC", "2026-03-06T12:00"),
        ("0 0 12 ? * 7L UTC", "2026-03-28T12:00"),
        ("0 0 12 LW * ? UTC", "2026-03-31T12:00"),
        ("0 0 12 ? * 2/2 UTC", "2026-03-04T12:00"),
        ("0 0 12 15W * ? UTC", None),
        ("0 0 12 1 1 ? 2030 UTC", None),
        ("0 0 12 1 1 ? Mars/Olympus", None),
        ("", None),
    ],
)
def test_a_quartz_expression_fires_in_its_zone_or_is_not_known(expression: str, then: str | None) -> None:
    found = next_run(Schedule(schedule_type="cron", cron_expression=expression), None, NOW)
    assert found == (None if then is None else datetime.fromisoformat(f"{then}+00:00"))


def test_an_interval_counts_from_the_last_start() -> None:
    every = Schedule(schedule_type="basic", basic_timing="Every 2 HOURS")
    start = datetime.fromisoformat("2026-03-04T11:00:00+01:00")
    assert next_run(every, start, NOW) == datetime.fromisoformat("2026-03-04T12:00:00+00:00")
    assert next_run(every, None, NOW) is None
    assert next_run(Schedule(schedule_type="manual"), start, NOW) is None
