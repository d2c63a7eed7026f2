"""The commands of `lotus` that are about models: they parse and print, and do nothing else."""

import json
from pathlib import Path
from typing import Literal

import click

from lotus_infra.ops.cli_options import DBT, JSON, OUTPUT, STREAMS


@click.command()
@click.argument("names", nargs=-1, metavar="SOURCE STREAM")
@click.option("--all", "every", is_flag=True, help="Every selected stream (of SOURCE) that has no model yet.")
@click.option("--force", is_flag=True, help="Make the model anew, although it is there; changes by hand are lost.")
@click.option("--dry-run", is_flag=True, help="Show what would be written where, and write nothing.")
@STREAMS
@DBT
@JSON
def scaffold(
    names: tuple[str, ...],
    directory: Path,
    dbt: Path | None,
    *,
    every: bool,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write a dbt model with its source and tests for the STREAM of a SOURCE.

    What is there already stays: files get new entries, and no other byte of them changes.

    Example: lotus scaffold shopify orders
    """
    from lotus_infra.ops.scaffold import scaffold as run  # noqa: PLC0415
    from lotus_infra.ops.scaffold import scaffold_all  # noqa: PLC0415

    if every and (len(names) > 1 or force):
        raise click.UsageError("--all takes at most a SOURCE, and no --force.")
    if not every and len(names) != 2:
        raise click.UsageError("Name a SOURCE and a STREAM, or pass --all.")
    if every:
        done = scaffold_all(directory, *names, dbt=dbt, dry_run=dry_run)
    else:
        done = run(directory, *names, dbt=dbt, force=force, dry_run=dry_run)
    if as_json:
        document = {"ok": True, "written": bool(done.told) and not dry_run, "files": done.told, "next": done.build}
        click.echo(json.dumps(document, indent=2))
        return
    for line in done.told:
        click.echo(line)
    if dry_run and done.told:
        click.echo("nothing was written")
    else:
        click.echo(f"next: {done.build}" if done.build else "every selected stream has its model")


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
    from lotus_infra.ops.files import write  # noqa: PLC0415
    from lotus_infra.ops.graph import graph as run  # noqa: PLC0415

    written = kind or _format_of(output)
    drawn = run(directory, written, dbt=dbt, source=source)
    if output is not None:
        write(output, drawn)
    if as_json:
        document = {"ok": True, "format": written, "file": str(output) if output is not None else None}
        click.echo(json.dumps(document | ({"drawing": drawn} if output is None else {}), indent=2, ensure_ascii=False))
    elif output is None:
        click.echo(drawn, nl=False)
    else:
        click.echo(output)


def _format_of(output: Path | None) -> Literal["mermaid", "svg"]:
    """What a file's ending says that it holds; Mermaid where nothing says otherwise."""
    ending = output.suffix.lower() if output is not None else ""
    if ending not in {"", ".md", ".mermaid", ".mmd", ".svg", ".txt"}:
        raise click.UsageError(f"{ending} is neither Mermaid's nor SVG's ending: name another FILE, or a --format.")
    return "svg" if ending == ".svg" else "mermaid"
