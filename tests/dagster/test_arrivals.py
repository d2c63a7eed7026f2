"""What a sensor decides, on a bucket in memory that lists as S3 does."""

from bisect import bisect_right
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lotus_dagster.arrivals.cursor import Cursor, read_cursor, write_cursor
from lotus_dagster.arrivals.decide import Decision, ObjectsVanishedError
from lotus_dagster.arrivals.look import MOST_REQUESTS, Page, look
from lotus_dagster.arrivals.partitions import StoredObject, month_before


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

    def tick(self, cursor: Cursor) -> Decision:
        self.requests = 0
        decision = look(self, cursor)
        assert self.requests <= MOST_REQUESTS
        assert read_cursor(write_cursor(decision.cursor)) == decision.cursor
        return decision


def fresh() -> Cursor:
    return Cursor(lineage="test")


def units_of(decision: Decision) -> tuple[str, ...]:
    return decision.batch.units if decision.batch is not None else ()


def ticks(bucket: Bucket, cursor: Cursor, number: int) -> tuple[list[Decision], Cursor]:
    made = []
    for _ in range(number):
        made.append(bucket.tick(cursor))
        cursor = made[-1].cursor
    return made, cursor


def first_page_sensor(bucket: Bucket, last_key: str) -> bool:
    """The sensor that the lake had: one page of keys, and new is what sorts after the last key seen."""
    return any(one.key > last_key for one in bucket.page("").objects)


def test_an_empty_stream_asks_for_nothing() -> None:
    decision = Bucket().tick(fresh())
    assert decision.batch is None
    assert decision.cursor == fresh()


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
    second = bucket.tick(first.cursor)
    assert units_of(second) == ("2026-01-05",)
    assert second.batch is not None
    assert not second.batch.rebuild


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
    assert not any(batch.rebuild for batch in batches)


def test_a_vanished_file_asks_for_a_rebuild() -> None:
    bucket = Bucket(page_size=3)
    for day in ("2025-10-01", "2025-11-30", "2025-12-24", "2025-12-31", "2026-01-05"):
        bucket.put(day, 0, 1)
    _, cursor = ticks(bucket, fresh(), 12)
    bucket.remove("2025-12-24", 0)
    bucket.remove("2025-12-24", 1)
    decisions, _ = ticks(bucket, cursor, 12)
    assert [one.batch.rebuild for one in decisions if one.batch is not None] == [True]


def test_a_file_written_anew_asks_for_a_rebuild() -> None:
    bucket = Bucket()
    bucket.put("2026-01-05", 0)
    first = bucket.tick(fresh())
    bucket.put("2026-01-05", 0, etag="second")
    again = bucket.tick(first.cursor).batch
    assert again is not None
    assert again.rebuild


def test_a_bucket_that_shows_nothing_any_more_is_an_error() -> None:
    bucket = Bucket()
    bucket.put("2025-11-05", 0)
    bucket.put("2026-01-05", 0)
    _, cursor = ticks(bucket, fresh(), 2)
    with pytest.raises(ObjectsVanishedError, match="2 objects were known"):
        Bucket().tick(cursor)


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
    assert decision.batch is None
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
        assert decision.batch is None or not decision.batch.rebuild
    unread = set(bucket.objects) - read
    assert not unread
    assert bucket.tick(cursor).batch is None


def _read_by(bucket: Bucket, decision: Decision) -> set[str]:
    days = {key: "-".join(part.split("=")[1] for part in key.split("/")[:3]) for key in bucket.objects}
    return {key for key, day in days.items() if day.startswith(units_of(decision) or ("never",))}
