"""Which jobs of a connection a tick reports: each that has ended, in whatever order, and none twice."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lotus_dagster.jobs.decide import MOST_JOBS, OVERLAP, Cursor, Decision, Job, decide, read_cursor, write_cursor
from pydantic import ValidationError

ID = "5f5a0b42-6b3c-4f06-a3c7-2b0f3a3c1d10"
BEGAN = datetime(2026, 1, 20, tzinfo=UTC)


def job(number: int, created: int, status: str = "succeeded", ended: int | None = None) -> Job:
    """A job; times in minutes."""
    over = status in {"succeeded", "failed", "cancelled"}
    at = BEGAN + timedelta(minutes=created if ended is None else ended)
    return Job(
        jobId=number,
        jobType="sync",
        status=status,
        startTime=BEGAN + timedelta(minutes=created),
        lastUpdatedAt=at if over else None,
        rowsSynced=number,
    )


def ids(decision: Decision) -> list[int]:
    return [each.job_id for each in decision.jobs]


def listed(jobs: Sequence[Job], cursor: Cursor | None) -> list[Job]:
    """The jobs that a server lists: times are whole seconds there, and both ends of a range are included."""
    since = cursor.since if cursor is not None else None
    return [each for each in jobs if since is None or each.start_time >= since.replace(microsecond=0)]


def ticked(jobs: Sequence[Job], cursor: Cursor | None) -> Decision:
    decision = decide(cursor, listed(jobs, cursor), ID)
    return replace(decision, cursor=read(write_cursor(decision.cursor)))


def read(text: str) -> Cursor:
    cursor = read_cursor(text, ID)
    assert cursor is not None
    return cursor


def test_of_a_connection_with_a_history_the_newest_success_counts_once() -> None:
    history = [job(number, number * 60) for number in range(1, 30)] + [job(30, 1800, "failed")]
    first = ticked(history, None)
    assert ids(first) == [29]
    assert ids(ticked(history, first.cursor)) == []
    assert ids(ticked([*history, job(31, 1860)], first.cursor)) == [31]


def test_the_first_job_of_a_new_connection_counts() -> None:
    none = ticked([], None)
    assert ids(none) == []
    running = ticked([job(1, 0, "running")], none.cursor)
    assert ids(running) == []
    assert ids(ticked([job(1, 0, ended=5), job(2, 6)], running.cursor)) == [1, 2]


def test_a_job_that_took_days_counts_although_later_ones_have_ended_before_it() -> None:
    first = ticked([job(1, 0, "running")], None)
    done: list[int] = []
    cursor = first.cursor
    for hour in range(1, 72):
        now = [job(1, 0, "running"), *(job(number + 1, number * 60) for number in range(1, hour + 1))]
        decision = ticked(now, cursor)
        cursor = decision.cursor
        done += ids(decision)
    assert done == list(range(2, 73))
    over = ticked([job(1, 0, ended=4300), *(job(number + 1, number * 60) for number in range(1, 72))], cursor)
    assert ids(over) == [1]
    assert over.cursor.since == BEGAN + timedelta(minutes=71 * 60) - OVERLAP


def test_jobs_that_were_created_at_the_same_time_are_told_by_their_ids() -> None:
    first = ticked([job(1, 0), job(2, 0, "pending")], None)
    assert ids(first) == [1]
    assert ids(ticked([job(1, 0), job(2, 0), job(3, 0)], first.cursor)) == [2, 3]


def test_a_server_whose_clock_was_set_back_hides_no_job() -> None:
    first = ticked([job(1, 600)], None)
    assert ids(ticked([job(1, 600), job(2, 570)], first.cursor)) == [2]


def test_a_job_that_the_server_has_lost_brings_back_none_before_it() -> None:
    history = [job(1, 0), job(2, 500), job(3, 600)]
    cursor = ticked(history, None).cursor
    restored = [job(1, 0), job(2, 500), job(4, 545)]
    first = ticked(restored, cursor)
    assert ids(first) == [4]
    assert ids(ticked(restored, first.cursor)) == []


def test_a_failed_job_is_reported_once_and_is_no_success() -> None:
    first = ticked([job(1, 0)], None)
    failed = ticked([job(1, 0), job(2, 60, "failed"), job(3, 70, "cancelled")], first.cursor)
    assert (ids(failed), failed.newest_success) == ([2, 3], None)
    assert ids(ticked([job(1, 0), job(2, 60, "failed"), job(3, 70, "cancelled")], failed.cursor)) == []


def test_a_status_that_is_not_known_may_still_change() -> None:
    first = ticked([job(1, 0)], None)
    odd = ticked([job(1, 0), job(2, 60, "resuming")], first.cursor)
    assert ids(odd) == []
    assert ids(ticked([job(1, 0), job(2, 60, ended=900), job(3, 901)], odd.cursor)) == [2, 3]


def test_many_jobs_are_reported_in_parts_and_none_is_left_out() -> None:
    cursor = ticked([job(1, 0)], None).cursor
    missed = [job(number, number * 60) for number in range(1, 3 * MOST_JOBS)]
    reported: list[int] = []
    for _ in range(4):
        decision = ticked(missed, cursor)
        assert len(decision.jobs) <= MOST_JOBS
        reported += ids(decision)
        cursor = decision.cursor
    assert reported == list(range(2, 3 * MOST_JOBS))


def test_a_job_that_two_pages_have_is_reported_once() -> None:
    cursor = ticked([job(1, 0)], None).cursor
    assert ids(decide(cursor, [job(2, 60), job(2, 60), job(1, 0)], ID)) == [2]


def test_a_cursor_stays_small_over_years() -> None:
    cursor, jobs = ticked([job(1, 0)], None).cursor, [job(1, 0)]
    for number in range(2, 2000):
        jobs = [*jobs[-20:], job(number, number * 5)]
        cursor = ticked(jobs, cursor).cursor
    assert len(write_cursor(cursor)) < 300


def test_a_connection_that_was_replaced_begins_again() -> None:
    first = ticked([job(40, 0)], None)
    assert read_cursor(write_cursor(first.cursor), "another") is None
    assert read_cursor(None, ID) is None
    with pytest.raises(ValidationError):
        read_cursor("{}", ID)


@dataclass
class Server:
    """An Airbyte: jobs with the times at which they were created, of whole minutes."""

    jobs: dict[int, Job] = field(default_factory=dict)
    minute: int = 0

    def create(self) -> None:
        number = len(self.jobs) + 1
        self.jobs[number] = job(number, self.minute, "running")

    def end(self, position: int, status: str) -> None:
        running = [number for number, each in self.jobs.items() if each.status == "running"]
        if running:
            number = running[position % len(running)]
            created = int((self.jobs[number].start_time - BEGAN) / timedelta(minutes=1))
            self.jobs[number] = job(number, created, status, self.minute)


EVENTS = st.one_of(
    st.tuples(st.just("create"), st.just(0)),
    st.tuples(st.sampled_from(["succeeded", "failed", "cancelled"]), st.integers(0, 5)),
    # A clock may be set back, by less than the overlap.
    st.tuples(st.just("time"), st.integers(-20, 400)),
    st.tuples(st.sampled_from(["tick", "crash"]), st.just(0)),
)


@given(st.lists(EVENTS, max_size=60))
def test_whatever_happens_each_job_is_reported_and_twice_only_after_a_crash(events: list[tuple[str, int]]) -> None:
    server, cursor, kept, seen = Server(), ticked([], None).cursor, list[int](), set[int]()
    latest = 0
    for what, number in [*events, ("tick", 0), ("tick", 0), ("tick", 0), ("tick", 0)]:
        if what == "create":
            server.create()
        elif what == "time":
            # Never more than the overlap before the latest time that a job has.
            server.minute = max(server.minute + number, latest - 59)
            latest = max(latest, server.minute)
        elif what in {"tick", "crash"}:
            decision = ticked(list(server.jobs.values()), cursor)
            seen |= set(ids(decision))
            if what == "tick":
                cursor = decision.cursor
                kept += ids(decision)
        else:
            server.end(number, what)
    ended = {number for number, each in server.jobs.items() if each.has_ended}
    assert sorted(kept) == sorted(ended)
    assert seen == ended
