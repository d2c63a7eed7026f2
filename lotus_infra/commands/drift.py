"""`lotus drift`: what code says, what the state has and what is live, held against each other in one run of the engine.

Nothing is changed, in the state neither.
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

from lotus_infra.clients.pulumi import Engine
from lotus_infra.commands.check import check_lake_files
from lotus_infra.commands.options import JSON, OUTPUT, STREAMS, dbt_folder
from lotus_infra.commands.output import fenced
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import LocatedDiagnostic, counted, printable
from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.json_text import edited
from lotus_infra.lake.lake import DISCOVERED_FOLDER, Lake
from lotus_infra.lake.loader import Reader, load_usable_lake
from lotus_infra.lake.report import as_opened
from lotus_infra.plan.drift import ANOTHER_SECRET, TO_CHANGE, Difference, Drift, Drifted, Verdict, drift_of
from lotus_infra.plan.drift_to_files import Facts, Left, shown_place, takeover
from lotus_infra.plan.preview import HIDDEN, read

_ASKED = ("preview", "--refresh", "--json", "--show-sames")
_ONE_DOCUMENT = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "false"}
LIMIT: Final = 60_000
"""Characters of an issue's body; GitHub takes 65,536."""
_HEADINGS: Final = {
    Verdict.CHANGED: "Changed outside of the program, in Airbyte's pages or by Airbyte itself",
    Verdict.BOTH: "Changed in code and outside of it",
    Verdict.NOT_APPLIED: "Not applied yet",
    Verdict.ALIKE: "Already done by hand: code and live agree, and the next refresh brings the state up",
}
_NO_DRIFT: Final = "No drift: code, state and live agree.\n"


@click.command()
@click.option("--stack", help="The stack; else $PULUMI_STACK, else the selected one.")
@click.option(
    "--patch", "patching", is_flag=True, help="Print a patch of the lake's files that takes the changes over."
)
@click.option(
    "--format", "kind", type=click.Choice(["text", "markdown"]), default="text", help="Markdown has the patch in it."
)
@OUTPUT
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
    """Say where code, the state and Airbyte differ, field by field; exit with 1 if code and Airbyte do.

    With --patch, what was changed in Airbyte becomes a patch of the lake's files, and the exit code says whether it is
    all there is to do. What no file can say is told beside it. Nothing is changed.

    Example: lotus drift --stack prod --patch | git apply
    """
    found = look(directory, stack)
    patch = patch_of(found, directory) if patching or (kind == "markdown" and not as_json) else None
    if as_json:
        text = json.dumps(as_document(found, patch), indent=2) + "\n"
    elif patching and patch is not None:
        text = patch.text
        click.echo(left_lines(patch) or ("" if patch.text else "There is nothing to take over.\n"), nl=False, err=True)
    else:
        text = render(found) if patch is None else markdown(found, patch)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_bytes(text.encode(errors="backslashreplace"))
    if not (patch.ok if patching and patch is not None else found.ok):
        sys.exit(1)


def look(directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> Drift:
    """What differs in a stack.

    Args:
        directory: The lake's folder, inside its Pulumi project.
        stack: The stack; else that of `$PULUMI_STACK`, else the selected one.
        environment: What the engine runs with.

    Raises:
        LotusError: There is no project or engine, or the preview did not come to its end.
    """
    ran = Engine.around(directory, stack, {**environment, **_ONE_DOCUMENT}).ran(*_ASKED)
    if not ran.stdout.startswith("{"):
        raise LotusError(f"pulumi preview failed: {ran.reason}")
    preview = read(ran.stdout)
    if not preview.complete or ran.exit_code != 0:
        said = "; ".join(preview.errors) or ran.stderr.strip() or "it does not say why"
        raise LotusError(f"the preview did not come to its end, so nobody can tell what differs: {said}")
    return drift_of(preview)


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
    problems: tuple[LocatedDiagnostic, ...]

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


def _problems(directory: Path, files: Mapping[str, str]) -> tuple[LocatedDiagnostic, ...]:
    """What is wrong with the lake once these files are written: found in a copy, and told of the lake itself."""
    if not files:
        return ()
    with TemporaryDirectory() as folder:
        copy = Path(folder) / directory.absolute().name
        shutil.copytree(directory, copy)
        for file, text in files.items():
            (copy / file).write_bytes(text.encode())
        found = check_lake_files(copy, (), dbt_folder(directory)).problems
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


def render(drift: Drift) -> str:
    """What differs, a line for each place, by what has moved."""
    lines: list[str] = []
    for verdict, heading in _HEADINGS.items():
        found = [(one, each) for one in drift.objects for each in one.differences if each.verdict is verdict]
        if found:
            lines += [f"{heading} ({len(found)})", *(f"  {_line(one, each)}" for one, each in found), ""]
    notes = [f"  {one.kind} {one.name}: {note}" for one in drift.objects for note in one.notes]
    lines += ["Changed in Airbyte", *notes, ""] if notes else []
    return "".join(printable(line) + "\n" for line in [*lines, _summary(drift)]) if lines else _NO_DRIFT


def _summary(drift: Drift) -> str:
    counts = {verdict: drift.count(verdict) for verdict in _HEADINGS}
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return f"{counted(sum(counts.values()), 'difference')} in {counted(len(drift.objects), 'object')}: {told}"


def _line(one: Drifted, difference: Difference) -> str:
    where = f"{one.kind} {one.name}: {shown_place(difference.place)}".removesuffix(": ")
    sides = {"code": difference.code, "state": difference.state, "live": difference.live}
    has = all(value is None or value is True for value in sides.values())
    told = (f"{side} {_has(value) if has else _value(value)}" for side, value in sides.items())
    return f"{where}: {', '.join(told)}{' (perhaps Airbyte itself)' if difference.perhaps_server else ''}"


def _has(value: JsonValue) -> str:
    return "has not" if value is None else "has it"


def _value(value: JsonValue) -> str:
    if value is None:
        return "nothing"
    secrets = {HIDDEN: "a secret", ANOTHER_SECRET: "another secret", TO_CHANGE: "to be written"}
    return secrets.get(str(value)) or json.dumps(value, ensure_ascii=False)


def left_lines(patch: Patch) -> str:
    """What a patch leaves to do, and what is wrong with it; empty where it is all."""
    lines = [f"{each.where}: {each.what}: {each.remedy}" for each in patch.left]
    return "".join(printable(line) + "\n" for line in [*lines, *(str(each) for each in patch.problems)])


def markdown(drift: Drift, patch: Patch) -> str:
    """The body of an issue: what differs, the patch, and what is left to do by hand, below GitHub's limit."""
    parts = [fenced("text", render(drift).rstrip())]
    if patch.text:
        parts += [
            "Take it over, by this patch (`git apply`), or put it back, by `lotus up --refresh`.",
            fenced("diff", patch.text.rstrip()),
        ]
    if patch.left:
        parts += ["No file can say:", fenced("text", left_lines(Patch("", patch.left, ())).rstrip())]
    if patch.problems:
        parts += [
            "`lotus check` would find in the patched files:",
            fenced("text", left_lines(Patch("", (), patch.problems)).rstrip()),
        ]
    return "\n\n".join(_within(parts)) + "\n"


def _within(parts: Iterable[str]) -> Iterator[str]:
    """The parts that an issue has room for; one that is too long is named instead."""
    room = LIMIT
    for part in parts:
        if len(part) <= room:
            room -= len(part) + 2
            yield part
        else:
            yield "This part is too long for an issue: `lotus drift` and `lotus drift --patch` print it."


def as_document(drift: Drift, patch: Patch | None) -> dict[str, JsonValue]:
    """Everything, for programs; `ok` says whether there is nothing to do."""
    document: dict[str, JsonValue] = {
        "ok": drift.ok if patch is None else patch.ok,
        "objects": [_object(one) for one in drift.objects],
    }
    if patch is not None:
        document["patch"] = patch.text
        document["left"] = [_left(each) for each in patch.left]
        document["problems"] = [dict(asdict(each)) for each in patch.problems]
    return document


def _left(each: Left) -> JsonValue:
    return {"where": each.where, "what": each.what, "remedy": each.remedy}


def _object(one: Drifted) -> JsonValue:
    differences: list[JsonValue] = [
        {
            "place": shown_place(each.place),
            "verdict": each.verdict.name.lower(),
            "code": each.code,
            "state": each.state,
            "live": each.live,
            "perhaps_server": each.perhaps_server,
        }
        for each in one.differences
    ]
    return {"kind": one.kind, "name": one.name, "gone": one.gone, "differences": differences, "notes": list(one.notes)}
