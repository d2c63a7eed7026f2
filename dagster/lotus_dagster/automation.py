"""When marts materialize: after an upstream, and when they are missing. After a failure: `retries.py`."""

from typing import Any

import dagster as dg

NAME = "marts_dbt_automation"
GROUP = "marts"
"""The group of all marts in Dagster."""


def mart_condition() -> "dg.AutomationCondition[Any]":
    """Dagster's `eager` without a gap.

    `eager` takes each materialization of the mart for an answer to the upstream updates before it, also to those that
    came after the mart had read: a mart that runs while its upstream does would stay behind. Here an update counts
    until the mart is requested after it.
    """
    when = dg.AutomationCondition
    # Both sides of this `since` carry the times of their events, which Dagster compares. A combination by `|` or `&`
    # has no times, and then the request of one tick before would cancel an update that came later.
    models_updated = when.any_deps_match(when.newly_updated()).ignore(dg.AssetSelection.groups(GROUP))
    updated: dg.AutomationCondition[Any] = models_updated.since(when.newly_requested())
    # A mart of other marts materializes in their run, after them: their updates are not another reason.
    with_upstream = when.any_deps_match(when.will_be_requested())
    # Not `any_deps_in_progress`: in a busy lake one upstream is nearly always queued, and the mart would wait for ever.
    ready = ~when.any_deps_missing() & ~when.in_progress()
    return ((updated | with_upstream | _missing()) & ready).with_label("after each update of an upstream")


def empty_model_condition() -> "dg.AutomationCondition[Any]":
    """When the model of a stream materializes that lands nothing: once, so that the marts that read it can.

    It has no sensor that would ask for the run.
    """
    return (_missing() & ~dg.AutomationCondition.in_progress()).with_label("once")


def _missing() -> "dg.AutomationCondition[Any]":
    when = dg.AutomationCondition
    return when.missing().newly_true().since(when.newly_requested())


def automation_sensor(*automatic: dg.AssetsDefinition) -> dg.SensorDefinition:
    """The sensor that evaluates the conditions of marts, and of models that materialize by themselves."""
    return dg.AutomationConditionSensorDefinition(
        NAME,
        target=dg.AssetSelection.assets(*(key for each in automatic for key in each.keys)),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
