"""Jobs that only the Config API can start: clears of single streams, and refreshes. Also `/jobs/{get,cancel}`."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.config.bodies import ConnectionIdBody, JobIdBody, RefreshBody, StreamNameBody, StreamsJobBody
from airbyte_twin.config.connections import config_connection
from airbyte_twin.config.views import job_info_view, job_view
from airbyte_twin.errors import json_response
from airbyte_twin.jobs import cancel, start_refresh, start_reset, start_sync
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
    destination = twin.store.actors.get(connection.destination_id)
    if destination is None or not twin.connector(destination.definition_id).supports_refreshes:
        return json_response({})
    job = start_refresh(twin, connection, stream_keys(body.streams or ()), body.refresh_mode)
    return json_response({"job": job_view(job)})


async def sync(request: Request) -> Response:
    """Start a sync."""
    twin = Twin.of(request)
    connection = config_connection(twin, await read_body(request, ConnectionIdBody))
    return json_response(job_info_view(start_sync(twin, connection)))


async def get_job(request: Request) -> Response:
    """A job."""
    twin, body = Twin.of(request), await read_body(request, JobIdBody)
    job = twin.store.jobs.get(str(body.id))
    if job is None:
        raise twin.unknown_in_config()
    return json_response(job_info_view(job, twin.runner.log(job.id)))


async def cancel_job(request: Request) -> Response:
    """Cancel a job."""
    twin, body = Twin.of(request), await read_body(request, JobIdBody)
    return json_response(job_info_view(cancel(twin, body.id)))


ROUTES = [
    Route("/connections/reset", reset, methods=["POST"]),
    Route("/connections/clear", reset, methods=["POST"]),
    Route("/connections/reset/stream", reset_streams, methods=["POST"]),
    Route("/connections/clear/stream", reset_streams, methods=["POST"]),
    Route("/connections/refresh", refresh, methods=["POST"]),
    Route("/connections/sync", sync, methods=["POST"]),
    Route("/jobs/get", get_job, methods=["POST"]),
    Route("/jobs/cancel", cancel_job, methods=["POST"]),
]
