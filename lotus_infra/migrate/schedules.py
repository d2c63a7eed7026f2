"""Schedules as Airbyte's APIs and Terraform's states write them, and as stream files have them."""

from typing import Final

from airbyte_model.schedules import UTC, interval_of, split_zone

from lotus_infra.lake.models import MANUAL, Schedule

_CRON_FIELDS: Final = (6, 7)


def cron(expression: str, zone: str | None = None) -> Schedule | None:
    """A cron schedule; the zone may stand behind the expression, as the server reads it back."""
    bare, behind = split_zone(expression)
    if len(bare.split()) not in _CRON_FIELDS:
        return None
    named = zone if behind == UTC else behind
    return Schedule(type="cron", cron=bare, time_zone=None if named in {None, "", UTC} else named)


def basic(timing: str) -> Schedule | None:
    """A basic schedule, given as `Every 1 HOURS` or `1 hours`."""
    found = interval_of(timing)
    return Schedule(type="basic", every=f"{found[0]} {found[1]}s") if found else None


def schedule(kind: str | None, expression: str | None, zone: str | None, timing: str | None) -> Schedule | None:
    """A schedule of parts; None where they make none that is known."""
    if kind in {None, "", "manual"}:
        return MANUAL
    if kind == "cron" and expression:
        return cron(expression, zone)
    return basic(timing) if kind == "basic" and timing else None


def words(schedule: Schedule) -> tuple[str, ...]:
    """A schedule so that two that mean the same are equal."""
    if schedule.type == "cron":
        read = cron(schedule.cron or "", schedule.time_zone)
        return ("cron", read.cron or "", read.time_zone or "") if read else ("cron", schedule.cron or "")
    if schedule.type == "basic":
        known = basic(schedule.every or "")
        return ("basic", (known.every if known else schedule.every) or "")
    return ("manual",)
