"""Partitions of a stream's files and the units that they are counted in.

A partition is a day, `2026-01-05`; an old month is counted as one, `2025-11`. Both sort as text in the order of time,
across years too, and so do their keys on S3, because month and day are padded. Nothing here looks at a clock.
"""

import re
from datetime import date, datetime
from hashlib import blake2b
from typing import NamedTuple

from lotus_infra import naming

_UNIT = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
_DIGESTS = 2**64


class StoredObject(NamedTuple):
    """An object of a listing.

    Attributes:
        key: Below the stream's prefix: `year=2026/month=01/day=05/part_0.parquet`.
        etag: Changes when the content does.
        size: In bytes.
        modified: When it was written, by the server's clock; None where it makes no difference.
    """

    key: str
    etag: str
    size: int
    modified: datetime | None = None


class Mark(NamedTuple):
    """What a unit held when it was last looked at.

    Attributes:
        objects: How many.
        digest: The sum of the objects' hashes, so that neither the order nor the number of pages matters.
    """

    objects: int = 0
    digest: int = 0

    def plus(self, other: "Mark") -> "Mark":
        """The mark of both units together."""
        return Mark(self.objects + other.objects, (self.digest + other.digest) % _DIGESTS)


def mark_of(stored: StoredObject) -> Mark:
    """The mark of one object: its name and its content, so that a rewritten object differs."""
    text = f"{stored.key}\n{stored.etag}\n{stored.size}".encode()
    return Mark(1, int.from_bytes(blake2b(text, digest_size=8).digest()))


def day_of(key: str) -> str | None:
    """The day that a key lies in; None for what is no Parquet file in the lake's layout, on a day of the calendar."""
    found = naming.LANDED_FILE.fullmatch(key)
    day = "-".join(found.groups()) if found is not None else ""
    return day if is_unit(day) else None


def is_unit(text: str) -> bool:
    """Whether a text is a day or a month of the calendar: `2026-01-05`, `2025-11`."""
    if _UNIT.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text if len(text) > len("2025-11") else f"{text}-01")
    except ValueError:
        return False
    return True


def unit_of(day: str, months_before: str) -> str:
    """The unit that a day is counted in: its month when it lies before the month `months_before`, else itself."""
    return day[:7] if day[:7] < months_before else day


def month_before(day: str) -> str:
    """The month before a day's own: `2026-01-05` gives `2025-12`."""
    year, month = int(day[:4]), int(day[5:7])
    return f"{year - 1:04}-12" if month == 1 else f"{year:04}-{month - 1:02}"


def folder_of(unit: str) -> str:
    """Where a unit's keys begin: `2026-01-05` gives `year=2026/month=01/day=05/`."""
    names = ("year", "month", "day")
    return "".join(f"{name}={part}/" for name, part in zip(names, unit.split("-"), strict=False))
