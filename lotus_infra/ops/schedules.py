"""When a connection syncs next, by what Airbyte says of its schedule."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pulumi_airbyte.client.models import Schedule

_EVERY = re.compile(r"every ([0-9]+) (minute|hour|day|week|month)s?", re.IGNORECASE)
_UNITS: Final = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
}
"""A month has 30 days (airbyte-platform, ScheduleHelpers)."""
_NUMBER_OF_DAY = re.compile(r"(?<![#/0-9])[1-7]")


def next_run(schedule: Schedule, last_start: datetime | None, now: datetime) -> datetime | None:
    """The time of the next sync.

    Args:
        schedule: As the public API shows it: a cron expression with its zone at the end, or `Every 1 HOURS`.
        last_start: When the last job started, from which an interval counts.
        now: The time, with a zone.

    Returns:
        The time in UTC, which has passed where a run is due; None where nobody but a person starts one, or the
        schedule can't be told.
    """
    if schedule.schedule_type == "cron":
        return _fires(schedule.cron_expression or "", now)
    every = _EVERY.fullmatch(schedule.basic_timing or "")
    if schedule.schedule_type != "basic" or every is None or last_start is None:
        return None
    return last_start.astimezone(UTC) + int(every[1]) * _UNITS[every[2].lower()]


def _fires(expression: str, now: datetime) -> datetime | None:
    """The first time after now; None for what the library can't tell: `15W`, `L-3`, and years."""
    *fields, zone = expression.split() or [""]
    try:
        day_of_week = _NUMBER_OF_DAY.sub(lambda found: str(int(found[0]) - 1), fields.pop())
        # Quartz writes ? for the day that is free, and counts the days of a week from 1.
        written = " ".join([*fields, day_of_week]).replace("?", "*")
        # Five fields would be taken for an expression without seconds, which Quartz does not have.
        return next(CronSim(written, now.astimezone(ZoneInfo(zone)))).astimezone(UTC) if len(fields) == 5 else None
    except (CronSimError, IndexError, StopIteration, ValueError, ZoneInfoNotFoundError):
        return None
