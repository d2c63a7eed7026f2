"""Quartz cron expressions: validation, frequency and next run.

Source: the Quartz definition of cron-utils, which airbyte-platform parses with; Quartz' CronExpression for `L`, `W` and
`#`, and for clock changes: a skipped hour fires when the next begins, a repeated hour fires the first time.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class CronError(ValueError):
    """An expression that Quartz would not take; the message is the server's."""


class FrequencyError(CronError):
    """An expression whose seconds, or minutes, are no whole number."""


def _unparsed(reason: str) -> CronError:
    return CronError(f"Failed to parse cron expression. {reason}")


@dataclass(frozen=True)
class Field:
    """One field of an expression: its bounds, names of its values and further forms that it takes."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    special: re.Pattern[str] | None = None
    strict: bool = False
    """Whether a range must begin with the lower value."""

    def number(self, text: str) -> int:
        """A value, by number or name."""
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.low
        if not text:
            raise _unparsed("Empty expression!")
        if not re.fullmatch(r"[0-9]{1,9}", text):
            chars = "".join(re.findall(r"[^0-9]+", text)).upper()
            raise _unparsed(f"Invalid chars in expression! Expression: {text.upper()} Invalid chars: {chars}")
        self._check_range(int(text))
        return int(text)

    def _check_range(self, number: int) -> None:
        if not self.low <= number <= self.high:
            raise _unparsed(f"Value {number} not in range [{self.low}, {self.high}]")

    def values(self, text: str) -> frozenset[int]:
        """The values that a field's text stands for; special forms stand for one unknown value."""
        if text == "?" and self.special:
            return frozenset({-1})
        if self.special is WEEKDAYS and text[:-1].upper() in self.names and text[-1:].upper() == "L":
            return frozenset({-1})
        found: set[int] = set()
        for part in text.split(","):
            found |= self._part(part)
        return frozenset(found)

    def _part(self, part: str) -> set[int]:
        special = self.special.fullmatch(part.upper()) if self.special else None
        if special:
            for number in filter(None, special.groups()):
                self.number(number)
            return {-1}
        span, slash, step = part.partition("/")
        if slash and not step:
            raise _unparsed(f"Missing steps for expression: {part.upper()}")
        first, dash, last = span.partition("-")
        if span == "*" or (slash and not span):
            low, high = self.low, self.high
        else:
            low = self.number(first)
            high = self.number(last) if dash else (self.high if slash else low)
            if self.strict and low > high:
                raise _unparsed(f"Invalid range! [{low},{high}]")
        if slash:
            self._check_step(step)
        whole = range(low, high + 1) if low <= high else (*range(low, self.high + 1), *range(self.low, high + 1))
        return set(whole[:: int(step) if slash else 1])

    def _check_step(self, step: str) -> None:
        if not re.fullmatch(r"[0-9]{1,9}", step):
            raise _unparsed(f"Invalid chars in expression! Expression: {step.upper()} Invalid chars: {step.upper()}")
        if not 0 < int(step) <= min(self.high, self.high - self.low + 1):
            raise _unparsed(f"Period {step} not in range [{self.low}, {self.high}]")


MONTH_DAYS = re.compile(r"LW?|L-([0-9]{1,2})|([0-9]{1,2})W")
WEEKDAYS = re.compile(r"L|([0-9])L|([A-Z0-9]+)#([0-9])")
"""Further forms of a day; the numbers and names in them are values of the field."""
SECOND = Field("second", 0, 59)
MINUTE = Field("minute", 0, 59)
FIELDS = (
    SECOND,
    MINUTE,
    Field("hour", 0, 23),
    Field("day of month", 1, 31, special=MONTH_DAYS),
    Field("month", 1, 12, MONTHS),
    Field("day of week", 1, 7, DAYS, WEEKDAYS),
    Field("year", 1970, 2099, strict=True),
)


def parse_cron(expression: str) -> list[frozenset[int]]:
    """The values of each field: second, minute, hour, day of month, month, day of week and, if given, year.

    Raises:
        CronError: Not 6 or 7 fields, a field out of its bounds, or neither or both of the days given as `?`.
    """
    parts = expression.split()
    if not parts:
        raise CronError("Empty expression!")
    if expression.startswith("@"):
        raise CronError("Nicknames not supported!")
    if not 6 <= len(parts) <= 7:
        raise CronError(f"Cron expression contains {len(parts)} parts but we expect one of [6, 7]")
    values = [field.values(part) for field, part in zip(FIELDS, parts, strict=False)]
    if (parts[3] == "?") is (parts[5] == "?"):
        raise _unparsed(
            f"Invalid cron expression: {expression}. "
            "Both, a day-of-week AND a day-of-month parameter, are not supported."
        )
    return values


def check_public_cron(expression: str) -> None:
    """Check the public API's extra rule: whole numbers for the second, and for the minute of a 7-field expression.

    Raises:
        CronError: Also for all that `parse_cron` refuses.
    """
    parse_cron(expression)
    parts = expression.split()
    for part in parts[: 2 if len(parts) == 7 else 1]:
        if not part.isdecimal():
            raise FrequencyError(part)


def fires_within_the_hour(expression: str) -> bool:
    """Whether two runs can lie less than an hour apart.

    Raises:
        CronError: The expression is not valid.
    """
    seconds, minutes = parse_cron(expression)[:2]
    return len(seconds) > 1 or len(minutes) > 1


LONGEST_GAP = timedelta(days=366 * 8 + 1)
"""Between two days that fall on February 29."""


def next_cron(expression: str, after: datetime, zone: ZoneInfo) -> datetime | None:
    """The first time after another one at which an expression fires.

    Args:
        expression: 6 or 7 fields, valid.
        after: With a zone.
        zone: The zone of the expression's fields.

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
