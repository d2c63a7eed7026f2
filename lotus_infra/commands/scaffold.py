"""`lotus scaffold`: write the dbt model, source table and tests of a stream, generated from the stream's file."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from lotus_infra import naming
from lotus_infra.commands.completion import SOURCE_THEN_STREAM
from lotus_infra.commands.options import DBT, DRY_RUN, JSON, STREAMS, check_step, require_dbt_folder
from lotus_infra.commands.output import write_together
from lotus_infra.dbt.project import load_project
from lotus_infra.dbt.scaffold import Draft, new_draft
from lotus_infra.lake.lake import Lake, find_source, find_stream
from lotus_infra.lake.loader import load_usable_lake
from lotus_infra.lake.report import path_from_here

SELECTED_AT_MOST: Final = 3
"""Streams that the suggested `dbt build` selects by tag; for more it builds everything."""


@dataclass(frozen=True, slots=True)
class Scaffolded:
    """The result of a scaffold.

    Attributes:
        changes: What is new in each file, such as `models/x.sql: the model`, with paths as the user opens them.
        build: The commands to run next; empty if there was nothing to write.
    """

    changes: tuple[str, ...]
    build: str


@click.command()
@click.argument("names", nargs=-1, metavar="SOURCE STREAM", shell_complete=SOURCE_THEN_STREAM)
@click.option("--all", "every", is_flag=True, help="Every selected stream (of SOURCE) that has no model yet.")
@click.option("--force", is_flag=True, help="Overwrite an existing model; manual edits are lost.")
@DRY_RUN
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
    """Write dbt models for streams.

    A model comes with its source table and its tests. Existing content stays: files get new entries, and their other
    bytes do not change.

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
        written = bool(done.changes) and not dry_run
        click.echo(json.dumps({"ok": True, "written": written, "files": done.changes, "next": done.build}, indent=2))
    else:
        click.echo(_render(done, dry_run=dry_run))


def scaffold_model(
    directory: Path,
    source: str,
    stream: str,
    *,
    dbt: Path | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> Scaffolded:
    """Write a stream's model, its table in the dbt source, and its description and tests.

    A stream in a warehouse that DuckDB can't read gets the table alone.

    Args:
        directory: The lake's folder.
        source: The source's folder.
        stream: The stream's name.
        dbt: The dbt project's folder, if it is not the default.
        force: Overwrite an existing model.
        dry_run: Write nothing.

    Raises:
        LotusError: The stream does not exist, its model exists already, or a file can't be read or written.
    """
    lake, draft, folder = _prepare(directory, dbt)
    found = find_stream(lake, source, stream)
    draft.add(*found, force=force)
    tags = (naming.dbt_tag(source, stream),) if draft.can_have_model(*found) else ()
    return _write(directory, folder, draft, tags, dry_run=dry_run)


def scaffold_all(
    directory: Path, source: str | None = None, *, dbt: Path | None = None, dry_run: bool = False
) -> Scaffolded:
    """Write, as `scaffold_model` does, the models of all selected streams that the lake's models read and have none.

    Args:
        directory: The lake's folder.
        source: The only source to use; all by default.
        dbt: The dbt project's folder, if it is not the default.
        dry_run: Write nothing.

    Raises:
        LotusError: The source does not exist, or a file can't be read or written.
    """
    lake, draft, folder = _prepare(directory, dbt)
    sources = lake.sources if source is None else (find_source(lake, source),)
    tags: list[str] = []
    for one in sources:
        for stream in one.selected_streams:
            if not draft.has_model(stream) and draft.can_have_model(one, stream):
                draft.add(one, stream)
                tags.append(naming.dbt_tag(one.name, stream.name))
    return _write(directory, folder, draft, tuple(tags), dry_run=dry_run)


def _prepare(directory: Path, dbt: Path | None) -> tuple[Lake, Draft, Path]:
    """Load a lake and its dbt project; returns the lake, an empty draft and the project's folder."""
    folder = require_dbt_folder(directory, dbt)
    lake = load_usable_lake(directory)
    return lake, new_draft(lake, load_project(folder)), folder


def _write(directory: Path, folder: Path, draft: Draft, tags: tuple[str, ...], *, dry_run: bool) -> Scaffolded:
    if not dry_run:
        write_together(folder, draft.files)
    shown = path_from_here(folder)
    select = f" --select {' '.join(f'tag:{tag}' for tag in tags)}" if len(tags) <= SELECTED_AT_MOST else ""
    # Without a change of folder: the line works where it is printed.
    place = shlex.quote(str(shown))
    steps = [check_step(directory)] if draft.changes else []
    steps += [f"dbt build --project-dir {place} --profiles-dir {place}{select}"] if tags else []
    build = " && ".join(steps)
    return Scaffolded(tuple(f"{shown / line}" for line in draft.changes), build)


def _render(done: Scaffolded, *, dry_run: bool) -> str:
    if dry_run and done.changes:
        outcome = "nothing was written"
    else:
        outcome = f"next: {done.build}" if done.build else "every selected stream has its model"
    return "\n".join([*done.changes, outcome])
