"""The Config API creates, changes, finds and deletes; what one API writes, the other one shows."""

import json
from typing import Any
from uuid import uuid4

import pytest
from airbyte_twin.records import Secret
from airbyte_twin.testing import running_twin
from twin_support import MASK, Api, api_of, fields, s3, serving, shopify

DEFINITIONS = {
    "source": "9da77001-af33-4bcd-be46-6252bf9342b9",
    "destination": "4816b78f-1489-44c1-9060-4b19d5fa9362",
}
KINDS = pytest.mark.parametrize("kind", ["source", "destination"])
UNKNOWN = "ffffffff-0000-4000-8000-000000000000"
OPAQUE = {"errorId"}
KNOWN = {"errorId", "message"}


def configuration(api: Api, kind: str) -> dict[str, Any]:
    made = shopify(api.twin.workspace_id) if kind == "source" else s3(api.twin.workspace_id)
    return {key: value for key, value in made["configuration"].items() if key != f"{kind}Type"}


def secret(kind: str, shown: Any) -> Any:
    found = shown["connectionConfiguration"] if "connectionConfiguration" in shown else shown["configuration"]
    return found["credentials"]["api_password"] if kind == "source" else found["secret_access_key"]


def new(api: Api, kind: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Made",
        "workspaceId": api.twin.workspace_id,
        f"{kind}DefinitionId": DEFINITIONS[kind],
        "connectionConfiguration": configuration(api, kind),
        **changes,
    }


# Sources and destinations


@KINDS
def test_an_actor_of_the_config_api_is_one_of_the_public_api(api: Api, kind: str) -> None:
    made = api.config(f"/{kind}s/create", new(api, kind))
    key = made[f"{kind}Id"]
    assert secret(kind, made) == MASK
    public = api.get(f"/{kind}s/{key}")
    assert (public["name"], public["definitionId"]) == ("Made", DEFINITIONS[kind])
    assert public["configuration"] == made["connectionConfiguration"]
    api.put(f"/{kind}s/{key}", {"name": "Renamed", "configuration": public["configuration"]})
    assert api.config(f"/{kind}s/get", {f"{kind}Id": key})["name"] == "Renamed"


@KINDS
def test_an_update_replaces_a_configuration_and_keeps_the_secrets_behind_masks(api: Api, kind: str) -> None:
    made = api.config(f"/{kind}s/create", new(api, kind))
    key = {f"{kind}Id": made[f"{kind}Id"]}
    path = f"/{kind}s/{made[f'{kind}Id']}"
    before = secret(kind, api.get(path, includeSecretCoordinates="true"))
    changed = {**key, "name": "Changed", "connectionConfiguration": made["connectionConfiguration"]}
    assert api.config(f"/{kind}s/update", changed)["name"] == "Changed"
    assert secret(kind, api.get(path, includeSecretCoordinates="true")) == before
    api.config(f"/{kind}s/update", {**changed, "connectionConfiguration": configuration(api, kind)})
    assert secret(kind, api.get(path, includeSecretCoordinates="true")) != before


@KINDS
def test_a_partial_update_merges_a_configuration(api: Api, kind: str) -> None:
    made = api.config(f"/{kind}s/create", new(api, kind))
    key = {f"{kind}Id": made[f"{kind}Id"]}
    part = {"start_date": "2026-01-01"} if kind == "source" else {"s3_bucket_path": "other"}
    after = api.config(f"/{kind}s/partial_update", {**key, "connectionConfiguration": part})
    assert after["connectionConfiguration"] == made["connectionConfiguration"] | part
    assert api.config(f"/{kind}s/partial_update", {**key, "name": "Other"})["name"] == "Other"


def test_a_source_takes_what_a_consent_left_by_its_secret(api: Api) -> None:
    tokens = {name: f"the {name}" for name in ("client_id", "client_secret", "access_token")}
    api.twin.twin.store.secrets.put(Secret(id="left", value=json.dumps(tokens)))
    without = {"shop": "example", "credentials": {"auth_method": "oauth2.0"}}
    body = new(api, "source", connectionConfiguration=without)
    made = api.config("/sources/create", {**body, "secretId": "left"})
    assert made["connectionConfiguration"]["credentials"] == {"auth_method": "oauth2.0"} | dict.fromkeys(tokens, MASK)
    assert set(api.config("/sources/create", {**body, "secretId": "none"}, 500)) == OPAQUE
    key = {"sourceId": api.source()["sourceId"]}
    changed = api.config("/sources/partial_update", {**key, "connectionConfiguration": without, "secretId": "left"})
    assert changed["connectionConfiguration"]["credentials"]["access_token"] == MASK


@KINDS
def test_a_deleted_actor_is_found_without_its_configuration(api: Api, kind: str) -> None:
    made = api.config(f"/{kind}s/create", new(api, kind))
    key = {f"{kind}Id": made[f"{kind}Id"]}
    for _ in range(2):
        api.config(f"/{kind}s/delete", key, 204)
    assert api.config(f"/{kind}s/get", key)["connectionConfiguration"] is None
    assert api.get(f"/{kind}s/{made[f'{kind}Id']}")["configuration"] is None
    assert api.config(f"/{kind}s/list", {"workspaceId": api.twin.workspace_id})[f"{kind}s"] == []
    assert api.config(f"/{kind}s/search", {"name": "Made"})[f"{kind}s"] == []
    changed = {**key, "name": "x", "connectionConfiguration": configuration(api, kind)}
    assert set(api.config(f"/{kind}s/update", changed, 500)) == OPAQUE


@KINDS
def test_refused_actors_have_the_config_apis_errors(api: Api, kind: str) -> None:
    create = f"/{kind}s/create"
    refused = api.config(create, new(api, kind, connectionConfiguration={}), 422)
    assert set(refused) == KNOWN
    assert "required property" in refused["message"]
    assert set(api.config(create, new(api, kind, **{f"{kind}DefinitionId": UNKNOWN}), 404)) == OPAQUE
    assert set(api.config(create, new(api, kind, workspaceId=UNKNOWN), 404)) == OPAQUE
    assert set(api.config(create, new(api, kind, name="n" * 257), 500)) == OPAQUE
    assert "_embedded" in api.config(create, new(api, kind, workspaceId="x"), 400)
    key = {f"{kind}Id": UNKNOWN}
    for call in ("get", "delete", "upgrade_version", "check_connection"):
        assert set(api.config(f"/{kind}s/{call}", key, 404)) == OPAQUE
    for call in ("update", "partial_update"):
        sent = {**key, "name": "x", "connectionConfiguration": {}}
        assert set(api.config(f"/{kind}s/{call}", sent, 404)) == OPAQUE
    broken = {f"{kind}Id": api.config(create, new(api, kind))[f"{kind}Id"], "name": "x", "connectionConfiguration": {}}
    assert set(api.config(f"/{kind}s/update", broken, 422)) == KNOWN


@KINDS
def test_actors_are_searched_filtered_sorted_and_listed_by_page(api: Api, kind: str) -> None:
    for name in ("beta", "alpha", "gamma"):
        api.config(f"/{kind}s/create", new(api, kind, name=name))
    body = {"workspaceId": api.twin.workspace_id}

    def names(call: str, **members: Any) -> list[str]:
        return [each["name"] for each in api.config(f"/{kind}s/{call}", members)[f"{kind}s"]]

    assert names("list", **body, sortKey="actorName_asc") == ["alpha", "beta", "gamma"]
    assert names("list", **body, sortKey="actorName_desc") == ["gamma", "beta", "alpha"]
    assert names("list", **body, filters={"searchTerm": "ALP"}) == ["alpha"]
    assert names("list", **body, filters={"states": ["active"]}) == []
    page = {"workspaceIds": [api.twin.workspace_id], "pagination": {"pageSize": 2, "rowOffset": 1}}
    assert names("list_paginated", **page) == ["alpha", "gamma"]
    assert names("search", name="beta") == ["beta"]
    part = {"shop": "example"} if kind == "source" else {"s3_bucket_name": "landing"}
    assert len(names("search", connectionConfiguration=part)) == 3
    assert names("search", connectionConfiguration={"shop": "x", "s3_bucket_name": "x"}) == []


def test_the_catalog_of_the_last_discovery_can_be_read(api: Api) -> None:
    source = api.source()["sourceId"]
    assert api.config("/sources/most_recent_source_actor_catalog", {"sourceId": source}) == {}
    api.config("/sources/discover_schema", {"sourceId": source})
    found = api.config("/sources/most_recent_source_actor_catalog", {"sourceId": source})
    assert "json_schema" in found["catalog"]["streams"][0]


# Connections


def entry(name: str = "orders", **config: Any) -> dict[str, Any]:
    return {
        "stream": {
            "name": name,
            "jsonSchema": {"type": "object", "properties": {"id": {"type": "integer"}, "updated_at": {}}},
            "supportedSyncModes": ["full_refresh", "incremental"],
        },
        "config": {"syncMode": "full_refresh", "destinationSyncMode": "append", "selected": True, **config},
    }


def connected(api: Api, *entries: Any, status: int = 200, **members: Any) -> Any:
    body = {
        "sourceId": members.pop("sourceId", None) or api.source()["sourceId"],
        "destinationId": members.pop("destinationId", None) or api.destination()["destinationId"],
        "status": "active",
        "syncCatalog": {"streams": list(entries) or [entry()]},
        **members,
    }
    return api.config("/connections/create", body, status)


def names_of(connection: Any) -> list[str]:
    return [each["stream"]["name"] for each in connection["syncCatalog"]["streams"]]


def test_a_connection_of_the_config_api_is_one_of_the_public_api(api: Api) -> None:
    made = connected(api, entry(), entry("customers", selected=False))
    assert (made["name"], made["namespaceDefinition"]) == ("Shopify <> S3", "source")
    assert names_of(made) == ["orders"]
    public = api.get(f"/connections/{made['connectionId']}")
    assert (public["namespaceDefinition"], public["schedule"]) == ("source", {"scheduleType": "manual"})
    assert [each["syncMode"] for each in public["configurations"]["streams"]] == ["full_refresh_append"]


def test_a_new_connections_catalog_is_the_named_one_or_that_of_the_streams_sent(api: Api) -> None:
    source = api.source()["sourceId"]
    found = api.config("/sources/discover_schema", {"sourceId": source})
    named = connected(api, sourceId=source, sourceCatalogId=found["catalogId"])
    assert named["sourceCatalogId"] == found["catalogId"]
    shown = api.config("/web_backend/connections/get", {"connectionId": named["connectionId"]})
    assert len(shown["syncCatalog"]["streams"]) == len(found["catalog"]["streams"])
    sent = connected(api, entry(), entry("of one's own", selected=False), sourceId=source)
    shown = api.config("/web_backend/connections/get", {"connectionId": sent["connectionId"]})
    assert names_of(shown) == ["orders", "of one's own"]
    bare = entry()
    del bare["stream"]["jsonSchema"]
    described = connected(api, bare, sourceId=source)["syncCatalog"]["streams"][0]["stream"]
    assert len(described["jsonSchema"]["properties"]) > 2


def test_a_connection_without_streams_is_created(api: Api) -> None:
    body = {"sourceId": api.source()["sourceId"], "destinationId": api.destination()["destinationId"]}
    assert names_of(api.config("/connections/create", {**body, "status": "inactive"})) == []


def test_refused_connections_have_the_config_apis_errors(api: Api) -> None:
    basic = {"timeUnit": "hours", "units": 1}
    assert set(connected(api, sourceId=UNKNOWN, status=404)) == OPAQUE
    assert set(connected(api, destinationId=UNKNOWN, status=404)) == OPAQUE
    assert set(connected(api, sourceCatalogId=UNKNOWN, status=500)) == OPAQUE
    assert set(connected(api, name="n" * 257, status=500)) == OPAQUE
    assert set(connected(api, schedule=basic, scheduleType="manual", status=422)) == KNOWN
    assert set(connected(api, scheduleType="basic", status=500)) == OPAQUE
    selection: dict[str, Any] = {
        "syncMode": "incremental",
        "cursorField": ["updated_at"],
        "fieldSelectionEnabled": True,
    }
    assert set(connected(api, entry(**selection, selectedFields=fields("id")), status=422)) == KNOWN
    other = api.post("/workspaces", {"name": "other"})["workspaceId"]
    elsewhere = api.post("/sources", shopify(other))["sourceId"]
    assert set(connected(api, sourceId=elsewhere, status=500)) == OPAQUE
    made = connected(api, schedule=basic)
    assert made["scheduleData"] == {"basicSchedule": basic}
    key = {"connectionId": made["connectionId"]}
    for members in (
        {"schedule": basic},
        {"scheduleData": {"basicSchedule": basic}},
        {"scheduleType": "manual", "scheduleData": {"basicSchedule": basic}},
        {"sourceCatalogId": UNKNOWN},
    ):
        assert set(api.config("/connections/update", {**key, **members}, 500)) == OPAQUE
    assert api.config("/connections/get", key)["scheduleData"] == {"basicSchedule": basic}


def test_an_update_moves_a_connection_to_another_catalog(api: Api) -> None:
    connection = api.connection()
    sent = {"sourceId": connection["sourceId"], "stream": "orders", "field": "new", "jsonSchema": {}}
    api.control("POST", "/drift", {"kind": "outside_column", **sent}, 204)
    found = api.config("/sources/discover_schema", {"sourceId": connection["sourceId"], "disable_cache": True})
    body = {"connectionId": connection["connectionId"], "sourceCatalogId": found["catalogId"]}
    after = api.config("/connections/update", body)
    assert after["sourceCatalogId"] == found["catalogId"]
    assert "new" in after["syncCatalog"]["streams"][0]["stream"]["jsonSchema"]["properties"]
    reason = {"connectionUpdate": {**body, "name": "Renamed"}, "updateReason": "SCHEMA_CHANGE"}
    assert api.config("/connections/update_with_reason", reason)["name"] == "Renamed"


def test_connections_are_searched_listed_by_page_and_by_definition(api: Api) -> None:
    made = [connected(api, name=name)["connectionId"] for name in ("one", "two")]
    deleted = connected(api, name="gone")["connectionId"]
    api.config("/connections/delete", {"connectionId": deleted}, 204)

    def ids(call: str, **members: Any) -> list[str]:
        return [each["connectionId"] for each in api.config(f"/connections/{call}", members)["connections"]]

    page = {"workspaceIds": [api.twin.workspace_id], "userId": UNKNOWN}
    assert ids("list_paginated", **page) == made
    assert ids("list_paginated", **page, pagination={"pageSize": 1, "rowOffset": 1}) == made[1:]
    assert ids("list_paginated", **page, includeDeleted=True) == [*made, deleted]
    assert ids("list_paginated", **page, tagIds=[UNKNOWN]) == []
    definition = {"actorDefinitionId": DEFINITIONS["source"], "actorType": "source"}
    assert ids("list_by_actor_definition", **definition) == made
    assert ids("list_by_actor_definition", **definition | {"actorType": "destination"}) == []
    assert ids("search", name="two") == made[1:]
    assert ids("search", source={"name": "Shopify"}, status="active") == made
    assert ids("search", destination={"name": "nope"}) == []


# Operations


def webhook(name: str = "Run", job: int = 1, **members: Any) -> dict[str, Any]:
    hook = {"webhookType": "dbtCloud", "dbtCloud": {"accountId": 1, "jobId": job}}
    return {"name": name, "operatorConfiguration": {"operatorType": "webhook", "webhook": hook}, **members}


def test_operations_are_listed_by_connection_and_leave_it_when_they_are_deleted(api: Api) -> None:
    workspace: dict[str, Any] = {"workspaceId": api.twin.workspace_id}
    kept, gone = (api.config("/operations/create", webhook(**workspace))["operationId"] for _ in range(2))
    connection = connected(api, operationIds=[kept, gone])
    key = {"connectionId": connection["connectionId"]}
    assert [each["operationId"] for each in api.config("/operations/list", key)["operations"]] == [kept, gone]
    api.config("/operations/delete", {"operationId": gone}, 204)
    api.config("/operations/delete", {"operationId": UNKNOWN}, 204)
    assert api.config("/connections/get", key)["operationIds"] == [kept]
    assert set(api.config("/operations/get", {"operationId": UNKNOWN}, 404)) == OPAQUE


@pytest.mark.parametrize("kind", ["normalization", "dbt"])
def test_an_operation_of_an_old_type_keeps_its_type_alone(api: Api, kind: str) -> None:
    asked = {"operatorType": kind, "normalization": {"option": "basic"}}
    body = {"workspaceId": api.twin.workspace_id, "name": "old", "operatorConfiguration": asked}
    assert api.config("/operations/create", body)["operatorConfiguration"] == {"operatorType": kind}


def test_operations_are_checked(api: Api) -> None:
    workspace = {"workspaceId": api.twin.workspace_id}
    assert api.config("/operations/check", webhook()["operatorConfiguration"])["status"] == "succeeded"
    bare = {"operatorType": "webhook"}
    assert api.config("/operations/check", bare)["status"] == "failed"
    for configuration_sent in (bare, bare | {"webhook": {"executionUrl": "https://example.com"}}):
        body = {"name": "x", "operatorConfiguration": configuration_sent, **workspace}
        assert set(api.config("/operations/create", body, 500)) == OPAQUE
    assert set(api.config("/operations/create", webhook(workspaceId=UNKNOWN), 404)) == OPAQUE


# Workspaces, tags, people


def test_a_workspace_of_the_config_api_is_one_of_the_public_api(api: Api) -> None:
    [organization] = api.get("/organizations")["data"]
    slack = {"notificationType": ["slack"], "slackConfiguration": {"webhook": "https://example.com/hook"}}
    settings = {"sendOnFailure": slack, "sendOnSuccess": {"notificationType": ["customerio"]}}
    made = api.config(
        "/workspaces/create",
        {"name": "Two", "organizationId": organization["organizationId"], "notificationSettings": settings},
    )
    workspace = {"workspaceId": made["workspaceId"]}
    assert made["notificationSettings"]["sendOnFailure"] == slack
    public = api.get(f"/workspaces/{made['workspaceId']}")
    assert public["notifications"]["failure"]["webhook"] == {"enabled": True, "url": "https://example.com/hook"}
    assert public["notifications"]["failure"]["email"] == {"enabled": False}
    assert public["notifications"]["success"]["email"] == {"enabled": True}
    api.patch(f"/workspaces/{made['workspaceId']}", {"notifications": {"success": {"email": {"enabled": False}}}})
    assert api.config("/workspaces/get", workspace)["notificationSettings"]["sendOnSuccess"] == {"notificationType": []}
    renamed = api.config("/workspaces/update_name", {**workspace, "name": "Three"})
    assert api.config("/workspaces/get_by_slug", {"slug": renamed["slug"]})["name"] == "Three"
    api.config("/workspaces/tag_feedback_status_as_done", workspace, 204)
    assert api.config("/workspaces/get", workspace)["feedbackDone"] is True
    api.config("/workspaces/delete", workspace, 204)
    assert set(api.config("/workspaces/get", workspace, 404)) == OPAQUE
    assert api.config("/workspaces/get", {**workspace, "includeTombstone": True})["tombstone"] is True


def test_workspaces_are_listed_by_page_organization_user_and_connection(api: Api) -> None:
    [organization] = api.get("/organizations")["data"]
    key = {"organizationId": organization["organizationId"]}
    made = api.config("/workspaces/create", {"name": "Two", **key})["workspaceId"]

    def names(call: str, **members: Any) -> list[str]:
        return [each["name"] for each in api.config(f"/workspaces/{call}", members)["workspaces"]]

    assert names("list_by_organization_id", **key) == ["Default Workspace", "Two"]
    assert names("list_by_organization_id", **key, nameContains="two") == ["Two"]
    assert names("list_by_organization_id", organizationId=UNKNOWN) == []
    assert names("list_by_user_id", userId=organization["organizationId"], pagination={"pageSize": 1}) == [
        "Default Workspace"
    ]
    assert names("list_paginated", workspaceIds=[made], pagination={}) == ["Two"]
    connection = {"connectionId": connected(api)["connectionId"]}
    assert api.config("/workspaces/get_by_connection_id", connection)["name"] == "Default Workspace"
    again = api.config("/workspaces/create_if_not_exist", {"id": made, "name": "x", **key})
    assert (again["workspaceId"], again["name"]) == (made, "Two")
    assert set(api.config("/workspaces/create", {"name": "x", "organizationId": UNKNOWN}, 500)) == OPAQUE
    assert set(api.config("/workspaces/create", {"name": "x"}, 422)) == KNOWN


def test_organizations_users_and_permissions_are_those_of_the_public_api(api: Api) -> None:
    [organization] = api.get("/organizations")["data"]
    key = {"organizationId": organization["organizationId"]}
    assert api.config("/organizations/get", key)["organizationName"] == organization["organizationName"]
    info = api.config("/workspaces/get_organization_info", {"workspaceId": api.twin.workspace_id})
    assert info == api.config("/organizations/get_organization_info", key)
    [user] = api.config("/users/list_instance_admin", {})["users"]
    mine = {"userId": user["userId"]}
    assert api.config("/organizations/list_by_user_id", mine)["organizations"][0]["email"] == organization["email"]
    assert api.config("/users/get_by_email", {"email": user["email"]})["userId"] == user["userId"]
    assert api.config("/users/get_by_auth_id", {"authUserId": user["userId"]})["userId"] == user["userId"]
    changed = api.config("/users/update", {**mine, "defaultWorkspaceId": api.twin.workspace_id})
    assert changed["defaultWorkspaceId"] == api.twin.workspace_id
    listed = api.config("/permissions/list_by_user", mine)["permissions"]
    public = {each["permissionId"] for each in api.get("/permissions")["data"]}
    assert {each["permissionId"] for each in listed} == public
    renamed = api.config("/organizations/update", {**key, "organizationName": "Renamed"})
    assert renamed["organizationName"] == api.get("/organizations")["data"][0]["organizationName"] == "Renamed"
    for call, body in (
        ("/organizations/get", {"organizationId": UNKNOWN}),
        ("/users/get", {"userId": UNKNOWN}),
        ("/users/get_by_auth_id", {"authUserId": "unknown"}),
        ("/workspaces/get_organization_info", {"workspaceId": UNKNOWN}),
    ):
        assert set(api.config(call, body, 404)) == OPAQUE


def test_members_and_applications_are_those_of_the_public_api(api: Api) -> None:
    [organization] = api.get("/organizations")["data"]
    members = api.config("/users/list_by_organization_id", {"organizationId": organization["organizationId"]})["users"]
    public = api.get("/users", organizationId=organization["organizationId"])["data"]
    assert [each["userId"] for each in members] == [each["id"] for each in public]
    listed = api.config("/applications/list", {})
    assert listed == api.get("/applications")
    assert set(api.config("/applications/create", {"name": "x"}, 500)) == OPAQUE
    assert set(api.config("/applications/delete", {"applicationId": UNKNOWN}, 404)) == OPAQUE
    with serving(edition="cloud") as cloud:
        made = cloud.config("/applications/create", {"name": "x"})
        assert cloud.get(f"/applications/{made['id']}") == made
        cloud.config("/applications/delete", {"applicationId": made["id"]})
        cloud.get(f"/applications/{made['id']}", 404)


def test_permissions_have_the_rules_of_the_public_api(api: Api) -> None:
    person = api.control("POST", "/users", {"name": "Ada", "email": "ada@example.com"}, 200)
    workspace = {"workspaceId": api.twin.workspace_id}
    body = {"userId": person["id"], "permissionType": "workspace_admin", **workspace}
    made = api.config("/permissions/create", body)
    key = {"permissionId": made["permissionId"]}
    assert api.config("/permissions/get", key) == made
    api.config("/permissions/update", {**key, "permissionType": "workspace_reader"}, 204)
    mine = api.config("/permissions/list_by_user", {"userId": person["id"]})["permissions"]
    assert "workspace_reader" in {each["permissionType"] for each in mine}
    api.config("/permissions/delete", key, 204)
    assert set(api.config("/permissions/get", key, 404)) == OPAQUE
    [admin] = [each for each in api.get("/permissions")["data"] if each["permissionType"] == "organization_admin"]
    assert set(api.config("/permissions/delete", {"permissionId": admin["permissionId"]}, 409)) == KNOWN


def test_tags_have_the_rules_of_the_public_api(api: Api) -> None:
    workspace = {"workspaceId": api.twin.workspace_id}
    made = api.config("/tags/create", {**workspace, "name": "lake", "color": "FF00AA"})
    assert api.get(f"/tags/{made['tagId']}") == made
    assert api.config("/tags/list", workspace) == [made]
    api.config("/tags/create", {**workspace, "name": "lake", "color": "FF00AA"}, 409)
    key = {**workspace, "tagId": made["tagId"]}
    renamed = api.config("/tags/update", {**key, "name": "pond", "color": "00FF00"})
    assert connected(api, tags=[renamed])["tags"] == [renamed]
    assert api.config("/tags/delete", key) == renamed
    assert set(api.config("/tags/delete", key, 404)) == OPAQUE
    assert api.get("/connections")["data"][0]["tags"] == []


# Errors of state


def test_errors_of_state_are_never_the_public_apis_problems(api: Api) -> None:
    active, inactive = connected(api), connected(api, name="inactive")
    api.config("/connections/update", {"connectionId": inactive["connectionId"], "status": "inactive"})
    key = {"connectionId": active["connectionId"]}
    api.config("/connections/sync", key)
    running = api.config("/connections/sync", key, 409)
    assert set(running) == KNOWN
    assert running["message"] == f"A sync is already running for: {active['connectionId']}"
    assert set(api.config("/connections/sync", {"connectionId": inactive["connectionId"]}, 500)) == OPAQUE
    api.config("/connections/delete", key, 204)
    for call in ("/connections/sync", "/connections/reset", "/connections/clear"):
        assert set(api.config(call, key, 500)) == OPAQUE
    assert set(api.config("/jobs/cancel", {"id": 1}, 500)) == OPAQUE


def test_an_unknown_id_is_forbidden_on_cloud() -> None:
    with serving(edition="cloud") as cloud:
        for call in ("/sources/get", "/sources/delete"):
            assert cloud.config(call, {"sourceId": str(uuid4())}, 403)
        assert cloud.config("/connections/get", {"connectionId": str(uuid4())}, 403)


def test_what_only_the_config_api_has_outlives_the_twin(tmp_path: Any) -> None:
    with running_twin(data_dir=tmp_path) as twin, api_of(twin) as api:
        operation = api.config("/operations/create", webhook(workspaceId=twin.workspace_id))
        api.config("/workspaces/update", {"workspaceId": twin.workspace_id, "email": "data@example.com"})
    with running_twin(data_dir=tmp_path) as twin, api_of(twin) as api:
        assert api.config("/operations/get", {"operationId": operation["operationId"]}) == operation
        assert api.config("/workspaces/get", {"workspaceId": twin.workspace_id})["email"] == "data@example.com"
