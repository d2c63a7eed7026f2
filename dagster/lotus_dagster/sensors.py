"""A sensor for each stream: looks at the landing zone and asks for a run when files have arrived.

Dagster starts the runs that a tick asks for and then keeps its cursor. A crash in between hands out the same batch
under the same run key again, which Dagster starts once; a batch that changed meanwhile runs again, and the models know
which files they have read. While a run of the stream is under way the sensor waits, so that backlogs go in batches.
"""

import logging
import os
from collections.abc import Mapping
from typing import Any

import dagster as dg

from lotus_dagster.arrivals.cursor import Cursor, read_cursor, write_cursor
from lotus_dagster.arrivals.decide import Batch
from lotus_dagster.arrivals.landing import pages_of
from lotus_dagster.arrivals.look import look
from lotus_dagster.assets import StreamRun
from lotus_dagster.environment import LANDING, required
from lotus_dagster.lake import Stream
from lotus_dagster.translator import raw_key
from lotus_infra import naming

log = logging.getLogger(__name__)
SECONDS_BETWEEN_LOOKS = 30
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
        last = _last_run(context.instance, name)
        if last is not None and last.status in _UNDER_WAY:
            return dg.SkipReason(f"run {last.run_id} is still reading the batch before")
        failed = last is not None and last.status in {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
        unfinished = _asked_of(stream, last) if last is not None and failed else None
        return tick(stream, landing, read_cursor(context.cursor), unfinished)

    return arrivals


def tick(stream: Stream, landing: str, cursor: Cursor, unfinished: StreamRun | None = None) -> dg.SensorResult:
    """One tick: a look, and what Dagster has to do about it.

    Args:
        stream: Whose files to look at.
        landing: `s3://<bucket>` or a folder.
        cursor: What the last tick kept.
        unfinished: What the last run was to do if it did not succeed: the next one reads whatever is unread, not only
            the new partitions, and rebuilds if that one was to.

    Raises:
        ListingError: The landing zone can't be listed.
        ObjectsVanishedError: Everything that was known is gone.
    """
    decision = look(pages_of(landing, stream.prefix), cursor)
    if decision.strays:
        log.warning("%s has keys outside the lake's layout, such as %s", stream.prefix, decision.strays[0])
    kept = write_cursor(decision.cursor)
    if decision.batch is None:
        return dg.SensorResult(skip_reason=f"nothing new among {decision.cursor.objects} objects", cursor=kept)
    return dg.SensorResult(
        run_requests=[_request(stream, decision.batch, unfinished)],
        asset_events=[
            dg.AssetMaterialization(
                raw_key(stream.source, stream.name),
                metadata={"partitions": list(decision.batch.units), "objects": decision.batch.objects},
            )
        ],
        cursor=kept,
    )


def _request(stream: Stream, batch: Batch, unfinished: StreamRun | None) -> dg.RunRequest:
    asked = StreamRun(partitions=list(batch.units), rebuild=batch.rebuild)
    if unfinished is not None:
        asked = StreamRun(partitions=[], rebuild=batch.rebuild or unfinished.rebuild)
    return dg.RunRequest(
        run_key=batch.key,
        run_config=_config(stream, asked),
        tags={"lotus/source": stream.source, "lotus/stream": stream.name, "dagster/max_retries": "2"},
    )


def _config(stream: Stream, run: StreamRun) -> dict[str, Any]:
    return {"ops": {naming.dbt_assets(stream.source, stream.name): {"config": run.model_dump()}}}


def _asked_of(stream: Stream, run: dg.DagsterRun) -> StreamRun:
    """What a run was asked to do, as far as it matters once it has failed: whether to rebuild.

    A run may have been started by hand, with no configuration or a wrong one, which must not stop the sensor.
    """
    config: object = run.run_config
    for key in ("ops", naming.dbt_assets(stream.source, stream.name), "config", "rebuild"):
        config = config.get(key) if isinstance(config, Mapping) else None
    return StreamRun(rebuild=config is True)


def _last_run(instance: dg.DagsterInstance, sensor: str) -> dg.DagsterRun | None:
    runs = instance.get_runs(dg.RunsFilter(tags={"dagster/sensor_name": sensor}), limit=1)
    return runs[0] if runs else None
