"""Quartz cron expressions: are they valid, and do they fire more than once an hour?

Knows the expression alone; time zones are the caller's business.
Source: the Quartz definition of cron-utils, which airbyte-platform parses with.
"""

import re
from dataclasses import dataclass

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
    """What the public API asks beyond Quartz: whole numbers for the second, and for the minute of a 7-field expression.

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
