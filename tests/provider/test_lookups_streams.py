"""Look-ups that compare what a connection selects with what its source offers."""

from typing import Any

from tests.provider.lab import FIELDS, LAB
from tests.provider.lake import Lake, stream
from tests.provider.plugin import Plugin, error
from tests.provider.test_lookups_objects import NOWHERE, made_connection

NAMES = sorted(each["name"] for each in LAB[0]["streams"])


def compared(plugin: Plugin, connection_id: str, **more: Any) -> dict[str, Any]:
    return plugin.invoke("getSelectionDifferences", connectionId=connection_id, **more)


def test_a_connection_is_compared_with_what_its_source_offers(plugin: Plugin, lake: Lake) -> None:
    found = compared(plugin, made_connection(lake, "some", stream("bare"), stream("twice", namespace="left")))
    assert found["sourceId"] == lake.source_id
    unselected = [(each["streamName"], each.get("namespace")) for each in found["unselectedStreams"]]
    assert ("bare", None) not in unselected
    assert ("twice", "left") not in unselected
    assert ("twice", "right") in unselected
    assert len(unselected) == len(NAMES) - 2
    rest = sorted(set(FIELDS) - {"id", "name", "updated_at"})
    assert found["differences"] == [
        {"streamName": "bare", "isOffered": True, "unselectedFields": rest, "missingFields": []},
        {"streamName": "twice", "namespace": "left", "isOffered": True, "unselectedFields": rest, "missingFields": []},
    ]


def test_a_stream_that_selects_every_field_does_not_differ(plugin: Plugin, lake: Lake) -> None:
    found = compared(plugin, made_connection(lake, "all", stream(selectedFields=...)))
    assert found["differences"] == []
    assert len(found["unselectedStreams"]) == len(NAMES) - 1


def test_what_the_source_has_lost_is_missing(plugin: Plugin, lake: Lake) -> None:
    keys: dict[str, Any] = {
        "syncMode": "incremental_deduped_history",
        "cursorField": ["meta", "seen_at"],
        "primaryKey": [["id"]],
    }
    connection_id = made_connection(lake, "old", stream(selectedFields=["id", "meta"], **keys), stream("spaced"))
    old = lake.twin.store.connections.get(connection_id)
    assert old is not None
    bare, spaced = old.streams
    changes = {"selected_fields": ("id", "lost", "meta"), "primary_key": (("id",), ("lost_key",))}
    streams = (bare.model_copy(update=changes), spaced.model_copy(update={"name": "lost_stream", "namespace": None}))
    lake.twin.store.connections.put(old.model_copy(update={"streams": streams}))
    bare_difference, lost_stream = compared(plugin, connection_id)["differences"]
    assert bare_difference["missingFields"] == [["lost"], ["lost_key"]]
    assert bare_difference["unselectedFields"] == ["name", "note", "updated_at"]
    assert (lost_stream["streamName"], lost_stream["isOffered"]) == ("lost_stream", False)


def test_a_new_field_is_seen_by_a_new_discovery(plugin: Plugin, lake: Lake) -> None:
    connection_id = made_connection(lake, "old", stream(selectedFields=sorted(FIELDS)))
    lake.drift("outside_column", sourceId=lake.source_id, stream="bare", field="fresh", jsonSchema={"type": "string"})
    assert compared(plugin, connection_id)["differences"] == []
    [difference] = compared(plugin, connection_id, ignoreCache=True)["differences"]
    assert difference["unselectedFields"] == ["fresh"]


def test_an_unknown_connection_is_an_error(plugin: Plugin, lake: Lake) -> None:
    assert "404" in error(lambda: compared(plugin, NOWHERE))
