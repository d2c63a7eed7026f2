"""The `lotus` command line: it parses, prints and sets exit codes, and does nothing else.

Each verb's module is imported when the verb is called, so that no verb waits for what only another needs.
"""

import json
import sys
from pathlib import Path
from typing import Literal

import click

from lotus_infra.errors import LotusError
from lotus_infra.streams.problems import printable

_STREAMS = click.option(
    "--streams",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("streams"),
    show_default=True,
    help="The lake's folder.",
)

_DBT = click.option(
    "--dbt",
    "dbt",
    type=click.Path(path_type=Path),
    help="The dbt project's folder; by default dagster/dbt in the Pulumi project around the lake.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lotus-infra")
def lotus() -> None:
    """Look after a lake that is kept as a folder of stream files."""


@lotus.command()
@_STREAMS
@_DBT
@click.option("--stack", "stacks", multiple=True, help="A stack whose values must be complete; all by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(directory: Path, dbt: Path | None, stacks: tuple[str, ...], *, as_json: bool) -> None:
    """Find every mistake in the lake's files and in what dbt reads of them; exit with 1 if there is one."""
    from lotus_infra.ops.check import check as run  # noqa: PLC0415
    from lotus_infra.streams.report import as_document, render  # noqa: PLC0415

    report = run(directory, stacks, dbt)
    click.echo(json.dumps(as_document(report), indent=2) if as_json else render(report))
    if report.problems:
        sys.exit(1)


@lotus.command()
@click.argument("kind", required=False)
@click.option("--write", is_flag=True, help="Write all schemas into the lake's folder, where editors look for them.")
@_STREAMS
def schema(kind: str | None, directory: Path, *, write: bool) -> None:
    """Print the JSON Schema of a KIND of file (stream, source or destination), or write them all."""
    from lotus_infra.ops.schema import print_schema, write_schemas  # noqa: PLC0415

    if write:
        for file in write_schemas(directory):
            click.echo(file)
    else:
        click.echo(print_schema(kind or "stream"))


@lotus.command()
@click.argument("names", nargs=-1, metavar="SOURCE STREAM")
@click.option("--all", "every", is_flag=True, help="Every selected stream (of SOURCE) that has no model yet.")
@click.option("--force", is_flag=True, help="Make the model anew, although it is there; changes by hand are lost.")
@_STREAMS
@_DBT
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


@lotus.command()
@click.option("--format", "kind", type=click.Choice(["mermaid", "svg"]), help="By default what FILE's ending says.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A FILE to write, instead of printing.")
@click.option("--source", help="The one source to draw, with all that is made of it.")
@_STREAMS
@_DBT
def graph(
    kind: Literal["mermaid", "svg"] | None, output: Path | None, source: str | None, directory: Path, dbt: Path | None
) -> None:
    """Draw the lake: sources, streams, files, models and marts.

    Example: lotus graph --output lake.svg
    """
    from lotus_infra.ops.graph import graph as run  # noqa: PLC0415
    from lotus_infra.ops.graph import write  # noqa: PLC0415

    by_ending: Literal["mermaid", "svg"] = "svg" if output is not None and output.suffix == ".svg" else "mermaid"
    drawn = run(directory, kind or by_ending, dbt=dbt, source=source)
    if output is None:
        click.echo(drawn, nl=False)
    else:
        write(output, drawn)
        click.echo(output)


def main() -> None:
    """Run the command; what a user can mend is told in one line, with exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    try:
        lotus()
    except LotusError as error:
        click.echo(f"lotus: {printable(str(error))}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
