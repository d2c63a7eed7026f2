"""`/jobs`: syncs and clears; only the Config API starts refreshes."""

from collections.abc import Callable
from datetime import datetime
from typing import get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.bodies import JobCreate
from airbyte_twin.body import read_body
from airbyte_twin.connections import known_connection
from airbyte_twin.errors import OpaqueError, bad_request, json_response, unconverted, unprocessable
from airbyte_twin.jobs import cancel, known_job, start_reset, start_sync
from airbyte_twin.json_mapper import PUBLIC_MAPPER
from airbyte_twin.public.views import job_view
from airbyte_twin.queries import LONG_LIMIT, envelope, read_id, read_ids, read_page, whole_number
from airbyte_twin.records import Job, JobStatus, JobType
from airbyte_twin.twin import Twin

TYPES = frozenset({*get_args(JobType), "clear"})
STATUSES = frozenset(get_args(JobStatus))
ENUMS = {"jobType": "JobTypeEnum", "status": "JobStatusEnum"}
ORDERS: dict[str, Callable[[Job], tuple[int, int]]] = {
    "createdAt": lambda job: (job.created_at, int(job.id)),
    "updatedAt": lambda job: (job.updated_at, int(job.id)),
}


async def list_jobs(request: Request) -> Response:
    """GET a page of jobs, the oldest first, or in the order of `orderBy`."""
    twin, page = Twin.of(request), read_page(request)
    key, backwards = read_order(request)
    checks = [
        connection_check(request, twin),
        type_check(request),
        status_check(request),
        time_check(request, "createdAt", lambda job: job.created_at),
        time_check(request, "updatedAt", lambda job: job.updated_at),
    ]
    rows = sorted((job for job in twin.store.jobs if all(check(job) for check in checks)), key=key, reverse=backwards)
    return json_response(envelope(request, page, rows, job_view, link_query(request)))


def link_query(request: Request) -> list[tuple[str, str]]:
    """The parameters that links to other pages repeat; status, times and order are not among them."""
    kind, connection_id = read_choice(request, "jobType", TYPES), read_id(request, "connectionId")
    workspaces = read_ids(request, "workspaceIds")
    scope = ("connectionId", connection_id or "") if connection_id else ("workspaceIds", ",".join(workspaces))
    return [(name, value) for name, value in (("jobType", kind), scope) if value]


def connection_check(request: Request, twin: Twin) -> Callable[[Job], bool]:
    """`connectionId`, or else `workspaceIds`."""
    connection_id = read_id(request, "connectionId")
    if connection_id is not None:
        known_connection(twin, connection_id)
        return lambda job: job.connection_id == connection_id
    workspaces = set(read_ids(request, "workspaceIds"))

    def within(job: Job) -> bool:
        connection = twin.store.connections.get(job.connection_id)
        return not workspaces or (connection is not None and connection.workspace_id in workspaces)

    return within


def type_check(request: Request) -> Callable[[Job], bool]:
    """`jobType`; `clear` finds nothing, for a clear is a job of the type `reset`."""
    wanted = read_choice(request, "jobType", TYPES)
    return lambda job: not wanted or job.type == wanted


def status_check(request: Request) -> Callable[[Job], bool]:
    """`status`."""
    wanted = read_choice(request, "status", STATUSES)
    return lambda job: not wanted or job.status == wanted


def read_choice(request: Request, name: str, choices: frozenset[str]) -> str:
    """An enum parameter, empty when absent.

    Raises:
        HttpError: 400, it is none of the choices.
    """
    sent = request.query_params.get(name, "")
    if sent and sent.lower() not in choices:
        enum = f"{PUBLIC_MAPPER.package}{ENUMS[name]}.{sent}"
        raise unconverted(request, name, f"String {name[0]}", f"No enum constant {enum}")
    return sent.lower()


def time_check(request: Request, name: str, value: Callable[[Job], int]) -> Callable[[Job], bool]:
    """`<name>Start` and `<name>End`, both included."""
    start, end = read_time(request, name + "Start"), read_time(request, name + "End")
    return lambda job: (start is None or value(job) >= start) and (end is None or value(job) <= end)


def read_time(request: Request, name: str) -> float | None:
    """Seconds since 1970 of an ISO time with a zone."""
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        if moment.tzinfo is None:
            raise OpaqueError(400)
        return moment.timestamp()
    except (ValueError, OverflowError) as error:
        raise OpaqueError(400) from error


def read_order(request: Request) -> tuple[Callable[[Job], tuple[int, int]], bool]:
    """The sort key of `orderBy=<field>|<ASC or DESC>` and whether it runs backwards."""
    clause = request.query_params.get("orderBy", "createdAt|ASC")
    field, _, direction = clause.partition("|")
    if field not in ORDERS or direction.upper() not in {"ASC", "DESC"}:
        raise bad_request(f"Invalid order by clause provided: {clause}")
    return ORDERS[field], direction.upper() == "DESC"


async def create(request: Request) -> Response:
    """POST a job; `reset` and `clear` are the same, `refresh` is refused."""
    twin, body = Twin.of(request), await read_body(request, JobCreate)
    connection = known_connection(twin, str(body.connection_id))
    if body.job_type == "refresh":
        raise unprocessable("Refreshes are not supported in the public API")
    job = start_sync(twin, connection) if body.job_type == "sync" else start_reset(twin, connection, None)
    return json_response(job_view(job))


def job_id(request: Request) -> int:
    """The job that a path names.

    Raises:
        HttpError: 400, it is no number.
    """
    return whole_number(request, "jobId", request.path_params["job_id"], LONG_LIMIT)


async def get(request: Request) -> Response:
    """GET a job."""
    return json_response(job_view(known_job(Twin.of(request), job_id(request))))


async def delete(request: Request) -> Response:
    """DELETE cancels a job and answers 200 with it."""
    return json_response(job_view(cancel(Twin.of(request), job_id(request))))


ROUTES = [
    Route("/jobs", list_jobs, methods=["GET"]),
    Route("/jobs", create, methods=["POST"]),
    Route("/jobs/{job_id}", get, methods=["GET"]),
    Route("/jobs/{job_id}", delete, methods=["DELETE"]),
]
