"""`lotus migrate`: from a Terraform state or a live workspace to stream files and an import. Reads all, then writes."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import click
from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.config_connections import ConfigConnection
from pulumi_airbyte.client.models import Actor, Connection, Stream
from pydantic import JsonValue

from lotus_infra.clients.airbyte import WORKSPACE_VARIABLE, target, told
from lotus_infra.clients.state import managed_ids
from lotus_infra.commands.discover import facts_of
from lotus_infra.commands.options import JSON, STACK
from lotus_infra.config.stack import Project
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.importer import files, terraform, terraform_objects
from lotus_infra.importer.files import COMMAND
from lotus_infra.importer.model import (
    ActorKind,
    Existing,
    Facts,
    FoundActor,
    FoundConnection,
    FoundStream,
    Note,
    NoteKind,
    selection,
    settings_lost,
)
from lotus_infra.importer.plan import Plan, confirmed, needing_facts, planned
from lotus_infra.importer.schedules import schedule
from lotus_infra.importer.terraform_public import beyond, namespace
from lotus_infra.lake.diagnostics import counted, printable
from lotus_infra.lake.lake import DISCOVERED_FOLDER, Lake
from lotus_infra.lake.loader import OBSOLETE_CATALOG, load_lake

LIVE: Final = "live"
OFFLINE: Final = "or read Terraform's state alone: --offline"
TITLES: dict[NoteKind, str] = {
    "left": "Not taken over:",
    "changes": "What the first `pulumi up` changes:",
    "told": "To know:",
}


@click.command()
@click.option(
    "--from",
    "origin",
    required=True,
    metavar="live|FILE",
    help="The live workspace, or the FILE of a Terraform or OpenTofu state: terraform.tfstate, or show -json's.",
)
@click.option("--workspace", "workspace_id", default="", help="The id of the workspace; by default the stack's.")
@click.option(
    "--into",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("streams"),
    show_default=True,
    help="The lake's folder, which need not be there yet.",
)
@click.option(
    "--imports",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("import.json"),
    show_default=True,
    help="The FILE to write for `pulumi import --file`.",
)
@click.option("--offline", is_flag=True, help="Ask no Airbyte: read a Terraform state alone.")
@click.option("--yes", "--write", "confirmed", is_flag=True, help="Write what the plan says.")
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
    """Write stream files and an import file for what exists in Airbyte, whether Terraform made it or somebody else.

    Without --yes it shows what it would write, what Pulumi is to import, what can't be taken over, and why. Airbyte is
    only read. Files that exist stay as they are, and secrets become references: their values go into no file.

    Example: lotus migrate --from terraform.tfstate --stack prod
    """
    if offline and origin == LIVE:
        raise click.UsageError("--offline reads a Terraform state: name its file with --from")
    migration = prepare(Order(origin, directory, imports, stack, workspace_id, offline))
    if confirmed and not migration.refused:
        migration = carry_out(migration)
    click.echo(json.dumps(as_document(migration), indent=2) if as_json else render(migration), nl=as_json)
    if migration.refused:
        sys.exit(1)


def existing(airbyte: Airbyte, workspace_id: str) -> Existing:
    """All sources, destinations and connections of a workspace that are not deleted.

    Raises:
        LotusError: Airbyte can't be asked.
    """
    notes: list[Note] = []
    with told():
        actors = [
            *(_actor("source", each) for each in airbyte.list_actors("source", workspace_id)),
            *(_actor("destination", each) for each in airbyte.list_actors("destination", workspace_id)),
        ]
        connections = airbyte.list_connections(workspace_id)
    settings = _settings(airbyte, workspace_id, notes)
    found = tuple(_connection(each, settings.get(each.connection_id)) for each in connections)
    return Existing(tuple(actors), found, notes=tuple(notes), confirmed=True)


def with_facts(airbyte: Airbyte, found: Existing, sources: Iterable[FoundActor]) -> Existing:
    """The same, with what these sources have; one that can't be discovered is told of."""
    facts: dict[str, Facts] = {}
    notes: list[Note] = []
    for source in sources:
        try:
            offered, left_out = facts_of(airbyte.discover_schema(source.id, disable_cache=False))
        except AirbyteError as error:
            notes.append(Note("told", source.subject, error.message, "its fields have no types until `lotus discover`"))
            continue
        facts[source.id] = offered
        notes += [Note("told", source.subject, f"has {each.stream}, and {each.reason}") for each in left_out]
    return found.with_facts(facts, tuple(notes))


def _settings(airbyte: Airbyte, workspace_id: str, notes: list[Note]) -> dict[str, ConfigConnection]:
    """What only the Config API says of connections, by their ids."""
    try:
        listed = airbyte.list_config_connections(workspace_id)
    except AirbyteError as error:
        what = f"have settings that nobody knows: notices, CPU and memory ({error.message})"
        notes.append(Note("told", "connections", what, "`pulumi preview` shows what becomes of them"))
        return {}
    return {each.connection_id: each for each in listed}


def _actor(kind: ActorKind, actor: Actor) -> FoundActor:
    identity, configuration = actor.actor_id, actor.configuration or {}
    loses = ("its CPU and memory",) if any((actor.resource_allocation or {}).values()) else ()
    return FoundActor(kind, identity, actor.name, actor.definition_id, actor.workspace_id, configuration, loses=loses)


def _connection(connection: Connection, settings: ConfigConnection | None) -> FoundConnection:
    times = connection.schedule
    return FoundConnection(
        id=connection.connection_id,
        label=connection.name,
        source_id=connection.source_id,
        destination_id=connection.destination_id,
        streams=tuple(_streams(connection.configurations.streams)),
        schedule=schedule(times.schedule_type, times.cron_expression, None, times.basic_timing),
        status=connection.status,
        namespace=namespace(connection.namespace_definition, connection.namespace_format),
        prefix=connection.prefix,
        non_breaking_changes=connection.non_breaking_schema_updates_behavior,
        notify_schema_changes=settings.notify_schema_changes if settings is not None else None,
        loses=settings_lost(
            tags=bool(connection.tags),
            mail=settings is not None and bool(settings.notify_schema_changes_by_email),
            resources=settings is not None and any((settings.resource_requirements or {}).values()),
            backfills=settings is not None and settings.backfill_preference == "enabled",
        ),
    )


def _streams(streams: Iterable[Stream]) -> Iterator[FoundStream]:
    for each in streams:
        paths = [path for field in each.selected_fields if isinstance(path := field.get("fieldPath"), list)]
        fields, nested = selection(paths)
        yield FoundStream(
            name=each.name,
            namespace=each.namespace,
            mode=each.sync_mode or "",
            cursor=tuple(each.cursor_field),
            key=tuple(map(tuple, each.primary_key)),
            fields=fields or None,
            beyond=beyond(bool(each.mappers), each.include_files, each.destination_object_name, nested),
        )


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        origin: `live`, or the file of a Terraform state.
        directory: The lake's folder, which need not be there yet.
        imports: The file for `pulumi import`.
        stack: The stack; None where it is not named.
        workspace_id: The workspace; empty where it is the stack's.
        offline: Whether Airbyte is not to be asked.
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
        """Where the project is looked for: around the lake's folder, or, where none is there, around this one."""
        return self.directory if Project.around(self.directory) is not None else self.here


@dataclass(frozen=True, slots=True)
class Migration:
    """What a migration does, and whether it has done it.

    Attributes:
        order: What was asked for.
        plan: What is written, imported and told.
        workspace_id: The workspace that all is in.
        fresh: Files that are not there yet, as the user would open them; the import file is one.
        refused: Files that are there and say something else.
        written: Whether the fresh files were written.
    """

    order: Order
    plan: Plan
    workspace_id: str
    fresh: tuple[Path, ...]
    refused: tuple[Path, ...]
    written: bool = False


def prepare(order: Order, environment: Mapping[str, str] = os.environ) -> Migration:
    """Read what exists, and plan; nothing is written.

    Raises:
        LotusError: What exists or the lake's files can't be read.
    """
    lake = load_lake(order.directory, begun=False).lake
    existing, workspace_id = _existing(order, lake, environment)
    managed, notes = _managed(order, environment)
    plan = planned(existing.with_facts({}, (*notes, *_obsolete(order.directory))), lake, managed)
    texts = _texts(order, plan)
    refused = tuple(path for path, text in texts.items() if path.exists() and not _is(path, text))
    fresh = tuple(path for path in texts if not path.exists())
    return Migration(order, plan, workspace_id, fresh, refused)


def carry_out(migration: Migration) -> Migration:
    """Write the files, all or none.

    Raises:
        LotusError: A file is there that says something else, or can't be written.
    """
    if migration.refused:
        named = ", ".join(str(path) for path in migration.refused)
        raise LotusError(f"{named} would be overwritten", "move it away or delete it, and run it again")
    texts, made = _texts(migration.order, migration.plan), []
    try:
        for path in migration.fresh:
            made += [folder for folder in reversed(path.parents) if not folder.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            made.append(path)
            path.write_text(texts[path], encoding="utf-8")
    except OSError as error:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise LakeError(f"{error.filename} can't be written ({error.strerror})", "make its folder writable") from None
    return replace(migration, written=True)


def _existing(order: Order, lake: Lake, environment: Mapping[str, str]) -> tuple[Existing, str]:
    """What exists, and in which workspace."""
    given = {**environment, WORKSPACE_VARIABLE: order.workspace_id} if order.workspace_id else environment
    if order.origin == LIVE:
        where = target(order.around, order.stack, given)
        workspace_id = order.workspace_id or where.workspace_id
        with closing(Airbyte(where.settings)) as airbyte:
            found = existing(airbyte, workspace_id)
            return with_facts(airbyte, found, needing_facts(found, lake)), workspace_id
    read = terraform_objects.existing(terraform.read(_text(Path(order.origin)), order.origin), order.origin)
    if order.offline:
        return _of_one_workspace(read, order.workspace_id)
    try:
        where = target(order.around, order.stack, given)
        workspace_id = order.workspace_id or where.workspace_id
        with closing(Airbyte(where.settings)) as airbyte:
            found = confirmed(_of_one_workspace(read, workspace_id)[0], existing(airbyte, workspace_id))
            _must_have_some(found, order, workspace_id)
            return with_facts(airbyte, found, needing_facts(found, lake)), workspace_id
    except LotusError as error:
        raise LotusError(error.message, f"{error.hint}; {OFFLINE}" if error.hint else OFFLINE) from None


def _must_have_some(found: Existing, order: Order, workspace_id: str) -> None:
    """A state of which nothing is there is most likely one of another Airbyte."""
    if not found.objects:
        what = f"nothing of {order.origin} is in the workspace {workspace_id}"
        raise LotusError(what, "name the right one with --workspace, or its Airbyte with --stack")


def _of_one_workspace(found: Existing, workspace_id: str) -> tuple[Existing, str]:
    """What a state has of one workspace: a stack has one."""
    known = sorted({each.workspace_id for each in found.actors})
    if not workspace_id and len(known) > 1:
        raise LotusError(
            f"the state has objects of {len(known)} workspaces", f"choose: --workspace {' or '.join(known)}"
        )
    chosen = workspace_id or "".join(known)
    others = [each for each in found.actors if each.workspace_id != chosen]
    left = tuple(
        Note(
            "left",
            each.subject,
            f"is in the workspace {each.workspace_id}",
            "run it again with another stack and folder",
        )
        for each in others
    )
    kept = tuple(each for each in found.actors if each.workspace_id == chosen)
    ids = {each.id for each in kept}
    connections = tuple(each for each in found.connections if each.source_id in ids)
    return replace(found, actors=kept, connections=connections, notes=(*found.notes, *left)), chosen


def _managed(order: Order, environment: Mapping[str, str]) -> tuple[frozenset[str], tuple[Note, ...]]:
    """What the stack has already; a stack that can't be asked is taken to have nothing, and that is told."""
    try:
        return managed_ids(order.around, order.stack, environment), ()
    except LotusError as error:
        note = Note("told", "the stack", f"is taken to have nothing yet ({error.message})")
        return frozenset(), (note,)


def _obsolete(directory: Path) -> tuple[Note, ...]:
    found = sorted(directory.glob(f"*/{OBSOLETE_CATALOG}"))
    what = "is obsolete, and left alone"
    return tuple(Note("told", str(path.relative_to(directory)), what, "delete it") for path in found)


def _texts(order: Order, plan: Plan) -> dict[Path, str]:
    """All that the plan has files for, as the user would open them."""
    texts = {order.directory / each.path: each.text for each in plan.files}
    return {**texts, order.imports: files.text(plan.imports)} if plan.imports else texts


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise LotusError(f"{file} can't be read ({error.strerror})", f"name the file of a state, or {LIVE}") from None
    except UnicodeDecodeError:
        raise LotusError(f"{file} is no text", terraform.SHOW) from None


def _is(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def render(migration: Migration) -> str:
    """The plan, and what comes after it."""
    return "".join(f"{printable(line)}\n" for line in _lines(migration))


def as_document(migration: Migration) -> dict[str, JsonValue]:
    """The plan as one JSON document."""
    plan = migration.plan
    return {
        "ok": not migration.refused,
        "written": migration.written,
        "workspace": migration.workspace_id,
        "files": [str(path) for path in migration.fresh],
        "refused": [str(path) for path in migration.refused],
        "kept": list(plan.kept),
        "imports": [{**asdict(each), "type": each.type} for each in plan.imports],
        "secrets": [dict(asdict(each)) for each in plan.secrets],
        "notes": [dict(asdict(each)) for each in plan.notes],
        "next": list(commands(migration)),
    }


def _lines(migration: Migration) -> Iterator[str]:
    plan = migration.plan
    yield from _block("Written:" if migration.written else "To be written:", _files(migration.fresh))
    yield from _block("There already, and kept:", plan.kept)
    yield from _block("There already with other content, which is not overwritten:", map(str, migration.refused))
    shown = [f"{each.kind:<12}{each.name:<16}{each.id}  {each.address or each.label}" for each in plan.imports]
    yield from _block("To be imported:", shown)
    for kind, title in TITLES.items():
        yield from _block(title, [_note(each) for each in plan.notes if each.kind == kind])
    if not migration.written and not migration.refused and migration.fresh:
        yield "Nothing is written yet: --yes writes it. Then:"
    else:
        yield "Then:"
    for command in commands(migration):
        yield f"  {command}"


def _block(title: str, lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    listed = list(lines)
    if listed:
        yield title
        yield from (f"  {line}" for line in listed)


def _files(paths: Sequence[Path]) -> Iterator[str]:
    """The files, those of one discovery as one line."""
    found = Counter(path.parent for path in paths if path.parent.name == DISCOVERED_FOLDER)
    yield from (str(path) for path in paths if path.parent not in found)
    yield from (f"{folder}/ ({counted(number, 'file')})" for folder, number in sorted(found.items()))


def _note(note: Note) -> str:
    return f"{note.subject} {note.what}" + (f": {note.remedy}" if note.remedy else "")


def commands(migration: Migration) -> Iterator[str]:
    """What to run next, in order; values are asked for and never shown."""
    plan = migration.plan
    if migration.workspace_id:
        yield f"pulumi config set lotus:workspaceId {migration.workspace_id}"
    yield from (f"pulumi config set --secret lotus:{each.name}" for each in plan.secrets)
    if plan.imports:
        yield COMMAND.format(migration.order.imports)
    yield "pulumi preview"
