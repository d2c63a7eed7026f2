"""`lotus graph`: a picture of the lake, from its sources to its marts."""

import json
from pathlib import Path
from typing import Literal

import click

from lotus_infra.commands.options import DBT, JSON, OUTPUT, STREAMS, dbt_folder
from lotus_infra.commands.output import write
from lotus_infra.commands.scaffold import _format_of
from lotus_infra.dbt.project import load_project
from lotus_infra.lake.lake import find_source
from lotus_infra.lake.loader import load_usable_lake
from lotus_infra.lineage import lineage_of, mermaid
from lotus_infra.lineage_svg import svg

Format = Literal["mermaid", "svg"]


@click.command()
@click.option("--format", "kind", type=click.Choice(["mermaid", "svg"]), help="By default what FILE's ending says.")
@OUTPUT
@click.option("--source", help="The one source to draw, with all that is made of it.")
@STREAMS
@DBT
@JSON
def graph(
    kind: Literal["mermaid", "svg"] | None,
    output: Path | None,
    source: str | None,
    directory: Path,
    dbt: Path | None,
    *,
    as_json: bool,
) -> None:
    """Draw the lake: sources, streams, files, models and marts.

    Example: lotus graph --output lake.svg
    """
    written = kind or _format_of(output)
    drawn = draw_graph(directory, written, dbt=dbt, source=source)
    if output is not None:
        write(output, drawn)
    if as_json:
        document = {"ok": True, "format": written, "file": str(output) if output is not None else None}
        click.echo(json.dumps(document | ({"drawing": drawn} if output is None else {}), indent=2, ensure_ascii=False))
    elif output is None:
        click.echo(drawn, nl=False)
    else:
        click.echo(output)


def draw_graph(directory: Path, kind: Format, *, dbt: Path | None = None, source: str | None = None) -> str:
    """Draw a lake.

    Args:
        directory: The lake's folder.
        kind: What to write it as.
        dbt: The dbt project's folder, if it isn't where it is expected; without one the picture ends at the files.
        source: The one source to draw.

    Raises:
        LotusError: There is no such source, or a file can't be read.
    """
    folder = dbt_folder(directory, dbt)
    lake = load_usable_lake(directory)
    if source is not None:
        find_source(lake, source)
    lineage = lineage_of(lake, load_project(folder) if folder is not None else None, source)
    return svg(lineage) if kind == "svg" else mermaid(lineage)
