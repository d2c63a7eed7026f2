"""What `lotus doctor` finds: one line of one area each, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Area = Literal["versions", "backend", "locks", "state", "airbyte", "landing", "cluster", "clock"]
State = Literal["ok", "warning", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at.

    Attributes:
        area: What it belongs to.
        state: Whether it is as it should be; a warning breaks nothing.
        what: What was found, without a full stop.
        remedy: What to do about it; empty where it is well.
    """

    area: Area
    state: State
    what: str
    remedy: str = ""


def ok(area: Area, what: str) -> Finding:
    """Something that is well."""
    return Finding(area, "ok", what)


def warning(area: Area, what: str, remedy: str) -> Finding:
    """Something to know of."""
    return Finding(area, "warning", what, remedy)


def broken(area: Area, what: str, remedy: str) -> Finding:
    """Something that has to be mended."""
    return Finding(area, "broken", what, remedy)


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether nothing is broken."""
    return all(finding.state != "broken" for finding in findings)
