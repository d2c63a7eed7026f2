"""Quartz cron expressions: are they valid, and do they fire more than once an hour?

Knows the expression alone; time zones are the caller's business.
Source: the Quartz definition of cron-utils, which airbyte-platform parses with.
"""

import re
from dataclasses import dataclass

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class CronError(ValueError):
    """An expression that Quartz would not take; the message says which field is wrong."""


@dataclass(frozen=True)
class Field:
    """One field of an expression: its bounds, names of its values and further forms that it takes."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    special: re.Pattern[str] | None = None

    def number(self, text: str) -> int:
        """A value, by number or name."""
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.low
        if not re.fullmatch(r"[0-9]{1,4}", text) or not self.low <= int(text) <= self.high:
            raise CronError(f"{self.name}: {text!r} is not between {self.low} and {self.high}")
        return int(text)

    def values(self, text: str) -> frozenset[int]:
        """The values that a field's text stands for; special forms stand for one unknown value."""
        found: set[int] = set()
        for part in text.split(","):
            found |= self._part(part)
        return frozenset(found)

    def _part(self, part: str) -> set[int]:
        if self.special and self.special.fullmatch(part.upper()):
            return {-1}
        span, slash, step = part.partition("/")
        if slash and not re.fullmatch(r"[1-9][0-9]{0,3}", step):
            raise CronError(f"{self.name}: {step!r} is not a step")
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = self.low, self.high
        else:
            low = self.number(first)
            high = self.number(last) if dash else (self.high if slash else low)
        if low > high and not self.names:
            raise CronError(f"{self.name}: {span!r} ends before it starts")
        whole = range(low, high + 1) if low <= high else (*range(low, self.high + 1), *range(self.low, high + 1))
        return set(whole[:: int(step) if slash else 1])


SECOND = Field("second", 0, 59)
MINUTE = Field("minute", 0, 59)
FIELDS = (
    SECOND,
    MINUTE,
    Field("hour", 0, 23),
    Field("day of month", 1, 31, special=re.compile(r"\?|L|LW|L-[0-9]{1,2}|[0-9]{1,2}W")),
    Field("month", 1, 12, MONTHS),
    Field("day of week", 1, 7, DAYS, re.compile(r"\?|L|([1-7]|[A-Z]{3})(L|#[1-5])")),
    Field("year", 1970, 2099),
)


def parse_cron(expression: str) -> list[frozenset[int]]:
    """The values of each field: second, minute, hour, day of month, month, day of week and, if given, year.

    Raises:
        CronError: Not 6 or 7 fields, a field out of its bounds, or neither or both of the days given as `?`.
    """
    parts = expression.split()
    if not 6 <= len(parts) <= 7:
        raise CronError(f"{len(parts)} fields instead of 6 or 7")
    if (parts[3] == "?") is (parts[5] == "?"):
        raise CronError("exactly one of day of month and day of week must be ?")
    return [field.values(part) for field, part in zip(FIELDS, parts, strict=False)]


def check_public_cron(expression: str) -> None:
    """What the public API asks beyond Quartz: whole numbers for the second, and for the minute of a 7-field expression.

    Raises:
        CronError: Also for all that `parse_cron` refuses.
    """
    parse_cron(expression)
    parts = expression.split()
    for part in parts[: 2 if len(parts) == 7 else 1]:
        if not part.isdecimal():
            raise CronError("seconds and minutes must be whole numbers")


def fires_within_the_hour(expression: str) -> bool:
    """Whether two runs can lie less than an hour apart.

    Raises:
        CronError: The expression is not valid.
    """
    seconds, minutes = parse_cron(expression)[:2]
    return len(seconds) > 1 or len(minutes) > 1
