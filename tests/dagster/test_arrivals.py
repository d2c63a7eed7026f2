"""What a sensor decides, on a bucket in memory that lists as S3 does."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lotus_dagster.arrivals.cursor import Cursor, read_cursor, write_cursor
from lotus_dagster.arrivals.decide import MOST_REPORTED, Clock, Decision
from lotus_dagster.arrivals.look import MOST_REQUESTS, ObjectsVanishedError, Page, look
from lotus_dagster.arrivals.partitions import StoredObject, month_before

NOW = Clock(date(2026, 2, 2))


class Bucket:
    def __init__(self, page_size: int = 1_000) -> None:
        self.objects: dict[str, StoredObject] = {}
        self.page_size = page_size
        self.requests = 0

    def put(self, day: str, *parts: int, etag: str = "first") -> None:
        year, month, date = day.split("-")
        for part in parts:
            key = f"year={year}/month={month}/day={date}/part_{part}.parquet"
            self.objects[key] = StoredObject(key, etag, 10)

    def remove(self, day: str, part: int) -> None:
        year, month, date = day.split("-")
        del self.objects[f"year={year}/month={month}/day={date}/part_{part}.parquet"]

    def page(self, after: str) -> Page:
        self.requests += 1
        keys = sorted(self.objects)
        start = bisect_right(keys, after)
        found = [self.objects[key] for key in keys[start : start + self.page_size]]
        return Page(found, start + self.page_size < len(keys))

    def tick(self, cursor: Cursor, clock: Clock = NOW) -> Decision:
        self.requests = 0
        decision = look(self, cursor, clock)
        assert self.requests <= MOST_REQUESTS
        assert read_cursor(write_cursor(decision.cursor)) == decision.cursor
        return decision


def fresh() -> Cursor:
    return Cursor(lineage="test")


def units_of(decision: Decision) -> tuple[str, ...]:
    return decision.batch.units if decision.batch is not None else ()


def ticks(bucket: Bucket, cursor: Cursor, number: int, clock: Clock = NOW) -> tuple[list[Decision], Cursor]:
    made = []
    for _ in range(number):
        made.append(bucket.tick(cursor, clock))
        cursor = made[-1].cursor
    return made, cursor


def first_page_sensor(bucket: Bucket, last_key: str) -> bool:
    """The sensor that the lake had: one page of keys, and new is what sorts after the last key seen."""
    return any(one.key > last_key for one in bucket.page("").objects)


def test_a_stream_without_files_is_built_once_for_the_marts_that_wait_for_it() -> None:
    first = Bucket().tick(fresh())
    assert first.batch is not None
    assert (first.batch.units, first.batch.objects) == ((), 0)
    assert Bucket().tick(first.cursor).batch is None


def test_the_first_files_after_the_empty_build_are_handed_out() -> None:
    bucket = Bucket()
    empty = bucket.tick(fresh())
    bucket.put("2026-01-05", 0)
    first = bucket.tick(empty.cursor)
    assert units_of(first) == ("2026-01-05",)
    assert first.batch is not None
    assert empty.batch is not None
    assert first.batch.key != empty.batch.key


def test_first_files_ask_for_a_run_once() -> None:
    bucket = Bucket()
    bucket.put("2026-01-05", 0, 1)
    first = bucket.tick(fresh())
    assert units_of(first) == ("2026-01-05",)
    assert bucket.tick(first.cursor).batch is None


def test_a_file_past_the_first_thousand_is_seen() -> None:
    bucket = Bucket()
    bucket.put("2026-01-05", *range(1_100))
    _, cursor = ticks(bucket, fresh(), 3)
    last_of_first_page = bucket.page("").objects[-1].key
    bucket.put("2026-01-06", 0)
    assert not first_page_sensor(bucket, last_of_first_page)
    assert units_of(bucket.tick(cursor)) == ("2026-01-06",)


def test_part_10_is_seen_although_it_sorts_before_part_2() -> None:
    bucket = Bucket()
    bucket.put("2026-01-05", *range(10))
    first = bucket.tick(fresh())
    bucket.put("2026-01-05", 10)
    assert not first_page_sensor(bucket, max(key for key in bucket.objects if "part_9" in key))
    assert units_of(bucket.tick(first.cursor)) == ("2026-01-05",)


def test_files_of_a_new_year_are_seen() -> None:
    bucket = Bucket()
    bucket.put("2025-12-31", 0)
    first = bucket.tick(fresh())
    bucket.put("2026-01-01", 0)
    assert units_of(bucket.tick(first.cursor)) == ("2026-01-01",)
    assert month_before("2026-01-01") == "2025-12"


@pytest.mark.parametrize("late", ["2019-03-04", "2025-10-02", "2025-12-24", "2026-01-04", "2026-01-05"])
def test_a_file_that_arrives_late_in_any_old_partition_is_seen(late: str) -> None:
    bucket = Bucket(page_size=3)
    for day in ("2025-10-01", "2025-10-02", "2025-11-30", "2025-12-24", "2025-12-31", "2026-01-05"):
        bucket.put(day, 0, 1)
    _, cursor = ticks(bucket, fresh(), 12)
    bucket.put(late, 7)
    decisions, cursor = ticks(bucket, cursor, 12)
    batches = [one.batch for one in decisions if one.batch is not None]
    assert [batch.units for batch in batches] in ([(late,)], [(late[:7],)])


def test_the_day_of_a_vanished_file_is_handed_out() -> None:
    bucket = Bucket(page_size=3)
    for day in ("2025-10-01", "2025-11-30", "2025-12-24", "2025-12-31", "2026-01-05"):
        bucket.put(day, 0, 1)
    _, cursor = ticks(bucket, fresh(), 12)
    bucket.remove("2025-12-24", 0)
    bucket.remove("2025-12-24", 1)
    decisions, _ = ticks(bucket, cursor, 12)
    assert [units_of(one) for one in decisions if one.batch is not None] == [("2025-12-24",)]


@pytest.mark.parametrize("later", [(), (1,)], ids=["alone", "with a later file"])
def test_the_day_of_an_overwritten_file_is_handed_out(later: tuple[int, ...]) -> None:
    bucket = Bucket()
    bucket.put("2026-01-05", 0)
    first = bucket.tick(fresh())
    bucket.put("2026-01-05", 0, etag="second")
    bucket.put("2026-01-05", *later)
    assert units_of(bucket.tick(first.cursor)) == ("2026-01-05",)


def test_a_bucket_that_shows_nothing_any_more_is_an_error() -> None:
    bucket = Bucket()
    bucket.put("2025-11-05", 0)
    bucket.put("2026-01-05", 0)
    _, cursor = ticks(bucket, fresh(), 2)
    with pytest.raises(ObjectsVanishedError, match="2 objects were known"):
        Bucket().tick(cursor)


def in_the_middle_of_a_patrol() -> tuple[Bucket, Cursor]:
    """A bucket of six files, and the cursor after looks that have not yet seen all old ones again."""
    bucket = Bucket(page_size=2)
    for day in ("2025-11-01", "2025-11-02", "2025-11-03", "2025-12-30", "2026-01-04", "2026-01-05"):
        bucket.put(day, 0)
    _, cursor = ticks(bucket, fresh(), 4)
    while not cursor.patrol.after:
        cursor = bucket.tick(cursor).cursor
    return bucket, cursor


def test_a_bucket_that_shows_nothing_in_the_middle_of_a_patrol_is_an_error_too() -> None:
    _, cursor = in_the_middle_of_a_patrol()
    with pytest.raises(ObjectsVanishedError, match="6 objects were known"):
        Bucket().tick(cursor)


def test_old_files_that_are_left_are_no_error_when_all_later_ones_vanish() -> None:
    bucket, cursor = in_the_middle_of_a_patrol()
    for day in ("2025-11-03", "2025-12-30", "2026-01-04", "2026-01-05"):
        bucket.remove(day, 0)
    decisions, cursor = ticks(bucket, cursor, 6)
    handed_out = {unit for one in decisions for unit in units_of(one)}
    assert handed_out == {"2025-11", "2025-12-30", "2026-01-04", "2026-01-05"}
    assert cursor.objects == 2


def test_a_day_that_is_gone_asks_for_a_run_however_old_it_is() -> None:
    """A late file in an old partition is younger than its day: only the model knows whether it has expired."""
    bucket = Bucket()
    for day in ("2025-09-30", "2025-11-04", "2025-12-30", "2026-01-05"):
        bucket.put(day, 0)
    _, cursor = ticks(bucket, fresh(), 4)
    bucket.remove("2025-09-30", 0)
    bucket.remove("2025-11-04", 0)
    decisions, after = ticks(bucket, cursor, 4, NOW._replace(expire_days=63))
    assert {unit for one in decisions for unit in units_of(one)} == {"2025-09", "2025-11"}
    assert after.objects == 2


def test_a_stream_whose_files_are_all_past_their_age_is_no_error_when_they_are_gone() -> None:
    bucket = Bucket()
    bucket.put("2025-09-30", 0)
    _, cursor = ticks(bucket, fresh(), 2)
    decision = Bucket().tick(cursor, NOW._replace(expire_days=30))
    assert units_of(decision) == ("2025-09-30",)
    assert decision.cursor.objects == 0


FAR = "2098-01-01"


def test_a_date_far_from_now_delays_no_file_of_today() -> None:
    bucket = Bucket(page_size=2)
    for day in ("2025-12-30", "2026-01-31", "2026-02-01"):
        bucket.put(day, 0)
    bucket.put(FAR, *range(20))
    _, cursor = ticks(bucket, fresh(), 30)
    assert cursor.objects == 23
    bucket.put("2026-02-02", 0)
    assert units_of(bucket.tick(cursor)) == ("2026-02-02",)


def test_files_far_from_now_are_handed_out_and_missed_when_they_vanish() -> None:
    bucket = Bucket(page_size=2)
    bucket.put("2026-02-01", 0)
    bucket.put(FAR, *range(5))
    decisions, cursor = ticks(bucket, fresh(), 10)
    assert {unit for one in decisions for unit in units_of(one)} == {"2026-02-01", FAR}
    for part in range(5):
        bucket.remove(FAR, part)
    decisions, cursor = ticks(bucket, cursor, 10)
    # Once for the half of it that a walk had seen before, and once for the rest.
    assert [units_of(one) for one in decisions if one.batch is not None] in ([(FAR,)], [(FAR,), (FAR,)])
    assert cursor.objects == 1


def test_days_become_near_without_being_read_twice() -> None:
    bucket = Bucket()
    bucket.put("2026-02-01", 0)
    bucket.put("2026-02-05", 0)
    _, cursor = ticks(bucket, fresh(), 3)
    for day in range(3, 9):
        decisions, cursor = ticks(bucket, cursor, 3, Clock(date(2026, 2, day)))
        assert [one.batch for one in decisions if one.batch is not None] == []


def test_a_cursor_of_before_that_stands_far_from_now_hands_everything_out_again() -> None:
    bucket = Bucket()
    for day in ("2025-12-30", "2026-02-01", FAR):
        bucket.put(day, 0)
    far = '"recent_from": "2098-01-01", "months_before": "2097-12", "marks": {"2026-02": "1:a"}'
    decisions, cursor = ticks(bucket, read_cursor(f'{{"lineage": "a", "batch": 3, "identities": true, {far}}}'), 3)
    assert {unit for one in decisions for unit in units_of(one)} == {"2025-12-30", "2026-02-01", FAR}
    assert (cursor.recent_from, cursor.lineage) == ("2025-12-30", "a")
    assert cursor.batch > 3


@pytest.mark.parametrize("known", [True, False])
def test_a_cursor_of_before_identities_hands_out_one_run_over_all_files(*, known: bool) -> None:
    bucket = Bucket()
    bucket.put("2026-01-30", 0)
    bucket.put("2026-02-01", 0)
    decision = bucket.tick(fresh())
    before = write_cursor(decision.cursor).replace(',"identities":true', "")
    if not known:
        bucket.put("2026-02-01", 1)
    decisions, cursor = ticks(bucket, read_cursor(before), 3)
    first, *others = (one.batch for one in decisions)
    assert first is not None
    assert decision.batch is not None
    assert (first.units, others) == ((), [None, None])
    assert first.key != decision.batch.key
    assert read_cursor(write_cursor(cursor)).identities


def test_what_is_no_day_or_far_from_now_is_reported_once() -> None:
    bucket = Bucket()
    bucket.put("2026-02-01", 0)
    bucket.put("2026-99-01", 0, 1)
    bucket.put(FAR, 0, 1)
    decisions, cursor = ticks(bucket, fresh(), 5)
    assert [one.strays for one in decisions if one.strays] == [("year=2026/month=99/day=01/part_0.parquet",)]
    assert [one.far for one in decisions if one.far] == [("year=2098/month=01/day=01/part_0.parquet",)]
    bucket.put("2026-99-02", 0)
    assert bucket.tick(cursor).strays == ("year=2026/month=99/day=02/part_0.parquet",)


def test_a_thousand_folders_outside_the_layout_do_not_grow_the_cursor() -> None:
    bucket = Bucket()
    bucket.put("2026-02-01", 0)
    for folder in range(1_000):
        bucket.objects[f"a{folder}/x"] = StoredObject(f"a{folder}/x", "x", 1)
    decisions, cursor = ticks(bucket, fresh(), 6)
    assert sum(len(one.strays) for one in decisions) == MOST_REPORTED
    assert len(write_cursor(cursor)) < 1_000


def test_a_crash_before_the_cursor_is_kept_hands_out_the_same_batch_again() -> None:
    bucket = Bucket()
    bucket.put("2026-01-05", 0)
    assert bucket.tick(fresh()).batch == bucket.tick(fresh()).batch


def test_a_crash_and_more_files_hand_out_another_batch() -> None:
    bucket = Bucket()
    bucket.put("2026-01-05", 0)
    lost = bucket.tick(fresh()).batch
    bucket.put("2026-01-05", 1)
    again = bucket.tick(fresh()).batch
    assert lost is not None
    assert again is not None
    assert again.key != lost.key


def test_a_reset_cursor_feeds_everything_under_new_keys() -> None:
    bucket = Bucket()
    bucket.put("2026-01-05", 0)
    first, again = bucket.tick(read_cursor(None)).batch, bucket.tick(read_cursor("")).batch
    assert first is not None
    assert again is not None
    assert first.units == again.units
    assert first.key != again.key


def test_a_backlog_goes_in_batches_of_whole_days() -> None:
    bucket = Bucket(page_size=10)
    for day in range(1, 29):
        bucket.put(f"2025-12-{day:02}", *range(7))
    decisions, _ = ticks(bucket, fresh(), 8)
    fed = [unit for one in decisions for unit in units_of(one)]
    assert fed == [f"2025-12-{day:02}" for day in range(1, 29)]
    assert all(one.batch is None or one.batch.objects <= 10 * MOST_REQUESTS for one in decisions)


def test_keys_that_are_no_files_of_the_lake_are_told_and_passed_over() -> None:
    bucket = Bucket()
    bucket.objects["notes.txt"] = StoredObject("notes.txt", "x", 1)
    decision = bucket.tick(fresh())
    assert units_of(decision) == ()
    assert decision.strays == ("notes.txt",)


def test_the_cursor_of_ten_years_stays_small() -> None:
    bucket = Bucket()
    for year in range(2016, 2026):
        for month in range(1, 13):
            for day in range(1, 29):
                bucket.put(f"{year}-{month:02}-{day:02}", 0, 1)
    _, cursor = ticks(bucket, fresh(), 8)
    assert cursor.objects == len(bucket.objects)
    assert len(write_cursor(cursor)) < 10_000


DAYS = ["2024-02-29", "2025-10-31", "2025-11-01", "2025-11-30", "2025-12-31", "2026-01-01", "2026-01-02", "2026-02-01"]
PUTS = st.lists(st.tuples(st.sampled_from(DAYS), st.integers(0, 30)), min_size=1, max_size=40)


@settings(max_examples=150, deadline=None)
@given(rounds=st.lists(PUTS, min_size=1, max_size=5), page_size=st.integers(1, 7), between=st.integers(1, 4))
def test_every_file_is_handed_out_whatever_the_order(
    rounds: Iterable[list[tuple[str, int]]], page_size: int, between: int
) -> None:
    bucket = Bucket(page_size)
    cursor = fresh()
    unread: set[str] = set()
    read: set[str] = set()
    for puts in rounds:
        for day, part in puts:
            bucket.put(day, part)
        unread = set(bucket.objects) - read
        for _ in range(between):
            decision = bucket.tick(cursor)
            cursor = decision.cursor
            read |= _read_by(bucket, decision)
    for _ in range(3 * len(bucket.objects) + 10):
        decision = bucket.tick(cursor)
        cursor = decision.cursor
        read |= _read_by(bucket, decision)
    unread = set(bucket.objects) - read
    assert not unread
    assert bucket.tick(cursor).batch is None


def _read_by(bucket: Bucket, decision: Decision) -> set[str]:
    days = {key: "-".join(part.split("=")[1] for part in key.split("/")[:3]) for key in bucket.objects}
    return {key for key, day in days.items() if day.startswith(units_of(decision) or ("never",))}
