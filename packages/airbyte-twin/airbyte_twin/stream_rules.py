"""Rules of a connection's streams: validation, and the values that the server stores.

Source: airbyte-platform PublicApi AirbyteCatalogHelper.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from airbyte_twin.bodies import MapperBody, StreamBody
from airbyte_twin.catalogs import field_paths, find_stream, top_level_fields
from airbyte_twin.errors import bad_request, files_unsupported
from airbyte_twin.java_order import jsonb_order
from airbyte_twin.records import (
    Catalog,
    DestinationSyncMode,
    DiscoveredStream,
    FieldPath,
    Mapper,
    PrimaryKey,
    SelectedStream,
)
from airbyte_twin.sync_modes import PAIRS, CombinedMode, combined_modes

NEEDS_KEY: frozenset[CombinedMode] = frozenset(
    {"incremental_deduped_history", "full_refresh_update", "incremental_update"}
)
"""Modes that need a valid primary key."""
SELECTS_KEY = NEEDS_KEY | {"full_refresh_overwrite_deduped"}
"""Modes whose selected fields must hold the primary key."""
KEEPS_USER_KEY = SELECTS_KEY | {"incremental_append", "full_refresh_soft_delete", "incremental_soft_delete"}
"""Modes that store the caller's primary key when the source defines none."""

StoreMappers = Callable[[StreamBody, DiscoveredStream, Sequence[MapperBody]], tuple[Mapper, ...]]


@dataclass(frozen=True)
class StreamRules:
    """Validation of the streams of one request.

    Attributes:
        catalog: The source's streams.
        destination_modes: Modes that the destination supports.
        files: Whether both connectors can sync files.
        store_mappers: Checks and stores a stream's mappers.
    """

    catalog: Catalog
    destination_modes: tuple[DestinationSyncMode, ...]
    files: bool
    store_mappers: StoreMappers

    def configured(self, bodies: Sequence[StreamBody]) -> tuple[SelectedStream, ...]:
        """The streams as the server stores them.

        Raises:
            ProblemError: 400 `bad-request` for the first stream that breaks a rule.
        """
        seen: set[tuple[str | None, str]] = set()
        found = []
        for body in bodies:
            stream = find_stream(self.catalog, body.name, body.namespace)
            if (stream.namespace, stream.name) in seen:
                raise bad_request(
                    f"Duplicate stream found in configuration for stream name [{body.name}] "
                    f"in namespace [{body.namespace or 'null'}]."
                )
            seen.add((stream.namespace, stream.name))
            found.append((body, stream))
        configured = tuple(self._configured(body, stream) for body, stream in found)
        self._check_files(configured, [stream for _, stream in found])
        return configured

    def _configured(self, body: StreamBody, stream: DiscoveredStream) -> SelectedStream:
        mode = body.sync_mode or "full_refresh_overwrite"
        fields = checked_fields(body, stream)
        self._check_mode(body, stream)
        if mode.startswith("incremental"):
            check_cursor(body.cursor_field, stream)
        if mode in NEEDS_KEY:
            check_key(body.primary_key, stream)
        sync_mode, destination_mode = PAIRS[mode]
        return SelectedStream(
            name=stream.name,
            namespace=stream.namespace,
            sync_mode=sync_mode,
            destination_sync_mode=destination_mode,
            cursor_field=stored_cursor(body, stream),
            primary_key=stored_key(body, stream),
            selected_fields=fields,
            mappers=self.store_mappers(body, stream, body.mappers or ()),
            include_files=bool(body.include_files),
            destination_object_name=body.destination_object_name,
        )

    def _check_files(self, configured: Iterable[SelectedStream], streams: Iterable[DiscoveredStream]) -> None:
        """Refuse files of connectors, or of streams, that have none; raises ProblemError, 400 with the streams."""
        asked = [each for each in configured if each.include_files]
        having = {(each.namespace, each.name) for each in streams if each.is_file_based}
        if asked and not self.files:
            raise files_unsupported("connection", [each.key for each in asked])
        without = [each.key for each in asked if each.key not in having]
        if without:
            raise files_unsupported("stream", without)

    def _check_mode(self, body: StreamBody, stream: DiscoveredStream) -> None:
        if body.sync_mode in {None, "full_refresh_overwrite"}:
            return
        allowed = combined_modes(stream.supported_sync_modes, self.destination_modes)
        if body.sync_mode not in allowed:
            raise bad_request(
                f"Cannot set sync mode to {body.sync_mode} for stream {body.name}. "
                f"Valid sync modes are: [{', '.join(allowed)}]"
            )


def stored_cursor(body: StreamBody, stream: DiscoveredStream) -> FieldPath:
    """The caller's cursor counts only in incremental modes of streams whose source defines none."""
    incremental = (body.sync_mode or "").startswith("incremental")
    if incremental and body.cursor_field and not stream.source_defined_cursor:
        return body.cursor_field
    return stream.default_cursor_field


def stored_key(body: StreamBody, stream: DiscoveredStream) -> PrimaryKey:
    """The source's key if it has one; else the caller's, in the modes that keep it."""
    if stream.source_defined_primary_key or body.sync_mode not in KEEPS_USER_KEY:
        return stream.source_defined_primary_key
    return body.primary_key or ()


def checked_fields(body: StreamBody, stream: DiscoveredStream) -> tuple[str, ...] | None:
    """The selected columns, in the order in which the database keeps them; None selects all.

    Raises:
        ProblemError: 400, none selected, nested, twice, unknown, or without the key or cursor that the mode needs.
    """
    if body.selected_fields is None:
        return None
    columns = top_level_fields(stream)
    if not body.selected_fields:
        raise bad_request(f"No fields selected for stream {stream.name}. {_valid_names(columns)}")
    paths = [field.field_path or () for field in body.selected_fields]
    if not all(paths):
        raise bad_request(f"Selected field path cannot be empty for stream:  {stream.name}.")
    if any(len(path) > 1 for path in paths):
        raise bad_request(f"Nested field selection not supported for stream {stream.name}.")
    names = [path[0] for path in paths]
    if len(set(names)) < len(names):
        raise bad_request(f"Duplicate fields selected in configuration for stream: {stream.name}.")
    if not set(names) <= set(columns):
        raise bad_request(f"Invalid fields selected for stream {stream.name}. {_valid_names(columns)}")
    _check_key_and_cursor_selected(set(names), body, stream)
    return tuple(jsonb_order(names))


def _check_key_and_cursor_selected(names: set[str], body: StreamBody, stream: DiscoveredStream) -> None:
    if body.sync_mode in SELECTS_KEY:
        key = {path[0] for path in stored_key(body, stream) if path}
        if not key <= names:
            raise bad_request(
                f"Primary key fields are not selected properly for stream: {stream.name}. "
                "Please include primary key(s) in the configuration for this stream."
            )
    cursor = stored_cursor(body, stream)
    if (body.sync_mode or "").startswith("incremental") and cursor and cursor[0] not in names:
        raise bad_request(
            f"Cursor field is not selected properly for stream: {stream.name}. "
            "Please include the cursor field in selected fields for this stream."
        )


def check_cursor(cursor: FieldPath | None, stream: DiscoveredStream) -> None:
    """The cursor of an incremental mode.

    Raises:
        ProblemError: 400, it differs from the source's, is no field, or there is none at all.
    """
    if stream.source_defined_cursor:
        if cursor and set(cursor) != set(stream.default_cursor_field):
            raise bad_request(
                f"Cursor Field {_names(cursor)} is already defined by source for stream: {stream.name}. "
                "Do not include a cursor field configuration for this stream."
            )
    elif cursor:
        if cursor not in set(field_paths(stream.json_schema)):
            raise bad_request(
                f"Invalid cursor field for stream: {stream.name}. "
                f"The list of valid cursor fields include: {_paths([*field_paths(stream.json_schema)])}."
            )
    elif not stream.default_cursor_field:
        raise bad_request(
            f"No default cursor field for stream: {stream.name}. "
            "Please include a cursor field configuration for this stream."
        )


def check_key(key: PrimaryKey | None, stream: DiscoveredStream) -> None:
    """The primary key of a mode that needs one.

    Raises:
        ProblemError: 400, it differs from the source's, names no field or one twice, or there is none at all.
    """
    defined = stream.source_defined_primary_key
    if key and defined and key != defined:
        raise bad_request(
            f"Primary key for stream: {stream.name} is already pre-defined. "
            f"Please remove the primaryKey or provide the value as {_paths(defined)}."
        )
    if not key and not defined:
        raise bad_request(
            f"No default primary key for stream: {stream.name}. "
            "Please include a primary key configuration for this stream."
        )
    known = [*field_paths(stream.json_schema)]
    for path in key or ():
        if path not in known:
            raise bad_request(
                f"Invalid primary key for stream: {stream.name}. "
                f"The list of valid primary keys fields: {_paths(known)}."
            )
        if len(set(path)) < len(path):
            raise bad_request(f"Duplicate primary key detected for stream: {stream.name}: {_paths(key or ())}.")


def default_streams(catalog: Catalog, suggested: tuple[str, ...]) -> tuple[SelectedStream, ...]:
    """The streams of a connection that names none: the only one there is, or the suggested ones, fully overwritten.

    Source: airbyte-platform AirbyteCatalogHelper.updateAllStreamsFullRefreshOverwrite keeps the default selection.
    """
    chosen = [each for each in catalog.streams if len(catalog.streams) == 1 or each.name in suggested]
    return tuple(
        SelectedStream(
            name=stream.name,
            namespace=stream.namespace,
            sync_mode="full_refresh",
            destination_sync_mode="overwrite",
            cursor_field=stream.default_cursor_field,
            primary_key=(),
        )
        for stream in chosen
    )


def _valid_names(columns: Sequence[str]) -> str:
    return f"The list of valid field names includes: {_names(columns)}."


def _names(names: Iterable[str]) -> str:
    return f"[{', '.join(names)}]"


def _paths(paths: Iterable[FieldPath]) -> str:
    return _names(_names(path) for path in paths)
