"""Where things are: the projects around a lake's folder, and what commands name in it."""

from pathlib import Path

from lotus_infra.dbt import PROJECT_FILE as DBT_FILE
from lotus_infra.definitions import DBT_PROJECT
from lotus_infra.errors import LotusError, ProjectError
from lotus_infra.ops.stacks import Project
from lotus_infra.streams.lake import Lake, SourceFolder, StreamFile
from lotus_infra.streams.problems import suggestion


def dbt_folder(directory: Path, given: Path | None = None) -> Path | None:
    """The dbt project that belongs to a lake.

    Args:
        directory: The lake's folder.
        given: What the user named; else it is `dagster/dbt` in the Pulumi project around the lake.

    Returns:
        The folder; None when none is named and none is there.
    """
    if given is not None:
        return given
    project = Project.around(directory)
    folder = project.folder / DBT_PROJECT if project is not None else None
    return folder if folder is not None and (folder / DBT_FILE).is_file() else None


def needed_dbt_folder(directory: Path, given: Path | None = None) -> Path:
    """As `dbt_folder`, for what can't do without.

    Raises:
        ProjectError: There is none.
    """
    found = dbt_folder(directory, given)
    if found is None:
        raise ProjectError(f"there is no dbt project in {DBT_PROJECT}", "name its folder with --dbt")
    return found


def find_source(lake: Lake, name: str) -> SourceFolder:
    """A source by its name.

    Raises:
        LotusError: The lake has no such source.
    """
    sources = {source.name: source for source in lake.sources}
    if name not in sources:
        hint = suggestion(name, sources, f"sources are {', '.join(sources)}")
        raise LotusError(f'{lake.directory} has no source "{name}"', hint)
    return sources[name]


def find_stream(lake: Lake, source: str, stream: str) -> tuple[SourceFolder, StreamFile]:
    """A stream by its name, and its source.

    Raises:
        LotusError: The lake has no such source or stream.
    """
    folder = find_source(lake, source)
    streams = {one.name: one for one in folder.streams}
    if stream not in streams:
        hint = suggestion(stream, streams, f"write {source}/{stream}.json in {lake.directory} first")
        raise LotusError(f'the source "{source}" has no stream "{stream}"', hint)
    return folder, streams[stream]
