"""A connection that is replaced hands its cursors over, and none is lost unasked."""

from collections.abc import Callable
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2
from pulumi_airbyte.provider.properties import UNKNOWN, encode

from tests.provider.heard import Engine
from tests.provider.jobs import CURSOR, compared, drive_job, replaced, state, unfinished, write_state
from tests.provider.lab import OTHER_SOURCE
from tests.provider.lake import Document, Lake, stream
from tests.provider.plugin import Object, Plugin, Values, error, running_plugin, urn
from tests.provider.refresh import assert_clean

FREE = stream("bare", syncMode="incremental_append", cursorField=["updated_at"])
DEFINED = stream("cursor_defined", syncMode="incremental_append")
WHOLE = stream("spaced")
HINT = "set allowCursorLoss on the connection"


def other_source(lake: Lake, **changes: Any) -> str:
    """Another source, of the same connector unless it says otherwise."""
    return str(lake.api("POST", "/sources", lake.source() | {"name": "Other source"} | changes)["sourceId"])


def made(plugin: Plugin, lake: Lake, *streams: Document, **properties: Any) -> Object:
    """A connection that has read all its incremental streams."""
    connection = plugin.made("connection", lake.connection(*streams, **properties))
    names = [(one.get("namespace"), one["name"]) for one in streams if one["syncMode"].startswith("incremental")]
    write_state(lake, connection.id, *names)
    lake.twin.clear_calls()
    return connection


def moved(plugin: Plugin, lake: Lake, *streams: Document, **properties: Any) -> Values:
    """What a program says of the same connection with another source."""
    properties = {"sourceId": other_source(lake)} | properties
    return plugin.checked("connection", lake.connection(*streams, **properties))


def test_a_replaced_connection_goes_on_where_the_old_one_was(plugin: Plugin, lake: Lake) -> None:
    old = made(plugin, lake, FREE, DEFINED, WHOLE)
    news = moved(plugin, lake, FREE, DEFINED, WHOLE)
    lake.twin.clear_calls()
    new = replaced(plugin, old, news)

    writes = [call for call in lake.asked() if not call.startswith("GET") and not call.endswith("/get")]
    assert writes == [
        f"PATCH /connections/{old.id}",
        "POST /connections",
        "POST /state/create_or_update_safe",
        f"PATCH /connections/{new.id}",
    ]
    assert state(lake, new.id) == state(lake, old.id) == {"bare": CURSOR, "cursor_defined": CURSOR}
    assert lake.live("connections", old.id)["status"] == "inactive"
    assert lake.live("connections", new.id)["status"] == "active"
    assert_clean(plugin, "connection", new)


def test_a_replaced_connection_that_is_to_rest_stays_inactive(plugin: Plugin, lake: Lake) -> None:
    old = made(plugin, lake, FREE)
    new = replaced(plugin, old, moved(plugin, lake, FREE, status="inactive"))
    assert lake.live("connections", new.id)["status"] == "inactive"
    assert state(lake, new.id) == {"bare": CURSOR}
    assert_clean(plugin, "connection", new)


CHANGES: list[tuple[Document, Document, str]] = [
    (FREE, FREE | {"cursorField": ["id"]}, "bare (its cursor field changes)"),
    (FREE, stream("bare"), "bare (its sync mode changes)"),
    (
        stream("twice", namespace="left", syncMode="incremental_append", cursorField=["id"]),
        stream("twice", namespace="right", syncMode="incremental_append", cursorField=["id"]),
        "twice (namespace left) (its namespace changes)",
    ),
    (
        stream("cursor_default", syncMode="incremental_append"),
        stream("cursor_default", syncMode="incremental_append", cursorField=["id"]),
        "cursor_default (its cursor field changes)",
    ),
]


@pytest.mark.parametrize(("before", "after", "named"), CHANGES, ids=[named for _, _, named in CHANGES])
def test_a_cursor_is_lost_only_where_the_program_allows_it(
    plugin: Plugin, lake: Lake, before: Document, after: Document, named: str
) -> None:
    old = made(plugin, lake, before, DEFINED)
    news = moved(plugin, lake, after, DEFINED)
    lake.twin.clear_calls()
    message = error(lambda: replaced(plugin, old, news))
    assert named in message
    assert HINT in message
    assert [call for call in lake.asked() if call.startswith(("PATCH", "POST /connections"))] == []

    new = replaced(plugin, old, news | {"allowCursorLoss": True})
    assert state(lake, new.id) == {"cursor_defined": CURSOR}


@pytest.mark.parametrize("after", [FREE, stream("bare", syncMode="incremental_deduped_history")], ids=str)
def test_a_cursor_that_the_source_chose_is_kept_when_the_program_names_it(
    plugin: Plugin, lake: Lake, after: Document
) -> None:
    chosen = {"name": "cursor_default", "primaryKey": [["id"]]}
    old = made(plugin, lake, stream("cursor_default", syncMode="incremental_append"))
    new = replaced(plugin, old, moved(plugin, lake, after | chosen))
    assert state(lake, new.id) == {"cursor_default": CURSOR}


def test_a_cursor_means_nothing_to_another_connector(plugin: Plugin, lake: Lake) -> None:
    old = made(plugin, lake, FREE)
    news = moved(plugin, lake, FREE, sourceId=other_source(lake, definitionId=OTHER_SOURCE))
    assert "bare (the source is of another connector)" in error(lambda: replaced(plugin, old, news))
    new = replaced(plugin, old, news | {"allowCursorLoss": True})
    assert state(lake, new.id) == {}
    assert lake.live("connections", new.id)["status"] == "active"


def test_a_stream_that_is_synced_no_more_has_no_cursor_to_lose(plugin: Plugin, lake: Lake) -> None:
    old = made(plugin, lake, FREE, DEFINED)
    new = replaced(plugin, old, moved(plugin, lake, DEFINED))
    assert state(lake, new.id) == {"cursor_defined": CURSOR}


def test_a_stream_that_was_never_read_has_no_cursor_to_lose(plugin: Plugin, lake: Lake) -> None:
    unread = plugin.made("connection", lake.connection(FREE))
    assert replaced(plugin, unread, moved(plugin, lake, stream("bare"))).id


def test_a_stream_with_a_new_token_starts_anew_in_the_new_connection(plugin: Plugin, lake: Lake) -> None:
    old = made(plugin, lake, FREE, DEFINED, backfills={"bare": "one"})
    new = replaced(plugin, old, moved(plugin, lake, FREE, DEFINED, backfills={"bare": "two"}))
    assert state(lake, new.id) == {"cursor_defined": CURSOR}


def test_one_cursor_for_all_streams_goes_over_as_a_whole_or_not_at_all(plugin: Plugin, lake: Lake) -> None:
    rows = [{"streamDescriptor": {"name": name}, "streamState": CURSOR} for name in ("bare", "cursor_defined")]
    whole = {"stateType": "global", "globalState": {"shared_state": {"lsn": 7}, "streamStates": rows}}
    old = plugin.made("connection", lake.connection(FREE, DEFINED))
    write_state(lake, old.id, streamState=None, **whole)

    changed = moved(plugin, lake, FREE | {"cursorField": ["id"]}, DEFINED)
    message = error(lambda: replaced(plugin, old, changed))
    assert "bare (its cursor field changes), cursor_defined (the source keeps one cursor for all" in message

    new = replaced(plugin, old, moved(plugin, lake, FREE, DEFINED))
    assert state(lake, new.id) == state(lake, old.id) == whole


def test_a_job_of_the_old_connection_is_waited_for_and_the_next_run_goes_on(plugin: Plugin, lake: Lake) -> None:
    old = made(plugin, lake, FREE)
    job = lake.api("POST", "/jobs", {"connectionId": old.id, "jobType": "sync"})
    news = moved(plugin, lake, FREE)
    message = error(lambda: replaced(plugin, old, news, seconds=0.01))
    assert f"Job {job['jobId']} (sync) of connection {old.id} is still pending" in message
    assert "Run `pulumi up` again" in message
    assert lake.live("connections", old.id)["status"] == "active"

    drive_job(lake, job["jobId"], "succeeded")
    new = replaced(plugin, old, news)
    assert state(lake, new.id) == {"bare": CURSOR}


def test_without_the_config_api_cursors_are_lost_and_that_is_refused(lake: Lake) -> None:
    with running_plugin() as plugin:
        plugin.configure(serverUrl=lake.twin.public_url, configUrl=f"{lake.twin.url}/nothing/v1")
        old = made(plugin, lake, FREE)
        news = moved(plugin, lake, FREE)
        assert "bare (it can't be read without the Config API)" in error(lambda: replaced(plugin, old, news))
        assert lake.live("connections", old.id)["status"] == "active"
        assert replaced(plugin, old, news | {"allowCursorLoss": True}).id


def test_a_connection_that_gets_no_successor_runs_on(plugin: Plugin, lake: Lake) -> None:
    old = made(plugin, lake, FREE)
    news = moved(plugin, lake, FREE)
    lake.fault(method="POST", path=r"/connections\b(?!/)", status=500, times=1)
    assert "500" in error(lambda: replaced(plugin, old, news))
    assert lake.live("connections", old.id)["status"] == "active"


BREAKS: list[dict[str, Any]] = [
    {"method": "POST", "path": "create_or_update_safe", "status": 500},
    {"method": "POST", "path": "create_or_update_safe", "status": 500, "commit": True},
    {"method": "POST", "path": "state/get", "status": 500, "nth": 4},
    {"method": "PATCH", "path": "/connections/", "status": 500, "nth": 2},
]


@pytest.mark.parametrize("break_", BREAKS, ids=str)
def test_what_failed_after_the_new_connection_was_made_is_finished_by_the_next_update(
    plugin: Plugin, lake: Lake, break_: dict[str, Any]
) -> None:
    old = made(plugin, lake, FREE, DEFINED)
    news = moved(plugin, lake, FREE, DEFINED)
    lake.fault(**break_, times=1)
    left = unfinished(lambda: replaced(plugin, old, news))
    assert left.inputs == news
    assert lake.live("connections", left.id)["status"] == "inactive"

    assert compared(plugin, left, news).properties == ["unfinished"]
    assert plugin.refreshed("connection", left).outputs["unfinished"] == left.outputs["unfinished"]
    lake.api("DELETE", f"/connections/{old.id}")
    finished = plugin.update("connection", left, news)
    assert state(lake, left.id) == {"bare": CURSOR, "cursor_defined": CURSOR}
    assert lake.live("connections", left.id)["status"] == "active"
    assert_clean(plugin, "connection", finished)


def test_the_state_of_one_that_runs_already_is_not_overwritten(plugin: Plugin, lake: Lake) -> None:
    old = made(plugin, lake, FREE, DEFINED)
    news = moved(plugin, lake, FREE, DEFINED)
    lake.fault(method="PATCH", path="/connections/", status=500, commit=True, nth=2, times=1)
    left = unfinished(lambda: replaced(plugin, old, news))
    write_state(lake, old.id, "bare", streamState=[{"streamDescriptor": {"name": "bare"}, "streamState": {"x": 1}}])
    plugin.update("connection", left, news)
    assert state(lake, left.id) == {"bare": CURSOR, "cursor_defined": CURSOR}


def delete(plugin: Plugin, old: Object) -> None:
    """A delete before the replacement, in the run that is under way."""
    plugin.stub.Delete(
        provider_pb2.DeleteRequest(
            id=old.id, urn=urn("connection"), old_inputs=encode(old.inputs), properties=encode(old.outputs)
        )
    )


def test_a_connection_that_is_deleted_first_hands_over_all_the_same(plugin: Plugin, lake: Lake) -> None:
    old = made(plugin, lake, FREE)
    news = moved(plugin, lake, FREE)
    assert compared(plugin, old, news).replaces
    delete(plugin, old)
    created = plugin.stub.Create(provider_pb2.CreateRequest(urn=urn("connection"), properties=encode(news)))
    assert state(lake, created.id) == {"bare": CURSOR}
    assert lake.live("connections", old.id)["status"] == "deprecated"
    assert lake.live("connections", created.id)["status"] == "active"


def test_a_deleted_connection_that_gets_no_successor_is_not_brought_back(plugin: Plugin, lake: Lake) -> None:
    old = made(plugin, lake, FREE)
    news = moved(plugin, lake, FREE)
    assert compared(plugin, old, news).replaces
    delete(plugin, old)
    lake.fault(method="POST", path=r"/connections\b(?!/)", status=500, times=1)
    request = provider_pb2.CreateRequest(urn=urn("connection"), properties=encode(news))
    assert "500" in error(lambda: plugin.stub.Create(request))
    assert lake.live("connections", old.id)["status"] == "deprecated"


def test_a_connection_is_not_deleted_first_where_a_cursor_would_be_lost(plugin: Plugin, lake: Lake) -> None:
    old = made(plugin, lake, FREE)
    news = moved(plugin, lake, stream("bare"))
    assert compared(plugin, old, news).replaces
    assert HINT in error(lambda: delete(plugin, old))
    assert lake.live("connections", old.id)["status"] == "active"


SEEN: list[tuple[Callable[[Values], Values], str]] = [
    (lambda news: news, "cursors kept: bare, cursor_defined; if the new source is of the same connector"),
    (
        lambda news: news | {"sourceId": UNKNOWN, "status": "inactive"},
        "cursors kept: bare, cursor_defined; if the new source is of the same connector",
    ),
]


@pytest.mark.parametrize(("change", "text"), SEEN, ids=[text for _, text in SEEN])
def test_a_preview_names_the_cursors_that_are_kept(
    engine: tuple[Engine, Plugin], lake: Lake, change: Callable[[Values], Values], text: str
) -> None:
    heard, plugin = engine
    old = made(plugin, lake, FREE, DEFINED)
    compared(plugin, old, change(moved(plugin, lake, FREE, DEFINED)))
    assert heard.lines == [(urn("connection"), text)]


def test_a_preview_names_the_cursors_that_are_lost_and_why(engine: tuple[Engine, Plugin], lake: Lake) -> None:
    heard, plugin = engine
    old = made(plugin, lake, FREE, DEFINED)
    news = moved(plugin, lake, FREE | {"cursorField": ["id"]}, DEFINED, sourceId=lake.source_id, destinationId=UNKNOWN)
    lake.twin.clear_calls()
    compared(plugin, old, news)
    assert heard.lines[-1][1].endswith(
        "cursors kept: cursor_defined; lost: bare (its cursor field changes); an update refuses to lose cursors unless "
        "allowCursorLoss is set; existing rows stay in the old destination"
    )
    assert lake.asked() == []
