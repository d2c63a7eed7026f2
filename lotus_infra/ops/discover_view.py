"""How discoveries are shown: what has changed, what it breaks, and the same as a document."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Final

from pydantic import JsonValue

from lotus_infra.ops.discover import Change, Discovery, StreamChange
from lotus_infra.streams.problems import counted, printable

_REWRITTEN = ": the same facts, written anew"
_SIGNS: Final[dict[Change, str]] = {"added": "+", "removed": "-", "changed": "~", "rewritten": "~"}


def render(found: Discovery) -> str:
    """A discovery as text."""
    return "\n".join(printable(line) for line in _lines(found))


def _lines(found: Discovery) -> Iterator[str]:
    if found.failure:
        yield f"{found.source}: {found.failure}"
        return
    yield f"{found.source}: {counted(found.streams, 'stream')}, {_summary(found.changes)}"
    for change in found.changes:
        yield f"  {_SIGNS[change.change]} {change.stream}{_REWRITTEN if change.change == 'rewritten' else ''}"
        yield from (f"      {difference}" for difference in change.differences)
    yield from (f"  ! {stream.stream} has no file: {stream.reason}" for stream in found.left_out)
    if found.changes and not found.written:
        yield "  nothing is written"
    yield from map(str, found.problems)
    if found.problems:
        files = counted(len({problem.file for problem in found.problems}), "stream file")
        kept = "; what was discovered is written all the same" if found.written else ""
        yield f"{files} of {found.source} to mend{kept}"


def _summary(changes: Sequence[StreamChange]) -> str:
    counts = Counter(change.change for change in changes)
    return ", ".join(f"{counts[kind]} {kind}" for kind in _SIGNS if counts[kind]) or "nothing has changed"


def as_document(found: Sequence[Discovery]) -> dict[str, JsonValue]:
    """Discoveries as one JSON document, for programs."""
    return {"ok": all(each.ok for each in found), "sources": [dict(asdict(each)) for each in found]}
