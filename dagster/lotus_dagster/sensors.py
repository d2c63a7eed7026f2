"""A sensor for each stream: looks at the landing zone and asks for a run when files have arrived.

Dagster starts the runs that a tick asks for and then keeps its cursor. A crash in between hands out the same batch
under the same run key again, which Dagster starts once; a batch that changed meanwhile runs again, and the models know
which files they have read. While a run of the stream is under way the sensor waits, so that backlogs go in batches.

A run that failed is requested again, whether or not files arrive: see `earlier_runs`.
"""

import logging
import os
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from lotus_dagster import earlier_runs
from lotus_dagster.arrivals.cursor import Cursor, read_cursor, write_cursor
from lotus_dagster.arrivals.decide import MOST_REPORTED, Batch, Clock, Decision
from lotus_dagster.arrivals.landing import pages_of
from lotus_dagster.arrivals.look import look
from lotus_dagster.assets import StreamRun
from lotus_dagster.earlier_runs import EditedModel, FailedRun, Waiting
from lotus_dagster.environment import EXPIRE_RAW_DAYS, required, whole_number
from lotus_dagster.lake import Stream
from lotus_dagster.translator import raw_key
from lotus_infra import naming
from lotus_infra.clients.ducklake import LANDING

log = logging.getLogger(__name__)
SECONDS_BETWEEN_LOOKS = 30


def stream_sensor(stream: Stream, models: dg.AssetsDefinition) -> dg.SensorDefinition:
    """The sensor `shopify_orders_sensor`, whose runs materialize that stream's models."""
    versions = models.code_versions_by_key
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
            dg.RunsFilter(tags={earlier_runs.SENSOR_TAG: name}), limit=earlier_runs.REMEMBERED
        )
        earlier = earlier_runs.after(runs, now)
        if isinstance(earlier, Waiting):
            return dg.SkipReason(earlier.reason)
        reason = earlier or earlier_runs.edited_model(context.instance, versions)
        return tick(stream, landing, read_cursor(context.cursor), clock, reason)

    return arrivals


def tick(
    stream: Stream, landing: str, cursor: Cursor, clock: Clock, reason: FailedRun | EditedModel | None = None
) -> dg.SensorResult:
    """One tick: a look, and what Dagster has to do about it.

    Args:
        stream: Whose files to look at.
        landing: `s3://<bucket>` or a folder.
        cursor: What the last tick kept.
        clock: When.
        reason: Why to ask for a run even if no file has arrived; it reads whatever is unread.

    Raises:
        ListingError: The landing zone can't be listed.
        ObjectsVanishedError: Everything that was known is gone.
    """
    decision = look(pages_of(landing, stream.prefix), cursor, clock)
    request = _request(stream, decision, reason)
    return dg.SensorResult(
        run_requests=[request] if request is not None else [],
        skip_reason=None if request is not None else f"nothing new among {decision.cursor.objects} objects",
        asset_events=[*_arrived(stream, decision.batch), *_reported(stream, decision)],
        cursor=write_cursor(decision.cursor),
    )


def _request(stream: Stream, decision: Decision, reason: FailedRun | EditedModel | None) -> dg.RunRequest | None:
    if reason is not None:
        # The key is that of a run of its own: a batch that was handed out again has the key of the one that failed.
        key, run = f"{decision.cursor.lineage}-{reason.key}", StreamRun()
    elif decision.batch is not None:
        key, run = decision.batch.key, StreamRun(partitions=list(decision.batch.units))
    else:
        return None
    return dg.RunRequest(
        run_key=key, run_config=_config(stream, run), tags=earlier_runs.run_tags(stream.source, stream.name)
    )


def _arrived(stream: Stream, batch: Batch | None) -> list[dg.AssetMaterialization]:
    # The files of dlt are materialized by the run that lands them: a second event would say that there were two.
    if batch is None or not batch.objects or stream.ingestion is not None:
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
