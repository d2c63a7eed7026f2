"""Which schedules the server takes: a Quartz expression, a zone, an interval.

Source: cron-utils, CronDefinitionBuilder.quartz, FieldParser and ValidationFieldExpressionVisitor, which the server
parses with; airbyte-platform ConnectionScheduleHelper and AirbyteCatalogHelper (seconds must be a number, and minutes
too when a year is given; a trailing UTC is dropped, any other zone is refused).
"""

import re
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, Self

from airbyte_model.flaws import Flaw
from airbyte_model.suggestions import suggestion

UTC: Final = "UTC"
MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
EXAMPLE: Final = 'such as "0 0 * * * ?" for every hour'
INTERVAL_EXAMPLE: Final = 'such as "1 hours"'
_FEWEST, _MOST = 6, 7
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_INTERVAL: Final = re.compile(r"(?:every\s+)?([0-9]{1,9})\s+(minute|hour|day|week|month)s?", re.IGNORECASE)
_LAST_DAYS: Final = re.compile(r"L-([0-9]{1,2})")
_NEAREST_WEEKDAY: Final = re.compile(r"([0-9]{1,2})W")
_LAST_OF_WEEKDAY: Final = re.compile(r"([0-9])L")
_NTH_WEEKDAY: Final = re.compile(r"(\w+)#([0-9])")


SchedulePart = Literal["cron", "time_zone", "every"]
KIND_OF_PART: Final[dict[SchedulePart, str]] = {"cron": "cron", "time_zone": "cron", "every": "basic"}
"""The kind of schedule that each part belongs to."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a connection syncs.

    Attributes:
        kind: `manual`, `cron` or `basic`.
        cron: a Quartz expression; its zone may stand behind it, as the server reads it back.
        time_zone: the zone of the expression; None for UTC.
        every: an interval, such as `1 hours` or `Every 1 HOURS`.
    """

    kind: str
    cron: str | None = None
    time_zone: str | None = None
    every: str | None = None

    def flaws(self) -> Iterator[tuple[SchedulePart, Flaw]]:
        """What the server refuses, or never uses, by part; all of it."""
        given = {"cron": self.cron, "time_zone": self.time_zone, "every": self.every}
        for part, kind in KIND_OF_PART.items():
            if given[part] is not None and kind != self.kind:
                remedy = f'delete it, or write the schedule\'s type as "{kind}"'
                yield part, Flaw(f"is never used by a {self.kind} schedule", remedy)
        if self.kind == "cron":
            yield from self._cron_flaws()
        elif self.kind == "basic":
            missing = Flaw("is required for a basic schedule", f"write how often to sync, {INTERVAL_EXAMPLE}")
            flaw = interval_flaw(self.every) if self.every is not None else missing
            if flaw is not None:
                yield "every", flaw

    def _cron_flaws(self) -> Iterator[tuple[SchedulePart, Flaw]]:
        expression, named = split_zone(self.cron or "")
        flaw = cron_flaw(expression)
        if self.cron is None:
            flaw = Flaw("is required for a cron schedule", f"write when to sync, {EXAMPLE}")
        elif flaw is None and named != UTC and self.time_zone not in {None, named}:
            flaw = Flaw(f"names the zone {named}, and the time zone beside it is another", "leave it out here")
        if flaw is not None:
            yield "cron", flaw
        unzoned = zone_flaw(named if self.time_zone is None else self.time_zone)
        if unzoned is not None:
            yield "time_zone", unzoned

    def canonical(self) -> Self:
        """The same schedule in one form: the zone beside the expression unless it is UTC, intervals as `1 hours`."""
        cron, zone, every = self.cron, self.time_zone, self.every
        if cron is not None:
            cron, named = split_zone(cron)
            zone = named if zone is None else zone
        found = interval_of(every) if every is not None else None
        if found is not None:
            every = f"{found[0]} {found[1]}s"
        return type(self)(self.kind, cron, None if zone == UTC else zone, every)


@dataclass(frozen=True, slots=True)
class _Part:
    """One field of an expression.

    Attributes:
        name: as people call it.
        low: the lowest value.
        high: the highest value.
        names: that stand for values, the first one for the lowest.
        wraps: whether a range may go past the highest value, as `22-2` does for hours.
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    wraps: bool = True

    def takes(self, text: str) -> bool:
        """Whether each item of a comma-separated list is one that the field has."""
        items = text.split(",")
        return self._is_alone(text) if len(items) == 1 else all(self._is_item(item) for item in items)

    def _is_alone(self, text: str) -> bool:
        if text == "?":
            return self in (_DAY_OF_MONTH, _DAY_OF_WEEK)
        # A weekday's name goes before L only where it is all that the field has.
        named = self is _DAY_OF_WEEK and text.endswith("L") and text[:-1] in self.names
        return named or self._is_item(text)

    def _is_item(self, text: str) -> bool:
        if self._is_special(text):
            return True
        span, slash, step = text.partition("/")
        if slash and not self._is_step(step):
            return False
        return span == "*" or (bool(slash) and not span) or self._is_span(span)

    def _is_special(self, text: str) -> bool:
        if self is _DAY_OF_MONTH:
            counted = _LAST_DAYS.fullmatch(text) or _NEAREST_WEEKDAY.fullmatch(text)
            return text in {"L", "LW"} or (counted is not None and self._value(counted[1]) is not None)
        if self is _DAY_OF_WEEK:
            last, nth = _LAST_OF_WEEKDAY.fullmatch(text), _NTH_WEEKDAY.fullmatch(text)
            values = [last[1]] if last else [nth[1], nth[2]] if nth else []
            return text == "L" or (bool(values) and all(self._value(value) is not None for value in values))
        return False

    def values(self, text: str) -> frozenset[int] | str:
        """The values of a text that it takes; the text itself if it is a form of a day, such as `L`."""
        found: set[int] = set()
        for item in text.split(","):
            if self._is_special(item) or not self._is_item(item):
                return text
            span, slash, step = item.partition("/")
            first, dash, last = span.partition("-")
            low = self._value(first)
            high = self._value(last) if dash else self.high if slash else low
            if low is None or high is None:
                low, high = self.low, self.high
            wrapped = [*range(low, self.high + 1), *range(self.low, high + 1)]
            found.update((wrapped if low > high else range(low, high + 1))[:: int(step) if slash else 1])
        return frozenset(found)

    def _is_step(self, text: str) -> bool:
        most = min(self.high, self.high - self.low + 1)
        return _NUMBER.fullmatch(text) is not None and 0 < int(text) <= most

    def _is_span(self, text: str) -> bool:
        first, dash, last = text.partition("-")
        low = self._value(first)
        high = self._value(last) if dash else low
        return low is not None and high is not None and (self.wraps or low <= high)

    def _value(self, text: str) -> int | None:
        """The value that a number or a name stands for; None where the field has no such value."""
        if text in self.names:
            return self.names.index(text) + self.low
        value = int(text) if _NUMBER.fullmatch(text) else None
        return value if value is not None and self.low <= value <= self.high else None


_DAY_OF_MONTH: Final = _Part("day of month", 1, 31)
_DAY_OF_WEEK: Final = _Part("day of week", 1, 7, DAYS)
_PARTS: Final = (
    _Part("second", 0, 59),
    _Part("minute", 0, 59),
    _Part("hour", 0, 23),
    _DAY_OF_MONTH,
    _Part("month", 1, 12, MONTHS),
    _DAY_OF_WEEK,
    _Part("year", 1970, 2099, wraps=False),
)


def split_zone(expression: str) -> tuple[str, str]:
    """An expression with single spaces, and its zone, which the server puts behind it when it is read; else UTC."""
    parts = expression.split()
    if parts and parts[-1].upper() == UTC:
        return " ".join(parts[:-1]), UTC
    if len(parts) > _FEWEST and parts[-1][0].isalpha():
        return " ".join(parts[:-1]), parts[-1]
    return " ".join(parts), UTC


def cron_flaw(expression: str) -> Flaw | None:
    """Why the server refuses an expression, which has no zone behind it any more."""
    fields = expression.upper().split()
    if len(fields) not in {_FEWEST, _MOST}:
        return Flaw(f"has {len(fields)} parts instead of {_FEWEST} or {_MOST}", f"write seconds first, {EXAMPLE}")
    for part, text in zip(_PARTS, fields, strict=False):
        if not part.takes(text):
            known = f" or {part.names[0]} to {part.names[-1]}" if part.names else ""
            remedy = f"write {part.low} to {part.high}{known}, *, a range a-b, a step a/b or a list a,b"
            return Flaw(f'"{text}" is no {part.name}', remedy)
    return _whole_flaw(fields)


def _whole_flaw(fields: list[str]) -> Flaw | None:
    """What the server refuses although each part is right by itself."""
    if _NUMBER.fullmatch(fields[0]) is None:
        return Flaw("seconds must be a number", f"write 0 first, {EXAMPLE}")
    if len(fields) == _MOST and _NUMBER.fullmatch(fields[1]) is None:
        return Flaw("minutes must be a number when a year is given", "write a number or leave the year out")
    if (fields[3] == "?") == (fields[5] == "?"):
        what = "exactly one of day of month and day of week must be ?"
        return Flaw(what, f"write ? for the one that is free, {EXAMPLE}")
    return None


def cron_values(expression: str) -> tuple[frozenset[int] | str, ...]:
    """What each field of a valid expression stands for: seconds first, and Sunday is 1.

    Returns:
        The values of each of the 6 or 7 fields; the field's text, in upper case, where it is no list of values: `?`, or
        a day such as `L`, `15W`, `6L`, `FRIL` or `MON#2`.
    """
    return tuple(part.values(text) for part, text in zip(_PARTS, expression.upper().split(), strict=False))


def weekday_of(text: str) -> int:
    """The number of a weekday by its number or its name: 1, or 1 for SUN."""
    return DAYS.index(text) + 1 if text in DAYS else int(text)


def zone_flaw(zone: str) -> Flaw | None:
    """Why the server refuses a time zone."""
    if zone.casefold().startswith("etc"):
        return Flaw(f'"{zone}" is refused by Airbyte', 'write a region\'s zone such as "Europe/Berlin", or "UTC"')
    if zone == UTC:
        return None
    # The list of all zones takes a walk through the folders of the time zones' data.
    known = _zones()
    if zone in known:
        return None
    return Flaw(f'there is no time zone "{zone}"', suggestion(zone, known, 'write one such as "Europe/Berlin"'))


def interval_of(text: str) -> tuple[int, str] | None:
    """The number and the unit of an interval such as `every 1 hours`; the unit is singular and in lower case."""
    found = _INTERVAL.fullmatch(text.strip())
    return (int(found[1]), found[2].lower()) if found else None


def interval_flaw(text: str) -> Flaw | None:
    """Why an interval is none."""
    found = interval_of(text)
    if found is None:
        what = f'"{text}" is no interval'
        return Flaw(what, f"write a number and minutes, hours, days, weeks or months, {INTERVAL_EXAMPLE}")
    return None if found[0] else Flaw("an interval of 0 is none", f"write how often to sync, {INTERVAL_EXAMPLE}")


@cache
def _zones() -> frozenset[str]:
    return frozenset({*zoneinfo.available_timezones(), UTC})
