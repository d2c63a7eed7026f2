"""How a migration is shown."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import JsonValue

from lotus_infra.migrate.imports import COMMAND
from lotus_infra.migrate.model import Note, NoteKind
from lotus_infra.ops.migrate import Migration
from lotus_infra.streams.lake import DISCOVERED_FOLDER
from lotus_infra.streams.problems import counted, printable

TITLES: dict[NoteKind, str] = {
    "left": "Not taken over:",
    "changes": "What the first `pulumi up` changes:",
    "told": "To know:",
}


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
