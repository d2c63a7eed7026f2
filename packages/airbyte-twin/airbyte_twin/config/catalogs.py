"""Catalogs as the Config API writes them: nearly as they come.

Knows catalogs with configurations. Must not know the rest of a connection.
Source: airbyte-platform CatalogConverter.
"""

from airbyte_twin.catalogs import by_key, top_level_fields
from airbyte_twin.config.bodies import CatalogBody, CatalogEntryBody, StreamConfigBody
from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.errors import KnownError
from airbyte_twin.java_order import jsonb_order
from airbyte_twin.mappers import stored_mappers
from airbyte_twin.records import Connection, DiscoveredStream, SelectedStream
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

    Only columns of the schema that was sent can be selected. What `get` shows has the selected ones only, so that a
    field which is added to its answer is dropped in silence.

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
