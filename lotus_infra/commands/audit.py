"""`lotus audit`: list Airbyte's objects as managed, adoptable, duplicate or orphaned.

The provider classifies objects (`pulumi_airbyte.provider.audit`), by the rule that its `create` adopts by. This file
knows what the lake's files declare, and what to do about each object. It changes nothing.
"""

import json
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click
from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.errors import NotFound
from pulumi_airbyte.client.models import Definition, DefinitionKind, Tag
from pulumi_airbyte.provider.audit import DEFINITION_KINDS, Audited, Declared, Standing, listed
from pulumi_airbyte.provider.audit import audit as classified
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.clients.airbyte import ConnectedLake, connected, translate_errors
from lotus_infra.clients.state import TYPES, managed_ids
from lotus_infra.commands.options import JSON, STACK, STREAMS
from lotus_infra.commands.terminal import Cell, Column, Tone, table
from lotus_infra.lake.diagnostics import escape_unprintable, pluralize
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.secrecy import without_credentials

_COLUMNS: Final = (Column("standing"), Column("kind"), Column("name"), Column("id", whole=True))
_TONES: Final[Mapping[Standing, Tone]] = {
    "managed": "good",
    "adoptable": "warning",
    "duplicate": "bad",
    "orphan": "warning",
}
_DEFINITIONS: Final = frozenset(DEFINITION_KINDS.values())


@dataclass(frozen=True, slots=True)
class AuditedObject:
    """An object in Airbyte.

    Attributes:
        standing: Its relation to the stack and the lake's files.
        kind: `source`, `destination`, `connection`, `tag`, or the kind of definition of a connector of one's own.
        name: Its label in Airbyte.
        id: Its id.
        remedy: What to do about it; empty if it is managed.
    """

    standing: Standing
    kind: str
    name: str
    id: str
    remedy: str


@click.command()
@click.option("--strict", is_flag=True, help="Exit with 1 if an object is unmanaged.")
@click.option("--no-state", is_flag=True, help="Assume an empty state.")
@STACK
@STREAMS
@JSON
def audit(directory: Path, stack: str | None, *, strict: bool, no_state: bool, as_json: bool) -> None:
    """List Airbyte's objects: managed, adoptable, duplicate, orphan.

    managed: the stack's state contains it. adoptable: a file declares it, and the next `pulumi up` adopts it if it is
    identical. duplicate: another object has the same identity. orphan: no file declares it. Lines below the table
    describe what to do about each unmanaged object. Nothing is changed.

    Example: lotus audit --stack prod --strict
    """
    lines = audit_stack(directory, stack, no_state=no_state)
    ok = not (strict and any(line.standing != "managed" for line in lines))
    click.echo(json.dumps(as_document(lines, ok=ok), indent=2) if as_json else render(lines), nl=as_json)
    if not ok:
        sys.exit(1)


def audit_stack(directory: Path, stack: str | None, *, no_state: bool = False) -> list[AuditedObject]:
    """Audit the Airbyte of a stack.

    Args:
        directory: The lake's folder.
        stack: The stack; else `$PULUMI_STACK`, else the only stack of the project.
        no_state: Assume an empty state, because it is lost.

    Raises:
        LotusError: As `connected`, `managed_ids` and `audit_objects`.
    """
    with connected(directory, stack) as live:
        return audit_objects(live, frozenset() if no_state else managed_ids(directory, stack))


def audit_objects(live: ConnectedLake, managed: Collection[str]) -> list[AuditedObject]:
    """Compare Airbyte's objects with the lake's files and the stack's state.

    Args:
        live: The lake and its Airbyte.
        managed: The ids in the state.

    Raises:
        LotusError: Airbyte refuses or does not answer.
    """
    resources = dict(declared(live.lake.airbyte))
    with translate_errors():
        found = listed(
            live.airbyte.list_actors("source", live.workspace_id),
            live.airbyte.list_actors("destination", live.workspace_id),
            live.airbyte.list_connections(live.workspace_id),
            _definitions(live, frozenset(managed), {each.name for each in resources if each.kind in _DEFINITIONS}),
            _tags(live),
        )
    names = {each.id: each.name for each in found}
    lines = []
    for each in classified(found, managed, resources.keys()):
        item = each.found
        ends = (names.get(item.source_id, ""), names.get(item.destination_id, ""))
        resource = resources.get(Declared(item.kind, item.name, *ends), "")
        label = without_credentials(item.name)
        lines.append(AuditedObject(each.standing, item.kind, label, item.id, _remedy(each, resource)))
    return lines


def _definitions(
    live: ConnectedLake, managed: Collection[str], names: Collection[str]
) -> Iterator[tuple[DefinitionKind, Definition]]:
    """The definitions of connectors of the workspace's own; the server lists them among those of its registry.

    A server without a Config API does not say which these are: then they are those of the state and of the files.
    """
    for kind in DEFINITION_KINDS:
        try:
            found = live.airbyte.every_definition(kind, live.workspace_id)
        except NotFound:
            continue  # Airbyte before 1.6
        own = frozenset(managed)
        if kind != "declarative_source":
            with suppress(AirbyteError):
                own |= live.airbyte.own_definition_ids(kind, live.workspace_id)
        for each in found:
            if kind == "declarative_source" or each.definition_id in own or each.name in names:
                yield kind, each


def _tags(live: ConnectedLake) -> list[Tag]:
    """The tags of the workspace; none on a server that has no tags, which is one before 1.6."""
    try:
        return live.airbyte.tags(live.workspace_id)
    except NotFound:
        return []


def declared(lake: Lake) -> Iterator[tuple[Declared, str]]:
    """The objects that the lake's files declare in Airbyte, each with its Pulumi name."""
    for source in lake.airbyte.sources:
        yield Declared("source", source.label), naming.source_resource(source.name)
        for connection in source.connections:
            used = connection.config.destination
            destination, label = lake.destination_label(used), lake.connection_label(source, connection)
            yield Declared("destination", destination), naming.destination_resource(used)
            yield Declared("connection", label, source.label, destination), connection.resource
            yield from ((Declared("tag", tag), naming.tag_resource(tag)) for tag in connection.config.tags)
    for name, connector in lake.own_connectors.items():
        made: DefinitionKind = "source" if name.startswith("source-") else "destination"
        kind = DEFINITION_KINDS["declarative_source" if connector.image is None else made]
        yield Declared(kind, connector.label), naming.definition_resource(name)


def _remedy(audited: Audited, resource: str) -> str:
    found = audited.found
    match audited.standing:
        case "managed":
            return ""
        case "adoptable":
            command = f"pulumi import {TYPES[found.kind]} {resource} {found.id}"
            return f"`pulumi up` adopts it if it is identical; else: {command}"
        case "duplicate":
            return f"delete all but one in Airbyte: it has the same identity as {', '.join(audited.twins)}"
        case "orphan":
            return "no file of the lake describes it: add a file, or delete it in Airbyte"


def as_document(lines: Sequence[AuditedObject], *, ok: bool) -> dict[str, JsonValue]:
    """The audit as one JSON document."""
    counts: dict[str, JsonValue] = dict(Counter(line.standing for line in lines))
    return {"ok": ok, "counts": counts, "objects": [dict(asdict(line)) for line in lines]}


def render(lines: Sequence[AuditedObject]) -> str:
    """A table of the objects; below it a remedy for each unmanaged object, and the number of objects per standing."""
    if not lines:
        return "no objects in this workspace\n"
    shown = table(_COLUMNS, ((Cell(each.standing, _TONES[each.standing]), *_cells(each)) for each in lines))
    # Remedies contain commands to paste, which a table would wrap.
    remedies = (f"{line.kind.replace('_', ' ')} {line.name}: {line.remedy}" for line in lines if line.remedy)
    counts = Counter(line.standing for line in lines)
    numbers = ", ".join(f"{number} {standing}" for standing, number in counts.items())
    summary = f"{pluralize(len(lines), 'object')}: {numbers}"
    return f"{shown}\n" + "".join(escape_unprintable(line) + "\n" for line in [*remedies, summary])


def _cells(line: AuditedObject) -> tuple[str, str, str]:
    return line.kind.replace("_", " "), line.name, line.id
