"""`lotus audit`: which objects of Airbyte the stack has, may adopt, has twice, or knows nothing of."""

import json
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from pulumi_airbyte.provider.audit import Audited, Declared, Standing, listed
from pulumi_airbyte.provider.audit import audit as classified
from rich.console import Console
from rich.table import Table

from lotus_infra import naming
from lotus_infra.clients.airbyte import Live, connected, told
from lotus_infra.clients.state import TYPES, managed_ids
from lotus_infra.commands.options import JSON, STACK, STREAMS
from lotus_infra.lake.diagnostics import counted, printable
from lotus_infra.lake.lake import Lake


@click.command()
@click.option("--strict", is_flag=True, help="Exit with 1 if there is anything that the stack does not have.")
@click.option("--no-state", is_flag=True, help="Take it that the stack has nothing: its state is lost.")
@STACK
@STREAMS
@JSON
def audit(directory: Path, stack: str | None, *, strict: bool, no_state: bool, as_json: bool) -> None:
    """Say of each object in Airbyte whether the stack has it, may adopt it, has it twice, or knows nothing of it.

    managed: the stack has it. adoptable: a file describes it, and the next `pulumi up` takes it over where it is
    identical. duplicate: it is there twice. orphan: no file describes it. Nothing is changed; below the table is a line
    with what to do about each that is not managed.

    Example: lotus audit --stack prod --strict
    """
    lines = audit_stack(directory, stack, no_state=no_state)
    ok = not (strict and unmanaged(lines))
    click.echo(render(lines, ok=ok, as_json=as_json), nl=False)
    if not ok:
        sys.exit(1)


@dataclass(frozen=True, slots=True)
class Line:
    """A live object.

    Attributes:
        standing: Where it stands.
        kind: `source`, `destination` or `connection`.
        name: What people see.
        id: Its id.
        remedy: What to do about it; empty for what is managed.
    """

    standing: Standing
    kind: str
    name: str
    id: str
    remedy: str


def audit_stack(directory: Path, stack: str | None, *, no_state: bool = False) -> list[Line]:
    """Audit the Airbyte of a stack.

    Args:
        directory: The lake's folder.
        stack: The stack; else that of `$PULUMI_STACK`, else the only one of the project.
        no_state: Whether the stack's state is lost, so that it has nothing.

    Raises:
        LotusError: As `connected`, `managed_ids` and `audit`.
    """
    with connected(directory, stack) as live:
        return audit_objects(live, frozenset() if no_state else managed_ids(directory, stack))


def audit_objects(live: Live, managed: Collection[str]) -> list[Line]:
    """Hold what is live against the lake's files and the stack's state.

    Args:
        live: The lake and its Airbyte.
        managed: The ids that the state has; none where it is lost.

    Raises:
        LotusError: Airbyte can't be asked.
    """
    resources = dict(declared(live.lake))
    with told():
        found = listed(
            live.airbyte.list_actors("source", live.workspace_id),
            live.airbyte.list_actors("destination", live.workspace_id),
            live.airbyte.list_connections(live.workspace_id),
        )
    names = {each.id: each.name for each in found}
    lines = []
    for each in classified(found, managed, resources.keys()):
        item = each.found
        ends = (names.get(item.source_id, ""), names.get(item.destination_id, ""))
        resource = resources.get(Declared(item.kind, item.name, *ends), "")
        lines.append(Line(each.standing, item.kind, item.name, item.id, _remedy(each, resource)))
    return lines


def declared(lake: Lake) -> Iterator[tuple[Declared, str]]:
    """What the lake's files declare, each with its Pulumi name."""
    for source in lake.sources:
        yield Declared("source", source.label), naming.source_resource(source.name)
        if source.config is None:
            continue
        destination = lake.destination_label(source.config.destination)
        yield Declared("destination", destination), naming.destination_resource(source.config.destination)
        label = naming.connection_label(source.label, destination)
        yield Declared("connection", label, source.label, destination), naming.connection_resource(source.name)


def _remedy(audited: Audited, resource: str) -> str:
    found = audited.found
    match audited.standing:
        case "managed":
            return ""
        case "adoptable":
            command = f"pulumi import {TYPES[found.kind]} {resource} {found.id}"
            return f"`pulumi up` adopts it where it is identical; else: {command}"
        case "duplicate":
            return f"delete all but one in Airbyte: it is the same as {', '.join(audited.twins)}"
        case "orphan":
            return "no file of the lake describes it: add a file, or delete it in Airbyte"


def unmanaged(lines: Sequence[Line]) -> bool:
    """Whether there is an object that the stack does not have."""
    return any(line.standing != "managed" for line in lines)


def render(lines: Sequence[Line], *, ok: bool = True, as_json: bool = False) -> str:
    """A JSON document, or a table, below it what to do about each object, and how many stand where."""
    counts = Counter(line.standing for line in lines)
    if as_json:
        return json.dumps({"ok": ok, "counts": counts, "objects": [asdict(line) for line in lines]}, indent=2) + "\n"
    if not lines:
        return "Airbyte has nothing in this workspace.\n"
    console = Console()
    with console.capture() as captured:
        console.print(_table(lines))
    # Commands are to be pasted, and a table would break them.
    remedies = (f"{line.kind} {line.name}: {line.remedy}" for line in lines if line.remedy)
    numbers = ", ".join(f"{number} {standing}" for standing, number in counts.items())
    summary = f"{counted(len(lines), 'object')}: {numbers}"
    return captured.get() + "".join(printable(line) + "\n" for line in [*remedies, summary])


def _table(lines: Sequence[Line]) -> Table:
    made = Table("standing", "kind", "name")
    made.add_column("id", no_wrap=True)
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        last = following is None or following.standing != line.standing
        cells = (line.standing, line.kind, printable(line.name), line.id)
        made.add_row(*cells, end_section=last)
    return made
