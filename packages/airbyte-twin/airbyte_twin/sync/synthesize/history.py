"""The synthesized system behind a source: the rows of each stream, and the times of their changes.

Time is a list of epochs. The first holds the rows before the first sync; each later one holds the changes until one
more sync: mostly new rows, a share of updates, and a few late rows, dated shortly before the epoch's start. Every
stream of a source has the same rows at the same times, so that rows can refer to each other.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from airbyte_twin.records import Outside
from airbyte_twin.sync.synthesize.pseudorandom import mixed

UPDATED_SHARE, LATE_SHARE = 4, 10
"""Of so many rows of a later epoch one is an update, and one is late; at least one each where there are three."""
LATENESS = 300_000
"""Milliseconds that a late row is behind at most."""


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A row at one of its versions; times are milliseconds since 1970.

    Attributes:
        at: When it became as it is.
        index: Which row of its stream, from 0.
        created: When it first was.
    """

    at: int
    index: int
    created: int


@dataclass(frozen=True, slots=True)
class _Shares:
    """Numbers of new, updated and late rows of an epoch."""

    new: int
    updated: int
    late: int

    @property
    def slots(self) -> int:
        """Number of changes that are spread over the epoch."""
        return self.new + self.updated

    @property
    def of_updates(self) -> list[int]:
        """The slots of updates, from 0, spread over the epoch; the last slot is a new row's."""
        return [each * self.slots // self.updated for each in range(self.updated)]

    @classmethod
    def of(cls, number: int, *, first: bool) -> "_Shares":
        if first or number < 3:
            return cls(number, 0, 0)
        updated, late = max(1, number // UPDATED_SHARE), max(1, number // LATE_SHARE)
        return cls(number - updated - late, updated, late)


class History:
    """All changes of one stream of a source, in all epochs so far.

    Args:
        seed: Decides which rows are updated.
        outside: The epochs of the source.
        updates: Whether rows change; events do not.
    """

    def __init__(self, seed: int, outside: Outside, *, updates: bool) -> None:
        self._seed = seed
        self._updates = updates
        self._ends = tuple(epoch.ends_at for epoch in outside.epochs)
        self._starts = (outside.since, *self._ends[:-1])
        self._shares = tuple(_Shares.of(epoch.rows, first=number == 0) for number, epoch in enumerate(outside.epochs))
        self._counts = (0, *accumulate(share.new + share.late for share in self._shares))
        self._births: dict[int, list[Change]] = {}

    @property
    def rows(self) -> int:
        """Number of rows; their indexes start at 0."""
        return self._counts[-1]

    def changes_after(self, at: int | None) -> list[Change]:
        """The latest version of each row that changed after a reader's cursor; of all rows for None.

        Includes late rows, whose time may be before the cursor.
        """
        first = 0 if at is None else bisect_left(self._ends, at)
        latest: dict[int, Change] = {}
        for number in range(first, len(self._ends)):
            for change in sorted(self._changes(number)):
                if number > first or at is None or change.at > at:
                    latest[change.index] = change
        return sorted(latest.values())

    def _changes(self, number: int) -> list[Change]:
        """The changes of an epoch."""
        return [*self._born(number), *(self._updated(number) if self._updates else ())]

    def _born(self, number: int) -> list[Change]:
        """The rows created in an epoch, by index: new ones, the last of them at its end, then late ones."""
        if number not in self._births:
            share, index = self._shares[number], self._counts[number]
            times = [self._at(number, slot) for slot in sorted({*range(share.slots)} - {*share.of_updates})]
            start = self._starts[number]
            times += [start - LATENESS * (each + 1) // (share.late + 1) for each in range(share.late)]
            self._births[number] = [Change(at, index + each, at) for each, at in enumerate(times)]
        return self._births[number]

    def _updated(self, number: int) -> Iterator[Change]:
        """Rows of earlier epochs that an epoch changed, spread over it and never at its very end."""
        for each, slot in enumerate(self._shares[number].of_updates):
            index = mixed(mixed(self._seed, number), each) % self._counts[number]
            epoch = bisect_right(self._counts, index) - 1
            created = self._born(epoch)[index - self._counts[epoch]].created
            yield Change(self._at(number, slot), index, created)

    def _at(self, number: int, slot: int) -> int:
        """The time of a slot; times are distinct, because a cursor between two equal times would skip a row."""
        start, end = self._starts[number], self._ends[number]
        return start + (end - start) * (slot + 1) // self._shares[number].slots
