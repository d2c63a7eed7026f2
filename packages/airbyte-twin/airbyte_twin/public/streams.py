"""`/streams`: the streams of a source, with the sync modes that a destination allows."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.actors import known_actor
from airbyte_twin.catalogs import field_paths
from airbyte_twin.discovery import DiscoveryError, discover
from airbyte_twin.documents import JsonObject, without_nulls
from airbyte_twin.errors import OpaqueError, json_response
from airbyte_twin.queries import read_flag, read_id, required_id
from airbyte_twin.records import ActorKind, DestinationSyncMode, DiscoveredStream
from airbyte_twin.sync_modes import listed_modes
from airbyte_twin.twin import Twin


async def list_streams(request: Request) -> Response:
    """GET the streams of a source; `syncModes` only with a destination."""
    twin = Twin.of(request)
    source_id, destination_id = required_id(request, "sourceId"), read_id(request, "destinationId")
    source = known_actor(twin, ActorKind.SOURCE, source_id)
    modes: tuple[DestinationSyncMode, ...] | None = None
    if destination_id is not None:
        destination = known_actor(twin, ActorKind.DESTINATION, destination_id)
        modes = twin.connector(destination.definition_id).destination_modes
    try:
        catalog = await discover(twin, source, fresh=read_flag(request, "ignoreCache"))
    except DiscoveryError as error:
        raise OpaqueError(500) from error
    return json_response([stream_view(stream, modes) for stream in catalog.streams])


def stream_view(stream: DiscoveredStream, modes: tuple[DestinationSyncMode, ...] | None) -> JsonObject:
    """A StreamProperties; the namespace's key is spelt with a lower-case n."""
    return without_nulls(
        {
            "streamName": stream.name,
            "streamnamespace": stream.namespace,
            "syncModes": None if modes is None else [*listed_modes(stream.supported_sync_modes, modes)],
            "defaultCursorField": list(stream.default_cursor_field),
            "sourceDefinedCursorField": stream.source_defined_cursor,
            "sourceDefinedPrimaryKey": [list(path) for path in stream.source_defined_primary_key],
            "propertyFields": [list(path) for path in field_paths(stream.json_schema)],
        }
    )


ROUTES = [Route("/streams", list_streams, methods=["GET"])]
