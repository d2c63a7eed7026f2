"""Which connections fell due while time passed.

Knows schedules. Must not know how a sync is carried out.
Source: airbyte-platform ConnectionScheduleHelper; a basic schedule counts from the start of the last sync.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from airbyte_twin.cron_times import next_cron
from airbyte_twin.jobs import start_sync
from airbyte_twin.records import Connection, Schedule
from airbyte_twin.twin import Twin

SECONDS = {"minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800, "months": 30 * 86_400}
"""Of each unit of a basic schedule (airbyte-platform ScheduleHelpers)."""


def fire_due(twin: Twin, after: float, now: float) -> None:
    """Start one sync of each active connection that fell due, however often; none where a job is under way."""
    for connection in list(twin.store.connections):
        if connection.status != "active" or twin.store.active_job(connection.id) is not None:
            continue
        due = next_fire(connection.schedule, max(after, connection.created_at), _last_start(twin, connection))
        if due is not None and due <= now:
            start_sync(twin, connection)


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


def _last_start(twin: Twin, connection: Connection) -> float | None:
    starts = [job.started_at or job.created_at for job in twin.store.jobs_of(connection.id) if job.type != "reset"]
    return max(starts, default=None)
