"""What is known of the outside world: connectors that are pinned, and streams that were discovered.

People read these files and tools write them. They are compared with what people write, by the rules in `checks`.
"""

from typing import Final

from lotus_infra.streams.fields import Field
from lotus_infra.streams.model import Configuration, LakeFile, LakeModel, StreamConfig
from lotus_infra.streams.values import (
    ConnectorName,
    DefinitionId,
    DestinationSyncMode,
    FieldPath,
    KeyPaths,
    SyncMode,
)

MODES_OF_SOURCES: Final[tuple[SyncMode, ...]] = ("full_refresh", "incremental")
"""How sources can be read; one that names no known mode can be read in full (Airbyte protocol)."""


class Options(LakeModel):
    """The modes that a discovered stream can be read in."""

    sync_modes: tuple[SyncMode, ...]
    """How the source can be read."""

    destination_sync_modes: tuple[DestinationSyncMode, ...] = ()
    """Modes that older discoveries list; the pinned destination says which ones hold, so nothing reads these."""


class Defaults(LakeModel):
    """What a discovered stream suggests."""

    primary_key: KeyPaths = ()
    """The suggested key."""

    cursor_field: FieldPath = ()
    """The suggested cursor."""


class Discovered(LakeFile):
    """What a source says of one of its streams, `<source>/_discovered/<stream>.json`."""

    stream: str
    """The stream; the file has the same name."""

    namespace: str | None = None
    """The namespace that the source itself puts the stream in, as databases do."""

    options: Options
    """The modes that the stream can be read in."""

    defaults: Defaults = Defaults()
    """The key and the cursor that the source suggests."""

    source_defined_cursor: bool = False
    """Whether the source keeps to its own cursor, `defaults.cursor_field`, and lets nobody choose."""

    source_defined_primary_key: KeyPaths = ()
    """The key that the source keeps to; empty when anyone may choose."""

    fields: dict[str, Field]
    """Every top-level field that the source has, each with its type."""


def key_of(stream: StreamConfig, discovered: Discovered | None) -> KeyPaths:
    """The key that a stream's file names, or else that the source keeps to; empty where neither has one."""
    return stream.primary_key or (discovered.source_defined_primary_key if discovered is not None else ())


def cursor_of(stream: StreamConfig, discovered: Discovered | None) -> FieldPath:
    """The cursor that a stream's file names, or else that the source suggests; empty for a full refresh."""
    if stream.sync_mode != "incremental":
        return ()
    return stream.cursor_field or (discovered.defaults.cursor_field if discovered is not None else ())


class Connector(LakeFile):
    """A connector at one version, `_connectors/<connector>.json`: facts of its specification."""

    connector: ConnectorName
    """The connector's name; the file has the same name."""

    definition_id: DefinitionId
    """The id of its definition in Airbyte."""

    version: str | None = None
    """The version that the facts are of."""

    destination_sync_modes: tuple[DestinationSyncMode, ...] = ()
    """The modes that a destination can write in; empty for a source."""

    spec: Configuration
    """JSON Schema of its configuration, secret leaves marked with "airbyte_secret": true."""
