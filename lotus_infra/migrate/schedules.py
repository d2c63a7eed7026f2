"""Schedules as Airbyte's APIs and Terraform's states write them, and as stream files have them."""

import re
from typing import Final

from lotus_infra.streams.model import MANUAL, Schedule

_TIMING: Final = re.compile(r"(?:every\s+)?([0-9]+)\s+(minute|hour|day|week|month)s?", re.IGNORECASE)
_CRON_FIELDS: Final = (6, 7)


def cron(expression: str, zone: str | None = None) -> Schedule | None:
    """A cron schedule; the zone may stand behind the expression, as the server reads it back."""
    parts = expression.split()
    if len(parts) > _CRON_FIELDS[0] and parts[-1][0].isalpha():
        *parts, zone = parts
    if len(parts) not in _CRON_FIELDS:
        return None
    return Schedule(type="cron", cron=" ".join(parts), time_zone=None if zone in {None, "", "UTC"} else zone)


def basic(timing: str) -> Schedule | None:
    """A basic schedule, given as `Every 1 HOURS` or `1 hours`."""
    found = _TIMING.fullmatch(timing.strip())
    return Schedule(type="basic", every=f"{int(found[1])} {found[2].lower()}s") if found else None


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
