"""`/web_backend/connections/get`: a connection as the web application sees it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.config.bodies import ConnectionReadBody
from airbyte_twin.config.connections import config_connection
from airbyte_twin.config.views import (
    actor_view,
    connection_view,
    default_config_view,
    definition_version_view,
    stream_config_view,
    stream_view,
)
from airbyte_twin.discovery import DiscoveryError, discover
from airbyte_twin.documents import JsonArray, JsonObject, without_nulls
from airbyte_twin.errors import OpaqueError, json_response
from airbyte_twin.records import Actor, Catalog, Connection, DiscoveredStream
from airbyte_twin.twin import Twin

READ_MEMBERS = (
    "connectionId", "name", "namespaceDefinition", "namespaceFormat", "prefix", "sourceId", "destinationId", "schedule",
    "scheduleType", "scheduleData", "status", "operationIds", "resourceRequirements", "notifySchemaChanges",
    "notifySchemaChangesByEmail", "nonBreakingChangesPreference", "backfillPreference", "tags",
)  # fmt: skip


async def get(request: Request) -> Response:
    """The connection with all streams of its source, and the catalog diff of a fresh discovery if requested."""
    twin, body = Twin.of(request), await read_body(request, ConnectionReadBody)
    connection = config_connection(twin, body)
    source = twin.store.actors.get(connection.source_id)
    destination = twin.store.actors.get(connection.destination_id)
    if source is None or destination is None:
        raise OpaqueError(404)
    catalog = twin.catalog(connection.catalog_id)
    if body.with_refreshed_catalog and not source.deleted:
        try:
            catalog = await discover(twin, source, fresh=True)
        except DiscoveryError as error:
            raise OpaqueError(500) from error
    return json_response(backend_view(twin, connection, source, destination, catalog))


def backend_view(twin: Twin, connection: Connection, source: Actor, destination: Actor, catalog: Catalog) -> JsonObject:
    """A WebBackendConnectionRead."""
    read = connection_view(twin, connection)
    transforms = catalog_changes(twin.catalog(connection.catalog_id), catalog)
    jobs = [job for job in twin.store.jobs_of(connection.id) if job.type != "reset"]
    return without_nulls(
        {
            **{key: read[key] for key in READ_MEMBERS if key in read},
            "createdAt": connection.created_at,
            "syncCatalog": {"streams": catalog_entries(twin, connection, source, catalog)},
            "source": actor_view(twin, source),
            "destination": actor_view(twin, destination),
            "operations": [],
            "latestSyncJobCreatedAt": jobs[-1].created_at if jobs else None,
            "latestSyncJobStatus": jobs[-1].status if jobs else None,
            "isSyncing": twin.store.active_job(connection.id) is not None,
            "catalogId": catalog.id,
            "catalogDiff": {"transforms": transforms} if transforms else None,
            "schemaChange": _schema_change(connection, changed=bool(transforms)),
            "sourceActorDefinitionVersion": definition_version_view(twin, source),
            "destinationActorDefinitionVersion": definition_version_view(twin, destination),
            "onDemandEnabled": False,
        }
    )


def _schema_change(connection: Connection, *, changed: bool) -> str:
    if connection.breaking_change:
        return "breaking"
    return "non_breaking" if changed else "no_change"


def catalog_entries(twin: Twin, connection: Connection, source: Actor, catalog: Catalog) -> JsonArray:
    """Every stream of the source, with the connection's configuration or the default."""
    vault = twin.vault(connection.workspace_id)
    suggested = twin.connector(source.definition_id).suggested_streams
    selected = {stream.key: stream for stream in connection.streams}
    entries: JsonArray = []
    for stream in catalog.streams:
        configured = selected.get((stream.namespace, stream.name))
        if configured is not None:
            config = stream_config_view(configured, vault)
        else:
            config = default_config_view(stream, selected=False, suggested=stream.name in suggested)
        entries.append({"stream": stream_view(stream), "config": config})
    return entries


def catalog_changes(before: Catalog, after: Catalog) -> JsonArray:
    """StreamTransforms between two discoveries; changed streams without their field changes."""
    old = {(stream.namespace, stream.name): stream for stream in before.streams}
    new = {(stream.namespace, stream.name): stream for stream in after.streams}
    changes: JsonArray = [_transform("add_stream", new[key]) for key in new if key not in old]
    changes += [_transform("remove_stream", old[key]) for key in old if key not in new]
    changes += [_transform("update_stream", new[key]) for key in new if key in old and new[key] != old[key]]
    return changes


def _transform(kind: str, stream: DiscoveredStream) -> JsonObject:
    transform: JsonObject = {
        "transformType": kind,
        "streamDescriptor": without_nulls({"name": stream.name, "namespace": stream.namespace}),
    }
    if kind == "update_stream":
        transform["updateStream"] = {"fieldTransforms": [], "streamAttributeTransforms": []}
    return transform


ROUTES = [Route("/web_backend/connections/get", get, methods=["POST"])]
