"""Code, state and live, from what a preview with a refresh prints."""

import json
from typing import Any

import pytest

from lotus_infra.changes.digest import read
from lotus_infra.changes.drift import ANOTHER_SECRET, Drift, drift_of

Document = dict[str, Any]
SOURCE, CONNECTION = "source:Source", "connection:Connection"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:prod::lotus::lotus:airbyte:Pipeline$airbyte:index/{kind}::{name}"


def told(
    code: Document | None,
    state: Document | None,
    live: Document | None,
    kind: str = SOURCE,
    op: str = "",
    *,
    also_said: tuple[str, ...] = (),
    **step: Any,
) -> Drift:
    """The drift of one object, told as the engine tells it."""
    steps: list[Document] = []
    if state is not None:
        kept = {"inputs": state}
        steps.append({"op": "refresh", "urn": urn(kind, "shop"), "oldState": kept, "newState": kept})
    if code is not None or live is not None:
        guessed = op or ("create" if live is None else "delete" if code is None else "update")
        versions = {"oldState": live and {"inputs": live}, "newState": code and {"inputs": code}}
        steps.append({"op": guessed, "urn": urn(kind, "shop"), **versions, **step})
    said = [{"urn": urn(kind, "shop"), "message": line + "\n", "severity": "info"} for line in (*SAID, *also_said)]
    return drift_of(read(json.dumps({"steps": steps, "diagnostics": said, "changeSummary": {}}, indent=2)))


SAID = (
    "field tax of orders was added in Airbyte (propagate_columns adds what the source gains); where it is to stay",
    "orders: + field tax",
)
A, B, C = ({"name": "Shop", "configuration": {"count": count}} for count in (1, 2, 3))


@pytest.mark.parametrize(
    ("code", "state", "live", "op", "verdict"),
    [
        (A, A, B, "update", "changed outside"),
        (A, B, B, "update", "not applied yet"),
        (A, B, C, "update", "changed in both"),
        (A, B, A, "same", "already done by hand"),
    ],
)
def test_who_has_moved(code: Document, state: Document, live: Document, op: str, verdict: str) -> None:
    drift = told(code, state, live, op=op)
    [one] = drift.objects
    [difference] = one.differences
    assert difference.verdict == verdict
    assert difference.place == ("configuration", "count")
    assert drift.ok is (op == "same")


@pytest.mark.parametrize(
    ("code", "state", "live", "verdict"),
    [
        (A, A, None, "changed outside"),
        (None, A, None, "already done by hand"),
        (A, None, None, "not applied yet"),
        (None, A, A, "not applied yet"),
    ],
)
def test_objects_as_a_whole(code: Document | None, state: Document | None, live: Document | None, verdict: str) -> None:
    [one] = told(code, state, live).objects
    [difference] = one.differences
    assert (difference.verdict, difference.place) == (verdict, ())
    assert one.gone is (verdict == "changed outside")


def test_where_nothing_differs_there_is_no_drift() -> None:
    drift = told(A, A, A, op="same")
    assert drift.ok
    assert drift.objects == ()
    assert drift.labels == {("source", "shop"): "Shop"}


def test_a_secret_that_code_has_changed_is_named_and_not_shown() -> None:
    hidden = {"configuration": {"key": "[secret]"}}
    [one] = told(hidden, hidden, hidden, detailedDiff={"configuration.key": {"kind": "update"}}).objects
    [difference] = one.differences
    assert difference.verdict == "not applied yet"
    assert difference.code == ANOTHER_SECRET


def test_a_secret_that_was_changed_in_airbyte_is_no_change_of_code() -> None:
    hidden = {"configuration": {"key": "[secret]", "other": "[secret]"}}
    note = "configuration.key, configuration.third: changed outside the program, which writes its own value"
    diff = {f"configuration.{key}": {"kind": "update"} for key in ("key", "other")}
    [one] = told(hidden, hidden, hidden, also_said=(note,), detailedDiff=diff).objects
    by_place = {each.place[1]: (each.verdict, each.code, each.live) for each in one.differences}
    assert by_place == {
        "key": ("changed outside", "[secret]", ANOTHER_SECRET),
        "other": ("not applied yet", ANOTHER_SECRET, "[secret]"),
    }
    assert note in one.notes


def test_what_takes_the_place_of_a_secret_is_not_shown() -> None:
    hidden, seen, masked = ({"configuration": {"key": key}} for key in ("[secret]", "in plain text", "**********"))
    [one] = told(hidden, hidden, seen).objects
    assert [each.live for each in one.differences] == [ANOTHER_SECRET]
    assert told(hidden, hidden, masked, op="same").objects == ()


def test_what_the_engine_is_to_change_is_told_although_no_input_differs() -> None:
    [one] = told(A, A, A, detailedDiff={"backfills.orders": {"kind": "update"}}).objects
    assert [each.place for each in one.differences] == [("backfills.orders",)]


def test_what_only_an_up_can_tell_is_no_difference() -> None:
    unknown = {"name": "Shop → S3", "sourceId": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    known = unknown | {"sourceId": "1", "prefix": "tmp_"}
    [one] = told(unknown, known, known, CONNECTION).objects
    assert [each.place for each in one.differences] == [("prefix",)]


def connection(*streams: Document, **more: Any) -> Document:
    return {"name": "Shop → S3", "configurations": json.dumps({"streams": list(streams)}), **more}


def stream(name: str = "orders", **more: Any) -> Document:
    return {"name": name, "syncMode": "incremental_append", "selectedFields": ["id"], **more}


def places_of(code: Document, live: Document) -> dict[str, tuple[Any, Any]]:
    """Where a connection's code, which is applied, and what is live differ, with both."""
    [one] = told(code, code, live, CONNECTION).objects
    return {".".join(each.place): (each.code, each.live) for each in one.differences}


def test_every_setting_of_a_connection_is_a_place() -> None:
    before = connection(stream(), schedule={"scheduleType": "cron", "cronExpression": "0 0 * * * ?"})
    after = connection(stream(), schedule={"scheduleType": "basic", "basicTiming": "Every 2 HOURS"}, status="inactive")
    assert places_of(before, after) == {
        "schedule": ("cron 0 0 * * * ?", "every 2 hours"),
        "status": ("active", "inactive"),
    }


def test_a_stream_differs_field_by_field() -> None:
    before = stream(cursorField=["a"], primaryKey=[["id"]], selectedFields=["id", "tax"])
    after = stream(cursorField=["b", "c"], primaryKey=[["id"], ["no"]], syncMode="incremental_deduped_history")
    assert places_of(connection(before), connection(after)) == {
        "streams.orders.sync_mode": ("incremental_append", "incremental_deduped_history"),
        "streams.orders.cursor_field": ("a", "b.c"),
        "streams.orders.primary_key": ("id", "id, no"),
        "streams.orders.fields.tax": (True, None),
    }


def test_a_stream_that_is_not_there_is_one_difference_and_so_is_a_selection_of_every_field() -> None:
    gone, whole = stream("gone"), {"name": "orders", "syncMode": "incremental_append"}
    assert places_of(connection(stream(), gone), connection(whole, stream("new"))) == {
        "streams.gone": (True, None),
        "streams.new": (None, True),
        "streams.orders.fields": ("id", "every field"),
    }


def test_what_the_server_did_itself_is_told_as_such() -> None:
    [one] = told(
        connection(stream()), connection(stream()), connection(stream(selectedFields=["id", "tax"])), CONNECTION
    ).objects
    assert [each.perhaps_server for each in one.differences] == [True]
    assert one.notes == (SAID[0],)


def secret_streams(configurations: object = "[secret]", **inputs: Any) -> Document:
    return {"name": "Shop", "configurations": configurations, **inputs}


READABLE = json.dumps({"streams": [{"name": "orders", "syncMode": "full_refresh_append"}]})


def test_secret_streams_are_one_place_that_shows_no_value() -> None:
    versions = (secret_streams(), secret_streams(READABLE), secret_streams())
    drift = told(*versions, kind=CONNECTION, detailedDiff={"configurations": {"kind": "update"}})
    [[difference]] = [one.differences for one in drift.objects]
    assert difference.place == ("configurations",)
    assert (difference.code, difference.live) == (ANOTHER_SECRET, "[secret]")


def test_streams_that_only_come_to_be_secret_are_no_difference() -> None:
    assert told(secret_streams(), secret_streams(READABLE), secret_streams(READABLE), CONNECTION, "same").objects == ()


def test_a_token_of_an_earlier_state_is_of_the_stream_that_it_meant() -> None:
    text = json.dumps({"streams": [{"name": "orders", "namespace": "sales", "syncMode": "full_refresh_append"}]})
    state = secret_streams(text, backfills={"orders": "t1"})
    code = secret_streams(text, backfills={'["sales","orders"]': "t1"})
    assert told(code, state, state, CONNECTION, "same").objects == ()


@pytest.mark.parametrize(
    ("said", "by_itself"),
    [
        ("it is locked in Airbyte: somebody must unlock it", True),
        ("it is switched off in Airbyte, as after a breaking change", True),
        ("it is switched off in Airbyte", False),
        ("", False),
    ],
)
def test_a_connection_that_is_off_may_be_the_servers_doing_only_where_the_provider_says_so(
    said: str, *, by_itself: bool
) -> None:
    on, off = ({**connection(stream()), "status": status} for status in ("active", "inactive"))
    [one] = told(on, on, off, CONNECTION, also_said=(said,)).objects
    assert {".".join(each.place): each.perhaps_server for each in one.differences} == {"status": by_itself}


@pytest.mark.parametrize(
    ("said", "by_itself"),
    [
        ("stream gone was added in Airbyte (propagate_fully adds it)", True),
        ("stream other was added in Airbyte (x)", False),
    ],
)
def test_a_stream_that_came_may_be_the_servers_doing_only_where_the_provider_says_so(
    said: str, *, by_itself: bool
) -> None:
    code = connection(stream())
    [one] = told(code, code, connection(stream(), stream("gone")), CONNECTION, also_said=(said,)).objects
    assert [each.perhaps_server for each in one.differences] == [by_itself]
