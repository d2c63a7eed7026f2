"""One tick of a sensor with ten new objects among many: list requests, counted exactly, and time.

Three ways: `ours`; `first-page`, one page and no more, which is what the lake had before; `full`, every page each time.
Usage: `python benchmarks/sensor.py --objects 1000 --objects 100000 [--json]`. The listing is in memory and pages as S3
does: a thousand keys in UTF-8 order after a key. `found` counts how many of the ten new objects a way could see.
"""

import argparse
import json
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from lotus_dagster.arrivals.cursor import Cursor, read_cursor, write_cursor
from lotus_dagster.arrivals.decide import Clock
from lotus_dagster.arrivals.look import Page, look
from lotus_dagster.arrivals.partitions import StoredObject, mark_of

PAGE = 1_000
A_DAY = 500
NEW = 10
NOW = Clock(date(2100, 1, 1))
"""After all days of the keys."""

Ways = dict[str, Callable[["Bucket", str], int]]


class Bucket:
    """Keys in memory, listed as S3 lists them, with every request counted."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.requests = 0

    def put(self, keys: Iterable[str]) -> None:
        """Add keys."""
        self.keys = sorted({*self.keys, *keys})

    def page(self, after: str) -> Page:
        """One request: up to a thousand objects after a key."""
        self.requests += 1
        start = bisect_right(self.keys, after)
        found = [StoredObject(key, "etag", 1) for key in self.keys[start : start + PAGE]]
        return Page(found, start + PAGE < len(self.keys))


def key(number: int) -> str:
    """The key of the n-th object; five hundred lie in a day."""
    day = date(2020, 1, 1) + timedelta(days=number // A_DAY)
    return f"year={day:%Y}/month={day:%m}/day={day:%d}/part_{number % A_DAY}.parquet"


def settled(bucket: Bucket) -> str:
    """The cursor once everything that is there has been handed out."""
    cursor: Cursor = read_cursor(None)
    while True:
        decision = look(bucket, cursor, NOW)
        cursor = decision.cursor
        if decision.batch is None and cursor.recent_from:
            return write_cursor(cursor)


def ours(bucket: Bucket, cursor: str) -> int:
    """How many new objects our sensor's tick finds."""
    known = read_cursor(cursor)
    batch = look(bucket, known, NOW).batch
    units = batch.units if batch is not None else ()
    before = sum(known.marks[unit].objects for unit in units if unit in known.marks)
    return batch.objects - before if batch is not None else 0


def first_page(bucket: Bucket, cursor: str) -> int:
    """How many new objects the first thousand keys show."""
    return _unknown(bucket.page("").objects, cursor)


def full(bucket: Bucket, cursor: str) -> int:
    """How many new objects all keys show."""
    objects: list[StoredObject] = []
    more, after = True, ""
    while more:
        page = bucket.page(after)
        objects += page.objects
        more, after = page.more, page.objects[-1].key
    return _unknown(objects, cursor)


def _unknown(objects: Iterable[StoredObject], cursor: str) -> int:
    return max(0, sum(mark_of(one).objects for one in objects) - read_cursor(cursor).objects)


def measure(objects: int, ways: Ways) -> list[dict[str, str | int | float]]:
    """The rows of one size."""
    bucket = Bucket()
    bucket.put(key(number) for number in range(objects))
    cursor = settled(bucket)
    bucket.put(key(number) for number in range(objects, objects + NEW))
    rows: list[dict[str, str | int | float]] = []
    for name, way in ways.items():
        bucket.requests, began = 0, time.perf_counter()
        found = way(bucket, cursor)
        seconds = round(time.perf_counter() - began, 6)
        rows.append({"way": name, "objects": objects, "requests": bucket.requests, "seconds": seconds, "found": found})
    return rows


def main() -> int:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, action="append", help="objects before the ten new ones; repeatable")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    ways: Ways = {"ours": ours, "first-page": first_page, "full": full}
    rows = [row for objects in options.objects or [1_000, 100_000, 1_000_000] for row in measure(objects, ways)]
    if options.json:
        print(json.dumps({"benchmark": "sensor", "new_objects": NEW, "rows": rows}, indent=2))
    else:
        for row in rows:
            print("  ".join(f"{name} {value}" for name, value in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
