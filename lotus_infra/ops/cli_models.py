"""The commands of `lotus` that are about models: they parse and print, and do nothing else."""

from pathlib import Path
from typing import Literal

import click

from lotus_infra.ops.cli_options import DBT, STREAMS


@click.command()
@click.argument("names", nargs=-1, metavar="SOURCE STREAM")
@click.option("--all", "every", is_flag=True, help="Every selected stream (of SOURCE) that has no model yet.")
@click.option("--force", is_flag=True, help="Make the model anew, although it is there; changes by hand are lost.")
@STREAMS
@DBT
def scaffold(names: tuple[str, ...], directory: Path, dbt: Path | None, *, every: bool, force: bool) -> None:
    """Write a dbt model with its source and tests for the STREAM of a SOURCE.

    Example: lotus scaffold shopify orders
    """
    from lotus_infra.ops.scaffold import scaffold as run  # noqa: PLC0415
    from lotus_infra.ops.scaffold import scaffold_all  # noqa: PLC0415

    if every and (len(names) > 1 or force):
        raise click.UsageError("--all takes at most a SOURCE, and no --force.")
    if not every and len(names) != 2:
        raise click.UsageError("Name a SOURCE and a STREAM, or pass --all.")
    done = scaffold_all(directory, *names, dbt=dbt) if every else run(directory, *names, dbt=dbt, force=force)
    for line in done.told:
        click.echo(line)
    click.echo(f"next: {done.build}" if done.build else "every selected stream has its model")


@click.command()
@click.option("--format", "kind", type=click.Choice(["mermaid", "svg"]), help="By default what FILE's ending says.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A FILE to write, instead of printing.")
@click.option("--source", help="The one source to draw, with all that is made of it.")
@STREAMS
@DBT
def graph(
    kind: Literal["mermaid", "svg"] | None, output: Path | None, source: str | None, directory: Path, dbt: Path | None
) -> None:
    """Draw the lake: sources, streams, files, models and marts.

    Example: lotus graph --output lake.svg
    """
    from lotus_infra.ops.graph import graph as run  # noqa: PLC0415
    from lotus_infra.ops.graph import write  # noqa: PLC0415

    drawn = run(directory, kind or _format_of(output), dbt=dbt, source=source)
    if output is None:
        click.echo(drawn, nl=False)
    else:
        write(output, drawn)
        click.echo(output)


def _format_of(output: Path | None) -> Literal["mermaid", "svg"]:
    """What a file's ending says that it holds; Mermaid where nothing says otherwise."""
    ending = output.suffix.lower() if output is not None else ""
    if ending not in {"", ".md", ".mermaid", ".mmd", ".svg", ".txt"}:
        raise click.UsageError(f"{ending} is neither Mermaid's nor SVG's ending: name another FILE, or a --format.")
    return "svg" if ending == ".svg" else "mermaid"
