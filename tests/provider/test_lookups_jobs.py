"""Look-ups of jobs, and of organizations, users, groups and permissions."""

from typing import Any

import httpx
import pytest
from airbyte_twin.records import User
from airbyte_twin.testing import running_twin

from tests.provider.jobs import drive_job
from tests.provider.lake import ORGANIZATION, OTHER_ORGANIZATION, Lake
from tests.provider.plugin import Plugin, error
from tests.provider.test_lookups_objects import NOWHERE, made_connection, names


def run(lake: Lake, connection_id: str, kind: str = "sync", status: Any = "succeeded") -> int:
    """A job that has come to a status."""
    if kind == "refresh":
        streams = [{"streamName": "bare"}]
        body = {"connectionId": connection_id, "streams": streams, "refreshMode": "Merge"}
        job_id = lake.config_api("/connections/refresh", body)["job"]["id"]
    else:
        job_id = lake.api("POST", "/jobs", {"connectionId": connection_id, "jobType": kind})["jobId"]
    drive_job(lake, job_id, status)
    return int(job_id)


def test_a_job_is_found_by_its_id(plugin: Plugin, lake: Lake) -> None:
    connection_id = made_connection(lake, "c")
    job_id = run(lake, connection_id)
    found = plugin.invoke("getJob", jobId=job_id)
    assert (found["jobId"], found["status"], found["jobType"]) == (job_id, "succeeded", "sync")
    assert found["connectionId"] == connection_id
    assert found["startTime"].endswith("Z")
    assert found["duration"].startswith("P")
    assert "there is no such job" in error(lambda: plugin.invoke("getJob", jobId=999_999))


def test_the_newest_jobs_come_first_and_refreshes_are_among_them(plugin: Plugin, lake: Lake) -> None:
    first, second = made_connection(lake, "first"), made_connection(lake, "second")
    sync, refresh = run(lake, first), run(lake, first, "refresh", "failed")
    clear, other = run(lake, first, "clear"), run(lake, second, status="cancelled")
    lake.twin.clear_calls()

    def found(**filters: Any) -> list[int]:
        return [job["jobId"] for job in plugin.invoke("getJobs", **filters)["jobs"]]

    assert found() == [other, clear, refresh, sync]
    assert lake.asked() == ["GET /jobs", "GET /jobs"]
    assert found(connectionId=first) == [clear, refresh, sync]
    assert found(limit=2) == [other, clear]
    assert found(jobType="refresh") == [refresh]
    assert found(jobType="reset") == [clear]
    assert found(status="failed") == [refresh]
    assert found(workspaceId=lake.twin.workspace_id, status="cancelled") == [other]
    assert found(createdAtStart="2000-01-01T00:00:00Z", updatedAtEnd="2999-01-01T01:00:00+01:00") == found()
    assert found(createdAtEnd="2000-01-01T00:00:00Z") == []


def test_more_jobs_than_a_page_are_read_page_by_page(plugin: Plugin, lake: Lake) -> None:
    connection_id = made_connection(lake, "c")
    for _ in range(120):
        run(lake, connection_id)
    lake.twin.clear_calls()
    assert len(plugin.invoke("getJobs", jobType="sync", limit=100)["jobs"]) == 100
    assert lake.asked() == ["GET /jobs"]
    assert len(plugin.invoke("getJobs", jobType="sync", limit=1000)["jobs"]) == 120
    assert lake.asked() == ["GET /jobs"] * 3


def people(lake: Lake) -> tuple[str, str]:
    """The ids of two users of the organization."""
    ids: list[str] = []
    for name in ("Ada", "Grace"):
        user_id = f"00000000-0000-4000-8000-0000000000{len(ids) + 10}"
        user = User(id=user_id, name=name, email=f"{name.lower()}@example.com")
        lake.twin.store.users.put(user)
        lake.api(
            "POST",
            "/permissions",
            {"userId": user.id, "permissionType": "organization_reader", "organizationId": ORGANIZATION},
        )
        ids.append(user.id)
    return ids[0], ids[1]


@pytest.fixture
def one_organization(lake: Lake) -> Lake:
    """The lake without its other organization."""
    lake.twin.store.organizations.drop(OTHER_ORGANIZATION)
    return lake


def test_several_organizations_are_an_error_that_lists_them(plugin: Plugin, lake: Lake) -> None:
    people(lake)
    message = error(lambda: plugin.invoke("getOrganization"))
    assert message.startswith("The organization is ambiguous: there are 2 organizations.\n  Give organizationId: ")
    assert f"{OTHER_ORGANIZATION} (Other)" in message
    assert error(lambda: plugin.invoke("getUser", name="Ada")) == message
    assert plugin.invoke("getUser", name="Ada", organizationId=ORGANIZATION)["email"] == "ada@example.com"
    assert plugin.invoke("getOrganization", name="Other")["organizationId"] == OTHER_ORGANIZATION
    assert names(plugin.invoke("getUsers", organizationId=OTHER_ORGANIZATION)["users"]) == []


@pytest.mark.usefixtures("one_organization")
def test_the_only_organization_needs_no_name(plugin: Plugin) -> None:
    found = plugin.invoke("getOrganization")
    assert found["organizationId"] == ORGANIZATION
    assert plugin.invoke("getOrganizations")["organizations"] == [found]
    assert plugin.invoke("getOrganization", name=found["name"]) == found
    message = error(lambda: plugin.invoke("getOrganization", organizationId=NOWHERE))
    assert message == f'No organization has the organizationId "{NOWHERE}".\n  There is: {found["name"]}.'


@pytest.mark.usefixtures("one_organization")
def test_a_user_is_found_by_what_is_known_of_them(plugin: Plugin, lake: Lake) -> None:
    ada, grace = people(lake)
    found = plugin.invoke("getUser", email="ada@example.com")
    assert found == {"userId": ada, "name": "Ada", "email": "ada@example.com"}
    assert plugin.invoke("getUser", userId=ada) == plugin.invoke("getUser", name="Ada") == found
    assert {"Ada", "Grace"} <= set(names(plugin.invoke("getUsers")["users"]))
    assert names(plugin.invoke("getUsers", emails=["grace@example.com"])["users"]) == ["Grace"]
    assert names(plugin.invoke("getUsers", ids=[grace], organizationId=ORGANIZATION)["users"]) == ["Grace"]
    message = error(lambda: plugin.invoke("getUser", email="adda@example.com"))
    assert message.startswith('No user has the email "adda@example.com".\n  There are: ada@example.com, ')


@pytest.mark.usefixtures("one_organization")
def test_a_hundred_look_ups_of_users_cost_one_list(plugin: Plugin, lake: Lake) -> None:
    people(lake)
    lake.twin.clear_calls()
    for _ in range(100):
        plugin.invoke("getUser", email="ada@example.com")
    assert lake.asked() == ["GET /organizations", "GET /users"]


@pytest.mark.usefixtures("one_organization")
def test_permissions_are_those_of_a_user_or_of_the_caller(plugin: Plugin, lake: Lake) -> None:
    ada, _ = people(lake)
    [found] = plugin.invoke("getPermissions", userId=ada)["permissions"]
    assert found == {
        "permissionId": found["permissionId"],
        "permissionType": "organization_reader",
        "userId": ada,
        "organizationId": ORGANIZATION,
    }
    assert plugin.invoke("getPermission", permissionId=found["permissionId"]) == found
    role = {"userId": ada, "permissionType": "workspace_editor", "workspaceId": lake.twin.workspace_id}
    lake.api("POST", "/permissions", role)
    [editor] = plugin.invoke("getPermissions", userId=ada, workspaceId=lake.twin.workspace_id)["permissions"]
    assert editor == {"permissionId": editor["permissionId"], **role}
    assert plugin.invoke("getPermissions", userId=ada, permissionType="workspace_editor")["permissions"] == [editor]
    own = plugin.invoke("getPermissions")["permissions"]
    assert "instance_admin" in {each["permissionType"] for each in own}
    message = error(lambda: plugin.invoke("getPermission", permissionId=NOWHERE))
    assert "an id that no permission has" in message
    both = plugin.invoke("getPermissions", userId=ada, groupId=NOWHERE)["failures"]
    assert both == {"groupId": "is given beside userId: give one of them"}


def test_a_group_comes_with_its_members_and_its_permissions(unconfigured: Plugin) -> None:
    with running_twin(licensed=True) as twin, httpx.Client(timeout=60) as http:
        lake = Lake(twin, http)
        unconfigured.configure(serverUrl=twin.public_url)
        ada, grace = people(lake)
        group = lake.api("POST", "/groups", {"name": "Readers", "organizationId": ORGANIZATION})
        lake.api("POST", "/groups", {"name": "Others", "organizationId": ORGANIZATION})
        for user_id in (grace, ada):
            lake.api("POST", f"/groups/{group['groupId']}/members", {"userId": user_id})
        role = {"permissionType": "workspace_reader", "workspaceId": twin.workspace_id}
        lake.api("POST", f"/groups/{group['groupId']}/permissions", role)

        found = unconfigured.invoke("getGroup", name="Readers")
        assert (found["groupId"], found["memberCount"]) == (group["groupId"], 2)
        assert names(found["members"]) == ["Ada", "Grace"]
        assert unconfigured.invoke("getGroup", groupId=group["groupId"]) == found
        assert names(unconfigured.invoke("getGroups")["groups"]) == ["Others", "Readers"]
        [permission] = unconfigured.invoke("getPermissions", groupId=group["groupId"])["permissions"]
        assert permission == {
            "permissionId": permission["permissionId"],
            "groupId": group["groupId"],
            **role,
        }
