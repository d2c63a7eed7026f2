"""`lotus scaffold`: writes what dbt needs of a stream, made of the stream's file."""

from dataclasses import dataclass
from pathlib import Path

from lotus_infra import naming
from lotus_infra.dbt.project import load_project
from lotus_infra.dbt.scaffold import Draft, new_draft
from lotus_infra.ops.files import write_together
from lotus_infra.ops.place import find_source, find_stream, needed_dbt_folder
from lotus_infra.streams.lake import Lake
from lotus_infra.streams.load import load_usable_lake
from lotus_infra.streams.report import as_opened

SELECTED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Scaffolded:
    """What was done.

    Attributes:
        told: Each file as the user would open it, with what is new in it.
        build: What to run next, where, and on what; empty when there was nothing to do.
    """

    told: tuple[str, ...]
    build: str


def scaffold(  # noqa: PLR0913, what is asked for, and how
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
