"""`lotus graph`: draw the lake's lineage, from its sources to its marts."""

import json
import os
from pathlib import Path
from typing import Final, Literal

import click

from lotus_infra.commands.completion import SELECTORS
from lotus_infra.commands.options import DBT, JSON, OUTPUT, STACK_OF_LAKE, STREAMS, dbt_folder
from lotus_infra.commands.output import write
from lotus_infra.config.stack import Project
from lotus_infra.dbt.project import load_project
from lotus_infra.lake.lake import find_connections
from lotus_infra.lake.loader import load_usable_lake
from lotus_infra.lineage import lineage_of, mermaid
from lotus_infra.lineage_svg import svg

Format = Literal["mermaid", "svg"]
MERMAID_SUFFIXES: Final = frozenset({"", ".md", ".mermaid", ".mmd", ".txt"})


@click.command()
@click.option(
    "--format", "kind", type=click.Choice(["mermaid", "svg"]), help="The format; default: by the suffix of FILE."
)
@click.option(
    "--source",
    metavar="NAME",
    shell_complete=SELECTORS,
    help="Draw this source or connection (shopify/daily) and its downstream models only.",
)
@OUTPUT
@STACK_OF_LAKE
@STREAMS
@DBT
@JSON
def graph(
    kind: Format | None,
    output: Path | None,
    source: str | None,
    directory: Path,
    dbt: Path | None,
    *,
    stack: str | None,
    as_json: bool,
) -> None:
    """Draw the lake's lineage, from sources to marts.

    Draws sources, streams, where they are written, models and marts; with --stack, what that stack deploys. A source
    with several connections is drawn as each of them. GitHub draws Mermaid of at most 500 edges: for a bigger lake name
    a --source, or write an SVG.

    Example: lotus graph --output lake.svg
    """
    written = kind or _format_by_suffix(output)
    drawing = draw_graph(directory, written, dbt=dbt, source=source, stack=stack)
    if output is not None:
        write(output, drawing)
    if as_json:
        document = {"ok": True, "format": written, "file": str(output) if output is not None else None}
        click.echo(
            json.dumps(document | ({"drawing": drawing} if output is None else {}), indent=2, ensure_ascii=False)
        )
    elif output is None:
        click.echo(drawing, nl=False)
    else:
        click.echo(output)


def draw_graph(
    directory: Path, kind: Format, *, dbt: Path | None = None, source: str | None = None, stack: str | None = None
) -> str:
    """Draw a lake.

    Args:
        directory: The lake's folder.
        kind: The format.
        dbt: The dbt project's folder, if it is not the default; without a dbt project the drawing ends at the files.
        source: The only source to draw, or its only connection.
        stack: The stack whose lake to draw; by default the lake as its files have it.

    Raises:
        LotusError: The source, the connection or the stack does not exist, or a file can't be read.
    """
    folder = dbt_folder(directory, dbt)
    lake = load_usable_lake(directory, Project.selected(directory, stack, os.environ) if stack else "")
    if source is not None:
        # Only for its error: `lineage_of` draws an unknown source as an empty graph.
        find_connections(lake, source)
    lineage = lineage_of(lake, load_project(folder) if folder is not None else None, source)
    return svg(lineage) if kind == "svg" else mermaid(lineage)


def _format_by_suffix(output: Path | None) -> Format:
    """Choose the format of a file; Mermaid without a file or a suffix."""
    suffix = output.suffix.lower() if output is not None else ""
    if suffix == ".svg":
        return "svg"
    if suffix not in MERMAID_SUFFIXES:
        raise click.UsageError(f"{suffix} is not a suffix of Mermaid or SVG: name another FILE, or pass --format.")
    return "mermaid"
