"""How an audit is shown."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from lotus_infra.ops.audit import Line
from lotus_infra.streams.problems import printable


def unmanaged(lines: Sequence[Line]) -> bool:
    """Whether there is an object that the stack does not have."""
    return any(line.standing != "managed" for line in lines)


def render(lines: Sequence[Line], *, as_json: bool = False) -> str:
    """A JSON document that says whether the stack has everything, or a table, and below it what to do."""
    if as_json:
        return json.dumps({"ok": not unmanaged(lines), "objects": [asdict(line) for line in lines]}, indent=2) + "\n"
    if not lines:
        return "Airbyte has nothing in this workspace.\n"
    console = Console()
    with console.capture() as captured:
        console.print(_table(lines))
    # Commands are to be pasted, and a table would break them.
    remedies = (f"{line.kind} {line.name}: {line.remedy}" for line in lines if line.remedy)
    return captured.get() + "".join(printable(remedy) + "\n" for remedy in remedies)


def _table(lines: Sequence[Line]) -> Table:
    made = Table("standing", "kind", "name")
    made.add_column("id", no_wrap=True)
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        last = following is None or following.standing != line.standing
        cells = (line.standing, line.kind, printable(line.name), line.id)
        made.add_row(*cells, end_section=last)
    return made
