"""How drift is shown: as lines for people, as the body of an issue, and as a document for programs."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Final

from pydantic import JsonValue

from lotus_infra.changes.digest import HIDDEN
from lotus_infra.changes.drift import ANOTHER_SECRET, TO_CHANGE, Difference, Drift, Drifted, Verdict
from lotus_infra.changes.takeover.parts import Left, shown_place
from lotus_infra.ops.drift_patch import Patch
from lotus_infra.ops.markdown import fenced
from lotus_infra.streams.problems import counted, printable

LIMIT: Final = 60_000
"""Characters of an issue's body; GitHub takes 65,536."""
_HEADINGS: Final = {
    Verdict.CHANGED: "Changed outside of the program, in Airbyte's pages or by Airbyte itself",
    Verdict.BOTH: "Changed in code and outside of it",
    Verdict.NOT_APPLIED: "Not applied yet",
    Verdict.ALIKE: "Already done by hand: code and live agree, and the next refresh brings the state up",
}
_NO_DRIFT: Final = "No drift: code, state and live agree.\n"


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
