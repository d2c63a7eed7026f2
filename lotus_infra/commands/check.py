"""`lotus check`: check a lake's files, the stacks it is deployed with, its dbt project and its repository, offline."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from lotus_infra.clients import git
from lotus_infra.commands.options import DBT, JSON, STACKS, STREAMS, dbt_folder
from lotus_infra.commands.terminal import lead, paint
from lotus_infra.config import workspaces
from lotus_infra.config.settings import NAMESPACE
from lotus_infra.config.stack import Project, StackReading
from lotus_infra.config.stack_files import read_stack
from lotus_infra.errors import LotusError
from lotus_infra.helm.values import LakeBucket, release_values
from lotus_infra.lake.checks.stacks import overlays_have_stacks
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.loader import LoadedLake, collector_paused, load_lake
from lotus_infra.lake.overlays import for_stack
from lotus_infra.lake.report import Report, add_diagnostics, as_document, check_loaded, render

_ANY_BUCKET = LakeBucket("landing", "us-west-1", "")
"""Stands in for the stack's bucket, which has no effect on whether the chart accepts the values."""


@click.command()
@STACKS
@STREAMS
@DBT
@JSON
@collector_paused()
def check(directory: Path, dbt: Path | None, stacks: tuple[str, ...], *, as_json: bool) -> None:
    """Check the lake's files, its stacks and the dbt project.

    Reports every mistake with its file and line, and exits with 1 if there is one. Calls no server.

    Example: lotus check --stack prod
    """
    report = check_lake_files(directory, stacks, dbt)
    click.echo(json.dumps(as_document(report), indent=2) if as_json else _coloured(report))
    if report.problems:
        sys.exit(1)


def _coloured(report: Report) -> str:
    """The report for a terminal."""
    *lines, summary = render(report).splitlines()
    problems = len(report.problems)
    painted = [lead(line, "bad" if number < problems else "warning") for number, line in enumerate(lines)]
    return "\n".join([*painted, paint(summary, "bad" if report.problems else "good")])


def check_lake_files(directory: Path, stacks: Sequence[str] = (), dbt: Path | None = None) -> Report:
    """Check a lake, its stacks, the field contract with its dbt project, and for committed states.

    Args:
        directory: The lake's folder; the project is the nearest folder at or above it with a `Pulumi.yaml`.
        stacks: The stacks to check, as `prod` or `organization/project/prod`; all of the project's if empty.
        dbt: The dbt project's folder; by default the one in the Pulumi project around the lake.

    Raises:
        LotusError: The folder is not a lake, or a named stack or the dbt project does not exist.
    """
    project = Project.needed(directory) if stacks else Project.around(directory)
    loaded = load_lake(directory)
    if project is None:
        report = check_loaded(loaded)
    else:
        readings = read_stacks(project, loaded, stacks)
        named = [each.entries.stack for each in readings]
        report = check_loaded(loaded, [each.names for each in readings if each.names is not None], named)
        report = add_diagnostics(report, directory, overlays_have_stacks(tuple(project.stacks))(loaded.lake))
        found = (
            *git.find_committed_secrets(project.folder),
            *(problem for each in readings for problem in (*each.problems, *each.missing, *_chart_problems(each))),
            *_shared_workspaces(project),
            *(notice for each in readings for notice in _unused_values(each, loaded)),
        )
        report = add_diagnostics(report, project.folder, found)
    folder = dbt_folder(directory, dbt)
    return report if folder is None else _add_field_contract(report, folder)


def read_stacks(project: Project, loaded: LoadedLake, stacks: Sequence[str] = ()) -> tuple[StackReading, ...]:
    """Read the configuration of stacks, with all its problems.

    Args:
        project: The project.
        loaded: The lake.
        stacks: The names of the stacks; all of the project's if empty.

    Raises:
        LotusError: A named stack has no file.
    """
    names = project.named(stacks) if stacks else tuple(project.stacks)
    # Without any stack, the values that the project sets for all stacks are still checked.
    return tuple(project.read(name, loaded.lake.directory, loaded.value_names) for name in names or ("",))


def _chart_problems(reading: StackReading) -> Iterator[Diagnostic]:
    """The values of Dagster's release that the chart refuses."""
    settings = reading.settings.lotus.dagster if reading.settings is not None else None
    if settings is None:
        return
    try:
        release_values(settings, _ANY_BUCKET)
    except LotusError as error:
        for line in str(error).splitlines():
            field, what, remedy = line.split(": ", 2)
            yield reading.entries.problem_of(field, what, remedy)


def _unused_values(reading: StackReading, loaded: LoadedLake) -> Iterator[Diagnostic]:
    """Yield a notice for each value of a stack that only sources refer to which the stack leaves out.

    It is no mistake: a source is promoted by a value first and its deployment then. But it may be a valid secret that
    was forgotten.
    """
    stack, names = reading.entries.stack, loaded.value_names
    if reading.names is None or names is None or loaded.lake.overlays.get(stack) is None:
        return
    used = for_stack(loaded.lake, stack).value_names or names
    for name in sorted(reading.names.names & (names.keys() - used.keys())):
        key = f"{NAMESPACE}:{name}"
        if reading.entries.entries[key].file == reading.entries.own:
            what = f"is of no use: the stack {stack} deploys no source that refers to it"
            yield replace(reading.entries.problem((key,), what, "delete it, or deploy the source"), harmless=True)


def _shared_workspaces(project: Project) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each stack that names another's workspace: of all stacks, as both of a pair matter."""
    entries = {name: read_stack(project.folder, name) for name in project.stacks}
    for shared in workspaces.shared({name: each.values for name, each in entries.items()}):
        yield entries[shared.stack].problem((workspaces.WORKSPACE,), shared.what, shared.remedy)


def _add_field_contract(report: Report, folder: Path) -> Report:
    """Add the mistakes between the lake's streams and a dbt project."""
    # The SQL parser takes longer to import than a small lake takes to check.
    from lotus_infra.dbt.field_contract import LakeAndProject, lake_diagnostics, project_diagnostics  # noqa: PLC0415
    from lotus_infra.dbt.project import load_project  # noqa: PLC0415

    both = LakeAndProject.of(report.lake, load_project(folder))
    report = add_diagnostics(report, report.lake.directory, lake_diagnostics(both))
    report = add_diagnostics(report, folder, project_diagnostics(both))
    return replace(report, models=len(both.project.models))
