"""The `lotus` command line: it parses, prints and sets exit codes, and does nothing else.

Each verb's module is imported when the verb is called, so that no verb waits for what only another needs.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from lotus_infra.errors import LotusError, StoppedError
from lotus_infra.streams.problems import printable

_STREAMS = click.option(
    "--streams",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("streams"),
    show_default=True,
    help="The lake's folder.",
)
_STACK = click.option(
    "--stack", help="The stack whose Airbyte is asked; else $PULUMI_STACK, else the only stack of the project."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_EVERY = click.option("--all", "every", is_flag=True, help="Every source of the lake.")
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
@_JSON
def check(directory: Path, dbt: Path | None, stacks: tuple[str, ...], *, as_json: bool) -> None:
    """Find every mistake in the lake's files and in what dbt reads of them; exit with 1 if there is one.

    Example: lotus check --stack prod
    """
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
    """Print the JSON Schema of a KIND of file (stream, source or destination), or write them all.

    Example: lotus schema stream
    """
    from lotus_infra.ops.schema import print_schema, write_schemas  # noqa: PLC0415

    if write:
        for file in write_schemas(directory):
            click.echo(file)
    else:
        click.echo(print_schema(kind or "stream"))


@lotus.command()
@click.argument("sources", nargs=-1)
@_EVERY
@click.option("--no-wait", is_flag=True, help="Print the ids of the jobs, and follow none.")
@click.option("--cancel", "ending", is_flag=True, help="Cancel what is under way instead.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop following then; the jobs go on.")
@click.option("--connection-id", default="", help="The source's connection, where labels don't tell it.")
@_STACK
@_STREAMS
@_JSON
def sync(
    sources: tuple[str, ...],
    directory: Path,
    stack: str | None,
    connection_id: str,
    timeout: float | None,
    *,
    every: bool,
    no_wait: bool,
    ending: bool,
    as_json: bool,
) -> None:
    """Sync SOURCES now, and follow the jobs to their ends; exit with 1 if one does not succeed.

    A job that is under way already is followed instead of a new one. Ctrl-C ends the waiting, and no job.

    Example: lotus sync shopify klaviyo --timeout 3600
    """
    from rich.console import Console  # noqa: PLC0415

    from lotus_infra.ops import sync as syncs  # noqa: PLC0415
    from lotus_infra.ops.airbyte import connected  # noqa: PLC0415
    from lotus_infra.ops.sync_view import Watched, reasons, render  # noqa: PLC0415

    with connected(directory, stack) as live, Watched(Console(stderr=True)) as watched:
        names = live.chosen(sources, every=every)
        if ending:
            runs = syncs.cancel(live, names, connection_id)
        elif no_wait:
            runs = syncs.start(live, names, watched, connection_id)
        else:
            runs = syncs.sync(live, names, watched, connection_id, syncs.Patience(timeout_seconds=timeout))
    ok = ending or all(run.ok for run in runs)
    click.echo(render(runs, ok=ok, as_json=as_json, only_ids=no_wait), nl=False)
    click.echo(reasons(runs), nl=False, err=True)
    if not ok:
        sys.exit(1)


@lotus.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("-s", "--stack", help="The stack; else the selected one.")
@_STREAMS
def up(arguments: tuple[str, ...], stack: str | None, directory: Path) -> None:
    """Run `pulumi up` with the engine's environment set, and all further ARGUMENTS passed on to it.

    States of self-managed backends are compressed. Where more than 200 objects are to be created, the engine writes the
    state once, at the end: as it would write all of it for each object, that makes minutes of hours.

    Example: lotus up --stack prod --diff
    """
    from lotus_infra.ops.up import up as run  # noqa: PLC0415

    sys.exit(run(directory, stack, arguments, lambda line: click.echo(line, err=True)))


@lotus.command()
@click.argument("source", required=False)
@_EVERY
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@click.option("--source-id", default="", help="The source in Airbyte, where its label does not tell it.")
@_STACK
@_STREAMS
@_JSON
def discover(
    source: str | None,
    directory: Path,
    stack: str | None,
    source_id: str,
    *,
    every: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write what SOURCE has now into its folder; exit with 1 if that breaks one of its stream files.

    Shows what has changed since it was discovered last. Asks for the source where none is named.

    Example: lotus discover shopify --dry-run
    """
    from rich.console import Console  # noqa: PLC0415

    from lotus_infra.ops import discover as discoveries  # noqa: PLC0415
    from lotus_infra.ops import discover_view as view  # noqa: PLC0415
    from lotus_infra.ops.airbyte import connected  # noqa: PLC0415

    if every and source_id:
        raise click.UsageError("--source-id is of one source, and --all asks for every one")
    found: list[discoveries.Discovery] = []
    with connected(directory, stack) as live:
        if source is None and not every and sys.stdin.isatty():
            source = _choice([folder.name for folder in live.lake.sources])
        run = discoveries.attempt if every else discoveries.discover
        for name in live.chosen([source] if source is not None else [], every=every):
            with Console(stderr=True).status(f"Discovering {name}"):
                found.append(run(live, name, source_id, dry_run=dry_run))
            if not as_json:
                click.echo(view.render(found[-1]))
    if as_json:
        click.echo(json.dumps(view.as_document(found), indent=2))
    if not all(each.ok for each in found):
        sys.exit(1)


@lotus.command()
@click.option("--strict", is_flag=True, help="Exit with 1 if there is anything that the stack does not have.")
@click.option("--no-state", is_flag=True, help="Take it that the stack has nothing: its state is lost.")
@_STACK
@_STREAMS
@_JSON
def audit(directory: Path, stack: str | None, *, strict: bool, no_state: bool, as_json: bool) -> None:
    """Say of each object in Airbyte whether the stack has it, may adopt it, has it twice, or knows nothing of it.

    Example: lotus audit --stack prod --strict
    """
    from lotus_infra.ops import audit_view as view  # noqa: PLC0415
    from lotus_infra.ops.audit import audit_stack  # noqa: PLC0415

    lines = audit_stack(directory, stack, no_state=no_state)
    click.echo(view.render(lines, as_json=as_json), nl=False)
    if strict and view.unmanaged(lines):
        sys.exit(1)


@lotus.command()
@click.option("--stack", help="The stack whose Dagster is meant; else $PULUMI_STACK, else the only one of the project.")
@click.option("--kubeconfig", help="The file that leads to the cluster; else the stack's, else the usual one.")
@click.option("--context", help="One of its contexts; else the stack's, else the current one.")
@_STREAMS
@_JSON
def verify(stack: str | None, kubeconfig: str | None, context: str | None, directory: Path, *, as_json: bool) -> None:
    """Hold what the cluster runs against the stack and this repository; exit with 1 if anything differs.

    Example: lotus verify --stack prod
    """
    from lotus_infra.ops import verify_view as view  # noqa: PLC0415
    from lotus_infra.ops.verify import verify as run  # noqa: PLC0415

    verified = run(directory, stack, kubeconfig, context)
    click.echo(json.dumps(view.as_document(verified), indent=2) if as_json else view.render(verified), nl=as_json)
    if not verified.ok:
        sys.exit(1)


def _choice(names: Sequence[str]) -> str:
    """The name that the user picks from a numbered list."""
    for number, name in enumerate(names, start=1):
        click.echo(f"  {number}. {name}", err=True)
    chosen: int = click.prompt("Which source", type=click.IntRange(1, len(names)), err=True)
    return names[chosen - 1]


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
        sys.exit(130 if isinstance(error, StoppedError) else 1)
    except OSError as error:
        # What this command reads and writes, it tells of itself: this is mostly an output that takes no more.
        click.echo(f"lotus: {printable(str(error))}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
