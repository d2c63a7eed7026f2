"""What Airbyte's own pages call: lists, creates and saves of connections."""

from typing import Any

import pytest
from lab_connectors import lab_destination, lab_source
from twin_support import Api, fields, stream

UNKNOWN = "ffffffff-0000-4000-8000-000000000000"


def read(api: Api, connection: Any) -> Any:
    return api.config("/web_backend/connections/get", {"connectionId": connection["connectionId"]})


def save(api: Api, connection: Any, status: int = 200, /, **members: Any) -> Any:
    body = {"connectionId": connection["connectionId"], **members}
    return api.config("/web_backend/connections/update", body, status)


def catalog(api: Api, connection: Any, name: str = "orders", **config: Any) -> Any:
    """The catalog that the pages show, with the configuration of one stream changed."""
    shown = read(api, connection)["syncCatalog"]
    for each in shown["streams"]:
        if each["stream"]["name"] == name:
            each["config"] |= config
    return shown


def jobs(api: Api, connection: Any) -> list[tuple[str, list[str]]]:
    """Type and streams of the jobs of a connection."""
    types = ["sync", "refresh", "reset_connection"]
    found = api.config("/jobs/list", {"configTypes": types, "configId": connection["connectionId"]})["jobs"]
    return [
        (each["job"]["configType"], [stream["name"] for stream in streams_of(each["job"])]) for each in reversed(found)
    ]


def streams_of(job: Any) -> Any:
    if job["configType"] == "refresh":
        return job["refreshConfig"]["streamsToRefresh"]
    return job.get("resetConfig", {}).get("streamsToReset", [])


def test_what_the_pages_show_can_be_saved_unchanged(api: Api) -> None:
    connection = api.connection(stream(selectedFields=fields("updated_at", "id")))
    shown = read(api, connection)
    after = save(api, connection, name="Renamed", syncCatalog=shown["syncCatalog"])
    assert after == {**shown, "name": "Renamed"}
    assert len(after["syncCatalog"]["streams"]) == 45
    assert jobs(api, connection) == []
    assert api.get(f"/connections/{connection['connectionId']}") == {**connection, "name": "Renamed"}


@pytest.mark.parametrize(
    "config",
    [
        {"syncMode": "full_refresh"},
        {"destinationSyncMode": "append_dedup"},
        {"cursorField": ["created_at"]},
        {"primaryKey": [["name"]]},
        {"fieldSelectionEnabled": True, "selectedFields": fields("id", "updated_at")},
        {"selected": False},
    ],
    ids=str,
)
def test_a_stream_whose_rows_would_look_different_is_read_again(api: Api, config: dict[str, Any]) -> None:
    connection = api.connection(stream("orders"), stream("customers"))
    save(api, connection, syncCatalog=catalog(api, connection, **config))
    assert jobs(api, connection) == [("refresh", ["orders"])]


def test_an_added_stream_is_read_too_and_nothing_is_where_that_is_skipped(api: Api) -> None:
    connection = api.connection()
    added = catalog(api, connection, "customers", selected=True)
    save(api, connection, syncCatalog=added, skipReset=True)
    assert jobs(api, connection) == []
    save(api, connection, syncCatalog=catalog(api, connection, "products", selected=True), skipReset=False)
    assert jobs(api, connection) == [("refresh", ["products"])]


def test_a_destination_without_refreshes_has_changed_streams_cleared(lab: Api) -> None:
    body = {"sourceId": lab_source(lab), "destinationId": lab_destination(lab)}
    connection = lab.connection({"name": "bare", "syncMode": "full_refresh_append"}, **body)
    save(lab, connection, syncCatalog=catalog(lab, connection, "bare", destinationSyncMode="overwrite"))
    assert jobs(lab, connection) == [("reset_connection", ["bare"])]


def test_operations_are_saved_with_their_connection(api: Api) -> None:
    hook = {"webhookType": "dbtCloud", "dbtCloud": {"accountId": 1, "jobId": 2}}
    asked = {"operatorType": "webhook", "webhook": hook}
    new = {"workspaceId": api.twin.workspace_id, "name": "Run", "operatorConfiguration": asked}
    body = {"sourceId": api.source()["sourceId"], "destinationId": api.destination()["destinationId"]}
    made = api.config("/web_backend/connections/create", {**body, "status": "active", "operations": [new]})
    [first] = made["operations"]
    assert made["operationIds"] == [first["operationId"]]
    changed = {**first, "name": "Run later"}
    after = save(api, made, operations=[changed, {**new, "name": "Other", "operationId": UNKNOWN}])
    assert [each["name"] for each in after["operations"]] == ["Run later", "Other"]
    assert after["operations"][0]["operationId"] == first["operationId"]
    other = after["operations"][1]
    assert [each["name"] for each in save(api, made, operations=[other])["operations"]] == ["Other"]
    assert save(api, made, name="x")["operationIds"] == [other["operationId"]]
    assert save(api, made, operations=[])["operationIds"] == []


def test_saving_is_refused_as_updates_are(api: Api) -> None:
    locked = api.connection(status="locked")
    assert save(api, locked, 409, name="x")["type"] == "error:connection/locked"
    assert set(save(api, {"connectionId": UNKNOWN}, 404, name="x")) == {"errorId"}
    connection = api.connection()
    assert set(save(api, connection, 500, scheduleType="basic")) == {"errorId"}
    broken = catalog(api, connection, fieldSelectionEnabled=True, selectedFields=fields("id"))
    assert set(save(api, connection, 422, syncCatalog=broken)) == {"errorId", "message"}
    assert jobs(api, connection) == []


def test_a_failed_discovery_leaves_the_pages_the_catalog_of_before(api: Api) -> None:
    connection = api.connection()
    before = read(api, connection)
    failure = {"kind": "temper", "actorId": connection["sourceId"], "discoverFailure": "no access"}
    api.control("POST", "/drift", failure, 204)
    sent = {"connectionId": connection["connectionId"], "withRefreshedCatalog": True}
    assert api.config("/web_backend/connections/get", sent) == before


def test_connections_are_listed_with_their_ends_and_last_syncs(api: Api) -> None:
    first, second = api.connection(name="one"), api.connection(name="two", status="inactive")
    workspace = {"workspaceId": api.twin.workspace_id}

    def names(**members: Any) -> list[str]:
        listed = api.config("/web_backend/connections/list", {**workspace, **members})
        return [each["name"] for each in listed["connections"]]

    assert names() == ["one", "two"]
    assert names(sortKey="connectionName_desc") == ["two", "one"]
    assert names(pageSize=1) == ["one"]
    assert names(cursor=first["connectionId"]) == ["two"]
    assert names(sourceId=[second["sourceId"]]) == ["two"]
    assert names(filters={"searchTerm": "TW"}) == ["two"]
    assert names(filters={"states": ["inactive"]}) == ["two"]
    assert names(filters={"statuses": ["paused"]}) == ["two"]
    assert names(filters={"sourceDefinitionIds": [UNKNOWN]}) == []
    sync = api.config("/connections/sync", {"connectionId": first["connectionId"]})["job"]["id"]
    api.control("POST", f"/jobs/{sync}", {"status": "running"})
    [item] = api.config("/web_backend/connections/list", {**workspace, "filters": {"statuses": ["running"]}})[
        "connections"
    ]
    assert (item["isSyncing"], item["latestSyncJobStatus"]) == (True, "running")
    assert (item["source"]["sourceName"], item["destination"]["name"]) == ("Shopify", "S3")
    counts = api.config("/web_backend/connections/status_counts", workspace)
    assert {name: count for name, count in counts.items() if count} == {"running": 1, "paused": 1}
    statuses = api.config("/connections/status", {"connectionIds": [first["connectionId"], second["connectionId"]]})
    assert [each["connectionSyncStatus"] for each in statuses] == ["running", "paused"]
    assert statuses[0]["activeJob"]["id"] == sync


def test_the_pages_ask_for_small_things(api: Api) -> None:
    workspace = {"workspaceId": api.twin.workspace_id}
    empty = {"hasConnections": False, "hasSources": False, "hasDestinations": False}
    assert api.config("/web_backend/workspace/state", workspace) == empty
    connection = {"connectionId": api.connection()["connectionId"]}
    assert set(api.config("/web_backend/workspace/state", workspace).values()) == {True}
    assert api.config("/web_backend/state/get_type", connection) == "not_set"
    assert set(api.config("/web_backend/check_updates", {}).values()) == {0}
    assert api.config("/connections/auto_disable", connection) == {"succeeded": False}
