"""Dates and times as sources write them.

Knows the notations that destination-s3 reads, but for years before Christ and zones by name. Must not know schemas.
Source: airbytehq/airbyte, bulk CDK: AirbyteValueCoercer, TemporalFormatters.
"""

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta, timezone

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_GAP = r"-?/?\.? ?"
_DAY = rf"(?P<year>\d{{4}}){_GAP}(?P<month>\d{{1,2}}|[A-Z][a-z]{{2}}){_GAP}(?P<day>\d{{1,2}})"
_CLOCK = r"(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?"
_ZONE = r" ?(?P<zone>[Zz]|(?:UTC|GMT)?(?:[+-]\d{1,2}(?::?\d{2}){0,2})?)"
_MOMENT = re.compile(f"{_DAY}(?P<clock>(?: ?[Tt]| ){_CLOCK}{_ZONE})?", re.ASCII)
_TIME = re.compile(_CLOCK + _ZONE, re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d{2})?:?(\d{2})?", re.ASCII)
_WIDEST_OFFSET = timedelta(hours=18)


def parse_date(text: str) -> date:
    """The day of a date or of a moment, whatever its zone.

    Raises:
        ValueError: it is neither.
    """
    return _day(_matched(_MOMENT, text))


def parse_timestamp(text: str, *, with_timezone: bool) -> datetime:
    """A moment in UTC, which is also what a missing zone means.

    Args:
        text: a day with a time.
        with_timezone: whether a zone moves the time; else it is as good as not written.

    Raises:
        ValueError: it is none.
        OverflowError: in UTC it is outside of the years 1 to 9999.
    """
    found = _matched(_MOMENT, text)
    if found["clock"] is None:
        raise ValueError("a day without a time")
    zone = _zone(found["zone"])
    return datetime.combine(_day(found), _clock(found), zone if with_timezone else UTC).astimezone(UTC)


def parse_time(text: str, *, with_timezone: bool) -> time:
    """A time of day, in UTC if a zone counts.

    Raises:
        ValueError: it is none.
    """
    found = _matched(_TIME, text)
    zone, clock = _zone(found["zone"]), _clock(found)
    some_day = datetime.combine(date(2000, 1, 1), clock, zone if with_timezone else UTC)
    return some_day.astimezone(UTC).time()


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError("an unknown notation")
    return found


def _day(found: re.Match[str]) -> date:
    """The day; one that its month lacks, up to the 31st, is the month's last, as Java's smart resolver has it."""
    year, month, day = int(found["year"]), found["month"], int(found["day"])
    number = _MONTHS.index(month) + 1 if month.isalpha() else int(month)
    if 28 < day <= 31 and 1 <= number <= 12:
        day = min(day, calendar.monthrange(year, number)[1])
    return date(year, number, day)


def _clock(found: re.Match[str]) -> time:
    micros = int((found["fraction"] or "").ljust(6, "0")[:6])
    return time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0), micros)


def _zone(text: str) -> timezone:
    found = _OFFSET.search(text)
    if found is None:
        return UTC
    hours, minutes, seconds = (int(part or 0) for part in found.group(2, 3, 4))
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if offset > _WIDEST_OFFSET:
        raise ValueError("no place on earth is that far from UTC")
    return timezone(-offset if found[1] == "-" else offset)
