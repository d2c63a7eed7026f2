"""Decide which files a run must read, from the known files and the listed ones. Pure; no other module decides it.

Walks share the few requests of a look. The *recent* walk lists from the partition before the newest one to the day
after tomorrow: there almost everything arrives. The *patrol* lists one page of what lies before, each time the next,
and begins again at the end: it finds files that arrive late in any old partition, and files that vanish. The *far* walk
does the same with dates far from now, where there are any, so that `year=2098` delays nothing. All compare whole units
with their marks, so the order of keys inside a partition (`part_10` sorts before `part_2`) is of no consequence.

A batch names the units that differ. Which of their files are new, overwritten or gone, the models decide by identity.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from hashlib import blake2b
from typing import NamedTuple

from lotus_dagster.arrivals.cursor import Cursor, Scan
from lotus_dagster.arrivals.partitions import Mark, StoredObject, day_of, folder_of, mark_of, month_before, unit_of
from lotus_infra import naming

_AFTER_ALL_UNITS = "~"
MOST_REPORTED = 20
"""Folders with keys outside the layout, or dated far from now, that a cursor remembers as reported."""


class Clock(NamedTuple):
    """When a look takes place.

    Attributes:
        today: The day in UTC.
        expire_days: Days after which the bucket deletes raw files; None if it keeps them.
    """

    today: date
    expire_days: int | None = None

    @property
    def far_from(self) -> str:
        """The first day that is far from now."""
        return (self.today + timedelta(days=naming.MOST_DAYS_AHEAD + 1)).isoformat()

    def has_expired(self, unit: str) -> bool:
        """Whether the bucket has deleted all files of a unit because of their age."""
        if self.expire_days is None or unit >= self.far_from:
            return False
        is_day = len(unit) > len("2025-11")
        first = date.fromisoformat(unit if is_day else f"{unit}-01")
        after = first + timedelta(days=1) if is_day else (first + timedelta(days=31)).replace(day=1)
        return (self.today - after).days >= self.expire_days


class Stretch(NamedTuple):
    """The part of a walk that one look listed.

    Attributes:
        objects: In the order of their keys, all after the walk's last.
        complete: Whether the range has no more.
    """

    objects: Sequence[StoredObject]
    complete: bool


class Listing(NamedTuple):
    """What one look listed: a stretch of each walk; that of a walk with nothing to walk over is None."""

    recent: Stretch
    patrol: Stretch | None
    far: Stretch | None = None

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Those that were listed."""
        return tuple(one for one in self if one is not None)


class Batch(NamedTuple):
    """What one run has to read.

    Attributes:
        key: Names the batch: the same for the same batch, however often it is handed out.
        units: The days and months whose objects are new, overwritten or gone, sorted. None for a run over all files: of
            a stream without files, whose models marts with optional inputs wait for, and after an earlier version.
        objects: How many objects these units hold.
    """

    key: str
    units: tuple[str, ...]
    objects: int


class Decision(NamedTuple):
    """What to hand out now, what to remember, and what to report.

    Attributes:
        batch: None if nothing has changed.
        cursor: To keep once the batch is handed out.
        strays: Keys outside the layout, one of each folder that was not reported before.
        far: Keys that are dated far from now, one of each folder that was not reported before.
    """

    batch: Batch | None
    cursor: Cursor
    strays: tuple[str, ...] = ()
    far: tuple[str, ...] = ()


class _Walked(NamedTuple):
    scan: Scan
    seen: Mapping[str, Mark]
    gone: frozenset[str]


def current(cursor: Cursor, clock: Clock) -> Cursor:
    """The cursor to look with: one that stands far from now, as earlier versions kept, hands out everything again."""
    if cursor.recent_from < clock.far_from:
        return cursor
    return Cursor(lineage=cursor.lineage, batch=cursor.batch + 1, identities=cursor.identities)


def decide(cursor: Cursor, listing: Listing, clock: Clock) -> Decision:
    """The batch that a listing asks for, and the cursor to keep once the batch is handed out.

    Args:
        cursor: By `current`.
        listing: What the look listed.
        clock: When.
    """
    walks = {"recent": _walk(cursor, cursor.recent, listing.recent, cursor.recent_from, clock.far_from)}
    if listing.patrol is not None:
        walks["patrol"] = _walk(cursor, cursor.patrol, listing.patrol, "", cursor.recent_from)
    if listing.far is not None:
        walks["far"] = _walk(cursor, cursor.far, listing.far, clock.far_from, _AFTER_ALL_UNITS)
    seen = {unit: mark for walk in walks.values() for unit, mark in walk.seen.items()}
    gone = frozenset().union(*(walk.gone for walk in walks.values())) - seen.keys()
    changed = {unit: mark for unit, mark in seen.items() if cursor.marks.get(unit) != mark}
    marks = {unit: mark for unit, mark in cursor.marks.items() if unit not in gone} | seen
    # A stream without files is built once, empty.
    first = listing.recent.complete and not cursor.batch and not marks
    batch = _batch(cursor, changed, gone) if changed or gone or first or not cursor.identities else None
    moved = cursor.model_copy(
        update={
            "marks": marks,
            "batch": cursor.batch + (batch is not None),
            "identities": True,
            **{name: walk.scan for name, walk in walks.items()},
        }
    )
    after = _at_the_end(moved, clock.far_from) if listing.recent.complete else moved
    return _with_reports(Decision(batch, after), listing, clock)


def shows_nothing(cursor: Cursor, listing: Listing, clock: Clock) -> bool:
    """Whether a look listed no object although some are known that the bucket has not deleted because of their age."""
    listed = any(one.objects or not one.complete for one in listing.stretches)
    return not listed and any(not clock.has_expired(unit) for unit in cursor.marks)


def _with_reports(decision: Decision, listing: Listing, clock: Clock) -> Decision:
    """Add what was not reported before: a key of each folder outside the layout, and of each dated far from now."""
    reported = set(decision.cursor.reported)
    found: dict[bool, list[str]] = {True: [], False: []}
    for key in (one.key for stretch in listing.stretches for one in stretch.objects):
        day = day_of(key)
        folder = key.rpartition("/")[0]
        if (day is None or day >= clock.far_from) and folder not in reported and len(reported) < MOST_REPORTED:
            reported.add(folder)
            found[day is None].append(key)
    cursor = decision.cursor.model_copy(update={"reported": tuple(sorted(reported))})
    return Decision(decision.batch, cursor, tuple(found[True]), tuple(found[False]))


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


def _batch(cursor: Cursor, changed: Mapping[str, Mark], gone: Iterable[str]) -> Batch:
    units = tuple(sorted({*changed, *gone}))
    content = "\n".join(f"{unit} {mark.objects} {mark.digest}" for unit, mark in sorted(changed.items()))
    digest = blake2b(f"{content}\n{sorted(gone)}".encode(), digest_size=8).hexdigest()
    objects = sum(mark.objects for mark in changed.values())
    key = f"{cursor.lineage}-{cursor.batch}-{digest}"
    return Batch(key, units, objects) if cursor.identities else Batch(f"{key}-all", (), objects)


def _at_the_end(cursor: Cursor, far_from: str) -> Cursor:
    """The end was seen: the recent walk begins at the partition before the newest, old months become one unit each."""
    days = sorted(unit for unit in cursor.marks if len(unit) == len("2026-01-05") and unit < far_from)
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
