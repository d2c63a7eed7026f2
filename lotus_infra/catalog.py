"""From what a stream's file says, and what the source was found to have, to the stream that Airbyte is asked for.

Pure: the same files give the same catalog, in the same order, on every machine. It expects a lake without problems and
checks nothing.
"""

from dataclasses import dataclass

from airbyte_model.modes import KEYLESS_MODES, MODES

from lotus_infra.streams.facts import Discovered, cursor_of, key_of
from lotus_infra.streams.lake import SourceFolder
from lotus_infra.streams.model import StreamConfig
from lotus_infra.streams.values import FieldPath


@dataclass(frozen=True, slots=True)
class ConfiguredStream:
    """A stream as Airbyte's public API is asked for it.

    Attributes:
        name: The stream as the source calls it.
        namespace: The namespace that the source itself puts it in; None where it has none.
        sync_mode: Source and destination mode in one word, `incremental_append`.
        cursor_field: The path of the cursor; empty where the mode has none.
        primary_key: The paths of the key's fields; empty where the mode has none.
        selected_fields: Top-level fields in alphabetical order: their order in the file means nothing to the server.
        backfill: The token that asks for one more read from the beginning.
    """

    name: str
    namespace: str | None
    sync_mode: str
    cursor_field: FieldPath
    primary_key: tuple[FieldPath, ...]
    selected_fields: tuple[str, ...]
    backfill: bool | str = False


def configure(stream: StreamConfig, discovered: Discovered | None) -> ConfiguredStream:
    """Configure one stream.

    A cursor or a key that the mode does not honour is left out, since the server drops it (airbyte-platform, public
    API, AirbyteCatalogHelper); one that the file leaves out is the one that the source suggests.

    Args:
        stream: What the file says.
        discovered: What the source was found to have; None when that isn't known.

    Raises:
        KeyError: The two sync modes make no pair that Airbyte has.
    """
    mode = MODES[stream.sync_mode, stream.destination_sync_mode]
    return ConfiguredStream(
        name=stream.stream,
        namespace=discovered.namespace if discovered is not None else None,
        sync_mode=mode,
        cursor_field=cursor_of(stream, discovered),
        primary_key=() if mode in KEYLESS_MODES else key_of(stream, discovered),
        selected_fields=tuple(sorted(stream.fields)),
        backfill=stream.backfill,
    )


def catalog(source: SourceFolder) -> tuple[ConfiguredStream, ...]:
    """Every selected stream of a source, by name."""
    configured = [configure(stream.config, stream.discovered) for stream in source.selected_streams]
    return tuple(sorted(configured, key=lambda stream: stream.name))
