"""Schedules in the spellings of Airbyte's APIs and of Terraform states, converted to those of stream files."""

from airbyte_model import schedules

from lotus_infra.lake.models import MANUAL, Schedule


def parse_schedule(kind: str | None, expression: str | None, zone: str | None, timing: str | None) -> Schedule | None:
    """A schedule; None if Airbyte would refuse it, because a file that has it would be invalid.

    Args:
        kind: The kind of schedule; none is a manual one.
        expression: A cron expression, perhaps with its zone behind it, as the server returns it.
        zone: The expression's zone.
        timing: An interval, such as `Every 1 HOURS` or `1 hours`.
    """
    if kind in {None, "", "manual"}:
        return MANUAL
    if kind == "cron" and expression:
        # The server's zone behind the expression wins over the one beside it; UTC is its default.
        behind = schedules.split_zone(expression)[1]
        return _valid(schedules.Schedule("cron", expression, (zone or None) if behind == schedules.UTC else behind))
    return _valid(schedules.Schedule("basic", every=timing)) if kind == "basic" and timing else None


def comparable_schedule(schedule: Schedule) -> tuple[str, ...]:
    """The canonical parts of a schedule: two equivalent schedules have equal ones."""
    found = schedules.Schedule(schedule.type, schedule.cron, schedule.time_zone or None, schedule.every).canonical()
    return (found.kind, found.cron or "", found.time_zone or "", found.every or "")


def _valid(schedule: schedules.Schedule) -> Schedule | None:
    found = schedule.canonical()
    if any(found.flaws()):
        return None
    return Schedule(
        type="basic" if found.kind == "basic" else "cron", cron=found.cron, time_zone=found.time_zone, every=found.every
    )
