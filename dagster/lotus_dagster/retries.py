"""When a failed run is requested again: after a minute, and after twice as long each time that it fails again.

Streams are requested again by their own sensors, which also look for files; failed marts by the sensor of this module.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from lotus_dagster.environment import RETRY_SECONDS, whole_number

NAME: Final = "marts_dbt_retry"
FIRST_RETRY_SECONDS: Final = 60
MOST_RETRY_SECONDS: Final = 3600
FAILED: Final = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_FAILURES: Final = "lotus/failures"
"""The tag of a run that has how many runs of the same marts failed before it, one after the other."""
_SECONDS_BETWEEN_LOOKS: Final = 30
_MOST_DOUBLINGS: Final = 12


def retry_time(run: dg.RunRecord, failures: int) -> datetime:
    """When to request again what a run did not do.

    Args:
        run: The last run that failed.
        failures: How many have failed one after the other, this one included.
    """
    first = whole_number(os.environ, RETRY_SECONDS)
    doubled = 2 ** min(failures - 1, _MOST_DOUBLINGS)
    seconds = min((FIRST_RETRY_SECONDS if first is None else first) * doubled, MOST_RETRY_SECONDS)
    ended = run.end_time or run.update_timestamp.timestamp()
    return datetime.fromtimestamp(ended, UTC) + timedelta(seconds=seconds)


def mart_retry_sensor(*marts: dg.AssetsDefinition) -> dg.SensorDefinition:
    """The sensor that requests failed marts again. An update of an upstream requests them too, without a wait.

    So it does with other models that materialize by themselves.
    """
    own = sorted(key for each in marts for key in each.keys)

    @dg.sensor(
        name=NAME,
        asset_selection=own,
        minimum_interval_seconds=_SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests marts again whose last run failed.",
    )
    def failures(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        now, requests, waiting = datetime.now(UTC), [], []
        for run, keys in _failed_runs(context.instance, own):
            count = int(run.dagster_run.tags.get(_FAILURES, "0")) + 1
            again = retry_time(run, count)
            if now < again:
                waiting.append(
                    f"run {run.dagster_run.run_id} failed: it is requested again at {again:%Y-%m-%d %H:%M:%S} UTC"
                )
            else:
                key = f"after-{run.dagster_run.run_id}"
                requests.append(dg.RunRequest(key, asset_selection=keys, tags={_FAILURES: str(count)}))
        return dg.SensorResult(requests) if requests else dg.SkipReason("; ".join(waiting) or "no mart has failed")

    return failures


def _failed_runs(
    instance: dg.DagsterInstance, marts: list[dg.AssetKey]
) -> Iterator[tuple[dg.RunRecord, list[dg.AssetKey]]]:
    """The runs that failed, each with the marts of which it was the last run and which it did not materialize."""
    last: dict[str, list[dg.AssetKey]] = defaultdict(list)
    for record in instance.get_asset_records(marts):
        entry = record.asset_entry
        made = entry.last_materialization_record
        if entry.last_run_id is not None and (made is None or made.run_id != entry.last_run_id):
            last[entry.last_run_id].append(entry.asset_key)
    if last:
        filters = dg.RunsFilter(run_ids=sorted(last), statuses=list(FAILED))
        for run in instance.get_run_records(filters):
            yield run, last[run.dagster_run.run_id]
