"""airbyte-api, the official SDK, against the twin: each of its methods, and the calls that it makes.

Where it fails with Airbyte itself is in `test_twin_sdk.py`, which every pull request runs.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import airbyte_api
import pytest
from airbyte_api import errors, models
from clients_support import Ledger, null_connection, stale_facts, steps_of
from lab_connectors import LAB_CONNECTORS
from twin_support import Api, s3, serving

CLIENT = "airbyte-api"
pytestmark = pytest.mark.nightly  # its models of every connector take half a minute to load
IMAGE = {"name": "Own", "docker_repository": "example/own", "docker_image_tag": "1.0.0"}
GITHUB = {**LAB_CONNECTORS[0], "type": "github", "docker_repository": "airbyte/source-github"}
MANIFEST = {"version": "6.0.0", "type": "DeclarativeSource", "check": {}, "streams": []}


class Sdk:
    """The SDK as a test uses it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def call(self, api: Api, method: str, request: dict[str, Any] | None = None) -> Any:
        """What a method answers, `group.name`: its document, or nothing.

        Raises:
            errors.SDKError: the server refused.
        """
        client = airbyte_api.AirbyteAPI(server_url=api.twin.public_url)
        group, _, name = method.partition(".")
        with self._ledger.step(api, method):
            answer = getattr(getattr(client, group), name)(**({} if request is None else {"request": request}))
        for name in set(type(answer).model_fields) - {"content_type", "status_code", "raw_response"}:
            return plain(getattr(answer, name))
        return None


@pytest.fixture
def sdk(ledger: Ledger) -> Sdk:
    return Sdk(ledger)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Api]:
    """A twin of the cloud edition, which has what is sold, with a connector whose name the SDK knows for consents."""
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors" / "github.json").write_text(json.dumps(GITHUB))
    with serving(edition="cloud", data_dir=tmp_path) as api:
        yield api


def test_it_checks_health(sdk: Sdk, api: Api) -> None:
    assert sdk.call(api, "health.get_health_check") is None


def test_it_creates_reads_changes_lists_and_deletes_workspaces(sdk: Sdk, api: Api) -> None:
    made = sdk.call(api, "workspaces.create_workspace", {"name": "one"})
    one = {"workspace_id": made["workspaceId"]}
    assert sdk.call(api, "workspaces.get_workspace", one) == made
    change = {**one, "workspace_update_request": {"name": "two"}}
    changed = sdk.call(api, "workspaces.update_workspace", change)
    assert changed["name"] == "two"
    listed = sdk.call(api, "workspaces.list_workspaces", {"workspace_ids": [made["workspaceId"]]})
    assert listed["data"] == [changed]
    assert sdk.call(api, "workspaces.delete_workspace", one) is None
    with pytest.raises(errors.SDKError, match="404"):
        sdk.call(api, "workspaces.get_workspace", one)


def test_its_coroutines_make_the_same_calls(ledger: Ledger, api: Api) -> None:
    async def listed() -> Any:
        async with airbyte_api.AirbyteAPI(server_url=api.twin.public_url) as client:
            return await client.workspaces.list_workspaces_async(request={})

    with ledger.step(api, "workspaces.list_workspaces_async"):
        answer = asyncio.run(listed())
    assert answer.workspaces_response is not None
    assert [each.workspace_id for each in answer.workspaces_response.data] == [api.twin.workspace_id]


def test_it_creates_reads_replaces_changes_lists_and_deletes_sources(sdk: Sdk, api: Api) -> None:
    request = {"name": "Faker", "workspace_id": api.twin.workspace_id}
    made = sdk.call(api, "sources.create_source", {**request, "configuration": models.SourceFaker(count=3)})
    one = {"source_id": made["sourceId"]}
    assert sdk.call(api, "sources.get_source", one) == made
    replace = {"name": "Second", "configuration": models.SourceFaker(count=4)}
    assert sdk.call(api, "sources.put_source", {**one, "source_put_request": replace})["name"] == "Second"
    changed = sdk.call(api, "sources.patch_source", {**one, "source_patch_request": {"name": "Third"}})
    listed = sdk.call(api, "sources.list_sources", {"workspace_ids": [api.twin.workspace_id]})
    assert listed["data"] == [changed]
    assert api.get(f"/sources/{made['sourceId']}")["configuration"]["count"] == 4
    assert sdk.call(api, "sources.delete_source", one) is None
    assert sdk.call(api, "sources.list_sources", {})["data"] == []


def test_it_begins_a_consent(sdk: Sdk, cloud: Api) -> None:
    request = {"redirect_url": "https://example.com", "source_type": "github", "workspace_id": cloud.twin.workspace_id}
    sdk.call(cloud, "sources.initiate_o_auth", request)


def test_it_writes_destinations_and_fails_at_their_answers(sdk: Sdk, api: Api) -> None:
    """As with Airbyte itself: what the server answers lacks the type that the SDK looks for."""
    of = api.destination()["destinationId"]
    body = models.DestinationS3.model_validate(s3("")["configuration"])
    steps: dict[str, Any] = {
        "create_destination": {"name": "S3", "workspace_id": api.twin.workspace_id, "configuration": body},
        "get_destination": {"destination_id": of},
        "put_destination": {
            "destination_id": of,
            "destination_put_request": {"name": "S3", "configuration": body},
        },
        "patch_destination": {"destination_id": of, "destination_patch_request": {"name": "Renamed"}},
        "list_destinations": {"workspace_ids": [api.twin.workspace_id]},
    }
    for name, request in steps.items():
        with pytest.raises(errors.ResponseValidationError):
            sdk.call(api, f"destinations.{name}", request)
    assert sorted(each["name"] for each in api.get("/destinations")["data"]) == ["Renamed", "S3"]
    assert sdk.call(api, "destinations.delete_destination", {"destination_id": of}) is None


def test_it_creates_reads_changes_lists_and_deletes_connections(sdk: Sdk, api: Api) -> None:
    ends = {"source_id": api.source()["sourceId"], "destination_id": api.destination()["destinationId"]}
    streams = {"streams": [{"name": "orders", "sync_mode": "incremental_append"}]}
    made = sdk.call(api, "connections.create_connection", {**ends, "name": "Made", "configurations": streams})
    one = {"connection_id": made["connectionId"]}
    assert sdk.call(api, "connections.get_connection", one) == made
    patch = {**one, "connection_patch_request": {"prefix": "raw_"}}
    changed = sdk.call(api, "connections.patch_connection", patch)
    assert changed["prefix"] == "raw_"
    assert sdk.call(api, "connections.list_connections", {})["data"] == [changed]
    assert sdk.call(api, "connections.delete_connection", one) is None
    assert sdk.call(api, "connections.list_connections", {})["data"] == []


def test_it_lists_the_streams_of_a_source(sdk: Sdk, api: Api) -> None:
    source = null_connection(api)["sourceId"]
    found = sdk.call(api, "streams.get_stream_properties", {"source_id": source})
    assert sorted(each["streamName"] for each in found) == ["products", "purchases", "users"]


def test_it_starts_reads_lists_and_cancels_jobs(sdk: Sdk, api: Api) -> None:
    connection = null_connection(api)["connectionId"]
    job = sdk.call(api, "jobs.create_job", {"connection_id": connection, "job_type": "sync"})
    one = {"job_id": job["jobId"]}
    assert sdk.call(api, "jobs.get_job", one) == job
    assert sdk.call(api, "jobs.list_jobs", {"connection_id": connection})["data"] == [job]
    assert sdk.call(api, "jobs.cancel_job", one)["status"] == "cancelled"


def test_a_sync_that_it_starts_has_records(sdk: Sdk, syncing: Api) -> None:
    connection = null_connection(syncing)["connectionId"]
    job = sdk.call(syncing, "jobs.create_job", {"connection_id": connection, "job_type": "sync"})
    syncing.twin.settle()
    ended = sdk.call(syncing, "jobs.get_job", {"job_id": job["jobId"]})
    assert (ended["status"], ended["rowsSynced"]) == ("succeeded", 30)


def test_it_creates_reads_changes_lists_and_deletes_tags(sdk: Sdk, api: Api) -> None:
    request = {"name": "one", "color": "00FF00", "workspace_id": api.twin.workspace_id}
    made = sdk.call(api, "tags.create_tag", request)
    one = {"tag_id": made["tagId"]}
    assert sdk.call(api, "tags.get_tag", one) == made
    change = {**one, "tag_patch_request": {"name": "two", "color": "FF0000"}}
    changed = sdk.call(api, "tags.update_tag", change)
    assert (changed["name"], changed["color"]) == ("two", "FF0000")
    assert sdk.call(api, "tags.list_tags", {})["data"] == [changed]
    assert sdk.call(api, "tags.delete_tag", one) is None


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_it_creates_reads_changes_lists_and_deletes_definitions(sdk: Sdk, api: Api, kind: str) -> None:
    group, workspace = f"{kind}_definitions", {"workspace_id": api.twin.workspace_id}
    made = sdk.call(api, f"{group}.create_{kind}_definition", {**workspace, "create_definition_request": IMAGE})
    one = {**workspace, "definition_id": made["id"]}
    assert sdk.call(api, f"{group}.get_{kind}_definition", one) == made
    change = {**one, "update_definition_request": {"name": "Own", "docker_image_tag": "1.0.1"}}
    changed = sdk.call(api, f"{group}.update_{kind}_definition", change)
    assert changed["dockerImageTag"] == "1.0.1"
    assert changed in sdk.call(api, f"{group}.list_{kind}_definitions", workspace)["data"]
    sdk.call(api, f"{group}.delete_{kind}_definition", one)
    assert changed not in sdk.call(api, f"{group}.list_{kind}_definitions", workspace)["data"]


def test_it_creates_reads_changes_lists_and_deletes_declarative_definitions(sdk: Sdk, api: Api) -> None:
    group, workspace = "declarative_source_definitions", {"workspace_id": api.twin.workspace_id}
    body = {"name": "Own", "manifest": MANIFEST}
    create = {**workspace, "create_declarative_source_definition_request": body}
    made = sdk.call(api, f"{group}.create_declarative_source_definition", create)
    one = {**workspace, "definition_id": made["id"]}
    assert sdk.call(api, f"{group}.get_declarative_source_definition", one) == made
    change = {**one, "update_declarative_source_definition_request": {"manifest": {**MANIFEST, "version": "6.0.1"}}}
    changed = sdk.call(api, f"{group}.update_declarative_source_definition", change)
    assert changed["manifest"]["version"] == "6.0.1"
    assert sdk.call(api, f"{group}.list_declarative_source_definitions", workspace)["data"] == [changed]
    sdk.call(api, f"{group}.delete_declarative_source_definition", one)
    assert sdk.call(api, f"{group}.list_declarative_source_definitions", workspace)["data"] == []


def test_it_lists_the_organizations_and_users(sdk: Sdk, api: Api) -> None:
    (organization,) = sdk.call(api, "organizations.list_organizations_for_user")["data"]
    one = {"organization_id": organization["organizationId"]}
    assert len(sdk.call(api, "users.list_users_within_an_organization", one)["data"]) == 1


def test_it_creates_reads_changes_lists_and_deletes_permissions(sdk: Sdk, api: Api) -> None:
    (organization,) = api.get("/organizations")["data"]
    user = api.control("POST", "/users", {"name": "Second", "email": "second@example.com"}, 200)
    grant = {"permission_type": "workspace_editor", "user_id": user["id"], "workspace_id": api.twin.workspace_id}
    made = sdk.call(api, "permissions.create_permission", grant)
    one = {"permission_id": made["permissionId"]}
    assert sdk.call(api, "permissions.get_permission", one)["permissionType"] == "workspace_editor"
    change = {**one, "permission_update_request": {"permission_type": "workspace_admin"}}
    assert sdk.call(api, "permissions.update_permission", change)["permissionType"] == "workspace_admin"
    own = {"organization_id": organization["organizationId"]}
    assert sdk.call(api, "permissions.list_permissions", own)["data"] != []
    assert sdk.call(api, "permissions.delete_permission", one) is None


def test_it_keeps_credentials_for_consents(sdk: Sdk, cloud: Api) -> None:
    (organization,) = cloud.get("/organizations")["data"]
    scopes = {
        "workspace": {"workspace_id": cloud.twin.workspace_id},
        "organization": {"organization_id": organization["organizationId"]},
    }
    named = {"actor_type": "source", "name": "github"}
    for scope, of in scopes.items():
        request = {f"{scope}_o_auth_credentials_request": {**named, "configuration": {"client_id": "first"}}}
        sdk.call(cloud, f"{scope}s.create_or_update_{scope}_o_auth_credentials", {**of, **request})
        assert len(list(cloud.twin.store.oauth_credentials)) == 1
        sdk.call(cloud, f"{scope}s.delete_{scope}_o_auth_credentials", {**of, **named})
        assert list(cloud.twin.store.oauth_credentials) == []


def test_a_self_managed_server_keeps_no_credentials_of_a_workspace(sdk: Sdk, api: Api) -> None:
    named = {"workspace_id": api.twin.workspace_id, "actor_type": "source", "name": "github"}
    with pytest.raises(errors.SDKError) as caught:
        sdk.call(api, "workspaces.delete_workspace_o_auth_credentials", named)
    assert caught.value.status_code == 501


def test_each_of_its_methods_is_used() -> None:
    assert methods() - steps_of(CLIENT) == set()
    assert stale_facts(CLIENT, globals()) == set()


def methods() -> set[str]:
    """Names of all methods of the SDK, `group.name`; each has a twin that is a coroutine."""
    client = airbyte_api.AirbyteAPI(server_url="http://127.0.0.1")
    return {
        f"{group}.{name}"
        for group in client._sub_sdk_map
        for name, member in vars(type(getattr(client, group))).items()
        if not name.startswith("_") and not name.endswith("_async") and callable(member)
    }


def plain(value: Any) -> Any:
    """A document of the SDK's as JSON has it."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.model_dump(mode="json", by_alias=True)
