"""The control endpoints, below `/_twin`: calls, faults, clock, jobs, tokens and drift.

Drift is a change by the server or the outside world. Source of the propagation: airbyte-platform
AutoPropagateSchemaChangeHelper.
"""

from typing import Annotated, Literal, TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.discovery import outside_catalog
from airbyte_twin.documents import JsonObject, as_object, parse_json
from airbyte_twin.errors import ApiError, json_response
from airbyte_twin.faults import Fault
from airbyte_twin.jobs import drive
from airbyte_twin.permissions import grant, new_permission
from airbyte_twin.public.views import job_view, user_view
from airbyte_twin.records import (
    DEFAULT_ID,
    Actor,
    Catalog,
    Connection,
    ConnectionStatus,
    Description,
    Image,
    Job,
    JobStatus,
    SelectedStream,
    Temper,
    User,
)
from airbyte_twin.secrets import SecretTree, is_node
from airbyte_twin.specs import spec_flaw
from airbyte_twin.twin import Twin

OrganizationPermission = Literal[
    "organization_admin", "organization_editor", "organization_runner", "organization_reader", "organization_member"
]
LAST_INSTANT = 253_402_300_799
"""The end of the year 9999, in seconds since 1970: later times cannot be written down."""


class Order(BaseModel):
    """Base of all control bodies."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class ClockOrder(Order):
    """Freeze the clock (at an instant, in seconds since 1970), let it run again, move it; in this order."""

    freeze: bool | Annotated[float, Field(ge=0, le=LAST_INSTANT)] | None = None
    resume: bool = False
    advance: float = Field(default=0, ge=-LAST_INSTANT, le=LAST_INSTANT)


class JobOrder(Order):
    """Move a job to a status."""

    status: JobStatus
    bytes_synced: int | None = Field(default=None, ge=0)
    rows_synced: int | None = Field(default=None, ge=0)


class StatusDrift(Order):
    """The server sets a connection's status, as after a breaking schema change, which it then also records."""

    kind: Literal["connection_status"]
    connection_id: UUID
    status: ConnectionStatus
    breaking_change: bool | None = None


class ColumnDrift(Order):
    """The server propagates a new column to a connection; `select` adds it to selected fields too."""

    kind: Literal["propagate_column"]
    connection_id: UUID
    stream: str
    field: str
    json_schema: JsonObject = Field(default={"type": "string"}, validate_default=True)
    select: bool = True


class OutsideDrift(Order):
    """The system behind a source gains or changes a column, or loses it (null schema); found by a fresh discovery."""

    kind: Literal["outside_column"]
    source_id: UUID
    stream: str
    field: str
    json_schema: JsonObject | None


class SecretDrift(Order):
    """Someone changes a secret of an actor out of band; `path` names it, array positions as text."""

    kind: Literal["rotate_secret"]
    actor_id: UUID
    path: tuple[str, ...] = Field(min_length=1)
    value: str


class TemperDrift(Order):
    """A connector starts to fail or to be slow; omitted members reset to normal.

    `read_failure_after` is the number of records that a source still sends before it fails.
    """

    kind: Literal["temper"]
    actor_id: UUID
    check_failure: str | None = None
    discover_failure: str | None = None
    discover_seconds: float = Field(default=0, ge=0, le=600)
    read_failure: str | None = None
    read_failure_after: int = Field(default=0, ge=0)


class UserOrder(Order):
    """A person joins an organization, by default as a member of the one that exists from the start."""

    name: str
    email: str
    organization_id: UUID = UUID(DEFAULT_ID)
    permission_type: OrganizationPermission = "organization_member"


class ImageOrder(Order):
    """Describe an image, as it would do itself if it were run: its definitions then behave as its connector."""

    docker_repository: str = Field(min_length=1)
    connector: Description


class Drift(RootModel[StatusDrift | ColumnDrift | OutsideDrift | SecretDrift | TemperDrift]):
    """Any change that the server or the outside world makes by itself."""

    model_config = ConfigDict(frozen=True)

    root: Annotated[StatusDrift | ColumnDrift | OutsideDrift | SecretDrift | TemperDrift, Field(discriminator="kind")]


M = TypeVar("M", bound=BaseModel)


def refused(message: str, status: int = 422) -> ApiError:
    """A control error with a message."""
    return ApiError(status, {"message": message})


async def read_order(request: Request, model: type[M]) -> M:
    """Parse a control body.

    Raises:
        ApiError: 422 with the first thing that is wrong.
    """
    try:
        return model.model_validate(parse_json(await request.body()))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise refused(f"{where}: {first['msg']}") from error
    except ValueError as error:
        raise refused(f"not JSON: {error}") from error


async def drift(request: Request) -> Response:
    """Make one change; answers 204."""
    twin, order = Twin.of(request), (await read_order(request, Drift)).root
    if isinstance(order, StatusDrift):
        connection = known_connection(twin, str(order.connection_id))
        marked = {} if order.breaking_change is None else {"breaking_change": order.breaking_change}
        twin.store.connections.put(connection.model_copy(update={"status": order.status, **marked}))
    elif isinstance(order, ColumnDrift):
        propagate_column(twin, order)
    elif isinstance(order, OutsideDrift):
        change_outside(twin, order)
    elif isinstance(order, SecretDrift):
        rotate_secret(twin, order)
    else:
        set_temper(twin, order)
    return Response(status_code=204)


def known_connection(twin: Twin, connection_id: str) -> Connection:
    """A connection of any status."""
    found = twin.store.connections.get(connection_id)
    if found is None:
        raise refused(f"no connection {connection_id}", 404)
    return found


def known_actor(twin: Twin, actor_id: str) -> Actor:
    """A source or destination that was not deleted."""
    found = twin.store.actors.get(actor_id)
    if found is None or found.deleted:
        raise refused(f"no source or destination {actor_id}", 404)
    return found


def with_column(catalog: Catalog, stream_name: str, field: str, schema: JsonObject | None) -> Catalog:
    """A copy of a catalog, under a new id, in which one stream has one column more, changed or (None) less."""
    if all(stream.name != stream_name for stream in catalog.streams):
        raise refused(f"no stream {stream_name}", 404)
    streams = []
    for stream in catalog.streams:
        if stream.name == stream_name:
            columns = {
                key: value for key, value in as_object(stream.json_schema.get("properties")).items() if key != field
            }
            columns |= {} if schema is None else {field: schema}
            changed = {**stream.json_schema, "properties": columns}
            streams.append(stream.model_copy(update={"json_schema": changed}))
        else:
            streams.append(stream)
    return Catalog(id=str(uuid4()), streams=tuple(streams))


def propagate_column(twin: Twin, order: ColumnDrift) -> None:
    """Give a connection's stream a column, in its catalog and its selected fields."""
    connection = known_connection(twin, str(order.connection_id))
    before = twin.catalog(connection.catalog_id)
    catalog = twin.store.catalogs.put(with_column(before, order.stream, order.field, order.json_schema))

    def widened(stream: SelectedStream) -> SelectedStream:
        if stream.name != order.stream or stream.selected_fields is None or not order.select:
            return stream
        return stream.model_copy(update={"selected_fields": (*stream.selected_fields, order.field)})

    streams = tuple(widened(stream) for stream in connection.streams)
    twin.store.connections.put(connection.model_copy(update={"streams": streams, "catalog_id": catalog.id}))


def change_outside(twin: Twin, order: OutsideDrift) -> None:
    """Change the catalog that a fresh discovery of a source finds."""
    source = known_actor(twin, str(order.source_id))
    before = outside_catalog(twin, source)
    if before is None:
        raise refused(f"source {source.id} has no streams", 404)
    catalog = twin.store.catalogs.put(with_column(before, order.stream, order.field, order.json_schema))
    twin.store.actors.put(source.model_copy(update={"catalog_id": catalog.id}))


def rotate_secret(twin: Twin, order: SecretDrift) -> None:
    """Store another value for one secret, under the next version of its coordinate."""
    actor = known_actor(twin, str(order.actor_id))
    vault, tree = twin.vault(actor.workspace_id), twin.secret_tree(actor.definition_id)
    changed = replaced(actor.configuration, tree, order.path, order.value)
    sealed = as_object(vault.sealed(changed, tree, actor.configuration))
    twin.store.actors.put(actor.model_copy(update={"configuration": sealed}))


def replaced(document: JsonValue, tree: SecretTree, path: tuple[str, ...], value: str) -> JsonValue:
    """The document with another value at a secret's path."""
    if not path:
        if not tree.secret or not is_node(document):
            raise refused("path: not a secret of the configuration")
        return value
    step, rest = path[0], path[1:]
    if isinstance(document, dict) and step in document and step in tree.children:
        return {**document, step: replaced(document[step], tree.children[step], rest, value)}
    if isinstance(document, list) and step.isdecimal() and int(step) < len(document) and "*" in tree.children:
        changed = list(document)
        changed[int(step)] = replaced(document[int(step)], tree.children["*"], rest, value)
        return changed
    raise refused(f"path: {step!r} is not on the path of a secret of the configuration")


def set_temper(twin: Twin, order: TemperDrift) -> None:
    """Set the behaviour of an actor's connector."""
    actor = known_actor(twin, str(order.actor_id))
    twin.store.tempers.put(
        Temper(
            id=actor.id,
            check_failure=order.check_failure,
            discover_failure=order.discover_failure,
            discover_seconds=order.discover_seconds,
            read_failure=order.read_failure,
            read_failure_after=order.read_failure_after,
        )
    )


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
        raise refused("advance: the time must stay between the years 1970 and 9999")
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


async def describe(request: Request) -> Response:
    """POST what an image says of itself; another description replaces it."""
    twin, order = Twin.of(request), await read_order(request, ImageOrder)
    flaw = spec_flaw(order.connector.spec)
    if flaw:
        raise refused(f"connector.spec: not a JSON Schema: {flaw}")
    twin.store.images.put(Image(id=order.docker_repository, description=order.connector))
    return Response(status_code=204)


async def end_tokens(request: Request) -> Response:
    """DELETE makes every bearer token end now."""
    Twin.of(request).tokens.end_all()
    return Response(status_code=204)


async def add_user(request: Request) -> Response:
    """POST a user, which no call of the APIs can: people sign up in Airbyte's pages."""
    twin, order = Twin.of(request), await read_order(request, UserOrder)
    if twin.store.organizations.get(str(order.organization_id)) is None:
        raise refused(f"organizationId: there is no organization {order.organization_id}")
    user = twin.store.users.put(User(id=str(uuid4()), name=order.name, email=order.email))
    grant(twin, new_permission(user.id, order.permission_type, organization_id=str(order.organization_id)))
    return json_response(user_view(user))


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
    Route("/users", add_user, methods=["POST"]),
    Route("/connectors", describe, methods=["POST"]),
    Route("/tokens", end_tokens, methods=["DELETE"]),
]
