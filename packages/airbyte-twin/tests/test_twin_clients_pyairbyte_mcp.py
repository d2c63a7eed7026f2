"""PyAirbyte's own MCP server, unchanged, against the twin: each of its tools for an Airbyte."""

import json
from typing import Any

import pytest
from clients_support import (
    MANIFEST,
    SILENT,
    Client,
    Worker,
    finished,
    guarded,
    null_connection,
    stale_facts,
    steps_of,
)
from twin_support import Api

CLIENT = "pyairbyte-mcp"
pytestmark = pytest.mark.nightly
REGISTRY = {"deploy_destination_to_cloud", "deploy_source_to_cloud"}
"""Tools that download the connector's specification from Airbyte's registry first."""


def tool(client: Client, api: Api, name: str, /, **params: Any) -> Any:
    """What a tool answers."""
    answer = client.do(api, "tool", method=name, params=params)
    return answer["result"] if isinstance(answer, dict) and set(answer) == {"result"} else answer


def test_it_lists_describes_and_checks_sources_and_destinations(client: Client, api: Api) -> None:
    connection = null_connection(api)
    for kind, name in (("source", "Faker"), ("destination", "Null")):
        of = {f"{kind}_id": connection[f"{kind}Id"]}
        (listed,) = tool(client, api, f"list_deployed_cloud_{kind}_connectors")
        assert (listed["id"], listed["name"]) == (connection[f"{kind}Id"], name)
        assert tool(client, api, f"describe_cloud_{kind}", **of)[f"{kind}_name"] == name
        assert tool(client, api, f"check_cloud_{kind}", **of)["succeeded"] is True
        setup = {"connector_type": kind, "connector_id": connection[f"{kind}Id"]}
        assert tool(client, api, "check_cloud_connector_setup", **setup)["setup_complete"] is True


def test_it_changes_and_deletes_sources_and_destinations(client: Client, api: Api) -> None:
    connection = null_connection(api)
    for kind, config in (("source", {"count": 4}), ("destination", SILENT)):
        of = {f"{kind}_id": connection[f"{kind}Id"]}
        tool(client, api, f"rename_cloud_{kind}", **of, name="deleteme")
        tool(client, api, f"update_cloud_{kind}_config", **of, config=config)
        found = api.get(f"/{kind}s/{connection[f'{kind}Id']}")
        assert (found["name"], found["configuration"] | config) == ("deleteme", found["configuration"])
        tool(client, api, f"permanently_delete_cloud_{kind}", **of, name="deleteme")
        assert api.get(f"/{kind}s")["data"] == []


def test_it_deploys_a_destination_that_only_counts(client: Client, api: Api) -> None:
    tool(client, api, "deploy_noop_destination_to_cloud", destination_name="Counts")
    assert [each["name"] for each in api.get("/destinations")["data"]] == ["Counts"]


def test_it_makes_changes_and_deletes_a_connection(client: Client, api: Api) -> None:
    ends = null_connection(api)
    api.delete(f"/connections/{ends['connectionId']}")
    made = {"source_id": ends["sourceId"], "destination_id": ends["destinationId"], "selected_streams": ["users"]}
    tool(client, api, "create_connection_on_cloud", connection_name="Made", **made)
    (listed,) = tool(client, api, "list_deployed_cloud_connections", with_connection_status=True)
    of = {"connection_id": listed["id"]}
    tool(client, api, "rename_cloud_connection", **of, name="deleteme")
    tool(client, api, "set_cloud_connection_table_prefix", **of, prefix="raw_")
    tool(client, api, "set_cloud_connection_selected_streams", **of, stream_names=["products"])
    tool(client, api, "update_cloud_connection", **of, enabled=False, cron_expression="0 0 * * * ?")
    described = tool(client, api, "describe_cloud_connection", **of)
    assert (described["connection_name"], described["table_prefix"], described["selected_streams"]) == (
        "deleteme",
        "raw_",
        ["products"],
    )
    assert api.get(f"/connections/{listed['id']}")["status"] == "inactive"
    tool(client, api, "permanently_delete_cloud_connection", **of, name="deleteme")
    assert api.get("/connections")["data"] == []


def test_it_runs_a_sync_and_reads_its_status_logs_and_state(client: Client, syncing: Api) -> None:
    of = {"connection_id": null_connection(syncing)["connectionId"]}
    tool(client, syncing, "run_cloud_sync", **of, wait=True)
    status = tool(client, syncing, "get_cloud_sync_status", **of, include_attempts=True)
    assert (status["status"], status["records_synced"], len(status["attempts"])) == ("succeeded", 30, 1)
    assert tool(client, syncing, "list_cloud_sync_jobs", **of)["jobs_count"] == 1
    assert tool(client, syncing, "get_cloud_sync_logs", **of)["attempt_number"] == 0
    (state,) = tool(client, syncing, "get_connection_artifact", **of, artifact_type="state")
    assert state["stream"]["stream_descriptor"]["name"] == "users"
    catalog = tool(client, syncing, "get_connection_artifact", **of, artifact_type="catalog")
    assert [each["stream"]["name"] for each in catalog["streams"] if each["selected"]] == ["users"]


def test_it_reads_an_earlier_sync_by_its_number(client: Client, syncing: Api) -> None:
    connection, job = finished(syncing)
    status = tool(client, syncing, "get_cloud_sync_status", connection_id=connection, job_id=job)
    assert (status["job_id"], status["status"]) == (job, "succeeded")


def test_it_cancels_a_sync(client: Client, api: Api) -> None:
    of = null_connection(api)["connectionId"]
    job = api.post("/jobs", {"connectionId": of, "jobType": "sync"})["jobId"]
    tool(client, api, "cancel_cloud_sync", connection_id=of)
    assert api.get(f"/jobs/{job}")["status"] == "cancelled"


def test_it_finds_workspaces_and_organizations(client: Client) -> None:
    with guarded() as api:
        (known,) = api.get("/organizations")["data"]
        of = {"organization_id": known["organizationId"]}
        (user,) = api.get("/users", organizationId=known["organizationId"])["data"]
        (organization,) = tool(client, api, "list_cloud_organizations")["organizations"]
        assert organization["id"] == known["organizationId"]
        (workspace,) = tool(client, api, "list_cloud_workspaces", **of)["workspaces"]
        assert workspace["workspace_id"] == api.twin.workspace_id
        assert tool(client, api, "describe_cloud_organization", **of)["id"] == known["organizationId"]
        billing = tool(client, api, "get_cloud_organization_billing_status", **of)
        assert billing["billing_info_available"] is False  # the community edition has none
        described = tool(client, api, "describe_cloud_workspace", workspace_id=api.twin.workspace_id)
        assert described["workspace_id"] == api.twin.workspace_id
        tool(client, api, "set_default_cloud_workspace", user_email=user["email"], workspace_id=api.twin.workspace_id)
        context = tool(client, api, "get_default_cloud_context")
        assert context["default_workspace_id"] == api.twin.workspace_id


def test_it_publishes_changes_and_deletes_a_connector_of_its_own(client: Client, api: Api) -> None:
    made = {"name": "Items deleteme", "manifest_yaml": json.dumps(MANIFEST), "pre_validate": False}
    tool(client, api, "publish_custom_source_definition", **made)
    (listed,) = tool(client, api, "list_custom_source_definitions")
    of = {"definition_id": listed["definition_id"]}
    found = tool(client, api, "get_custom_source_definition", **of, include_draft=True)
    assert found["manifest"] == MANIFEST
    changed = {**MANIFEST, "description": "changed"}
    tool(client, api, "update_custom_source_definition", **of, manifest_yaml=json.dumps(changed), pre_validate=False)
    assert tool(client, api, "get_custom_source_definition", **of)["manifest"] == changed
    assert tool(client, api, "get_connector_builder_draft_manifest", **of)["has_draft"] is False
    tool(client, api, "permanently_delete_custom_source_definition", **of, name="Items deleteme")
    assert tool(client, api, "list_custom_source_definitions") == []


def test_each_of_its_tools_is_used(worker: Worker) -> None:
    assert set(worker.take({"step": "tools", "twin": {}, "with": {}})) - REGISTRY - steps_of(CLIENT) == set()
    assert stale_facts(CLIENT, globals()) == set()
