"""`lotus check`: hold a lake against every rule, the stacks it is deployed with, its dbt project and its repository.

Of a stack it reads which names have values, and no value but what it says of Dagster and which workspace it names.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from lotus_infra.clients import git
from lotus_infra.commands.options import DBT, JSON, STREAMS, dbt_folder
from lotus_infra.config import stack_files, workspaces
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from lotus_infra.helm.values import LakeBucket, planned
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.references import StackValues
from lotus_infra.lake.report import Report, as_document, check_lake, render, with_findings

_NAMESPACE = "lotus:"
_SOME_LAKE = LakeBucket("landing", "us-west-1", "")
"""Where data lands makes no difference to whether the chart takes the values."""


@click.command()
@STREAMS
@DBT
@click.option("--stack", "stacks", multiple=True, help="A stack whose values must be complete; all by default.")
@JSON
def check(directory: Path, dbt: Path | None, stacks: tuple[str, ...], *, as_json: bool) -> None:
    """Find every mistake in the lake's files and in what dbt reads of them; exit with 1 if there is one.

    Example: lotus check --stack prod
    """
    report = check_lake_files(directory, stacks, dbt)
    click.echo(json.dumps(as_document(report), indent=2) if as_json else render(report))
    if report.problems:
        sys.exit(1)


def check_lake_files(directory: Path, stacks: Sequence[str] = (), dbt: Path | None = None) -> Report:
    """Check a lake, its stacks' workspaces, the field contract with a dbt project, and that no state is committed.

    Args:
        directory: The lake's folder.
        stacks: The stacks whose values must be complete; all of the project's when none is named.
        dbt: The dbt project's folder; the one in the Pulumi project around the lake when none is named.

    Raises:
        LotusError: The folder holds no lake, a named stack or dbt project does not exist, or a stack's file can't be
            read or says wrong things of Dagster.
    """
    check_dagster(directory, stacks)
    report = check_lake(directory, stack_values(directory, stacks))
    project = Project.around(directory)
    if project is not None:
        found = (*git.find_committed_secrets(project.folder), *_shared_workspaces(project.folder))
        report = with_findings(report, project.folder, found)
    folder = dbt_folder(directory, dbt)
    return report if folder is None else _with_contract(report, folder)


def _shared_workspaces(folder: Path) -> Iterator[Diagnostic]:
    """A finding for each stack that names the workspace of another, whichever stacks the check is asked for."""
    for shared in workspaces.shared(stack_files.values(folder)):
        yield Diagnostic(shared.file, (), shared.what, shared.remedy)


def _with_contract(report: Report, folder: Path) -> Report:
    # The parser of SQL takes longer to import than a small lake to check.
    from lotus_infra.dbt.field_contract import LakeAndProject, lake_diagnostics, project_diagnostics  # noqa: PLC0415
    from lotus_infra.dbt.project import load_project  # noqa: PLC0415

    both = LakeAndProject.of(report.lake, load_project(folder))
    report = with_findings(report, report.lake.directory, lake_diagnostics(both))
    report = with_findings(report, folder, project_diagnostics(both))
    return replace(report, models=len(both.project.models))


def check_dagster(directory: Path, stacks: Sequence[str] = ()) -> None:
    """Hold what the stacks say of Dagster against what there is to say, and their chart's values against the chart.

    Args:
        directory: The lake's folder, as for `check`.
        stacks: Stacks, as for `check`.

    Raises:
        LotusError: With every mistake of every stack.
    """
    project = Project.around(directory)
    if project is None:
        return
    wrong = []
    for name in project.named(stacks) if stacks else tuple(project.stacks):
        try:
            settings = project.dagster(name)
            if settings is not None:
                planned(settings, _SOME_LAKE)
        except LotusError as error:
            wrong += [f"{project.stacks[name].name}: {line}" for line in str(error).splitlines()]
    if wrong:
        raise LotusError("\n".join(wrong))


def stack_values(directory: Path, stacks: Sequence[str] = ()) -> tuple[StackValues, ...]:
    """The names that each stack of the project around a lake has values for.

    Args:
        directory: The lake's folder; the project is the nearest folder at or above it that has a `Pulumi.yaml`.
        stacks: Stacks by name, as `prod` or `organization/project/prod`; all that have a file when none is named.

    Raises:
        LotusError: A named stack has no file, or a file can't be read.
    """
    project = Project.needed(directory) if stacks else Project.around(directory)
    if project is None:
        return ()
    names = project.named(stacks) if stacks else tuple(project.stacks)
    return tuple(
        StackValues(name, frozenset(key.removeprefix(_NAMESPACE) for key in project.values(name))) for name in names
    )
