"""Whether Airbyte takes a schedule: a Quartz expression with the server's own limits, a zone, an interval.

Sources: airbyte-platform ConnectionScheduleHelper (seconds must be an integer, and minutes too when a year is given; a
trailing UTC is dropped, any other zone is refused) and Quartz's own rules, of which exactly one `?` is most often
missed.
"""

import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from lotus_infra.streams.problems import suggestion

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
EXAMPLE = 'such as "0 0 * * * ?" for every hour'


@dataclass(frozen=True, slots=True)
class _Part:
    """One field of an expression: its name, its bounds and the names and marks it knows beyond numbers."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    special: Callable[[str], bool] = lambda _: False


_INTERVAL = re.compile(r"([0-9]{1,9}) +(minute|hour|day|week|month)s?")
_DAY_OF_MONTH = re.compile(r"\?|L|LW|L-([1-9]|[12]\d|30)|([1-9]|[12]\d|3[01])W")
_DAY_OF_WEEK = re.compile(rf"\?|L|([1-7]|{'|'.join(DAYS)})(L|#[1-5])")
_PARTS = (
    _Part("second", 0, 59),
    _Part("minute", 0, 59),
    _Part("hour", 0, 23),
    _Part("day of month", 1, 31, special=lambda text: _DAY_OF_MONTH.fullmatch(text) is not None),
    _Part("month", 1, 12, MONTHS),
    _Part("day of week", 1, 7, DAYS, special=lambda text: _DAY_OF_WEEK.fullmatch(text) is not None),
    _Part("year", 1970, 2099),
)


def cron_problem(expression: str) -> tuple[str, str] | None:
    """What is wrong with an expression and what to do about it, or None when the server takes it."""
    fields = expression.upper().split()
    if fields and fields[-1] == "UTC":
        fields.pop()
    elif len(fields) > 6 and fields[-1][0].isalpha():
        zone = expression.rsplit(maxsplit=1)[-1]
        return f'"{zone}" is a time zone', f'leave it out here, and write "time_zone": "{zone}" beside it'
    if len(fields) not in {6, 7}:
        return f"has {len(fields)} parts instead of 6 or 7", f"write seconds first, {EXAMPLE}"
    wrong = next(((part, text) for part, text in zip(_PARTS, fields, strict=False) if not _is_valid(part, text)), None)
    if wrong is not None:
        part, text = wrong
        known = f" or {part.names[0]} to {part.names[-1]}" if part.names else ""
        remedy = f"write {part.low} to {part.high}{known}, *, a range a-b, a step a/b or a list a,b"
        return f'"{text}" is no {part.name}', remedy
    return _limits(fields)


def zone_problem(zone: str) -> tuple[str, str] | None:
    """What is wrong with a time zone and what to do about it, or None when the server takes it."""
    known = _zones()
    if zone.casefold().startswith("etc"):
        return f'"{zone}" is refused by Airbyte', 'write a region\'s zone such as "Europe/Berlin", or "UTC"'
    if zone == "UTC" or zone in known:
        return None
    return f'there is no time zone "{zone}"', suggestion(zone, known, 'write one such as "Europe/Berlin"')


def interval_problem(every: str) -> tuple[str, str] | None:
    """What is wrong with a basic schedule's interval and what to do about it, or None when the server takes it."""
    found = _INTERVAL.fullmatch(every)
    if found is None:
        return (
            f'"{every}" is no interval',
            'write a number and minutes, hours, days, weeks or months, such as "1 hours"',
        )
    return None if int(found[1]) else ("an interval of 0 is none", 'write how often to sync, such as "1 hours"')


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _limits(fields: list[str]) -> tuple[str, str] | None:
    """What the server refuses although each part is right by itself."""
    if not fields[0].isdigit():
        return "seconds must be a number", f"write 0 first, {EXAMPLE}"
    if len(fields) == 7 and not fields[1].isdigit():
        return "minutes must be a number when a year is given", "write a number or leave the year out"
    if (fields[3] == "?") == (fields[5] == "?"):
        return "exactly one of day of month and day of week must be ?", f"write ? for the one that is free, {EXAMPLE}"
    return None


def _is_valid(part: _Part, text: str) -> bool:
    """Whether each item of a comma-separated list is a value, a range, a step, or a mark of its part."""
    if text in {"*", "?"} or part.special(text):
        return text != "?" or part.special(text)
    return all(part.special(item) or _is_item(part, item) for item in text.split(",")) and "?" not in text


def _is_item(part: _Part, item: str) -> bool:
    start, slash, step = item.partition("/")
    if slash and not (step.isdecimal() and step.isascii() and 0 < int(step) <= part.high):
        return False
    if start == "*" or (slash and not start):
        return True
    low, dash, high = start.partition("-")
    return _is_in_bounds(part, low) and (not dash or _is_in_bounds(part, high))


def _is_in_bounds(part: _Part, text: str) -> bool:
    if text in part.names:
        return True
    return text.isdecimal() and text.isascii() and len(text) <= 4 and part.low <= int(text) <= part.high
