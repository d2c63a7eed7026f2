"""Plan, confirm, write: new files of a lake, all or none, shown before they are written."""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import click
from pydantic import JsonValue

from lotus_infra.commands.output import write_together
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import escape_unprintable, pluralize
from lotus_infra.lake.lake import DISCOVERED_FOLDER
from lotus_infra.lake.report import path_from_here

UNWRITTEN = "Nothing is written yet: --yes writes it."


@dataclass(frozen=True, slots=True)
class FilePlan:
    """Files to write, and what the user reads about them.

    Attributes:
        directory: The lake's folder.
        files: Texts by path in the lake.
        replaced: The paths of files that may exist with other content.
        notes: Lines about the files, such as what changes.
        following: The commands to run afterwards.
        document: Further keys of the JSON document.
    """

    directory: Path
    files: Mapping[str, str]
    replaced: frozenset[str] = frozenset()
    notes: Sequence[str] = ()
    following: Sequence[str] = ()
    document: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def fresh(self) -> dict[str, str]:
        """The files that are not there with the same text.

        Raises:
            LotusError: Files with another text are there, and would be overwritten.
        """
        fresh = {name: text for name, text in self.files.items() if _text(self.directory / name) != text.encode()}
        refused = [name for name in fresh if name not in self.replaced and (self.directory / name).exists()]
        if refused:
            named = ", ".join(str(path_from_here(self.directory / name)) for name in refused)
            raise LotusError(f"{named} would be overwritten", "move it away or delete it, and run it again")
        return fresh


def settle(plan: FilePlan, *, yes: bool, as_json: bool) -> bool:
    """Show a plan; write its files if the user agrees, by `--yes` or at a terminal; returns whether they are written.

    Raises:
        LotusError: Files would be overwritten, or can't be written.
    """
    fresh = plan.fresh
    if not as_json:
        _show([*_file_lines(plan.directory, fresh), *plan.notes])
    agreed = bool(fresh) and (yes or (not as_json and sys.stdin.isatty() and click.confirm("Write it?", err=True)))
    if agreed:
        # Again: the user may have thought about it while another command wrote the same files.
        write_together(plan.directory, plan.fresh)
    if as_json:
        files = [str(path_from_here(plan.directory / name)) for name in fresh]
        document = {"ok": True, "written": agreed, "files": files, **plan.document, "next": list(plan.following)}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return agreed
    outcome = "No changes." if not fresh else "Written." if agreed else UNWRITTEN
    _show([outcome, *(["Then:"] if plan.following else []), *(f"  {line}" for line in plan.following)])
    return agreed


def _show(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(escape_unprintable(line))


def _file_lines(directory: Path, files: Mapping[str, str]) -> list[str]:
    """A line for each file, and one for all of a `_discovered/` folder."""
    discovered = Counter(
        str(folder) for name in files if (folder := PurePosixPath(name).parent).name == DISCOVERED_FOLDER
    )
    single = [name for name in files if str(PurePosixPath(name).parent) not in discovered]
    signs = {name: "~" if (directory / name).exists() else "+" for name in single}
    return [
        *(f"{signs[name]} {path_from_here(directory / name)}" for name in single),
        *(f"+ {path_from_here(directory / name)}/ ({pluralize(n, 'file')})" for name, n in sorted(discovered.items())),
    ]


def _text(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None
