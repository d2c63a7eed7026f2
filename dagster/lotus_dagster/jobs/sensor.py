"""A sensor for each connection whose streams do not land as files: asks Airbyte for jobs, and requests runs of models.

Dagster starts the runs that a tick asks for and then keeps its cursor. A crash in between reports the same jobs and
requests the same runs again, under the same run keys, which Dagster starts once. While a run of a stream is under way,
or waits to be tried again, the stream's next run is owed; it reads the whole table, so one is enough for several jobs.

If Airbyte does not answer, the tick fails: what has not arrived and what is not known are different things.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

import dagster as dg

from lotus_dagster import earlier_runs
from lotus_dagster.earlier_runs import EditedModel, FailedRun, Waiting
from lotus_dagster.jobs.airbyte import connection_id, jobs_of
from lotus_dagster.jobs.connections import JobConnection, JobStream
from lotus_dagster.jobs.decide import Cursor, Decision, Job, decide, read_cursor, write_cursor
from lotus_dagster.translator import raw_key
from lotus_infra import naming

SECONDS_BETWEEN_LOOKS: Final = 30
Models: TypeAlias = Mapping[str, dg.AssetsDefinition]
"""The models of streams, by the name of the stream's file."""
Reasons: TypeAlias = Mapping[str, Waiting | FailedRun | EditedModel | None]
"""What the earlier runs of each stream with models demand, by the name of its file."""


def jobs_sensor(connection: JobConnection, models: Models) -> dg.SensorDefinition:
    """The sensor `crm_jobs_sensor`, whose runs materialize the models of the connection's streams.

    Args:
        connection: The connection.
        models: Those of its streams that have any.
    """
    name = naming.jobs_sensor(connection.resource)
    source = connection.streams[0].source
    keys = [dg.AssetKey(naming.asset_key(source, stream)) for stream in models]

    @dg.sensor(
        name=name,
        asset_selection=keys or None,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Asks Airbyte for jobs of the connection {connection.resource} that have ended.",
    )
    def jobs(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        airbyte, identity = connection_id(connection.resource)
        cursor = read_cursor(context.cursor, identity)
        listed = jobs_of(airbyte)(identity, cursor.since if cursor is not None else None)
        return tick(connection, identity, cursor, listed, _reasons(context.instance, name, models))

    return jobs


def tick(
    connection: JobConnection, identity: str, cursor: Cursor | None, jobs: Iterable[Job], reasons: Reasons
) -> dg.SensorResult:
    """One tick: what Dagster has to do about the jobs that were listed.

    Args:
        connection: The connection.
        identity: Its id in Airbyte.
        cursor: What the last tick kept; None at the first one.
        jobs: As `decide` takes them.
        reasons: Of each stream that has models.
    """
    decision = decide(cursor, jobs, identity)
    owed = dict(decision.cursor.owed)
    if decision.newest_success is not None:
        owed |= {each.name: decision.newest_success.job_id for each in connection.streams if each.has_models}
    requests, waiting = [], []
    for stream, reason in reasons.items():
        if isinstance(reason, Waiting):
            waiting.append(f"{stream}: {reason.reason}")
            continue
        job = owed.pop(stream, None)
        if reason is not None or job is not None:
            # The key of a repeated run is its own: the job that a run has failed after may be handed out again.
            why = reason.key if reason is not None else str(job)
            requests.append(_request(connection.streams[0].source, stream, f"{decision.cursor.lineage}-{stream}-{why}"))
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else "; ".join(waiting) or "no job has ended",
        asset_events=[event for job in decision.jobs for event in _events(connection.streams, job)],
        cursor=write_cursor(_owing(decision, owed)),
    )


def _owing(decision: Decision, owed: Mapping[str, int]) -> Cursor:
    return decision.cursor.model_copy(update={"owed": dict(owed)})


def _request(source: str, stream: str, key: str) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=key,
        asset_selection=[dg.AssetKey(naming.asset_key(source, stream))],
        tags=earlier_runs.run_tags(source, stream),
    )


def _events(streams: Sequence[JobStream], job: Job) -> Iterable[dg.AssetMaterialization | dg.AssetObservation]:
    """A job that has succeeded materializes all streams; one that has not is reported once, on all of them."""
    ended = job.last_updated_at
    metadata = {
        "job": dg.MetadataValue.int(job.job_id),
        "type": dg.MetadataValue.text(job.job_type),
        "started": dg.MetadataValue.timestamp(job.start_time),
        **({} if ended is None else {"ended": dg.MetadataValue.timestamp(ended)}),
        **({} if job.rows_synced is None else {"rows of the job": dg.MetadataValue.int(job.rows_synced)}),
        **({} if job.bytes_synced is None else {"bytes of the job": dg.MetadataValue.int(job.bytes_synced)}),
    }
    for stream in streams:
        key = raw_key(stream.source, stream.name)
        if job.has_succeeded:
            at = {} if ended is None else {_LAST_UPDATED: dg.MetadataValue.timestamp(ended)}
            yield dg.AssetMaterialization(key, metadata={**metadata, **at})
        else:
            yield dg.AssetObservation(key, description=f"Airbyte's job {job.job_id}: {job.status}", metadata=metadata)


_LAST_UPDATED: Final = "dagster/last_updated_timestamp"
"""Dagster's metadata of when an asset's rows have changed."""


def _reasons(instance: dg.DagsterInstance, sensor: str, models: Models) -> Reasons:
    if not models:
        return {}
    runs: dict[str, list[dg.RunRecord]] = defaultdict(list)
    # One query for all streams; each has at most as many runs as any other one, but for its failures.
    asked = dg.RunsFilter(tags={earlier_runs.SENSOR_TAG: sensor})
    for run in instance.get_run_records(asked, limit=earlier_runs.REMEMBERED * len(models)):
        runs[run.dagster_run.tags.get(earlier_runs.STREAM_TAG, "")].append(run)
    now = datetime.now(UTC)
    return {
        stream: earlier_runs.after(runs[stream], now)
        or earlier_runs.edited_model(instance, definition.code_versions_by_key)
        for stream, definition in models.items()
    }
