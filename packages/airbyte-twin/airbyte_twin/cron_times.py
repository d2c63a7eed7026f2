"""When a Quartz cron expression fires.

Knows expressions and the calendar. Must not know connections.
Source: Quartz CronExpression: what it does with `L`, `W` and `#`, and at changes of the clock: an hour that is skipped
fires when the next begins, an hour that comes twice fires the first time.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from airbyte_twin.cron import DAYS, FIELDS, parse_cron

LONGEST_GAP = timedelta(days=366 * 8 + 1)
"""Between two days that fall on February 29."""


def next_cron(expression: str, after: datetime, zone: ZoneInfo) -> datetime | None:
    """The first time after another one at which an expression fires.

    Args:
        expression: 6 or 7 fields, valid.
        after: With a zone.
        zone: In which the expression is meant.

    Returns:
        The time in UTC; None if it never fires again.

    Raises:
        CronError: The expression is not valid.
    """
    seconds, minutes, hours = (sorted(values) for values in parse_cron(expression)[:3])
    for day in _days(expression, after.astimezone(zone).date()):
        times = (time(hour, minute, second) for hour in hours for minute in minutes for second in seconds)
        found = (datetime.combine(day, each, zone).astimezone(UTC) for each in times)
        # A skipped hour moves its times past later ones: the day's first is looked for, not the first in order.
        later = [each for each in found if each > after]
        if later:
            return min(later)
    return None


def _days(expression: str, first: date) -> Iterator[date]:
    """Days on which an expression fires, from one on, as far as any can be away."""
    parts, values = expression.split(), parse_cron(expression)
    months, years = values[4], values[6] if len(values) == 7 else None
    day, last = first, first + LONGEST_GAP
    if years is not None:
        last = date(max(years), 12, 31)
        day = max(first, date(min(years), 1, 1))
    while day <= last:
        if day.month in months and (years is None or day.year in years) and _falls_on(parts[3], parts[5], day):
            yield day
        day += timedelta(days=1)


def _falls_on(month_days: str, week_days: str, day: date) -> bool:
    if month_days == "?":
        return any(_is_week_day(part.upper(), day) for part in week_days.split(","))
    return any(_is_month_day(part.upper(), day) for part in month_days.split(","))


def _is_month_day(part: str, day: date) -> bool:
    """`15`, `1-5`, `*/2`, `L` (the last), `L-3` (three before), `LW` (the last on a weekday), `15W` (nearest to it)."""
    last = monthrange(day.year, day.month)[1]
    if part == "L":
        return day.day == last
    if part.startswith("L-"):
        return day.day == last - int(part.removeprefix("L-"))
    if part == "LW":
        return day == _nearest_weekday(day.replace(day=last))
    if part.endswith("W"):
        wanted = int(part.removesuffix("W"))
        return wanted <= last and day == _nearest_weekday(day.replace(day=wanted))
    return day.day in FIELDS[3].values(part)


def _nearest_weekday(day: date) -> date:
    """The day itself, or the nearest from Monday to Friday within its month."""
    last = monthrange(day.year, day.month)[1]
    if day.weekday() == 5:
        return day + timedelta(days=2) if day.day == 1 else day - timedelta(days=1)
    if day.weekday() == 6:
        return day - timedelta(days=2) if day.day == last else day + timedelta(days=1)
    return day


def _is_week_day(part: str, day: date) -> bool:
    """`2` or `MON`, `MON-FRI`, `L` (Saturday), `6L` (the month's last Friday), `6#3` (its third)."""
    number = (day.weekday() + 1) % 7 + 1
    if part == "L":
        return number == 7
    name, hash_, which = part.partition("#")
    if hash_:
        return number == FIELDS[5].number(name) and (day.day - 1) // 7 + 1 == int(which)
    if part.endswith("L") and part not in DAYS:
        last = monthrange(day.year, day.month)[1]
        return number == FIELDS[5].number(part.removesuffix("L")) and day.day > last - 7
    return number in FIELDS[5].values(part)
