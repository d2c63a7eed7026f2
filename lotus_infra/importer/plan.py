"""The plan of a migration: the files to write and the resources to import for existing objects, and notes.

Pure: it makes no call and writes nothing. A lake's folder is one source with one connection, so that sources are first
paired with connections and destinations. Existing files stay; their differences, and what the first `pulumi up` would
change, become notes. Notes name fields only, never the value of a configuration, which may be a secret.
"""

import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from airbyte_model.modes import KEYLESS_MODES, MODES
from airbyte_model.secrets import MASK
from airbyte_model.specifications import Specification
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.importer.files import (
    ImportedResource,
    PlannedFile,
    Reason,
    SourceSettings,
    UnsupportedError,
    destination_file,
    discovered_files,
    source_file,
    stream_file,
    untyped_fields,
)
from lotus_infra.importer.model import (
    Existing,
    ExistingActor,
    ExistingConnection,
    ExistingObject,
    ExistingStream,
    Note,
    NoteKind,
)
from lotus_infra.importer.schedules import comparable_schedule
from lotus_infra.importer.secrets import (
    KNOWN_SPECIFICATIONS,
    ConfigurationOwner,
    ReferencedConfiguration,
    SecretNames,
    SecretUse,
    readable_path,
    replace_secrets,
)
from lotus_infra.importer.terraform_public import connector_configuration
from lotus_infra.lake.catalog import configure
from lotus_infra.lake.checks import CHECKS
from lotus_infra.lake.diagnostics import JsonPath, format_path
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, Lake, SourceFolder, StreamFile
from lotus_infra.lake.models import Configuration, SourceConfig
from lotus_infra.lake.references import is_reference, references, walk_leaves
from lotus_infra.lake.secrecy import without_credentials

Settings = Mapping[str, object]
_MOST_FIELDS: Final = 12
_RENAME: Final = "rename one of them in Airbyte, and run it again"
_FIX_DRIFT: Final = "`pulumi up` applies the files, `lotus drift --patch` changes the files to match Airbyte"
_UNSUPPORTED: Final = "a lake's files don't support that"


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What a migration does.

    Attributes:
        files: Files to write into the lake's folder.
        kept: Existing files of sources and destinations, which stay unchanged.
        imports: Resources that Pulumi imports, a source beside its connection.
        secrets: Secrets that the new files refer to, for which the stack needs values.
        notes: What the user must know.
    """

    files: tuple[PlannedFile, ...]
    kept: tuple[str, ...]
    imports: tuple[ImportedResource, ...]
    secrets: tuple[SecretUse, ...]
    notes: tuple[Note, ...]


def plan_migration(existing: Existing, lake: Lake, managed: Collection[str] = ()) -> MigrationPlan:
    """Plan a migration.

    Args:
        existing: The existing objects.
        lake: The lake's files, perhaps none.
        managed: The ids of objects in the stack's state.
    """
    pipelines, notes = _pair_sources(existing)
    planner = _Planner(existing, lake, [*existing.notes, *notes])
    for pipeline in pipelines:
        planner.add(pipeline)
    planner.check_lake()
    return MigrationPlan(
        files=tuple(sorted(planner.files, key=lambda each: each.path)),
        kept=tuple(sorted(planner.kept)),
        imports=_without_managed(planner.imports, frozenset(managed), planner.notes),
        secrets=tuple(planner.secrets),
        notes=tuple(dict.fromkeys(map(_without_credentials, planner.notes))),
    )


def _without_credentials(note: Note) -> Note:
    """A note without the credentials that names in Airbyte may hold."""
    subject, what, remedy = (without_credentials(text) for text in (note.subject, note.what, note.remedy))
    return Note(note.kind, subject, what, remedy)


def sources_to_discover(existing: Existing, lake: Lake) -> tuple[ExistingActor, ...]:
    """The sources whose stream files will be written, and which therefore need a schema."""
    pipelines, _ = _pair_sources(existing)
    return tuple(each.source for each in pipelines if not _has_streams(_existing_folder(lake, each.source)))


def update_from_server(state: Existing, live: Existing) -> Existing:
    """The objects of a Terraform state with the server's current values.

    The state selects the objects, the server has their values: an import reads them, and so must the files. Differences
    become notes, because someone changed the object after Terraform.
    """
    in_state = {each.id: each for each in state.objects}
    on_server = {each.id: each for each in live.objects}
    actors = tuple(replace(each, address=in_state[each.id].address) for each in live.actors if each.id in in_state)
    connections = tuple(
        replace(each, address=in_state[each.id].address) for each in live.connections if each.id in in_state
    )
    notes = (*state.notes, *live.notes, *_differences_from_server(in_state, on_server))
    return Existing(
        actors,
        connections,
        {**state.schemas, **live.schemas},
        notes,
        confirmed=True,
        specifications=live.specifications,
    )


def _differences_from_server(
    in_state: Mapping[str, ExistingObject], on_server: Mapping[str, ExistingObject]
) -> Iterator[Note]:
    for identity, each in in_state.items():
        now = on_server.get(identity)
        if now is None:
            what = "is in Terraform's state, but no longer in this workspace of Airbyte"
            yield Note("left", _subject_with_address(each), what, f"terraform state rm {shlex.quote(each.address)}")
        elif fields := _differing_from_state(each, now):
            what = f"differs from Terraform's state ({_shortened(fields)})"
            yield Note("told", _subject_with_address(each), what, "the files get Airbyte's current values")
    for identity, each in on_server.items():
        if identity not in in_state:
            remedy = "`lotus migrate --from live` imports it too"
            yield Note("left", each.subject, "is in Airbyte, but not in Terraform's state", remedy)


def _subject_with_address(each: ExistingObject) -> str:
    named = f'"{each.label}"' if each.label else each.id
    kind = each.kind if isinstance(each, ExistingActor) else "connection"
    return f"{kind} {named} ({each.address})"


# Pairs of sources and connections


@dataclass(frozen=True, slots=True)
class _Pipeline:
    """A source and its connection, which become one folder, and the destination that the folder names."""

    source: ExistingActor
    connection: ExistingConnection
    destination: ExistingActor


def _pair_sources(existing: Existing) -> tuple[tuple[_Pipeline, ...], tuple[Note, ...]]:
    """The pipelines by the source's label, and notes on the objects that are in none."""
    pairing = _Pairing(existing)
    pipelines = tuple(pairing.pipelines())
    used = {each.destination.id for each in pipelines}
    for each in existing.of_kind("destination"):
        if each.id not in used and not pairing.is_ambiguous(each):
            what = "is the destination of no imported connection"
            pairing.notes.append(Note("left", each.subject, what, "delete it in Airbyte, or leave it there"))
    return pipelines, tuple(pairing.notes)


class _Pairing:
    def __init__(self, existing: Existing) -> None:
        self.existing = existing
        self.notes: list[Note] = []
        # Folder names come from labels and ignore case.
        self._labels = Counter((each.kind, each.label.casefold()) for each in existing.actors)

    def is_ambiguous(self, actor: ExistingActor) -> bool:
        """Whether another actor of its kind has its label."""
        return self._labels[actor.kind, actor.label.casefold()] > 1

    def pipelines(self) -> Iterator[_Pipeline]:
        destinations = {each.id: each for each in self.existing.of_kind("destination")}
        for each in self.existing.actors:
            if self.is_ambiguous(each):
                what = f"({each.id}) has the same name as another {each.kind}"
                self.notes.append(Note("left", each.subject, what, _RENAME))
        for source in self.existing.of_kind("source"):
            connection = None if self.is_ambiguous(source) else self._connection(source)
            if connection is None:
                continue
            destination = destinations.get(connection.destination_id)
            if destination is None or self.is_ambiguous(destination):
                what = "its destination is not imported"
                self.notes.append(Note("left", source.subject, what, "see the note on the destination"))
            else:
                yield _Pipeline(source, connection, destination)

    def _connection(self, source: ExistingActor) -> ExistingConnection | None:
        """The connection to import: the one with the conventional label, else the first active one, by label."""
        labels = {
            each.id: naming.connection_label(source.label, each.label) for each in self.existing.of_kind("destination")
        }
        own = sorted(
            (each for each in self.existing.connections if each.source_id == source.id),
            key=lambda each: (
                each.label != labels.get(each.destination_id),
                each.status != "active",
                each.label,
                each.id,
            ),
        )
        if not own:
            what = "has no connection, which a lake's folder needs"
            self.notes.append(Note("left", source.subject, what, "connect it in Airbyte, or delete it there"))
            return None
        for other in own[1:]:
            what = f"reads {source.subject} too, but a folder has one connection: {own[0].label} is imported"
            remedy = "create another source for it in Airbyte, or delete it there"
            self.notes.append(Note("left", f"{other.subject} ({other.id})", what, remedy))
        return own[0]


# The plan


@dataclass
class _Planner:
    """Collects the plan, pipeline by pipeline."""

    existing: Existing
    lake: Lake
    notes: list[Note]
    files: list[PlannedFile] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    imports: list[ImportedResource] = field(default_factory=list)
    secrets: list[SecretUse] = field(default_factory=list)
    destinations: dict[str, str] = field(default_factory=dict)
    """The file names of destinations, by id."""

    def __post_init__(self) -> None:
        configurations = [each.config.configuration for each in self.lake.sources if each.config is not None]
        configurations += [each.configuration for each in self.lake.destinations.values() if each is not None]
        used = {reference.name for each in configurations for _, reference in references(each)}
        self.secret_names = SecretNames(used)
        self.lake_before = self.lake

    def add(self, pipeline: _Pipeline) -> None:
        """Plan the files and imports of a pipeline, or add notes with the reasons why it can't be imported."""
        folder = _existing_folder(self.lake, pipeline.source)
        before = (
            [*self.files],
            [*self.secrets],
            self.lake,
            {**self.destinations},
            SecretNames({*self.secret_names.taken}),
        )
        try:
            destination = self._destination_name(pipeline.destination)
            name = folder.name if folder is not None else self._new_folder_name(pipeline.source.label)
            if folder is None or folder.config is None:
                self._add_folder(pipeline, name, folder, destination)
        except UnsupportedError as error:
            # A destination that only this source needs must not be imported without it.
            self.files, self.secrets, self.lake, self.destinations, self.secret_names = before
            for reason in error.reasons:
                self._note("left", pipeline.source.subject, reason.what, reason.remedy)
            return
        if folder is not None:
            self._keep_folder(pipeline, folder)
        self._import_destination(pipeline.destination, destination)
        self.imports.append(_imported("source", name, pipeline.source))
        self.imports.append(_imported("connection", name, pipeline.connection))
        own_file = folder is not None and folder.config is not None
        self.notes += _first_up_changes(pipeline, name, own_file=own_file, own_streams=_has_streams(folder))

    def check_lake(self) -> None:
        """Add notes on what `lotus check` will report about the new files."""
        written = {each.path for each in self.files}
        for rule in CHECKS:
            for diagnostic in rule(self.lake):
                if not diagnostic.harmless and diagnostic.file in written:
                    subject = f"{diagnostic.file} {format_path(diagnostic.path)}".rstrip()
                    self._note("told", subject, f"`lotus check` will refuse it: {diagnostic.what}", diagnostic.remedy)

    def _note(self, kind: NoteKind, subject: str, what: str, remedy: str = "") -> None:
        self.notes.append(Note(kind, subject, what, remedy))

    def _new_folder_name(self, label: str) -> str:
        taken = {each.name for each in self.lake.sources}
        return _free_name(naming.identifier(label, "source"), taken)

    def _destination_name(self, actor: ExistingActor) -> str:
        """The name of a destination's file, which is planned if the lake has none."""
        if actor.id in self.destinations:
            return self.destinations[actor.id]
        labels = {self.lake.destination_label(each).casefold(): each for each in self.lake.destinations}
        name = labels.get(actor.label.casefold(), "")
        if not name:
            name = _free_name(naming.identifier(actor.label, "destination"), set(self.lake.destinations))
            referenced = self._configuration(actor, name, f"{DESTINATIONS_FOLDER}/{name}.json")
            config, file = destination_file(name, actor, referenced.configuration, self._connector(actor))
            self.files.append(file)
            self.secrets += referenced.secrets
            self.lake = replace(self.lake, destinations={**self.lake.destinations, name: config})
        self.destinations[actor.id] = name
        return name

    def _import_destination(self, actor: ExistingActor, name: str) -> None:
        if any(each.id == actor.id for each in self.imports):
            return
        self.imports.append(_imported("destination", naming.destination_resource(name), actor))
        config = self.lake_before.destinations.get(name)
        if config is not None:
            file = f"{DESTINATIONS_FOLDER}/{name}.json"
            self.kept.add(file)
            self._note_differences(
                file, actor.subject, _differing_configuration(config.configuration, actor.configuration)
            )

    def _add_folder(self, pipeline: _Pipeline, name: str, folder: SourceFolder | None, destination: str) -> None:
        """Plan the files of a source; if it has stream files already, only its own file."""
        referenced = self._configuration(pipeline.source, name, f"{name}/_source.json")
        existing_namespace = pipeline.connection.namespace
        namespace = existing_namespace if _is_file_namespace(existing_namespace) else name
        settings = SourceSettings(self._connector(pipeline.source), destination, namespace)
        config, file = source_file(name, pipeline.source, pipeline.connection, referenced.configuration, settings)
        self.files.append(file)
        self.secrets += referenced.secrets
        if folder is None or not _has_streams(folder):
            folder = self._add_streams(pipeline, name, config)
        others = tuple(each for each in self.lake.sources if each.name != name)
        self.lake = replace(self.lake, sources=(*others, replace(folder, config=config)))

    def _add_streams(self, pipeline: _Pipeline, name: str, config: SourceConfig) -> SourceFolder:
        """Plan the files of a connection's streams, and those of the source's schema if it was discovered."""
        _refuse_ambiguous_streams(pipeline.connection)
        schema = self.existing.schemas.get(pipeline.source.id, {})
        parsed = [stream_file(name, stream, schema) for stream in pipeline.connection.streams]
        self.files += [file for _, file in parsed]
        offered: frozenset[str] | None = None
        if pipeline.source.id in self.existing.discovered:
            self.files += discovered_files(name, schema)
            offered = frozenset(schema)
        streams = [
            StreamFile(file.path, name, stream.stream, stream, schema.get(stream.stream)) for stream, file in parsed
        ]
        for each in streams:
            if missing := untyped_fields(each.config):
                what = f"the types of {_shortened([f'{each.name}.{one}' for one in missing])} are unknown"
                remedy = f"`lotus discover {name}` finds them, once the source is in the stack's workspace"
                self._note("told", pipeline.source.subject, what, remedy)
        return SourceFolder(name, config, tuple(streams), offered)

    def _configuration(self, actor: ExistingActor, owner: str, file: str) -> ReferencedConfiguration:
        pinned = self.lake.pinned(actor.definition_id) if actor.definition_id else None
        others = {**KNOWN_SPECIFICATIONS, **self.existing.specifications}
        known = pinned.spec if pinned is not None else others.get(actor.definition_id)
        specification = Specification.usable(known) if known is not None else None
        configuration = actor.configuration
        if actor.typed and not self.existing.confirmed:
            spec = pinned.spec if pinned is not None and specification else None
            converted = connector_configuration(dict(configuration), spec) if spec is not None else None
            if not isinstance(converted, dict):
                what = "its typed configuration can't be read without the connector's specification"
                raise UnsupportedError(
                    Reason(what, "pin the connector in _connectors/, or run it where Airbyte can be reached")
                )
            configuration = converted
        owned = ConfigurationOwner(owner, file)
        referenced = replace_secrets(configuration, owned, self.secret_names, specification)
        self._note_secrets(actor, referenced)
        return referenced

    def _note_secrets(self, actor: ExistingActor, referenced: ReferencedConfiguration) -> None:
        """Add notes on the secrets that no specification asks for."""
        for each in referenced.secrets:
            if each.reason == "credential":
                what = f"has a credential in {each.place}, which its connector's specification does not call secret"
                self._note("told", actor.subject, what, "Airbyte shows it to everyone: move it to a secret setting")
        undescribed = [each.place for each in referenced.secrets if each.reason == "undescribed"]
        if undescribed:
            file = referenced.secrets[0].file
            what = f"has values that no specification describes ({_shortened(undescribed)}): they became secrets"
            remedy = f"pin its connector in _connectors/ and run it again, or write those that are none into {file}"
            self._note("told", actor.subject, what, remedy)

    def _connector(self, actor: ExistingActor) -> str:
        if not actor.definition_id:
            what = "its connector is not in the state"
            raise UnsupportedError(Reason(what, "run it where Airbyte can be reached"))
        pinned = self.lake.pinned(actor.definition_id)
        return pinned.connector if pinned is not None else actor.definition_id

    def _keep_folder(self, pipeline: _Pipeline, folder: SourceFolder) -> None:
        """Add notes on the differences between a folder's files and the existing objects."""
        file = f"{folder.name}/"
        self.kept.add(file)
        fields = _differing_from_files(folder, pipeline.source, pipeline.connection)
        self._note_differences(file, pipeline.source.subject, fields)
        if folder.config is None:
            return
        pinned = self.lake.pinned(folder.config.connector)
        definition = pinned.definition_id if pinned is not None else folder.config.connector.lower()
        others = {
            "destination": self.lake.destination_label(folder.config.destination) != pipeline.destination.label,
            "connector": definition != pipeline.source.definition_id,
        }
        for what in (name for name, differs in others.items() if differs):
            # Neither can be changed in place: Pulumi would replace the object.
            remedy = "correct the file first: the import would end in a new object"
            self._note("changes", pipeline.source.subject, f"{folder.file} names another {what}", remedy)

    def _note_differences(self, file: str, subject: str, fields: list[str]) -> None:
        if fields:
            self._note("changes", subject, f"{file} has other values of {_shortened(fields)}", _FIX_DRIFT)


def _imported(kind: str, name: str, existing: ExistingObject) -> ImportedResource:
    shown = (without_credentials(existing.label), without_credentials(existing.address))
    return ImportedResource(kind, name, existing.id, *shown)


def _without_managed(
    imports: list[ImportedResource], managed: frozenset[str], notes: list[Note]
) -> tuple[ImportedResource, ...]:
    """The resources that are not in the stack's state; adds a note on each that the import file can't express.

    These are the parts of a pipeline whose other part is in the state: their parent exists, and the file's parents are
    only new components.
    """
    pipelines = {each.name for each in imports if each.kind != "destination" and each.id in managed}
    kept = []
    for each in imports:
        if each.id in managed:
            continue
        if each.kind != "destination" and each.name in pipelines:
            command = f"pulumi import {each.type} {each.name} {each.id} --parent 'parent=<URN of the Pipeline>'"
            notes.append(Note("left", f'{each.kind} "{each.label}"', "the stack has its pipeline already", command))
        else:
            kept.append(each)
    return tuple(kept)


def _existing_folder(lake: Lake, source: ExistingActor) -> SourceFolder | None:
    """The folder with the label of a source."""
    return next((each for each in lake.sources if each.label.casefold() == source.label.casefold()), None)


def _has_streams(folder: SourceFolder | None) -> bool:
    # A folder with an invalid stream file is incomplete: its streams must not be planned a second time.
    return folder is not None and (bool(folder.streams) or not folder.complete)


def _refuse_ambiguous_streams(connection: ExistingConnection) -> None:
    """Refuse a connection without streams, or with a stream's name in several namespaces.

    Raises:
        UnsupportedError: It is one.
    """
    names = [each.name for each in connection.streams]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        what = f"it has {', '.join(repeated)} in several namespaces, and a folder has a stream once"
        raise UnsupportedError(Reason(what, "create a source for each namespace in Airbyte"))
    if not names:
        raise UnsupportedError(Reason("its connection has no streams", "select some in Airbyte, or delete it there"))


def _free_name(name: str, taken: Collection[str]) -> str:
    numbered: Iterator[str] = (f"{name}_{number}" for number in range(2, len(taken) + 3))
    return next(each for each in (name, *numbered) if each not in taken)


def _first_up_changes(pipeline: _Pipeline, folder: str, *, own_file: bool, own_streams: bool) -> Iterator[Note]:
    """What the first `pulumi up` changes although the files are as close to the existing objects as possible.

    Args:
        pipeline: The connection with its source and destination.
        folder: The source's folder.
        own_file: Whether the source had a file, whose differences are noted elsewhere.
        own_streams: Whether the source had stream files.
    """
    connection = pipeline.connection
    label = naming.connection_label(pipeline.source.label, pipeline.destination.label)
    changes: list[tuple[str, str]] = []
    if connection.label != label:
        changes.append((f'is renamed to "{label}"', "a lake's connections are named after source and destination"))
    if connection.status != "active":
        changes.append(("is activated", "to keep it inactive, delete its folder and its entries in the import file"))
    if connection.unsupported:
        changes.append((f"loses {', '.join(connection.unsupported)}", _UNSUPPORTED))
    all_fields = sorted(each.name for each in connection.streams if each.fields is None)
    if all_fields and not own_streams:
        what = f"selects the current fields, and no later ones, of {_shortened(all_fields)}"
        changes.append((what, "rows and cursors stay"))
    if not own_file and not _is_file_namespace(connection.namespace):
        what = f"writes under {folder}/ instead of its namespace ({connection.namespace})"
        changes.append((what, "older files stay where they are: read both, or backfill"))
    for actor in (pipeline.source, pipeline.destination):
        if actor.unsupported:
            yield Note("changes", actor.subject, f"loses {', '.join(actor.unsupported)}", _UNSUPPORTED)
    yield from (Note("changes", connection.subject, what, remedy) for what, remedy in changes)


def _is_file_namespace(namespace: str) -> bool:
    """Whether a file can have a namespace: those of the source and of the destination have no name of their own."""
    return naming.is_identifier(namespace) and namespace not in {"source", "destination"}


# Differences, as names of fields


def _differing(one: Settings, other: Settings) -> list[str]:
    """The names of settings that are not equal, sorted."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def _differing_configuration(ours: Mapping[str, JsonValue], theirs: Mapping[str, JsonValue]) -> list[str]:
    """The fields in which two configurations differ; a reference or a mask equals any value."""
    one, other = _leaves(ours), _leaves(theirs)
    return sorted(
        readable_path(("configuration", *path))
        for path in {*one, *other}
        if not (_is_hidden(one.get(path)) or _is_hidden(other.get(path))) and not _equal(one.get(path), other.get(path))
    )


def _differing_from_state(state: ExistingObject, live: ExistingObject) -> list[str]:
    """The fields in which the server differs from Terraform's state."""
    if isinstance(state, ExistingActor) and isinstance(live, ExistingActor):
        # A typed configuration has another shape, so that its fields can't be compared.
        fields = [] if state.typed else _differing_configuration(state.configuration, live.configuration)
        return ["name"] * (state.label != live.label) + fields
    if isinstance(state, ExistingConnection) and isinstance(live, ExistingConnection):
        return _differing(_connection_settings(state), _connection_settings(live))
    return []


def _differing_from_files(folder: SourceFolder, source: ExistingActor, connection: ExistingConnection) -> list[str]:
    """The fields in which a source's files differ from the existing objects."""
    config = folder.config
    if config is None:
        return _differing_streams(folder, connection)
    theirs: Settings = {
        "namespace": connection.namespace,
        "prefix": connection.prefix,
        "schedule": _schedule_setting(connection),
        "non_breaking_changes": connection.non_breaking_changes,
    }
    ours: Settings = {
        "namespace": config.namespace if config.namespace is not None else naming.namespace(folder.name),
        "prefix": config.prefix,
        "schedule": comparable_schedule(config.schedule),
        "non_breaking_changes": config.non_breaking_changes,
    }
    fields = _differing_configuration(config.configuration, source.configuration)
    return [*_differing(ours, theirs), *fields, *_differing_streams(folder, connection)]


def _differing_streams(folder: SourceFolder, connection: ExistingConnection) -> list[str]:
    # A pair of modes that Airbyte does not have is reported by `lotus check`.
    usable = [
        each for each in folder.selected_streams if (each.config.sync_mode, each.config.destination_sync_mode) in MODES
    ]
    ours = {
        f"streams.{stream.name}": (stream.sync_mode, stream.cursor_field, stream.primary_key, stream.selected_fields)
        for stream in (configure(each.config, each.discovered) for each in usable)
    }
    return _differing(ours, _stream_settings(connection))


def _connection_settings(connection: ExistingConnection) -> Settings:
    return {
        "name": connection.label,
        "schedule": _schedule_setting(connection),
        "namespace": connection.namespace,
        "prefix": connection.prefix,
        "status": connection.status,
        "non_breaking_changes": connection.non_breaking_changes,
        **_stream_settings(connection),
    }


def _schedule_setting(connection: ExistingConnection) -> tuple[str, ...] | None:
    return comparable_schedule(connection.schedule) if connection.schedule is not None else None


def _stream_settings(connection: ExistingConnection) -> Settings:
    return {f"streams.{each.name}": _stream_setting(each) for each in connection.streams}


def _stream_setting(stream: ExistingStream) -> tuple[object, ...]:
    """The settings that a stream's mode uses: Airbyte keeps a cursor and a key that the mode ignores."""
    cursor = stream.cursor if stream.mode.startswith("incremental") else ()
    key = () if stream.mode in KEYLESS_MODES else stream.key
    fields = tuple(sorted(stream.fields)) if stream.fields is not None else None
    return (stream.mode, cursor, key, fields, *(stream.unsupported and (stream.unsupported,)))


def _leaves(configuration: Configuration | Mapping[str, JsonValue]) -> dict[JsonPath, JsonValue]:
    return {path: leaf for path, leaf in walk_leaves(dict(configuration)) if leaf is not None}


def _is_hidden(value: JsonValue) -> bool:
    return is_reference(value) or value == MASK


def _equal(one: JsonValue, other: JsonValue) -> bool:
    # In Python, True equals 1.
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _shortened(names: list[str]) -> str:
    """A list of names; after the first ones, the number of the others."""
    rest = [f"{len(names) - _MOST_FIELDS} more"] if len(names) > _MOST_FIELDS else []
    return ", ".join([*names[:_MOST_FIELDS], *rest])
