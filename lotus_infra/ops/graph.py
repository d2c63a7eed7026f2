"""`lotus graph`: a picture of the lake, from its sources to its marts."""

from pathlib import Path
from typing import Literal

from lotus_infra.dbt.project import load_project
from lotus_infra.lineage import lineage_of, mermaid
from lotus_infra.lineage_svg import svg
from lotus_infra.ops.place import dbt_folder, find_source
from lotus_infra.streams.load import load_usable_lake

Format = Literal["mermaid", "svg"]


def graph(directory: Path, kind: Format, *, dbt: Path | None = None, source: str | None = None) -> str:
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
