"""How a review is shown: as one comment on a pull request."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click
from pydantic import JsonValue

from lotus_infra.commands.gate import gate_document
from lotus_infra.commands.options import DBT, JSON, LABEL, OUTPUT, PREVIEW, PREVIEWED_STACK, STREAMS
from lotus_infra.commands.output import Section, block, code, codes, fitted, folded, many, prose, table, tag, write
from lotus_infra.commands.review import Request, Review, reviewed
from lotus_infra.config.stack import ACKNOWLEDGE_KEY
from lotus_infra.lineage import Lineage, mermaid
from lotus_infra.plan.gate import Gate
from lotus_infra.plan.impact import (
    Change,
    CursorImpact,
    Impact,
    Loss,
    ObjectImpact,
    PropertyChange,
    Refresh,
    SourceImpact,
    StreamImpact,
    Verdict,
)

_SOURCE_BECOMES = {"added": "is added", "removed": "is removed", "replaced": "is replaced", "changed": "changes"}
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


@click.command()
@PREVIEW
@LABEL
@click.option("--airbyte", is_flag=True, help="Ask the stack's Airbyte how many rows earlier jobs brought.")
@OUTPUT
@PREVIEWED_STACK
@STREAMS
@DBT
@JSON
def comment(
    preview: Path,
    labels: tuple[str, ...],
    output: Path | None,
    stack: str | None,
    *,
    directory: Path,
    dbt: Path | None,
    airbyte: bool,
    as_json: bool,
) -> None:
    """Say in one Markdown comment what a preview would do to data: streams, fields, cursors, rows and models.

    Its first line is a hidden marker by which the comment is found again. A preview that failed makes a comment too.

    Example: lotus comment --preview preview.json --output comment.md
    """
    review = reviewed(Request(preview, directory, stack, labels), dbt=dbt, airbyte=airbyte)
    markdown = render(review)
    if output is not None:
        write(output, markdown)
    if as_json:
        click.echo(json.dumps(comment_document(review, markdown), indent=2))
    else:
        click.echo(output if output is not None else markdown, nl=output is not None)


def source_section(source: SourceImpact, *, asked: bool) -> Section:
    """A source.

    Args:
        source: what becomes of it.
        asked: whether Airbyte was asked for its job history.
    """
    lines = "\n".join(f"- {line}" for line in _source_lines(source, asked=asked))
    said = "\n".join(source.said)
    parts = [
        table(("stream", "what changes", "cursor"), map(_source_row, source.streams)) if source.streams else "",
        lines,
        folded("what the provider says", block(said)) if said else "",
    ]
    return Section(_title(source), "\n\n".join(part for part in parts if part))


def _title(source: SourceImpact) -> str:
    """What is read of it while it is folded."""
    told = (
        many(len(source.streams), "stream"),
        many(len(source.cursors.lost or ()), "lost cursor"),
        many(len(source.refreshes), "refresh", plural="refreshes"),
    )
    counts = ", ".join(each for each in told if each)
    return f"{tag(source.name)} {_SOURCE_BECOMES[source.change]}{': ' if counts else ''}{counts}"


def setting_line(setting: PropertyChange) -> str:
    """A value that differs: what it was, and what it will be."""
    before, after = (code(value) if value else "none" for value in (setting.before, setting.after))
    return f"{code(setting.name)}: {before} → {after}"


def _source_row(stream: StreamImpact) -> tuple[str, str, str]:
    cursor = f"**{prose(stream.cursor)}**" if stream.cursor.startswith("lost") else prose(stream.cursor)
    return code(stream.name), "<br>".join(_changes(stream)) or "stays", cursor or "none"


def _changes(stream: StreamImpact) -> Iterator[str]:
    if stream.added_fields:
        yield f"gains {codes(stream.added_fields)}"
    if stream.removed_fields:
        yield f"loses {codes(stream.removed_fields)}"
    if stream.change == "added":
        shape = ", ".join(f"{one.name} {code(one.after)}" for one in stream.settings if one.after)
        yield f"**added**: {shape}"
    elif stream.change == "removed":
        yield "**removed**: its files and its models' rows stay, and get no new ones"
    else:
        yield from (_stream_setting(one) for one in stream.settings)
    yield from (f"⚠️ {prose(remark)}" for remark in stream.remarks)


def _stream_setting(setting: PropertyChange) -> str:
    before, after = (code(value) if value else "none" for value in (setting.before, setting.after))
    return f"{prose(setting.name)}: {before} → {after}"


def _source_lines(source: SourceImpact, *, asked: bool) -> Iterator[str]:
    if source.connection == "replaced":
        yield "its connection is replaced"
    elif source.change == "changed" and source.connection != "changed":
        yield f"its connection is {source.connection}"
    yield from _cursors(source.cursors)
    yield from (_refresh(refresh, asked=asked) for refresh in source.refreshes)
    yield from (f"⚠️ {remark}" for remark in source.remarks)
    yield from (setting_line(setting) for setting in source.settings)
    if source.secrets:
        yield f"secrets rotated: {codes(source.secrets)}"


def _cursors(cursors: CursorImpact) -> Iterator[str]:
    lost = cursors.lost or {}
    told = [
        f"{len(cursors.kept)} kept ({codes(cursors.kept, at_most=12)})" if cursors.kept else "",
        f"**{len(lost)} lost** ({codes(lost, at_most=12)})" if lost else "",
        f"{len(cursors.anew)} from the beginning, as asked ({codes(cursors.anew, at_most=12)})" if cursors.anew else "",
    ]
    if any(told):
        yield f"cursors: {', '.join(each for each in told if each)}"


def _refresh(refresh: Refresh, *, asked: bool) -> str:
    history = refresh.history
    if history is None:
        rows = (
            "Airbyte has no history of its connection"
            if asked
            else "how many rows is not known, because Airbyte was not asked (`--airbyte`)"
        )
    elif not history.jobs:
        rows = "how many rows is not known: no job of its connection has counted any"
    else:
        jobs = "1 job" if history.jobs == 1 else f"{history.jobs} jobs"
        rows = f"up to about {history.rows:,} rows, which is what {jobs} brought of all streams of its connection"
    return f"**reads {code(refresh.stream)} from the beginning** ({code(refresh.why)}): {rows}"


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
    if review.lineage is not None and review.lineage.nodes:
        yield Section("What is made of it", _downstream(review.lineage))


def _gate(gate: Gate) -> Iterator[Section]:
    if gate.blocked or gate.accepted:
        rows = [("⛔", loss) for loss in gate.blocked] + [("✔️", loss) for loss in gate.accepted]
        shown = table(("", "object", "what happens"), [_row(sign, loss) for sign, loss in rows[:LOSSES]])
        more = f"\n\n{len(rows) - LOSSES} more: `lotus gate` lists them all." if len(rows) > LOSSES else ""
        title = "⛔ The gate is closed" if not gate.ok else "✔️ The gate is open: what is lost is accepted"
        yield Section(title, "\n\n".join([shown + more, *_ways_out(gate)]), folds=False)
    if gate.stale:
        body = f"Nothing happens to {codes(gate.stale)} any more: take the lines out of `{ACKNOWLEDGE_KEY}`."
        yield Section("Stale acknowledgements", body, folds=False)


def _row(sign: str, loss: Loss) -> tuple[str, str, str]:
    return sign, code(loss.object), prose(loss.what)


def _ways_out(gate: Gate) -> Iterator[str]:
    """How what is meant gets through: by the label or by an acknowledgement, or by the latter alone."""
    acknowledge = f"add each object, as it stands there, to the list `{ACKNOWLEDGE_KEY}` in the stack's file"
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
    values: Sequence[PropertyChange] = [each for each in other.settings if each.before or each.after]
    yield from (f"  - {setting_line(each)}" for each in values)
    if other.secrets:
        yield f"  - secrets rotated: {codes(other.secrets)}"
    yield from (f"  - {code(line)}" for said in other.said for line in said.splitlines())


def _downstream(lineage: Lineage) -> str:
    """A picture, or where it would be too big, the names."""
    if len(lineage.edges) <= EDGES:
        return f"```mermaid\n{mermaid(lineage)}```"
    return f"Too much to draw: {codes(node.label for node in lineage.nodes if node.kind in {'model', 'mart'})}."


def comment_document(review: Review, markdown: str) -> dict[str, JsonValue]:
    """The same, with what becomes of each source and object, and the comment."""
    return {
        **gate_document(review),
        "sources": [asdict(source) for source in review.impact.sources],
        "others": [asdict(other) for other in review.impact.others],
        "markdown": markdown,
    }
