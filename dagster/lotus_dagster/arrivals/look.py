"""One look at a stream's files: lists what the cursor asks for, in at most `MOST_REQUESTS` requests, and decides.

Keys come in pages, in their order, from any `Pages`.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from lotus_dagster.arrivals.cursor import Cursor
from lotus_dagster.arrivals.decide import (
    Clock,
    Decision,
    Listing,
    Stretch,
    current,
    decide,
    patrol_end,
    recent_start,
    shows_nothing,
)
from lotus_dagster.arrivals.partitions import StoredObject, folder_of

RECENT_PAGES = 4
PATROL_PAGES = 1
FAR_PAGES = 1
MOST_REQUESTS = RECENT_PAGES + PATROL_PAGES + FAR_PAGES
"""Five where no object is dated far from now."""


class ObjectsVanishedError(Exception):
    """Objects were known and the listing shows none at all: a wrong bucket, or a stream that was cleared."""


class Page(NamedTuple):
    """Up to a thousand objects, in the order of their keys, and whether more follow."""

    objects: Sequence[StoredObject]
    more: bool


class Pages(Protocol):
    """Where a stream's objects can be listed."""

    def page(self, after: str) -> Page:
        """One request: the first objects whose keys, below the stream's prefix, sort after `after`.

        Raises:
            ListingError: The server can't be reached or refuses.
        """


def look(pages: Pages, cursor: Cursor, clock: Clock) -> Decision:
    """Take one look.

    Raises:
        ListingError: The listing failed; nothing may be concluded from it.
        ObjectsVanishedError: Objects were known, and neither this look nor a listing from the beginning shows any.
    """
    cursor = current(cursor, clock)
    recent, more = _stretch(pages, recent_start(cursor), folder_of(clock.far_from), RECENT_PAGES)
    end = patrol_end(cursor)
    patrol = _stretch(pages, cursor.patrol.after, end, PATROL_PAGES)[0] if end else None
    far = None
    if more or any(unit >= clock.far_from for unit in cursor.marks):
        far, _ = _stretch(pages, cursor.far.after or folder_of(clock.far_from), "", FAR_PAGES)
    listing = Listing(recent, patrol, far)
    if shows_nothing(cursor, listing, clock) and not pages.page("").objects:
        raise ObjectsVanishedError(
            f"{cursor.objects} objects were known and the listing is empty: check the bucket and its path; "
            "if the stream was cleared on purpose, reset this sensor's cursor and rebuild its model with --full-refresh"
        )
    return decide(cursor, listing, clock)


def _stretch(pages: Pages, after: str, end: str, most: int) -> tuple[Stretch, bool]:
    """Up to `most` pages of the objects after one key and before another (no end when that is empty).

    The second value is whether objects were seen from the end on.
    """
    objects: list[StoredObject] = []
    for _ in range(most):
        page = pages.page(after)
        inside = [one for one in page.objects if not end or one.key < end]
        objects += inside
        beyond = len(inside) < len(page.objects)
        if not page.more or beyond:
            return Stretch(objects, complete=True), beyond
        after = page.objects[-1].key
    return Stretch(objects, complete=False), False
