"""Options that several commands of `lotus` have."""

import sys
from pathlib import Path

import click

from lotus_infra.errors import LotusError

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
