"""Schedules, and Quartz cron as the public API takes it (airbyte-platform, ConnectionScheduleHelper)."""

from typing import Final

from pulumi_airbyte.provider.properties import Properties, Property, Unknown, unwrap
from pulumi_airbyte.provider.resource import Failure

UTC: Final = "UTC"
FIELDS: Final = (6, 7)
KEYS: Final = ("scheduleType", "cronExpression")


def canonical_cron(expression: str) -> str:
    """The expression with single spaces and without the zone `UTC`, which the server adds when it is read."""
    return " ".join(expression.split()).removesuffix(f" {UTC}")


def cron_problem(expression: str) -> str:
    """What the server would refuse, or an empty text."""
    parts = canonical_cron(expression).split()
    if len(parts) not in FIELDS:
        wanted = "seconds, minutes, hours, day of month, month, day of week (and year), in UTC"
        return f"{expression!r} has {len(parts)} fields: give {wanted}"
    if not parts[0].isdigit():
        return f"{expression!r} must give the seconds as a number"
    if len(parts) == 7 and not parts[1].isdigit():
        return f"{expression!r} must give the minutes as a number, because it gives a year"
    if len(parts) == 7 and parts[6][0] not in "*?0123456789":
        return f"{expression!r} names a zone: the public API knows only UTC"
    return ""


def canonical_schedule(schedule: Properties) -> Properties:
    """The schedule with a canonical cron expression and without nulls."""
    cron = unwrap(schedule.get("cronExpression"))
    cleaned = {key: unwrap(value) for key, value in schedule.items() if unwrap(value) is not None}
    return {**cleaned, "cronExpression": canonical_cron(cron)} if isinstance(cron, str) else cleaned


def schedule_failures(schedule: Property) -> list[Failure]:
    """What the public API would refuse, or not understand, in a schedule."""
    if not isinstance(schedule, dict):
        return []
    unknown = sorted(set(schedule) - set(KEYS))
    if unknown:
        return [Failure(f"schedule.{unknown[0]}", f"is no part of a schedule: known are {', '.join(KEYS)}")]
    kind, cron = unwrap(schedule.get("scheduleType")), unwrap(schedule.get("cronExpression"))
    if isinstance(kind, Unknown) or isinstance(cron, Unknown):
        return []
    if kind not in {"manual", "cron"}:
        return [Failure("schedule.scheduleType", f"{kind!r} can't be written: give manual or cron")]
    if kind == "manual":
        advice = "has no meaning for a manual schedule: leave it out"
        return [Failure("schedule.cronExpression", advice)] if cron else []
    problem = cron_problem(cron) if isinstance(cron, str) else "is required for a cron schedule"
    return [Failure("schedule.cronExpression", problem)] if problem else []
