"""Permissions, users, organizations, groups and regions, and workspaces in regions."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from twin_support import PUBLIC, Api, serving

ORGANIZATION = "00000000-0000-0000-0000-000000000000"
CALLER = ORGANIZATION
TABLES = (
    "organizations", "users", "groups", "memberships", "permissions", "regions", "dataplanes", "oauth_credentials",
)  # fmt: skip


@pytest.fixture
def licensed() -> Any:
    """A self-managed twin with a license."""
    with serving(licensed=True) as served:
        yield served


def user(api: Api, name: str = "Ada", **changes: Any) -> str:
    made = api.control("POST", "/users", {"name": name, "email": f"{name.lower()}@example.com", **changes}, 200)
    return str(made["id"])


def permission(api: Api, user_id: str, kind: str = "workspace_reader", **scope: str) -> dict[str, Any]:
    return {"permissionType": kind, "userId": user_id, **(scope or {"workspaceId": api.twin.workspace_id})}


def of_user(api: Api, user_id: str) -> set[str]:
    """The types that a user has, in every scope."""
    return {each.type for each in api.twin.store.permissions if each.user_id == user_id}


def test_a_new_server_has_one_organization_and_one_user_who_may_do_everything(api: Api) -> None:
    [organization] = api.get("/organizations")["data"]
    assert organization == {
        "organizationId": ORGANIZATION,
        "organizationName": "Default Organization",
        "email": "admin@example.com",
    }
    found = api.get("/users", organizationId=ORGANIZATION)["data"]
    assert found == [{"id": CALLER, "name": "Default User", "email": "admin@example.com"}]
    mine = {(each["permissionType"], each["scope"], each["scopeId"]) for each in api.get("/permissions")["data"]}
    assert mine == {
        ("instance_admin", "none", ORGANIZATION),
        ("organization_admin", "organization", ORGANIZATION),
    }
    assert api.get("/permissions", userId=CALLER, organizationId=str(uuid4())) == api.get("/permissions")


def test_users_are_listed_by_id_or_address(api: Api) -> None:
    ada, bob = user(api), user(api, "Bob")
    listed = {each["id"] for each in api.get("/users", organizationId=ORGANIZATION)["data"]}
    assert listed == {CALLER, ada, bob}
    wanted = {"organizationId": ORGANIZATION, "ids": f"{ada},{uuid4()}", "emails": "bob@example.com"}
    assert {each["id"] for each in api.get("/users", **wanted)["data"]} == {ada, bob}
    assert api.get("/users", organizationId=str(uuid4()))["data"] == []


def test_lists_say_which_parameter_they_lack(api: Api) -> None:
    errors = api.get("/users", 400)["_embedded"]["errors"]
    assert [error["message"] for error in errors] == ["Required QueryValue [organizationId] not specified"]
    assert api.get("/regions", 400)["_embedded"]["errors"][0]["path"] == "/organizationId"
    assert api.get("/groups", 400)["data"]["message"] == "organizationId query parameter is required"
    refused = api.get("/permissions", 400, userId=str(uuid4()))
    assert refused["data"]["message"] == "Organization ID is required when getting someone else's permissions."


def test_a_permission_is_made_read_changed_and_deleted(api: Api) -> None:
    ada = user(api)
    made = api.post("/permissions", permission(api, ada))
    path = f"/permissions/{made['permissionId']}"
    assert made == {"permissionId": made["permissionId"], **permission(api, ada)}
    assert api.get(path) == made
    changed = api.patch(path, {"permissionType": "WORKSPACE_ADMIN"})
    assert changed == {**made, "permissionType": "workspace_admin"} == api.get(path)
    api.delete(path)
    for method in ("GET", "DELETE"):
        assert set(api.call(method, PUBLIC + path, 500)) == {"errorId"}
    api.patch(path, {"permissionType": "workspace_admin"}, 500)


def test_the_same_permission_again_is_the_first_one(api: Api) -> None:
    ada = user(api)
    assert api.post("/permissions", permission(api, ada)) == api.post("/permissions", permission(api, ada))
    other = api.post("/permissions", permission(api, ada, "workspace_admin"), 500)
    assert "permission_unique_user_workspace" in other["data"]["message"]
    assert of_user(api, ada) == {"organization_member", "workspace_reader"}


def test_another_users_permissions_are_listed_for_an_organization_only(api: Api) -> None:
    ada = user(api)
    api.post("/permissions", permission(api, ada))
    [listed] = api.get("/permissions", userId=ada, organizationId=ORGANIZATION)["data"]
    assert (listed["permissionType"], listed["scope"]) == ("organization_member", "organization")


def test_the_servers_own_admin_is_no_permission_of_a_workspace(api: Api) -> None:
    body = {"userId": CALLER, "workspaceId": api.twin.workspace_id, "permissionType": "instance_admin"}
    api.config("/permissions/create", body, 500)
    assert api.twin.twin.defects == []


def test_a_workspaces_permission_that_adds_nothing_to_the_organizations_is_refused_or_goes(api: Api) -> None:
    refused = api.post("/permissions", permission(api, CALLER, "workspace_admin"), 500)
    assert "would be redundant" in refused["data"]["message"]
    ada = user(api)
    api.post("/permissions", permission(api, ada))
    [member] = api.get("/permissions", userId=ada, organizationId=ORGANIZATION)["data"]
    api.patch(f"/permissions/{member['permissionId']}", {"permissionType": "organization_reader"})
    assert of_user(api, ada) == {"organization_reader"}
    own = api.post("/permissions", permission(api, ada, "workspace_editor"))
    gone = api.patch(f"/permissions/{own['permissionId']}", {"permissionType": "workspace_reader"}, 404)
    assert gone["data"]["resourceType"] == "PERMISSION"
    assert of_user(api, ada) == {"organization_reader"}


def test_leaving_an_organization_takes_its_workspaces_along(api: Api) -> None:
    ada = user(api)
    api.post("/permissions", permission(api, ada))
    [member] = api.get("/permissions", userId=ada, organizationId=ORGANIZATION)["data"]
    api.delete(f"/permissions/{member['permissionId']}")
    assert of_user(api, ada) == set()


def test_an_organization_keeps_its_last_admin(api: Api) -> None:
    [own] = [each for each in api.get("/permissions")["data"] if each["scope"] == "organization"]
    path = f"/permissions/{own['permissionId']}"
    demoted = api.patch(path, {"permissionType": "organization_reader"}, 409)
    assert demoted["data"]["message"] == f"Cannot demote the last admin in Organization {ORGANIZATION}."
    deleted = api.delete(path, 409)
    assert deleted["data"]["message"] == f"Cannot delete the last admin in Organization {ORGANIZATION}."
    user(api, permissionType="organization_admin")
    api.delete(path)


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"organizationId": ORGANIZATION}, 400, "both a workspace and an organization"),
        ({"workspaceId": None}, 400, "Workspace ID or Organization ID must be provided"),
        ({"permissionType": "organization_reader"}, 500, "violates check constraint"),
        ({"userId": str(uuid4())}, 500, "permission_user_id_fkey"),
        ({"workspaceId": str(uuid4())}, 500, "permission_workspace_id_fkey"),
    ],
)
def test_permissions_that_are_refused(api: Api, changes: dict[str, Any], status: int, message: str) -> None:
    body = {**permission(api, user(api)), **changes}
    assert message in api.post("/permissions", body, status)["data"]["message"]


def test_a_type_must_be_one_of_the_public_ones_and_of_the_scope(api: Api) -> None:
    ada = user(api)
    api.post("/permissions", permission(api, ada, "instance_admin"), 400)
    path = f"/permissions/{api.post('/permissions', permission(api, ada))['permissionId']}"
    admin = api.patch(path, {"permissionType": "instance_admin"}, 422)
    assert admin["data"]["message"] == "Cannot update permission record to INSTANCE_ADMIN."
    api.patch(path, {"permissionType": "organization_admin"}, 500)
    api.get("/permissions/none", 500)


def test_groups_need_a_license(api: Api) -> None:
    body = {"name": "Analysts", "organizationId": ORGANIZATION}
    for refused in (api.get("/groups", 403, organizationId=ORGANIZATION), api.post("/groups", body, 403)):
        assert refused["type"] == "error:license/entitlement"
        assert refused["data"] == {"entitlement": "feature-scim"}
    assert api.get(f"/groups/{uuid4()}", 404)["data"]["resourceType"] == "group"


def test_a_group_is_made_read_changed_and_deleted(licensed: Api) -> None:
    body = {"name": "Analysts", "description": "They read", "organizationId": ORGANIZATION}
    made = licensed.post("/groups", body, 201)
    path = f"/groups/{made['groupId']}"
    assert made == {"groupId": made["groupId"], **body, "memberCount": 0}
    assert licensed.get(path) == made
    changed = licensed.patch(path, {"name": "Readers", "description": None})
    assert changed == {**made, "name": "Readers"}
    taken = licensed.post("/groups", {**body, "name": "READERS"}, 409)
    assert taken["type"] == "error:group-already-exists"
    other = licensed.post("/groups", body, 201)
    licensed.patch(f"/groups/{other['groupId']}", {"name": "readers"}, 409)
    licensed.post("/groups", {**body, "organizationId": str(uuid4())}, 500)
    licensed.delete(path)
    licensed.get(path, 404)


def test_groups_are_listed_in_pages(licensed: Api) -> None:
    for number in range(3):
        licensed.post("/groups", {"name": f"group {number}", "organizationId": ORGANIZATION}, 201)
    first = licensed.get("/groups", organizationId=ORGANIZATION, limit=2)
    assert [each["name"] for each in first["data"]] == ["group 0", "group 1"]
    assert first["next"] == f"/public/v1/groups?organizationId={ORGANIZATION}&limit=2&offset=2"
    last = licensed.get("/groups", organizationId=ORGANIZATION, limit=2, offset=2)
    assert [each["name"] for each in last["data"]] == ["group 2"]
    assert set(last) == {"data", "previous"}


def test_a_groups_members_are_members_of_its_organization(licensed: Api) -> None:
    group = licensed.post("/groups", {"name": "Analysts", "organizationId": ORGANIZATION}, 201)
    path, ada, bob = f"/groups/{group['groupId']}", user(licensed), user(licensed, "Bob")
    for each in (ada, bob):
        licensed.post(f"{path}/members", {"userId": each}, 201)
    again = licensed.post(f"{path}/members", {"userId": ada}, 409)
    assert again["type"] == "error:group-member-already-exists"
    assert licensed.post(f"{path}/members", {"userId": str(uuid4())}, 404)["data"]["resourceType"] == "user"
    own = licensed.get("/permissions", userId=bob, organizationId=ORGANIZATION)["data"][0]
    licensed.delete(f"/permissions/{own['permissionId']}")
    other = licensed.post("/groups", {"name": "Others", "organizationId": ORGANIZATION}, 201)
    stranger = licensed.post(f"/groups/{other['groupId']}/members", {"userId": bob}, 404)
    assert "is not a member of organization" in stranger["detail"]
    members = licensed.get(f"{path}/members")["data"]
    assert [(each["userName"], each["userEmail"]) for each in members] == [
        ("Bob", "bob@example.com"),
        ("Ada", "ada@example.com"),
    ]
    assert licensed.get(path)["memberCount"] == 2
    licensed.delete(f"{path}/members/{ada}")
    licensed.delete(f"{path}/members/{ada}")
    assert licensed.get(path)["memberCount"] == 1


def test_a_groups_permissions_are_its_own(licensed: Api) -> None:
    group = licensed.post("/groups", {"name": "Analysts", "organizationId": ORGANIZATION}, 201)
    path, scope = f"/groups/{group['groupId']}/permissions", {"workspaceId": licensed.twin.workspace_id}
    made = licensed.post(path, {"permissionType": "workspace_reader", **scope}, 201)
    licensed.post(path, {"permissionType": "workspace_reader", **scope}, 400)
    licensed.post(path, {"permissionType": "organization_reader", **scope}, 400)
    licensed.post(path, {"permissionType": "workspace_reader"}, 400)
    licensed.post(path, {"permissionType": "workspace_reader", "workspaceId": str(uuid4())}, 404)
    assert licensed.get(path)["data"] == [made]
    licensed.get(f"/permissions/{made['permissionId']}", 500)
    licensed.delete(f"{path}/{made['permissionId']}")
    licensed.delete(f"{path}/{made['permissionId']}", 404)
    assert licensed.get(path)["data"] == []


def test_a_deleted_group_takes_its_members_and_permissions_along(licensed: Api) -> None:
    group = licensed.post("/groups", {"name": "Analysts", "organizationId": ORGANIZATION}, 201)
    path = f"/groups/{group['groupId']}"
    licensed.post(f"{path}/members", {"userId": CALLER}, 201)
    body = {"permissionType": "organization_reader", "organizationId": ORGANIZATION}
    licensed.post(f"{path}/permissions", body, 201)
    licensed.delete(path)
    store = licensed.twin.store
    assert not list(store.memberships)
    assert all(each.group_id is None for each in store.permissions)


def test_regions_need_a_license(api: Api) -> None:
    refused = api.get("/regions", 403, organizationId=ORGANIZATION)
    assert refused["data"] == {"entitlement": "feature-self-managed-regions"}
    assert api.get("/dataplanes") == []


def test_a_workspace_resides_where_its_region_is(licensed: Api) -> None:
    [default] = licensed.get("/regions", organizationId=ORGANIZATION)
    assert (default["name"], default["enabled"]) == ("AUTO", True)
    region = licensed.post("/regions", {"name": "EU", "organizationId": ORGANIZATION})
    made = licensed.post("/workspaces", {"name": "lake", "regionId": region["regionId"]})
    assert made["dataResidency"] == "eu"
    path = f"/workspaces/{made['workspaceId']}"
    assert licensed.patch(path, {"regionId": default["regionId"]})["dataResidency"] == "auto"
    assert licensed.patch(path, {"name": "same region"})["dataResidency"] == "auto"
    licensed.patch(path, {"regionId": str(uuid4())}, 500)


def test_a_region_and_its_dataplanes_are_made_changed_and_deleted(licensed: Api) -> None:
    region = licensed.post("/regions", {"name": "EU", "organizationId": ORGANIZATION, "enabled": False})
    path = f"/regions/{region['regionId']}"
    assert licensed.get(path) == region
    assert licensed.patch(path, {"enabled": True})["enabled"] is True
    dataplane = licensed.post("/dataplanes", {"name": "one", "regionId": region["regionId"]})
    assert set(dataplane) == {"regionId", "dataplaneId", "clientId", "clientSecret"}
    plane = f"/dataplanes/{dataplane['dataplaneId']}"
    assert licensed.patch(plane, {"name": "two"})["name"] == "two" == licensed.get(plane)["name"]
    assert [each["name"] for each in licensed.get("/dataplanes", regionIds=region["regionId"])] == ["two"]
    licensed.delete(path, 200)
    assert licensed.get("/dataplanes") == []
    assert [each["name"] for each in licensed.get("/regions", organizationId=ORGANIZATION)] == ["AUTO"]
    for unknown in ("regions", "dataplanes"):
        licensed.get(f"/{unknown}/{uuid4()}", 500)


def test_a_state_that_was_saved_before_there_were_people_gets_the_default_ones(tmp_path: Path) -> None:
    with serving(data_dir=tmp_path) as api:
        kept = api.source()
    file = tmp_path / "state.json"
    state = json.loads(file.read_text())
    for table in TABLES:
        del state[table]
    for workspace in state["workspaces"]:
        del workspace["organization_id"], workspace["region_id"]
    file.write_text(json.dumps(state))
    with serving(data_dir=tmp_path) as api:
        assert api.get(f"/sources/{kept['sourceId']}") == kept
        assert [each["organizationId"] for each in api.get("/organizations")["data"]] == [ORGANIZATION]
        assert len(api.get("/permissions")["data"]) == 2
        assert api.get(f"/workspaces/{api.twin.workspace_id}")["dataResidency"] == "auto"


def test_people_groups_and_permissions_are_saved(tmp_path: Path) -> None:
    with serving(data_dir=tmp_path, licensed=True) as api:
        ada = user(api)
        made = api.post("/permissions", permission(api, ada))
        group = api.post("/groups", {"name": "Analysts", "organizationId": ORGANIZATION}, 201)
        api.post(f"/groups/{group['groupId']}/members", {"userId": ada}, 201)
    with serving(data_dir=tmp_path, licensed=True) as api:
        assert api.get(f"/permissions/{made['permissionId']}") == made
        assert api.get(f"/groups/{group['groupId']}") == {**group, "memberCount": 1}
        assert len(api.get("/permissions")["data"]) == 2


def test_only_a_known_organization_takes_a_new_user(api: Api) -> None:
    body = {"name": "Ada", "email": "ada@example.com", "organizationId": str(uuid4())}
    api.control("POST", "/users", body, 422)
    assert len(list(api.twin.store.users)) == 1


def test_cloud_has_groups_and_workspaces_of_known_organizations() -> None:
    with serving(edition="cloud") as api:
        assert api.get("/groups", organizationId=ORGANIZATION)["data"] == []
        api.post("/workspaces", {"name": "lake", "organizationId": str(uuid4())}, 403)
        api.get("/users", 403, organizationId=str(uuid4()))
        made = api.post("/workspaces", {"name": "lake", "organizationId": ORGANIZATION})
        found = api.config("/workspaces/get", {"workspaceId": made["workspaceId"]})
        assert found["organizationId"] == ORGANIZATION
