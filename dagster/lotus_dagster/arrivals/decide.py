"""Decide which files a run must read, from the known files and the listed ones. Pure; no other module decides it.

Two walks share the few requests of a look. The *recent* walk lists from the partition before the newest one to the
end: there almost everything arrives. The *patrol* lists one page of what lies before, each time the next, and begins
again at the end: it finds files that arrive late in any old partition, and files that vanish. Both compare whole units
with their marks, so the order of keys inside a partition (`part_10` sorts before `part_2`) is of no consequence.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from lotus_dagster.arrivals.cursor import Cursor, Scan
from lotus_dagster.arrivals.partitions import Mark, StoredObject, day_of, folder_of, mark_of, month_before, unit_of

_AFTER_ALL_UNITS = "~"


class ObjectsVanishedError(Exception):
    """Objects were known and the listing shows none at all: a wrong bucket, or a stream that was cleared."""


class Stretch(NamedTuple):
    """The part of a walk that one look listed.

    Attributes:
        objects: In the order of their keys, all after the walk's last.
        complete: Whether the range has no more.
    """

    objects: Sequence[StoredObject]
    complete: bool


class Listing(NamedTuple):
    """What one look listed: a stretch of each walk; the patrol's is None when it has nothing to walk over."""

    recent: Stretch
    patrol: Stretch | None


class Batch(NamedTuple):
    """What one run has to read.

    Attributes:
        key: Names the batch: the same for the same batch, however often it is handed out.
        units: The days and months with new objects, sorted.
        objects: How many objects these units hold.
        rebuild: Objects that had been read are gone or changed, so that adding what is new is not enough.
    """

    key: str
    units: tuple[str, ...]
    objects: int
    rebuild: bool


class Decision(NamedTuple):
    """What to hand out now (None: nothing has changed), what to remember, and the keys that are none of the lake's."""

    batch: Batch | None
    cursor: Cursor
    strays: tuple[str, ...]


class _Walked(NamedTuple):
    scan: Scan
    seen: Mapping[str, Mark]
    gone: frozenset[str]


def decide(cursor: Cursor, listing: Listing) -> Decision:
    """The batch that a listing asks for, and the cursor to keep once the batch is handed out.

    Raises:
        ObjectsVanishedError: Objects were known, and a look from the beginning of both walks shows none.
    """
    _refuse_emptiness(cursor, listing)
    walks = [_walk(cursor, cursor.recent, listing.recent, cursor.recent_from, _AFTER_ALL_UNITS)]
    if listing.patrol is not None:
        walks.append(_walk(cursor, cursor.patrol, listing.patrol, "", cursor.recent_from))
    seen = {unit: mark for walk in walks for unit, mark in walk.seen.items()}
    gone = frozenset().union(*(walk.gone for walk in walks))
    changed = {unit: mark for unit, mark in seen.items() if cursor.marks.get(unit) != mark}
    marks = {unit: mark for unit, mark in cursor.marks.items() if unit not in gone} | seen
    moved = cursor.model_copy(
        update={
            "marks": marks,
            "recent": walks[0].scan,
            "patrol": walks[1].scan if len(walks) > 1 else cursor.patrol,
            "batch": cursor.batch + bool(changed or gone),
        }
    )
    after = _at_the_end(moved) if listing.recent.complete else moved
    stretches = (listing.recent, listing.patrol) if listing.patrol is not None else (listing.recent,)
    strays = tuple(one.key for stretch in stretches for one in stretch.objects if day_of(one.key) is None)
    return Decision(_batch(cursor, changed, gone), after, strays)


def _refuse_emptiness(cursor: Cursor, listing: Listing) -> None:
    stretches = (listing.recent, listing.patrol or Stretch((), complete=True))
    from_beginning = not cursor.recent.after and not cursor.patrol.after
    if cursor.marks and from_beginning and all(one.complete and not one.objects for one in stretches):
        raise ObjectsVanishedError(
            f"{cursor.objects} objects were known and the listing is empty: check the bucket and its path; "
            "if the stream was cleared on purpose, reset this sensor's cursor and rebuild its model with --full-refresh"
        )


def _walk(cursor: Cursor, scan: Scan, stretch: Stretch, first: str, end: str) -> _Walked:
    """Takes a walk over the units from `first` up to but not including `end` one stretch further."""
    seen: dict[str, Mark] = {}
    unit, partial = scan.unit, scan.partial
    for stored in stretch.objects:
        day = day_of(stored.key)
        if day is None:
            continue
        here = unit_of(day, cursor.months_before)
        if here != unit:
            if unit:
                seen[unit] = partial
            unit, partial = here, Mark()
        partial = partial.plus(mark_of(stored))
    if stretch.complete and unit:
        seen[unit] = partial
    done = max(seen, default=scan.done)
    upto = end if stretch.complete else done
    gone = {known for known in cursor.marks if max(first, scan.done) <= known <= upto and known not in seen}
    gone -= {scan.done, end}
    if stretch.complete:
        return _Walked(Scan(), seen, frozenset(gone))
    last = stretch.objects[-1].key if stretch.objects else scan.after
    return _Walked(Scan(after=last, done=done, unit=unit, partial=partial), seen, frozenset(gone))


def _batch(cursor: Cursor, changed: Mapping[str, Mark], gone: frozenset[str]) -> Batch | None:
    if not changed and not gone:
        return None
    known = {unit: cursor.marks.get(unit, Mark()) for unit in changed}
    rebuild = bool(gone) or any(known[unit].objects >= changed[unit].objects for unit in changed)
    units = tuple(sorted(changed))
    content = "\n".join(f"{unit} {changed[unit].objects} {changed[unit].digest}" for unit in units)
    digest = blake2b(f"{content}\n{sorted(gone)}".encode(), digest_size=8).hexdigest()
    objects = sum(changed[unit].objects for unit in units)
    return Batch(f"{cursor.lineage}-{cursor.batch}-{digest}", units, objects, rebuild)


def _at_the_end(cursor: Cursor) -> Cursor:
    """The end was seen: the recent walk begins at the partition before the newest, old months become one unit each."""
    days = sorted(unit for unit in cursor.marks if len(unit) == len("2026-01-05"))
    if not days:
        return cursor
    recent_from = max(cursor.recent_from, days[-2:][0])
    # No month is cut in two by where the recent walk begins, which may lie far back in a stream that rarely moves.
    months_before = max(cursor.months_before, min(month_before(days[-1]), recent_from[:7]))
    marks: dict[str, Mark] = {}
    for unit, mark in sorted(cursor.marks.items()):
        coarse = unit_of(unit, months_before)
        marks[coarse] = marks.get(coarse, Mark()).plus(mark)
    # A patrol that stands in a day that is now part of a month would count half a month.
    patrol = cursor.patrol if marks.keys() == cursor.marks.keys() else Scan()
    return cursor.model_copy(
        update={"marks": marks, "months_before": months_before, "recent_from": recent_from, "patrol": patrol}
    )


def recent_start(cursor: Cursor) -> str:
    """The key after which the recent walk resumes, below the stream's prefix."""
    return cursor.recent.after or (folder_of(cursor.recent_from) if cursor.recent_from else "")


def patrol_end(cursor: Cursor) -> str:
    """The key before which the patrol ends; empty when there is nothing to patrol."""
    return folder_of(cursor.recent_from) if cursor.recent_from else ""
