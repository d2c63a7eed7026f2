"""Schedules of the lake's files in Dagster's words: a cron expression of five fields, and its zone.

Dagster's expressions have no seconds and no years; it reads `L` for a month's last day, `L5` for its last Friday and
`1#2` for its second Monday (docs.dagster.io, Schedules; the parser is croniter's). Files have Quartz expressions, and
intervals. What Dagster can't express is an error here and never a schedule that runs at other times.
"""

from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from airbyte_model import schedules
from airbyte_model.schedules import cron_values, interval_of, split_zone, weekday_of

from lotus_infra.lake.models import Schedule

_MINUTES_OF_AN_HOUR: Final = 60
_HOURS_OF_A_DAY: Final = 24
_MINUTES: Final = {"minute": 1, "hour": _MINUTES_OF_AN_HOUR, "day": _MINUTES_OF_AN_HOUR * _HOURS_OF_A_DAY}
_A_LEAP_YEAR: Final = 2024
_USE_DIVISORS: Final = (
    "write minutes that divide an hour, hours that divide a day, or 1 days; "
    'for another rhythm, "type": "cron" with an expression'
)


@dataclass(frozen=True, slots=True)
class Cron:
    """When Dagster starts a job.

    Attributes:
        expression: Five fields, minutes first, such as `0 * * * *`.
        time_zone: The zone of the expression, such as `Europe/Berlin` or `UTC`.
    """

    expression: str
    time_zone: str


class UnscheduledError(ValueError):
    """A schedule that Dagster can't express, or that the lake's rules refuse.

    Attributes:
        part: The key of the file's schedule: `cron`, `time_zone` or `every`.
        what: What is wrong.
        remedy: What to do about it.
    """

    def __init__(self, part: str, what: str, remedy: str) -> None:
        self.part, self.what, self.remedy = part, what, remedy
        super().__init__(f"{part}: {what}: {remedy}")


def cron_of(schedule: Schedule) -> Cron | None:
    """The expression by which Dagster runs at the times of a schedule; None for a manual one.

    Raises:
        UnscheduledError: Dagster can't express it, or it is not valid.
    """
    rules = schedules.Schedule(schedule.type, schedule.cron, schedule.time_zone, schedule.every)
    for part, flaw in rules.flaws():
        raise UnscheduledError(part, *flaw)
    if schedule.cron is not None:
        expression, named = split_zone(schedule.cron)
        return Cron(_five_fields(expression), schedule.time_zone or named)
    if schedule.every is not None:
        return Cron(_repeated(schedule.every), schedules.UTC)
    return None


def _repeated(every: str) -> str:
    """The expression of an interval; its first run of a day is at midnight."""
    found = interval_of(every)
    minutes = found[0] * _MINUTES.get(found[1], 0) if found is not None else 0
    hours, rest = divmod(minutes, _MINUTES_OF_AN_HOUR)
    if minutes and not hours and _MINUTES_OF_AN_HOUR % minutes == 0:
        return "* * * * *" if minutes == 1 else f"*/{minutes} * * * *"
    if hours and not rest and _HOURS_OF_A_DAY % hours == 0:
        hour = {1: "*", _HOURS_OF_A_DAY: "0"}.get(hours, f"*/{hours}")
        return f"0 {hour} * * *"
    raise UnscheduledError(
        "every", f'"{every}" is no part of an hour or a day, so Dagster can\'t repeat it', _USE_DIVISORS
    )


def _five_fields(expression: str) -> str:
    second, minute, hour, month_day, month, week_day, *year = cron_values(expression)
    if second != frozenset({0}):
        raise UnscheduledError("cron", "starts between two minutes, and Dagster starts on whole ones", "write 0 first")
    if year and year != [frozenset(range(1970, 2100))]:
        raise UnscheduledError(
            "cron", "names years, which Dagster's expressions don't have", "leave the seventh part out"
        )
    if isinstance(month_day, frozenset) and isinstance(month, frozenset) and not _falls(month_day, month):
        raise UnscheduledError("cron", "names a day that none of its months has", "write another day or month")
    return " ".join(
        [
            _listed(minute, range(60)),
            _listed(hour, range(24)),
            _month_day(month_day),
            _listed(month, range(1, 13)),
            _week_day(week_day),
        ]
    )


def _month_day(values: frozenset[int] | str) -> str:
    if isinstance(values, frozenset):
        return _listed(values, range(1, 32))
    if values in {"?", "L"}:
        return values.replace("?", "*")
    remedy = "write days by number, or L alone for the last one"
    raise UnscheduledError("cron", f'has the day "{values}", which Dagster can\'t express', remedy)


def _week_day(values: frozenset[int] | str) -> str:
    """A weekday in cron's numbers, in which Sunday is 0."""
    if isinstance(values, frozenset):
        return _listed(frozenset(value - 1 for value in values), range(7))
    day, hash_, which = values.partition("#")
    if values == "?":
        return "*"
    if values == "L":
        return str(weekday_of(schedules.DAYS[-1]) - 1)
    if hash_ and "," not in values and int(which) in range(1, 6):
        return f"{weekday_of(day) - 1}#{which}"
    if values.endswith("L") and "," not in values:
        return f"L{weekday_of(values.removesuffix('L')) - 1}"
    remedy = "write weekdays by number or name, or one alone such as FRIL or MON#2"
    raise UnscheduledError("cron", f'has the weekday "{values}", which Dagster can\'t express', remedy)


def _falls(days: Collection[int], months: Collection[int]) -> bool:
    """Whether one of the days is one of the months'; Dagster refuses an expression that never fires."""
    return any(min(days) <= monthrange(_A_LEAP_YEAR, month)[1] for month in months)


def _listed(values: Collection[int] | str, every: range) -> str:
    """Values as cron writes them: `*`, a step `*/15`, or a list of numbers and ranges, `1-5,9`."""
    numbers = sorted(value for value in values if isinstance(value, int))
    if numbers == list(every):
        return "*"
    step = numbers[1] - numbers[0] if len(numbers) > 2 else 0
    if step > 1 and numbers == list(every[::step]):
        return f"*/{step}"
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
