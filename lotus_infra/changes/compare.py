"""What becomes of each stream of a connection, and of its rows that have landed."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from airbyte_model.streams import Stream, shown

from lotus_infra.changes.cursors import incremental
from lotus_infra.changes.impact import Cursors, Setting, StreamImpact

OVERWRITING: Final = frozenset({"full_refresh_overwrite", "full_refresh_overwrite_deduped"})
ALL_FIELDS: Final = "all that the source has"
OVERWRITTEN: Final = "each sync puts its rows in place of all that have landed"
COMES_BACK: Final = "stays in Airbyte: the stream goes on there if it comes back"
WAS_HERE: Final = "from the beginning, or where it was if this connection had it before"


def compared(
    old: Mapping[str, Stream], new: Mapping[str, Stream], cursors: Cursors, anew: Collection[str]
) -> tuple[StreamImpact, ...]:
    """The streams that come, go or change, by key.

    Args:
        old: those of the connection as it is, by the keys of `new`; empty where there is none yet.
        new: those that it will have; empty where it goes.
        cursors: what becomes of cursors.
        anew: streams that are read from the beginning.
    """
    return tuple(_impacts(old, new, cursors, anew))


def _impacts(
    old: Mapping[str, Stream], new: Mapping[str, Stream], cursors: Cursors, anew: Collection[str]
) -> Iterator[StreamImpact]:
    lost = cursors.lost or {}
    for key in sorted(old.keys() | new.keys()):
        if key not in old:
            starts = (WAS_HERE if old else "from the beginning") if incremental(new[key]) else ""
            yield StreamImpact(shown(key), "added", settings=tuple(_shape(new[key])), cursor=starts)
        elif key not in new:
            kept = COMES_BACK if new and incremental(old[key]) else ""
            yield StreamImpact(shown(key), "removed", cursor=f"lost: {lost[key]}" if key in lost else kept)
        elif old[key] != new[key] or key in lost:
            yield _changed(old[key], new[key], lost.get(key, ""), again=key in anew)


def overwritten(old: Mapping[str, Stream], new: Mapping[str, Stream]) -> list[str]:
    """The streams whose rows that have landed go, because they come to be overwritten."""
    both = sorted(old.keys() & new.keys())
    return [key for key in both if new[key].sync_mode in OVERWRITING and old[key].sync_mode not in OVERWRITING]


def _changed(old: Stream, new: Stream, lost: str, *, again: bool) -> StreamImpact:
    added, removed = _fields(old, new)
    settings = tuple(one for one in _settings(old, new) if one.before != one.after)
    names = {one.name for one in settings}
    return StreamImpact(
        shown(new.key),
        "changed",
        added,
        removed,
        settings,
        _cursor(old, new, lost, again=again),
        tuple(_remarks(old, new, added, names, again=again)),
    )


def _cursor(old: Stream, new: Stream, lost: str, *, again: bool) -> str:
    if lost:
        return f"lost: {lost}"
    if not incremental(new):
        return ""
    if again:
        return "from the beginning, as asked"
    if not incremental(old):
        return "from the beginning"
    if old.cursor_field != new.cursor_field:
        return f"kept, but its value is of {'.'.join(old.cursor_field) or 'what the source chose'}"
    return "kept"


def _remarks(old: Stream, new: Stream, added: tuple[str, ...], names: set[str], *, again: bool) -> Iterator[str]:
    whole = incremental(old) and incremental(new) and not again
    if added and whole:
        yield "rows that are there already get no value of a new field until a backfill"
    if whole and names & {"cursor", "sync mode"}:
        yield "what it was read by changes: without a backfill rows may be missing or come twice"
    if new.sync_mode in OVERWRITING and old.sync_mode not in OVERWRITING:
        yield OVERWRITTEN
    elif incremental(old) and not incremental(new):
        yield "each sync brings all rows once more"


def _fields(old: Stream, new: Stream) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if old.selected_fields is None or new.selected_fields is None:
        return (), ()
    had, has = set(old.selected_fields), set(new.selected_fields)
    return tuple(sorted(has - had)), tuple(sorted(had - has))


def _settings(old: Stream, new: Stream) -> Iterator[Setting]:
    yield Setting("sync mode", old.sync_mode, new.sync_mode)
    yield Setting("cursor", ".".join(old.cursor_field), ".".join(new.cursor_field))
    yield Setting("key", _key(old), _key(new))
    yield Setting("namespace", old.namespace, new.namespace)
    if (old.selected_fields is None) != (new.selected_fields is None):
        yield Setting("fields", _count(old), _count(new))
    for name in sorted(old.others.keys() | new.others.keys()):
        # Mappers may hold keys to encrypt with: that they differ is all that is said.
        before, after = (json.dumps(each.others.get(name), sort_keys=True) for each in (old, new))
        if before != after:
            yield Setting(name, "", "changed")


def _shape(stream: Stream) -> Iterator[Setting]:
    """What a stream that comes is like."""
    yield Setting("sync mode", "", stream.sync_mode)
    yield Setting("cursor", "", ".".join(stream.cursor_field))
    yield Setting("key", "", _key(stream))
    yield Setting("fields", "", _count(stream))


def _count(stream: Stream) -> str:
    fields = stream.selected_fields
    return ALL_FIELDS if fields is None else f"{len(fields)}"


def _key(stream: Stream) -> str:
    return ", ".join(".".join(path) for path in stream.primary_key)
