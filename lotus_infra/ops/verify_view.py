"""How `lotus verify` is shown: a table of what was compared, what to do, and the same as a document."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

from pydantic import JsonValue
from rich.console import Console
from rich.table import Table

from lotus_infra.ops.verify import Verified
from lotus_infra.streams.problems import counted, printable

_SHORT = 12


def render(verified: Verified) -> str:
    """What was compared, as text."""
    console = Console()
    with console.capture() as captured:
        console.print(_table(verified))
    return captured.get() + "".join(f"{printable(line)}\n" for line in _lines(verified))


def _table(verified: Verified) -> Table:
    made = Table("", "what", "where", "declared", "running")
    for finding in verified.findings:
        cells = (finding.state, finding.what, finding.where, finding.declared, finding.running)
        made.add_row(*(printable(_shortened(cell)) for cell in cells))
    return made


def _lines(verified: Verified) -> Iterator[str]:
    for finding in verified.findings:
        if finding.remedy:
            yield f"{finding.what} of {finding.where}: {_shortened(finding.remedy)}"
    states = Counter(finding.state for finding in verified.findings)
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    changes = " and changes that are not committed" if verified.repository.dirty else ""
    commit = verified.repository.commit[:_SHORT]
    yield (
        f"{verified.stack}, namespace {verified.namespace}, held against {commit}{changes}: "
        f"{counted(states.total(), 'comparison')}, {told}"
    )


def _shortened(text: str) -> str:
    """A text whose commits and fingerprints are short enough for a table; documents have them in full."""
    return re.sub(rf"\b([0-9a-f]{{{_SHORT}}})[0-9a-f]{{28,52}}\b", r"\1", text)


def as_document(verified: Verified) -> dict[str, JsonValue]:
    """What was compared, as one JSON document."""
    return {
        "ok": verified.ok,
        "stack": verified.stack,
        "namespace": verified.namespace,
        "commit": verified.repository.commit,
        "dirty": verified.repository.dirty,
        "definitions": verified.repository.definitions,
        "findings": [dict(asdict(finding)) for finding in verified.findings],
    }
