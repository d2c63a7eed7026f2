"""How a source is shown in a comment: its streams in a table, and a line for each other thing."""

from collections.abc import Iterator

from lotus_infra.changes.impact import Cursors, Refresh, Setting, SourceImpact, StreamImpact
from lotus_infra.ops.markdown import Section, block, code, codes, folded, many, prose, table, tag

_BECOMES = {"added": "is added", "removed": "is removed", "replaced": "is replaced", "changed": "changes"}


def source_section(source: SourceImpact, *, asked: bool) -> Section:
    """A source.

    Args:
        source: what becomes of it.
        asked: whether Airbyte was asked for its job history.
    """
    lines = "\n".join(f"- {line}" for line in _lines(source, asked=asked))
    said = "\n".join(source.said)
    parts = [
        table(("stream", "what changes", "cursor"), map(_row, source.streams)) if source.streams else "",
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
    return f"{tag(source.name)} {_BECOMES[source.change]}{': ' if counts else ''}{counts}"


def setting_line(setting: Setting) -> str:
    """A value that differs: what it was, and what it will be."""
    before, after = (code(value) if value else "none" for value in (setting.before, setting.after))
    return f"{code(setting.name)}: {before} → {after}"


def _row(stream: StreamImpact) -> tuple[str, str, str]:
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


def _stream_setting(setting: Setting) -> str:
    before, after = (code(value) if value else "none" for value in (setting.before, setting.after))
    return f"{prose(setting.name)}: {before} → {after}"


def _lines(source: SourceImpact, *, asked: bool) -> Iterator[str]:
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


def _cursors(cursors: Cursors) -> Iterator[str]:
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
