"""Schedules as Airbyte's APIs and Terraform's states write them, as stream files have them."""

from airbyte_model import schedules

from lotus_infra.lake.models import MANUAL, Schedule


def schedule(kind: str | None, expression: str | None, zone: str | None, timing: str | None) -> Schedule | None:
    """A schedule of parts; None where Airbyte would refuse it, so that no file can say it.

    Args:
        kind: of the schedule; none is a manual one.
        expression: a cron expression; its zone may stand behind it, as the server reads it back.
        zone: of the expression.
        timing: an interval, such as `Every 1 HOURS` or `1 hours`.
    """
    if kind in {None, "", "manual"}:
        return MANUAL
    if kind == "cron" and expression:
        return _found(schedules.Schedule("cron", expression, _zone(expression, zone)))
    return _found(schedules.Schedule("basic", every=timing)) if kind == "basic" and timing else None


def words(schedule: Schedule) -> tuple[str, ...]:
    """A schedule so that two that mean the same are equal."""
    found = schedules.Schedule(schedule.type, schedule.cron, schedule.time_zone or None, schedule.every).canonical()
    return (found.kind, found.cron or "", found.time_zone or "", found.every or "")


def _zone(expression: str, zone: str | None) -> str | None:
    """The zone behind the expression, which the server puts there, before the one beside it."""
    behind = schedules.split_zone(expression)[1]
    return (zone or None) if behind == schedules.UTC else behind


def _found(read: schedules.Schedule) -> Schedule | None:
    found = read.canonical()
    if any(found.flaws()):
        return None
    return Schedule(
        type="basic" if found.kind == "basic" else "cron", cron=found.cron, time_zone=found.time_zone, every=found.every
    )
