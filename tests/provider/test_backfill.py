"""A token reads a stream from the beginning, once; and nothing else does, unless the program asks for it."""

from typing import Any

import pytest

from tests.provider.backfills import asked, long, made, said
from tests.provider.heard import Engine
from tests.provider.jobs import CURSOR, compared, drive_job, state, updated, write_state
from tests.provider.lab import PLAIN_DESTINATION
from tests.provider.lake import Lake, stream
from tests.provider.plugin import NOTHING, Object, Plugin, Values, error, urn
from tests.provider.refresh import assert_clean
from tests.support.jobs import ending

FIRES: list[tuple[Any, Any, bool]] = [
    (..., "one", True),
    ("one", "two", True),
    (False, "one", True),
    (True, "one", True),
    ("one", "one", False),
    ("one", ..., False),
    (False, True, True),
    (..., True, False),
    (True, True, False),
    ("one", True, False),
    (True, False, False),
    (..., False, False),
]


@pytest.mark.parametrize(("old", "new", "fires"), FIRES, ids=[f"{old} to {new}" for old, new, _ in FIRES])
def test_a_token_asks_once(plugin: Plugin, lake: Lake, old: Any, new: Any, fires: bool) -> None:  # noqa: FBT001
    known, news = made(plugin, lake, old), asked(plugin, lake, new)
    found = compared(plugin, known, news)
    assert found.properties == (["backfills"] if fires else [])
    assert set(found.detail) == ({"backfills.bare"} if fires else set())
    if not fires:
        assert found == NOTHING

    with ending(lake.twin) as jobs:
        after = plugin.update("connection", known, news)
        assert jobs.asked == ([("refresh", "merge", ["bare"])] if fires else [])
        again = plugin.update("connection", after, news)
        assert len(jobs.asked) == fires
    assert state(lake, known.id) == (
        {"cursor_defined": CURSOR} if fires else dict.fromkeys(("bare", "cursor_defined"), CURSOR)
    )
    assert compared(plugin, again, news) == NOTHING
    assert_clean(plugin, "connection", again)


def test_the_first_sync_reads_all_so_that_a_create_fires_nothing(plugin: Plugin, lake: Lake) -> None:
    with ending(lake.twin) as jobs:
        known = made(plugin, lake, "one")
        assert jobs.asked == []
    assert compared(plugin, known, known.inputs) == NOTHING


def test_after_an_import_a_text_fires_and_true_does_not(plugin: Plugin, lake: Lake) -> None:
    known = plugin.imported("connection", made(plugin, lake).id)
    for token, fires in ((True, False), ("one", True)):
        found = compared(plugin, known, plugin.checked("connection", known.inputs | {"backfills": {"bare": token}}))
        assert (found != NOTHING) == fires


def test_a_token_that_was_taken_out_and_comes_back_has_done_its_work(plugin: Plugin, lake: Lake) -> None:
    with ending(lake.twin):
        done = plugin.update("connection", made(plugin, lake), asked(plugin, lake, "one"))
    without = Object(done.id, asked(plugin, lake), done.outputs)
    assert compared(plugin, without, asked(plugin, lake, "one")) == NOTHING
    assert compared(plugin, without, asked(plugin, lake, "two")) != NOTHING


def test_the_result_names_the_job_and_the_streams_change_goes_first(plugin: Plugin, lake: Lake) -> None:
    known, news = made(plugin, lake), asked(plugin, lake, "one", prefix="p_", refreshMode="truncate")
    lake.twin.clear_calls()
    with ending(lake.twin) as jobs:
        after = plugin.update("connection", known, news)
    assert jobs.asked == [("refresh", "truncate", ["bare"])]
    [job] = [job for job in lake.twin.store.jobs if job.connection_id == known.id]
    assert after.outputs["backfillResults"] == {"bare": {"token": "one", "jobId": int(job.id), "status": "succeeded"}}
    writes = [call for call in lake.asked() if not call.startswith("GET")]
    assert writes == [f"PATCH /connections/{known.id}", "POST /connections/refresh"]

    # Another update keeps what is known of backfills.
    other = plugin.update("connection", after, news | {"prefix": "q_"})
    assert other.outputs["backfillResults"] == after.outputs["backfillResults"]


@pytest.mark.parametrize("status", [400, 423, 500])
def test_a_refused_refresh_fails_the_update_and_is_tried_again(plugin: Plugin, lake: Lake, status: int) -> None:
    known, news = made(plugin, lake), asked(plugin, lake, "one")
    lake.fault(method="POST", path="connections/refresh", status=status, times=1)
    with ending(lake.twin) as jobs:
        assert str(status) in error(lambda: plugin.update("connection", known, news))
        assert jobs.asked == []
        assert compared(plugin, known, news) != NOTHING
        plugin.update("connection", known, news)
        assert jobs.asked == [("refresh", "merge", ["bare"])]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_refresh_that_fails_fails_the_update(plugin: Plugin, lake: Lake, status: Any) -> None:
    known, news = made(plugin, lake), asked(plugin, lake, "one")
    with ending(lake.twin, status):
        message = error(lambda: plugin.update("connection", known, news))
    assert f"The backfill of bare has {status} (job " in message
    assert "The next `pulumi up` tries again." in message


def test_a_sync_that_runs_is_waited_for(plugin: Plugin, lake: Lake) -> None:
    known, news = made(plugin, lake), asked(plugin, lake, "one")
    job = lake.api("POST", "/jobs", {"connectionId": known.id, "jobType": "sync"})
    message = error(lambda: updated(plugin, known, news, seconds=0.01))
    assert f"Job {job['jobId']} (sync) of connection {known.id} is still pending" in message
    drive_job(lake, job["jobId"], "succeeded")
    with ending(lake.twin) as jobs:
        plugin.update("connection", known, news)
        assert jobs.asked == [("refresh", "merge", ["bare"])]


def test_a_refresh_that_takes_longer_than_the_update_is_looked_after(engine: tuple[Engine, Plugin], lake: Lake) -> None:
    heard, plugin = engine
    news = asked(plugin, lake, "one")
    after, job_id = long(plugin, lake, news)
    assert f"bare: still being re-read; the next `pulumi up` checks the job (job {job_id})" in heard.told()
    assert compared(plugin, after, news) == NOTHING

    drive_job(lake, job_id, "succeeded")
    assert compared(plugin, after, news) == NOTHING
    known = plugin.refreshed("connection", after)
    assert known.outputs["backfillResults"]["bare"]["status"] == "succeeded"
    lake.twin.clear_calls()
    assert compared(plugin, known, news) == NOTHING
    assert lake.asked() == []


@pytest.mark.parametrize("seen", [False, True], ids=["not refreshed", "refreshed"])
def test_a_refresh_that_failed_after_the_update_is_a_difference_and_tried_again(
    engine: tuple[Engine, Plugin],
    lake: Lake,
    seen: bool,  # noqa: FBT001
) -> None:
    heard, plugin = engine
    news = asked(plugin, lake, "one")
    after, job_id = long(plugin, lake, news)
    drive_job(lake, job_id, "running")
    drive_job(lake, job_id, "failed")
    known = plugin.refreshed("connection", after) if seen else after
    heard.told()
    assert set(compared(plugin, known, news).detail) == {"backfills.bare"}
    assert heard.told() == "will refresh bare (token one, whose last refresh failed)"
    with ending(lake.twin) as jobs:
        repaired = plugin.update("connection", known, news)
        assert jobs.asked == [("refresh", "merge", ["bare"])]
    assert compared(plugin, repaired, news) == NOTHING


def test_a_refresh_that_a_killed_run_started_is_taken_over(plugin: Plugin, lake: Lake) -> None:
    known, news = made(plugin, lake), asked(plugin, lake, "one")
    body = {"connectionId": known.id, "refreshMode": "Merge", "streams": [{"streamName": "bare"}]}
    job_id = lake.config_api("/connections/refresh", body)["job"]["id"]
    after = updated(plugin, known, news, seconds=0.01)
    assert after.outputs["backfillResults"]["bare"] == {"token": "one", "jobId": job_id, "status": "running"}

    # One of other streams is not.
    other = made(plugin, lake, name=f"{plugin.name} of others")
    body = {"connectionId": other.id, "refreshMode": "Merge", "streams": [{"streamName": "cursor_defined"}]}
    lake.config_api("/connections/refresh", body)
    assert "(refresh) of connection" in error(lambda: updated(plugin, other, news, seconds=0.01))


def test_without_refreshes_a_stream_is_cleared_and_synced(engine: tuple[Engine, Plugin], lake: Lake) -> None:
    heard, plugin = engine
    plain = lake.api("POST", "/destinations", lake.destination() | {"name": "Plain", "definitionId": PLAIN_DESTINATION})
    there = {"destinationId": plain["destinationId"]}
    known, news = made(plugin, lake, **there), asked(plugin, lake, "one", **there)
    with ending(lake.twin) as jobs:
        after = plugin.update("connection", known, news)
        assert jobs.asked == [("reset", None, ["bare"]), ("sync", None, [])]
    assert "has no refreshes: bare will be cleared and synced" in heard.told()
    assert state(lake, known.id) == {"cursor_defined": CURSOR}
    assert after.outputs["backfillResults"]["bare"]["status"] == "succeeded"


def test_a_stream_is_named_to_the_server_with_the_namespace_that_the_source_gives_it(
    plugin: Plugin, lake: Lake
) -> None:
    spaced = stream("spaced", syncMode="incremental_append", cursorField=["updated_at"])
    known = plugin.made("connection", lake.connection(spaced))
    write_state(lake, known.id, ("left", "spaced"))
    news = plugin.checked("connection", lake.connection(spaced, backfills={"spaced": "one"}))
    with ending(lake.twin):
        plugin.update("connection", known, news)
    assert state(lake, known.id) == {}


@pytest.mark.parametrize("behind", [False, True], ids=["by the program", "behind its back"])
def test_an_inactive_connection_reads_nothing_anew(plugin: Plugin, lake: Lake, behind: bool) -> None:  # noqa: FBT001
    known = made(plugin, lake)
    if behind:
        lake.drift("connection_status", connectionId=known.id, status="inactive")
    news = asked(plugin, lake, "one", **({} if behind else {"status": "inactive"}))
    lake.twin.clear_calls()
    message = error(lambda: plugin.update("connection", known, news))
    assert "bare can't be re-read: the connection is inactive" in message
    assert [call for call in lake.asked() if not call.startswith("GET")] == []


def test_a_preview_says_that_an_inactive_connection_reads_nothing(engine: tuple[Engine, Plugin], lake: Lake) -> None:
    heard, plugin = engine
    compared(plugin, made(plugin, lake), asked(plugin, lake, "one", status="inactive"))
    assert "will refresh bare (token one); this fails, because the connection is inactive" in heard.told()


def test_a_stream_that_the_server_lacks_is_an_error_and_not_a_refresh_of_all(plugin: Plugin, lake: Lake) -> None:
    known, news = made(plugin, lake), asked(plugin, lake, "one")
    lake.api("PATCH", f"/connections/{known.id}", {"configurations": {"streams": [{"name": "cursor_defined"}]}})
    with ending(lake.twin) as jobs:
        message = error(lambda: plugin.update("connection", known, news))
        assert "bare can't be re-read: Airbyte's connection does not have it" in message
        assert jobs.asked == []


@pytest.mark.parametrize(
    ("backfills", "reason"),
    [
        ({"bear": "one"}, "is no stream here: known are bare, cursor_defined"),
        ({"bare": 1}, "must be a token such as"),
        ({"bare": ""}, "must be a token such as"),
        ({"bare": ["one"]}, "must be a token such as"),
    ],
    ids=str,
)
def test_what_is_no_token_is_refused(plugin: Plugin, lake: Lake, backfills: Values, reason: str) -> None:
    failures = plugin.check("connection", said(lake, backfills=backfills)).failures
    assert reason in failures[f"backfills.{next(iter(backfills))}"]


def test_a_preview_says_what_it_will_read_anew(engine: tuple[Engine, Plugin], lake: Lake) -> None:
    heard, plugin = engine
    compared(plugin, made(plugin, lake), asked(plugin, lake, "2026-02-01-reprice"))
    assert heard.lines == [(urn("connection"), "will refresh bare (token 2026-02-01-reprice)")]


def test_a_backfill_whose_job_airbyte_does_not_have_is_asked_for_again(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection(backfills={"bare": "t1"}))
    result = {"bare": {"token": "t1", "jobId": 99_999_999, "status": "running"}}
    outputs = made.outputs | {"backfillResults": result}
    assert plugin.diff("connection", made.inputs, made.inputs, outputs).detail == {"backfills.bare": "update"}
