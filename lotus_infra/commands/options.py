"""Options that several commands share, the confirmation prompt, and the dbt project of a lake."""

import os
import shlex
import sys
from pathlib import Path
from typing import Final

import click

from lotus_infra.config.stack import STACK_VARIABLE, Project
from lotus_infra.dagster_fingerprint import DBT_PROJECT
from lotus_infra.dbt import PROJECT_FILE as DBT_FILE
from lotus_infra.errors import LotusError, ProjectError

DEFAULT_STREAMS: Final = Path("streams")
PREVIEW = click.option(
    "--preview",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The output of `pulumi preview --json`, or its event stream.",
)
LABEL = click.option("--label", "labels", multiple=True, help="A label of the pull request; may be repeated.")
PREVIEWED_STACK = click.option("--stack", help="The stack; default: the preview's.")
STREAMS = click.option(
    "--streams",
    "directory",
    type=click.Path(path_type=Path),
    default=DEFAULT_STREAMS,
    show_default=True,
    help="The lake's folder.",
)
STACK = click.option(
    "--stack", help="The stack whose Airbyte is used; default: $PULUMI_STACK, or the only stack of the project."
)
ONE_STACK = click.option("--stack", help="The stack; default: $PULUMI_STACK, or the only stack of the project.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
ALL_SOURCES = click.option("--all", "every", is_flag=True, help="All sources of the lake.")
DBT = click.option(
    "--dbt",
    "dbt",
    type=click.Path(path_type=Path),
    help="The dbt project's folder; default: dagster/dbt in the Pulumi project around the lake.",
)
OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to FILE instead of printing."
)
YES = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")


def streams_option(directory: Path) -> str:
    """` --streams FOLDER` for a command that is printed as the next step; empty for the default folder."""
    return "" if directory == DEFAULT_STREAMS else f" --streams {shlex.quote(str(directory))}"


def check_step(directory: Path) -> str:
    """`lotus check` as the next step; of the one stack that the shell works with, where it has chosen one.

    Values of other stacks can be set only where their state is.
    """
    stack = os.environ.get(STACK_VARIABLE, "")
    return f"lotus check{streams_option(directory)}{f' --stack {shlex.quote(stack)}' if stack else ''}"


def confirmed(question: str, *, yes: bool) -> bool:
    """Ask the user for confirmation, unless `--yes` was given.

    Raises:
        LotusError: Standard input is not a terminal.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise LotusError("not a terminal, and nothing was changed", "pass --yes to confirm")
    return click.confirm(question, err=True)


def dbt_folder(directory: Path, given: Path | None = None) -> Path | None:
    """Find the dbt project of a lake.

    Args:
        directory: The lake's folder.
        given: The folder of `--dbt`; by default `dagster/dbt` in the Pulumi project around the lake.

    Returns:
        The folder; None if `--dbt` was not given and the default has no dbt project.
    """
    if given is not None:
        return given
    project = Project.around(directory)
    folder = project.folder / DBT_PROJECT if project is not None else None
    return folder if folder is not None and (folder / DBT_FILE).is_file() else None


def require_dbt_folder(directory: Path, given: Path | None = None) -> Path:
    """Find the dbt project of a lake, as `dbt_folder` does.

    Raises:
        ProjectError: The lake has no dbt project.
    """
    folder = dbt_folder(directory, given)
    if folder is None:
        raise ProjectError(f"no dbt project in {DBT_PROJECT}", "pass its folder with --dbt")
    return folder
