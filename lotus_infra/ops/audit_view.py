"""How an audit is shown."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from lotus_infra.ops.audit import Line
from lotus_infra.streams.problems import counted, printable


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
