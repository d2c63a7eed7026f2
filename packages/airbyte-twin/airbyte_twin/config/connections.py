"""`/connections`: read, create, change, delete, find; catalogs are stored nearly as sent.

Source: airbyte-platform ConnectionsHandler, CatalogConverter.
"""

from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.actors import deprecate
from airbyte_twin.bodies import MapperBody
from airbyte_twin.body import read_body
from airbyte_twin.catalogs import by_key, top_level_fields
from airbyte_twin.config.actors import matches, page_at, searched
from airbyte_twin.config.bodies import (
    CatalogBody,
    CatalogEntryBody,
    CatalogStreamBody,
    ConnectionCreateBody,
    ConnectionIdBody,
    ConnectionIdsBody,
    ConnectionMembersBody,
    ConnectionSearchBody,
    ConnectionsPageBody,
    ConnectionUpdateBody,
    DefinitionConnectionsBody,
    PageBody,
    ReasonedUpdateBody,
    StreamConfigBody,
    WorkspaceIdBody,
)
from airbyte_twin.config.views import actor_view, connection_view, status_view
from airbyte_twin.connections import change_connection, check_not_locked, ends, known_tags
from airbyte_twin.database import check_connection
from airbyte_twin.discovery import cached_catalog, stored_catalog
from airbyte_twin.documents import JsonArray, JsonObject, as_object
from airbyte_twin.errors import BadObjectError, KnownError, OpaqueError, ProblemError, files_unsupported, json_response
from airbyte_twin.java_order import jsonb_order
from airbyte_twin.mappers import stored_mappers
from airbyte_twin.records import Actor, ActorKind, Connection, DiscoveredStream, Schedule, SelectedStream
from airbyte_twin.schedules import CRON_PROBLEM, checked_basic, config_cron
from airbyte_twin.states import StreamKey
from airbyte_twin.twin import Twin


def written_streams(twin: Twin, connection: Connection, body: CatalogBody) -> tuple[SelectedStream, ...]:
    """The selected streams of a catalog; the others are dropped.

    Raises:
        ApiError: 500 for two entries of one stream, 422 for a selection without its key or cursor, 400 for a mapper,
            and for files where a connector has none.
    """
    keys = [(each.stream.namespace, each.stream.name) for each in body.streams]
    if len(set(keys)) < len(keys):
        raise OpaqueError(500)
    known = by_key(twin.catalog(connection.catalog_id))
    actors = (twin.store.actors.get(each) for each in (connection.source_id, connection.destination_id))
    files = all(twin.connector(each.definition_id).supports_files for each in actors if each is not None)
    chosen = list(selected_entries(body))
    asked = [(each.stream.namespace, each.stream.name) for each, config in chosen if config.include_files]
    if asked and not files:
        raise files_unsupported("connection", asked)
    return tuple(
        _selected(twin, connection, (each, config), known[(each.stream.namespace, each.stream.name)], files=files)
        for each, config in chosen
    )


def selected_entries(body: CatalogBody) -> Iterator[tuple[CatalogEntryBody, StreamConfigBody]]:
    """The selected streams of a catalog with their configurations."""
    for entry in body.streams:
        if entry.config is not None and entry.config.selected:
            yield entry, entry.config


def _selected(
    twin: Twin,
    connection: Connection,
    sent: tuple[CatalogEntryBody, StreamConfigBody],
    stream: DiscoveredStream,
    *,
    files: bool,
) -> SelectedStream:
    entry, config = sent
    before = next((each.mappers for each in connection.streams if each.key == (stream.namespace, stream.name)), ())
    vault = twin.vault(connection.workspace_id)
    wanted = config.mappers or hashing(config)
    return SelectedStream(
        name=stream.name,
        namespace=stream.namespace,
        sync_mode=config.sync_mode,
        destination_sync_mode=config.destination_sync_mode,
        cursor_field=config.cursor_field,
        primary_key=config.primary_key,
        selected_fields=selected_fields(config, sent_schema(entry, stream), stream.name),
        mappers=stored_mappers(wanted, stream.name, top_level_fields(stream), before, vault),
        include_files=(files and bool(stream.is_file_based)) if config.include_files is None else config.include_files,
        destination_object_name=config.destination_object_name,
    )


def hashing(config: StreamConfigBody) -> tuple[MapperBody, ...]:
    """The mappers of a stream that names hashed fields, as callers did before there were mappers."""
    paths = (each.field_path for each in config.hashed_fields or ())
    return tuple(
        MapperBody(
            type="hashing",
            mapperConfiguration={"targetField": path[0], "method": "SHA-256", "fieldNameSuffix": "_hashed"},
        )
        for path in paths
        if path
    )


def sent_schema(entry: CatalogEntryBody, stream: DiscoveredStream) -> JsonObject:
    """The schema that a caller sent with a stream; the discovered one without any."""
    return stream.json_schema if entry.stream.json_schema is None else entry.stream.json_schema


def selected_fields(config: StreamConfigBody, schema: JsonObject, name: str) -> tuple[str, ...] | None:
    """The selected columns, in the order in which the database keeps them; None without field selection.

    Only columns of the schema in the request can be selected. The schema in `get` has only the selected columns, so a
    field added to the selection of such an answer is dropped silently.

    Raises:
        KnownError: 422, the key or cursor that the mode needs is not selected.
    """
    if not config.field_selection_enabled:
        return None
    names = {field.field_path[0] for field in config.selected_fields or () if field.field_path}
    needed = set()
    if config.sync_mode == "incremental":
        needed |= set((config.cursor_field or ())[:1])
    if config.destination_sync_mode in {"append_dedup", "overwrite_dedup"}:
        needed |= {path[0] for path in config.primary_key or () if path}
    if not needed <= names:
        raise KnownError(422, f"Fields {sorted(needed - names)} of stream {name} must be selected.")
    return tuple(jsonb_order(names & {*as_object(schema.get("properties"))}))


NAMESPACES = {"customformat": "custom_format"}
POLICIES = {"disable": "disable_connection"}


def config_connection(twin: Twin, body: ConnectionIdBody) -> Connection:
    """The connection that a body names, deprecated ones included.

    Raises:
        ApiError: 404 or 403.
    """
    found = twin.store.connections.get(str(body.connection_id))
    if found is None:
        raise twin.unknown_in_config()
    return found


async def get(request: Request) -> Response:
    """The connection with its selected streams."""
    twin = Twin.of(request)
    connection = config_connection(twin, await read_body(request, ConnectionIdBody))
    return json_response(connection_view(twin, connection))


async def delete(request: Request) -> Response:
    """Deprecates the connection; answers 204."""
    twin = Twin.of(request)
    deprecate(twin, config_connection(twin, await read_body(request, ConnectionIdBody)))
    return Response(status_code=204)


async def list_connections(request: Request) -> Response:
    """Connections of a workspace but the deprecated ones."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceIdBody)
    return _list(twin, body, deprecated=False)


async def list_all(request: Request) -> Response:
    """Connections of a workspace, deprecated ones included."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceIdBody)
    return _list(twin, body, deprecated=True)


def _list(twin: Twin, body: WorkspaceIdBody, *, deprecated: bool) -> Response:
    rows = twin.listed(
        each
        for each in twin.store.connections
        if each.workspace_id == str(body.workspace_id) and (deprecated or each.status != "deprecated")
    )
    return json_response({"connections": [connection_view(twin, row) for row in rows]})


async def list_paginated(request: Request) -> Response:
    """Connections of workspaces, by page."""
    twin, body = Twin.of(request), await read_body(request, ConnectionsPageBody)
    workspaces, tags = {str(each) for each in body.workspace_ids}, {str(each) for each in body.tag_ids or ()}
    rows = twin.listed(
        each
        for each in twin.store.connections
        if each.workspace_id in workspaces
        and (body.include_deleted or each.status != "deprecated")
        and (not tags or not tags.isdisjoint(each.tag_ids))
    )
    page = page_at(rows, body.pagination or PageBody())
    shown: JsonArray = [{**connection_view(twin, row), "workspaceId": row.workspace_id} for row in page]
    return json_response({"connections": shown})


async def list_of_definition(request: Request) -> Response:
    """Connections with an actor of a definition."""
    twin, body = Twin.of(request), await read_body(request, DefinitionConnectionsBody)
    actors = {each.id for each in twin.store.actors if each.definition_id == str(body.actor_definition_id)}
    ends_of = attrgetter(f"{body.actor_type}_id")
    rows = [each for each in twin.store.connections if each.status != "deprecated" and ends_of(each) in actors]
    return json_response({"connections": [connection_view(twin, row) for row in rows]})


async def search(request: Request) -> Response:
    """Connections of all workspaces that have the values of the body, also those of their source and destination."""
    twin, body = Twin.of(request), await read_body(request, ConnectionSearchBody)
    wanted = searched(body)
    found: JsonArray = []
    for connection in twin.store.connections:
        actors = {kind: twin.store.actors.get(getattr(connection, f"{kind}_id")) for kind in ActorKind}
        ends_shown = {f"{kind}": actor_view(twin, each) for kind, each in actors.items() if each is not None}
        shown = connection_view(twin, connection)
        if connection.status != "deprecated" and matches(wanted, {**shown, **ends_shown}):
            found.append(shown)
    return json_response({"connections": found})


async def statuses(request: Request) -> Response:
    """How the last jobs of connections ended."""
    twin, body = Twin.of(request), await read_body(request, ConnectionIdsBody)
    keys = [str(each) for each in body.connection_ids]
    found = [(key, twin.store.connections.get(key)) for key in keys]
    return json_response([status_view(twin, each) for _, each in found if each is not None])


async def create(request: Request) -> Response:
    """Create a connection; its streams are taken nearly as they are sent, without a discovery."""
    twin, body = Twin.of(request), await read_body(request, ConnectionCreateBody)
    return json_response(connection_view(twin, create_connection(twin, body, body.operation_ids or ())))


def create_connection(twin: Twin, body: ConnectionCreateBody, operation_ids: Iterable[object]) -> Connection:
    """Create a connection as the Config API does.

    Raises:
        ApiError: 404 or 403 for an unknown actor; 422 for a schedule in both forms; see `written_members`.
    """
    source, destination = ends(twin, body.source_id, body.destination_id)
    if body.schedule is not None and body.schedule_type is not None:
        raise BadObjectError("supply old or new schedule schema but not both")
    catalog_id = new_catalog_id(twin, source, body)
    new = Connection(
        id=str(uuid4()),
        name=f"{source.name} <> {destination.name}",
        source_id=source.id,
        destination_id=destination.id,
        workspace_id=destination.workspace_id,
        streams=(),
        catalog_id=catalog_id if body.sync_catalog is None else catalog_with(twin, catalog_id, body.sync_catalog),
        namespace_definition="source",
        operation_ids=tuple(str(each) for each in operation_ids),
        created_at=twin.clock.seconds(),
    )
    changes = written_members(twin, new, body)
    return twin.store.connections.put(new.model_copy(update=present(changes)))


def known_catalog(twin: Twin, catalog_id: UUID) -> str:
    """The id of a catalog that a discovery found.

    Raises:
        OpaqueError: 500, there is none of that id.
    """
    if not twin.knows_catalog(str(catalog_id)):
        raise OpaqueError(500)
    return str(catalog_id)


def new_catalog_id(twin: Twin, source: Actor, body: ConnectionCreateBody) -> str:
    """The catalog of a new connection: the one that is named, else one of the streams that are sent."""
    if body.source_catalog_id is not None:
        return known_catalog(twin, body.source_catalog_id)
    cached = cached_catalog(twin, source)
    known = by_key(cached) if cached else {}
    sent = body.sync_catalog.streams if body.sync_catalog else ()
    return stored_catalog(twin, tuple(sent_stream(each.stream, known) for each in sent)).id


def catalog_with(twin: Twin, catalog_id: str, body: CatalogBody) -> str:
    """A catalog that also has the selected streams that a caller knows of; the same one where it has them all.

    The server takes a stream as it is sent, whether a discovery found it or not.
    """
    catalog = twin.catalog(catalog_id)
    known = by_key(catalog)
    unknown = {(each.stream.namespace, each.stream.name): each.stream for each, _ in selected_entries(body)}
    added = tuple(sent_stream(stream, {}) for key, stream in unknown.items() if key not in known)
    return stored_catalog(twin, (*catalog.streams, *added)).id if added else catalog_id


def sent_stream(sent: CatalogStreamBody, known: Mapping[StreamKey, DiscoveredStream]) -> DiscoveredStream:
    """A stream as a caller describes it; without a schema, as the source's last discovery found it."""
    found = known.get((sent.namespace, sent.name))
    if found is not None and not sent.json_schema:
        return found
    return DiscoveredStream(
        name=sent.name,
        namespace=sent.namespace,
        json_schema=sent.json_schema or {},
        supported_sync_modes=sent.supported_sync_modes or ("full_refresh",),
        source_defined_cursor=bool(sent.source_defined_cursor),
        default_cursor_field=sent.default_cursor_field or (),
        source_defined_primary_key=sent.source_defined_primary_key or (),
        is_resumable=sent.is_resumable,
        is_file_based=sent.is_file_based,
    )


def present(changes: Mapping[str, object]) -> dict[str, object]:
    """The members that are not null."""
    return {key: value for key, value in changes.items() if value is not None}


async def update(request: Request) -> Response:
    """Change the members sent; only this API sets basic schedules, time zones and notifications."""
    twin, body = Twin.of(request), await read_body(request, ConnectionUpdateBody)
    return json_response(connection_view(twin, update_connection(twin, body)))


async def update_with_reason(request: Request) -> Response:
    """The same, with a reason."""
    twin, body = Twin.of(request), await read_body(request, ReasonedUpdateBody)
    return json_response(connection_view(twin, update_connection(twin, body.connection_update)))


def update_connection(twin: Twin, body: ConnectionUpdateBody) -> Connection:
    """Change the members that are sent.

    Raises:
        ApiError: 404 or 403 for an unknown connection, 409 for a locked one; see `written_members`.
    """
    connection = config_connection(twin, body)
    check_not_locked(connection)
    if body.schedule is not None or (body.schedule_data is not None and body.schedule_type in {None, "manual"}):
        raise OpaqueError(500)
    catalog_id = (
        connection.catalog_id if body.source_catalog_id is None else known_catalog(twin, body.source_catalog_id)
    )
    if body.sync_catalog is not None:
        catalog_id = catalog_with(twin, catalog_id, body.sync_catalog)
    connection = connection.model_copy(update={"catalog_id": catalog_id})
    changes = {**written_members(twin, connection, body), "catalog_id": connection.catalog_id}
    return change_connection(twin, connection.id, present(changes))


def written_members(twin: Twin, connection: Connection, body: ConnectionMembersBody) -> dict[str, object]:
    """The stored members that a body sets; None means unchanged.

    Raises:
        ApiError: 400 or 500 for a schedule, 400, 422 or 500 for a stream, 500 for what the database does not take.
    """
    check_connection(body.name, body.namespace_format, body.prefix)
    policy, namespace = body.non_breaking_changes_preference, body.namespace_definition
    return {
        "name": body.name,
        "namespace_definition": namespace and NAMESPACES.get(namespace, namespace),
        "namespace_format": body.namespace_format,
        "prefix": body.prefix,
        "operation_ids": None if body.operation_ids is None else tuple(str(each) for each in body.operation_ids),
        "streams": body.sync_catalog and written_streams(twin, connection, body.sync_catalog),
        "schedule": written_schedule(twin, connection.id, body),
        "status": body.status,
        "resource_requirements": body.resource_requirements,
        "notify_schema_changes": body.notify_schema_changes,
        "notify_schema_changes_by_email": body.notify_schema_changes_by_email,
        "non_breaking_policy": policy and POLICIES.get(policy, policy),
        "backfill_preference": body.backfill_preference,
        "breaking_change": body.breaking_change,
        "tag_ids": None if body.tags is None else known_tags(twin, body.tags),
    }


def written_schedule(twin: Twin, connection_id: str, body: ConnectionMembersBody) -> Schedule | None:
    """The schedule that a body sets.

    Raises:
        ApiError: 500, its data are missing; 400, they are not valid.
    """
    edition, data = twin.settings.edition, body.schedule_data
    kind = body.schedule_type or ("basic" if body.schedule else None)
    if kind is None:
        return None
    if kind == "manual":
        return Schedule()
    if kind == "cron":
        if data is None:
            raise OpaqueError(500)
        if data.cron is None:
            raise ProblemError(400, CRON_PROBLEM + "missing-cron-data", {"connectionId": connection_id})
        return config_cron(connection_id, data.cron.cron_expression, data.cron.cron_time_zone, edition)
    basic = data.basic_schedule if data and data.basic_schedule else body.schedule
    if basic is None:
        raise OpaqueError(500)
    return checked_basic(Schedule(kind="basic", time_unit=basic.time_unit, units=basic.units), edition)


async def auto_disable(request: Request) -> Response:
    """Whether a connection was disabled because its syncs kept failing: the twin disables none."""
    twin = Twin.of(request)
    config_connection(twin, await read_body(request, ConnectionIdBody))
    return json_response({"succeeded": False})


CALLS = {
    "get": get,
    "create": create,
    "update": update,
    "update_with_reason": update_with_reason,
    "delete": delete,
    "list": list_connections,
    "list_all": list_all,
    "list_paginated": list_paginated,
    "list_by_actor_definition": list_of_definition,
    "search": search,
    "status": statuses,
    "auto_disable": auto_disable,
}
ROUTES = [Route(f"/connections/{name}", call, methods=["POST"]) for name, call in CALLS.items()]
