"""The catalog of a connection: each stream as Airbyte's public API takes it.

A stream's file comes first; cursor and key that it leaves out come from what was discovered. Pure: the same files give
the same catalog, in the same order, on every machine. The checks come before: nothing here looks for mistakes.
"""

from dataclasses import dataclass

from airbyte_model.modes import KEYLESS_MODES, MODES

from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.lake import Connection
from lotus_infra.lake.models import FieldPath, KeyPaths, Mapper, StreamConfig

CDC_DELETED_AT = "_ab_cdc_deleted_at"
"""Airbyte's column of rows that a database's log deletes (airbytehq/airbyte, CDK: change data capture)."""
DESTROYED_AT = "deleted_at"
_DESTROYED = frozenset({DESTROYED_AT, "deleted_message", "deleted_description"})
"""The fields of a destroyed object (airbytehq/airbyte, source-shopify)."""


@dataclass(frozen=True, slots=True)
class ConfiguredStream:
    """A stream as the public API takes it.

    Attributes:
        name: The stream's name in the source.
        namespace: The stream's namespace in the source; None if it has none.
        sync_mode: Source and destination mode in one word, `incremental_append`.
        cursor_field: The path of the cursor; empty if the mode has none.
        primary_key: The paths of the key's fields; empty if the mode has none.
        selected_fields: Top-level fields in alphabetical order: the server ignores their order in the file. None for
            all that the source has.
        backfill: The token that requests a full re-read.
        mappers: Transformations; their values may be references.
        include_files: Whether files are copied; None for Airbyte's default.
        destination_object_name: The object to write into; None for a destination that has none.
    """

    name: str
    namespace: str | None
    sync_mode: str
    cursor_field: FieldPath
    primary_key: tuple[FieldPath, ...]
    selected_fields: tuple[str, ...] | None
    backfill: bool | str = False
    mappers: tuple[Mapper, ...] = ()
    include_files: bool | None = None
    destination_object_name: str | None = None


def catalog(connection: Connection) -> tuple[ConfiguredStream, ...]:
    """Every selected stream of a connection, by name and namespace."""
    configured = [configure(stream.config, stream.discovered) for stream in connection.streams]
    return tuple(sorted(configured, key=lambda stream: (stream.name, stream.namespace or "")))


def configure(stream: StreamConfig, discovered: Discovered | None) -> ConfiguredStream:
    """Configure one stream.

    A cursor or a key that the mode does not use is left out, since the server drops it (airbyte-platform, public API,
    AirbyteCatalogHelper).

    Args:
        stream: The content of the stream's file.
        discovered: The stream as the source offers it; None if that is unknown.

    Raises:
        KeyError: The two sync modes are not a pair that Airbyte has.
    """
    mode = MODES[stream.sync_mode, stream.destination_sync_mode]
    return ConfiguredStream(
        name=stream.stream,
        namespace=stream.namespace or (discovered.namespace if discovered is not None else None),
        sync_mode=mode,
        cursor_field=cursor_of(stream, discovered),
        primary_key=() if mode in KEYLESS_MODES else key_of(stream, discovered),
        selected_fields=tuple(sorted(stream.fields)) if stream.fields is not None else None,
        backfill=stream.backfill,
        mappers=stream.mappers,
        include_files=stream.include_files,
        destination_object_name=stream.destination_object_name,
    )


def cursor_of(stream: StreamConfig, discovered: Discovered | None) -> FieldPath:
    """The cursor of the stream's file, else the one that the source suggests; empty for a full refresh."""
    if stream.sync_mode != "incremental":
        return ()
    return stream.cursor_field or (discovered.defaults.cursor_field if discovered is not None else ())


def key_of(stream: StreamConfig, discovered: Discovered | None) -> KeyPaths:
    """The key of the stream's file, else the one that the source itself defines; empty if neither has one.

    A key that the source only suggests (`defaults.primary_key`) is never used.
    """
    return stream.primary_key or (discovered.source_defined_primary_key if discovered is not None else ())


def deletion_of(stream: StreamConfig, discovered: Discovered | None) -> str | None:
    """The top-level field by which a source reports that a row was deleted: not null in such a row.

    Known are two: that of databases read by their logs, and that of Shopify's destroyed objects, which comes with a
    message and a description. A `deleted_at` alone may be a state of rows that the source still has.
    """
    fields = {**(discovered.fields if discovered is not None else {}), **(stream.fields or {})}
    if CDC_DELETED_AT in fields:
        return CDC_DELETED_AT
    return DESTROYED_AT if _DESTROYED.issubset(fields) else None
