"""From what exists to what is to be written and imported, and to what a person must know of it. Asks nobody."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from airbyte_model.modes import KEYLESS_MODES, MODES
from airbyte_model.secrets import MASK
from airbyte_model.specifications import Specification
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.importer.files import (
    Holder,
    Imported,
    Names,
    PlannedFile,
    Reason,
    Referenced,
    SecretNames,
    SecretUse,
    UnsayableError,
    destination_file,
    discovered_files,
    referenced,
    source_file,
    stream_file,
    untyped,
)
from lotus_infra.importer.model import Existing, Found, FoundActor, FoundConnection, FoundStream, Note, NoteKind
from lotus_infra.importer.schedules import words
from lotus_infra.importer.terraform_public import undone
from lotus_infra.lake.catalog import configure
from lotus_infra.lake.checks import CHECKS
from lotus_infra.lake.diagnostics import JsonPath, field_name
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, Lake, SourceFolder, StreamFile
from lotus_infra.lake.models import Configuration, SourceConfig
from lotus_infra.lake.references import is_reference, references, walk

Parts = Mapping[str, object]
SHOWN: Final = 12
RENAME = "give each a name of its own in Airbyte, and run it again"
DRIFT = "`pulumi up` makes it what the files say, `lotus drift --patch` makes the files say what it is"


def differing(one: Parts, other: Parts) -> list[str]:
    """Names of the parts that are not the same in both, sorted."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def actor_places(ours: Mapping[str, JsonValue], theirs: Mapping[str, JsonValue]) -> list[str]:
    """Places in which two configurations differ; a reference and a mask agree with any value."""
    one, other = _leaves(ours), _leaves(theirs)
    return sorted(
        field_name(("configuration", *path))
        for path in {*one, *other}
        if not (_open(one.get(path)) or _open(other.get(path))) and not _same(one.get(path), other.get(path))
    )


def seen_otherwise(state: FoundActor | FoundConnection, live: FoundActor | FoundConnection) -> list[str]:
    """Places in which the server has something else than Terraform's state."""
    if isinstance(state, FoundActor) and isinstance(live, FoundActor):
        places = [] if state.typed else actor_places(state.configuration, live.configuration)
        return ["name"] * (state.label != live.label) + places
    if isinstance(state, FoundConnection) and isinstance(live, FoundConnection):
        return differing(_connection_parts(state), _connection_parts(live))
    return []


def against_files(folder: SourceFolder, source: FoundActor, connection: FoundConnection) -> list[str]:
    """Places in which a source's files are not what exists."""
    config = folder.config
    if config is None:
        return _streams_against(folder, connection)
    theirs: Parts = {
        "namespace": connection.namespace,
        "prefix": connection.prefix,
        "schedule": words(connection.schedule) if connection.schedule is not None else None,
        "non_breaking_changes": connection.non_breaking_changes,
    }
    ours: Parts = {
        "namespace": folder.namespace,
        "prefix": config.prefix,
        "schedule": words(config.schedule),
        "non_breaking_changes": config.non_breaking_changes,
    }
    places = actor_places(config.configuration, source.configuration)
    return [*differing(ours, theirs), *places, *_streams_against(folder, connection)]


def _streams_against(folder: SourceFolder, connection: FoundConnection) -> list[str]:
    pairs = MODES.keys()
    usable = [
        each for each in folder.selected_streams if (each.config.sync_mode, each.config.destination_sync_mode) in pairs
    ]
    ours = {
        f"streams.{made.name}": (made.sync_mode, made.cursor_field, made.primary_key, made.selected_fields)
        for made in (configure(each.config, each.discovered) for each in usable)
    }
    return differing(ours, {f"streams.{each.name}": _stream(each) for each in connection.streams})


def _connection_parts(connection: FoundConnection) -> Parts:
    return {
        "name": connection.label,
        "schedule": words(connection.schedule) if connection.schedule is not None else None,
        "namespace": connection.namespace,
        "prefix": connection.prefix,
        "status": connection.status,
        "non_breaking_changes": connection.non_breaking_changes,
        **{f"streams.{each.name}": _stream(each) for each in connection.streams},
    }


def _stream(stream: FoundStream) -> tuple[object, ...]:
    cursor = stream.cursor if stream.mode.startswith("incremental") else ()
    key = () if stream.mode in KEYLESS_MODES else stream.key
    fields = tuple(sorted(stream.fields)) if stream.fields is not None else None
    return (stream.mode, cursor, key, fields, *(stream.beyond and (stream.beyond,)))


def _leaves(configuration: Configuration | Mapping[str, JsonValue]) -> dict[JsonPath, JsonValue]:
    return {path: leaf for path, leaf in walk(dict(configuration)) if leaf is not None}


def _open(value: JsonValue) -> bool:
    """Whether nobody here knows what a value is."""
    return is_reference(value) or value == MASK


def _same(one: JsonValue, other: JsonValue) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def listed(places: list[str]) -> str:
    """The places in words; of many the first."""
    rest = [f"{len(places) - SHOWN} more"] if len(places) > SHOWN else []
    return ", ".join([*places[:SHOWN], *rest])


def confirmed(state: Existing, live: Existing) -> Existing:
    """The objects of a state as the server has them.

    An import takes what the server has, and so do the files: where Terraform's state says otherwise, somebody has
    changed it since, and is told.
    """
    there = {each.id: each for each in live.objects}
    meant = {each.id: each for each in state.objects}
    actors = tuple(replace(each, address=meant[each.id].address) for each in live.actors if each.id in meant)
    connections = tuple(replace(each, address=meant[each.id].address) for each in live.connections if each.id in meant)
    notes = (*state.notes, *live.notes, *_compared(meant, there))
    return Existing(actors, connections, {**state.facts, **live.facts}, notes, confirmed=True)


def _compared(meant: Mapping[str, Found], there: Mapping[str, Found]) -> Iterator[Note]:
    for identity, each in meant.items():
        now = there.get(identity)
        if now is None:
            what = "is in Terraform's state, and not in this workspace of Airbyte any more"
            yield Note("left", _subject(each), what, f"terraform state rm '{each.address}'")
        elif places := seen_otherwise(each, now):
            what = f"is not as Terraform's state has it ({listed(places)})"
            yield Note("told", _subject(each), what, "the files say what Airbyte has now")
    for identity, each in there.items():
        if identity not in meant:
            remedy = "`lotus migrate --from live` takes it over too"
            yield Note("left", each.subject, "is in Airbyte, and not in Terraform's state", remedy)


def _subject(each: Found) -> str:
    named = f'"{each.label}"' if each.label else each.id
    kind = each.kind if isinstance(each, FoundActor) else "connection"
    return f"{kind} {named} ({each.address})"


@dataclass(frozen=True, slots=True)
class Pair:
    """What becomes one folder, and the destination that it names."""

    source: FoundActor
    connection: FoundConnection
    destination: FoundActor


def paired(existing: Existing) -> tuple[tuple[Pair, ...], tuple[Note, ...]]:
    """The pairs by the source's label, and what is left over."""
    found = _Pairing(existing)
    pairs = tuple(found.pairs())
    used = {pair.destination.id for pair in pairs}
    for each in existing.of_kind("destination"):
        if each.id not in used and not found.is_ambiguous(each):
            what = "is not written to by anything that is taken over"
            found.notes.append(Note("left", each.subject, what, "delete it in Airbyte, or leave it there"))
    return pairs, tuple(found.notes)


class _Pairing:
    def __init__(self, existing: Existing) -> None:
        self.existing = existing
        self.notes: list[Note] = []
        self._labels = Counter((each.kind, each.label.casefold()) for each in existing.actors)

    def is_ambiguous(self, actor: FoundActor) -> bool:
        """Whether another of its kind has its label."""
        return self._labels[actor.kind, actor.label.casefold()] > 1

    def pairs(self) -> Iterator[Pair]:
        destinations = {each.id: each for each in self.existing.of_kind("destination")}
        for each in self.existing.actors:
            if self.is_ambiguous(each):
                what = f"({each.id}) has a name that another {each.kind} has too"
                self.notes.append(Note("left", each.subject, what, RENAME))
        for source in self.existing.of_kind("source"):
            chosen = None if self.is_ambiguous(source) else self._connection(source)
            destination = destinations.get(chosen.destination_id) if chosen is not None else None
            if chosen is None:
                continue
            if destination is None or self.is_ambiguous(destination):
                what = "its destination is not among what is taken over"
                self.notes.append(Note("left", source.subject, what, "see what is said of the destination"))
            else:
                yield Pair(source, chosen, destination)

    def _connection(self, source: FoundActor) -> FoundConnection | None:
        """The one connection of a source: that with the conventional label, else the first that runs, by label."""
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
            what = "has no connection, and a folder of a lake is a source with its connection"
            self.notes.append(Note("left", source.subject, what, "connect it in Airbyte, or delete it there"))
            return None
        for other in own[1:]:
            what = f"reads {source.subject} too, and a folder has one connection: {own[0].label} is taken"
            remedy = "make another source for it in Airbyte, or delete it there"
            self.notes.append(Note("left", f"{other.subject} ({other.id})", what, remedy))
        return own[0]


def first_changes(pair: Pair, folder: str, *, own_file: bool, own_streams: bool) -> Iterator[Note]:
    """What it changes of a connection.

    Args:
        pair: The connection with its ends.
        folder: Its source's folder.
        own_file: Whether the source had a file before, whose differences are told elsewhere.
        own_streams: Whether it had stream files before.
    """
    connection = pair.connection
    label = naming.connection_label(pair.source.label, pair.destination.label)
    told: list[tuple[str, str]] = []
    if connection.label != label:
        told.append((f'is called "{label}" from then on', "the lake names its connections by their ends"))
    if connection.status != "active":
        told.append(("is switched on", "where it is to rest, delete its folder and its lines of the import file"))
    if connection.loses:
        told.append((f"loses {', '.join(connection.loses)}", "files of a lake can't say that"))
    every = sorted(each.name for each in connection.streams if each.fields is None)
    if every and not own_streams:
        what = f"takes the fields that there are now, and no later ones, of {listed(every)}"
        told.append((what, "no row and no cursor changes by it"))
    if not own_file and not sayable(connection.namespace):
        what = f"writes under {folder}/ instead of its namespace ({connection.namespace})"
        told.append((what, "older files stay where they are: read both, or backfill"))
    for actor in (pair.source, pair.destination):
        if actor.loses:
            yield Note("changes", actor.subject, f"loses {', '.join(actor.loses)}", "files of a lake can't say that")
    yield from (Note("changes", connection.subject, what, remedy) for what, remedy in told)


def sayable(namespace: str) -> bool:
    """Whether a file can name where data goes: the source's and the destination's own namespaces have no name."""
    return naming.is_identifier(namespace) and namespace not in {"source", "destination"}


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
            self._differs(file, found.subject, actor_places(config.configuration, found.configuration))

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
                what = f"nobody knows the types of {listed([f'{each.name}.{one}' for one in missing])}"
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
        self._differs(file, pair.source.subject, against_files(folder, pair.source, pair.connection))
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
            self._note("changes", subject, f"{file} says otherwise of {listed(places)}", DRIFT)

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
