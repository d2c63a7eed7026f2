"""Schedules in canonical form, and what the server would refuse in one (airbyte-platform, ConnectionScheduleHelper).

A basic schedule is written as the public API reads it, `Every 1 HOURS`; a cron expression without its zone, which is
left out where it is UTC. The public API writes manual schedules and cron in UTC; the others take the Config API.
"""

import re
import zoneinfo
from functools import cache
from typing import Final

from pulumi_airbyte.provider.properties import Properties, Property, Unknown, reveal, unwrap
from pulumi_airbyte.provider.resource import Failure
from pulumi_airbyte.values import JsonObject

UTC: Final = "UTC"
FIELDS: Final = (6, 7)
OF_KIND: Final[dict[str, str]] = {"cronExpression": "cron", "cronTimeZone": "cron", "basicTiming": "basic"}
"""The kind of schedule that each part belongs to."""
KEYS: Final = ("scheduleType", *OF_KIND)
_TIMING: Final = re.compile(r"(?:every\s+)?([0-9]+)\s+(minute|hour|day|week|month)s?", re.IGNORECASE)


def canonical_schedule(schedule: Properties) -> Properties:
    """The schedule without nulls, with regular texts, and with the zone of a cron expression beside it unless UTC."""
    cleaned = {key: unwrap(value) for key, value in schedule.items() if unwrap(value) is not None}
    cron, timing = cleaned.get("cronExpression"), cleaned.get("basicTiming")
    if isinstance(timing, str):
        cleaned["basicTiming"] = canonical_timing(timing)
    if isinstance(cron, str):
        cleaned["cronExpression"], zone = split_cron(cron)
        cleaned.setdefault("cronTimeZone", zone)
    if cleaned.get("cronTimeZone") == UTC:
        del cleaned["cronTimeZone"]
    return cleaned


def canonical_timing(timing: str) -> str:
    """`every 1 hour` as the server reads it back, `Every 1 HOURS`; anything else as it is."""
    found = _TIMING.fullmatch(timing.strip())
    return f"Every {int(found[1])} {found[2].upper()}S" if found else timing


def split_cron(expression: str) -> tuple[str, str]:
    """The expression with single spaces, and its zone, which the server puts behind it when it is read."""
    parts = expression.split()
    if parts and parts[-1].upper() == UTC:
        return " ".join(parts[:-1]), UTC
    if len(parts) > FIELDS[0] and parts[-1][0].isalpha():
        return " ".join(parts[:-1]), parts[-1]
    return " ".join(parts), UTC


def takes_config_api(schedule: Property) -> str:
    """What in a canonical schedule only the Config API can write, in words; empty where the public one can."""
    plain = unwrap(schedule)
    if not isinstance(plain, dict):
        return ""
    if plain.get("scheduleType") == "basic":
        return "basic schedules"
    return "time zones of schedules" if "cronTimeZone" in plain else ""


def config_request(schedule: Property) -> JsonObject:
    """A canonical schedule as the Config API takes it (ConnectionScheduleData)."""
    plain = reveal(schedule)
    given = plain if isinstance(plain, dict) else {}
    if given.get("scheduleType") == "basic":
        _, units, unit = str(given["basicTiming"]).split()
        data: JsonObject = {"basicSchedule": {"timeUnit": unit.lower(), "units": int(units)}}
        return {"scheduleType": "basic", "scheduleData": data}
    cron = {"cronExpression": given.get("cronExpression"), "cronTimeZone": given.get("cronTimeZone", UTC)}
    return {"scheduleType": "cron", "scheduleData": {"cron": cron}}


def cron_problem(expression: str) -> str:
    """What the server would refuse, or an empty text."""
    parts = split_cron(expression)[0].split()
    if len(parts) not in FIELDS:
        wanted = "seconds, minutes, hours, day of month, month, day of week (and year)"
        return f"{expression!r} has {len(parts)} fields: give {wanted}"
    if not parts[0].isdigit():
        return f"{expression!r} must give the seconds as a number"
    if len(parts) == 7 and not parts[1].isdigit():
        return f"{expression!r} must give the minutes as a number, because it gives a year"
    return ""


def zone_problem(zone: str) -> str:
    """What the server would refuse in a zone, or an empty text."""
    if zone == UTC or zone in _zones():
        return f"{zone!r} is refused by the server: give a region's zone, or UTC" if _is_offset(zone) else ""
    near = {known.casefold(): known for known in _zones()}.get(zone.casefold())
    return f"{zone!r} is no time zone: " + (f"did you mean {near!r}?" if near else "give one such as 'Europe/Berlin'")


def schedule_failures(schedule: Property) -> list[Failure]:
    """What the server would refuse, or not understand, in a schedule."""
    if not isinstance(schedule, dict):
        return []
    unknown = sorted(set(schedule) - set(KEYS))
    if unknown:
        return [Failure(f"schedule.{unknown[0]}", f"is no part of a schedule: known are {', '.join(KEYS)}")]
    given = {key: unwrap(value) for key, value in schedule.items() if unwrap(value) is not None}
    kind = given.get("scheduleType")
    if any(isinstance(value, Unknown) for value in given.values()):
        return []
    if kind not in {"manual", "cron", "basic"}:
        return [Failure("schedule.scheduleType", f"{kind!r} is not allowed: give one of manual, cron, basic")]
    alien = [key for key in given if key in OF_KIND and OF_KIND[key] != kind]
    if alien:
        return [Failure(f"schedule.{alien[0]}", f"has no meaning for a {kind} schedule: leave it out")]
    return _kind_failures(str(kind), given)


def _kind_failures(kind: str, given: Properties) -> list[Failure]:
    cron, zone, timing = (given.get(key) for key in ("cronExpression", "cronTimeZone", "basicTiming"))
    problems: dict[str, str] = {}
    if kind == "cron":
        problems["cronExpression"] = cron_problem(cron) if isinstance(cron, str) else "is required for a cron schedule"
        named = split_cron(cron)[1] if isinstance(cron, str) else UTC
        if named != UTC and zone not in {None, named}:
            problems["cronExpression"] = f"names the zone {named}, and cronTimeZone another: leave it out here"
        problems["cronTimeZone"] = zone_problem(str(named if zone is None else zone))
    elif kind == "basic":
        problems["basicTiming"] = _timing_problem(timing)
    return [Failure(f"schedule.{key}", problem) for key, problem in problems.items() if problem]


def _timing_problem(timing: Property) -> str:
    if timing is None:
        return "is required for a basic schedule"
    found = _TIMING.fullmatch(timing.strip()) if isinstance(timing, str) else None
    if found and int(found[1]):
        return ""
    return f"{timing!r} is no interval: give one such as 'Every 1 HOURS' (minutes, hours, days, weeks or months)"


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _is_offset(zone: str) -> bool:
    return zone.lower().startswith("etc")
