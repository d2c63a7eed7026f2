"""The table of what the server makes of a stream's configuration, line by line."""

from typing import Any

import pytest
from lab_connectors import lab_connection, lab_destination, lab_source
from twin_support import Api, fields, stream

INCREMENTAL = ["incremental_append", "incremental_deduped_history", "incremental_update", "incremental_soft_delete"]
FULL = [
    "full_refresh_overwrite", "full_refresh_append", "full_refresh_overwrite_deduped", "full_refresh_update",
    "full_refresh_soft_delete",
]  # fmt: skip
NEEDS_KEY = ["incremental_deduped_history", "incremental_update", "full_refresh_update"]
KEEPS_KEY = [*NEEDS_KEY, "incremental_append", "incremental_soft_delete", "full_refresh_soft_delete"]
KEY = [["name"]]
CURSOR = ["meta", "seen_at"]


def stored(api: Api, name: str, mode: str | None, **members: Any) -> Any:
    body = {"name": name, **({} if mode is None else {"syncMode": mode}), **members}
    return lab_connection(api, body)["configurations"]["streams"][0]


def refused(api: Api, *streams: Any) -> str:
    problem = lab_connection(api, *streams, status=400)
    assert problem["title"] == "bad-request"
    message: str = problem["data"]["message"]
    return message


def needed(mode: str | None) -> dict[str, Any]:
    """Members without which a mode is refused for a stream that defines nothing."""
    return {
        **({"cursorField": ["updated_at"]} if mode in INCREMENTAL else {}),
        **({"primaryKey": [["id"]]} if mode in NEEDS_KEY else {}),
    }


@pytest.mark.parametrize("mode", [*INCREMENTAL, *FULL])
def test_every_mode_reads_back_as_it_was_sent(lab: Api, mode: str) -> None:
    assert stored(lab, "bare", mode, **needed(mode))["syncMode"] == mode


def test_modes_are_taken_in_any_case(lab: Api) -> None:
    assert stored(lab, "bare", "FULL_REFRESH_APPEND")["syncMode"] == "full_refresh_append"


def test_no_mode_is_a_full_refresh_that_overwrites(lab: Api) -> None:
    assert stored(lab, "bare", None)["syncMode"] == "full_refresh_overwrite"


@pytest.mark.parametrize("mode", INCREMENTAL)
def test_a_cursor_that_the_source_defines_may_be_repeated_and_is_stored(lab: Api, mode: str) -> None:
    key = {"primaryKey": [["id"]]}
    assert stored(lab, "cursor_defined", mode, cursorField=["updated_at"], **key)["cursorField"] == ["updated_at"]
    assert stored(lab, "cursor_defined", mode, cursorField=[], **key)["cursorField"] == ["updated_at"]
    assert stored(lab, "cursor_defined", mode, **key)["cursorField"] == ["updated_at"]


@pytest.mark.parametrize("mode", INCREMENTAL)
def test_another_cursor_than_the_source_defines_is_refused(lab: Api, mode: str) -> None:
    body = stream("cursor_defined", syncMode=mode, cursorField=["name"], primaryKey=[["id"]])
    assert "already defined by source" in refused(lab, body)


@pytest.mark.parametrize("mode", INCREMENTAL)
def test_the_callers_cursor_counts_when_the_source_defines_none(lab: Api, mode: str) -> None:
    key = {"primaryKey": [["id"]]}
    assert stored(lab, "cursor_default", mode, cursorField=CURSOR, **key)["cursorField"] == CURSOR
    assert stored(lab, "cursor_default", mode, **key)["cursorField"] == ["updated_at"]
    assert "Invalid cursor field" in refused(lab, stream("bare", syncMode=mode, cursorField=["nope"], **key))
    assert "No default cursor field" in refused(lab, stream("bare", syncMode=mode, **key))


@pytest.mark.parametrize("mode", FULL)
def test_a_full_refresh_drops_the_callers_cursor(lab: Api, mode: str) -> None:
    members = {**needed(mode), "cursorField": CURSOR}
    assert stored(lab, "cursor_default", mode, **members)["cursorField"] == ["updated_at"]
    assert stored(lab, "bare", mode, **members)["cursorField"] == []


@pytest.mark.parametrize("mode", KEEPS_KEY)
def test_modes_that_use_a_key_store_the_callers(lab: Api, mode: str) -> None:
    assert stored(lab, "bare", mode, **{**needed(mode), "primaryKey": KEY})["primaryKey"] == KEY


def test_a_deduped_overwrite_stores_the_callers_key(lab: Api) -> None:
    assert stored(lab, "bare", "full_refresh_overwrite_deduped", primaryKey=KEY)["primaryKey"] == KEY


@pytest.mark.parametrize("mode", [None, "full_refresh_overwrite", "full_refresh_append"])
def test_plain_full_refreshes_drop_the_callers_key(lab: Api, mode: str | None) -> None:
    assert stored(lab, "bare", mode, primaryKey=KEY)["primaryKey"] == []
    assert stored(lab, "key_defined", mode, primaryKey=KEY)["primaryKey"] == [["id"]]


@pytest.mark.parametrize("mode", ["incremental_append", "full_refresh_overwrite_deduped", "full_refresh_soft_delete"])
def test_a_key_that_the_source_defines_replaces_another_one_in_silence(lab: Api, mode: str) -> None:
    assert stored(lab, "key_defined", mode, primaryKey=KEY)["primaryKey"] == [["id"]]


@pytest.mark.parametrize("mode", NEEDS_KEY)
def test_modes_that_need_a_key_check_it(lab: Api, mode: str) -> None:
    cursor = {"cursorField": ["updated_at"]} if mode in INCREMENTAL else {}
    assert stored(lab, "key_defined", mode, primaryKey=[["id"]])["primaryKey"] == [["id"]]
    assert stored(lab, "key_defined", mode)["primaryKey"] == [["id"]]
    assert "already pre-defined" in refused(lab, stream("key_defined", syncMode=mode, primaryKey=KEY))
    assert "No default primary key" in refused(lab, stream("bare", syncMode=mode, **cursor))
    assert "Invalid primary key" in refused(lab, stream("bare", syncMode=mode, primaryKey=[["nope"]], **cursor))


def test_an_append_takes_any_key_unseen(lab: Api) -> None:
    nonsense = [["nope", "nope"]]
    assert (
        stored(lab, "bare", "incremental_append", cursorField=["name"], primaryKey=nonsense)["primaryKey"] == nonsense
    )


def test_the_namespace_is_the_sources_whatever_was_sent(lab: Api) -> None:
    assert "namespace" not in stored(lab, "bare", None, namespace="mine")
    assert stored(lab, "spaced", None, namespace="mine")["namespace"] == "left"
    assert stored(lab, "twice", None, namespace="right")["namespace"] == "right"


def test_streams_that_cannot_be_found_once_are_refused(lab: Api) -> None:
    assert "No streams found with name [nope] and namespace [null]" in refused(lab, stream("nope"))
    assert "No streams found with name [twice] and namespace [null]" in refused(lab, stream("twice"))
    assert "Duplicate stream found" in refused(lab, {"name": "bare"}, {"name": "bare", "namespace": "x"})


def test_streams_of_one_name_in_two_namespaces_are_two(lab: Api) -> None:
    sent = [{"name": "twice", "namespace": namespace} for namespace in ("left", "right")]
    found = lab_connection(lab, *sent)["configurations"]["streams"]
    assert {(each["namespace"], each["name"]) for each in found} == {("left", "twice"), ("right", "twice")}


def test_a_mode_that_the_source_does_not_support_is_refused_with_the_ones_it_does(lab: Api) -> None:
    message = refused(lab, stream("full_only", cursorField=["updated_at"]))
    assert message.startswith("Cannot set sync mode to incremental_append for stream full_only.")
    assert "full_refresh_append" in message


@pytest.mark.parametrize("mode", ["incremental_deduped_history", "full_refresh_overwrite_deduped"])
def test_s3_takes_no_deduped_mode(api: Api, mode: str) -> None:
    body = {"sourceId": api.source()["sourceId"], "destinationId": api.destination()["destinationId"]}
    streams = {"streams": [stream(syncMode=mode)]}
    problem = api.post("/connections", {**body, "configurations": streams}, 400)
    assert "Cannot set sync mode to" in problem["data"]["message"]


def test_no_selection_reads_as_an_empty_list_which_cannot_be_written_back(lab: Api) -> None:
    assert stored(lab, "bare", None)["selectedFields"] == []
    assert "No fields selected" in refused(lab, {"name": "bare", "selectedFields": []})


def test_selected_fields_read_back_in_the_order_of_the_database(lab: Api) -> None:
    sent = fields("name", "updated_at", "id")
    assert stored(lab, "bare", None, selectedFields=sent)["selectedFields"] == fields("id", "name", "updated_at")


@pytest.mark.parametrize(
    ("selected", "message"),
    [
        ([{"fieldPath": ["meta", "seen_at"]}], "Nested field selection"),
        ([{"fieldPath": []}], "cannot be empty"),
        ([{}], "cannot be empty"),
        (fields("id", "id"), "Duplicate fields selected"),
        (fields("id", "nope"), "Invalid fields selected"),
    ],
)
def test_selections_that_are_refused(lab: Api, selected: Any, message: str) -> None:
    assert message in refused(lab, {"name": "bare", "selectedFields": selected})


@pytest.mark.parametrize("mode", INCREMENTAL)
def test_the_cursors_first_step_must_be_selected(lab: Api, mode: str) -> None:
    members = {"syncMode": mode, "cursorField": CURSOR, "primaryKey": [["id"]]}
    assert "Cursor field is not selected" in refused(lab, stream("bare", selectedFields=fields("id"), **members))
    kept = stored(lab, "bare", mode, selectedFields=fields("meta", "id"), cursorField=CURSOR, primaryKey=[["id"]])
    assert kept["selectedFields"] == fields("id", "meta")


@pytest.mark.parametrize("mode", [*NEEDS_KEY, "full_refresh_overwrite_deduped"])
def test_the_key_must_be_selected_where_rows_are_merged_by_it(lab: Api, mode: str) -> None:
    members = {**needed(mode), "primaryKey": [["id"]], "syncMode": mode}
    sent = stream("bare", selectedFields=fields("updated_at"), **members)
    assert "Primary key fields are not selected" in refused(lab, sent)


def test_an_append_need_not_select_its_key(lab: Api) -> None:
    found = stored(lab, "key_defined", "incremental_append", selectedFields=fields("updated_at"))
    assert found["selectedFields"] == fields("updated_at")


def test_files_cannot_be_included(lab: Api) -> None:
    assert stored(lab, "bare", None)["includeFiles"] is False
    problem = lab_connection(lab, {"name": "bare", "includeFiles": True}, status=400)
    assert problem["type"] == "error:connection-validation/file-transfer/connection-unsupported"
    assert problem["data"] == {"streams": [{"streamName": "bare", "streamNamespace": None}]}


def test_one_value_stands_for_a_list_of_one(lab: Api) -> None:
    found = stored(lab, "bare", "incremental_deduped_history", cursorField="updated_at", primaryKey=["id"])
    assert (found["cursorField"], found["primaryKey"]) == (["updated_at"], [["id"]])


def test_without_streams_the_suggested_ones_are_overwritten_without_a_key(api: Api) -> None:
    ends = {"sourceId": api.source()["sourceId"], "destinationId": api.destination()["destinationId"]}
    nothing: list[dict[str, Any]] = [{}, {"configurations": {}}, {"configurations": {"streams": []}}]
    for configurations in nothing:
        streams = api.post("/connections", {**ends, **configurations})["configurations"]["streams"]
        names = {each["name"] for each in streams}
        assert {"customers", "order_refunds"} <= names
        assert "orders" not in names
        assert {each["syncMode"] for each in streams} == {"full_refresh_overwrite"}
        assert all(each["primaryKey"] == [] for each in streams)


def test_without_suggestions_no_stream_is_selected(lab: Api) -> None:
    ends = {"sourceId": lab_source(lab), "destinationId": lab_destination(lab)}
    assert lab.post("/connections", ends)["configurations"]["streams"] == []


def test_a_pair_of_modes_without_a_public_name_reads_back_without_a_mode(api: Api) -> None:
    connection = api.connection()
    read = api.config("/connections/get", {"connectionId": connection["connectionId"]})
    read["syncCatalog"]["streams"][0]["config"]["destinationSyncMode"] = "overwrite"
    api.config("/connections/update", {"connectionId": connection["connectionId"], "syncCatalog": read["syncCatalog"]})
    shown = api.get(f"/connections/{connection['connectionId']}")["configurations"]["streams"][0]
    assert "syncMode" not in shown
