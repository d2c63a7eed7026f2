"""`/state/{get,create_or_update,create_or_update_safe}`."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.config.bodies import ConnectionIdBody, StateWriteBody
from airbyte_twin.config.connections import config_connection
from airbyte_twin.config.views import state_view
from airbyte_twin.errors import KnownError, json_response
from airbyte_twin.records import ConnectionState, StreamState
from airbyte_twin.states import state_of, write_state
from airbyte_twin.twin import Twin


async def get(request: Request) -> Response:
    """The state of a connection; `not_set` for an unknown connection."""
    twin, body = Twin.of(request), await read_body(request, ConnectionIdBody)
    return json_response(state_view(state_of(twin.store, str(body.connection_id))))


def sent_state(body: StateWriteBody) -> ConnectionState:
    """The state of a body, for the connection that its outer id names."""
    state = body.connection_state
    sent = state.global_state.streamStates if state.global_state else state.stream_state
    streams = tuple(
        StreamState(
            name=each.stream_descriptor.name, namespace=each.stream_descriptor.namespace, blob=each.stream_state
        )
        for each in sent or ()
    )
    return ConnectionState(
        id=str(body.connection_id),
        type=state.state_type,
        streams=streams,
        shared=state.global_state.shared_state if state.global_state else None,
        legacy=state.state,
    )


async def create_or_update(request: Request) -> Response:
    """Write a state, even while a job runs."""
    twin, body = Twin.of(request), await read_body(request, StateWriteBody)
    config_connection(twin, body)
    return json_response(state_view(write_state(twin.store, sent_state(body))))


async def create_or_update_safe(request: Request) -> Response:
    """Write a state; 423 while a job runs."""
    twin, body = Twin.of(request), await read_body(request, StateWriteBody)
    connection = config_connection(twin, body)
    if twin.store.active_job(connection.id) is not None:
        raise KnownError(423, "State cannot be updated while a sync is running.")
    return json_response(state_view(write_state(twin.store, sent_state(body))))


ROUTES = [
    Route("/state/get", get, methods=["POST"]),
    Route("/state/create_or_update", create_or_update, methods=["POST"]),
    Route("/state/create_or_update_safe", create_or_update_safe, methods=["POST"]),
]
