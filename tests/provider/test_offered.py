"""A source is discovered anew before a connection takes more of it."""

from typing import Any

import pytest

from tests.provider.lake import Lake, stream
from tests.provider.plugin import Object, Plugin, error
from tests.provider.refresh import assert_clean

BOTH = stream(syncMode="incremental_append", cursorField=["id"])
NEW: list[tuple[dict[str, Any], str]] = [
    (stream(selectedFields=["id", "nmae", "updated_at"]), 'no field "nmae" in stream "bare" (did you mean name?)'),
    (stream("baer"), 'no stream "baer" (did you mean bare?)'),
    (stream("zzz"), 'no stream "zzz"'),
    (stream("twice", namespace="middle"), 'no stream "twice" in that namespace (it has left, right)'),
    (stream(syncMode="incremental_append", cursorField=["meta", "seen"]), 'no field "meta.seen" in stream "bare"'),
    (
        stream(syncMode="incremental_deduped_history", cursorField=["id"], primaryKey=[["idd"]]),
        'no field "idd" in stream "bare"',
    ),
]
NOT_NEW: list[dict[str, Any]] = [
    stream(selectedFields=["id"]),
    stream(selectedFields=...),
    stream(syncMode="full_refresh_overwrite"),
    stream(mappers=[{"type": "field-filtering", "mapperConfiguration": {"targetField": "name"}}]),
]
CACHED = "GET /streams"


@pytest.fixture
def source(plugin: Plugin, lake: Lake) -> Object:
    """A source whose streams nobody else changes."""
    return plugin.made("source", lake.source())


def connected(plugin: Plugin, lake: Lake, source: Object, *streams: dict[str, Any], number: int = 1) -> Object:
    said = lake.connection(*streams, sourceId=source.id, name=plugin.name if number == 1 else f"{plugin.name} {number}")
    made = plugin.made("connection", said)
    lake.twin.clear_calls()
    return made


@pytest.mark.parametrize(("taken", "told"), NEW, ids=[told for _, told in NEW])
def test_what_the_source_does_not_offer_is_told_by_name_before_anything_is_written(
    plugin: Plugin, lake: Lake, source: Object, taken: dict[str, Any], told: str
) -> None:
    made = connected(plugin, lake, source)
    new = plugin.checked("connection", lake.connection(taken, sourceId=source.id))
    message = error(lambda: plugin.update("connection", made, new))
    assert message.startswith(f"The source does not offer what the connection takes: {told}")
    assert "Nothing was written" in message
    assert lake.writes() == []


def test_all_that_is_missing_is_told_at_once(plugin: Plugin, lake: Lake, source: Object) -> None:
    made = connected(plugin, lake, source)
    new = lake.connection(stream(selectedFields=["id", "a", "b"]), stream("gone"), sourceId=source.id)
    message = error(lambda: plugin.update("connection", made, plugin.checked("connection", new)))
    assert [name in message for name in ('field "a"', 'field "b"', 'stream "gone"')] == [True] * 3


@pytest.mark.parametrize("taken", NOT_NEW, ids=str)
def test_what_is_not_new_needs_no_discovery(plugin: Plugin, lake: Lake, source: Object, taken: dict[str, Any]) -> None:
    made = connected(plugin, lake, source)
    plugin.update("connection", made, plugin.checked("connection", lake.connection(taken, sourceId=source.id)))
    assert CACHED not in lake.asked()


def test_a_column_that_the_source_has_just_got_can_be_taken_at_once(plugin: Plugin, lake: Lake, source: Object) -> None:
    made = connected(plugin, lake, source)
    lake.drift("outside_column", sourceId=source.id, stream="bare", field="fresh", jsonSchema={"type": "string"})
    new = lake.connection(stream(selectedFields=["id", "fresh"]), sourceId=source.id)
    updated = plugin.update("connection", made, plugin.checked("connection", new))
    assert lake.asked() == [CACHED, f"PATCH /connections/{made.id}"]
    assert_clean(plugin, "connection", updated)


def test_connections_of_one_source_share_a_discovery(plugin: Plugin, lake: Lake, source: Object) -> None:
    made = [connected(plugin, lake, source, number=number) for number in range(3)]
    new = plugin.checked("connection", lake.connection(stream(), stream("cursor_default"), sourceId=source.id))
    lake.twin.clear_calls()
    for each in made:
        plugin.update("connection", each, new)
    assert lake.asked().count(CACHED) == 1


def test_a_new_connection_with_a_column_that_the_last_discovery_lacked_is_made_at_the_second_try(
    plugin: Plugin, lake: Lake, source: Object
) -> None:
    connected(plugin, lake, source, number=2)
    lake.drift("outside_column", sourceId=source.id, stream="bare", field="fresh", jsonSchema={"type": "string"})
    new = lake.connection(stream(selectedFields=["id", "fresh"]), sourceId=source.id)
    made = plugin.made("connection", new)
    ends = [f"GET /sources/{source.id}", f"GET /destinations/{lake.destination_id}"]
    assert lake.asked() == [*ends, "POST /connections", CACHED, "POST /connections"]
    assert_clean(plugin, "connection", made)


def test_a_new_connection_that_takes_what_is_not_offered_names_it(plugin: Plugin, lake: Lake, source: Object) -> None:
    new = lake.connection(stream(selectedFields=["id", "nmae"]), stream("baer"), sourceId=source.id)
    message = error(lambda: plugin.made("connection", new))
    assert 'no stream "baer" (did you mean bare?)' in message
    assert 'no field "nmae" in stream "bare" (did you mean name?)' in message
    assert lake.writes()[-1] == "POST /connections"
    assert lake.writes().count("POST /connections") == 1


def test_a_new_connection_that_is_refused_for_another_reason_is_not_tried_again(
    plugin: Plugin, lake: Lake, source: Object
) -> None:
    message = error(
        lambda: plugin.made("connection", lake.connection(stream(syncMode="incremental_append"), sourceId=source.id))
    )
    assert "No default cursor field" in message
    assert CACHED not in lake.asked()


def test_a_source_that_cannot_be_discovered_takes_nothing_new(plugin: Plugin, lake: Lake, source: Object) -> None:
    made = connected(plugin, lake, source)
    lake.drift("temper", actorId=source.id, discoverFailure="the shop is closed")
    new = plugin.checked("connection", lake.connection(stream(), stream("cursor_default"), sourceId=source.id))
    message = error(lambda: plugin.update("connection", made, new))
    assert f"discover the streams of source {source.id}" in message
    assert lake.writes() == []
