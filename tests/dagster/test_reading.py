"""Which files a run reads, and when a model starts over: decisions on literals, and on any order of events."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lotus_dagster.arrivals.reading import (
    Identity,
    KnownFile,
    Reading,
    ReadingError,
    Request,
    StoredFile,
    reading,
    unread,
)

PREFIX = "raw/shop/orders/"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
A, B, C = (f"{PREFIX}year=2026/month=05/day=0{day}/part_0.parquet" for day in (1, 2, 3))
OLD = f"{PREFIX}year=2025/month=01/day=31/part_0.parquet"


def stored(file: str, etag: str = "1", modified: datetime = NOW) -> StoredFile:
    return StoredFile(file, etag, 10, modified)


def known(*files: StoredFile) -> list[KnownFile]:
    return [KnownFile(*one) for one in files]


def by_name(*files: str) -> list[KnownFile]:
    """Of a table that the version before made."""
    return [KnownFile(file, None, None, None) for file in files]


def decided(  # noqa: PLR0917
    listed: Iterable[StoredFile],
    known: Iterable[KnownFile] = (),
    quarantined: Iterable[StoredFile] = (),
    units: Sequence[str] = (),
    batch: Iterable[StoredFile] | None = None,
    expires: int | None = None,
    *,
    full_refresh: bool = False,
) -> Reading:
    there = list(listed)

    def lister(asked: Sequence[str]) -> list[StoredFile]:
        folders = tuple(
            "".join(f"{n}={p}/" for n, p in zip(("year", "month", "day"), one.split("-"), strict=False))
            for one in asked
        )
        return [one for one in there if not asked or one.file.removeprefix(PREFIX).startswith(folders)]

    only = None if batch is None else frozenset(one.identity for one in batch)
    after = None if expires is None else timedelta(days=expires)
    request = Request(PREFIX, tuple(units), only, after, full_refresh, NOW)
    return reading(request, known, [one.identity for one in quarantined], lister)


def test_new_files_are_read_and_known_ones_are_not() -> None:
    assert decided([stored(A), stored(B)], known(stored(A))) == Reading(files=(stored(B),))


@pytest.mark.parametrize("changed", [stored(A, "2"), StoredFile(A, "1", 11, NOW)])
def test_an_overwritten_file_makes_the_model_start_over(changed: StoredFile) -> None:
    found = decided([changed, stored(B)], known(stored(A), stored(B)))
    assert (found.rebuild, found.files, found.keep_until) == (True, (changed, stored(B)), None)


def test_a_removed_file_makes_the_model_start_over() -> None:
    found = decided([stored(B)], known(stored(A), stored(B)))
    assert (found.rebuild, found.files) == (True, (stored(B),))


def test_a_model_that_starts_over_reads_other_days_too() -> None:
    found = decided([stored(A, "2"), stored(B), stored(C)], known(stored(A), stored(B)), units=["2026-05-01"])
    assert [one.file for one in found.files] == [A, B, C]


@pytest.mark.parametrize("units", [["2026-05-02"], ["2026-05-02", "2025-01"]])
def test_what_lies_outside_of_the_units_is_not_gone(units: list[str]) -> None:
    assert decided([stored(B)], known(stored(A)), units=units) == Reading(files=(stored(B),))


def test_a_name_without_an_identity_was_overwritten_if_the_file_is_younger_than_its_reading() -> None:
    names = [KnownFile(one, None, None, None, NOW) for one in (A, B)]
    later = stored(A, "7", NOW + timedelta(seconds=1))
    found = decided([later, stored(B)], names)
    assert (found.rebuild, found.files, found.adopted) == (True, (later, stored(B)), ())
    found = decided([stored(A), stored(B)], names)
    assert (found.rebuild, found.files, found.adopted) == (False, (), (stored(A), stored(B)))
    assert decided([later, stored(B)], names, batch=[]).adopted == (stored(B),)


def test_a_name_without_an_identity_adopts_that_of_today() -> None:
    found = decided([stored(A, "7"), stored(B)], by_name(A))
    assert (found.rebuild, found.files, found.adopted) == (False, (stored(B),), (stored(A, "7"),))


def test_a_file_in_quarantine_is_passed_over_until_it_is_overwritten() -> None:
    bad = stored(B)
    assert decided([stored(A), bad], known(stored(A)), [bad]) == Reading()
    repaired = decided([stored(A), stored(B, "2")], known(stored(A)), [bad])
    assert (repaired.rebuild, repaired.files, repaired.released) == (False, (stored(B, "2"),), (B,))


def test_a_bad_version_of_a_file_makes_the_model_start_over_without_it_as_any_later_rebuild_does() -> None:
    bad = stored(A, "2")
    found = decided([bad, stored(B)], known(stored(A), stored(B)), [bad])
    assert (found.rebuild, found.files, found.released) == (True, (stored(B),), ())
    assert decided([bad, stored(B)], known(stored(B)), [bad]) == Reading()
    assert decided([bad, stored(B)], known(bad, stored(B)), [bad]) == found  # put aside after it was read


def test_a_file_in_quarantine_that_is_removed_leaves_it() -> None:
    assert decided([stored(A)], known(stored(A)), [stored(B)]) == Reading(released=(B,))
    assert decided([stored(A)], known(stored(A)), [stored(B)], units=["2026-05-01"]) == Reading()


def test_a_batch_has_the_new_files_that_may_be_read() -> None:
    listed = [stored(A), stored(B), stored(C)]
    assert decided(listed, known(stored(A)), batch=[]) == Reading()
    assert decided(listed, known(stored(A)), batch=[stored(C), stored(B, "2")]).files == (stored(C),)


def test_an_overwritten_file_outside_of_the_batch_keeps_its_old_rows() -> None:
    assert decided([stored(A, "2"), stored(B)], known(stored(A)), batch=[]) == Reading()


@pytest.mark.parametrize("full_refresh", [True, False])
def test_a_model_that_starts_over_reads_known_files_and_those_of_the_batch(*, full_refresh: bool) -> None:
    listed = [stored(A), stored(C)]
    before = known(stored(A), stored(B))
    assert decided(listed, before, batch=[], full_refresh=full_refresh).files == (stored(A),)
    assert decided(listed, before, batch=[stored(C)], full_refresh=full_refresh).files == (stored(A), stored(C))


def test_expired_files_are_not_removed() -> None:
    old = stored(OLD, modified=NOW - timedelta(days=31))
    assert decided([stored(A)], known(old, stored(A)), expires=31) == Reading()
    assert decided([stored(A)], known(old, stored(A)), expires=32).rebuild
    assert decided([stored(A)], known(old, stored(A))).rebuild


def test_the_day_of_a_name_without_an_identity_tells_whether_it_has_expired() -> None:
    assert decided([stored(A)], [*by_name(OLD), *known(stored(A))], expires=120) == Reading()
    assert decided([stored(B)], [*by_name(A), *known(stored(B))], expires=120).rebuild


def test_a_model_that_starts_over_keeps_what_has_expired() -> None:
    old = stored(OLD, modified=NOW - timedelta(days=40))
    found = decided([stored(A, "2")], known(old, stored(A)), expires=31)
    assert found.rebuild
    assert (found.expired, found.keep_until) == ((OLD,), NOW - timedelta(days=39))


def test_a_model_from_scratch_would_lose_what_has_expired() -> None:
    old = stored(OLD, modified=NOW - timedelta(days=40))
    with pytest.raises(ReadingError, match=r"refused: 1 files that were read have expired, such as .*day=31/part_0"):
        decided([stored(A)], known(old, stored(A)), expires=31, full_refresh=True)
    assert decided([stored(A)], known(old, stored(A)), full_refresh=True).files == (stored(A),)


def test_a_landing_zone_without_any_file_does_not_empty_a_model() -> None:
    with pytest.raises(ReadingError, match=r"refused: the landing zone has none of the 1 files.*check LOTUS_LANDING"):
        decided([], known(stored(A)))
    with pytest.raises(ReadingError, match="refused"):
        decided([], known(stored(A)), units=["2026-05"])
    assert decided([], known(stored(A)), full_refresh=True) == Reading()
    assert decided([], known(stored(OLD, modified=NOW - timedelta(days=40))), expires=31) == Reading()


def test_unread_files_are_those_that_a_run_would_read() -> None:
    listed = [stored(C), stored(B, "2"), stored(A)]
    assert unread(known(stored(A), stored(B)), [], listed) == (stored(B, "2"), stored(C))
    assert unread(known(stored(A), stored(B)), [Identity(B, "2", 10)], listed) == (stored(C),)


FILES = st.dictionaries(st.sampled_from([A, B, C, OLD]), st.sampled_from("123"), max_size=4)


@given(
    worlds=st.lists(
        st.tuples(FILES, FILES, st.sampled_from([(), ("2026-05",), ("2026-05-02", "2025-01")]), st.booleans()),
        max_size=6,
    )
)
def test_after_any_events_a_run_leaves_what_the_landing_zone_has(
    worlds: list[tuple[dict[str, str], dict[str, str], tuple[str, ...], bool]],
) -> None:
    """A model is the identities that it has read; each world is overwritten, partly bad, and looked at in part."""
    model: dict[str, StoredFile] = {}

    def run(
        listed: list[StoredFile], bad: list[StoredFile], units: Sequence[str], batch: list[StoredFile] | None
    ) -> None:
        found = decided(listed, known(*model.values()), bad, units, batch)
        if found.rebuild:
            model.clear()
        assert not model.keys() & {one.file for one in found.files}  # no file is read twice
        model.update({one.file: one for one in found.files})

    for there, bad_ones, units, in_halves in worlds:
        listed, bad = ([stored(*one) for one in files.items()] for files in (there, bad_ones))
        if model and not listed:
            continue
        for batch in (listed[: len(listed) // 2], []) if in_halves else ():
            run(listed, bad, units, batch)
        run(listed, bad, units, None)
        run(listed, bad, (), None)
        right = {one.file: one for one in listed if one not in bad}
        assert model == right
        run(listed, [], (), None)
        assert model == {one.file: one for one in listed}


def test_a_released_file_is_listed_with_the_units_of_a_run_until_it_is_read() -> None:
    released = Identity(A, None, 1)
    units: list[str] = []

    def listed(asked: Sequence[str]) -> list[StoredFile]:
        units[:] = asked
        return [stored(A), stored(B)]

    def read(*batch: Identity, all_files: bool = True) -> Reading:
        request = Request(PREFIX, ("2026-02",), None if all_files else frozenset(batch))
        return reading(request, known(stored(B)), [released], listed)

    assert read(all_files=False).released == ()
    assert (read().files, read().released) == ((stored(A),), (A,))
    assert units == ["2026-02", "2026-05-01"]
