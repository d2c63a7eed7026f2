"""`lotus check`: check a lake's files, the stacks it is deployed with, its dbt project and its repository, offline.

Of a stack's file it reads the names of the values, the settings of Dagster and the workspace's id, and no other value.
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
from lotus_infra.helm.values import LakeBucket, release_values
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.references import StackValues
from lotus_infra.lake.report import Report, add_diagnostics, as_document, check_lake, render

_NAMESPACE = "lotus:"
_ANY_BUCKET = LakeBucket("landing", "us-west-1", "")
"""Stands in for the stack's bucket, which has no effect on whether the chart accepts the values."""


@click.command()
@STREAMS
@DBT
@click.option("--stack", "stacks", multiple=True, help="A stack whose values must be complete; default: all.")
@JSON
def check(directory: Path, dbt: Path | None, stacks: tuple[str, ...], *, as_json: bool) -> None:
    """Report every mistake in the lake's files and in the models that read them; exit with 1 if there is one.

    Example: lotus check --stack prod
    """
    report = check_lake_files(directory, stacks, dbt)
    click.echo(json.dumps(as_document(report), indent=2) if as_json else render(report))
    if report.problems:
        sys.exit(1)


def check_lake_files(directory: Path, stacks: Sequence[str] = (), dbt: Path | None = None) -> Report:
    """Check a lake, the workspaces of its stacks, the field contract with its dbt project, and for committed states.

    Args:
        directory: The lake's folder.
        stacks: The stacks whose values must be complete; all of the project's if empty.
        dbt: The dbt project's folder; by default the one in the Pulumi project around the lake.

    Raises:
        LotusError: The folder is not a lake, a named stack or the dbt project does not exist, a stack's file can't be
            read, or its settings of Dagster are invalid.
    """
    check_dagster(directory, stacks)
    report = check_lake(directory, stack_values(directory, stacks))
    project = Project.around(directory)
    if project is not None:
        found = (*git.find_committed_secrets(project.folder), *_shared_workspaces(project.folder))
        report = add_diagnostics(report, project.folder, found)
    folder = dbt_folder(directory, dbt)
    return report if folder is None else _add_field_contract(report, folder)


def check_dagster(directory: Path, stacks: Sequence[str] = ()) -> None:
    """Check the stacks' settings of Dagster, and the resulting values against the chart.

    Args:
        directory: The lake's folder.
        stacks: The stacks to check; all of the project's if empty.

    Raises:
        LotusError: With every mistake of every stack, one a line.
    """
    project = Project.around(directory)
    if project is None:
        return
    mistakes = []
    for name in project.named(stacks) if stacks else tuple(project.stacks):
        try:
            settings = project.dagster(name)
            if settings is not None:
                release_values(settings, _ANY_BUCKET)
        except LotusError as error:
            mistakes += [f"{project.stacks[name].name}: {line}" for line in str(error).splitlines()]
    if mistakes:
        raise LotusError("\n".join(mistakes))


def stack_values(directory: Path, stacks: Sequence[str] = ()) -> tuple[StackValues, ...]:
    """List the names that stacks have values for.

    Args:
        directory: The lake's folder; the project is the nearest folder at or above it with a `Pulumi.yaml`.
        stacks: Names of stacks, as `prod` or `organization/project/prod`; if empty, all that have a file.

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


def _shared_workspaces(folder: Path) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each stack that names another's workspace: of all stacks, as both of a pair matter."""
    for shared in workspaces.shared(stack_files.values(folder)):
        yield Diagnostic(shared.file, (), shared.what, shared.remedy)


def _add_field_contract(report: Report, folder: Path) -> Report:
    """Add the mistakes between the lake's streams and a dbt project."""
    # The SQL parser takes longer to import than a small lake takes to check.
    from lotus_infra.dbt.field_contract import LakeAndProject, lake_diagnostics, project_diagnostics  # noqa: PLC0415
    from lotus_infra.dbt.project import load_project  # noqa: PLC0415

    both = LakeAndProject.of(report.lake, load_project(folder))
    report = add_diagnostics(report, report.lake.directory, lake_diagnostics(both))
    report = add_diagnostics(report, folder, project_diagnostics(both))
    return replace(report, models=len(both.project.models))
