"""Options that several commands of `lotus` have."""

import sys
from pathlib import Path

import click

from lotus_infra.config.stack import Project
from lotus_infra.dagster_fingerprint import DBT_PROJECT
from lotus_infra.dbt import PROJECT_FILE as DBT_FILE
from lotus_infra.errors import LotusError, ProjectError

PREVIEW = click.option(
    "--preview",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The output of `pulumi preview --json`, or its events.",
)
LABEL = click.option("--label", "labels", multiple=True, help="A label that the pull request carries; may be repeated.")
PREVIEWED_STACK = click.option("--stack", help="The stack; else the one that the preview names.")
STREAMS = click.option(
    "--streams",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("streams"),
    show_default=True,
    help="The lake's folder.",
)
STACK = click.option(
    "--stack", help="The stack whose Airbyte is asked; else $PULUMI_STACK, else the only stack of the project."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
EVERY = click.option("--all", "every", is_flag=True, help="Every source of the lake.")
DBT = click.option(
    "--dbt",
    "dbt",
    type=click.Path(path_type=Path),
    help="The dbt project's folder; by default dagster/dbt in the Pulumi project around the lake.",
)
OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A FILE to write, instead of printing."
)
ONE_STACK = click.option("--stack", help="The stack; else $PULUMI_STACK, else the only one of the project.")
YES = click.option("--yes", "-y", is_flag=True, help="Do it without asking.")


def agreed(question: str, *, yes: bool) -> bool:
    """Whether the user agrees: by `--yes`, or by an answer on the terminal.

    Raises:
        LotusError: Nobody is there to answer.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise LotusError("nobody is at the terminal to agree, and nothing was changed", "pass --yes, or --dry-run")
    return click.confirm(question, err=True)


def dbt_folder(directory: Path, given: Path | None = None) -> Path | None:
    """The dbt project that belongs to a lake.

    Args:
        directory: The lake's folder.
        given: What the user named; else it is `dagster/dbt` in the Pulumi project around the lake.

    Returns:
        The folder; None when none is named and none is there.
    """
    if given is not None:
        return given
    project = Project.around(directory)
    folder = project.folder / DBT_PROJECT if project is not None else None
    return folder if folder is not None and (folder / DBT_FILE).is_file() else None


def needed_dbt_folder(directory: Path, given: Path | None = None) -> Path:
    """As `dbt_folder`, for what can't do without.

    Raises:
        ProjectError: There is none.
    """
    found = dbt_folder(directory, given)
    if found is None:
        raise ProjectError(f"there is no dbt project in {DBT_PROJECT}", "name its folder with --dbt")
    return found
