"""Schedules in canonical form, and what the server would refuse in one (airbyte-platform, ConnectionScheduleHelper).

A basic schedule is written as the public API reads it, `Every 1 HOURS`; a cron expression without its zone, which is
left out where it is UTC. The public API writes manual schedules and cron in UTC; the others take the Config API.
"""

from typing import Final

from airbyte_model.schedules import UTC, Schedule, SchedulePart, interval_of

from pulumi_airbyte.provider.properties import Properties, Property, Unknown, reveal, unwrap
from pulumi_airbyte.provider.resource import Failure
from pulumi_airbyte.values import JsonObject

PARTS: Final[dict[str, SchedulePart]] = {"cronExpression": "cron", "cronTimeZone": "time_zone", "basicTiming": "every"}
"""The public API's names of a schedule's parts."""
KEYS: Final = ("scheduleType", *PARTS)


def canonical_schedule(schedule: Properties) -> Properties:
    """The schedule without nulls, with regular texts, and with the zone of a cron expression beside it unless UTC."""
    cleaned = {key: unwrap(value) for key, value in schedule.items() if unwrap(value) is not None}
    found = _read(cleaned).canonical()
    texts = {"cronExpression": found.cron, "cronTimeZone": found.time_zone, "basicTiming": _timing(found.every)}
    # A part that is not known yet is no text, and stays as it is.
    kept = {key: value for key, value in cleaned.items() if key not in PARTS or not isinstance(value, str)}
    return {**{key: text for key, text in texts.items() if text is not None}, **kept}


def _read(given: Properties) -> Schedule:
    cron, zone, timing = (_text(given.get(key)) for key in PARTS)
    return Schedule(str(given.get("scheduleType")), cron, zone, timing)


def _text(value: Property) -> str | None:
    return value if isinstance(value, str) else None


def _timing(every: str | None) -> str | None:
    """`1 hours` as the server reads it back, `Every 1 HOURS`; anything else as it is."""
    found = interval_of(every) if every is not None else None
    return f"Every {found[0]} {found[1].upper()}S" if found else every


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
    odd = {key: "must be a text" for key in PARTS if not isinstance(given.get(key, ""), str)}
    names = {part: key for key, part in PARTS.items()}
    found = {names[part]: str(flaw) for part, flaw in _read(given).flaws()}
    return [Failure(f"schedule.{key}", reason) for key, reason in (found | odd).items()]
