"""From what exists to what is to be written and imported, and to what a person must know of it. Asks nobody."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from airbyte_model.specifications import Specification

from lotus_infra import naming
from lotus_infra.migrate import compare
from lotus_infra.migrate.choices import undone
from lotus_infra.migrate.files import (
    Names,
    PlannedFile,
    Reason,
    UnsayableError,
    destination_file,
    discovered_files,
    source_file,
    stream_file,
    untyped,
)
from lotus_infra.migrate.first_up import first_changes, sayable
from lotus_infra.migrate.imports import Imported
from lotus_infra.migrate.model import Existing, FoundActor, Note, NoteKind
from lotus_infra.migrate.pairs import Pair, paired
from lotus_infra.migrate.secrets import Holder, Referenced, SecretNames, SecretUse, referenced
from lotus_infra.streams.checks import CHECKS
from lotus_infra.streams.lake import DESTINATIONS_FOLDER, Lake, SourceFolder, StreamFile
from lotus_infra.streams.model import SourceConfig
from lotus_infra.streams.problems import field_name
from lotus_infra.streams.references import references

DRIFT = "`pulumi up` makes it what the files say, `lotus drift --patch` makes the files say what it is"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a migration does.

    Attributes:
        files: What is to be written into the lake's folder.
        kept: Sources and destinations that have files, which stay as they are.
        imports: What Pulumi is to import, a source beside its connection.
        secrets: What the stack must have a value for, because a new file refers to it.
        notes: What a person must know.
    """

    files: tuple[PlannedFile, ...]
    kept: tuple[str, ...]
    imports: tuple[Imported, ...]
    secrets: tuple[SecretUse, ...]
    notes: tuple[Note, ...]


def folder_of(lake: Lake, source: FoundActor) -> SourceFolder | None:
    """The folder that a source has already, by its label."""
    return next((each for each in lake.sources if each.label.casefold() == source.label.casefold()), None)


def needing_facts(existing: Existing, lake: Lake) -> tuple[FoundActor, ...]:
    """The sources that get a folder, and so need to be known with their fields."""
    return tuple(pair.source for pair in paired(existing)[0] if not _has_streams(folder_of(lake, pair.source)))


def planned(existing: Existing, lake: Lake, managed: Collection[str] = ()) -> Plan:
    """Plan a migration.

    Args:
        existing: What exists.
        lake: What the lake has already; perhaps nothing.
        managed: Ids of what the stack has already.
    """
    pairs, notes = paired(existing)
    planner = _Planner(existing, lake, [*existing.notes, *notes])
    for pair in pairs:
        planner.take(pair)
    planner.check()
    return Plan(
        files=tuple(sorted(planner.files, key=lambda each: each.path)),
        kept=tuple(sorted(planner.kept)),
        imports=_unmanaged(planner.imports, frozenset(managed), planner.notes),
        secrets=tuple(planner.secrets),
        notes=tuple(dict.fromkeys(planner.notes)),
    )


def _unmanaged(imports: list[Imported], managed: frozenset[str], notes: list[Note]) -> tuple[Imported, ...]:
    """What the stack does not have. A part of a pipeline that it has goes below that one, which a file can't say."""
    known = {each.name for each in imports if each.kind != "destination" and each.id in managed}
    kept = []
    for each in imports:
        if each.id in managed:
            continue
        if each.kind != "destination" and each.name in known:
            command = f"pulumi import {each.type} {each.name} {each.id} --parent 'parent=<URN of the Pipeline>'"
            notes.append(Note("left", f'{each.kind} "{each.label}"', "the stack has its pipeline already", command))
        else:
            kept.append(each)
    return tuple(kept)


def _has_streams(folder: SourceFolder | None) -> bool:
    return folder is not None and (bool(folder.streams) or not folder.complete)


@dataclass
class _Planner:
    """Gathers a plan, pair by pair."""

    existing: Existing
    lake: Lake
    notes: list[Note]
    files: list[PlannedFile] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    imports: list[Imported] = field(default_factory=list)
    secrets: list[SecretUse] = field(default_factory=list)
    destinations: dict[str, str] = field(default_factory=dict)
    """Names of destinations' files by the id."""

    def __post_init__(self) -> None:
        configurations = [each.config.configuration for each in self.lake.sources if each.config is not None]
        configurations += [each.configuration for each in self.lake.destinations.values() if each is not None]
        used = {reference.name for each in configurations for _, reference in references(each)}
        self.names = SecretNames(used)
        self.before = self.lake

    def take(self, pair: Pair) -> None:
        """Take one source over, with its connection and its destination; or say why not."""
        folder = folder_of(self.lake, pair.source)
        before = ([*self.files], [*self.secrets], self.lake, {**self.destinations}, SecretNames({*self.names.taken}))
        try:
            destination = self._destination(pair.destination)
            name = folder.name if folder is not None else self._folder(pair.source.label)
            if folder is None or folder.config is None:
                self._new(pair, name, folder, destination)
        except UnsayableError as error:
            # A destination that was planned for this source alone goes with it.
            self.files, self.secrets, self.lake, self.destinations, self.names = before
            for reason in error.reasons:
                self._note("left", pair.source.subject, reason.what, reason.remedy)
            return
        if folder is not None:
            self._kept(pair, folder)
        self._import_destination(pair.destination, destination)
        ends = ((pair.source, "source"), (pair.connection, "connection"))
        self.imports += [Imported(kind, name, each.id, each.label, each.address) for each, kind in ends]
        own_file = folder is not None and folder.config is not None
        self.notes += first_changes(pair, name, own_file=own_file, own_streams=_has_streams(folder))

    def _note(self, kind: NoteKind, subject: str, what: str, remedy: str = "") -> None:
        self.notes.append(Note(kind, subject, what, remedy))

    def _folder(self, label: str) -> str:
        taken = {each.name for each in self.lake.sources}
        return _free(naming.identifier(label, "source"), taken)

    def _destination(self, found: FoundActor) -> str:
        """The file of a destination, which is planned where there is none."""
        if found.id in self.destinations:
            return self.destinations[found.id]
        labels = {self.lake.destination_label(each).casefold(): each for each in self.lake.destinations}
        name = labels.get(found.label.casefold(), "")
        if not name:
            name = _free(naming.identifier(found.label, "destination"), set(self.lake.destinations))
            made = self._configuration(found, name, f"{DESTINATIONS_FOLDER}/{name}.json")
            config, file = destination_file(name, found, made.configuration, self._connector(found))
            self.files.append(file)
            self.secrets += made.secrets
            self.lake = replace(self.lake, destinations={**self.lake.destinations, name: config})
        self.destinations[found.id] = name
        return name

    def _import_destination(self, found: FoundActor, name: str) -> None:
        if any(each.id == found.id for each in self.imports):
            return
        self.imports.append(
            Imported("destination", naming.destination_resource(name), found.id, found.label, found.address)
        )
        config = self.before.destinations.get(name)
        if config is not None:
            file = f"{DESTINATIONS_FOLDER}/{name}.json"
            self.kept.add(file)
            self._differs(file, found.subject, compare.actor_places(config.configuration, found.configuration))

    def _new(self, pair: Pair, name: str, folder: SourceFolder | None, destination: str) -> None:
        """Plan the files of a source that has none; of one that has stream files, its own file alone."""
        made = self._configuration(pair.source, name, f"{name}/_source.json")
        given = pair.connection.namespace
        namespace = given if sayable(given) else name
        names = Names(self._connector(pair.source), destination, namespace)
        config, file = source_file(name, pair.source, pair.connection, made.configuration, names)
        self.files.append(file)
        self.secrets += made.secrets
        if folder is None or not _has_streams(folder):
            folder = self._streams(pair, name, config)
        others = tuple(each for each in self.lake.sources if each.name != name)
        self.lake = replace(self.lake, sources=(*others, replace(folder, config=config)))

    def _streams(self, pair: Pair, name: str, config: SourceConfig) -> SourceFolder:
        """Plan the files of a connection's streams, and of what the source has, where it was discovered."""
        _unambiguous(pair)
        facts = self.existing.facts.get(pair.source.id, {})
        parsed = [stream_file(name, stream, facts) for stream in pair.connection.streams]
        self.files += [file for _, file in parsed]
        offered: frozenset[str] | None = None
        if pair.source.id in self.existing.discovered:
            self.files += discovered_files(name, facts)
            offered = frozenset(facts)
        made = [StreamFile(file.path, name, stream.stream, stream, facts.get(stream.stream)) for stream, file in parsed]
        self._untyped(pair, made)
        return SourceFolder(name, config, tuple(made), offered)

    def _untyped(self, pair: Pair, streams: Sequence[StreamFile]) -> None:
        for each in streams:
            if missing := untyped(each.config):
                what = f"nobody knows the types of {compare.listed([f'{each.name}.{one}' for one in missing])}"
                remedy = f"`lotus discover {each.source}` finds them, once the source is in the stack's workspace"
                self._note("told", pair.source.subject, what, remedy)

    def _configuration(self, found: FoundActor, owner: str, file: str) -> Referenced:
        pinned = self.lake.pinned(found.definition_id) if found.definition_id else None
        usable = Specification.usable(pinned.spec) if pinned is not None else None
        configuration = found.configuration
        if found.typed and not self.existing.confirmed:
            made = undone(dict(configuration), pinned.spec if pinned is not None else None) if usable else None
            if not isinstance(made, dict):
                what = "its typed configuration can't be read without the connector's specification"
                raise UnsayableError(
                    Reason(what, "pin the connector in _connectors/, or run it where Airbyte can be asked")
                )
            configuration = made
        masked = self.existing.confirmed
        if usable is None and not masked:
            what = "nothing says which parts of its configuration are secret; what looks like it became a reference"
            self._note("told", found.subject, what, f"read {file} before you commit it")
        return referenced(configuration, Holder(owner, file), self.names, usable, masked=masked)

    def _connector(self, found: FoundActor) -> str:
        pinned = self.lake.pinned(found.definition_id) if found.definition_id else None
        if not found.definition_id:
            what = "the state does not say which connector it has"
            raise UnsayableError(Reason(what, "run it where Airbyte can be asked"))
        return pinned.connector if pinned is not None else found.definition_id

    def _kept(self, pair: Pair, folder: SourceFolder) -> None:
        """Say how the files of a folder that stays differ; by another end or connector Pulumi makes a new object."""
        file = f"{folder.name}/"
        self.kept.add(file)
        self._differs(file, pair.source.subject, compare.against_files(folder, pair.source, pair.connection))
        if folder.config is None:
            return
        pinned = self.lake.pinned(folder.config.connector)
        definition = pinned.definition_id if pinned is not None else folder.config.connector.lower()
        others = {
            "destination": self.lake.destination_label(folder.config.destination) != pair.destination.label,
            "connector": definition != pair.source.definition_id,
        }
        for what in (name for name, differs in others.items() if differs):
            remedy = "correct the file first: an import would end in a new object"
            self._note("changes", pair.source.subject, f"{folder.file} names another {what}", remedy)

    def _differs(self, file: str, subject: str, places: list[str]) -> None:
        if places:
            self._note("changes", subject, f"{file} says otherwise of {compare.listed(places)}", DRIFT)

    def check(self) -> None:
        """Say what `lotus check` will say of the new files."""
        written = {each.path for each in self.files}
        for rule in CHECKS:
            for finding in rule(self.lake):
                if not finding.harmless and finding.file in written:
                    place = f"{finding.file} {field_name(finding.path)}".rstrip()
                    self._note("told", place, f"`lotus check` will refuse it: {finding.what}", finding.remedy)


def _unambiguous(pair: Pair) -> None:
    """Refuse a connection without streams, or with one name in several namespaces."""
    names = [each.name for each in pair.connection.streams]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        what = f"it has {', '.join(twice)} in several namespaces, and a folder has a stream once"
        raise UnsayableError(Reason(what, "make a source for each namespace in Airbyte"))
    if not names:
        raise UnsayableError(Reason("its connection has no streams", "select some in Airbyte, or delete it there"))


def _free(name: str, taken: Collection[str]) -> str:
    numbered: Iterator[str] = (f"{name}_{number}" for number in range(2, len(taken) + 3))
    return next(each for each in (name, *numbered) if each not in taken)
