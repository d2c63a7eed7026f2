"""`lotus scaffold`: writes what dbt needs of a stream, made of the stream's file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from lotus_infra import naming
from lotus_infra.commands.options import DBT, JSON, STREAMS, needed_dbt_folder
from lotus_infra.commands.output import write_together
from lotus_infra.dbt.project import load_project
from lotus_infra.dbt.scaffold import Draft, new_draft
from lotus_infra.lake.lake import Lake, find_source, find_stream
from lotus_infra.lake.loader import load_usable_lake
from lotus_infra.lake.report import as_opened

SELECTED_AT_MOST = 3


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
    if every and (len(names) > 1 or force):
        raise click.UsageError("--all takes at most a SOURCE, and no --force.")
    if not every and len(names) != 2:
        raise click.UsageError("Name a SOURCE and a STREAM, or pass --all.")
    if every:
        done = scaffold_all(directory, *names, dbt=dbt, dry_run=dry_run)
    else:
        done = scaffold_model(directory, *names, dbt=dbt, force=force, dry_run=dry_run)
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


def _format_of(output: Path | None) -> Literal["mermaid", "svg"]:
    """What a file's ending says that it holds; Mermaid where nothing says otherwise."""
    ending = output.suffix.lower() if output is not None else ""
    if ending not in {"", ".md", ".mermaid", ".mmd", ".svg", ".txt"}:
        raise click.UsageError(f"{ending} is neither Mermaid's nor SVG's ending: name another FILE, or a --format.")
    return "svg" if ending == ".svg" else "mermaid"


@dataclass(frozen=True, slots=True)
class Scaffolded:
    """What was done.

    Attributes:
        told: Each file as the user would open it, with what is new in it.
        build: What to run next, where, and on what; empty when there was nothing to do.
    """

    told: tuple[str, ...]
    build: str


def scaffold_model(
    directory: Path,
    source: str,
    stream: str,
    *,
    dbt: Path | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> Scaffolded:
    """Write a stream's model, its entry among the sources, and its description and tests.

    Args:
        directory: The lake's folder.
        source: The source's folder.
        stream: The stream.
        dbt: The dbt project's folder, if it isn't where it is expected.
        force: Makes a model anew that is there already.
        dry_run: Writes nothing.

    Raises:
        LotusError: There is no such stream, its model is there already, or a file can't be read or written.
    """
    lake, draft, folder = _prepare(directory, dbt)
    draft.add(*find_stream(lake, source, stream), force=force)
    return _write(folder, draft, (naming.dbt_tag(source, stream),), dry_run=dry_run)


def scaffold_all(
    directory: Path, source: str | None = None, *, dbt: Path | None = None, dry_run: bool = False
) -> Scaffolded:
    """Write what every selected stream without a model lacks.

    Args:
        directory: The lake's folder.
        source: The one source to look at; all when none is named.
        dbt: The dbt project's folder, if it isn't where it is expected.
        dry_run: Writes nothing.

    Raises:
        LotusError: There is no such source, or a file can't be read or written.
    """
    lake, draft, folder = _prepare(directory, dbt)
    sources = lake.sources if source is None else (find_source(lake, source),)
    tags: list[str] = []
    for one in sources:
        for stream in one.selected_streams:
            if not draft.has_model(stream):
                draft.add(one, stream)
                tags.append(naming.dbt_tag(one.name, stream.name))
    return _write(folder, draft, tuple(tags), dry_run=dry_run)


def _prepare(directory: Path, dbt: Path | None) -> tuple[Lake, Draft, Path]:
    folder = needed_dbt_folder(directory, dbt)
    lake = load_usable_lake(directory)
    return lake, new_draft(lake, load_project(folder)), folder


def _write(folder: Path, draft: Draft, tags: tuple[str, ...], *, dry_run: bool) -> Scaffolded:
    if not dry_run:
        write_together(folder, draft.files)
    shown = as_opened(folder)
    select = f" --select {' '.join(f'tag:{tag}' for tag in tags)}" if len(tags) <= SELECTED_AT_MOST else ""
    build = f"lotus check; then, in {shown}, dbt build --profiles-dir .{select}" if tags else ""
    return Scaffolded(tuple(f"{shown / line}" for line in draft.changes), build)
