"""Schedules in canonical form, and what the server would refuse in one (airbyte-platform, ConnectionScheduleHelper).

A basic schedule is written as the public API reads it, `Every 1 HOURS`; a cron expression without its zone, which is
left out where it is UTC. The public API writes manual schedules and cron in UTC; the others take the Config API.
"""

from typing import Final

from airbyte_model.flaws import Flaw
from airbyte_model.schedules import UTC, cron_flaw, interval_flaw, interval_of, split_zone, zone_flaw

from pulumi_airbyte.provider.properties import Properties, Property, Unknown, reveal, unwrap
from pulumi_airbyte.provider.resource import Failure
from pulumi_airbyte.values import JsonObject

OF_KIND: Final[dict[str, str]] = {"cronExpression": "cron", "cronTimeZone": "cron", "basicTiming": "basic"}
"""The kind of schedule that each part belongs to."""
KEYS: Final = ("scheduleType", *OF_KIND)


def canonical_schedule(schedule: Properties) -> Properties:
    """The schedule without nulls, with regular texts, and with the zone of a cron expression beside it unless UTC."""
    cleaned = {key: unwrap(value) for key, value in schedule.items() if unwrap(value) is not None}
    cron, timing = cleaned.get("cronExpression"), cleaned.get("basicTiming")
    if isinstance(timing, str):
        cleaned["basicTiming"] = canonical_timing(timing)
    if isinstance(cron, str):
        cleaned["cronExpression"], zone = split_zone(cron)
        cleaned.setdefault("cronTimeZone", zone)
    if cleaned.get("cronTimeZone") == UTC:
        del cleaned["cronTimeZone"]
    return cleaned


def canonical_timing(timing: str) -> str:
    """`every 1 hour` as the server reads it back, `Every 1 HOURS`; anything else as it is."""
    found = interval_of(timing)
    return f"Every {found[0]} {found[1].upper()}S" if found else timing


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
        expression, named = split_zone(cron) if isinstance(cron, str) else ("", UTC)
        problems["cronExpression"] = _written(cron_flaw(expression))
        if not isinstance(cron, str):
            problems["cronExpression"] = "is required for a cron schedule"
        elif named != UTC and zone not in {None, named}:
            problems["cronExpression"] = f"names the zone {named}, and cronTimeZone another: leave it out here"
        problems["cronTimeZone"] = _written(zone_flaw(str(named if zone is None else zone)))
    elif kind == "basic":
        flaw = interval_flaw(timing) if isinstance(timing, str) else None
        problems["basicTiming"] = _written(flaw) if isinstance(timing, str) else "is required for a basic schedule"
    return [Failure(f"schedule.{key}", problem) for key, problem in problems.items() if problem]


def _written(flaw: Flaw | None) -> str:
    return str(flaw) if flaw is not None else ""
