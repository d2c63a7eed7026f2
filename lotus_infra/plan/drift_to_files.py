"""Express changes in Airbyte as edits of the lake's files.

Only what changed outside the program becomes an edit. What the code changed too, or has not applied yet, stays as the
code has it. A change that no file can express is returned with a remedy. This module reads and writes no file: it
returns edits by path, relative to the lake's folder.
"""

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from airbyte_model.modes import KEYLESS_MODES, MODES, is_incremental
from airbyte_model.specifications import Specification
from airbyte_model.streams import Stream, name_of, shown
from pydantic import BaseModel, JsonValue, TypeAdapter

from lotus_infra import naming
from lotus_infra.lake.diagnostics import format_path
from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.json_text import Edit, child
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, Lake, SourceFolder, StreamFile
from lotus_infra.lake.models import Configuration, DestinationConfig, Field, Schedule, SourceConfig, StreamConfig
from lotus_infra.lake.references import Reference, is_reference, parse_reference
from lotus_infra.lake.secrecy import Secrecy, holds_credential, without_credentials
from lotus_infra.plan.drift import (
    ANOTHER_SECRET,
    CONNECTION_DEFAULTS,
    STREAMS,
    Drift,
    DriftedObject,
    DriftKind,
    PropertyDrift,
    hide_difference,
)
from lotus_infra.plan.preview import HIDDEN, PropertyPath
from lotus_infra.plan.streams import streams


def _key_order(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


# A new key of a file goes to its place in the model's order.
_STREAM_KEYS: Final = _key_order(StreamConfig)
_SOURCE_KEYS: Final = _key_order(SourceConfig)
_DESTINATION_KEYS: Final = _key_order(DestinationConfig)
_SCHEDULE_KEYS: Final = tuple(Schedule.model_fields)
_CONNECTION_KEYS: Final = {
    "namespaceFormat": "namespace",
    "prefix": "prefix",
    "nonBreakingSchemaUpdatesBehavior": "non_breaking_changes",
    "notifySchemaChanges": "notify_schema_changes",
}
"""The keys of a source's file that have a connection's properties."""
_MODE_PAIRS: Final = {mode: pair for pair, mode in MODES.items()}
_FIELD: Final = TypeAdapter(Field)
_REVERT: Final = "`lotus up --refresh` reverts it"
_NO_FILE_KEY: Final = "no file of the lake has a key for it"
_EVERY_FIELD: Final = (
    "every field is selected in Airbyte, but a stream file lists its fields",
    "the patch lists the known fields; the next `lotus up --refresh` selects them by name",
)

Document = dict[str, JsonValue]
DiscoveredStreams = Callable[[str, str], Discovered | None]
"""Returns what was discovered of a stream, by source and stream; None if it is unknown."""


@dataclass(frozen=True, slots=True)
class FileEdit:
    """An edit of a file, relative to the lake's folder."""

    file: str
    edit: Edit


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to create, relative to the lake's folder."""

    file: str
    document: Document


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A change that no file can express.

    Attributes:
        where: the object and the property.
        what: why no edit expresses it.
        remedy: what to do instead.
    """

    where: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class FilePatch:
    """The edits that write all changes in Airbyte into the lake's files.

    Attributes:
        edits: the edits of each file, by its path relative to the lake's folder.
        new: new files, by the same.
        unresolved: the changes that no file can express.
    """

    edits: Mapping[str, Sequence[Edit]]
    new: Mapping[str, Document]
    unresolved: tuple[Unresolved, ...]


_Result = FileEdit | NewFile | Unresolved


def patch_files(drift: Drift, lake: Lake, discovered: DiscoveredStreams) -> FilePatch:
    """Compute the edits that write all changes in Airbyte into the lake's files.

    Args:
        drift: the differences.
        lake: a lake without errors.
        discovered: a reader of discovered streams.
    """
    edits: dict[str, list[Edit]] = {}
    new: dict[str, Document] = {}
    unresolved: list[Unresolved] = []
    results = (result for drifted in drift.objects for result in _object_results(drifted, lake, discovered))
    for result in (*results, *_mismatched_labels(drift, lake)):
        match result:
            case FileEdit():
                edits.setdefault(result.file, []).append(result.edit)
            case NewFile():
                new[result.file] = result.document
            case Unresolved():
                unresolved.append(result)
    return FilePatch(edits, new, tuple(unresolved))


def without_hidden_values(drift: Drift, lake: Lake) -> Drift:
    """A copy of drift for people: values that may be secrets are replaced, so that equal ones stay equal.

    The engine has hidden what the provider calls secret. A pinned specification also leaves values undescribed, and a
    value that it describes may be a credential.
    """
    objects = []
    for drifted in drift.objects:
        secrecy = _secrecy(drifted, lake)
        differences = tuple(
            each if _is_readable(each, secrecy) else hide_difference(each) for each in drifted.differences
        )
        objects.append(replace(drifted, differences=differences))
    return replace(drift, objects=tuple(objects))


def _secrecy(drifted: DriftedObject, lake: Lake) -> Secrecy | None:
    """What may be shown of a source or a destination; None without a pinned specification."""
    source = next((each.config for each in lake.sources if each.name == drifted.name), None)
    config = {"source": source, "destination": lake.destinations.get(drifted.name)}.get(drifted.kind)
    return _secrecy_of(drifted, config.connector, lake) if config is not None else None


def _secrecy_of(drifted: DriftedObject, connector: str, lake: Lake) -> Secrecy:
    pinned, live = lake.pinned(connector), drifted.live.get("configuration")
    spec = Specification.usable(pinned.spec) if pinned is not None else None
    return Secrecy.of(live if isinstance(live, dict) else {}, spec)


def _is_readable(difference: PropertyDrift, secrecy: Secrecy | None) -> bool:
    values = (difference.code, difference.state, difference.live)
    if any(isinstance(value, str) and holds_credential(value) for value in values):
        return False
    if secrecy is None or secrecy.spec is None or difference.path[:1] != ("configuration",):
        return True
    path = difference.path[1:]
    return all(value is None or _is_hidden(value) or secrecy.shows(path, value) for value in values)


def path_text(path: PropertyPath) -> str:
    """A path as text: `orders.fields.total_tax`, `stream orders`, `configuration.start_date`."""
    if path[:1] == (STREAMS,):
        stream = shown(path[1])
        return f"stream {stream}" if len(path) == 2 else f"{stream}.{format_path(path[2:])}"
    return format_path(path)


def _unresolved(drifted: DriftedObject, path: PropertyPath, what: str, remedy: str = _REVERT) -> Unresolved:
    where = f"{drifted.kind} {drifted.name}"
    return Unresolved(f"{where}: {path_text(path)}" if path else where, what, remedy)


def _object_results(drifted: DriftedObject, lake: Lake, discovered: DiscoveredStreams) -> Iterator[_Result]:
    for each in drifted.differences:
        if each.kind is DriftKind.BOTH:
            remedy = "decide which value is right, and write it into the file or into Airbyte"
            yield _unresolved(drifted, each.path, "the code changed it too", remedy)
    changes = [each for each in drifted.differences if each.kind is DriftKind.CHANGED]
    source = next((folder for folder in lake.sources if folder.name == drifted.name), None)
    destination = lake.destinations.get(drifted.name)
    if drifted.gone:
        remedy = "`lotus up --refresh` creates it again; to accept the deletion, delete its files"
        yield _unresolved(drifted, (), "it was deleted in Airbyte", remedy)
    elif drifted.kind == "destination" and destination is not None:
        file = f"{DESTINATIONS_FOLDER}/{drifted.name}.json"
        yield from _ActorPatch.of(drifted, file, destination, lake).results(changes, _DESTINATION_KEYS)
    elif drifted.kind == "source" and source is not None and source.config is not None:
        yield from _ActorPatch.of(drifted, source.file, source.config, lake).results(changes, _SOURCE_KEYS)
    elif drifted.kind == "connection" and source is not None and source.config is not None:
        yield from _connection_results(drifted, changes, source, source.config, discovered)
    else:
        yield from (_unresolved(drifted, each.path, _NO_FILE_KEY) for each in changes)


def _mismatched_labels(drift: Drift, lake: Lake) -> Iterator[Unresolved]:
    """The connections whose label in Airbyte differs from the one that the patched files produce.

    A file has no label of a connection: it is derived from those of its source and destination.
    """
    renamed = {
        (drifted.kind, drifted.name): str(each.live)
        for drifted in drift.objects
        for each in drifted.differences
        if each.path == ("name",) and each.kind is DriftKind.CHANGED
    }
    for source in lake.sources:
        destination = source.config.destination if source.config is not None else ""
        before = (source.label, lake.destination_label(destination))
        keys = (("source", source.name), ("destination", destination))
        after = tuple(renamed.get(key, label) for key, label in zip(keys, before, strict=True))
        label, connection = naming.connection_label(*after), ("connection", source.name)
        live = drift.labels.get(connection)
        if live not in {None, label} and (connection in renamed or after != before):
            what = f'it is called "{live}", but the files produce "{label}"'
            what = without_credentials(what)
            yield Unresolved(f"connection {source.name}: name", what, f"rename its source or destination; or {_REVERT}")


# Sources and destinations


@dataclass(frozen=True, slots=True)
class _ActorPatch:
    """The patch of a source's or a destination's file.

    Attributes:
        drifted: the source or destination.
        file: its file.
        written: the configuration in the file, with references.
        secrecy: which live values the file may hold.
    """

    drifted: DriftedObject
    file: str
    written: Configuration
    secrecy: Secrecy

    @classmethod
    def of(cls, drifted: DriftedObject, file: str, config: SourceConfig | DestinationConfig, lake: Lake) -> Self:
        """The patch of an object that is declared in a file."""
        return cls(drifted, file, config.configuration, _secrecy_of(drifted, config.connector, lake))

    def results(self, changes: Iterable[PropertyDrift], keys: tuple[str, ...]) -> Iterator[_Result]:
        """The results for the changes in Airbyte; `keys` are those of such a file, in order."""
        for each in changes:
            match each.path:
                case ("name",) if holds_credential(str(each.live)):
                    what = "it holds a credential, and the file would show it"
                    yield _unresolved(self.drifted, each.path, what, f"rename it in Airbyte; or {_REVERT}")
                case ("name",):
                    yield FileEdit(self.file, Edit(("name",), each.live, keys))
                case ("configuration", *path):
                    yield self._configuration_result(each, tuple(path))
                case _:
                    yield _unresolved(self.drifted, each.path, _NO_FILE_KEY)

    def _configuration_result(self, change: PropertyDrift, path: PropertyPath) -> _Result:
        if change.live is None:
            topmost = _topmost_missing(self.drifted.live.get("configuration"), path)
            return FileEdit(self.file, Edit(("configuration", *topmost), None))
        readable = not _is_hidden(change.live) and self._shows(path, change.live)
        reference = _reference_at(self.written, path)
        if reference is not None:
            return _reference_result(self.drifted, change, reference, readable=readable)
        if readable:
            return FileEdit(self.file, Edit(("configuration", *path), change.live))
        hidden = _is_hidden(change.live)
        what = "it is a secret, so Airbyte does not show its value" if hidden else "it may be a secret"
        remedy = (
            "`pulumi config set --secret lotus:<name>`, and refer to it in "
            f'{self.file} as {{"$secret": "<name>"}}; or {_REVERT}'
        )
        return _unresolved(self.drifted, change.path, what, remedy)

    def _shows(self, path: PropertyPath, live: JsonValue) -> bool:
        keys = all(self.secrecy.shows_key(path[:length]) for length in range(1, len(path) + 1))
        return keys and self.secrecy.shows(path, live)


def _topmost_missing(live: JsonValue, path: PropertyPath) -> PropertyPath:
    """The shortest prefix of a path that is not live: an object whose last key was removed is removed as a whole."""
    for depth, key in enumerate(path, start=1):
        found = child(live, key)
        if not found:
            return path[:depth]
        live = found[0]
    return path


def _reference_at(written: JsonValue, path: PropertyPath) -> Reference | None:
    """The reference that a file has at a path or above it."""
    for key in path:
        found = child(written, key)
        if not found:
            return None
        written = found[0]
        if is_reference(written):
            reference = parse_reference(written)
            return reference if isinstance(reference, Reference) else None
    return None


def _reference_result(
    drifted: DriftedObject, change: PropertyDrift, reference: Reference, *, readable: bool
) -> Unresolved:
    if reference.part is not None:
        what = f"its value comes from the landing zone ({reference.part})"
        return _unresolved(drifted, change.path, what, f"change lotus:landingZone of the stack; or {_REVERT}")
    value = change.live if isinstance(change.live, str) else json.dumps(change.live)
    # A secret's value is never printed, and must not get into a shell's history.
    is_secret = reference.secret or not readable
    arguments = f"--secret lotus:{reference.name}" if is_secret else f"lotus:{reference.name} -- {shlex.quote(value)}"
    remedy = f"`pulumi config set {arguments}`; or {_REVERT}"
    return _unresolved(drifted, change.path, "its value comes from the stack's configuration", remedy)


def _is_hidden(value: JsonValue) -> bool:
    return value == ANOTHER_SECRET or HIDDEN in json.dumps(value)


# Connections


def _connection_results(
    drifted: DriftedObject,
    changes: Iterable[PropertyDrift],
    source: SourceFolder,
    config: SourceConfig,
    discovered: DiscoveredStreams,
) -> Iterator[_Result]:
    """The results for a connection, except its label."""
    live = {**CONNECTION_DEFAULTS, **drifted.live}
    by_stream: dict[str, list[PropertyDrift]] = {}
    for each in changes:
        match each.path:
            case (key, stream, *_) if key == STREAMS:
                by_stream.setdefault(stream, []).append(each)
            case ("schedule",):
                yield from _schedule_edits(live.get("schedule"), source.file, config)
            case ("name",):
                continue
            case ("status",):
                remedy = f"enable it in Airbyte; or {_REVERT}"
                yield _unresolved(drifted, each.path, "a file can't disable a connection", remedy)
            # The file's key `namespace` is a custom format; no key expresses another namespace definition.
            case (key,) if key in _CONNECTION_KEYS and (key != "namespaceFormat" or _is_custom_namespace(live)):
                yield FileEdit(source.file, Edit((_CONNECTION_KEYS[key],), live.get(key), _SOURCE_KEYS))
            case _:
                yield _unresolved(drifted, each.path, _NO_FILE_KEY)
    live_streams = streams(drifted.live) or {}
    for key, differences in by_stream.items():
        yield from _stream_results(drifted, differences, live_streams.get(key), source, discovered)


def _is_custom_namespace(live: Mapping[str, JsonValue]) -> bool:
    return live.get("namespaceDefinition") == "custom_format"


def _schedule_edits(live: JsonValue, file: str, config: SourceConfig) -> Iterator[FileEdit]:
    """One edit for each key that differs, or one for the whole schedule if the file has none."""
    wanted = _schedule_keys(live)
    written = config.schedule.model_dump(exclude_none=True)
    if "schedule" not in config.model_fields_set:
        yield FileEdit(file, Edit(("schedule",), dict(wanted), _SOURCE_KEYS))
        return
    for key in _SCHEDULE_KEYS:
        if wanted.get(key) != written.get(key):
            yield FileEdit(file, Edit(("schedule", key), wanted.get(key), _SCHEDULE_KEYS))


def _schedule_keys(live: JsonValue) -> dict[str, str]:
    """A canonical schedule in the keys of a source's file."""
    schedule = live if isinstance(live, dict) else {"scheduleType": "manual"}
    keys = {
        "type": schedule.get("scheduleType"),
        "cron": schedule.get("cronExpression"),
        "time_zone": schedule.get("cronTimeZone"),
        "every": str(schedule.get("basicTiming", "")).lower().removeprefix("every "),
    }
    return {key: str(value) for key, value in keys.items() if value}


# Streams


def _stream_results(
    drifted: DriftedObject,
    changes: Sequence[PropertyDrift],
    live: Stream | None,
    source: SourceFolder,
    discovered: DiscoveredStreams,
) -> Iterator[_Result]:
    """The results for one stream.

    Args:
        drifted: the connection.
        changes: the stream's changes in Airbyte; at least one.
        live: the live stream; None if it was removed.
        source: the source's folder.
        discovered: a reader of discovered streams.
    """
    path = changes[0].path[:2]
    namespace, name = name_of(path[1])
    file = f"{source.name}/{name}.json"
    written = next((each for each in source.streams if each.name == name), None)
    # A name that is no identifier must not become a path.
    known = discovered(source.name, name) if naming.is_identifier(name) else None
    if live is None:
        yield FileEdit(file, Edit(("selected",), False, _STREAM_KEYS))
    elif not naming.is_identifier(name):
        yield _unresolved(drifted, path, "its name is not valid for a stream file")
    elif known is not None and (known.namespace or None) != namespace:
        yield _unresolved(drifted, path, "the stream file with this name is for another namespace")
    elif written is None:
        yield from _new_stream_results(drifted, live, file, known, source.name)
    elif any(each.path == path for each in changes):
        yield from _StreamUpdate(drifted, written, live, known).reselected()
    else:
        yield from _StreamUpdate(drifted, written, live, known).changed(each.path[2:] for each in changes)


@dataclass(frozen=True, slots=True)
class _StreamUpdate:
    """The update of a stream's file to the live stream."""

    drifted: DriftedObject
    file: StreamFile
    live: Stream
    discovered: Discovered | None

    def changed(self, paths: Iterable[PropertyPath]) -> Iterator[_Result]:
        """The results for the changed properties, by path within the stream."""
        for path in dict.fromkeys(paths):
            yield from self._property_results(path)

    def reselected(self) -> Iterator[_Result]:
        """The results for a stream that was added again: its file exists, and any property may differ."""
        yield self._edit("selected", True)
        token = self.file.config.backfill
        if isinstance(token, str):
            what = f"its token {token} requests a full re-read"
            yield self._unresolved(("backfill",), what, "remove the token if that is not wanted")
        selected = set(_known_fields(self.live, self.discovered) or self.file.fields)
        fields = [("fields", name) for name in sorted(selected ^ self.file.fields.keys())]
        every_field = [("fields",)] if self.live.selected_fields is None else []
        yield from self.changed([("sync_mode",), ("cursor_field",), ("primary_key",), *fields, *every_field])

    def _property_results(self, path: PropertyPath) -> Iterator[_Result]:
        config, live = self.file.config, self.live
        match path:
            case ("sync_mode",):
                yield from self._sync_mode_results()
            # Airbyte drops a cursor or a key that the mode does not use. The file may keep it for another mode.
            case ("cursor_field",):
                if is_incremental(live.sync_mode) and live.cursor_field != config.cursor_field:
                    yield self._edit("cursor_field", list(live.cursor_field) or None)
            case ("primary_key",):
                if live.sync_mode not in KEYLESS_MODES and live.primary_key != config.primary_key:
                    yield self._edit("primary_key", [list(each) for each in live.primary_key] or None)
            case ("fields",):
                for name in self.discovered.fields if self.discovered is not None else ():
                    if name not in self.file.fields:
                        yield self._field_result(name)
                yield self._unresolved(("fields",), *_EVERY_FIELD)
            case ("fields", name):
                yield self._field_result(name)
            case _:
                yield self._unresolved(path, "a stream file has no key for it")

    def _sync_mode_results(self) -> Iterator[_Result]:
        pair = _MODE_PAIRS.get(self.live.sync_mode)
        if pair is None:
            yield self._unresolved(("sync_mode",), _no_mode(self.live))
            return
        if self.file.config.sync_mode != pair[0]:
            yield self._edit("sync_mode", pair[0])
        if self.file.config.destination_sync_mode != pair[1]:
            yield self._edit("destination_sync_mode", pair[1])

    def _field_result(self, name: str) -> _Result:
        """Add the field if it is live, else remove it."""
        selected = self.live.selected_fields
        if selected is not None and name not in selected:
            return FileEdit(self.file.file, Edit(("fields", name), None))
        known = self.discovered.fields if self.discovered is not None else {}
        if name not in known:
            return self._unresolved(("fields", name), *_unknown_type(self.file.source))
        return FileEdit(self.file.file, Edit(("fields", name), _field_document(known[name]), tuple(known)))

    def _edit(self, key: str, value: JsonValue) -> FileEdit:
        return FileEdit(self.file.file, Edit((key,), value, _STREAM_KEYS))

    def _unresolved(self, path: PropertyPath, what: str, remedy: str = _REVERT) -> Unresolved:
        return _unresolved(self.drifted, (STREAMS, self.live.key, *path), what, remedy)


def _new_stream_results(
    drifted: DriftedObject, live: Stream, file: str, discovered: Discovered | None, source: str
) -> Iterator[_Result]:
    """The file of a stream that the lake does not have."""
    path = (STREAMS, live.key)
    pair = _MODE_PAIRS.get(live.sync_mode)
    if discovered is None:
        yield _unresolved(drifted, path, *_unknown_type(source))
        return
    if pair is None:
        yield _unresolved(drifted, path, _no_mode(live))
        return
    names = _known_fields(live, discovered) or ()
    for name in names:
        if name not in discovered.fields:
            yield _unresolved(drifted, (*path, "fields", name), *_unknown_type(source))
    document: Document = {
        "$schema": "../.schema/stream.json",
        "stream": live.name,
        "sync_mode": pair[0],
        "destination_sync_mode": pair[1],
        "primary_key": [list(each) for each in live.primary_key],
        "cursor_field": list(live.cursor_field),
        "fields": {name: _field_document(field) for name, field in discovered.fields.items() if name in names},
    }
    yield NewFile(file, {key: value for key, value in document.items() if value})
    if live.selected_fields is None:
        yield _unresolved(drifted, (*path, "fields"), *_EVERY_FIELD)


def _known_fields(live: Stream, discovered: Discovered | None) -> Sequence[str] | None:
    """The names of the live fields; None if every field is selected and none is discovered."""
    if live.selected_fields is not None or discovered is None:
        return live.selected_fields
    return tuple(discovered.fields)


def _no_mode(live: Stream) -> str:
    return f"a stream file can't express {live.sync_mode}"


def _unknown_type(source: str) -> tuple[str, str]:
    return "its type is unknown", f"run `lotus discover {source}`, then this command again"


def _field_document(field: Field) -> JsonValue:
    """A field in the form of a stream file, where every field is nullable without a type `null`."""
    return _without_null(_FIELD.dump_python(field, mode="json", exclude_none=True))


def _without_null(value: JsonValue) -> JsonValue:
    if not isinstance(value, dict):
        return value
    inner = {key: _without_null(each) for key, each in value.items()}
    types = inner.get("type")
    if isinstance(types, list):
        kept = [name for name in types if name != "null"]
        # One type is written as text. A field of type null alone keeps it, because it has no other.
        inner["type"] = kept[0] if len(kept) == 1 else kept or "null"
    return inner
