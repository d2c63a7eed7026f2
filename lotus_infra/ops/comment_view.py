"""How a review is shown: as one comment on a pull request."""

from collections.abc import Iterator, Sequence
from typing import Final

from lotus_infra.changes.acknowledge import KEY
from lotus_infra.changes.gate import Gate
from lotus_infra.changes.impact import Change, Impact, Loss, ObjectImpact, Setting, Verdict
from lotus_infra.lineage import Lineage, mermaid
from lotus_infra.ops.comment_source import setting_line, source_section
from lotus_infra.ops.markdown import Section, block, code, codes, fitted, many, prose, table
from lotus_infra.ops.review import Review

_SIGNS: Final[dict[Verdict, str]] = {
    "failed": "❌ the preview failed, so nobody knows what would happen",
    "destroys": "🔴 destroys",
    "touches data": "🟡 touches data",
    "safe": "🟢 safe: no data is touched",
    "nothing changes": "⚪ nothing changes",
}
FOOT: Final = "<sub>What stays as it is, is left out. Made by `lotus comment` from `pulumi preview --json`.</sub>"
_BECOMES: Final = {
    "added": "is added",
    "changed": "changes",
    "removed": "is **removed**",
    "replaced": "is **replaced**",
    "left alone": "is left alone: it stays, and the stack forgets it",
}
_STREAM_CHANGES: Final[tuple[Change, ...]] = ("added", "removed", "changed")
LOSSES: Final = 60
"""How many losses a comment lists; more are counted."""
EDGES: Final = 200
"""GitHub draws no picture with more than 500 edges, and nobody reads one of 200."""


def marker(stack: str) -> str:
    """The hidden first line by which a workflow finds the comment of a stack again."""
    return f"<!-- lotus:comment stack={''.join(char if char.isalnum() or char in '._' else '_' for char in stack)} -->"


def render(review: Review) -> str:
    """The comment, in GitHub's Markdown."""
    impact = review.impact
    title = f"{marker(impact.stack)}\n## {_stack(impact)}{_SIGNS[impact.verdict]}"
    head = "\n\n".join([title, *_counts(impact)])
    return fitted(head, list(_sections(review)), FOOT)


def _stack(impact: Impact) -> str:
    return f"{code(impact.stack)}: " if impact.stack else ""


def _counts(impact: Impact) -> Iterator[str]:
    """What the verdict stands on, in one line."""
    streams = [stream.change for source in impact.sources for stream in source.streams]
    lost = sum(len(source.cursors.lost or ()) for source in impact.sources)
    kept = sum(len(source.cursors.kept) for source in impact.sources)
    told = [
        many(len(impact.sources), "source"),
        *(many(streams.count(change), "stream", f" {change}") for change in _STREAM_CHANGES),
        many(sum(len(source.refreshes) for source in impact.sources), "refresh", plural="refreshes"),
        f"cursors: {kept} kept, {lost} lost" if kept or lost else "",
        many(len(impact.others), "other object"),
    ]
    line = " · ".join(each for each in told if each)
    if line:
        yield line


def _sections(review: Review) -> Iterator[Section]:
    impact = review.impact
    if not impact.complete:
        said = "\n".join(impact.errors) or "It does not say why. Its steps below may not be all."
        yield Section("The preview failed", block(said), folds=False)
    yield from _gate(review.gate)
    worst_first = sorted(impact.sources, key=lambda source: not (source.cursors.lost or source.change == "removed"))
    yield from (source_section(source, asked=review.asked) for source in worst_first)
    for area, title in (("Airbyte", "Destinations"), ("S3", "S3"), ("Dagster", "Dagster"), ("other", "Else")):
        found = [other for other in impact.others if other.area == area]
        if found:
            yield Section(title, "\n".join(line for other in found for line in _lines(other)))
    if review.picture is not None and review.picture.nodes:
        yield Section("What is made of it", _downstream(review.picture))


def _gate(gate: Gate) -> Iterator[Section]:
    if gate.blocked or gate.accepted:
        rows = [("⛔", loss) for loss in gate.blocked] + [("✔️", loss) for loss in gate.accepted]
        shown = table(("", "object", "what happens"), [_row(sign, loss) for sign, loss in rows[:LOSSES]])
        more = f"\n\n{len(rows) - LOSSES} more: `lotus gate` lists them all." if len(rows) > LOSSES else ""
        title = "⛔ The gate is closed" if not gate.ok else "✔️ The gate is open: what is lost is accepted"
        yield Section(title, "\n\n".join([shown + more, *_ways_out(gate)]), folds=False)
    if gate.stale:
        body = f"Nothing happens to {codes(gate.stale)} any more: take the lines out of `{KEY}`."
        yield Section("Stale acknowledgements", body, folds=False)


def _row(sign: str, loss: Loss) -> tuple[str, str, str]:
    return sign, code(loss.object), prose(loss.what)


def _ways_out(gate: Gate) -> Iterator[str]:
    """How what is meant gets through: by the label or by an acknowledgement, or by the latter alone."""
    acknowledge = f"add each object, as it stands there, to the list `{KEY}` in the stack's file"
    refused = [loss.object for loss in gate.blocked if loss.refused]
    if len(refused) < len(gate.blocked):
        yield f"If that is meant, label this pull request `{gate.label}`, or {acknowledge}."
        if refused:
            yield f"The label is not enough for {codes(refused, at_most=12)}: without the list an update refuses."
    elif refused:
        yield f"If that is meant, {acknowledge}: without that an update refuses to lose a cursor, whatever the label."


def _lines(other: ObjectImpact) -> Iterator[str]:
    """A line for an object, and one for each of its values that differ."""
    paths = [each.name for each in other.settings if not each.before and not each.after]
    where = f": {codes(paths, at_most=8)}" if paths else ""
    yield f"- {prose(other.kind)} {code(other.name)} {_BECOMES[other.change]}{where}"
    values: Sequence[Setting] = [each for each in other.settings if each.before or each.after]
    yield from (f"  - {setting_line(each)}" for each in values)
    if other.secrets:
        yield f"  - secrets rotated: {codes(other.secrets)}"
    yield from (f"  - {code(line)}" for said in other.said for line in said.splitlines())


def _downstream(picture: Lineage) -> str:
    """A picture, or where it would be too big, the names."""
    if len(picture.edges) <= EDGES:
        return f"```mermaid\n{mermaid(picture)}```"
    return f"Too much to draw: {codes(node.label for node in picture.nodes if node.kind in {'model', 'mart'})}."
