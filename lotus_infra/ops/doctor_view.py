"""How `lotus doctor` is shown: a line for each finding and one for all, or one document."""

from collections import Counter
from dataclasses import asdict

from pydantic import JsonValue

from lotus_infra.ops.doctor import Examined
from lotus_infra.streams.problems import printable


def render(examined: Examined) -> str:
    """Findings as text, in the order in which they were made."""
    lines = [
        f"{each.state:<8} {each.area:<9} {each.what}{f': {each.remedy}' if each.remedy else ''}"
        for each in examined.findings
    ]
    counts: Counter[str] = Counter(finding.state for finding in examined.findings)
    told = ", ".join(f"{counts[state]} {state}" for state in ("broken", "warning", "ok") if counts[state])
    return "".join(f"{printable(line)}\n" for line in [*lines, f"{examined.stack}: {told}"])


def as_document(examined: Examined) -> dict[str, JsonValue]:
    """Findings as one JSON document."""
    return {
        "ok": examined.ok,
        "stack": examined.stack,
        "findings": [dict(asdict(finding)) for finding in examined.findings],
    }
