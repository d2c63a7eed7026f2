"""The whole truth about a lake in one go: `check_lake` is what the command line and the Pulumi program both call."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from lotus_infra.lake.checks import CHECKS
from lotus_infra.lake.checks.configuration import values_are_set
from lotus_infra.lake.checks.rule import Rule
from lotus_infra.lake.diagnostics import Diagnostic, LocatedDiagnostic, counted, field_name
from lotus_infra.lake.json_text import line_of, path_in_document
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.loader import collector_paused, load_lake
from lotus_infra.lake.references import StackValues


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    Attributes:
        lake: The lake, of use only when there are no problems.
        problems: What must be mended, sorted by file and line.
        notices: What the lake works in spite of, sorted likewise.
        models: How many models of dbt were held against the streams; None when there is no dbt project.
    """

    lake: Lake
    problems: tuple[LocatedDiagnostic, ...]
    notices: tuple[LocatedDiagnostic, ...]
    models: int | None = None

    @property
    def summary(self) -> str:
        """One line: how much was checked, and how many problems there are."""
        streams, sources = sum(1 for _ in self.lake.streams), len(self.lake.sources)
        checked = f"{counted(streams, 'stream')} in {counted(sources, 'source')}"
        if self.models is not None:
            checked += f" and {counted(self.models, 'model')}"
        return f"{checked}: {counted(len(self.problems), 'problem') if self.problems else 'no problems'}"


@collector_paused()
def check_lake(directory: Path, stacks: Iterable[StackValues] = ()) -> Report:
    """Load a lake and hold it against every rule.

    Args:
        directory: The lake's folder.
        stacks: The stacks that must have a value for each reference.

    Raises:
        LakeError: The folder is missing, can't be listed, or has nothing in it that could be a lake.
    """
    lake, findings = load_lake(directory)
    return judge(lake, (*CHECKS, values_are_set(stacks)), findings)


def judge(lake: Lake, rules: Iterable[Rule], findings: Iterable[Diagnostic] = ()) -> Report:
    """Hold a lake that is loaded against rules.

    Args:
        lake: The lake; its files are read again only to find lines.
        rules: The rules.
        findings: What has been found before.
    """
    found = [*findings, *(finding for rule in rules for finding in rule(lake))]
    return with_findings(Report(lake, (), ()), lake.directory, found)


def with_findings(report: Report, directory: Path, findings: Iterable[Diagnostic]) -> Report:
    """A report with more in it.

    Args:
        report: What was found so far.
        directory: The folder that the findings' files are relative to.
        findings: What was found besides.
    """
    found, places = list(findings), _Places(directory)
    problems = {places.problem(finding) for finding in found if not finding.harmless}
    notices = {places.problem(finding) for finding in found if finding.harmless}
    return replace(
        report,
        problems=tuple(sorted(problems.union(report.problems))),
        notices=tuple(sorted(notices.union(report.notices))),
    )


def render(report: Report) -> str:
    """A report as text: a line for each problem and notice, and the summary."""
    notices = [f"note: {notice}" for notice in report.notices]
    return "\n".join([*map(str, report.problems), *notices, report.summary])


def as_document(report: Report) -> dict[str, JsonValue]:
    """A report as one JSON document, for programs."""
    return {
        "ok": not report.problems,
        "sources": len(report.lake.sources),
        "streams": sum(1 for _ in report.lake.streams),
        "models": report.models,
        "problems": [dict(asdict(problem)) for problem in report.problems],
        "notices": [dict(asdict(notice)) for notice in report.notices],
    }


def as_opened(path: Path) -> Path:
    """A file or folder as the user would open it: relative to where the command runs, if it is below."""
    whole = path.absolute()
    return whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole


class _Places:
    """Finds lines and readable paths; keeps the file it read last, since findings come file by file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._shown = as_opened(directory)
        self._file = ""
        self._text = ""
        self._document: JsonValue = None

    def problem(self, finding: Diagnostic) -> LocatedDiagnostic:
        """Place a finding."""
        path, line = finding.path, finding.line
        if path and line is None:
            self._open(finding.file)
            path = path_in_document(self._document, path)
            line = line_of(self._text, path)
        file = (self._shown / finding.file).as_posix()
        return LocatedDiagnostic(file, line or 1, field_name(path), finding.what, finding.remedy)

    def _open(self, file: str) -> None:
        if file != self._file:
            self._file = file
            self._text = (self._directory / file).read_text(encoding="utf-8")
            self._document = json.loads(self._text)
