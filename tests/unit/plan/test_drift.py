"""Drift between code, state and live objects, from the output of a preview with a refresh."""

import json
from typing import Any

import pytest

from lotus_infra.plan.drift import ANOTHER_SECRET, Drift, drift_of
from lotus_infra.plan.preview import read_preview

Document = dict[str, Any]
SOURCE, CONNECTION = "source:Source", "connection:Connection"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:prod::lotus::lotus:airbyte:Pipeline$airbyte:index/{kind}::{name}"


def drifted(
    code: Document | None,
    state: Document | None,
    live: Document | None,
    kind: str = SOURCE,
    op: str = "",
    *,
    more_messages: tuple[str, ...] = (),
    **step: Any,
) -> Drift:
    """The drift of one object, from the steps and messages that the engine prints for it."""
    steps: list[Document] = []
    if state is not None:
        kept = {"inputs": state}
        steps.append({"op": "refresh", "urn": urn(kind, "shop"), "oldState": kept, "newState": kept})
    if code is not None or live is not None:
        guessed = op or ("create" if live is None else "delete" if code is None else "update")
        versions = {"oldState": live and {"inputs": live}, "newState": code and {"inputs": code}}
        steps.append({"op": guessed, "urn": urn(kind, "shop"), **versions, **step})
    messages = [
        {"urn": urn(kind, "shop"), "message": line + "\n", "severity": "info"} for line in (*MESSAGES, *more_messages)
    ]
    return drift_of(read_preview(json.dumps({"steps": steps, "diagnostics": messages, "changeSummary": {}}, indent=2)))


MESSAGES = (
    "field tax of orders was added in Airbyte (propagate_columns adds what the source gains); where it is to stay",
    "orders: + field tax",
)
A, B, C = ({"name": "Shop", "configuration": {"count": count}} for count in (1, 2, 3))


@pytest.mark.parametrize(
    ("code", "state", "live", "op", "kind"),
    [
        (A, A, B, "update", "changed outside"),
        (A, B, B, "update", "not applied yet"),
        (A, B, C, "update", "changed in both"),
        (A, B, A, "same", "already done by hand"),
    ],
)
def test_the_kind_of_drift_is_the_side_that_changed(
    code: Document, state: Document, live: Document, op: str, kind: str
) -> None:
    drift = drifted(code, state, live, op=op)
    [one] = drift.objects
    [difference] = one.differences
    assert difference.kind == kind
    assert difference.path == ("configuration", "count")
    assert drift.ok is (op == "same")


@pytest.mark.parametrize(
    ("code", "state", "live", "kind"),
    [
        (A, A, None, "changed outside"),
        (None, A, None, "already done by hand"),
        (A, None, None, "not applied yet"),
        (None, A, A, "not applied yet"),
    ],
)
def test_a_created_or_deleted_object_is_one_difference(
    code: Document | None, state: Document | None, live: Document | None, kind: str
) -> None:
    [one] = drifted(code, state, live).objects
    [difference] = one.differences
    assert (difference.kind, difference.path) == (kind, ())
    assert one.gone is (kind == "changed outside")


def test_where_nothing_differs_there_is_no_drift() -> None:
    drift = drifted(A, A, A, op="same")
    assert drift.ok
    assert drift.objects == ()
    assert drift.labels == {("source", "shop"): "Shop"}


def test_a_secret_that_code_has_changed_is_named_and_not_shown() -> None:
    hidden = {"configuration": {"key": "[secret]"}}
    [one] = drifted(hidden, hidden, hidden, detailedDiff={"configuration.key": {"kind": "update"}}).objects
    [difference] = one.differences
    assert difference.kind == "not applied yet"
    assert difference.code == ANOTHER_SECRET


def test_a_secret_that_was_changed_in_airbyte_is_no_change_of_code() -> None:
    hidden = {"configuration": {"key": "[secret]", "other": "[secret]"}}
    note = "configuration.key, configuration.third: changed outside the program, which writes its own value"
    diff = {f"configuration.{key}": {"kind": "update"} for key in ("key", "other")}
    [one] = drifted(hidden, hidden, hidden, more_messages=(note,), detailedDiff=diff).objects
    by_path = {each.path[1]: (each.kind, each.code, each.live) for each in one.differences}
    assert by_path == {
        "key": ("changed outside", "[secret]", ANOTHER_SECRET),
        "other": ("not applied yet", ANOTHER_SECRET, "[secret]"),
    }
    assert note in one.notes


def test_a_value_beside_a_secret_is_not_shown() -> None:
    hidden, seen, masked = ({"configuration": {"key": key}} for key in ("[secret]", "in plain text", "**********"))
    [one] = drifted(hidden, hidden, seen).objects
    assert [each.live for each in one.differences] == [ANOTHER_SECRET]
    assert drifted(hidden, hidden, masked, op="same").objects == ()


def test_a_planned_change_is_reported_although_no_input_differs() -> None:
    [one] = drifted(A, A, A, detailedDiff={"backfills.orders": {"kind": "update"}}).objects
    assert [each.path for each in one.differences] == [("backfills.orders",)]


def test_a_value_that_only_the_update_knows_is_no_difference() -> None:
    unknown = {"name": "Shop → S3", "sourceId": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    known = unknown | {"sourceId": "1", "prefix": "tmp_"}
    [one] = drifted(unknown, known, known, CONNECTION).objects
    assert [each.path for each in one.differences] == [("prefix",)]


def connection(*streams: Document, **more: Any) -> Document:
    return {"name": "Shop → S3", "configurations": json.dumps({"streams": list(streams)}), **more}


def stream(name: str = "orders", **more: Any) -> Document:
    return {"name": name, "syncMode": "incremental_append", "selectedFields": ["id"], **more}


def differences_of(code: Document, live: Document) -> dict[str, tuple[Any, Any]]:
    """The differences between an applied connection's code and the live one, by path, with both values."""
    [one] = drifted(code, code, live, CONNECTION).objects
    return {".".join(each.path): (each.code, each.live) for each in one.differences}


def test_every_setting_of_a_connection_has_a_path() -> None:
    before = connection(stream(), schedule={"scheduleType": "cron", "cronExpression": "0 0 * * * ?"})
    after = connection(stream(), schedule={"scheduleType": "basic", "basicTiming": "Every 2 HOURS"}, status="inactive")
    assert differences_of(before, after) == {
        "schedule": ("cron 0 0 * * * ?", "every 2 hours"),
        "status": ("active", "inactive"),
    }


def test_a_stream_differs_field_by_field() -> None:
    before = stream(cursorField=["a"], primaryKey=[["id"]], selectedFields=["id", "tax"])
    after = stream(cursorField=["b", "c"], primaryKey=[["id"], ["no"]], syncMode="incremental_deduped_history")
    assert differences_of(connection(before), connection(after)) == {
        "streams.orders.sync_mode": ("incremental_append", "incremental_deduped_history"),
        "streams.orders.cursor_field": ("a", "b.c"),
        "streams.orders.primary_key": ("id", "id, no"),
        "streams.orders.fields.tax": (True, None),
    }


def test_a_missing_stream_is_one_difference_and_so_is_a_selection_of_every_field() -> None:
    gone, whole = stream("gone"), {"name": "orders", "syncMode": "incremental_append"}
    assert differences_of(connection(stream(), gone), connection(whole, stream("new"))) == {
        "streams.gone": (True, None),
        "streams.new": (None, True),
        "streams.orders.fields": ("id", "every field"),
    }


def test_a_change_of_the_server_itself_is_marked() -> None:
    [one] = drifted(
        connection(stream()), connection(stream()), connection(stream(selectedFields=["id", "tax"])), CONNECTION
    ).objects
    assert [each.perhaps_server for each in one.differences] == [True]
    assert one.notes == (MESSAGES[0],)


def secret_streams(configurations: object = "[secret]", **inputs: Any) -> Document:
    return {"name": "Shop", "configurations": configurations, **inputs}


READABLE = json.dumps({"streams": [{"name": "orders", "syncMode": "full_refresh_append"}]})


def test_secret_streams_have_one_path_and_show_no_value() -> None:
    versions = (secret_streams(), secret_streams(READABLE), secret_streams())
    drift = drifted(*versions, kind=CONNECTION, detailedDiff={"configurations": {"kind": "update"}})
    [[difference]] = [one.differences for one in drift.objects]
    assert difference.path == ("configurations",)
    assert (difference.code, difference.live) == (ANOTHER_SECRET, "[secret]")


def test_streams_that_only_become_secret_are_no_difference() -> None:
    assert (
        drifted(secret_streams(), secret_streams(READABLE), secret_streams(READABLE), CONNECTION, "same").objects == ()
    )


def test_a_token_of_an_earlier_state_belongs_to_the_same_stream() -> None:
    text = json.dumps({"streams": [{"name": "orders", "namespace": "sales", "syncMode": "full_refresh_append"}]})
    state = secret_streams(text, backfills={"orders": "t1"})
    code = secret_streams(text, backfills={'["sales","orders"]': "t1"})
    assert drifted(code, state, state, CONNECTION, "same").objects == ()


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
    [one] = drifted(on, on, off, CONNECTION, more_messages=(said,)).objects
    assert {".".join(each.path): each.perhaps_server for each in one.differences} == {"status": by_itself}


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
    [one] = drifted(code, code, connection(stream(), stream("gone")), CONNECTION, more_messages=(said,)).objects
    assert [each.perhaps_server for each in one.differences] == [by_itself]
