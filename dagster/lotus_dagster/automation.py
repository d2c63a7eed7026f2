"""When marts materialize: after their upstreams, and again after a failure."""

from typing import Any

import dagster as dg

NAME = "marts_dbt_automation"
RETRY_SCHEDULE = "*/10 * * * *"
"""When a failed mart is requested again: every ten minutes, until it succeeds."""


def mart_condition() -> "dg.AutomationCondition[Any]":
    """Dagster's `eager`, and a retry of a failed materialization, which `eager` leaves until an upstream updates."""
    when = dg.AutomationCondition
    failed: dg.AutomationCondition[Any] = when.execution_failed() & when.cron_tick_passed(RETRY_SCHEDULE)
    ready = ~when.any_deps_missing() & ~when.any_deps_in_progress() & ~when.in_progress()
    return (when.eager() | (failed.since_last_handled() & ready)).with_label("eager, and again after a failure")


def automation_sensor(marts: dg.AssetsDefinition) -> dg.SensorDefinition:
    """The sensor that evaluates the marts' conditions."""
    return dg.AutomationConditionSensorDefinition(
        NAME,
        target=dg.AssetSelection.assets(*marts.keys),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
