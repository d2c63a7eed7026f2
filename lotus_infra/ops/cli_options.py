"""Options that several commands of `lotus` have."""

from pathlib import Path

import click

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
