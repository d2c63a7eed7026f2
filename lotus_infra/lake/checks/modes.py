"""Sync modes, cursors and keys, by the server's rules."""

from collections.abc import Iterator, Mapping

from airbyte_model.modes import KEYED_MODES, KEYLESS_MODES, MODES
from airbyte_model.offers import (
    Offer,
    cursor_flaw,
    destination_mode_flaw,
    key_flaws,
    replaced_key_flaw,
    source_mode_flaw,
)
from airbyte_model.suggestions import suggestion

from lotus_infra.lake.capabilities import Reader
from lotus_infra.lake.checks.rule import StreamFlaw, each_selected_stream
from lotus_infra.lake.diagnostics import Diagnostic, format_path
from lotus_infra.lake.lake import Connection, Lake, StreamFile
from lotus_infra.lake.models import Field, FieldPath


@each_selected_stream
def modes_exist(stream: StreamFile) -> Iterator[StreamFlaw]:
    """Source mode and destination mode are a pair that Airbyte has, and the source supports its part."""
    config, mode = stream.config, _mode(stream)
    if mode is None:
        fitting = ", ".join(theirs for ours, theirs in MODES if ours == config.sync_mode)
        what = f"{config.destination_sync_mode} does not go with {config.sync_mode}"
        yield ("destination_sync_mode",), what, f"write one of {fitting}"
    elif (offer := _offer(stream)) is not None and (flaw := source_mode_flaw(mode, offer)) is not None:
        yield ("sync_mode",), *flaw


def modes_are_written(lake: Lake) -> Iterator[Diagnostic]:
    """The engine and the destination support a stream's mode; only the file of a pinned destination has its modes."""
    readers = {source.name: source.reader for source in lake.sources}
    for connection in lake.connections:
        reader = readers[connection.source]
        if reader.modes:
            yield from _modes_of_engine(connection, reader)
            continue
        destination = lake.destination_of(connection)
        pinned = lake.pinned(destination.connector) if destination is not None else None
        if pinned is None or not pinned.destination_sync_modes:
            continue
        for stream in connection.streams:
            mode = _mode(stream)
            flaw = destination_mode_flaw(mode, pinned.connector, pinned.destination_sync_modes) if mode else None
            if flaw is not None:
                yield Diagnostic(stream.file, ("destination_sync_mode",), *flaw)


def _modes_of_engine(connection: Connection, reader: Reader) -> Iterator[Diagnostic]:
    for stream in connection.streams:
        if stream.config.destination_sync_mode not in reader.modes and _mode(stream) is not None:
            what = f"{stream.config.destination_sync_mode} is not a mode of {reader.label}"
            fitting = [each for each in reader.modes if (stream.config.sync_mode, each) in MODES]
            remedy = f"write {' or '.join(fitting)}: the model keeps the latest row of each key"
            yield Diagnostic(stream.file, ("destination_sync_mode",), what, remedy)


@each_selected_stream
def cursors_work(stream: StreamFile) -> Iterator[StreamFlaw]:
    """An incremental stream has a cursor that exists, is the source's own where it has one, and is selected."""
    config = stream.config
    if config.sync_mode != "incremental":
        return
    # Any incremental mode gives the same answer; `modes_exist` checks the pair of modes.
    flaw = cursor_flaw("incremental_append", config.cursor_field, stream.fields, _offer(stream))
    if flaw is not None:
        yield ("cursor_field",), *flaw


@each_selected_stream
def keys_work(stream: StreamFile) -> Iterator[StreamFlaw]:
    """A key exists, is the source's own where it has one, and is selected if rows are matched by it."""
    config, discovered, mode = stream.config, stream.discovered, _mode(stream)
    if mode is None or mode in KEYLESS_MODES:
        return
    if mode not in KEYED_MODES and discovered is not None:
        # The server does not validate the key in such a mode, but downstream models depend on it.
        for index, path in enumerate(config.primary_key):
            if not _exists(path, discovered.fields):
                remedy = suggestion(path[0] if path else "", discovered.fields, "name a field that the source has")
                yield ("primary_key", index), f'"{format_path(path)}" is not a field that the source has', remedy
                return
    for index_path, flaw in key_flaws(mode, config.primary_key, stream.fields, _offer(stream)):
        yield ("primary_key", *index_path), *flaw


def keys_are_used(lake: Lake) -> Iterator[Diagnostic]:
    """A key that the server silently replaces by the source's own is a notice: downstream models use the file's."""
    for stream in (stream for stream in lake.streams if stream.config.selected):
        mode, key = _mode(stream), stream.config.primary_key
        offer = _offer(stream) if key and mode is not None else None
        flaw = replaced_key_flaw(mode, key, offer) if mode is not None and offer is not None else None
        if flaw is not None:
            yield Diagnostic(stream.file, ("primary_key",), *flaw, harmless=True)


def _mode(stream: StreamFile) -> str | None:
    return MODES.get((stream.config.sync_mode, stream.config.destination_sync_mode))


def _offer(stream: StreamFile) -> Offer | None:
    """The discovered stream for Airbyte's rules; None if it is unknown."""
    found = stream.discovered
    if found is None:
        return None
    return Offer(
        sync_modes=found.options.sync_modes,
        cursor=found.defaults.cursor_field,
        defines_cursor=found.source_defined_cursor,
        primary_key=found.source_defined_primary_key,
        names=found.fields,
        has_field=lambda path: _exists(path, found.fields),
    )


def _exists(path: FieldPath, fields: Mapping[str, Field]) -> bool:
    """Whether a path leads to a field, top-level or nested."""
    here: Mapping[str, Field] | None = fields
    for step in path:
        if here is None or step not in here:
            return False
        here = here[step].properties
    return bool(path)
