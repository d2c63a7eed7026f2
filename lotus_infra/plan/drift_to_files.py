"""Express changes in Airbyte as edits of the lake's files.

Only what changed outside the program becomes an edit. What the code changed too, or has not applied yet, stays as the
code has it. A change that no file can express is returned with a remedy. This module reads and writes no file: it
returns edits by path, relative to the lake's folder.
"""

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self, cast, get_args

from airbyte_model.choices import ConnectionStatus, NamespaceDefinition
from airbyte_model.modes import KEYLESS_MODES, MODES, is_incremental
from airbyte_model.secrets import MASK
from airbyte_model.specifications import Specification
from airbyte_model.streams import Stream, StreamName, name_of, shown
from pydantic import BaseModel, JsonValue, TypeAdapter

from lotus_infra import naming
from lotus_infra.lake.catalog import configure
from lotus_infra.lake.diagnostics import format_path
from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.json_text import Edit, child
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, Connection, Lake, SourceFolder, StreamFile
from lotus_infra.lake.models import (
    ALL_FIELDS,
    Configuration,
    DestinationConfig,
    Field,
    NamedConnectionConfig,
    Resources,
    Schedule,
    SourceConfig,
    StreamConfig,
)
from lotus_infra.lake.overlays import overlaid_path, overlay_file
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
_LISTED_KEYS: Final = _key_order(NamedConnectionConfig)
_RESOURCES_KEYS: Final = _key_order(Resources)
_DESTINATION_KEYS: Final = _key_order(DestinationConfig)
_SCHEDULE_KEYS: Final = tuple(Schedule.model_fields)
_CONNECTION_KEYS: Final = {
    "prefix": "prefix",
    "nonBreakingSchemaUpdatesBehavior": "non_breaking_changes",
    "notifySchemaChanges": "notify_schema_changes",
}
"""The keys of a source's file that have a connection's properties as they are."""
_STATUSES: Final = frozenset(get_args(ConnectionStatus))
_STREAM_PROPERTIES: Final = {"includeFiles": "include_files", "destinationObjectName": "destination_object_name"}
"""The keys of a stream's file that have a stream's properties as they are."""
_MODE_PAIRS: Final = {mode: pair for pair, mode in MODES.items()}
_FIELD: Final = TypeAdapter(Field)
_REVERT: Final = "`lotus up --refresh` reverts it"
_NO_FILE_KEY: Final = "no file of the lake has a key for it"
_REASONS: Final = {
    "connector": (
        "its specification in the lake's files is of the version that they name",
        f"write the version into its file, and pin that specification by `lotus connector add`; or {_REVERT}",
    ),
    "tag": ("connections name it in their `tags`", f"write the name into each of them; or {_REVERT}"),
}
"""Why a change of an object that several files use is for people to make, and how, by its kind."""
_OWN_FILE: Final = (
    "give the stream a file of its own, and name the files of each connection in its `streams`; or " + _REVERT
)

Document = dict[str, JsonValue]
DiscoveredStreams = Callable[[str, StreamName], Discovered | None]
"""Returns what was discovered of a stream, by its source, and its namespace and name; None if it is unknown."""


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


@dataclass(frozen=True, slots=True)
class _Context:
    """What the patch of an object depends on beside the object.

    Attributes:
        drift: all differences.
        lake: the lake.
        discovered: a reader of discovered streams.
    """

    drift: Drift
    lake: Lake
    discovered: DiscoveredStreams

    def changes_alike(self, connection: str, change: PropertyDrift) -> bool:
        """Whether another connection has the same change in Airbyte, of a stream that both share."""
        return any(
            (each.path, each.live) == (change.path, change.live) and each.kind is DriftKind.CHANGED
            for drifted in self.drift.objects
            if (drifted.kind, drifted.name) == ("connection", connection)
            for each in drifted.differences
        )


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
    context = _Context(drift, lake, discovered)
    results = (result for drifted in drift.objects for result in _object_results(drifted, context))
    for result in (*results, *_mismatched_labels(drift, lake)):
        match result:
            case FileEdit():
                # Connections that share a stream's file have the same edits of it.
                if result.edit not in edits.setdefault(result.file, []):
                    edits[result.file].append(result.edit)
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


def _secrecy_of(drifted: DriftedObject, connector: str | None, lake: Lake) -> Secrecy:
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


def _object_results(drifted: DriftedObject, context: _Context) -> Iterator[_Result]:
    for each in drifted.differences:
        if each.kind is DriftKind.BOTH:
            remedy = "decide which value is right, and write it into the file or into Airbyte"
            yield _unresolved(drifted, each.path, "the code changed it too", remedy)
    lake = context.lake
    changes = [each for each in drifted.differences if each.kind is DriftKind.CHANGED]
    source = next((folder for folder in lake.sources if folder.name == drifted.name), None)
    connection = next((each for each in lake.connections if each.resource == drifted.name), None)
    destination = lake.destinations.get(drifted.name)
    if drifted.gone:
        remedy = "`lotus up --refresh` creates it again; to accept the deletion, delete its files"
        yield _unresolved(drifted, (), "it was deleted in Airbyte", remedy)
    elif drifted.kind == "destination" and destination is not None:
        file = f"{DESTINATIONS_FOLDER}/{drifted.name}.json"
        yield from _ActorPatch.of(drifted, file, destination, lake).results(changes, _DESTINATION_KEYS)
    elif drifted.kind == "source" and source is not None and source.config is not None:
        yield from _ActorPatch.of(drifted, source.file, source.config, lake).results(changes, _SOURCE_KEYS)
    elif drifted.kind == "connection" and connection is not None:
        folder = next(folder for folder in lake.sources if folder.name == connection.source)
        yield from _ConnectionPatch(drifted, folder, connection, context).results(changes)
    else:
        what, remedy = _REASONS.get(drifted.kind, (_NO_FILE_KEY, _REVERT))
        yield from (_unresolved(drifted, each.path, what, remedy) for each in changes)


def _mismatched_labels(drift: Drift, lake: Lake) -> Iterator[_Result]:
    """The connections whose label in Airbyte differs from the one that the patched files produce.

    A file in the short form has no label of its connection: it is derived from those of its source and destination.
    """
    renamed = {
        (drifted.kind, drifted.name): str(each.live)
        for drifted in drift.objects
        for each in drifted.differences
        if each.path == ("name",) and each.kind is DriftKind.CHANGED
    }
    for source in lake.sources:
        for connection in source.connections:
            key = ("connection", connection.resource)
            before, after = lake.connection_label(source, connection), _label_after(renamed, lake, source, connection)
            live = renamed.get(key, drift.labels.get(key, after))
            if live == after or (key not in renamed and after == before):
                continue
            where, what = f"connection {connection.resource}: name", f'it is called "{live}"'
            if holds_credential(live):
                what = f"{without_credentials(what)}, which holds a credential"
                yield Unresolved(where, what, f"rename it in Airbyte; or {_REVERT}")
            elif connection.is_listed:
                yield _edit_of(connection, ("name",), live, _LISTED_KEYS)
            else:
                what = f'{what}, but the files produce "{after}"'
                yield Unresolved(where, without_credentials(what), f"rename its source or destination; or {_REVERT}")


def _label_after(
    renamed: Mapping[tuple[str, str], str], lake: Lake, source: SourceFolder, connection: Connection
) -> str:
    """The label that the files produce once those of the source and of the destination are patched."""
    destination = connection.config.destination
    if source.config is None:
        return lake.connection_label(source, connection)
    label = renamed.get(("source", source.name), source.label)
    target = renamed.get(("destination", destination), lake.destination_label(destination))
    patched = replace(source, config=source.config.model_copy(update={"name": label}))
    config = lake.destinations.get(destination)
    named = {destination: config.model_copy(update={"name": target})} if config is not None else {}
    return replace(lake, destinations={**lake.destinations, **named}).connection_label(patched, connection)


def _edit_of(connection: Connection, keys: tuple[str, ...], value: JsonValue, order: tuple[str, ...]) -> FileEdit:
    """An edit of a connection's setting, where the source's file has it."""
    return FileEdit(connection.file, Edit(tuple(map(str, connection.path(*keys))), value, order))


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


@dataclass(frozen=True, slots=True)
class _ConnectionPatch:
    """The patch of a connection: of its settings in the source's file, and of the files of its streams."""

    drifted: DriftedObject
    source: SourceFolder
    connection: Connection
    context: _Context

    def results(self, changes: Iterable[PropertyDrift]) -> Iterator[_Result]:
        """The results for the changes in Airbyte, except the label."""
        live = {**CONNECTION_DEFAULTS, **self.drifted.live}
        by_stream: dict[str, list[PropertyDrift]] = {}
        namespaces: list[PropertyDrift] = []
        for each in changes:
            match each.path:
                case (key, stream, *_) if key == STREAMS:
                    by_stream.setdefault(stream, []).append(each)
                case ("schedule",):
                    yield from self._schedule_edits(live.get("schedule"))
                case ("name",):
                    continue
                case ("namespaceDefinition" | "namespaceFormat",):
                    namespaces.append(each)
                case _:
                    yield self._setting_result(each, live)
        if namespaces:
            yield from self._namespace_results(live)
        for stream, differences in by_stream.items():
            yield from self._stream_results(stream, differences)

    def _setting_result(self, change: PropertyDrift, live: Mapping[str, JsonValue]) -> _Result:
        match change.path:
            case ("status",):
                return self._status_result(change)
            case ("tags",):
                return self._edit(("tags",), change.live)
            case ("resourceRequirements", key) if self.connection.is_listed and key in _RESOURCES_KEYS:
                left = live.get("resourceRequirements")
                # An object without keys says nothing.
                keys = ("resource_requirements", key) if left else ("resource_requirements",)
                return self._edit(keys, change.live, _RESOURCES_KEYS if left else self._keys)
            case ("configurations",):
                what = "its streams are secret, because a mapper holds a key: the difference is not shown"
                return self._unresolved(change.path, what)
            case (key,) if key in _CONNECTION_KEYS:
                return self._edit((_CONNECTION_KEYS[key],), live.get(key))
        return self._unresolved(change.path, _NO_FILE_KEY)

    def _status_result(self, change: PropertyDrift) -> _Result:
        status = str(change.live)
        if status not in _STATUSES:
            what = f"a file can't make a connection {status}"
            return self._unresolved(change.path, what, f"enable it in Airbyte; or {_REVERT}")
        if change.perhaps_server:
            remedy = f"remove the cause, such as a breaking change of the source, and {_REVERT}; or write its status"
            return self._unresolved(change.path, "Airbyte itself may have disabled it", remedy)
        return self._edit(("status",), status)

    def _namespace_results(self, live: Mapping[str, JsonValue]) -> Iterator[_Result]:
        """The results for the namespace, of which two properties make sense together only."""
        config = self.connection.config
        definition, written = str(live.get("namespaceDefinition")), live.get("namespaceFormat")
        if definition not in get_args(NamespaceDefinition):
            yield self._unresolved(("namespaceDefinition",), _NO_FILE_KEY)
            return
        if definition != config.namespace_definition:
            yield self._edit(("namespace_definition",), definition)
        if definition == "custom_format":
            if written and written != self._namespace_by_default:
                yield self._edit(("namespace",), written)
            elif not written:
                yield self._unresolved(("namespaceFormat",), "a file can't have an empty namespace")
        else:
            if config.namespace is not None:
                yield self._edit(("namespace",), None)
            if written:
                what = f"a file has no namespace beside the definition {definition}"
                yield self._unresolved(("namespaceFormat",), what)

    @property
    def _namespace_by_default(self) -> str | None:
        """The namespace that the file needs no key for; None if it has the key."""
        return naming.namespace(self.source.name) if self.connection.config.namespace is None else None

    def _schedule_edits(self, live: JsonValue) -> Iterator[_Result]:
        """One edit for each key that differs, or one for the whole schedule if the file has none."""
        wanted, config = _schedule_keys(live), self.connection.config
        written = config.schedule.model_dump(exclude_none=True)
        if "schedule" not in config.model_fields_set:
            yield self._edit(("schedule",), dict(wanted))
            return
        for key in _SCHEDULE_KEYS:
            if wanted.get(key) != written.get(key):
                yield self._edit(("schedule", key), wanted.get(key), _SCHEDULE_KEYS)

    @property
    def _keys(self) -> tuple[str, ...]:
        return _LISTED_KEYS if self.connection.is_listed else _SOURCE_KEYS

    def _edit(self, keys: tuple[str, ...], value: JsonValue, order: tuple[str, ...] = ()) -> _Result:
        found = _edit_of(self.connection, keys, value, order or self._keys)
        lake = self.context.lake
        overlay = lake.overlays.get(lake.stack)
        place = overlaid_path(overlay, found.file, found.edit.path) if overlay is not None else None
        if place is not None and "connections" not in place and len(self.source.connections) > 1:
            what = f"{overlay_file(lake.stack)} sets it for all connections of {self.source.name}"
            remedy = f"write it there for {self.connection.name} alone, in its `connections`; or {_REVERT}"
            return _unresolved(self.drifted, keys, what, remedy)
        return found

    def _unresolved(self, path: PropertyPath, what: str, remedy: str = _REVERT) -> Unresolved:
        return _unresolved(self.drifted, path, what, remedy)

    # Streams

    def _stream_results(self, key: str, changes: Sequence[PropertyDrift]) -> Iterator[_Result]:
        """The results for one stream.

        Args:
            key: the stream's key.
            changes: its changes in Airbyte; at least one.
        """
        identity, path = name_of(key), (STREAMS, key)
        live = (streams(self.drifted.live) or {}).get(key)
        known = self.context.discovered(self.source.name, identity)
        files = self.source.files_of(identity)
        taken = [each for each in files if self.connection.takes(each)]
        if live is None:
            yield from self._removed(path, taken)
        elif taken:
            selected = next((each for each in taken if each.config.selected), taken[0])
            yield from self._updated(selected, live, known, changes)
        elif files:
            yield from self._joined(files[0], live, known, changes)
        else:
            yield from self._new(live, known, path)

    def _updated(
        self, file: StreamFile, live: Stream, known: Discovered | None, changes: Sequence[PropertyDrift]
    ) -> Iterator[_Result]:
        """The results for a stream whose file the connection takes."""
        update = _StreamUpdate(self.drifted, file, live, known)
        for change in changes:
            others = [name for name in self._sharing(file) if not self.context.changes_alike(name, change)]
            if others:
                yield self._unresolved(change.path, f"{_named(others)} the same file", _OWN_FILE)
            elif len(change.path) == len((STREAMS, live.key)):
                yield from update.reselected()
            else:
                yield from update.changed(change.path[2:], change)

    def _sharing(self, file: StreamFile) -> list[str]:
        """The other connections that take a stream's file."""
        others = (each for each in self.source.connections if each.resource != self.connection.resource)
        return [each.resource for each in others if each.takes(file)]

    def _removed(self, path: PropertyPath, taken: Sequence[StreamFile]) -> Iterator[_Result]:
        """The results for a stream that left the connection: the others that share its file keep it."""
        for file in taken:
            if file.config.selected and not self._sharing(file):
                yield FileEdit(file.file, Edit(("selected",), False, _STREAM_KEYS))
            elif file.config.selected:
                names = [each for each in self._listed_files if each != file.name]
                if names:
                    yield self._edit(("streams",), [*names])
                else:
                    yield self._unresolved(path, "a connection needs a stream", f"remove the connection; or {_REVERT}")

    @property
    def _listed_files(self) -> list[str]:
        """The names of the files that the connection takes, as a list of it would have them."""
        listed = self.connection.config.streams
        return list(listed) if listed is not None else [each.name for each in self.connection.streams]

    def _joined(
        self, file: StreamFile, live: Stream, known: Discovered | None, changes: Sequence[PropertyDrift]
    ) -> Iterator[_Result]:
        """The results for a stream that has a file, which the connection does not take."""
        if self._sharing(file) and _differs(file, live, known):
            path = (STREAMS, live.key)
            yield self._unresolved(path, f"{_named(self._sharing(file))} the file of it with other settings", _OWN_FILE)
            return
        yield self._edit(("streams",), [*self._listed_files, file.name])
        if not self._sharing(file):
            yield from _StreamUpdate(self.drifted, file, live, known).reselected()

    def _new(self, live: Stream, known: Discovered | None, path: PropertyPath) -> Iterator[_Result]:
        """The results for a stream that the lake has no file of."""
        listed = self.connection.config.streams
        others = [
            each.resource
            for each in self.source.connections
            if each.resource != self.connection.resource and each.config.streams is None
        ]
        if others:
            one = f"the connection {others[0]} takes every file of the source"
            yield self._unresolved(
                path, one, f"name its files in its `streams`, then run this command again; or {_REVERT}"
            )
            return
        name = self._free_name(live)
        if name is None:
            yield self._unresolved(
                path, "the names that its file would have are taken", f"write its file; or {_REVERT}"
            )
            return
        results = list(
            _new_file_results(self.drifted, live, f"{self.source.name}/{name}.json", known, self.source.name)
        )
        yield from results
        if listed is not None and any(isinstance(each, NewFile) for each in results):
            yield self._edit(("streams",), [*listed, name])

    def _free_name(self, stream: Stream) -> str | None:
        """The name of a new stream's file; None if other streams have it."""
        names = (naming.stream_file(stream.name), naming.stream_file(stream.name, stream.namespace))
        taken = {each.name for each in self.source.streams}
        return next((name for name in names if name not in taken), None)


def _named(connections: Sequence[str]) -> str:
    several = len(connections) > 1
    return f"the connection{'s' if several else ''} {', '.join(connections)} {'have' if several else 'has'}"


def _differs(file: StreamFile, live: Stream, known: Discovered | None) -> bool:
    """Whether a live stream has other settings than a file."""
    configured = configure(file.config, known)
    return (
        configured.sync_mode != live.sync_mode
        or configured.selected_fields != live.selected_fields
        or (is_incremental(live.sync_mode) and configured.cursor_field != live.cursor_field)
        or (live.sync_mode not in KEYLESS_MODES and configured.primary_key != live.primary_key)
        or bool(live.others.get("mappers")) != bool(configured.mappers)
    )


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


@dataclass(frozen=True, slots=True)
class _StreamUpdate:
    """The update of a stream's file to the live stream."""

    drifted: DriftedObject
    file: StreamFile
    live: Stream
    discovered: Discovered | None

    def reselected(self) -> Iterator[_Result]:
        """The results for a stream that was added again: its file exists, and any property may differ."""
        if not self.file.config.selected:
            yield self._edit("selected", True)
        token = self.file.config.backfill
        if isinstance(token, str):
            what = f"its token {token} requests a full re-read"
            yield self._unresolved(("backfill",), what, "remove the token if that is not wanted")
        paths: list[PropertyPath] = [("sync_mode",), ("cursor_field",), ("primary_key",)]
        if self.file.config.takes_all or self.live.selected_fields is None:
            paths += [("fields",)] if self.file.config.takes_all != (self.live.selected_fields is None) else []
        else:
            paths += [("fields", name) for name in sorted(set(self.live.selected_fields) ^ self.file.fields.keys())]
        for path in paths:
            yield from self.changed(path)

    def changed(self, path: PropertyPath, change: PropertyDrift | None = None) -> Iterator[_Result]:
        """The results for a changed property, by path within the stream.

        Args:
            path: the path.
            change: the change; None for a stream that was added again.
        """
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
                yield from self._all_fields_results()
            case ("fields", name):
                yield self._field_result(name)
            case ("mappers",):
                yield self._mappers_result(change)
            case _:
                yield self._other_result(path)

    def _other_result(self, path: PropertyPath) -> _Result:
        match path:
            case ("namespace",):
                return self._edit("namespace", self.live.namespace or None)
            case (key,) if key in _STREAM_PROPERTIES:
                return self._edit(_STREAM_PROPERTIES[key], cast("JsonValue", self.live.others.get(key)))
        return self._unresolved(path, "a stream file has no key for it")

    def _sync_mode_results(self) -> Iterator[_Result]:
        pair = _MODE_PAIRS.get(self.live.sync_mode)
        if pair is None:
            yield self._unresolved(("sync_mode",), _no_mode(self.live))
            return
        if self.file.config.sync_mode != pair[0]:
            yield self._edit("sync_mode", pair[0])
        if self.file.config.destination_sync_mode != pair[1]:
            yield self._edit("destination_sync_mode", pair[1])

    def _all_fields_results(self) -> Iterator[_Result]:
        """Every field in place of some, or the other way round."""
        selected, known = self.live.selected_fields, self.discovered.fields if self.discovered is not None else {}
        if selected is None:
            yield self._edit("fields", ALL_FIELDS)
            return
        unknown = [name for name in selected if name not in known]
        yield from (self._unresolved(("fields", name), *_unknown_type(self.file.source)) for name in unknown)
        if not unknown:
            yield self._edit("fields", {name: _field_document(known[name]) for name in known if name in selected})

    def _field_result(self, name: str) -> _Result:
        """Add the field if it is live, else remove it."""
        selected = self.live.selected_fields
        if selected is not None and name not in selected:
            return FileEdit(self.file.file, Edit(("fields", name), None))
        known = self.discovered.fields if self.discovered is not None else {}
        if name not in known:
            return self._unresolved(("fields", name), *_unknown_type(self.file.source))
        return FileEdit(self.file.file, Edit(("fields", name), _field_document(known[name]), tuple(known)))

    def _mappers_result(self, change: PropertyDrift | None) -> _Result:
        written: list[JsonValue] = [each.model_dump(mode="json") for each in self.file.config.mappers]
        code, live = ([_mapper_document(each) for each in _list(value)] for value in _sides(change))
        merged = _merged(written, code, live)
        if _is_hidden(merged) or MASK in json.dumps(merged):
            remedy = (
                f"`pulumi config set --secret lotus:<name>`, and write it into {self.file.file} with its key as "
                f'{{"$secret": "<name>"}}; or {_REVERT}'
            )
            return self._unresolved(("mappers",), "a mapper holds a key, which Airbyte does not show", remedy)
        return self._edit("mappers", merged or None)

    def _edit(self, key: str, value: JsonValue) -> FileEdit:
        return FileEdit(self.file.file, Edit((key,), value, _STREAM_KEYS))

    def _unresolved(self, path: PropertyPath, what: str, remedy: str = _REVERT) -> Unresolved:
        return _unresolved(self.drifted, (STREAMS, self.live.key, *path), what, remedy)


def _sides(change: PropertyDrift | None) -> tuple[JsonValue, JsonValue]:
    return (None, None) if change is None else (change.code, change.live)


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _mapper_document(mapper: JsonValue) -> JsonValue:
    """A mapper in the keys of a stream's file."""
    if not isinstance(mapper, dict):
        return mapper
    return {"type": mapper.get("type"), "configuration": mapper.get("mapperConfiguration")}


def _merged(written: JsonValue, code: JsonValue, live: JsonValue) -> JsonValue:
    """The live value, with what the file has for each part that is as in the code: it may refer to a value."""
    if code == live:
        return written
    if isinstance(live, dict) and isinstance(code, dict) and isinstance(written, dict) and not is_reference(written):
        return {key: _merged(written.get(key), code.get(key), value) for key, value in live.items()}
    if isinstance(live, list) and isinstance(code, list) and isinstance(written, list):
        both = min(len(code), len(written))
        return [
            _merged(written[index], code[index], value) if index < both else value for index, value in enumerate(live)
        ]
    return live


def _new_file_results(
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
    mappers = [_mapper_document(each) for each in _list(cast("JsonValue", live.others.get("mappers")))]
    if _is_hidden(mappers) or MASK in json.dumps(mappers):
        yield _unresolved(
            drifted, path, "a mapper holds a key, which Airbyte does not show", f"write its file; or {_REVERT}"
        )
        return
    names = live.selected_fields
    for name in names or ():
        if name not in discovered.fields:
            yield _unresolved(drifted, (*path, "fields", name), *_unknown_type(source))
    fields = {name: _field_document(field) for name, field in discovered.fields.items() if name in (names or ())}
    document: Document = {
        "$schema": "../.schema/stream.json",
        "stream": live.name,
        "namespace": live.namespace,
        "sync_mode": pair[0],
        "destination_sync_mode": pair[1],
        "primary_key": [list(each) for each in live.primary_key],
        "cursor_field": list(live.cursor_field),
        "fields": ALL_FIELDS if names is None else fields,
        "mappers": mappers,
        **{name: cast("JsonValue", live.others.get(key)) for key, name in _STREAM_PROPERTIES.items()},
    }
    yield NewFile(file, {key: value for key, value in document.items() if value})


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
