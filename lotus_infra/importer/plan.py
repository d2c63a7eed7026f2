"""The plan of a migration: the files to write and the resources to import for existing objects, and notes.

Pure: it makes no call and writes nothing. A lake's folder is one source with its connections (`pairing`). Existing
files stay; their differences (`differences`), and what the first `pulumi up` would change, become notes. Notes name
fields only, never the value of a configuration, which may be a secret.
"""

import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, cast

from airbyte_model.json_values import JsonObject
from airbyte_model.specifications import Specification

from lotus_infra import naming
from lotus_infra.importer.differences import (
    differing_allocation,
    differing_configuration,
    differing_from_file,
    differing_from_state,
    differing_streams,
    has_secrets,
    shortened,
    stream_text,
)
from lotus_infra.importer.files import (
    ImportedResource,
    PlannedConnection,
    PlannedFile,
    Reason,
    UnsupportedError,
    connector_files,
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
    ExistingDefinition,
    ExistingObject,
    ExistingStream,
    ExistingTag,
    Note,
    NoteKind,
    SourceSchema,
    described,
)
from lotus_infra.importer.pairing import Link, Pipeline, connection_names, free_name, pair_sources
from lotus_infra.importer.secrets import (
    KNOWN_SPECIFICATIONS,
    ConfigurationOwner,
    ReferencedConfiguration,
    SecretNames,
    SecretUse,
    replace_mapper_secrets,
    replace_secrets,
)
from lotus_infra.importer.terraform_public import connector_configuration
from lotus_infra.lake.checks import CHECKS
from lotus_infra.lake.diagnostics import format_path
from lotus_infra.lake.discovered import Connector
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, Connection, Lake, SourceFolder, StreamFile
from lotus_infra.lake.overlays import overlay_file
from lotus_infra.lake.references import references
from lotus_infra.lake.secrecy import without_credentials

if TYPE_CHECKING:
    from pydantic import JsonValue

    from lotus_infra.lake.models import Configuration

_FIX_DRIFT: Final = "`pulumi up` applies the files, `lotus drift --patch` changes the files to match Airbyte"
_UNSUPPORTED: Final = "a lake's files don't support that"


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What a migration does.

    Attributes:
        files: Files to write into the lake's folder.
        kept: Existing files of sources and destinations, which stay unchanged.
        imports: Resources that Pulumi imports, a source beside its connections.
        secrets: Secrets that the new files refer to, for which the stack needs values.
        notes: What the user must know.
        managed: The objects that are in the stack's state already, such as `source "Shopify" (<id>)`.
    """

    files: tuple[PlannedFile, ...]
    kept: tuple[str, ...]
    imports: tuple[ImportedResource, ...]
    secrets: tuple[SecretUse, ...]
    notes: tuple[Note, ...]
    managed: tuple[str, ...] = ()

    @property
    def refusal(self) -> str:
        """Why nothing is taken over although there is something; empty if something is, or is in place already."""
        left = len({each.subject for each in self.notes if each.kind == "left"})
        if self.imports or self.managed or not left:
            return ""
        objects = "the object above can't" if left == 1 else f"none of the {left} objects above can"
        return f"nothing is taken over: {objects} be imported"


def plan_migration(
    existing: Existing, lake: Lake, managed: Collection[str] = (), pipelines: Mapping[str, str] | None = None
) -> MigrationPlan:
    """Plan a migration.

    Args:
        existing: The existing objects.
        lake: The lake's files, perhaps none.
        managed: The ids of objects in the stack's state.
        pipelines: The URNs of the pipelines in the stack's state, by name.
    """
    paired, notes = pair_sources(existing)
    planner = _Planner(existing, lake, [*existing.notes, *notes])
    for pipeline in paired:
        planner.add(pipeline)
    planner.check_lake()
    planner.note_unused_connectors()
    draft = planner.draft
    known = pipelines or {}
    already = {each.id: f'{each.kind} "{each.label or each.name}"' for each in draft.imports if each.id in managed}
    # An object of the stack needs no import, whatever its files or Terraform's state lack.
    already |= {each.id: each.subject for each in draft.notes if each.kind == "left" and each.id in managed}
    left = [each for each in draft.notes if each.kind != "left" or each.id not in managed]
    imports = tuple(
        replace(each, parent=known.get(each.pipeline, "")) for each in draft.imports if each.id not in managed
    )
    return MigrationPlan(
        files=tuple(sorted(draft.files, key=lambda each: each.path)),
        kept=tuple(sorted(draft.kept)),
        imports=imports,
        secrets=tuple(draft.secrets),
        notes=tuple(dict.fromkeys(map(_without_credentials, left))),
        managed=tuple(sorted(without_credentials(f"{text} ({key})") for key, text in already.items())),
    )


def _without_credentials(note: Note) -> Note:
    """A note without the credentials that names in Airbyte may hold."""
    subject, what, remedy = (without_credentials(text) for text in (note.subject, note.what, note.remedy))
    return Note(note.kind, subject, what, remedy, note.id)


def sources_to_discover(existing: Existing, lake: Lake) -> tuple[ExistingActor, ...]:
    """The sources whose stream files will be written, and which therefore need a schema."""
    pipelines, _ = pair_sources(existing)
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
    return replace(
        live,
        actors=actors,
        connections=connections,
        definitions=state.definitions,
        schemas={**state.schemas, **live.schemas},
        notes=notes,
        confirmed=True,
        discovered=frozenset(),
    )


def _differences_from_server(
    in_state: Mapping[str, ExistingObject], on_server: Mapping[str, ExistingObject]
) -> Iterator[Note]:
    for identity, each in in_state.items():
        now = on_server.get(identity)
        if now is None:
            what = "is in Terraform's state, but no longer in this workspace of Airbyte"
            yield Note(
                "left", _subject_with_address(each), what, f"terraform state rm {shlex.quote(each.address)}", identity
            )
        elif fields := differing_from_state(each, now):
            what = f"differs from Terraform's state ({shortened(fields)})"
            yield Note("told", _subject_with_address(each), what, "the files get Airbyte's current values")
    for identity, each in on_server.items():
        if identity not in in_state:
            remedy = "`lotus migrate --from live` imports it too"
            yield Note("left", each.subject, "is in Airbyte, but not in Terraform's state", remedy, identity)


def _subject_with_address(each: ExistingObject) -> str:
    named = f'"{each.label}"' if each.label else each.id
    kind = each.kind if isinstance(each, ExistingActor) else "connection"
    return f"{kind} {named} ({each.address})"


# The plan


class _LinkError(Exception):
    """Connections that the lake's files can't express, while the rest of their source may be imported.

    Attributes:
        links: The connections.
        reasons: One or more.
    """

    def __init__(self, links: Sequence[Link], reasons: Sequence[Reason]) -> None:
        super().__init__()
        self.links = links
        self.reasons = reasons


@contextmanager
def _because_of(*links: Link) -> Iterator[None]:
    """Blame connections for what can't be expressed."""
    try:
        yield
    except UnsupportedError as error:
        raise _LinkError(links, error.reasons) from None


@dataclass(frozen=True, slots=True)
class _NamedLink:
    """A connection with its names in files.

    Attributes:
        link: The connection and its destination.
        name: Its name among the source's connections; that of the folder for the one of the short form.
        destination: The name of its destination's file.
        default: Its name in Airbyte if its file has none.
        label: Its name in Airbyte after the migration.
    """

    link: Link
    name: str
    destination: str
    default: str
    label: str

    @property
    def connection(self) -> ExistingConnection:
        """The existing connection."""
        return self.link.connection

    @property
    def written_label(self) -> str:
        """Its name in Airbyte if its file must have it; empty if it has the default one."""
        return "" if self.label == self.default else self.label


@dataclass(slots=True)
class _StreamPlan:
    """A stream's file, and the connections that take it: several only if they have the same settings of it."""

    name: str
    stream: ExistingStream
    links: list[Link]


@dataclass
class _Draft:
    """A plan so far. An attempt that fails leaves no trace: it works on a copy."""

    lake: Lake
    secret_names: SecretNames
    notes: list[Note]
    files: list[PlannedFile] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    imports: list[ImportedResource] = field(default_factory=list)
    secrets: list[SecretUse] = field(default_factory=list)
    destinations: dict[str, str] = field(default_factory=dict)
    """The file names of destinations, by id."""

    def copy(self) -> "_Draft":
        """A copy that can be changed by itself."""
        return _Draft(
            self.lake,
            SecretNames({*self.secret_names.taken}),
            [*self.notes],
            [*self.files],
            {*self.kept},
            [*self.imports],
            [*self.secrets],
            {**self.destinations},
        )


class _Planner:
    """Collects the plan, pipeline by pipeline."""

    def __init__(self, existing: Existing, lake: Lake, notes: list[Note]) -> None:
        configurations: list[JsonValue] = [each.config.configuration for each in lake.sources if each.config]
        configurations += [each.configuration for each in lake.destinations.values() if each is not None]
        configurations += [each.configuration for stream in lake.streams for each in stream.config.mappers]
        used = {reference.name for each in configurations for _, reference in references(each)}
        self.existing = existing
        self.lake_before = lake
        self.definitions = {each.id: each for each in existing.definitions}
        self.specifications = {**KNOWN_SPECIFICATIONS, **_manifest_specifications(existing), **existing.specifications}
        self.tags = {each.label: each for each in existing.tags}
        self.draft = _Draft(lake, SecretNames(used), notes)
        # A lake's labels are unique without regard to case.
        self.labels = Counter(each.label.casefold() for each in existing.connections)

    def add(self, pipeline: Pipeline) -> None:
        """Plan the files and imports of a pipeline, or add notes with the reasons why it can't be imported.

        Connections that can't be expressed are left to Airbyte, until the rest of the source can be imported.
        """
        lake = self.draft.lake
        left_out = _with_label(lake.undeployed, pipeline.source)
        if left_out is not None:
            what = f"has its files in {left_out.name}, which the stack {lake.stack} leaves out"
            remedy = f'delete its "deployed": false in {overlay_file(lake.stack)}, or delete it in Airbyte'
            self._note("left", pipeline.source.subject, what, remedy, pipeline.source.id)
            return
        folder = _existing_folder(lake, pipeline.source)
        if folder is not None and folder.engine != "airbyte":
            what = f"has the label of {folder.file}, whose module {folder.reader.label} reads"
            self._note("left", pipeline.source.subject, what, "delete it in Airbyte, or rename one", pipeline.source.id)
            return
        links, before = pipeline.links, self.draft
        while links:
            self.draft = before.copy()
            try:
                if folder is not None and folder.config is not None:
                    self._keep_folder(pipeline.source, links, folder)
                else:
                    self._add_folder(pipeline.source, links, folder)
            except _LinkError as error:
                for link, reason in ((link, reason) for link in error.links for reason in error.reasons):
                    note = Note("left", pipeline.subject(link), reason.what, reason.remedy, link.connection.id)
                    before.notes.append(note)
                links = tuple(each for each in links if each not in error.links)
            except UnsupportedError as error:
                source = pipeline.source
                before.notes += [
                    Note("left", source.subject, reason.what, reason.remedy, source.id) for reason in error.reasons
                ]
                break
            else:
                return
        self.draft = before
        if not links and len(pipeline.links) > 1:
            what, source = "none of its connections can be imported", pipeline.source
            self._note("left", source.subject, what, "see their notes", source.id)

    def check_lake(self) -> None:
        """Add notes on what `lotus check` will report about the new files."""
        written = {each.path for each in self.draft.files}
        for rule in CHECKS:
            for diagnostic in rule(self.draft.lake):
                if not diagnostic.harmless and diagnostic.file in written:
                    subject = f"{diagnostic.file} {format_path(diagnostic.path)}".rstrip()
                    self._note("told", subject, f"`lotus check` will refuse it: {diagnostic.what}", diagnostic.remedy)

    def note_unused_connectors(self) -> None:
        """Add notes on the connectors of a Terraform state that no imported object uses."""
        imported = {each.id for each in self.draft.imports}
        for each in self.existing.definitions:
            if each.address and each.id not in imported:
                what = f"({each.address}) is the connector of no imported {each.kind}"
                remedy = "`lotus connector add` writes its files, or delete it in Airbyte"
                self._note("left", each.subject, what, remedy, each.id)

    def _note(self, kind: NoteKind, subject: str, what: str, remedy: str = "", identity: str = "") -> None:
        self.draft.notes.append(Note(kind, subject, what, remedy, identity))

    # New files

    def _add_folder(self, source: ExistingActor, links: tuple[Link, ...], folder: SourceFolder | None) -> None:
        """Plan the files of a source; if it has stream files already, only its own file."""
        name = folder.name if folder is not None else self._new_folder_name(source.label)
        named = self._name_links(name, source, links)
        connector = self._connector(source)
        referenced = self._configuration(source, name, f"{name}/_source.json")
        self.draft.secrets += referenced.secrets
        if folder is None or not _has_streams(folder):
            streams, taken = self._add_streams(source, named, name)
        else:
            streams, taken = folder, _taken_files(folder, named)
            self._note_streams(source, named, folder, taken)
        planned = [
            PlannedConnection(each.name, each.written_label, each.destination, taken[each.name], each.connection)
            for each in named
        ]
        for each, connection in zip(named, planned, strict=True):
            with _because_of(each.link):
                source_file(name, source, connector, referenced.configuration, [connection])
        config, file = source_file(name, source, connector, referenced.configuration, planned)
        self.draft.files.append(file)
        others = tuple(each for each in self.draft.lake.sources if each.name != name)
        self.draft.lake = replace(self.draft.lake, sources=(*others, replace(streams, config=config)))
        for each in named:
            self._import_destination(each.link.destination, each.destination)
        self.draft.imports.append(_imported("source", naming.source_resource(name), source, name))
        for each in named:
            self._import_connection(each.connection, naming.connection_resource(name, each.name), name)
            self.draft.notes += _changes_of_new_files(each)

    def _name_links(self, folder: str, source: ExistingActor, links: tuple[Link, ...]) -> list[_NamedLink]:
        """The connections with the names that they and their destinations have in files."""
        names = connection_names(folder, source, links)
        named = []
        for link in links:
            with _because_of(link):
                destination = self._destination_name(link.destination)
            name = names[link.connection.id]
            destination_label = self.draft.lake.destination_label(destination)
            own = "" if name == folder else name
            default = naming.connection_label(source.label, destination_label, own)
            unique = self.labels[link.connection.label.casefold()] == 1
            named.append(_NamedLink(link, name, destination, default, link.connection.label if unique else default))
        return named

    def _add_streams(
        self, source: ExistingActor, named: Sequence[_NamedLink], folder: str
    ) -> tuple[SourceFolder, dict[str, tuple[str, ...] | None]]:
        """Plan the files of a source's streams, and those of its schema if it was discovered.

        Returns:
            The folder, and the names of the files that each connection takes; None for all of them.
        """
        schema = self.existing.schemas.get(source.id, {})
        offered: frozenset[str] | None = None
        if source.id in self.existing.discovered:
            self.draft.files += discovered_files(folder, schema)
            offered = frozenset(schema)
        planned = _name_streams(named, schema)
        streams = [self._add_stream(each, folder, schema, discovered=offered is not None) for each in planned]
        for stream in streams:
            if missing := untyped_fields(stream.config):
                what = f"the types of {shortened([f'{stream.name}.{one}' for one in missing])} are unknown"
                remedy = f"`lotus discover {folder}` finds them, once the source is in the stack's workspace"
                self._note("told", source.subject, what, remedy)
        taken: dict[str, tuple[str, ...] | None] = {}
        for each in named:
            files = tuple(sorted(plan.name for plan in planned if each.link in plan.links))
            taken[each.name] = files if len(files) < len(planned) else None
        return SourceFolder(folder, None, tuple(streams), offered), taken

    def _add_stream(self, plan: _StreamPlan, folder: str, schema: SourceSchema, *, discovered: bool) -> StreamFile:
        path = f"{folder}/{plan.name}.json"
        owner = ConfigurationOwner(f"{folder}_{plan.name}", path)
        mappers = []
        for index, mapper in enumerate(plan.stream.mappers):
            written, uses = replace_mapper_secrets(mapper, index, owner, self.draft.secret_names)
            mappers.append(written)
            self.draft.secrets += uses
        alike = [each for each in schema.values() if each.stream == plan.stream.name]
        with _because_of(*plan.links):
            # The discovered stream has the namespace, unless there are several of that name.
            own_namespace = not (discovered and len(alike) == 1)
            config, file = stream_file(path, plan.stream, mappers, schema, own_namespace=own_namespace)
        self.draft.files.append(file)
        return StreamFile(path, folder, plan.name, config, described(schema, plan.stream.identity))

    def _note_streams(
        self,
        source: ExistingActor,
        named: Sequence[_NamedLink],
        folder: SourceFolder,
        taken: Mapping[str, tuple[str, ...] | None],
    ) -> None:
        """Add notes on the differences between a folder's stream files and the existing connections."""
        file = f"{folder.name}/"
        self.draft.kept.add(file)
        for each in named:
            names = taken[each.name]
            files = [stream for stream in folder.streams if names is None or stream.name in names]
            selected = [stream for stream in files if stream.config.selected]
            self._note_differences(file, source.subject, differing_streams(selected, each.connection))

    def _new_folder_name(self, label: str) -> str:
        taken = {each.name for each in (*self.draft.lake.sources, *self.draft.lake.undeployed)}
        return free_name(naming.identifier(label, "source"), taken)

    def _destination_name(self, actor: ExistingActor) -> str:
        """The name of a destination's file, which is planned if the lake has none."""
        draft = self.draft
        if actor.id in draft.destinations:
            return draft.destinations[actor.id]
        labels = {draft.lake.destination_label(each).casefold(): each for each in draft.lake.destinations}
        name = labels.get(actor.label.casefold(), "")
        if not name:
            name = free_name(naming.identifier(actor.label, "destination"), draft.lake.destinations)
            referenced = self._configuration(actor, name, f"{DESTINATIONS_FOLDER}/{name}.json")
            config, file = destination_file(name, actor, referenced.configuration, self._connector(actor))
            draft.files.append(file)
            draft.secrets += referenced.secrets
            draft.lake = replace(draft.lake, destinations={**draft.lake.destinations, name: config})
        draft.destinations[actor.id] = name
        return name

    def _configuration(self, actor: ExistingActor, owner: str, file: str) -> ReferencedConfiguration:
        pinned = self.draft.lake.pinned(actor.definition_id) if actor.definition_id else None
        known = pinned.spec if pinned is not None else self.specifications.get(actor.definition_id)
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
        referenced = replace_secrets(configuration, owned, self.draft.secret_names, specification)
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
            what = f"has values that no specification describes ({shortened(undescribed)}): they became secrets"
            remedy = f"pin its connector in _connectors/ and run it again, or write those that are none into {file}"
            self._note("told", actor.subject, what, remedy)

    def _connector(self, actor: ExistingActor) -> str:
        """The name of a connector, or the id of its definition if no file has one."""
        if not actor.definition_id:
            what = "its connector is not in the state"
            raise UnsupportedError(Reason(what, "run it where Airbyte can be reached"))
        pinned = self.draft.lake.pinned(actor.definition_id)
        own = self.definitions.get(actor.definition_id)
        if own is not None and pinned is None:
            return self._own_connector(own)
        return pinned.connector if pinned is not None else actor.definition_id

    def _own_connector(self, definition: ExistingDefinition) -> str:
        """The name of a connector of the workspace's own, whose files are planned if the lake has none."""
        draft = self.draft
        found = next((each.name for each in draft.imports if each.id == definition.id), "")
        if found:
            return found
        name = next((name for name, each in draft.lake.connectors.items() if _is_of(each, definition)), "")
        if not name:
            spec = self.specifications.get(definition.id)
            if spec is None:
                what = "has a connector of the workspace's own, which keeps its id: its specification is unknown"
                self._note("told", definition.subject, what, "run it where Airbyte's Config API can be reached")
                return definition.id
            name = free_name(_connector_name(definition), draft.lake.connectors, "-")
            connector, files = connector_files(name, definition, cast("Configuration", spec))
            draft.files += files
            draft.lake = replace(draft.lake, connectors={**draft.lake.connectors, name: connector})
        draft.imports.append(_imported(definition.type, naming.definition_resource(name), definition))
        return name

    # Existing files

    def _keep_folder(self, source: ExistingActor, links: tuple[Link, ...], folder: SourceFolder) -> None:
        """Plan the imports of a folder with its own file, and add notes on the differences."""
        matched = _match(self.draft.lake, folder, links)
        for link in links:
            if link.connection.id not in matched:
                what = f"{folder.file} has no connection with its name"
                remedy = 'add it to "connections" there, with its streams, and run it again'
                self._note("left", link.subject, what, remedy, link.connection.id)
        for ours in folder.connections:
            if ours not in matched.values():
                label = self.draft.lake.connection_label(folder, ours)
                what = f'has the connection "{label}", which Airbyte does not have'
                self._note("changes", folder.file, what, "`pulumi up` creates it")
        pairs = [(link, matched[link.connection.id]) for link in links if link.connection.id in matched]
        self._note_kept(source, pairs, folder)
        for link, _ in pairs:
            with _because_of(link):
                self._import_destination(link.destination, self._destination_name(link.destination))
        if folder.config is not None and folder.config.connector is not None:
            self._import_connector(folder.config.connector, source.definition_id)
        self.draft.imports.append(_imported("source", naming.source_resource(folder.name), source, folder.name))
        for link, ours in pairs:
            self._import_connection(link.connection, ours.resource, folder.name)
            self.draft.notes += _changes_of_kept_files(link, self.draft.lake.connection_label(folder, ours))

    def _note_kept(self, source: ExistingActor, pairs: Sequence[tuple[Link, Connection]], folder: SourceFolder) -> None:
        """Add notes on the differences between a folder's files and the existing objects."""
        file, config = f"{folder.name}/", folder.config
        self.draft.kept.add(file)
        if config is None:
            return
        connections = [field for link, ours in pairs for field in differing_from_file(ours, link.connection)]
        own = differing_configuration(config.configuration, source.configuration)
        own += differing_allocation(config.resource_allocation, source)
        streams = [field for link, ours in pairs for field in differing_streams(ours.streams, link.connection)]
        self._note_differences(file, source.subject, [*dict.fromkeys((*connections, *own, *streams))])
        others = {
            "destination": any(
                self.draft.lake.destination_label(ours.config.destination) != link.destination.label
                for link, ours in pairs
            ),
            "connector": not self._is_connector(config.connector, source.definition_id),
        }
        for what in (name for name, differs in others.items() if differs):
            # Neither can be changed in place: Pulumi would replace the object.
            remedy = "correct the file first: the import would end in a new object"
            self._note("changes", source.subject, f"{folder.file} names another {what}", remedy)

    def _is_connector(self, connector: str | None, definition_id: str) -> bool:
        """Whether a file's connector is that of a definition, as far as is known."""
        pinned = self.draft.lake.pinned(connector)
        if pinned is None:
            return connector is not None and connector.lower() == definition_id
        if pinned.is_own:
            own = self.definitions.get(definition_id)
            return own is None or _is_of(pinned, own)
        # An id that differs by stack is a value of the stack.
        return pinned.known_id in {None, definition_id}

    def _import_connector(self, connector: str, definition_id: str) -> None:
        """Import the definition of a connector of the lake's own."""
        pinned, own = self.draft.lake.pinned(connector), self.definitions.get(definition_id)
        imported = {each.id for each in self.draft.imports}
        if pinned is not None and own is not None and own.id not in imported and _is_of(pinned, own):
            self.draft.imports.append(_imported(own.type, naming.definition_resource(pinned.connector), own))

    def _note_differences(self, file: str, subject: str, fields: list[str]) -> None:
        if fields:
            self._note("changes", subject, f"{file} has other values of {shortened(fields)}", _FIX_DRIFT)

    # Imports

    def _import_destination(self, actor: ExistingActor, name: str) -> None:
        if any(each.id == actor.id for each in self.draft.imports):
            return
        self.draft.imports.append(_imported("destination", naming.destination_resource(name), actor))
        config = self.lake_before.destinations.get(name)
        if config is not None:
            self._import_connector(config.connector, actor.definition_id)
            file = f"{DESTINATIONS_FOLDER}/{name}.json"
            self.draft.kept.add(file)
            fields = differing_configuration(config.configuration, actor.configuration)
            fields += differing_allocation(config.resource_allocation, actor)
            self._note_differences(file, actor.subject, fields)

    def _import_connection(self, connection: ExistingConnection, resource: str, folder: str) -> None:
        self.draft.imports.append(_imported("connection", resource, connection, folder))
        imported = {each.id for each in self.draft.imports}
        for tag in (self.tags[name] for name in connection.tags if name in self.tags):
            if tag.id not in imported:
                self.draft.imports.append(_imported("tag", naming.tag_resource(tag.label), tag))


def _imported(
    kind: str, name: str, existing: ExistingObject | ExistingDefinition | ExistingTag, pipeline: str = ""
) -> ImportedResource:
    shown = (without_credentials(existing.label), without_credentials(existing.address))
    return ImportedResource(kind, name, existing.id, *shown, pipeline)


def _manifest_specifications(existing: Existing) -> dict[str, JsonObject]:
    """The specifications in manifests, by the definitions' ids."""
    found: dict[str, JsonObject] = {}
    for each in existing.definitions:
        spec = each.manifest.get("spec") if each.manifest is not None else None
        schema = spec.get("connection_specification") if isinstance(spec, dict) else None
        if isinstance(schema, dict):
            found[each.id] = schema
    return found


def _is_of(connector: Connector | None, definition: ExistingDefinition) -> bool:
    """Whether a connector of a lake's own is a definition in Airbyte: of the same image, or with the same name."""
    if connector is None or not connector.is_own or not connector.connector.startswith(f"{definition.kind}-"):
        return False
    if connector.image is not None:
        return connector.image.repository == definition.repository
    return definition.manifest is not None and (connector.name or connector.connector) == definition.label


def _connector_name(definition: ExistingDefinition) -> str:
    """The name of a connector of the workspace's own: that of its image, else one from its label."""
    image, start = definition.repository.rpartition("/")[2], f"{definition.kind}-"
    text = image if image.startswith(start) else definition.label
    return f"{start}{naming.identifier(text.removeprefix(start), 'own').replace('_', '-')}"


def _existing_folder(lake: Lake, source: ExistingActor) -> SourceFolder | None:
    """The folder with the label of a source."""
    return _with_label(lake.sources, source)


def _with_label(folders: Iterable[SourceFolder], source: ExistingActor) -> SourceFolder | None:
    return next((each for each in folders if each.label.casefold() == source.label.casefold()), None)


def _has_streams(folder: SourceFolder | None) -> bool:
    # A folder with an invalid stream file is incomplete: its streams must not be planned a second time.
    return folder is not None and (bool(folder.streams) or not folder.complete)


def _match(lake: Lake, folder: SourceFolder, links: Sequence[Link]) -> dict[str, Connection]:
    """The connections of a folder's file by the ids of the existing ones: by label, or the only one that is left."""
    ours = {lake.connection_label(folder, each).casefold(): each for each in folder.connections}
    found = {
        each.connection.id: ours.pop(each.connection.label.casefold())
        for each in links
        if each.connection.label.casefold() in ours
    }
    rest = [each for each in links if each.connection.id not in found]
    if len(folder.connections) == 1 and ours and rest:
        # It is renamed: neither a file nor Airbyte has another one, or the first one is the likeliest.
        found[rest[0].connection.id] = next(iter(ours.values()))
    return found


def _name_streams(named: Sequence[_NamedLink], schema: SourceSchema) -> list[_StreamPlan]:
    """The files of all streams of a source's connections.

    Connections with the same settings of a stream share its file. A file is named after the stream, with the namespace
    if two streams have the name, and with the connection if the stream has other settings there.

    Raises:
        _LinkError: A connection has no streams.
    """
    plans: dict[str, _StreamPlan] = {}
    identities = {stream.identity for each in named for stream in each.connection.streams}
    names = Counter(naming.stream_file(name) for _, name in identities)
    for each in named:
        if not each.connection.streams:
            reason = Reason("its connection has no streams", "select some in Airbyte, or delete it there")
            raise _LinkError([each.link], [reason])
        for stream in sorted(each.connection.streams, key=lambda one: (one.name, one.namespace or "")):
            text = stream_text(stream) + (each.name if has_secrets(stream) else "")
            if text in plans:
                plans[text].links.append(each.link)
                continue
            base = _stream_file(stream, schema, ambiguous=names[naming.stream_file(stream.name)] > 1)
            known = any(plan.stream.identity == stream.identity for plan in plans.values())
            name = free_name(f"{base}_{each.name}" if known else base, {plan.name for plan in plans.values()})
            plans[text] = _StreamPlan(name, stream, [each.link])
    return [*plans.values()]


def _stream_file(stream: ExistingStream, schema: SourceSchema, *, ambiguous: bool) -> str:
    """The default name of a stream's file: that of its discovered file, else one by its name."""
    for file, each in schema.items():
        if (each.namespace or None, each.stream) == stream.identity and naming.is_identifier(file):
            return file
    return naming.stream_file(stream.name, (stream.namespace or "") if ambiguous else "")


def _taken_files(folder: SourceFolder, named: Sequence[_NamedLink]) -> dict[str, tuple[str, ...] | None]:
    """The names of a folder's stream files that each connection takes; None for all of them.

    Raises:
        _LinkError: No file is of a stream of a connection.
    """
    if len(named) == 1:
        return {named[0].name: None}
    taken: dict[str, tuple[str, ...] | None] = {}
    for each in named:
        streams = each.connection.streams
        files = tuple(
            stream.name
            for stream in folder.streams
            if any(one.name == stream.config.stream and stream.namespace in {None, one.namespace} for one in streams)
        )
        if not files:
            reason = Reason(f"{folder.name}/ has a file of none of its streams", "add them, and run it again")
            raise _LinkError([each.link], [reason])
        taken[each.name] = files if len(files) < len(folder.streams) else None
    return taken


def _changes_of_new_files(named: _NamedLink) -> Iterator[Note]:
    """What the first `pulumi up` changes although the files are as close to a connection as possible."""
    connection = named.connection
    if connection.label != named.label:
        remedy = "another connection has its name, and a lake's names are unique"
        yield Note("changes", named.link.subject, f'is renamed to "{named.label}"', remedy)
    if connection.namespace_definition == "custom_format" and not connection.namespace_format:
        what = "gets the namespace definition destination instead of a custom one without a format"
        yield Note("changes", connection.subject, what, "Airbyte writes to the same place")
    elif connection.namespace_definition != "custom_format" and connection.namespace_format:
        what = f"loses its namespace format, which Airbyte ignores with {connection.namespace_definition}"
        yield Note("changes", connection.subject, what, "Airbyte writes to the same place")
    yield from _losses(named.link)


def _changes_of_kept_files(link: Link, label: str) -> Iterator[Note]:
    """What the first `pulumi up` changes of a connection besides the differences of its settings."""
    if link.connection.label != label:
        what = f'is renamed to "{label}"'
        yield Note("changes", link.connection.subject, what, "its file gives it this name")
    yield from _losses(link)


def _losses(link: Link) -> Iterator[Note]:
    if link.connection.unsupported:
        yield Note("changes", link.connection.subject, f"loses {', '.join(link.connection.unsupported)}", _UNSUPPORTED)
