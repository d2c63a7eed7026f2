"""`lotus drift`: compare code, the state and Airbyte field by field, and write Airbyte's changes as a patch of files.

One `pulumi preview --refresh` provides all three (`lotus_infra.plan.drift`); nothing is changed, not even the state.
This file runs it, makes the patch, checks the patched files as `lotus check` does, and prints the result as text, as
the body of an issue, or as a document.
"""

import difflib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import click
from pydantic import JsonValue

from lotus_infra.clients.causes import explain_all
from lotus_infra.clients.pulumi import Engine
from lotus_infra.commands.check import check_lake_files
from lotus_infra.commands.options import JSON, OUTPUT, STACK, STREAMS, dbt_folder
from lotus_infra.commands.output import fenced
from lotus_infra.commands.terminal import paint
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import LocatedDiagnostic, escape_unprintable, pluralize
from lotus_infra.lake.json_text import apply_edits
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.loader import DiscoveredFolder, load_stack_lake, load_usable_lake
from lotus_infra.lake.overlays import in_files_of_stack
from lotus_infra.lake.reading import Reader
from lotus_infra.lake.report import path_from_here
from lotus_infra.plan.drift import (
    A_THIRD_SECRET,
    ANOTHER_SECRET,
    TO_CHANGE,
    Drift,
    DriftedObject,
    DriftKind,
    PropertyDrift,
    drift_of,
)
from lotus_infra.plan.drift_to_files import (
    DiscoveredStreams,
    Unresolved,
    patch_files,
    path_text,
    without_hidden_values,
)
from lotus_infra.plan.preview import HIDDEN, read_preview

LIMIT: Final = 60_000
"""Characters of an issue's body; GitHub accepts 65,536."""
_PREVIEW: Final = ("preview", "--refresh", "--json", "--show-sames")
_ONE_DOCUMENT: Final = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "false"}
"""A user's shell may set this variable, which makes the engine print events instead of one document."""
_HEADINGS: Final = {
    DriftKind.CHANGED: "Changed outside of the program, in Airbyte's UI or by Airbyte itself",
    DriftKind.BOTH: "Changed in code and outside of it",
    DriftKind.NOT_APPLIED: "Not applied yet",
    DriftKind.ALIKE: "Already done by hand: code and live match, and the next refresh updates the state",
}
_WORDS: Final = {
    HIDDEN: "a secret",
    ANOTHER_SECRET: "another secret",
    A_THIRD_SECRET: "a third secret",
    TO_CHANGE: "to be written",
}
_NO_DRIFT: Final = "No drift: code, state and Airbyte match.\n"


@dataclass(frozen=True, slots=True)
class FilePatch:
    """A patch of the lake's files.

    Attributes:
        text: A unified diff, for `git apply` anywhere in the repository; empty if no file changes.
        left: Changes in Airbyte that no edit of a file expresses.
        problems: The diagnostics of `lotus check` for the patched files.
    """

    text: str
    left: tuple[Unresolved, ...]
    problems: tuple[LocatedDiagnostic, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is left to do after the patch."""
        return not self.left and not self.problems


@click.command()
@click.option(
    "--patch", "patching", is_flag=True, help="Print a patch that writes Airbyte's changes into the lake's files."
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "markdown"]),
    default="text",
    help="The format of the output; markdown is the body of an issue, with the patch.",
)
@OUTPUT
@STACK
@STREAMS
@JSON
def drift(
    stack: str | None,
    kind: Literal["text", "markdown"],
    output: Path | None,
    directory: Path,
    *,
    patching: bool,
    as_json: bool,
) -> None:
    """Show where code, state and Airbyte differ.

    Compares field by field, and exits with 1 if code and Airbyte differ. --patch prints Airbyte's changes as a patch of
    the lake's files, and lists on stderr what no file can express. Then the exit code is 1 if something is left to do
    after the patch. Nothing is changed.

    Example: lotus drift --stack prod --patch | git apply
    """
    found, name = compute_drift(directory, stack), Engine.around(directory, stack).stack_name
    patch = patch_of(found, directory, name) if patching or (kind == "markdown" and not as_json) else None
    found = without_hidden_values(found, load_stack_lake(directory, name, begun=False))
    if as_json:
        text = json.dumps(as_document(found, patch), indent=2) + "\n"
    elif patching and patch is not None:
        text = patch.text
        click.echo(_unpatched(patch) or ("" if patch.text else "No changes in Airbyte.\n"), nl=False, err=True)
    else:
        text = render(found) if patch is None else markdown(found, patch)
    if output is None and not as_json and not patching and patch is None:
        click.echo(_coloured(text, found), nl=False)
    elif output is None:
        click.echo(text, nl=False)
    else:
        output.write_bytes(text.encode(errors="backslashreplace"))
    if not (patch.ok if patching and patch is not None else found.ok):
        sys.exit(1)


def compute_drift(directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> Drift:
    """Compare a stack's code, state and live objects.

    Args:
        directory: The lake's folder, inside its Pulumi project.
        stack: The stack; else `$PULUMI_STACK`, else the selected one.
        environment: The engine's environment variables.

    Raises:
        LotusError: The project or engine is missing, or the preview failed.
    """
    ran = Engine.around(directory, stack, {**environment, **_ONE_DOCUMENT}).run(*_PREVIEW)
    if not ran.stdout.startswith("{"):
        raise ran.failure("the preview failed, so drift is unknown")
    preview = read_preview(ran.stdout)
    if not preview.complete or ran.exit_code != 0:
        if not preview.errors:
            raise ran.failure("the preview failed, so drift is unknown")
        reasons = ["; ".join(preview.errors), *explain_all(preview.errors_without_hints)]
        raise LotusError("the preview failed, so drift is unknown: " + "\n".join(reasons))
    return drift_of(preview)


def patch_of(drift: Drift, directory: Path, stack: str = "") -> FilePatch:
    """Make the patch that writes Airbyte's changes into the lake's files, or into the stack's own where that sets them.

    Args:
        drift: The differences.
        directory: The lake's folder.
        stack: The stack.

    Raises:
        LakeError: A file of the lake is invalid.
    """
    lake = load_usable_lake(directory, stack)
    taken = patch_files(drift, lake, _discovered_reader(lake))
    edits = in_files_of_stack(lake, taken.edits)
    before = {file: (directory / file).read_bytes().decode() for file in edits}
    after = {file: apply_edits(text, edits[file]) for file, text in before.items()}
    after |= {file: json.dumps(new, indent=2, ensure_ascii=False) + "\n" for file, new in taken.new.items()}
    root = _patch_root(directory)
    differing = [file for file in sorted(after) if after[file] != before.get(file)]
    diffs = [_diff(_path_in_patch(directory / file, root), before.get(file), after[file]) for file in differing]
    problems = _check_patched(directory, {file: after[file] for file in differing})
    return FilePatch("".join(diffs), taken.unresolved, problems)


def _discovered_reader(lake: Lake) -> DiscoveredStreams:
    """A reader of discovered streams by source and stream; it returns None for unknown streams."""
    folders = {
        source.name: DiscoveredFolder(
            lake.directory, source.name, source.offered or frozenset(), Reader(lake.directory)
        )
        for source in lake.sources
    }
    return lambda source, stream: folders[source].find(stream)


def _check_patched(directory: Path, files: Mapping[str, str]) -> tuple[LocatedDiagnostic, ...]:
    """Check a copy of the lake that has these files, and report diagnostics by the paths of the lake itself."""
    if not files:
        return ()
    with TemporaryDirectory() as folder:
        copy = Path(folder) / directory.absolute().name
        shutil.copytree(directory, copy)
        for file, text in files.items():
            (copy / file).write_bytes(text.encode())
        problems = check_lake_files(copy, (), dbt_folder(directory)).problems
        in_copy, in_lake = path_from_here(copy).as_posix(), path_from_here(directory).as_posix()
        return tuple(replace(each, file=each.file.replace(in_copy, in_lake)) for each in problems)


def _patch_root(directory: Path) -> Path:
    """The folder that paths in a patch are relative to: the repository, as for git; without one, the project."""
    here = directory.absolute()
    repository = next((above for above in here.parents if (above / ".git").exists()), None)
    project = Project.around(directory)
    return repository or (project.folder if project is not None else here.parent)


def _path_in_patch(file: Path, root: Path) -> str:
    return file.absolute().relative_to(root).as_posix()


def _diff(name: str, before: str | None, after: str) -> str:
    """A file's part of a patch, in git's format."""
    new = before is None
    head = f"diff --git a/{name} b/{name}\n" + ("new file mode 100644\n" if new else "")
    old = "/dev/null" if new else f"a/{name}"
    lines = difflib.unified_diff(list(_lines(before or "")), list(_lines(after)), old, f"b/{name}")
    return head + "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> Iterator[str]:
    """Lines as git splits them; `str.splitlines` splits at further characters, such as a form feed."""
    return (line for line in re.split(r"(?<=\n)", text) if line)


def render(drift: Drift) -> str:
    """The differences as text, one line each, grouped by which side changed."""
    lines: list[str] = []
    for kind, heading in _HEADINGS.items():
        found = [(one, each) for one in drift.objects for each in one.differences if each.kind is kind]
        if found:
            lines += [f"{heading} ({len(found)})", *(f"  {_line(one, each)}" for one, each in found), ""]
    notes = [f"  {one.kind} {one.name}: {note}" for one in drift.objects for note in one.notes]
    lines += ["Changed in Airbyte", *notes, ""] if notes else []
    return "".join(escape_unprintable(line) + "\n" for line in [*lines, _summary(drift)]) if lines else _NO_DRIFT


def _coloured(text: str, drift: Drift) -> str:
    """The rendered differences for a terminal: headings, and the last line by whether code and Airbyte match."""
    *lines, last = text.splitlines()
    headings = (line if line.startswith(" ") else paint(line, "strong") for line in lines)
    return "".join(f"{line}\n" for line in [*headings, paint(last, "good" if drift.ok else "bad")])


def _summary(drift: Drift) -> str:
    counts = {kind: drift.count(kind) for kind in _HEADINGS}
    numbers = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    return f"{pluralize(sum(counts.values()), 'difference')} in {pluralize(len(drift.objects), 'object')}: {numbers}"


def _line(one: DriftedObject, difference: PropertyDrift) -> str:
    where = f"{one.kind} {one.name}: {path_text(difference.path)}".removesuffix(": ")
    sides = {"code": difference.code, "state": difference.state, "live": difference.live}
    # Objects, streams and fields have no value: True is their presence.
    is_presence = all(value is None or value is True for value in sides.values())
    shown = (f"{side} {_presence(value) if is_presence else _value(value)}" for side, value in sides.items())
    return f"{where}: {', '.join(shown)}{' (perhaps Airbyte itself)' if difference.perhaps_server else ''}"


def _presence(value: JsonValue) -> str:
    return "has not" if value is None else "has it"


def _value(value: JsonValue) -> str:
    if value is None:
        return "nothing"
    return _WORDS.get(str(value)) or json.dumps(value, ensure_ascii=False)


def _unpatched(patch: FilePatch) -> str:
    """The changes that the patch leaves to do, and its diagnostics, one line each."""
    lines = [f"{each.where}: {each.what}: {each.remedy}" for each in patch.left]
    return "".join(escape_unprintable(line) + "\n" for line in [*lines, *(str(each) for each in patch.problems)])


def markdown(drift: Drift, patch: FilePatch) -> str:
    """The body of an issue: the differences, the patch, and what is left to do by hand, below GitHub's limit."""
    parts = [fenced("text", render(drift).rstrip())]
    if patch.text:
        parts += [
            "Accept the changes with this patch (`git apply`), or revert them with `lotus up --refresh`.",
            fenced("diff", patch.text.rstrip()),
        ]
    if patch.left:
        parts += ["No file can express:", fenced("text", _unpatched(replace(patch, problems=())).rstrip())]
    if patch.problems:
        parts += [
            "`lotus check` reports for the patched files:",
            fenced("text", _unpatched(replace(patch, left=())).rstrip()),
        ]
    return "\n\n".join(_within_limit(parts)) + "\n"


def _within_limit(parts: Iterable[str]) -> Iterator[str]:
    """Replace each part that does not fit into an issue by a note. Shortening it would break its block."""
    room = LIMIT
    for part in parts:
        if len(part) <= room:
            room -= len(part) + 2
            yield part
        else:
            yield "This part is too long for an issue: `lotus drift` and `lotus drift --patch` print it."


def as_document(drift: Drift, patch: FilePatch | None) -> dict[str, JsonValue]:
    """Drift and patch as one JSON document; `ok` is the exit code's condition."""
    document: dict[str, JsonValue] = {
        "ok": drift.ok if patch is None else patch.ok,
        "objects": [_object(one) for one in drift.objects],
    }
    if patch is not None:
        document["patch"] = patch.text
        document["left"] = [{"where": each.where, "what": each.what, "remedy": each.remedy} for each in patch.left]
        document["problems"] = [dict(asdict(each)) for each in patch.problems]
    return document


def _object(one: DriftedObject) -> JsonValue:
    differences: list[JsonValue] = [
        {
            "place": path_text(each.path),
            "verdict": each.kind.name.lower(),
            "code": each.code,
            "state": each.state,
            "live": each.live,
            "perhaps_server": each.perhaps_server,
        }
        for each in one.differences
    ]
    return {"kind": one.kind, "name": one.name, "gone": one.gone, "differences": differences, "notes": list(one.notes)}
