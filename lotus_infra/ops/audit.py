"""`lotus audit`: which objects of Airbyte the stack has, may adopt, has twice, or knows nothing of."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pulumi_airbyte.provider.audit import Audited, Declared, Standing, listed
from pulumi_airbyte.provider.audit import audit as classified

from lotus_infra import naming
from lotus_infra.ops.airbyte import Live, connected, told
from lotus_infra.ops.state import TYPES, managed_ids
from lotus_infra.streams.lake import Lake


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
        return audit(live, frozenset() if no_state else managed_ids(directory, stack))


def audit(live: Live, managed: Collection[str]) -> list[Line]:
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
