"""`/web_backend`: connections as Airbyte's own pages list, read, create and save them.

Source: airbyte-platform WebBackendConnectionsHandler.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.catalogs import by_key
from airbyte_twin.config.actors import DEFAULT_PAGE_SIZE, page_after
from airbyte_twin.config.bodies import (
    BackendFiltersBody,
    BackendListBody,
    ConnectionIdBody,
    ConnectionReadBody,
    NewConnectionBody,
    OperationSavedBody,
    SavedConnectionBody,
    WorkspaceIdBody,
)
from airbyte_twin.config.connections import config_connection, create_connection, update_connection
from airbyte_twin.config.operations import create_operation, delete_operations, operation_views, saved
from airbyte_twin.config.views import (
    actor_view,
    connection_view,
    default_config_view,
    definition_version_view,
    selected_stream_view,
    snippet_view,
    stream_config_view,
    stream_view,
)
from airbyte_twin.connections import check_not_locked
from airbyte_twin.discovery import DiscoveryError, discover
from airbyte_twin.documents import JsonArray, JsonObject, without_nulls
from airbyte_twin.errors import OpaqueError, json_response
from airbyte_twin.jobs import start_refresh, start_reset
from airbyte_twin.records import Actor, ActorKind, Catalog, Connection, DiscoveredStream, Job
from airbyte_twin.states import StreamKey, state_of
from airbyte_twin.twin import Twin

READ_MEMBERS = (
    "connectionId", "name", "namespaceDefinition", "namespaceFormat", "prefix", "sourceId", "destinationId", "schedule",
    "scheduleType", "scheduleData", "status", "operationIds", "resourceRequirements", "notifySchemaChanges",
    "notifySchemaChangesByEmail", "nonBreakingChangesPreference", "backfillPreference", "tags",
)  # fmt: skip
ITEM_MEMBERS = ("connectionId", "name", "scheduleType", "scheduleData", "status", "tags")
HEALTH = ("running", "queued", "healthy", "failed", "paused", "notSynced")
"""States of connections that are counted."""


def actors_of(twin: Twin, connection: Connection) -> tuple[Actor, Actor]:
    """The source and destination of a connection.

    Raises:
        OpaqueError: 404, one of them is gone.
    """
    source = twin.store.actors.get(connection.source_id)
    destination = twin.store.actors.get(connection.destination_id)
    if source is None or destination is None:
        raise OpaqueError(404)
    return source, destination


async def get(request: Request) -> Response:
    """The connection with all streams of its source, and the catalog diff of a fresh discovery if requested."""
    twin, body = Twin.of(request), await read_body(request, ConnectionReadBody)
    connection = config_connection(twin, body)
    source, destination = actors_of(twin, connection)
    catalog = twin.catalog(connection.catalog_id)
    if body.with_refreshed_catalog and not source.deleted:
        # Where that fails, the server falls back to the catalog that the connection was configured with.
        with suppress(DiscoveryError):
            catalog = await discover(twin, source, fresh=True)
    return json_response(backend_view(twin, connection, source, destination, catalog))


def backend_view(twin: Twin, connection: Connection, source: Actor, destination: Actor, catalog: Catalog) -> JsonObject:
    """A WebBackendConnectionRead."""
    read = connection_view(twin, connection)
    transforms = catalog_changes(twin.catalog(connection.catalog_id), catalog)
    latest = latest_sync(twin, connection)
    return without_nulls(
        {
            **{key: read[key] for key in READ_MEMBERS if key in read},
            "createdAt": connection.created_at,
            "syncCatalog": {"streams": catalog_entries(twin, connection, source, catalog)},
            "source": actor_view(twin, source),
            "destination": actor_view(twin, destination),
            "operations": operation_views(twin, connection),
            "latestSyncJobCreatedAt": latest.created_at if latest else None,
            "latestSyncJobStatus": latest.status if latest else None,
            "isSyncing": twin.store.active_job(connection.id) is not None,
            "catalogId": catalog.id,
            "catalogDiff": {"transforms": transforms} if transforms else None,
            "schemaChange": _schema_change(connection, changed=bool(transforms)),
            "sourceActorDefinitionVersion": definition_version_view(twin, source),
            "destinationActorDefinitionVersion": definition_version_view(twin, destination),
            "onDemandEnabled": False,
        }
    )


def latest_sync(twin: Twin, connection: Connection) -> Job | None:
    """The last job of a connection that read its source."""
    jobs = [job for job in twin.store.jobs_of(connection.id) if job.type != "reset"]
    return jobs[-1] if jobs else None


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


async def create(request: Request) -> Response:
    """Create a connection together with its operations."""
    twin, body = Twin.of(request), await read_body(request, NewConnectionBody)
    made = [create_operation(twin, each).id for each in body.operations or ()]
    connection = create_connection(twin, body, made)
    catalog = twin.catalog(connection.catalog_id)
    return json_response(backend_view(twin, connection, *actors_of(twin, connection), catalog))


async def update(request: Request) -> Response:
    """Save a connection with its operations, and read the streams again whose rows would look different."""
    twin, body = Twin.of(request), await read_body(request, SavedConnectionBody)
    before = config_connection(twin, body)
    check_not_locked(before)
    changes: dict[str, object] = {}
    if body.operations is not None:
        changes["operation_ids"] = saved_operations(twin, before, body.operations)
    if body.sync_catalog is not None:
        changes["breaking_change"] = False
    after = update_connection(twin, body.model_copy(update=changes))
    changed = changed_streams(twin, before, after)
    if changed and not body.skip_reset and after.status == "active":
        if twin.refreshes(after):
            start_refresh(twin, after, changed, "merge")
        else:
            start_reset(twin, after, changed)
    return json_response(backend_view(twin, after, *actors_of(twin, after), twin.catalog(after.catalog_id)))


def saved_operations(twin: Twin, connection: Connection, sent: tuple[OperationSavedBody, ...]) -> tuple[str, ...]:
    """The ids of a connection's operations after saving those sent and deleting the others."""
    kept: list[str] = []
    for body in sent:
        known = twin.store.operations.get(str(body.operation_id))
        if known is not None and known.id in connection.operation_ids:
            kept.append(saved(twin, known, body).id)
        else:
            kept.append(create_operation(twin, body).id)
    delete_operations(twin, connection, set(connection.operation_ids) - set(kept))
    return tuple(kept)


def changed_streams(twin: Twin, before: Connection, after: Connection) -> list[StreamKey]:
    """The streams that were added or removed, or whose columns, modes, cursor, key or mappers are others."""
    old, new = (dict(written_form(twin, connection)) for connection in (before, after))
    return [key for key in {**old, **new} if old.get(key) != new.get(key)]


def written_form(twin: Twin, connection: Connection) -> Iterator[tuple[StreamKey, object]]:
    """Each stream of a connection with what decides how its rows look."""
    known = by_key(twin.catalog(connection.catalog_id))
    for stream in connection.streams:
        shown = selected_stream_view(stream, known.get(stream.key))
        mappers = [(each.type, each.configuration) for each in stream.mappers]
        key = {*stream.primary_key} if stream.primary_key else set()
        modes = (stream.sync_mode, stream.destination_sync_mode)
        yield stream.key, (shown["jsonSchema"], modes, stream.cursor_field or (), key, mappers)


async def list_connections(request: Request) -> Response:
    """A page of the connections of a workspace, each with its source, destination and last sync."""
    twin, body = Twin.of(request), await read_body(request, BackendListBody)
    rows = [
        each
        for each in twin.store.connections
        if each.workspace_id == str(body.workspace_id) and each.status != "deprecated" and is_shown(twin, each, body)
    ]
    rows.sort(key=sort_key(twin, body.sort_key), reverse=(body.sort_key or "").endswith("_desc"))
    size = DEFAULT_PAGE_SIZE if body.page_size is None else max(body.page_size, 0)
    shown: JsonArray = [item_view(twin, each) for each in page_after(rows, body.cursor, size)]
    return json_response({"connections": shown, "page_size": size, "num_connections": len(rows)})


def sort_key(twin: Twin, key: str | None) -> Callable[[Connection], tuple[str, int]]:
    """What `<field>_<direction>` sorts by."""
    field = (key or "").partition("_")[0]

    def value(connection: Connection) -> tuple[str, int]:
        if field in {"sourceName", "destinationName"}:
            actor = twin.store.actors.get(connection.source_id if field == "sourceName" else connection.destination_id)
            return (actor.name.lower() if actor else "", 0)
        latest = latest_sync(twin, connection) if field == "lastSync" else None
        return (connection.name.lower() if field in {"connectionName", ""} else "", latest.created_at if latest else 0)

    return value


def is_shown(twin: Twin, connection: Connection, body: BackendListBody) -> bool:
    """Whether a list of connections shows one."""
    source, destination = actors_of(twin, connection)
    filters = body.filters or BackendFiltersBody()
    names = "\n".join((connection.name, source.name, destination.name)).lower()
    chosen = (
        (body.source_id, source.id),
        (body.destination_id, destination.id),
        (filters.source_definition_ids, source.definition_id),
        (filters.destination_definition_ids, destination.definition_id),
    )
    return (
        all(not wanted or found in {str(each) for each in wanted} for wanted, found in chosen)
        and (not filters.states or connection.status in filters.states)
        and (not filters.statuses or health(twin, connection) in filters.statuses)
        and (not filters.tag_ids or not {str(each) for each in filters.tag_ids}.isdisjoint(connection.tag_ids))
        and (filters.search_term or "").lower() in names
    )


def health(twin: Twin, connection: Connection) -> str:
    """A connection's state in the words of the list's filter and of its counts."""
    if connection.status != "active":
        return "paused"
    jobs = twin.store.jobs_of(connection.id)
    if not jobs:
        return "notSynced"
    words = {"succeeded": "healthy", "failed": "failed", "cancelled": "failed", "queued": "queued"}
    return words.get(jobs[-1].status, "running")


def item_view(twin: Twin, connection: Connection) -> JsonObject:
    """A WebBackendConnectionListItem."""
    source, destination = actors_of(twin, connection)
    read, latest = connection_view(twin, connection), latest_sync(twin, connection)
    found = twin.store.discoveries.get(source.id)
    return without_nulls(
        {
            **{key: read[key] for key in ITEM_MEMBERS if key in read},
            "source": snippet_view(twin, source),
            "destination": snippet_view(twin, destination),
            "latestSyncJobCreatedAt": latest.created_at if latest else None,
            "latestSyncJobStatus": latest.status if latest else None,
            "isSyncing": latest is not None and latest.status == "running",
            "schemaChange": _schema_change(
                connection, changed=found is not None and found.catalog_id != connection.catalog_id
            ),
            "sourceActorDefinitionVersion": definition_version_view(twin, source),
            "destinationActorDefinitionVersion": definition_version_view(twin, destination),
            "onDemandEnabled": False,
        }
    )


async def status_counts(request: Request) -> Response:
    """How many connections of a workspace are in each state."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceIdBody)
    counts = Counter(
        health(twin, each)
        for each in twin.store.connections
        if each.workspace_id == str(body.workspace_id) and each.status != "deprecated"
    )
    return json_response({name: counts[name] for name in HEALTH})


async def state_type(request: Request) -> Response:
    """The type of a connection's state, as a text."""
    twin, body = Twin.of(request), await read_body(request, ConnectionIdBody)
    return json_response(state_of(twin.store, str(body.connection_id)).type)


async def check_updates(_request: Request) -> Response:
    """How many connectors have newer versions: none."""
    return json_response({"sourceDefinitions": 0, "destinationDefinitions": 0})


class WorkspaceStateBody(WorkspaceIdBody):
    """Names a workspace."""

    java = "WebBackendWorkspaceState"


async def workspace_state(request: Request) -> Response:
    """Whether a workspace has sources, destinations and connections."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceStateBody)
    workspace_id = str(body.workspace_id)
    actors = [each for each in twin.store.actors if each.workspace_id == workspace_id and not each.deleted]
    connections = (each for each in twin.store.connections if each.status != "deprecated")
    return json_response(
        {
            "hasConnections": any(each.workspace_id == workspace_id for each in connections),
            "hasSources": any(each.kind is ActorKind.SOURCE for each in actors),
            "hasDestinations": any(each.kind is ActorKind.DESTINATION for each in actors),
        }
    )


CALLS = {
    "connections/get": get,
    "connections/create": create,
    "connections/update": update,
    "connections/list": list_connections,
    "connections/status_counts": status_counts,
    "state/get_type": state_type,
    "check_updates": check_updates,
    "workspace/state": workspace_state,
}
ROUTES = [Route(f"/web_backend/{name}", call, methods=["POST"]) for name, call in CALLS.items()]
