"""Calls that only the Config API has: full reads, updates, discovery, checks, specs, lists."""

from typing import Any
from uuid import uuid4

import pytest
from lab_connectors import lab_source
from twin_support import CONFIG, MASK, Api, fields, shopify, stream

SHOPIFY = "9da77001-af33-4bcd-be46-6252bf9342b9"
S3 = "4816b78f-1489-44c1-9060-4b19d5fa9362"


def read(api: Api, connection: Any) -> Any:
    return api.config("/connections/get", {"connectionId": connection["connectionId"]})


def update(api: Api, connection: Any, status: int = 200, /, **members: Any) -> Any:
    return api.config("/connections/update", {"connectionId": connection["connectionId"], **members}, status)


def test_a_connection_reads_with_its_selected_streams_and_their_schemas(api: Api) -> None:
    connection = api.connection(stream(selectedFields=fields("updated_at", "id")), namespaceDefinition="custom_format")
    shown = read(api, connection)
    entry = shown["syncCatalog"]["streams"][0]
    assert len(shown["syncCatalog"]["streams"]) == 1
    assert entry["config"]["selectedFields"] == fields("id", "updated_at")
    assert entry["config"]["fieldSelectionEnabled"] is True
    assert set(entry["stream"]["jsonSchema"]["properties"]) == {"id", "updated_at"}
    assert (shown["backfillPreference"], shown["onDemandEnabled"]) == ("disabled", False)
    assert "workspaceId" not in shown
    assert shown["namespaceDefinition"] == "customformat"


def test_what_was_read_can_be_written_back_unchanged(api: Api) -> None:
    connection = api.connection(stream(selectedFields=fields("updated_at", "id")), schedule={"scheduleType": "manual"})
    shown = read(api, connection)
    assert update(api, connection, **{key: value for key, value in shown.items() if key != "connectionId"}) == shown
    assert api.get(f"/connections/{connection['connectionId']}") == connection


def test_an_update_reaches_what_the_public_api_cannot(api: Api) -> None:
    connection = api.connection()
    members = {
        "notifySchemaChanges": True,
        "notifySchemaChangesByEmail": True,
        "backfillPreference": "enabled",
        "nonBreakingChangesPreference": "disable",
        "namespaceDefinition": "customformat",
        "namespaceFormat": "shopify",
        "resourceRequirements": {"cpu_limit": "1"},
        "operationIds": [str(uuid4())],
        "breakingChange": True,
    }
    shown = update(api, connection, **members)
    assert {key: shown[key] for key in members} == members
    public = api.get(f"/connections/{connection['connectionId']}")
    assert public["nonBreakingSchemaUpdatesBehavior"] == "disable_connection"
    assert public["namespaceDefinition"] == "custom_format"


def test_a_stream_that_is_not_selected_is_dropped_by_an_update(api: Api) -> None:
    connection = api.connection(stream("orders"), stream("customers"))
    catalog = read(api, connection)["syncCatalog"]
    catalog["streams"][0]["config"]["selected"] = False
    names = [each["stream"]["name"] for each in update(api, connection, syncCatalog=catalog)["syncCatalog"]["streams"]]
    assert names == ["customers"]


def test_an_update_checks_that_cursors_are_selected_and_streams_are_there_once(api: Api) -> None:
    connection = api.connection(stream(selectedFields=fields("updated_at", "id")))
    catalog = read(api, connection)["syncCatalog"]
    catalog["streams"][0]["config"]["selectedFields"] = fields("id")
    assert "updated_at" in update(api, connection, 422, syncCatalog=catalog)["message"]
    assert set(update(api, connection, 500, syncCatalog={"streams": catalog["streams"] * 2})) == {"errorId"}


def test_a_stream_that_no_discovery_found_is_taken_as_it_is_sent(api: Api) -> None:
    connection = api.connection()
    catalog = read(api, connection)["syncCatalog"]
    catalog["streams"][0]["stream"] |= {"name": "mine", "jsonSchema": {"properties": {"key": {"type": "string"}}}}
    catalog["streams"][0]["config"] |= {"hashedFields": [{"fieldPath": ["key"]}], "mappers": []}
    [entry] = update(api, connection, syncCatalog=catalog)["syncCatalog"]["streams"]
    assert entry["stream"]["jsonSchema"] == {"properties": {"key": {"type": "string"}}}
    assert entry["config"]["hashedFields"] == [{"fieldPath": ["key"]}]
    assert [each["type"] for each in entry["config"]["mappers"]] == ["hashing"]
    [stream] = api.get(f"/connections/{connection['connectionId']}")["configurations"]["streams"]
    assert stream["name"] == "mine"


def test_a_field_that_is_added_to_what_was_read_is_dropped_in_silence(api: Api) -> None:
    connection = api.connection(stream(selectedFields=fields("updated_at", "id")))
    catalog = read(api, connection)["syncCatalog"]
    entry = catalog["streams"][0]
    entry["config"]["selectedFields"] += fields("name")
    after = update(api, connection, syncCatalog=catalog)["syncCatalog"]["streams"][0]
    assert after["config"]["selectedFields"] == fields("id", "updated_at")
    entry["stream"]["jsonSchema"]["properties"]["name"] = {"type": "string"}
    after = update(api, connection, syncCatalog=catalog)["syncCatalog"]["streams"][0]
    assert after["config"]["selectedFields"] == fields("id", "name", "updated_at")


def test_a_body_that_names_nothing_breaks_the_server(api: Api) -> None:
    assert set(api.config("/connections/get", {}, 500)) == {"errorId"}
    refusal = api.config("/connections/get", {"connectionId": "x"}, 400)["_embedded"]["errors"][0]
    assert refusal["path"] == "/connectionIdRequestBody"


def test_a_locked_connection_takes_no_update(api: Api) -> None:
    update(api, api.connection(status="locked"), 409, name="x")


def test_unknown_ids_have_an_opaque_answer(api: Api) -> None:
    unknown = {"connectionId": str(uuid4())}
    for path in ("/connections/get", "/connections/update", "/connections/reset"):
        assert set(api.config(path, unknown, 404)) == {"errorId"}
    assert api.config("/state/get", unknown) == {**unknown, "stateType": "not_set"}
    for path in ("/sources/discover_schema", "/sources/check_connection"):
        api.config(path, {"sourceId": str(uuid4())}, 404)
    specification = {"sourceDefinitionId": str(uuid4()), "workspaceId": api.twin.workspace_id}
    api.config("/source_definition_specifications/get", specification, 404)


def test_lists_hold_one_workspace_and_only_list_all_holds_the_deleted(api: Api) -> None:
    connection, other = api.connection(), api.connection()
    api.delete(f"/connections/{other['connectionId']}")
    body = {"workspaceId": api.twin.workspace_id}
    listed = api.config("/connections/list", body)["connections"]
    assert [each["connectionId"] for each in listed] == [connection["connectionId"]]
    assert len(api.config("/connections/list_all", body)["connections"]) == 2
    assert api.config("/connections/list", {"workspaceId": str(uuid4())})["connections"] == []
    sources = api.config("/sources/list", body)["sources"]
    assert len(sources) == 2
    assert sources[0]["connectionConfiguration"]["credentials"]["api_password"] == MASK
    assert len(api.config("/sources/list", {**body, "cursor": sources[0]["sourceId"]})["sources"]) == 1
    assert len(api.config("/sources/list", {**body, "pageSize": 1})["sources"]) == 1
    assert len(api.config("/destinations/list", body)["destinations"]) == 2
    assert api.config("/workspaces/list", {}, 404) == "Object not found."
    assert api.config("/workspaces/get", body)["name"] == "Default Workspace"
    shown = api.config("/sources/get", {"sourceId": sources[0]["sourceId"]})
    counted = {"status": "active", "numConnections": 1}
    jobs = dict.fromkeys(("running", "incomplete", "pending", "cancelled", "failed", "succeeded"), 0)
    assert sources[0] == {**shown, **counted, "connectionJobStatuses": jobs}


def test_a_list_of_sources_stops_at_twenty_unless_told_otherwise(api: Api) -> None:
    for _ in range(21):
        api.source()
    body = {"workspaceId": api.twin.workspace_id}
    page = api.config("/sources/list", body)
    assert (len(page["sources"]), page["page_size"], page["num_connections"]) == (20, 20, 21)
    assert len(api.config("/sources/list", {**body, "pageSize": 100})["sources"]) == 21


def test_a_stream_is_suggested_to_be_overwritten_or_deduplicated_where_the_source_says_by_what(lab: Api) -> None:
    found = lab.config("/sources/discover_schema", {"sourceId": lab_source(lab)})["catalog"]["streams"]
    modes = {each["stream"]["name"]: each["config"]["destinationSyncMode"] for each in found}
    assert (modes["bare"], modes["cursor_defined"]) == ("overwrite", "overwrite")


def test_a_connection_can_be_deleted(api: Api) -> None:
    connection = api.connection()
    api.config("/connections/delete", {"connectionId": connection["connectionId"]}, 204)
    assert api.get(f"/connections/{connection['connectionId']}")["status"] == "deprecated"


def test_discovery_shows_all_streams_and_is_cached_until_the_configuration_changes(api: Api) -> None:
    source = api.source()
    sent = {"sourceId": source["sourceId"]}
    first = api.config("/sources/discover_schema", sent)
    assert first["jobInfo"]["succeeded"] is True
    assert len(first["catalog"]["streams"]) == 45
    change = {"kind": "outside_column", **sent, "stream": "orders", "field": "new", "jsonSchema": {"type": "string"}}
    api.control("POST", "/drift", change, 204)

    def has_new(found: Any) -> bool:
        orders = next(each for each in found["catalog"]["streams"] if each["stream"]["name"] == "orders")
        return "new" in orders["stream"]["jsonSchema"]["properties"]

    assert not has_new(api.config("/sources/discover_schema", sent))
    body = shopify(api.twin.workspace_id, start_date="2026-01-01")
    api.put(f"/sources/{source['sourceId']}", {"name": "x", "configuration": body["configuration"]})
    assert has_new(api.config("/sources/discover_schema", sent))
    api.control("POST", "/drift", {**change, "jsonSchema": None}, 204)
    assert has_new(api.config("/sources/discover_schema", sent))
    assert not has_new(api.config("/sources/discover_schema", {**sent, "disable_cache": True}))


def test_a_failed_discovery_is_a_200_whose_job_failed(api: Api) -> None:
    source = api.source()["sourceId"]
    api.control("POST", "/drift", {"kind": "temper", "actorId": source, "discoverFailure": "no access"}, 204)
    found = api.config("/sources/discover_schema", {"sourceId": source})
    assert "catalog" not in found
    assert found["jobInfo"]["failureReason"]["externalMessage"] == "no access"


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_checks_succeed_until_the_connector_fails(api: Api, kind: str) -> None:
    created = api.source() if kind == "source" else api.destination()
    sent = {f"{kind}Id": created[f"{kind}Id"]}
    assert api.config(f"/{kind}s/check_connection", sent)["status"] == "succeeded"
    api.control("POST", "/drift", {"kind": "temper", "actorId": sent[f"{kind}Id"], "checkFailure": "no access"}, 204)
    failed = api.config(f"/{kind}s/check_connection", sent)
    assert (failed["status"], failed["message"]) == ("failed", "no access")
    unsaved = {**sent, "name": "x", "connectionConfiguration": created["configuration"]}
    assert api.config(f"/{kind}s/check_connection_for_update", unsaved)["status"] == "failed"


def test_a_new_configuration_is_checked_by_its_connector_alone(api: Api) -> None:
    workspace = {"workspaceId": api.twin.workspace_id}
    new = {"sourceDefinitionId": SHOPIFY, **workspace, "connectionConfiguration": {"shop": "x"}}
    assert api.config("/scheduler/sources/check_connection", new)["status"] == "succeeded"
    checked = api.config("/scheduler/sources/check_connection", {**new, "connectionConfiguration": {}})
    assert (checked["status"], "'shop' not found" in checked["message"]) == ("failed", True)
    new = {"destinationDefinitionId": S3, **workspace, "connectionConfiguration": {}}
    assert api.config("/scheduler/destinations/check_connection", new)["status"] == "failed"


def test_a_changed_configuration_against_the_spec_is_a_422_of_the_config_api(api: Api) -> None:
    sent = {"sourceId": api.source()["sourceId"], "name": "x", "connectionConfiguration": {}}
    refusal = api.config("/sources/check_connection_for_update", sent, 422)
    assert set(refusal) == {"message", "errorId"}
    assert "$: required property 'shop' not found" in refusal["message"]


def test_specs_are_served_with_their_secret_marks(api: Api) -> None:
    workspace = {"workspaceId": api.twin.workspace_id}
    found = api.config("/source_definition_specifications/get", {"sourceDefinitionId": SHOPIFY, **workspace})
    branches = found["connectionSpecification"]["properties"]["credentials"]["oneOf"]
    assert branches[1]["properties"]["api_password"]["airbyte_secret"] is True
    found = api.config("/destination_definition_specifications/get", {"destinationDefinitionId": S3, **workspace})
    assert found["supportedDestinationSyncModes"] == ["overwrite", "append"]


def test_the_web_application_sees_unselected_streams_and_what_changed(api: Api) -> None:
    connection = api.connection()
    sent = {"connectionId": connection["connectionId"]}
    shown = api.config("/web_backend/connections/get", sent)
    selected = [each["stream"]["name"] for each in shown["syncCatalog"]["streams"] if each["config"]["selected"]]
    assert (len(shown["syncCatalog"]["streams"]), selected) == (45, ["orders"])
    assert (shown["schemaChange"], shown["isSyncing"]) == ("no_change", False)
    change = {"kind": "outside_column", "sourceId": connection["sourceId"], "stream": "orders", "field": "new"}
    api.control("POST", "/drift", {**change, "jsonSchema": {}}, 204)
    refreshed = api.config("/web_backend/connections/get", {**sent, "withRefreshedCatalog": True})
    assert refreshed["schemaChange"] == "non_breaking"
    assert refreshed["catalogDiff"]["transforms"][0]["streamDescriptor"] == {"name": "orders"}


def test_the_instance_tells_its_version_and_no_workspace(api: Api) -> None:
    shown = api.call("GET", CONFIG + "/instance_configuration", 200)
    assert "defaultWorkspaceId" not in shown
    assert shown["edition"] == "community"
    assert api.call("GET", CONFIG + "/health", 200) == {"available": True}
