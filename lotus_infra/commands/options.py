"""Options that several commands share, the confirmation prompt, and the dbt project of a lake."""

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from lotus_infra.commands.completion import STACK_NAMES, complete_folder
from lotus_infra.dagster_fingerprint import DBT_PROJECT
from lotus_infra.dbt import PROJECT_FILE as DBT_FILE
from lotus_infra.errors import LotusError, ProjectError

DEFAULT_STREAMS: Final = Path("streams")
_Command = TypeVar("_Command", bound=Callable[..., Any] | click.Command)
_STACKS: Final = {
    "one": "$PULUMI_STACK, else the selected or the only one",
    "all": "all",
    "lake": "the whole lake",
    "preview": "the preview's",
}
"""The stack of a command without --stack."""


def _stack(default: str = "one", name: str = "stack", *, multiple: bool = False) -> Callable[[_Command], _Command]:
    """The option --stack, with one wording of its default.

    Args:
        default: A key of `_STACKS`.
        name: The name of the function's argument.
        multiple: Whether it may be repeated.
    """
    text = f"The stack{', which may be repeated' if multiple else ''}; default: {_STACKS[default]}."
    names = ("-s", "--stack", name)
    return click.option(*names, metavar="NAME", multiple=multiple, shell_complete=STACK_NAMES, help=text)


STACK = _stack()
STACKS = _stack("all", "stacks", multiple=True)
STACK_OF_LAKE = _stack("lake")
PREVIEWED_STACK = _stack("preview")
COMPARED_STACKS = click.option(
    *("-s", "--stack", "stacks"),
    metavar="NAME",
    multiple=True,
    required=True,
    shell_complete=STACK_NAMES,
    help="The stacks to compare: pass it twice.",
)
DAGSTER = click.option(
    "--dagster-url",
    default="",
    metavar="URL",
    help="Dagster's webserver; default: $LOTUS_DAGSTER_URL, or the host of the stack's ingress.",
)
STREAMS = click.option(
    "--streams",
    "directory",
    type=click.Path(path_type=Path),
    default=DEFAULT_STREAMS,
    show_default=True,
    shell_complete=complete_folder,
    help="The lake's folder.",
)
DBT = click.option(
    "--dbt",
    "dbt",
    type=click.Path(path_type=Path),
    shell_complete=complete_folder,
    help="The dbt project's folder; default: dagster/dbt in the Pulumi project around the lake.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to FILE instead of printing."
)
_NO_QUESTION: Final = "Do not ask for confirmation."
YES = click.option("-y", "--yes", is_flag=True, help=_NO_QUESTION)
YES_OR_WRITE = click.option("-y", "--yes", "--write", "confirmed", is_flag=True, help=_NO_QUESTION)
"""--yes, which was called --write once."""
DRY_RUN = click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
ALL_SOURCES = click.option("--all", "every", is_flag=True, help="All sources of the lake.")
SOURCE_ID = click.option("--source-id", metavar="ID", default="", help="The source's id, if its label is ambiguous.")
PREVIEW = click.option(
    "--preview",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The output of `pulumi preview --json`, or its event stream.",
)
LABEL = click.option(
    "--label",
    "labels",
    metavar="NAME",
    multiple=True,
    help="A label of the pull request, such as accepts-data-loss; may be repeated.",
)


def streams_option(directory: Path) -> str:
    """` --streams FOLDER` for a command that is printed as the next step; empty for the default folder."""
    return "" if directory == DEFAULT_STREAMS else f" --streams {shlex.quote(str(directory))}"


def check_step(directory: Path) -> str:
    """`lotus check` as the next step; of the one stack that the shell works with, where it has chosen one.

    Values of other stacks can be set only where their state is.
    """
    from lotus_infra.config.stack import STACK_VARIABLE  # noqa: PLC0415, slow to import

    stack = os.environ.get(STACK_VARIABLE, "")
    check = "lotus check" + streams_option(directory)
    return check + (f" --stack {shlex.quote(stack)}" if stack else "")


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
    # The configuration's models take longer to import than all of the options.
    from lotus_infra.config.stack import Project  # noqa: PLC0415

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
