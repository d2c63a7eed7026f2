"""One look at a stream's files: lists what the cursor asks for, in at most `MOST_REQUESTS` requests, and decides.

Keys come in pages, in their order, from any `Pages`.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from lotus_dagster.arrivals.cursor import Cursor
from lotus_dagster.arrivals.decide import Decision, Listing, Stretch, decide, patrol_end, recent_start
from lotus_dagster.arrivals.partitions import StoredObject

RECENT_PAGES = 4
PATROL_PAGES = 1
MOST_REQUESTS = RECENT_PAGES + PATROL_PAGES


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


def look(pages: Pages, cursor: Cursor) -> Decision:
    """Take one look.

    Raises:
        ListingError: The listing failed; nothing may be concluded from it.
        ObjectsVanishedError: Objects were known, and the listing shows none.
    """
    recent = _stretch(pages, recent_start(cursor), "", RECENT_PAGES)
    end = patrol_end(cursor)
    patrol = _stretch(pages, cursor.patrol.after, end, PATROL_PAGES) if end else None
    return decide(cursor, Listing(recent, patrol))


def _stretch(pages: Pages, after: str, end: str, most: int) -> Stretch:
    """Up to `most` pages of the objects after one key and before another; no end when that is empty."""
    objects: list[StoredObject] = []
    for _ in range(most):
        page = pages.page(after)
        inside = [one for one in page.objects if not end or one.key < end]
        objects += inside
        if not page.more or len(inside) < len(page.objects):
            return Stretch(objects, complete=True)
        after = page.objects[-1].key
    return Stretch(objects, complete=False)
