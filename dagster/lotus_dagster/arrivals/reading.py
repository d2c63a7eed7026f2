"""Decide which files a dbt run reads, and whether its model starts over. Pure; no other module decides it.

A file is its key, ETag and size. A run reads the files whose identities its model has not read. A model's rows do not
say which file they come from, so a model whose files were overwritten or removed starts over in the same transaction,
from the files that are there.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from lotus_dagster.arrivals.partitions import day_of, folder_of
from lotus_dagster.environment import EXPIRE_RAW_DAYS
from lotus_infra.errors import LotusError

# Airbyte's clock dates the rows and the bucket's clock the files.
_CLOCKS_APART = timedelta(days=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


class ReadingError(LotusError):
    """A run is refused before it reads a file."""


class Identity(NamedTuple):
    """One version of one file.

    Attributes:
        file: Its key below the landing zone: `raw/shopify/orders/year=2026/month=01/day=05/part_0.parquet`.
        etag: Of S3; of a file in a folder, its modification time in nanoseconds. None of a file that was released from
            quarantine and not read since: no version has it.
        size: In bytes.
    """

    file: str
    etag: str | None
    size: int


class StoredFile(NamedTuple):
    """A file of the landing zone.

    Attributes:
        file: As of `Identity`.
        etag: As of `Identity`.
        size: As of `Identity`.
        modified: When it was written, by the server's clock.
    """

    file: str
    etag: str
    size: int
    modified: datetime

    @property
    def identity(self) -> Identity:
        """The version of the file."""
        return Identity(self.file, self.etag, self.size)


class KnownFile(NamedTuple):
    """A file that a model has read.

    Attributes:
        file: As of `Identity`.
        etag: None in tables of the version before, which kept names alone: the file is what it is now, unless it was
            written after `read_at`.
        size: None where `etag` is.
        modified: None where `etag` is.
        read_at: When it was read, or the time of a later commit; None if that is not known.
        traced: Whether the lake still knows which rows came from it: it was read where files expire, and has not yet
            expired.
    """

    file: str
    etag: str | None
    size: int | None
    modified: datetime | None
    read_at: datetime | None = None
    traced: bool | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a run was asked for.

    Attributes:
        prefix: The stream's prefix, such as `raw/shopify/orders/`.
        units: The days and months to look at; everything if empty.
        batch: The new files to read, no others; None for all.
        expires_after: How long the bucket keeps files; None if it does not delete them.
        full_refresh: The model is made from scratch.
        now: By the clock of this machine.
    """

    prefix: str
    units: tuple[str, ...] = ()
    batch: frozenset[Identity] | None = None
    expires_after: timedelta | None = None
    full_refresh: bool = False
    now: datetime = _NEVER


@dataclass(frozen=True, slots=True)
class Reading:
    """What a run does.

    Attributes:
        files: The files to read, sorted.
        rebuild: The rows that the model has, and the files that it has read, are deleted first.
        keep_until: A rebuild keeps rows that can't be traced to a file if they were extracted up to then; none if None.
        traced: A rebuild keeps all rows that can't be traced to a file: all those files have expired.
        expired: The files of which the rows are kept, because the bucket has expired them; without a rebuild, those
            that had not expired at the last look.
        adopted: Files whose names were read already, with the identities that they have now.
        released: Files that are no longer in quarantine, because they were overwritten or removed.
    """

    files: tuple[StoredFile, ...] = ()
    rebuild: bool = False
    keep_until: datetime | None = None
    traced: bool = False
    expired: tuple[str, ...] = ()
    adopted: tuple[StoredFile, ...] = ()
    released: tuple[str, ...] = ()


Lister = Callable[[Sequence[str]], Iterable[StoredFile]]
"""Lists days and months of a stream; everything for none."""


def reading(request: Request, known: Iterable[KnownFile], quarantined: Iterable[Identity], listed: Lister) -> Reading:
    """What a run has to do.

    Args:
        request: What it was asked for.
        known: The files that its model has read.
        quarantined: The versions of files that its model must not read.
        listed: Lists the landing zone.

    Raises:
        ReadingError: All files of the model are gone, or a model made from scratch would lose rows.
        ListingError: The landing zone can't be listed.
    """
    books = _Books(request, {one.file: one for one in known}, frozenset(quarantined))
    units = () if request.full_refresh else units_to_list(request.units, books.known.values(), books.quarantined)
    here = _Comparison(books, {one.file: one for one in listed(units)}, units)
    if request.full_refresh:
        return _from_scratch(here)
    if here.overwritten or here.removed:
        return _rebuild(here if not units else _Comparison(books, {one.file: one for one in listed(())}, ()))
    finished = tuple(one.file for one in here.expired if one.traced)
    return Reading(
        files=here.new,
        traced=bool(finished) and books.are_traced,
        expired=finished,
        adopted=here.adopted,
        released=here.released,
    )


def units_to_list(
    units: Sequence[str], known: Collection[KnownFile], quarantined: Collection[Identity]
) -> tuple[str, ...]:
    """The units that a run lists: those that it was asked for, and those of files that were released from quarantine.

    Everything for a model that has read no file: whoever asks for units knows of others that an earlier table has read.
    """
    if not units or not known:
        return ()
    released = {_day(one.file) for one in quarantined if one.etag is None}
    return (*units, *sorted(filter(None, released)))


def unread(
    known: Iterable[KnownFile], quarantined: Iterable[Identity], listed: Iterable[StoredFile]
) -> tuple[StoredFile, ...]:
    """The files that a run would read if nothing was overwritten or removed, and new versions of those that were."""
    books = _Books(Request(""), {one.file: one for one in known}, frozenset(quarantined))
    return _Comparison(books, {one.file: one for one in listed}, ()).new


@dataclass(frozen=True, slots=True)
class _Books:
    request: Request
    known: Mapping[str, KnownFile]
    quarantined: frozenset[Identity]

    def is_read(self, one: StoredFile) -> bool:
        known = self.known.get(one.file)
        if known is None:
            return False
        if known.etag is None:
            return known.read_at is None or one.modified <= known.read_at
        return (known.etag, known.size) == (one.etag, one.size)

    def may_read(self, one: StoredFile) -> bool:
        batch = self.request.batch
        return one.identity not in self.quarantined and (batch is None or one.identity in batch or self.is_read(one))

    @property
    def are_traced(self) -> bool:
        """Whether the rows that can't be traced to a file are those of expired files."""
        return all(one.traced or self.has_expired(one) for one in self.known.values())

    def has_expired(self, one: KnownFile) -> bool:
        """Whether the bucket's lifecycle may have deleted a file."""
        after = self.request.expires_after
        written = _written(one)
        return after is not None and written is not None and written + after <= self.request.now


class _Comparison:
    """What was listed of some units, compared with the books."""

    def __init__(self, books: _Books, listed: Mapping[str, StoredFile], units: Sequence[str]) -> None:
        self.books, self.listed = books, listed
        inside = [one for one in books.known.values() if _is_inside(one.file, books.request.prefix, units)]
        gone = [one for one in inside if one.file not in listed]
        self.readable = tuple(one for _, one in sorted(listed.items()) if books.may_read(one))
        self.new = tuple(one for one in self.readable if not books.is_read(one))
        self.overwritten = tuple(one for one in self.new if one.file in books.known)
        self.expired = tuple(one for one in gone if books.has_expired(one))
        # What was read is gone too where the version that is there now is in quarantine.
        put_aside = [one for one in inside if one.file in listed and listed[one.file].identity in books.quarantined]
        self.removed = (*(one for one in gone if not books.has_expired(one)), *put_aside)
        named = (listed[one.file] for one in inside if one.etag is None and one.file in listed)
        self.adopted = tuple(one for one in named if books.is_read(one))
        readable = {one.file for one in self.readable}
        stale = (
            one.file
            for one in books.quarantined
            if _is_inside(one.file, books.request.prefix, units)
            and (
                one.file not in listed
                or (listed[one.file].identity != one if one.etag is not None else one.file in readable)
            )
        )
        self.released = tuple(sorted(set(stale)))


def _rebuild(everything: _Comparison) -> Reading:
    books, expired = everything.books, everything.expired
    if everything.removed and not everything.listed:
        raise ReadingError(
            f"refused: the landing zone has none of the {len(books.known)} files below {books.request.prefix}"
            " that were read",
            "check LOTUS_LANDING; if the stream was cleared on purpose, run its model with --full-refresh",
        )
    return Reading(
        files=everything.readable,
        rebuild=True,
        keep_until=max(filter(None, map(_written, expired))) + _CLOCKS_APART if expired else None,
        traced=bool(expired) and books.are_traced,
        expired=tuple(one.file for one in expired),
        released=everything.released,
    )


def _from_scratch(everything: _Comparison) -> Reading:
    if everything.expired:
        raise ReadingError(
            f"refused: {len(everything.expired)} files that were read have expired, such as"
            f" {everything.expired[0].file}:"
            " made from scratch, the model would lose their rows",
            f"run without --full-refresh, or set {EXPIRE_RAW_DAYS}= for this run to lose them",
        )
    return Reading(files=everything.readable, released=everything.released)


def _written(one: KnownFile) -> datetime | None:
    """When a file was written; the end of its day where only its name was kept, None where that has no day."""
    day = _day(one.file)
    if one.modified is not None or day is None:
        return one.modified
    return datetime.combine(date.fromisoformat(day), time.max, UTC)


def _day(file: str) -> str | None:
    return day_of("/".join(file.split("/")[-4:]))


def _is_inside(file: str, prefix: str, units: Sequence[str]) -> bool:
    """Whether a file lies in what was listed."""
    return not units or file.removeprefix(prefix).startswith(tuple(map(folder_of, units)))
