"""`lotus migrate`: from a Terraform state or a live workspace to stream files and an import. Reads all, then writes."""

import os
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pulumi_airbyte.client import Airbyte

from lotus_infra.errors import LakeError, LotusError
from lotus_infra.migrate import imports, state, terraform
from lotus_infra.migrate.confirm import confirmed
from lotus_infra.migrate.model import Existing, Note
from lotus_infra.migrate.plan import Plan, needing_facts, planned
from lotus_infra.ops import migrate_live as live
from lotus_infra.ops.airbyte import WORKSPACE_VARIABLE, target
from lotus_infra.ops.stacks import Project
from lotus_infra.ops.state import managed_ids
from lotus_infra.streams.lake import Lake
from lotus_infra.streams.load import load_lake
from lotus_infra.streams.tree import OBSOLETE_CATALOG

LIVE: Final = "live"
OFFLINE: Final = "or read Terraform's state alone: --offline"


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
            found = live.existing(airbyte, workspace_id)
            return live.with_facts(airbyte, found, needing_facts(found, lake)), workspace_id
    read = state.existing(terraform.read(_text(Path(order.origin)), order.origin), order.origin)
    if order.offline:
        return _of_one_workspace(read, order.workspace_id)
    try:
        where = target(order.around, order.stack, given)
        workspace_id = order.workspace_id or where.workspace_id
        with closing(Airbyte(where.settings)) as airbyte:
            found = confirmed(_of_one_workspace(read, workspace_id)[0], live.existing(airbyte, workspace_id))
            _must_have_some(found, order, workspace_id)
            return live.with_facts(airbyte, found, needing_facts(found, lake)), workspace_id
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
    return {**texts, order.imports: imports.text(plan.imports)} if plan.imports else texts


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
