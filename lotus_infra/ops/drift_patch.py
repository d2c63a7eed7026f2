"""`lotus drift --patch`: what was changed in Airbyte, as a patch of the lake's files that `lotus check` passes."""

import difflib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from lotus_infra.changes.drift import Drift
from lotus_infra.changes.takeover import Facts, Left, takeover
from lotus_infra.ops.check import check
from lotus_infra.ops.place import dbt_folder
from lotus_infra.ops.stacks import Project
from lotus_infra.streams.edit import edited
from lotus_infra.streams.facts import Discovered
from lotus_infra.streams.lake import DISCOVERED_FOLDER, Lake
from lotus_infra.streams.load import load_usable_lake
from lotus_infra.streams.problems import Problem
from lotus_infra.streams.read import Reader
from lotus_infra.streams.report import as_opened


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch.

    Attributes:
        text: A unified diff, for `git apply` anywhere in the repository; empty where there is nothing to edit.
        left: What no edit of a file says.
        problems: What `lotus check` would find in the patched files.
    """

    text: str
    left: tuple[Left, ...]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether the patch is all that there is to do."""
        return not self.left and not self.problems


def patch_of(drift: Drift, directory: Path) -> Patch:
    """The patch that takes over what was changed in Airbyte.

    Args:
        drift: What differs.
        directory: The lake's folder.

    Raises:
        LakeError: The lake's files can't be used as they are.
    """
    lake = load_usable_lake(directory)
    taken = takeover(drift, lake, _facts(lake))
    before = {file: (directory / file).read_bytes().decode() for file in taken.edits}
    after = {file: edited(text, taken.edits[file]) for file, text in before.items()}
    after |= {file: json.dumps(new, indent=2, ensure_ascii=False) + "\n" for file, new in taken.new.items()}
    root = _root(directory)
    differing = [file for file in sorted(after) if after[file] != before.get(file)]
    diffs = [_diff(_name(directory / file, root), before.get(file), after[file]) for file in differing]
    problems = _problems(directory, {file: after[file] for file in differing})
    return Patch("".join(diffs), taken.left, problems)


def _facts(lake: Lake) -> Facts:
    offered = {source.name: source.offered or frozenset() for source in lake.sources}
    reader = Reader(lake.directory)

    def found(source: str, stream: str) -> Discovered | None:
        if stream not in offered[source]:
            return None
        return reader.read_light(f"{source}/{DISCOVERED_FOLDER}/{stream}.json", Discovered)

    return found


def _problems(directory: Path, files: Mapping[str, str]) -> tuple[Problem, ...]:
    """What is wrong with the lake once these files are written: found in a copy, and told of the lake itself."""
    if not files:
        return ()
    with TemporaryDirectory() as folder:
        copy = Path(folder) / directory.absolute().name
        shutil.copytree(directory, copy)
        for file, text in files.items():
            (copy / file).write_bytes(text.encode())
        found = check(copy, (), dbt_folder(directory)).problems
        theirs, ours = as_opened(copy).as_posix(), as_opened(directory).as_posix()
        return tuple(replace(each, file=each.file.replace(theirs, ours)) for each in found)


def _root(directory: Path) -> Path:
    """Where a patch's names start: the repository's root, which git takes them from; without one the project's."""
    here = directory.absolute()
    repository = next((above for above in here.parents if (above / ".git").exists()), None)
    project = Project.around(directory)
    return repository or (project.folder if project is not None else here.parent)


def _name(file: Path, root: Path) -> str:
    return file.absolute().relative_to(root).as_posix()


def _diff(name: str, before: str | None, after: str) -> str:
    """A file's part of a patch, as git writes it."""
    new = before is None
    head = f"diff --git a/{name} b/{name}\n" + ("new file mode 100644\n" if new else "")
    old = "/dev/null" if new else f"a/{name}"
    lines = difflib.unified_diff(list(_lines(before or "")), list(_lines(after)), old, f"b/{name}")
    return head + "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> Iterator[str]:
    """Lines as git counts them, which no other character ends."""
    return (line for line in re.split(r"(?<=\n)", text) if line)
