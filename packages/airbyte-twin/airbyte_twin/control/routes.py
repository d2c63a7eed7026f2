"""The routes of the control endpoints, and those that need no module of their own."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.control.bodies import LAST_INSTANT, ClockOrder, JobOrder, read_order, refused
from airbyte_twin.control.drift import drift
from airbyte_twin.documents import JsonObject
from airbyte_twin.errors import json_response
from airbyte_twin.faults import Fault
from airbyte_twin.jobs import drive
from airbyte_twin.public.views import job_view
from airbyte_twin.records import Job
from airbyte_twin.twin import Twin


async def list_calls(request: Request) -> Response:
    """GET the calls since the start or the last clearing, oldest first."""
    return json_response([call.document() for call in Twin.of(request).calls.calls()])


async def count_calls(request: Request) -> Response:
    """GET how many calls by method."""
    return json_response(dict(Twin.of(request).calls.counts()))


async def clear_calls(request: Request) -> Response:
    """DELETE calls and counts."""
    Twin.of(request).calls.clear()
    return Response(status_code=204)


async def list_faults(request: Request) -> Response:
    """GET ordered failures, each with the number of matching requests that it has seen."""
    orders = Twin.of(request).faults.orders()
    return json_response([{**fault.model_dump(mode="json"), "seen": seen} for fault, seen in orders])


async def add_fault(request: Request) -> Response:
    """POST one failure."""
    fault = await read_order(request, Fault)
    Twin.of(request).faults.add(fault)
    return json_response(fault.model_dump(mode="json"))


async def clear_faults(request: Request) -> Response:
    """DELETE all ordered failures."""
    Twin.of(request).faults.clear()
    return Response(status_code=204)


def clock_view(twin: Twin) -> JsonObject:
    """Now, in seconds since 1970, and whether time stands still."""
    return {"now": twin.clock.now(), "frozen": twin.clock.frozen}


async def read_clock(request: Request) -> Response:
    """GET the time."""
    return json_response(clock_view(Twin.of(request)))


async def set_clock(request: Request) -> Response:
    """POST freezes, resumes or moves time."""
    twin, order = Twin.of(request), await read_order(request, ClockOrder)
    frozen_at = None if isinstance(order.freeze, bool) else order.freeze
    if not 0 <= (twin.clock.now() if frozen_at is None else frozen_at) + order.advance <= LAST_INSTANT:
        raise refused("advance: leads out of the years 1970 to 9999")
    if order.freeze is True:
        twin.clock.freeze()
    elif frozen_at is not None:
        twin.clock.freeze(frozen_at)
    if order.resume:
        twin.clock.resume()
    twin.clock.advance(order.advance)
    twin.runner.clock_moved()
    return json_response(clock_view(twin))


def known_job(twin: Twin, request: Request) -> Job:
    """The job that a path names.

    Raises:
        ApiError: 404, there is none.
    """
    job = twin.store.jobs.get(request.path_params["job_id"])
    if job is None:
        raise refused(f"no job {request.path_params['job_id']}", 404)
    return job


async def show_job(request: Request) -> Response:
    """GET a job with why it failed and the last lines of its log."""
    twin = Twin.of(request)
    job = known_job(twin, request)
    failure = job.failure.model_dump() if job.failure else None
    return json_response({**job_view(job), "failure": failure, "log": [*twin.runner.log(job.id)]})


async def drive_job(request: Request) -> Response:
    """POST moves a job to a status."""
    twin, order = Twin.of(request), await read_order(request, JobOrder)
    job = known_job(twin, request)
    if job.finished:
        raise refused(f"job {job.id} is {job.status} already", 409)
    driven = drive(twin, job, order.status, bytes_synced=order.bytes_synced, rows_synced=order.rows_synced)
    return json_response(job_view(driven))


async def end_tokens(request: Request) -> Response:
    """DELETE makes every bearer token end now."""
    Twin.of(request).tokens.end_all()
    return Response(status_code=204)


ROUTES = [
    Route("/calls", list_calls, methods=["GET"]),
    Route("/calls", clear_calls, methods=["DELETE"]),
    Route("/counts", count_calls, methods=["GET"]),
    Route("/counts", clear_calls, methods=["DELETE"]),
    Route("/faults", list_faults, methods=["GET"]),
    Route("/faults", add_fault, methods=["POST"]),
    Route("/faults", clear_faults, methods=["DELETE"]),
    Route("/clock", read_clock, methods=["GET"]),
    Route("/clock", set_clock, methods=["POST"]),
    Route("/drift", drift, methods=["POST"]),
    Route("/jobs/{job_id}", show_job, methods=["GET"]),
    Route("/jobs/{job_id}", drive_job, methods=["POST"]),
    Route("/tokens", end_tokens, methods=["DELETE"]),
]
