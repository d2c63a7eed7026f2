"""`lotus migrate`: from a Terraform state or a live workspace to stream files and a file for `pulumi import`.

It reads everything, then plans (`lotus_infra.importer`), then writes, all files or none. Airbyte is only read: a
Terraform state is completed by what Airbyte has, unless `--offline`. Secrets become references in every file, and so
does a value that may be one: the specifications of connectors decide, pinned ones or Airbyte's.
"""

import json
import os
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import click
from airbyte_model.specifications import Specification
from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.config_connections import ConfigConnection
from pulumi_airbyte.client.models import Actor, Connection, Definition, Stream
from pydantic import JsonValue

from lotus_infra.clients.airbyte import airbyte_workspace, translate_errors
from lotus_infra.clients.state import Managed, managed_objects
from lotus_infra.commands.completion import complete_folder
from lotus_infra.commands.discover import to_lake_format
from lotus_infra.commands.options import JSON, STACK, YES_OR_WRITE
from lotus_infra.config.stack import Project
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.importer import files, terraform, terraform_objects
from lotus_infra.importer.files import IMPORT_COMMAND
from lotus_infra.importer.model import (
    ActorKind,
    Existing,
    ExistingActor,
    ExistingConnection,
    ExistingDefinition,
    ExistingMapper,
    ExistingStream,
    ExistingTag,
    Note,
    NoteKind,
    SourceSchema,
    allocation_of,
    resources_of,
    selected_fields,
    unsupported_connection_settings,
)
from lotus_infra.importer.plan import MigrationPlan, plan_migration, sources_to_discover, update_from_server
from lotus_infra.importer.schedules import parse_schedule
from lotus_infra.importer.secrets import mapper_secrets
from lotus_infra.lake.diagnostics import escape_unprintable, pluralize
from lotus_infra.lake.lake import DISCOVERED_FOLDER, Lake
from lotus_infra.lake.loader import OBSOLETE_CATALOG, load_stack_lake
from lotus_infra.lake.secrecy import hidden_texts

LIVE: Final = "live"
OFFLINE: Final = "or use the Terraform state only: --offline"
TITLES: Final[dict[NoteKind, str]] = {
    "left": "Not imported:",
    "changes": "Changes of the first `pulumi up`:",
    "told": "Notes:",
}


@dataclass(frozen=True, slots=True)
class MigrationOptions:
    """The options of a migration.

    Attributes:
        origin: `live`, or the file of a Terraform state.
        directory: The lake's folder, which may be missing.
        imports: The file for `pulumi import`.
        stack: The stack; None if it is not named.
        workspace_id: The workspace; empty for the stack's.
        offline: Whether to make no call to Airbyte.
        here: The folder that the command runs in.
    """

    origin: str
    directory: Path
    imports: Path
    stack: str | None = None
    workspace_id: str = ""
    offline: bool = False
    here: Path = Path()

    @property
    def around(self) -> Path:
        """The folder whose project is used: the lake's, or, if that is in no project, the current one."""
        return self.directory if Project.around(self.directory) is not None else self.here


@dataclass(frozen=True, slots=True)
class Migration:
    """A planned migration, and whether it was carried out.

    Attributes:
        order: Its options.
        plan: The files to write, the objects to import, and notes.
        workspace_id: The workspace of all objects.
        fresh: Files that do not exist yet, as the user would open them; the import file is one.
        refused: Files that exist with other content.
        written: Whether the fresh files were written.
    """

    order: MigrationOptions
    plan: MigrationPlan
    workspace_id: str
    fresh: tuple[Path, ...]
    refused: tuple[Path, ...]
    written: bool = False

    @property
    def ok(self) -> bool:
        """Whether something is taken over, or everything is in place already."""
        return not (self.refused or self.plan.refusal)


@click.command()
@click.option(
    "--from",
    "origin",
    required=True,
    metavar="live|FILE",
    help="The live workspace, or the FILE of a Terraform or OpenTofu state: terraform.tfstate, or show -json's output.",
)
@click.option("--workspace", "workspace_id", metavar="ID", default="", help="The workspace; default: the stack's.")
@click.option(
    "--into",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("streams"),
    show_default=True,
    shell_complete=complete_folder,
    help="The lake's folder, which may be missing.",
)
@click.option(
    "--imports",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("import.json"),
    show_default=True,
    help="The FILE to write for `pulumi import --file`.",
)
@click.option("--offline", is_flag=True, help="Do not call Airbyte: use the Terraform state only.")
@YES_OR_WRITE
@STACK
@JSON
def migrate(
    origin: str,
    workspace_id: str,
    directory: Path,
    imports: Path,
    stack: str | None,
    *,
    offline: bool,
    confirmed: bool,
    as_json: bool,
) -> None:
    """Write stream files for objects that exist in Airbyte.

    Also writes the file for `pulumi import`. The objects were created by Terraform or by hand. Shows the files
    to write, the objects to import, and the objects that it cannot import with the reason, and asks. Airbyte is only
    read. Existing files stay unchanged. A value that may be a secret becomes a reference: no file contains it. The exit
    code is 1 if nothing can be taken over although there is something.

    Example: lotus migrate --from terraform.tfstate --stack prod
    """
    if offline and origin == LIVE:
        raise click.UsageError("--offline requires a Terraform state: name its file with --from")
    migration = prepare(MigrationOptions(origin, directory, imports, stack, workspace_id, offline))
    if not confirmed and not as_json and migration.fresh and migration.ok and sys.stdin.isatty():
        click.echo(render(migration), nl=False)
        if click.confirm("Write it?", err=True):
            carry_out(migration)
            click.echo("Written.")
        return
    if confirmed and not migration.refused:
        migration = carry_out(migration)
    click.echo(json.dumps(as_document(migration), indent=2) if as_json else render(migration), nl=as_json)
    if not migration.ok:
        sys.exit(1)


def prepare(order: MigrationOptions, environment: Mapping[str, str] = os.environ) -> Migration:
    """Read the existing objects, and plan; nothing is written.

    Raises:
        LotusError: The existing objects or the lake's files can't be read.
    """
    lake = load_stack_lake(order.directory, _stack_of(order, environment), begun=False)
    existing, workspace_id = _existing(order, lake, environment)
    managed, notes = _managed(order, environment)
    existing = existing.with_notes((*notes, *_obsolete(order.directory)))
    plan = plan_migration(existing, lake, managed.ids, managed.pipelines)
    texts = _texts(order, plan)
    refused = tuple(path for path, text in texts.items() if path.exists() and not _has_text(path, text))
    fresh = tuple(path for path in texts if not path.exists())
    return Migration(order, plan, workspace_id, fresh, refused)


def _stack_of(order: MigrationOptions, environment: Mapping[str, str]) -> str:
    """The stack whose lake is compared; empty if none is selected, which a migration without Airbyte allows."""
    try:
        return Project.selected(order.around, order.stack, environment)
    except LotusError:
        if order.offline:
            return ""
        raise


def carry_out(migration: Migration) -> Migration:
    """Write the files, all or none.

    Raises:
        LotusError: A file exists with other content, or can't be written.
    """
    if migration.refused:
        named = ", ".join(str(path) for path in migration.refused)
        raise LotusError(f"{named} would be overwritten", "move it away or delete it, and run it again")
    texts, created = _texts(migration.order, migration.plan), []
    try:
        for path in migration.fresh:
            created += [folder for folder in reversed(path.parents) if not folder.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            created.append(path)
            path.write_text(texts[path], encoding="utf-8")
    except OSError as error:
        # Files before their folders, which can only be removed when empty.
        for path in reversed(created):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise LakeError(f"{error.filename} can't be written ({error.strerror})", "make its folder writable") from None
    return replace(migration, written=True)


def _existing(order: MigrationOptions, lake: Lake, environment: Mapping[str, str]) -> tuple[Existing, str]:
    """The existing objects, and the id of their workspace."""
    if order.origin == LIVE:
        return _from_airbyte(order, lake, environment)
    in_state = terraform_objects.airbyte_objects(
        terraform.read_state(_state_text(Path(order.origin)), order.origin), order.origin
    )
    if order.offline:
        return _of_one_workspace(in_state, order.workspace_id)
    try:
        return _from_airbyte(order, lake, environment, in_state)
    except LotusError as error:
        raise LotusError(error.message, f"{error.hint}; {OFFLINE}" if error.hint else OFFLINE) from None


def _from_airbyte(
    order: MigrationOptions, lake: Lake, environment: Mapping[str, str], in_state: Existing | None = None
) -> tuple[Existing, str]:
    """Airbyte's objects, or only those of a Terraform state with Airbyte's current values; with discovered schemas."""
    where = airbyte_workspace(order.around, order.stack, environment, workspace=order.workspace_id)
    workspace_id = order.workspace_id or where.workspace_id
    with closing(Airbyte(where.settings)) as airbyte:
        if in_state is not None:
            # Airbyte's messages may repeat a value of a configuration, and the state has them in plain text.
            airbyte.redactor.learn(_hidden_values(in_state, lake))
        existing = live_objects(airbyte, workspace_id)
        airbyte.redactor.learn(_hidden_values(existing, lake))
        if in_state is not None:
            existing = update_from_server(_of_one_workspace(in_state, workspace_id)[0], existing)
            if not existing.objects:
                # Most likely a state of another Airbyte.
                what = f"no object of {order.origin} is in the workspace {workspace_id}"
                raise LotusError(what, "name the right one with --workspace, or its Airbyte with --stack")
        existing = with_specifications(airbyte, existing, lake, workspace_id)
        existing = with_own_connectors(airbyte, existing, lake, workspace_id)
        return with_discovered(airbyte, existing, sources_to_discover(existing, lake)), workspace_id


def _hidden_values(existing: Existing, lake: Lake) -> Iterator[str]:
    """The values of configurations that Airbyte's messages may repeat, and ours may not."""
    for each in existing.actors:
        pinned = lake.pinned(each.definition_id)
        spec = Specification.usable(pinned.spec) if pinned is not None else None
        yield from hidden_texts(each.configuration, spec)
    for connection in existing.connections:
        for mapper in (mapper for stream in connection.streams for mapper in stream.mappers):
            yield from mapper_secrets(mapper)


def _of_one_workspace(found: Existing, workspace_id: str) -> tuple[Existing, str]:
    """The objects of one workspace, because a stack has one; the others become notes.

    Raises:
        LotusError: The state has several workspaces, and none is selected.
    """
    known = sorted({each.workspace_id for each in found.actors})
    if not workspace_id and len(known) > 1:
        raise LotusError(
            f"the state has objects of {len(known)} workspaces", f"choose: --workspace {' or '.join(known)}"
        )
    chosen = workspace_id or "".join(known)
    remedy = "run it again with another stack and folder"
    notes = tuple(
        Note("left", each.subject, f"is in the workspace {each.workspace_id}", remedy, each.id)
        for each in found.actors
        if each.workspace_id != chosen
    )
    kept = tuple(each for each in found.actors if each.workspace_id == chosen)
    ids = {each.id for each in kept}
    connections = tuple(each for each in found.connections if each.source_id in ids)
    return replace(found, actors=kept, connections=connections, notes=(*found.notes, *notes)), chosen


def _managed(order: MigrationOptions, environment: Mapping[str, str]) -> tuple[Managed, tuple[Note, ...]]:
    """The objects in the stack's state. An unavailable state is assumed empty, with a note: a new stack has none."""
    try:
        return managed_objects(order.around, order.stack, environment), ()
    except LotusError as error:
        return Managed(), (Note("told", "the stack", f"has no available state, assumed empty ({error.message})"),)


def _obsolete(directory: Path) -> tuple[Note, ...]:
    found = sorted(directory.glob(f"*/{OBSOLETE_CATALOG}"))
    return tuple(Note("told", str(path.relative_to(directory)), "is obsolete, and kept", "delete it") for path in found)


def _texts(order: MigrationOptions, plan: MigrationPlan) -> dict[Path, str]:
    """All files of the plan, as the user would open them."""
    texts = {order.directory / each.path: each.text for each in plan.files}
    return {**texts, order.imports: files.import_file(plan.imports)} if plan.imports else texts


def _state_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise LotusError(f"{file} can't be read ({error.strerror})", f"name the file of a state, or {LIVE}") from None
    except UnicodeDecodeError:
        raise LotusError(f"{file} is not a text file", terraform.SHOW_HINT) from None


def _has_text(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


# Airbyte's objects


def live_objects(airbyte: Airbyte, workspace_id: str) -> Existing:
    """All sources, destinations and connections of a workspace that are not deleted.

    Raises:
        LotusError: Airbyte refuses or does not answer.
    """
    with translate_errors():
        actors = [
            *(_actor("source", each) for each in airbyte.list_actors("source", workspace_id)),
            *(_actor("destination", each) for each in airbyte.list_actors("destination", workspace_id)),
        ]
        connections = airbyte.list_connections(workspace_id)
    settings, notes = _config_settings(airbyte, workspace_id)
    found = tuple(_connection(each, settings.get(each.connection_id)) for each in connections)
    tags = {tag.tag_id: ExistingTag(tag.tag_id, tag.name) for each in connections for tag in each.tags}
    return Existing(tuple(actors), found, tuple(tags.values()), notes=notes, confirmed=True)


def _config_settings(airbyte: Airbyte, workspace_id: str) -> tuple[dict[str, ConfigConnection], tuple[Note, ...]]:
    """The settings of connections that only the Config API has, by their ids; a note if it is unavailable."""
    try:
        listed = airbyte.list_config_connections(workspace_id)
    except AirbyteError as error:
        what = f"have unknown settings: notifications, CPU and memory ({error.message})"
        return {}, (Note("told", "connections", what, "`pulumi preview` shows their changes"),)
    return {each.connection_id: each for each in listed}, ()


def _actor(kind: ActorKind, actor: Actor) -> ExistingActor:
    return ExistingActor(
        kind,
        actor.actor_id,
        actor.name,
        actor.definition_id,
        actor.workspace_id,
        actor.configuration or {},
        allocation=allocation_of(actor.resource_allocation),
    )


def _connection(connection: Connection, settings: ConfigConnection | None) -> ExistingConnection:
    times = connection.schedule
    return ExistingConnection(
        id=connection.connection_id,
        label=connection.name,
        source_id=connection.source_id,
        destination_id=connection.destination_id,
        streams=tuple(_streams(connection.configurations.streams)),
        schedule=parse_schedule(times.schedule_type, times.cron_expression, None, times.basic_timing),
        status=connection.status,
        namespace_definition=connection.namespace_definition,
        namespace_format=connection.namespace_format or "",
        prefix=connection.prefix,
        non_breaking_changes=connection.non_breaking_schema_updates_behavior,
        notify_schema_changes=settings.notify_schema_changes if settings is not None else None,
        tags=tuple(sorted(each.name for each in connection.tags)),
        resources=resources_of(settings.resource_requirements if settings is not None else None),
        unsupported=unsupported_connection_settings(
            mail=settings is not None and bool(settings.notify_schema_changes_by_email),
            backfills=settings is not None and settings.backfill_preference == "enabled",
        ),
    )


def _streams(streams: Iterable[Stream]) -> Iterator[ExistingStream]:
    for each in streams:
        paths = [path for field in each.selected_fields if isinstance(path := field.get("fieldPath"), list)]
        fields, nested = selected_fields(paths)
        yield ExistingStream(
            name=each.name,
            namespace=each.namespace or None,
            mode=each.sync_mode or "",
            cursor=tuple(each.cursor_field),
            key=tuple(map(tuple, each.primary_key)),
            fields=fields or None,
            mappers=tuple(
                ExistingMapper(str(mapper.get("type")), mapper.get("mapperConfiguration") or {})
                for mapper in each.mappers
            ),
            include_files=each.include_files,
            object_name=each.destination_object_name or None,
            unsupported=nested,
        )


def with_specifications(airbyte: Airbyte, found: Existing, lake: Lake, workspace_id: str) -> Existing:
    """Get the specifications of connectors that are not pinned; one that can't be had gets a note."""
    wanted = {each.definition_id: each for each in found.actors if lake.pinned(each.definition_id) is None}
    for definition_id, actor in wanted.items():
        try:
            specification = airbyte.specification(actor.kind, definition_id, workspace_id)
        except AirbyteError as error:
            remedy = "pin its connector in _connectors/, so that its settings stay readable"
            found = found.with_notes((Note("told", actor.subject, error.message, remedy),))
        else:
            found = found.with_specifications({definition_id: specification})
    return found


def with_own_connectors(airbyte: Airbyte, found: Existing, lake: Lake, workspace_id: str) -> Existing:
    """Get the workspace's own connectors that are used and not pinned; a note if they can't be had."""
    used = {each.definition_id for each in found.actors if lake.pinned(each.definition_id) is None}
    if not used:
        return found
    definitions: list[ExistingDefinition] = []
    try:
        for each in airbyte.every_definition("declarative_source", workspace_id):
            definitions += [_definition("source", each)] if each.definition_id in used else []
        for kind in ("source", "destination"):
            own = airbyte.own_definition_ids(kind, workspace_id) & used - {each.id for each in definitions}
            listed = airbyte.every_definition(kind, workspace_id) if own else []
            for each in listed:
                if each.definition_id in own:
                    modes = _modes(airbyte, each.definition_id, workspace_id) if kind == "destination" else ()
                    definitions.append(_definition(kind, each, modes))
    except AirbyteError as error:
        what = f"of the workspace's own keep their ids in the files ({error.message})"
        return found.with_notes((Note("told", "connectors", what),))
    in_state = {each.id: each for each in found.definitions}
    on_server = [
        replace(each, address=in_state[each.id].address) if each.id in in_state else each for each in definitions
    ]
    gone = in_state.keys() - {each.id for each in definitions}
    return replace(found, definitions=(*on_server, *(in_state[each] for each in sorted(gone))))


def _definition(kind: ActorKind, definition: Definition, modes: tuple[str, ...] = ()) -> ExistingDefinition:
    return ExistingDefinition(
        kind,
        definition.definition_id,
        definition.name,
        definition.workspace_id,
        repository=definition.docker_repository or "",
        version=definition.docker_image_tag or "",
        manifest=definition.manifest,
        modes=modes,
    )


def _modes(airbyte: Airbyte, definition_id: str, workspace_id: str) -> tuple[str, ...]:
    """The sync modes that a destination's connector supports."""
    return tuple(airbyte.full_specification("destination", definition_id, workspace_id).destination_sync_modes)


def with_discovered(airbyte: Airbyte, found: Existing, sources: Iterable[ExistingActor]) -> Existing:
    """Discover these sources; one that can't be discovered gets a note, because its fields then have no types."""
    schemas: dict[str, SourceSchema] = {}
    notes: list[Note] = []
    for source in sources:
        try:
            # The cache spares a run of the connector, and a workspace may have many.
            schemas[source.id], left_out = to_lake_format(airbyte.discover_schema(source.id, disable_cache=False))
        except AirbyteError as error:
            notes.append(Note("told", source.subject, error.message, "its fields have no types until `lotus discover`"))
            continue
        notes += [Note("told", source.subject, f"has {each.stream}, and {each.reason}") for each in left_out]
    return found.with_schemas(schemas).with_notes(tuple(notes))


# Output


def render(migration: Migration) -> str:
    """The plan, and the commands to run after it."""
    return "".join(f"{escape_unprintable(line)}\n" for line in _lines(migration))


def _lines(migration: Migration) -> Iterator[str]:
    plan = migration.plan
    yield from _block("Written:" if migration.written else "To be written:", _file_lines(migration.fresh))
    yield from _block("Existing files, kept:", plan.kept)
    yield from _block("Existing files with other content, not overwritten:", map(str, migration.refused))
    width = max([11, *(len(each.kind) for each in plan.imports)])
    wide = max([15, *(len(each.name) for each in plan.imports)])
    imports = (
        f"{each.kind:<{width}} {each.name:<{wide}} {each.id}  {each.address or each.label}" for each in plan.imports
    )
    yield from _block("To be imported:", imports)
    yield from _block("Already in the stack:", plan.managed)
    secrets = (f"{each.name:<32} {each.file} {each.place}" for each in plan.secrets)
    yield from _block("Secrets that the stack needs, and where the files refer to them:", secrets)
    for kind, title in TITLES.items():
        yield from _block(title, (_note_line(each) for each in plan.notes if each.kind == kind))
    if plan.refusal:
        yield escape_unprintable(f"Error: {plan.refusal}")
        return
    if not migration.written and not migration.refused and migration.fresh:
        yield "Nothing is written yet: --yes writes it. Then:"
    else:
        yield "Then:"
    yield from (f"  {command}" for command in commands(migration))


def _block(title: str, lines: Iterable[str]) -> Iterator[str]:
    listed = list(lines)
    if listed:
        yield title
        yield from (f"  {line}" for line in listed)


def _file_lines(paths: Iterable[Path]) -> Iterator[str]:
    """A line for each file, and one for all files of a source's discovered schema."""
    listed = list(paths)
    discovered = Counter(path.parent for path in listed if path.parent.name == DISCOVERED_FOLDER)
    yield from (str(path) for path in listed if path.parent not in discovered)
    yield from (f"{folder}/ ({pluralize(number, 'file')})" for folder, number in sorted(discovered.items()))


def _note_line(note: Note) -> str:
    return f"{note.subject} {note.what}" + (f": {note.remedy}" if note.remedy else "")


def commands(migration: Migration) -> Iterator[str]:
    """The commands to run next, in order. `pulumi config set` asks for a secret, so that none is in the output."""
    plan = migration.plan
    if migration.workspace_id:
        yield f"pulumi config set lotus:workspaceId {migration.workspace_id}"
    yield from (f"pulumi config set --secret lotus:{each.name}" for each in plan.secrets)
    if plan.imports:
        yield IMPORT_COMMAND.format(shlex.quote(str(migration.order.imports)))
    yield "pulumi preview"


def as_document(migration: Migration) -> dict[str, JsonValue]:
    """The plan as one JSON document."""
    plan = migration.plan
    return {
        "ok": migration.ok,
        "refusal": plan.refusal,
        "written": migration.written,
        "workspace": migration.workspace_id,
        "files": [str(path) for path in migration.fresh],
        "refused": [str(path) for path in migration.refused],
        "kept": list(plan.kept),
        "managed": list(plan.managed),
        "imports": [{**asdict(each), "type": each.type} for each in plan.imports],
        "secrets": [dict(asdict(each)) for each in plan.secrets],
        "notes": [dict(asdict(each)) for each in plan.notes],
        "next": list(commands(migration)),
    }
