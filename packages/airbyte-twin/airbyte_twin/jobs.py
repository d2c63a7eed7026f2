"""Jobs: start, cancel, and move to a status. Without a runner, a job stays pending until a test moves it.

Source: airbyte-platform PublicApi JobsController and JobService, JobResponseMapper.
"""

from collections.abc import Sequence

from airbyte_twin.errors import KnownError, OpaqueError, ProblemError, forbidden
from airbyte_twin.records import Connection, Job, JobFailure, JobStatus, JobType, RefreshMode
from airbyte_twin.states import StreamKey, drop_streams
from airbyte_twin.twin import Twin


def known_job(twin: Twin, job_id: int) -> Job:
    """A job.

    Raises:
        ApiError: 409 `state-conflict` or 403, there is none.
    """
    found = twin.store.jobs.get(str(job_id))
    if found is None:
        raise forbidden() if twin.settings.unknown_id_status == 403 else not_running()
    return found


def not_running() -> ProblemError:
    """409 for a job that is unknown or cannot be cancelled any more; 500 in the Config API."""
    return ProblemError(409, "state-conflict", {"message": "Job is not currently running"}, config=OpaqueError(500))


def not_active() -> ProblemError:
    """409 for a connection that takes no such job in its state; 500 in the Config API."""
    return ProblemError(409, "state-conflict", {"message": "Could not fulfill request"}, config=OpaqueError(500))


def already_running(connection: Connection) -> ProblemError:
    """409 for a connection that has a job."""
    message = f"A sync is already running for: {connection.id}"
    return ProblemError(409, "try-again-later", {"message": message}, config=KnownError(409, message))


def start_sync(twin: Twin, connection: Connection) -> Job:
    """Start a sync.

    Raises:
        ProblemError: 409 `state-conflict` if the connection is not active, `try-again-later` if a job is under way.
    """
    if connection.status != "active":
        raise not_active()
    if twin.store.active_job(connection.id) is not None:
        raise already_running(connection)
    return _new_job(twin, connection, "sync")


def start_reset(twin: Twin, connection: Connection, streams: Sequence[StreamKey] | None) -> Job:
    """Start a clear of some or (None) all streams; a running job is cancelled first.

    Raises:
        ProblemError: 409 `state-conflict` if the connection is deprecated.
    """
    _stop_running(twin, connection)
    return _new_job(twin, connection, "reset", streams)


def start_refresh(
    twin: Twin, connection: Connection, streams: Sequence[StreamKey] | None, mode: RefreshMode = "merge"
) -> Job:
    """Start a refresh of some or (None) all streams; a running job is cancelled first.

    Raises:
        ProblemError: 409 `state-conflict` if the connection is not active.
    """
    if connection.status != "active":
        raise not_active()
    _stop_running(twin, connection)
    return _new_job(twin, connection, "refresh", streams, mode)


def _stop_running(twin: Twin, connection: Connection) -> None:
    if connection.status == "deprecated":
        raise not_active()
    running = twin.store.active_job(connection.id)
    if running is not None:
        drive(twin, running, "cancelled")


def _new_job(
    twin: Twin,
    connection: Connection,
    kind: JobType,
    streams: Sequence[StreamKey] | None = None,
    mode: RefreshMode | None = None,
) -> Job:
    now, enabled = twin.clock.seconds(), tuple(stream.key for stream in connection.streams)
    asked = tuple(streams) if streams else enabled
    job = Job(
        id=twin.store.new_job_id(),
        connection_id=connection.id,
        type=kind,
        created_at=now,
        updated_at=now,
        streams=None if kind == "sync" else asked,
        enabled_streams=None if kind == "reset" else enabled,
        refresh_mode=mode,
    )
    twin.store.jobs.put(job)
    twin.runner.submit(job)
    return job


def cancel(twin: Twin, job_id: int) -> Job:
    """Cancel a job.

    Raises:
        ProblemError: 409 `state-conflict` if it is unknown or finished.
    """
    job = twin.store.jobs.get(str(job_id))
    if job is None or job.finished:
        raise not_running()
    return drive(twin, job, "cancelled")


def fail(twin: Twin, job: Job, failure: JobFailure) -> Job:
    """End a job with the reason why it failed."""
    return drive(twin, job.model_copy(update={"failure": failure}), "failed")


def drive(
    twin: Twin, job: Job, status: JobStatus, *, bytes_synced: int | None = None, rows_synced: int | None = None
) -> Job:
    """Move a job to a status, with the effect on the connection's cursors.

    A refresh forgets cursors when it starts to run, a clear when it succeeded.
    Source: airbyte-platform RefreshJobStateUpdater and the reset activity.
    """
    now = twin.clock.seconds()
    changes: dict[str, object] = {"status": status, "updated_at": now}
    if status != "pending" and job.started_at is None:
        changes["started_at"] = now
    if bytes_synced is not None:
        changes["bytes_synced"] = bytes_synced
    if rows_synced is not None:
        changes["rows_synced"] = rows_synced
    starts = job.status in {"pending", "queued"} and status in {"running", "incomplete", "succeeded", "failed"}
    if (job.type == "refresh" and starts) or (job.type == "reset" and status == "succeeded"):
        drop_streams(twin.store, job.connection_id, job.streams)
    after = twin.store.jobs.put(job.model_copy(update=changes))
    if after.finished:
        twin.runner.cancel(after.id)
    return after
