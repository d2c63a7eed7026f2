"""One thing after another: what a broken-off, renamed or running operation leaves for the next."""

from typing import Any

from pulumi.runtime.proto import provider_pb2
from pulumi_airbyte.provider.properties import UNKNOWN, encode

from tests.provider.backfills import asked, long
from tests.provider.backfills import made as with_token
from tests.provider.jobs import CURSOR, compared, drive_job, replaced, state, unfinished, updated
from tests.provider.kept import kept
from tests.provider.lake import TOKEN, Lake, stream
from tests.provider.plugin import NOTHING, Object, Plugin, Values, error, running_plugin, urn
from tests.provider.test_backfill_changes import WIDER
from tests.provider.test_carry import FREE, HINT, made, moved
from tests.support.jobs import ending

OTHER_URN = urn("connection", "renamed")


def changed(plugin: Plugin, known: Object, news: Values) -> Object:
    return plugin.update("connection", known, news)


def test_an_edit_of_one_property_is_not_taken_for_the_servers_work_by_an_update_of_another(
    plugin: Plugin, lake: Lake
) -> None:
    known = plugin.made("connection", lake.connection(prefix="a_"))
    lake.api("PATCH", f"/connections/{known.id}", {"prefix": "theirs_"})
    news = plugin.checked(
        "connection", lake.connection(prefix="a_", nonBreakingSchemaUpdatesBehavior="propagate_fully")
    )
    after = changed(plugin, known, news)
    live = plugin.refreshed("connection", after)
    assert plugin.diff("connection", live.inputs, news, live.outputs).detail == {"prefix": "update"}


def test_what_the_server_made_of_a_property_stays_known_when_another_is_changed(plugin: Plugin, lake: Lake) -> None:
    keyed = stream("key_defined", syncMode="incremental_append", primaryKey=[["name"]])
    known = plugin.made("connection", lake.connection(keyed))
    assert "serverRewrites" in known.outputs
    news = plugin.checked("connection", lake.connection(keyed, prefix="a_"))
    after = changed(plugin, known, news)
    live = plugin.refreshed("connection", after)
    assert plugin.diff("connection", live.inputs, news, live.outputs) == NOTHING


def test_cursors_that_were_still_to_be_handed_over_go_by_their_connection_to_the_next(
    plugin: Plugin, lake: Lake
) -> None:
    old = made(plugin, lake, FREE)
    news = moved(plugin, lake, FREE)
    lake.fault(method="POST", path="/state/create_or_update_safe", status=500, times=1)
    left = unfinished(lambda: replaced(plugin, old, news))

    last = replaced(plugin, left, moved(plugin, lake, FREE))

    assert state(lake, last.id) == {"bare": CURSOR}
    assert lake.live("connections", last.id)["status"] == "active"


def test_a_connection_that_is_renamed_and_replaced_at_once_is_deleted_under_its_old_name(
    plugin: Plugin, lake: Lake
) -> None:
    old = made(plugin, lake, FREE)
    news = encode(moved(plugin, lake, FREE))
    inputs, outputs = encode(old.inputs), encode(old.outputs)
    diff = provider_pb2.DiffRequest(id=old.id, urn=OTHER_URN, old_inputs=inputs, news=news, olds=outputs)
    with running_plugin() as later:
        later.configure(serverUrl=lake.twin.public_url)
        for olds in (inputs, None):
            later.stub.Check(provider_pb2.CheckRequest(urn=OTHER_URN, olds=olds, news=news))
            if olds is not None:
                later.stub.Diff(diff)
        new = later.stub.Create(provider_pb2.CreateRequest(urn=OTHER_URN, properties=news))
        later.delete_now("connection", old.id, old.inputs)
    assert lake.live("connections", old.id)["status"] == "deprecated"
    assert lake.live("connections", new.id)["status"] == "active"
    assert state(lake, new.id) == {"bare": CURSOR}


def test_a_connection_does_not_go_before_its_successor_while_nobody_knows_the_new_source(
    plugin: Plugin, lake: Lake
) -> None:
    old = made(plugin, lake, FREE)
    assert compared(plugin, old, old.inputs | {"sourceId": UNKNOWN}).replaces
    message = error(lambda: plugin.delete_now("connection", old.id, old.inputs))
    assert "bare (the connector of its new source is not known yet)" in message
    assert HINT in message
    assert lake.live("connections", old.id)["status"] == "active"


def test_a_change_whose_refresh_was_refused_is_read_anew_after_a_refresh_of_the_state_too(
    plugin: Plugin, lake: Lake
) -> None:
    known, news = with_token(plugin, lake), asked(plugin, lake, ..., WIDER, refreshOnSchemaChange=True)
    lake.fault(method="POST", path="connections/refresh", status=500, times=1)
    left, [reason] = kept(lambda: changed(plugin, known, news))
    assert "500" in reason
    live = plugin.refreshed("connection", left)
    assert set(compared(plugin, live, news).detail) == {"backfills.bare"}
    with ending(lake.twin) as jobs:
        repaired = changed(plugin, live, news)
        assert jobs.asked == [("refresh", "merge", ["bare"])]
    assert compared(plugin, repaired, news) == NOTHING


def test_a_newer_token_is_not_answered_by_the_job_of_an_older_one(plugin: Plugin, lake: Lake) -> None:
    known, job_id = long(plugin, lake, asked(plugin, lake, "one"))
    news = asked(plugin, lake, "two")
    assert f"Job {job_id} (refresh)" in error(lambda: updated(plugin, known, news, seconds=0.01))
    drive_job(lake, job_id, "running")
    drive_job(lake, job_id, "succeeded")
    with ending(lake.twin) as jobs:
        after = changed(plugin, known, news)
        assert jobs.asked == [("refresh", "merge", ["bare"])]
    result: Any = after.outputs["backfillResults"]
    assert result["bare"]["token"] == "two"
    assert result["bare"]["jobId"] != job_id


def test_a_check_that_is_repeated_by_another_run_tells_no_secret(plugin: Plugin, lake: Lake) -> None:
    inputs = plugin.checked("source", lake.source() | {"checkConnection": True})
    lake.fault(path="/check_connection", status=500, times=1)
    left, _ = kept(lambda: plugin.create("source", inputs))
    lake.drift("temper", actorId=left.id, checkFailure=f"login with {TOKEN} refused")
    with running_plugin() as later:
        later.configure(serverUrl=lake.twin.public_url)
        _, [reason] = kept(lambda: later.update("source", left, inputs))
    assert "refused" in reason
    assert TOKEN not in reason
