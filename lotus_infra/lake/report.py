"""Check a lake and report on it: `check_lake` is the one entry of the command line and of the Pulumi program.

This module runs the rules, finds the line of each diagnostic, and sorts them. It names no rule.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from lotus_infra.lake.checks import CHECKS
from lotus_infra.lake.checks.rule import Rule, capped
from lotus_infra.lake.checks.stacks import stack_diagnostics
from lotus_infra.lake.diagnostics import Diagnostic, LocatedDiagnostic, format_path, pluralize
from lotus_infra.lake.json_text import line_of, path_in_document
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.loader import LoadedLake, collector_paused, load_lake
from lotus_infra.lake.references import StackValues


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a check.

    Attributes:
        lake: The lake; usable only if there are no problems.
        problems: Mistakes, sorted by file and line.
        notices: Diagnostics that do not fail the check, sorted likewise.
        models: The number of dbt models that were compared with the streams; None without a dbt project.
    """

    lake: Lake
    problems: tuple[LocatedDiagnostic, ...]
    notices: tuple[LocatedDiagnostic, ...]
    models: int | None = None

    @property
    def summary(self) -> str:
        """One line: how much was checked, and the number of problems."""
        streams, sources = sum(1 for _ in self.lake.streams), len(self.lake.sources)
        checked = f"{pluralize(streams, 'stream')} in {pluralize(sources, 'source')}"
        if self.models is not None:
            checked += f" and {pluralize(self.models, 'model')}"
        return f"{checked}: {pluralize(len(self.problems), 'problem') if self.problems else 'no problems'}"


def check_lake(directory: Path, stacks: Iterable[StackValues] = ()) -> Report:
    """Load a lake and apply every rule.

    Args:
        directory: The lake's folder.
        stacks: The stacks that must have a value for each reference.

    Raises:
        LakeError: The folder is missing, can't be listed, or contains nothing that could be a lake.
    """
    return check_loaded(load_lake(directory), stacks)


@collector_paused()
def check_loaded(
    loaded: LoadedLake, stacks: Iterable[StackValues] = (), overlaid: Iterable[str] | None = None
) -> Report:
    """Apply every rule to a lake, as `check_lake` does, and those that may differ by stack to the lake of each stack.

    Args:
        loaded: The lake.
        stacks: The stacks that must have a value for each reference.
        overlaid: The stacks whose lakes are checked; by default these, or all that have an overlay if there are none.
    """
    lake, values = loaded.lake, {stack.stack: stack for stack in stacks}
    known = {rule: tuple(rule(lake)) for rule in CHECKS}
    found = [*loaded.diagnostics, *(diagnostic for each in known.values() for diagnostic in capped(each))]
    for stack in dict.fromkeys((*values, *(overlaid if overlaid is not None else () if values else lake.overlays))):
        found += stack_diagnostics(lake, stack, known, values.get(stack))
    return add_diagnostics(Report(lake, (), ()), lake.directory, found)


def apply_rules(
    lake: Lake,
    rules: Iterable[Rule],
    diagnostics: Iterable[Diagnostic] = (),
    drafts: Mapping[str, str] | None = None,
) -> Report:
    """Apply rules to a loaded lake.

    Args:
        lake: The lake; its files are read again only to find lines.
        rules: The rules.
        diagnostics: Diagnostics of the lake from before, such as the loader's.
        drafts: Texts of files that are not written yet, by their path in the lake.
    """
    found = [*diagnostics, *(diagnostic for rule in rules for diagnostic in capped(rule(lake)))]
    return add_diagnostics(Report(lake, (), ()), lake.directory, found, drafts)


def add_diagnostics(
    report: Report, directory: Path, diagnostics: Iterable[Diagnostic], drafts: Mapping[str, str] | None = None
) -> Report:
    """Add diagnostics to a report.

    Args:
        report: The report so far.
        directory: The folder that the diagnostics' files are relative to.
        diagnostics: The diagnostics to add.
        drafts: As in `apply_rules`.
    """
    locator = _Locator(directory, drafts or {})
    # Sets: two rules may report the same mistake, and it is shown once.
    problems, notices = set(report.problems), set(report.notices)
    for diagnostic in diagnostics:
        (notices if diagnostic.harmless else problems).add(locator.locate(diagnostic))
    return replace(report, problems=tuple(sorted(problems)), notices=tuple(sorted(notices)))


def render(report: Report) -> str:
    """Format a report for a terminal: a line for each problem and notice, and the summary."""
    notices = [f"note: {notice}" for notice in report.notices]
    return "\n".join([*map(str, report.problems), *notices, report.summary])


def as_document(report: Report) -> dict[str, JsonValue]:
    """A report as one JSON document."""
    return {
        "ok": not report.problems,
        "sources": len(report.lake.sources),
        "streams": sum(1 for _ in report.lake.streams),
        "models": report.models,
        "problems": [dict(asdict(diagnostic)) for diagnostic in report.problems],
        "notices": [dict(asdict(diagnostic)) for diagnostic in report.notices],
    }


def path_from_here(path: Path) -> Path:
    """A path as the user would open it: relative to the current folder if it is below, else absolute."""
    whole = path.absolute()
    return whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole


class _Locator:
    """Finds the lines of diagnostics, which come file by file: it keeps the last file that it read."""

    def __init__(self, directory: Path, drafts: Mapping[str, str]) -> None:
        self._directory = directory
        self._drafts = drafts
        self._shown = path_from_here(directory)
        self._file = ""
        self._text = ""
        self._document: JsonValue = None

    def locate(self, diagnostic: Diagnostic) -> LocatedDiagnostic:
        path, line = diagnostic.path, diagnostic.line
        if path and line is None:
            self._open(diagnostic.file)
            path = path_in_document(self._document, path)
            line = line_of(self._text, path)
        file = (self._shown / diagnostic.file).as_posix()
        return LocatedDiagnostic(file, line or 1, format_path(path), diagnostic.what, diagnostic.remedy)

    def _open(self, file: str) -> None:
        if file != self._file:
            self._file = file
            draft = self._drafts.get(file)
            self._text = draft if draft is not None else (self._directory / file).read_text(encoding="utf-8")
            self._document = json.loads(self._text)
