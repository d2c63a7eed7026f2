"""Schedules: validation, responses and next run.

Source: airbyte-platform AirbyteCatalogHelper (public), ConnectionScheduleHelper (Config API), ConnectionReadMapper.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from airbyte_twin.cron import CronError, FrequencyError, check_public_cron, fires_within_the_hour, next_cron
from airbyte_twin.documents import JsonObject
from airbyte_twin.errors import ProblemError, bad_request
from airbyte_twin.records import Schedule
from airbyte_twin.settings import Edition

CRON_HELP = "https://www.quartz-scheduler.org/documentation/quartz-2.3.0/tutorials/crontrigger.html"
CRON_PROBLEM = "error:cron-validation/"
BASIC_PROBLEM = "error:basic-schedule-validation/under-one-hour-not-allowed"
SECONDS = {"minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800, "months": 30 * 86_400}
"""Of each unit of a basic schedule (airbyte-platform ScheduleHelpers)."""


def public_schedule(kind: str, expression: str | None, edition: Edition) -> Schedule:
    """A schedule as the public API writes it: a trailing `UTC` is cut off and the zone is UTC, whatever it was.

    Raises:
        ProblemError: 400, the expression is missing, not valid, or (on Cloud) more frequent than hourly.
    """
    if kind == "manual":
        return Schedule()
    if expression is None:
        raise bad_request("Missing cron expression in the schedule.")
    bare = expression.replace("UTC", "").strip() if expression.endswith("UTC") else expression
    try:
        check_public_cron(bare)
    except FrequencyError as error:
        raise bad_request(
            f"The cron expression {expression} is not valid or is less than the one hour minimum. "
            "The seconds and minutes values cannot be `*`."
        ) from error
    except CronError as error:
        raise bad_request(
            f"The cron expression {expression} is not valid. Error: {error}. "
            f"Please check the cron expression format at {CRON_HELP}"
        ) from error
    return _hourly_on_cloud(Schedule(kind="cron", cron_expression=bare, cron_time_zone="UTC"), edition)


def config_cron(connection_id: str, expression: str | None, zone: str | None, edition: Edition) -> Schedule:
    """A cron schedule as the Config API writes it, in any IANA zone but the `Etc` ones.

    Args:
        connection_id: Of the connection, for problems.
        expression: As sent.
        zone: As sent.
        edition: Which Airbyte it is.

    Raises:
        ProblemError: 400, one of the cron-validation problems.
    """
    if expression is None or zone is None:
        raise ProblemError(400, CRON_PROBLEM + "missing-component", {"connectionId": connection_id})
    schedule = Schedule(kind="cron", cron_expression=expression, cron_time_zone=zone)
    try:
        _hourly_on_cloud(schedule, edition)
    except CronError as error:
        raise ProblemError(
            400,
            CRON_PROBLEM + "invalid-expression",
            {"connectionId": connection_id, "cronExpression": expression, "validationErrorMessage": str(error)},
        ) from error
    if zone.lower().startswith("etc") or (zone != "UTC" and zone not in available_timezones()):
        data: JsonObject = {"connectionId": connection_id, "cronTimezone": zone}
        raise ProblemError(400, CRON_PROBLEM + "invalid-timezone", data)
    return schedule


def checked_basic(schedule: Schedule, edition: Edition) -> Schedule:
    """A basic schedule, which only the Config API can write.

    Raises:
        ProblemError: 400 on Cloud, if it is more frequent than hourly.
    """
    minutes = (schedule.units or 0) * (1 if schedule.time_unit == "minutes" else 60)
    if edition is Edition.CLOUD and minutes < 60:
        raise ProblemError(400, BASIC_PROBLEM)
    return schedule


def public_view(schedule: Schedule) -> JsonObject:
    """As `GET /connections` shows it: the zone is appended to the cron expression."""
    if schedule.kind == "cron":
        return {"scheduleType": "cron", "cronExpression": f"{schedule.cron_expression} {schedule.cron_time_zone}"}
    if schedule.kind == "basic":
        unit = (schedule.time_unit or "hours").upper()
        return {"scheduleType": "basic", "basicTiming": f"Every {schedule.units} {unit}"}
    return {"scheduleType": "manual"}


def config_view(schedule: Schedule) -> JsonObject:
    """The schedule members of a `ConnectionRead`."""
    if schedule.kind == "cron":
        cron: JsonObject = {"cronExpression": schedule.cron_expression, "cronTimeZone": schedule.cron_time_zone}
        return {"scheduleType": "cron", "scheduleData": {"cron": cron}}
    if schedule.kind == "basic":
        basic: JsonObject = {"timeUnit": schedule.time_unit, "units": schedule.units}
        return {"scheduleType": "basic", "scheduleData": {"basicSchedule": basic}, "schedule": basic}
    return {"scheduleType": "manual"}


def next_fire(schedule: Schedule, after: float, last_start: float | None) -> float | None:
    """When a schedule fires next, in seconds since 1970; None if it never does.

    Args:
        schedule: Of any kind.
        after: A cron schedule fires after this time.
        last_start: When the last sync started; without one, a basic schedule is due at once.
    """
    if schedule.kind == "cron":
        zone = ZoneInfo(schedule.cron_time_zone or "UTC")
        found = next_cron(schedule.cron_expression or "", datetime.fromtimestamp(after, UTC), zone)
        return found.timestamp() if found else None
    if schedule.kind == "basic":
        return (
            after if last_start is None else last_start + (schedule.units or 1) * SECONDS[schedule.time_unit or "hours"]
        )
    return None


def _hourly_on_cloud(schedule: Schedule, edition: Edition) -> Schedule:
    expression = schedule.cron_expression or ""
    if fires_within_the_hour(expression) and edition is Edition.CLOUD:
        raise ProblemError(400, CRON_PROBLEM + "under-one-hour-not-allowed", {"cronExpression": expression})
    return schedule
