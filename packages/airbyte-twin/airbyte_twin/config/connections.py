"""`/connections/{get,delete,update,list,list_all}`, with catalogs stored nearly as sent.

Source: airbyte-platform CatalogConverter.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.actors import deprecate
from airbyte_twin.body import read_body
from airbyte_twin.catalogs import by_key, top_level_fields
from airbyte_twin.config.bodies import (
    CatalogBody,
    CatalogEntryBody,
    ConnectionIdBody,
    ConnectionUpdateBody,
    StreamConfigBody,
    WorkspaceIdBody,
)
from airbyte_twin.config.views import connection_view
from airbyte_twin.connections import change_connection, known_tags
from airbyte_twin.database import check_connection
from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.errors import KnownError, OpaqueError, ProblemError, json_response
from airbyte_twin.java_order import jsonb_order
from airbyte_twin.mappers import stored_mappers
from airbyte_twin.records import Connection, DiscoveredStream, Schedule, SelectedStream
from airbyte_twin.schedules import CRON_PROBLEM, checked_basic, config_cron
from airbyte_twin.twin import Twin


def written_streams(twin: Twin, connection: Connection, body: CatalogBody) -> tuple[SelectedStream, ...]:
    """The selected streams of a catalog; the others are dropped.

    Raises:
        ApiError: 422 for a stream that the connection's catalog does not hold or a selection without its key or cursor,
            400 for a mapper.
    """
    known = by_key(twin.catalog(connection.catalog_id))
    return tuple(
        _selected(twin, connection, entry, entry.config, known.get((entry.stream.namespace, entry.stream.name)))
        for entry in body.streams
        if entry.config is not None and entry.config.selected
    )


def _selected(
    twin: Twin,
    connection: Connection,
    entry: CatalogEntryBody,
    config: StreamConfigBody,
    stream: DiscoveredStream | None,
) -> SelectedStream:
    if stream is None:
        raise KnownError(422, f"Stream {entry.stream.name} is not in the catalog of the connection.")
    before = next((each.mappers for each in connection.streams if each.key == (stream.namespace, stream.name)), ())
    vault = twin.vault(connection.workspace_id)
    return SelectedStream(
        name=stream.name,
        namespace=stream.namespace,
        sync_mode=config.sync_mode,
        destination_sync_mode=config.destination_sync_mode,
        cursor_field=config.cursor_field,
        primary_key=config.primary_key,
        selected_fields=selected_fields(config, sent_schema(entry, stream), stream.name),
        mappers=stored_mappers(config.mappers or (), stream.name, top_level_fields(stream), before, vault),
        include_files=bool(config.include_files),
        destination_object_name=config.destination_object_name,
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


async def update(request: Request) -> Response:
    """Change the members sent; only this endpoint sets basic schedules, time zones and notifications."""
    twin, body = Twin.of(request), await read_body(request, ConnectionUpdateBody)
    connection = config_connection(twin, body)
    if connection.status == "locked":
        raise ProblemError(409, "error:connection/locked", {"connectionId": connection.id, "statusReason": None})
    changes = written_members(twin, connection, body)
    changed = change_connection(
        twin, connection.id, {key: value for key, value in changes.items() if value is not None}
    )
    return json_response(connection_view(twin, changed))


def written_members(twin: Twin, connection: Connection, body: ConnectionUpdateBody) -> dict[str, object]:
    """The stored members that a body sets; None means unchanged.

    Raises:
        ApiError: 400 or 500 for a schedule, 422 for a stream, 500 for what the database does not take.
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
        "schedule": written_schedule(twin, body),
        "status": body.status,
        "resource_requirements": body.resource_requirements,
        "notify_schema_changes": body.notify_schema_changes,
        "notify_schema_changes_by_email": body.notify_schema_changes_by_email,
        "non_breaking_policy": policy and POLICIES.get(policy, policy),
        "backfill_preference": body.backfill_preference,
        "breaking_change": body.breaking_change,
        "tag_ids": None if body.tags is None else known_tags(twin, body.tags),
    }


def written_schedule(twin: Twin, body: ConnectionUpdateBody) -> Schedule | None:
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
            raise ProblemError(400, CRON_PROBLEM + "missing-cron-data", {"connectionId": str(body.connection_id)})
        return config_cron(str(body.connection_id), data.cron.cron_expression, data.cron.cron_time_zone, edition)
    basic = data.basic_schedule if data and data.basic_schedule else body.schedule
    if basic is None:
        raise OpaqueError(500)
    return checked_basic(Schedule(kind="basic", time_unit=basic.time_unit, units=basic.units), edition)


ROUTES = [
    Route("/connections/get", get, methods=["POST"]),
    Route("/connections/delete", delete, methods=["POST"]),
    Route("/connections/list", list_connections, methods=["POST"]),
    Route("/connections/list_all", list_all, methods=["POST"]),
    Route("/connections/update", update, methods=["POST"]),
]
