"""Sync modes, cursors and keys, by the server's rules (airbyte-platform, public API, AirbyteCatalogHelper)."""

from collections.abc import Iterator, Mapping

from airbyte_model.modes import DEFAULT_MODE, KEY_SELECTING_MODES, KEYED_MODES, KEYLESS_MODES, MODES

from lotus_infra.lake.checks.rule import Complaint, each_selected_stream
from lotus_infra.lake.diagnostics import Diagnostic, field_name, suggestion
from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.lake import Lake, StreamFile
from lotus_infra.lake.models import Field, FieldPath, KeyPaths


@each_selected_stream
def modes_exist(stream: StreamFile) -> Iterator[Complaint]:
    """Source mode and destination mode make a pair that Airbyte has, and the source supports its half."""
    config = stream.config
    mode = _mode(stream)
    if mode is None:
        fitting = ", ".join(theirs for ours, theirs in MODES if ours == config.sync_mode)
        what = f"{config.destination_sync_mode} does not go with {config.sync_mode}"
        yield ("destination_sync_mode",), what, f"write one of {fitting}"
    elif stream.discovered is not None and mode != DEFAULT_MODE:
        supported = stream.discovered.options.sync_modes
        if config.sync_mode not in supported:
            what = f"{config.sync_mode} is not supported by the source for this stream"
            yield ("sync_mode",), what, f"write {' or '.join(supported) or 'another stream'}"


def modes_are_written(lake: Lake) -> Iterator[Diagnostic]:
    """The destination can write in a stream's mode; only pinned destinations can tell."""
    for source in lake.sources:
        destination = lake.destination_of(source)
        pinned = lake.pinned(destination.connector) if destination is not None else None
        if pinned is None or not pinned.destination_sync_modes:
            continue
        supported = pinned.destination_sync_modes
        for stream in source.selected_streams:
            mode = stream.config.destination_sync_mode
            if mode not in supported and _mode(stream) not in {DEFAULT_MODE, None}:
                what = f"{mode} is not supported by {pinned.connector}"
                yield Diagnostic(stream.file, ("destination_sync_mode",), what, f"write {' or '.join(supported)}")


@each_selected_stream
def cursors_work(stream: StreamFile) -> Iterator[Complaint]:
    """An incremental stream has a cursor that exists, is the source's own where it has one, and is selected."""
    if stream.config.sync_mode != "incremental":
        return
    cursor, discovered = stream.config.cursor_field, stream.discovered
    if discovered is not None:
        complaint = _cursor_complaint(cursor, discovered)
        if complaint is not None:
            yield ("cursor_field",), *complaint
            return
        cursor = cursor or discovered.defaults.cursor_field
    if cursor and stream.config.fields and cursor[0] not in stream.config.fields:
        yield ("cursor_field",), f'"{cursor[0]}" is not among the selected fields', "add it to fields"


def _cursor_complaint(cursor: FieldPath, discovered: Discovered) -> tuple[str, str] | None:
    default = discovered.defaults.cursor_field
    if discovered.source_defined_cursor:
        if cursor and set(cursor) != set(default):
            return f"differs from the source's own cursor, {field_name(default)}", f"write {_written(default)}"
    elif not (cursor or default):
        return "is missing: the source suggests no cursor", "name the field that tells new rows from old ones"
    elif cursor and not _exists(cursor, discovered.fields):
        remedy = suggestion(cursor[0], discovered.fields, "name a field that the source has")
        return f'"{field_name(cursor)}" is not a field that the source has', remedy
    return None


@each_selected_stream
def keys_work(stream: StreamFile) -> Iterator[Complaint]:
    """A key that matters exists, is the source's own where it has one, and is selected where rows are matched by it."""
    config, discovered, mode = stream.config, stream.discovered, _mode(stream)
    if mode is None or mode in KEYLESS_MODES:
        return
    own = discovered.source_defined_primary_key if discovered is not None else ()
    if mode in KEYED_MODES and own and config.primary_key and config.primary_key != own:
        yield ("primary_key",), "differs from the source's own key", f"write {_written_key(own)}"
        return
    if discovered is not None:
        for index, path in enumerate(config.primary_key):
            if not _exists(path, discovered.fields):
                remedy = suggestion(path[0] if path else "", discovered.fields, "name a field that the source has")
                yield ("primary_key", index), f'"{field_name(path)}" is not a field that the source has', remedy
                return
    key = config.primary_key if mode in KEYED_MODES else own or config.primary_key
    if mode in KEYED_MODES and not (key or own):
        what = f"is missing: {config.destination_sync_mode} matches rows by it"
        yield ("primary_key",), what, 'name the key, such as [["id"]]'
    elif mode in KEY_SELECTING_MODES and config.fields:
        for name in [path[0] for path in key or own if path and path[0] not in config.fields]:
            yield ("primary_key",), f'"{name}" is not among the selected fields', "add it to fields"


def keys_are_used(lake: Lake) -> Iterator[Diagnostic]:
    """A key that the server replaces by the source's own, without a word, is noticed: downstream, the file's counts."""
    for stream in (stream for stream in lake.streams if stream.config.selected):
        key = stream.config.primary_key
        own = stream.discovered.source_defined_primary_key if stream.discovered is not None else ()
        if own and key and key != own and _mode(stream) not in KEYED_MODES | KEYLESS_MODES | {None}:
            what = "is not the source's own key, which Airbyte uses in its place"
            yield Diagnostic(stream.file, ("primary_key",), what, f"write {_written_key(own)}", harmless=True)


def _mode(stream: StreamFile) -> str | None:
    return MODES.get((stream.config.sync_mode, stream.config.destination_sync_mode))


def _exists(path: FieldPath, fields: Mapping[str, Field]) -> bool:
    """Whether a path leads to a field, top-level or nested."""
    here: Mapping[str, Field] | None = fields
    for step in path:
        if here is None or step not in here:
            return False
        here = here[step].properties
    return bool(path)


def _written(path: FieldPath) -> str:
    return "[" + ", ".join(f'"{step}"' for step in path) + "]"


def _written_key(key: KeyPaths) -> str:
    return "[" + ", ".join(map(_written, key)) + "]"
