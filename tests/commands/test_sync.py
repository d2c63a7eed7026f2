"""Syncs are started, followed and told."""

import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.jobs import start_refresh, start_reset

from lotus_infra.commands.runners import NOT_STARTED, Run
from lotus_infra.commands.sync import cancel, start, sync_sources
from lotus_infra.errors import LotusError, StoppedError
from tests.commands.lab import Lab
from tests.support.commands import Lotus


def posts(lab: Lab) -> int:
    return sum(call.method == "POST" and call.path.endswith("/jobs") for call in lab.twin.calls())


def connection(lab: Lab) -> str:
    return lab.connection_id("shop")


def test_sources_are_followed_until_all_are_finished(lab: Lab) -> None:
    seen: list[tuple[str, str, int | None]] = []
    lab.steps = [
        lambda: lab.drive(1, "running", rows_synced=7, bytes_synced=70),
        lambda: lab.drive(1, "succeeded", rows_synced=9, bytes_synced=90),
        lambda: lab.drive(2, "succeeded"),
    ]

    def observe(run: Run) -> None:
        seen.append((run.source, run.status, run.rows))

    shop, store = sync_sources(lab.syncs(), ["shop", "store", "shop"], observe, patience=lab.patience())

    assert (shop.source, shop.job_id, shop.status, shop.rows, shop.bytes) == ("shop", 1, "succeeded", 9, 90)
    assert (store.source, store.job_id, store.status, store.rows) == ("store", 2, "succeeded", None)
    assert shop.ok
    assert shop.seconds is not None
    assert seen == [
        ("shop", "pending", None),
        ("store", "pending", None),
        ("shop", "running", 7),
        ("store", "pending", None),
        ("shop", "succeeded", 9),
        ("store", "pending", None),
        ("store", "succeeded", None),
    ]
    assert lab.waited == 30


def test_lists_are_read_once_for_all_sources(lab: Lab) -> None:
    start(lab.syncs(), ["shop", "store"])

    assert sorted(f"{call.method} {call.path.rsplit('/', 1)[1]}" for call in lab.twin.calls()) == [
        "GET connections",
        "GET sources",
        "POST jobs",
        "POST jobs",
    ]


def test_a_job_that_runs_already_is_followed_instead_of_a_new_one(lab: Lab) -> None:
    start(lab.syncs(), ["shop"])
    lab.steps = [lambda: lab.drive(1, "succeeded")]

    [run] = sync_sources(lab.syncs(), ["shop"], patience=lab.patience())

    assert (run.job_id, run.was_running, run.ok) == (1, True, True)
    assert len(list(lab.twin.store.jobs)) == 1


def test_a_refresh_brings_the_news_too_and_is_followed(lab: Lab) -> None:
    live = lab.twin.store.connections.get(connection(lab))
    assert live is not None
    start_refresh(lab.twin.twin, live, None)

    [run] = start(lab.syncs(), ["shop"])

    assert (run.job_id, run.was_running, run.ok) == (1, True, True)


def test_a_clear_brings_nothing_and_is_in_the_way(lab: Lab) -> None:
    live = lab.twin.store.connections.get(connection(lab))
    assert live is not None
    start_reset(lab.twin.twin, live, None)

    [run] = start(lab.syncs(), ["shop"])

    assert (run.status, run.ok) == (NOT_STARTED, False)
    assert run.reason == "job 1 is running, a reset: wait for it, then sync"


def test_a_sync_that_can_not_start_is_in_nobodys_way(lab: Lab) -> None:
    lab.airbyte.patch_connection(connection(lab), {"status": "inactive"})
    lab.steps = [lambda: lab.drive(1, "succeeded")]

    shop, store = sync_sources(lab.syncs(), ["shop", "store"], patience=lab.patience())

    assert (shop.status, shop.ok) == (NOT_STARTED, False)
    assert "Only active connections run jobs" in shop.reason
    assert store.ok


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("failed", "Airbyte reports no reason: see the job's log in its UI"),
        ("cancelled", "the job was cancelled"),
    ],
)
def test_a_job_that_does_not_succeed_is_told_with_its_reason(lab: Lab, status: str, reason: str) -> None:
    lab.steps = [lambda: lab.drive(1, status)]

    [run] = sync_sources(lab.syncs(), ["shop"], patience=lab.patience())

    assert (run.status, run.ok, run.finished, run.reason) == (status, False, True, reason)


def test_an_incomplete_job_may_still_succeed(lab: Lab) -> None:
    lab.steps = [lambda: lab.drive(1, "incomplete"), lambda: lab.drive(1, "succeeded")]

    [run] = sync_sources(lab.syncs(), ["shop"], patience=lab.patience())

    assert run.ok


def test_patience_ends_and_the_job_goes_on(lab: Lab) -> None:
    lab.steps = [lambda: None, lambda: lab.drive(1, "running")]

    [run] = sync_sources(lab.syncs(), ["shop"], patience=lab.patience(timeout_seconds=15))

    assert (run.status, run.ok, run.finished) == ("running", False, False)
    assert run.reason == "not finished after 15 s; the job continues"
    assert not lab.airbyte.get_job(1).finished


def test_who_stops_waiting_is_told_how_to_go_on(lab: Lab) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    lab.steps = [lambda: lab.drive(2, "succeeded"), interrupt]

    with pytest.raises(StoppedError) as caught:
        sync_sources(lab.syncs(), ["shop", "store"], patience=lab.patience())

    assert str(caught.value) == (
        "no longer waiting: job 1 of shop continues; "
        "`lotus sync shop` follows it again, `lotus sync --cancel shop` cancels it"
    )


def test_an_airbyte_that_is_lost_sight_of_is_told_with_the_jobs_that_go_on(lab: Lab) -> None:
    lab.steps = [lambda: lab.twin.twin.faults.add(Fault(path="/jobs/1", status=500, times=None))]

    with pytest.raises(LotusError, match=r"could not read job 1: 500 .*job 1 of shop continues"):
        sync_sources(lab.syncs(), ["shop"], patience=lab.patience())


def test_what_runs_can_be_cancelled(lab: Lab) -> None:
    start(lab.syncs(), ["shop"])

    shop, store = cancel(lab.syncs(), ["shop", "store"])

    assert (shop.job_id, shop.status) == (1, "cancelled")
    assert (store.job_id, store.status) == (None, NOT_STARTED)


def test_nothing_is_started_where_one_source_is_not_live(lab: Lab) -> None:
    [store] = [actor for actor in lab.airbyte.list_actors("source") if actor.name == "Store"]
    lab.airbyte.delete_actor("source", store.actor_id)

    with pytest.raises(LotusError, match=r'Airbyte has no source "Store" in this workspace: `pulumi up` creates it'):
        start(lab.syncs(), ["shop", "store"])
    assert posts(lab) == 0


def test_a_source_without_a_connection_is_told(lab: Lab) -> None:
    lab.airbyte.delete_connection(connection(lab))

    with pytest.raises(LotusError, match=r'no connection "Shop → S3" in this workspace: `pulumi up`'):
        start(lab.syncs(), ["shop"])


def test_a_connection_of_another_label_is_still_the_sources_only_one(lab: Lab) -> None:
    lab.airbyte.patch_connection(connection(lab), {"name": "Renamed by hand"})

    assert [run.ok for run in start(lab.syncs(), ["shop"])] == [True]


def test_of_several_connections_the_labelled_one_is_meant_or_one_must_be_chosen(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    own = lab.airbyte.get_connection(connection(lab))
    second = lab.airbyte.create_connection(
        {"sourceId": own.source_id, "destinationId": own.destination_id, "name": "By hand"}
    ).connection_id
    assert connection(lab) == own.connection_id

    lab.airbyte.patch_connection(second, {"name": own.name})
    both = ", ".join(sorted([own.connection_id, second]))
    with pytest.raises(LotusError, match=rf'several connections "Shop → S3": choose one with --connection-id: {both}'):
        start(lab.syncs(), ["shop"])

    [run] = start(lab.syncs(second), ["shop"])
    assert run.connection_id == second
    assert lotus("sync", "shop", "store", "--connection-id", second) == 1
    assert (
        "one connection id is given for several connections: name the one that it belongs to: shop, store"
        in capsys.readouterr().err
    )


def test_an_unknown_source_is_told_with_the_nearest(lab: Lab) -> None:
    with pytest.raises(LotusError, match='has no source "shp": did you mean "shop"'):
        start(lab.syncs(), ["shp"])


def test_a_source_whose_file_can_not_be_read_is_told(lab: Lab) -> None:
    (lab.folder / "shop" / "_source.json").write_text("{")

    with pytest.raises(LotusError, match=r"shop/_source.json can't be used: `lotus check` has details"):
        start(lab.syncs(), ["shop"])


def test_a_run_that_waits_is_neither_finished_nor_wrong() -> None:
    assert Run("shop", "c", 1, "running", finished=False).ok
    assert not Run("shop", "c").ok
