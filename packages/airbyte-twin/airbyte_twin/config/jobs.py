"""`/jobs` and `/attempt`, and the jobs that only this API starts: clears of single streams, and refreshes.

Source: airbyte-platform JobHistoryHandler, SchedulerHandler, AttemptHandler.
"""

from collections.abc import Iterable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.config.actors import page_at
from airbyte_twin.config.bodies import (
    AttemptBody,
    ConnectionIdBody,
    ConnectionJobBody,
    JobIdBody,
    JobsBody,
    PageBody,
    RefreshBody,
    StreamNameBody,
    StreamsJobBody,
)
from airbyte_twin.config.connections import config_connection
from airbyte_twin.config.definitions import definition_view
from airbyte_twin.config.views import (
    JOB_TYPES,
    attempt_read_view,
    attempt_view,
    connection_view,
    job_info_view,
    job_view,
    statistics_view,
)
from airbyte_twin.documents import JsonArray, JsonObject
from airbyte_twin.errors import OpaqueError, json_response
from airbyte_twin.jobs import cancel, known_job, start_refresh, start_reset, start_sync
from airbyte_twin.records import Job
from airbyte_twin.states import StreamKey
from airbyte_twin.twin import Twin


def stream_keys(streams: Iterable[StreamNameBody]) -> list[StreamKey]:
    """The streams of a body, each once."""
    return list(dict.fromkeys((stream.stream_namespace, stream.stream_name) for stream in streams))


async def reset(request: Request) -> Response:
    """Clear a whole connection."""
    twin = Twin.of(request)
    connection = config_connection(twin, await read_body(request, ConnectionIdBody))
    return json_response(job_info_view(start_reset(twin, connection, None)))


async def reset_streams(request: Request) -> Response:
    """Clear some streams of a connection, or all if none is named."""
    twin, body = Twin.of(request), await read_body(request, StreamsJobBody)
    connection = config_connection(twin, body)
    return json_response(job_info_view(start_reset(twin, connection, stream_keys(body.streams))))


async def refresh(request: Request) -> Response:
    """Refresh streams; an empty answer if the destination does not support it."""
    twin, body = Twin.of(request), await read_body(request, RefreshBody)
    connection = config_connection(twin, body)
    if not twin.refreshes(connection):
        return json_response({})
    job = start_refresh(twin, connection, stream_keys(body.streams or ()), body.refresh_mode)
    return json_response({"job": job_view(job)})


async def sync(request: Request) -> Response:
    """Start a sync."""
    twin = Twin.of(request)
    connection = config_connection(twin, await read_body(request, ConnectionIdBody))
    return json_response(job_info_view(start_sync(twin, connection)))


async def get_job(request: Request) -> Response:
    """A job with its log."""
    twin, body = Twin.of(request), await read_body(request, JobIdBody)
    job = known_job(twin, body.id)
    return json_response(job_info_view(job, twin.runner.log(job.id)))


async def get_without_logs(request: Request) -> Response:
    """A job with its attempts, without their logs."""
    twin, body = Twin.of(request), await read_body(request, JobIdBody)
    job = known_job(twin, body.id)
    attempts: JsonArray = [{"attempt": each} for each in attempt_reads(job)]
    return json_response({"job": job_view(job), "attempts": attempts})


async def get_light(request: Request) -> Response:
    """A job alone."""
    twin, body = Twin.of(request), await read_body(request, JobIdBody)
    return json_response({"job": job_view(known_job(twin, body.id))})


async def get_debug_info(request: Request) -> Response:
    """A job with its attempts, their logs, and the definitions of its source and destination."""
    twin, body = Twin.of(request), await read_body(request, JobIdBody)
    job = known_job(twin, body.id)
    info = job_info_view(job, twin.runner.log(job.id))
    shown: JsonObject = {
        "id": int(job.id),
        "configType": JOB_TYPES[job.type],
        "configId": job.connection_id,
        "status": job.status,
        "airbyteVersion": twin.settings.version,
    }
    connection = twin.store.connections.get(job.connection_id)
    for key in (connection.source_id, connection.destination_id) if connection else ():
        actor = twin.store.actors.get(key)
        definition = twin.store.definitions.get(actor.definition_id) if actor else None
        if definition is not None:
            shown[f"{definition.kind}Definition"] = definition_view(definition)
    return json_response({"job": shown, "attempts": info["attempts"]})


async def get_last_replication(request: Request) -> Response:
    """The last job of a connection that was not cancelled, or with `_with_cancel` the last one; empty without any."""
    twin, body = Twin.of(request), await read_body(request, ConnectionIdBody)
    cancelled = request.url.path.endswith("_with_cancel")
    jobs = [each for each in twin.store.jobs_of(str(body.connection_id)) if cancelled or each.status != "cancelled"]
    return json_response({"job": job_view(jobs[-1])} if jobs else {})


async def cancel_job(request: Request) -> Response:
    """Cancel a job."""
    twin, body = Twin.of(request), await read_body(request, JobIdBody)
    return json_response(job_info_view(cancel(twin, body.id)))


def attempt_reads(job: Job) -> JsonArray:
    """The attempts of a job: one, once it started."""
    return [] if job.started_at is None else [attempt_read_view(job)]


def job_and_attempts_view(job: Job) -> JsonObject:
    """A JobWithAttemptsRead."""
    return {"job": job_view(job), "attempts": attempt_reads(job)}


def is_within(seconds: int, start: datetime | None, end: datetime | None) -> bool:
    """Whether a time is between two others, both included."""
    return (start is None or seconds >= start.timestamp()) and (end is None or seconds <= end.timestamp())


def listed_jobs(twin: Twin, body: JobsBody) -> list[Job]:
    """All jobs that a body asks for, in its order: by default the newest first.

    Raises:
        OpaqueError: 500, it names no type of job.
    """
    if not body.config_types:
        raise OpaqueError(500)
    workspaces = None if body.workspace_ids is None else {str(each) for each in body.workspace_ids}
    connections = {each.id for each in twin.store.connections if workspaces is None or each.workspace_id in workspaces}
    found = [
        job
        for job in twin.store.jobs
        if JOB_TYPES[job.type] in body.config_types
        and body.config_id in {None, job.connection_id}
        and job.connection_id in connections
        and (not body.statuses or job.status in body.statuses)
        and is_within(job.created_at, body.created_at_start, body.created_at_end)
        and is_within(job.updated_at, body.updated_at_start, body.updated_at_end)
    ]
    by_update = body.order_by_field == "updatedAt"
    found.sort(key=lambda job: (job.updated_at if by_update else job.created_at, int(job.id)))
    return found if body.order_by_method == "ASC" else found[::-1]


async def list_jobs(request: Request) -> Response:
    """A page of jobs with their attempts, and how many there are; a job can be named that the page must reach."""
    twin, body = Twin.of(request), await read_body(request, JobsBody)
    jobs = listed_jobs(twin, body)
    page = body.pagination or PageBody()
    if body.including_job_id is not None:
        position = next((index for index, job in enumerate(jobs) if int(job.id) == body.including_job_id), -1)
        shown = jobs[: max(position + 1, page.page_size or 0)] if position >= 0 else []
    else:
        shown = page_at(jobs, page)
    return json_response({"jobs": [job_and_attempts_view(job) for job in shown], "totalJobCount": len(jobs)})


class WorkspaceJobsBody(JobsBody):
    """Which jobs of workspaces to list."""

    java = "JobListForWorkspacesRequestBody"


async def list_for_workspaces(request: Request) -> Response:
    """A page of the jobs of workspaces; only those of the page are counted."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceJobsBody)
    shown = page_at(listed_jobs(twin, body), body.pagination or PageBody())
    return json_response({"jobs": [job_and_attempts_view(job) for job in shown], "totalJobCount": len(shown)})


def attempted(twin: Twin, body: AttemptBody) -> Job:
    """The job of an attempt.

    Raises:
        ApiError: 404 or 403, it has no such attempt.
    """
    job = twin.store.jobs.get(str(body.job_id))
    if job is None or job.started_at is None or body.attempt_number != 0:
        raise twin.unknown_in_config()
    return job


async def get_attempt(request: Request) -> Response:
    """An attempt with its log."""
    twin, body = Twin.of(request), await read_body(request, AttemptBody)
    job = attempted(twin, body)
    return json_response(attempt_view(job, twin.runner.log(job.id)))


async def get_combined_stats(request: Request) -> Response:
    """The rows and bytes of an attempt."""
    twin, body = Twin.of(request), await read_body(request, AttemptBody)
    return json_response(statistics_view(attempted(twin, body)))


async def get_connection_for_job(request: Request) -> Response:
    """The connection of a job; the twin has it as it is now."""
    twin, body = Twin.of(request), await read_body(request, ConnectionJobBody)
    connection = config_connection(twin, body)
    known_job(twin, body.job_id)
    return json_response(connection_view(twin, connection))


CALLS = {
    "/connections/reset": reset,
    "/connections/clear": reset,
    "/connections/reset/stream": reset_streams,
    "/connections/clear/stream": reset_streams,
    "/connections/refresh": refresh,
    "/connections/sync": sync,
    "/connections/getForJob": get_connection_for_job,
    "/jobs/get": get_job,
    "/jobs/get_without_logs": get_without_logs,
    "/jobs/get_light": get_light,
    "/jobs/get_debug_info": get_debug_info,
    "/jobs/get_last_replication_job": get_last_replication,
    "/jobs/get_last_replication_job_with_cancel": get_last_replication,
    "/jobs/list": list_jobs,
    "/jobs/list_for_workspaces": list_for_workspaces,
    "/jobs/cancel": cancel_job,
    "/attempt/get_for_job": get_attempt,
    "/attempt/get_combined_stats": get_combined_stats,
}
ROUTES = [Route(path, call, methods=["POST"]) for path, call in CALLS.items()]
