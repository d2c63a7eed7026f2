"""The `lotus` command line: it parses, prints and sets exit codes, and does nothing else.

Each verb's module is imported when the verb is called, so that no verb waits for what only another needs.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from lotus_infra.errors import LotusError, StoppedError
from lotus_infra.ops.cli_deploy import deploy, preview
from lotus_infra.ops.cli_doctor import doctor
from lotus_infra.ops.cli_drift import drift
from lotus_infra.ops.cli_migrate import migrate
from lotus_infra.ops.cli_models import graph, scaffold
from lotus_infra.ops.cli_operate import backfill, status
from lotus_infra.ops.cli_options import DBT, EVERY, JSON, STACK, STREAMS
from lotus_infra.ops.cli_review import comment, gate
from lotus_infra.streams.problems import printable


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lotus-infra")
def lotus() -> None:
    """Look after a lake that is kept as a folder of stream files."""


@lotus.command()
@STREAMS
@DBT
@click.option("--stack", "stacks", multiple=True, help="A stack whose values must be complete; all by default.")
@JSON
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
@STREAMS
@JSON
def schema(kind: str | None, directory: Path, *, write: bool, as_json: bool) -> None:
    """Print the JSON Schema of a KIND of file (stream, source or destination), or write them all.

    Example: lotus schema stream
    """
    from lotus_infra.ops.schema import print_schema, write_schemas  # noqa: PLC0415

    if write:
        files = write_schemas(directory)
        document: dict[str, object] = {"ok": True, "files": [str(file) for file in files]}
        told = "\n".join(map(str, files))
    else:
        told = print_schema(kind or "stream")
        document = {"ok": True, "kind": kind or "stream", "schema": json.loads(told)}
    click.echo(json.dumps(document, indent=2, ensure_ascii=False) if as_json else told)


@lotus.command()
@click.argument("sources", nargs=-1)
@EVERY
@click.option("--no-wait", is_flag=True, help="Print the ids of the jobs, and follow none.")
@click.option("--cancel", "ending", is_flag=True, help="Cancel what is under way instead.")
@click.option("--dry-run", is_flag=True, help="Show which connections are meant and what is under way, and do nothing.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop following then; the jobs go on.")
@click.option("--connection-id", default="", help="The source's connection, where labels don't tell it.")
@STACK
@STREAMS
@JSON
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
    dry_run: bool,
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
        if dry_run:
            runs = syncs.look(live, names, connection_id)
        elif ending:
            runs = syncs.cancel(live, names, connection_id)
        elif no_wait:
            runs = syncs.start(live, names, watched, connection_id)
        else:
            runs = syncs.sync(live, names, watched, connection_id, syncs.Patience(timeout_seconds=timeout))
    ok = ending or dry_run or all(run.ok for run in runs)
    click.echo(render(runs, ok=ok, as_json=as_json, only_ids=no_wait and not dry_run), nl=False)
    click.echo(reasons(runs), nl=False, err=True)
    if not ok:
        sys.exit(1)


@lotus.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("-s", "--stack", help="The stack; else the selected one.")
@STREAMS
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
@EVERY
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@click.option("--source-id", default="", help="The source in Airbyte, where its label does not tell it.")
@STACK
@STREAMS
@JSON
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
@STACK
@STREAMS
@JSON
def audit(directory: Path, stack: str | None, *, strict: bool, no_state: bool, as_json: bool) -> None:
    """Say of each object in Airbyte whether the stack has it, may adopt it, has it twice, or knows nothing of it.

    managed: the stack has it. adoptable: a file describes it, and the next `pulumi up` takes it over where it is
    identical. duplicate: it is there twice. orphan: no file describes it. Nothing is changed; below the table is a line
    with what to do about each that is not managed.

    Example: lotus audit --stack prod --strict
    """
    from lotus_infra.ops import audit_view as view  # noqa: PLC0415
    from lotus_infra.ops.audit import audit_stack  # noqa: PLC0415

    lines = audit_stack(directory, stack, no_state=no_state)
    ok = not (strict and view.unmanaged(lines))
    click.echo(view.render(lines, ok=ok, as_json=as_json), nl=False)
    if not ok:
        sys.exit(1)


@lotus.command()
@click.option("--stack", help="The stack whose Dagster is meant; else $PULUMI_STACK, else the only one of the project.")
@click.option("--kubeconfig", help="The file that leads to the cluster; else the stack's, else the usual one.")
@click.option("--context", help="One of its contexts; else the stack's, else the current one.")
@STREAMS
@JSON
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


for verb in (backfill, comment, deploy, doctor, drift, gate, graph, migrate, preview, scaffold, status):
    lotus.add_command(verb)


def main() -> None:
    """Run the command; what a user can mend is told in one line, with exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    try:
        lotus()
    except LotusError as error:
        _fail(error, 130 if isinstance(error, StoppedError) else 1)
    except OSError as error:
        # What this command reads and writes, it tells of itself: this is mostly an output that takes no more.
        _fail(error, 1)


def _fail(error: Exception, exit_code: int) -> NoReturn:
    """End with one line on stderr; whoever asked for a document gets one too."""
    told = printable(str(error))
    click.echo(f"lotus: {told}", err=True)
    if "--json" in sys.argv and isinstance(error, LotusError):
        click.echo(json.dumps({"ok": False, "error": told}, indent=2))
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
