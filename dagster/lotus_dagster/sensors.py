"""A sensor for each stream: looks at the landing zone and asks for a run when files have arrived.

Dagster starts the runs that a tick asks for and then keeps its cursor. A crash in between hands out the same batch
under the same run key again, which Dagster starts once; a batch that changed meanwhile runs again, and the models know
which files they have read. While a run of the stream is under way the sensor waits, so that backlogs go in batches.

A run that failed is asked for again, whether or not files arrive: after a minute, and after twice as long each time
that it fails again, up to an hour.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

import dagster as dg

from lotus_dagster.arrivals.cursor import Cursor, read_cursor, write_cursor
from lotus_dagster.arrivals.decide import MOST_REPORTED, Batch, Clock, Decision
from lotus_dagster.arrivals.landing import pages_of
from lotus_dagster.arrivals.look import look
from lotus_dagster.assets import StreamRun
from lotus_dagster.environment import EXPIRE_RAW_DAYS, LANDING, RETRY_SECONDS, required, whole_number
from lotus_dagster.lake import Stream
from lotus_dagster.translator import raw_key
from lotus_infra import naming

log = logging.getLogger(__name__)
SECONDS_BETWEEN_LOOKS = 30
FIRST_RETRY_SECONDS = 60
MOST_RETRY_SECONDS = 3600
_RUNS_REMEMBERED = 12
_FAILED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def stream_sensor(stream: Stream) -> dg.SensorDefinition:
    """The sensor `shopify_orders_sensor`, whose runs materialize that stream's model."""
    name = naming.sensor(stream.source, stream.name)

    @dg.sensor(
        name=name,
        asset_selection=[dg.AssetKey(naming.asset_key(stream.source, stream.name))],
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Asks for a run when files have arrived below {stream.prefix}.",
    )
    def arrivals(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        (landing,) = required(os.environ, LANDING)
        now = datetime.now(UTC)
        clock = Clock(now.date(), whole_number(os.environ, EXPIRE_RAW_DAYS))
        runs = context.instance.get_run_records(
            dg.RunsFilter(tags={"dagster/sensor_name": name}), limit=_RUNS_REMEMBERED
        )
        if runs and runs[0].dagster_run.status in _UNDER_WAY:
            return dg.SkipReason(f"run {runs[0].dagster_run.run_id} is still reading the batch before")
        failure = _failure(runs)
        if failure is not None and now < failure.again_at:
            return dg.SkipReason(
                f"run {failure.run_id} failed: it is asked for again at {failure.again_at:%Y-%m-%d %H:%M:%S} UTC;"
                " re-execute it to run it now"
            )
        return tick(stream, landing, read_cursor(context.cursor), clock, failure)

    return arrivals


@dataclass(frozen=True, slots=True)
class Failure:
    """The stream's last run, which did not succeed.

    Attributes:
        run_id: Its id.
        again_at: When to ask for it again.
    """

    run_id: str
    again_at: datetime


def tick(stream: Stream, landing: str, cursor: Cursor, clock: Clock, failure: Failure | None = None) -> dg.SensorResult:
    """One tick: a look, and what Dagster has to do about it.

    Args:
        stream: Whose files to look at.
        landing: `s3://<bucket>` or a folder.
        cursor: What the last tick kept.
        clock: When.
        failure: The last run if it did not succeed: one that reads whatever is unread is asked for in any case.

    Raises:
        ListingError: The landing zone can't be listed.
        ObjectsVanishedError: Everything that was known is gone.
    """
    decision = look(pages_of(landing, stream.prefix), cursor, clock)
    request = _request(stream, decision, failure)
    return dg.SensorResult(
        run_requests=[request] if request is not None else [],
        skip_reason=None if request is not None else f"nothing new among {decision.cursor.objects} objects",
        asset_events=[*_arrived(stream, decision.batch), *_reported(stream, decision)],
        cursor=write_cursor(decision.cursor),
    )


def _request(stream: Stream, decision: Decision, failure: Failure | None) -> dg.RunRequest | None:
    if failure is not None:
        # The key is that of a run of its own: a batch that was handed out again has the key of the one that failed.
        key, run = f"{decision.cursor.lineage}-after-{failure.run_id}", StreamRun()
    elif decision.batch is not None:
        key, run = decision.batch.key, StreamRun(partitions=list(decision.batch.units))
    else:
        return None
    tags = {"lotus/source": stream.source, "lotus/stream": stream.name, "dagster/max_retries": "2"}
    return dg.RunRequest(run_key=key, run_config=_config(stream, run), tags=tags)


def _arrived(stream: Stream, batch: Batch | None) -> list[dg.AssetMaterialization]:
    if batch is None or not batch.objects:
        return []
    key, units = raw_key(stream.source, stream.name), list(batch.units)
    return [dg.AssetMaterialization(key, metadata={"partitions": units, "objects": batch.objects})]


def _reported(stream: Stream, decision: Decision) -> list[dg.AssetObservation]:
    """Keys that are reported once: in the log, and on the page of the stream's files."""
    kinds = {
        "keys outside the lake's layout, which no run reads": decision.strays,
        "keys dated far from now, which are looked for less often than others": decision.far,
    }
    observed = []
    for what, keys in kinds.items():
        if keys:
            end = "; further folders are not reported" if len(decision.cursor.reported) >= MOST_REPORTED else ""
            text = f"{stream.prefix} has {what}, such as {keys[0]!r}{end}"
            log.warning("%s", text)
            key = raw_key(stream.source, stream.name)
            observed.append(dg.AssetObservation(key, description=text, metadata={"keys": list(keys)}))
    return observed


def _config(stream: Stream, run: StreamRun) -> dict[str, Any]:
    return {"ops": {naming.dbt_assets(stream.source, stream.name): {"config": run.model_dump()}}}


def _failure(runs: Sequence[dg.RunRecord]) -> Failure | None:
    """A stream's last run if it did not succeed.

    Args:
        runs: The stream's, the last one first.
    """
    failed = list(takewhile(lambda run: run.dagster_run.status in _FAILED, runs))
    if not failed:
        return None
    last, first = failed[0], whole_number(os.environ, RETRY_SECONDS)
    seconds = min((FIRST_RETRY_SECONDS if first is None else first) * 2 ** (len(failed) - 1), MOST_RETRY_SECONDS)
    ended = last.end_time or last.update_timestamp.timestamp()
    return Failure(last.dagster_run.run_id, datetime.fromtimestamp(ended + seconds, UTC))
