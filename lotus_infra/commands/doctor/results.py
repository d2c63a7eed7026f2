"""The results of the checks, and their output."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal

from pydantic import JsonValue

from lotus_infra.commands.terminal import Tone, paint
from lotus_infra.errors import masked_urls
from lotus_infra.lake.diagnostics import escape_unprintable

Area = Literal[
    "versions",
    "configuration",
    "identity",
    "backend",
    "locks",
    "secrets",
    "state",
    "airbyte",
    "sources",
    "landing",
    "network",
    "cluster",
    "databases",
    "helm",
    "clock",
]
Level = Literal["ok", "warning", "broken"]
TONES: Final[Mapping[Level, Tone]] = {"ok": "good", "warning": "warning", "broken": "bad"}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check.

    Attributes:
        area: The area that it belongs to.
        state: Its level; a warning does not fail the command.
        what: What was found, without a full stop and without the credentials of URLs.
        remedy: What to do about it; empty if the check passed.
    """

    area: Area
    state: Level
    what: str
    remedy: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", masked_urls(self.what))
        object.__setattr__(self, "remedy", masked_urls(self.remedy))


@dataclass(frozen=True)
class Examination:
    """A stack and the results of its checks."""

    stack: str
    findings: Sequence[CheckResult]

    @property
    def ok(self) -> bool:
        """Whether no check is broken."""
        return all(finding.state != "broken" for finding in self.findings)


def ok(area: Area, what: str) -> CheckResult:
    """A passed check."""
    return CheckResult(area, "ok", what)


def warning(area: Area, what: str, remedy: str) -> CheckResult:
    """A result that does not fail the command."""
    return CheckResult(area, "warning", what, remedy)


def broken(area: Area, what: str, remedy: str) -> CheckResult:
    """A result that fails the command."""
    return CheckResult(area, "broken", what, remedy)


def render(examined: Examination) -> str:
    """The results as text, in the order of the checks, and their number by level."""
    lines = [
        f"{paint(f'{each.state:<8}', TONES[each.state])} "
        + escape_unprintable(f"{each.area:<13} {each.what}{f': {each.remedy}' if each.remedy else ''}")
        for each in examined.findings
    ]
    counts: Counter[str] = Counter(finding.state for finding in examined.findings)
    numbers = ", ".join(f"{counts[level]} {level}" for level in ("broken", "warning", "ok") if counts[level])
    tone: Tone = "bad" if counts["broken"] else "warning" if counts["warning"] else "good"
    summary = paint(escape_unprintable(f"{examined.stack}: {numbers}"), tone)
    return "".join(f"{line}\n" for line in [*lines, summary])


def as_document(examined: Examination) -> dict[str, JsonValue]:
    """The results as one JSON document."""
    return {
        "ok": examined.ok,
        "stack": examined.stack,
        "findings": [dict(asdict(finding)) for finding in examined.findings],
    }
