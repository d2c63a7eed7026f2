"""airbyte-mcp, unchanged, against the twin: each of its tools."""

import json
from typing import Any
from uuid import uuid4

import pytest
from clients_support import Client, Worker, finished, guarded, null_connection, stale_facts, steps_of
from twin_support import HOURLY, Api, faker, s3, stream

CLIENT = "airbyte-mcp"
pytestmark = pytest.mark.nightly


def tool(client: Client, api: Api, name: str, /, **params: Any) -> Any:
    """What a tool answers in JSON."""
    text = client.do(api, "tool", method=name, params={**params, "response_format": "json"})
    assert not text.startswith("Error"), text
    return json.loads(text)


def said(client: Client, api: Api, name: str, /, **params: Any) -> str:
    """What a tool answers in words."""
    return str(client.do(api, "tool", method=name, params=params))


def test_it_signs_in_with_the_credentials_of_an_application(client: Client) -> None:
    with guarded() as api:
        listed = tool(client, api, "airbyte_list_workspaces")
        assert [each["workspaceId"] for each in listed["data"]] == [api.twin.workspace_id]


def test_it_checks_health(client: Client, api: Api) -> None:
    assert said(client, api, "airbyte_health_check").endswith("Airbyte API is healthy.")


def test_it_reads_a_workspace(client: Client, api: Api) -> None:
    found = tool(client, api, "airbyte_get_workspace", workspace_id=api.twin.workspace_id)
    assert found["workspaceId"] == api.twin.workspace_id
    assert "Error (404): Not found" in said(client, api, "airbyte_get_workspace", workspace_id=str(uuid4()))


def test_it_creates_reads_changes_and_lists_sources(client: Client, api: Api) -> None:
    made = tool(client, api, "airbyte_create_source", **snake(faker(api.twin.workspace_id, count=3)))
    assert tool(client, api, "airbyte_get_source", source_id=made["sourceId"]) == made
    changed = tool(client, api, "airbyte_update_source", source_id=made["sourceId"], name="Renamed")
    assert changed["name"] == "Renamed"
    listed = tool(client, api, "airbyte_list_sources", workspace_ids=[api.twin.workspace_id])
    assert listed["data"] == [changed]


def test_it_creates_reads_changes_and_lists_destinations(client: Client, api: Api) -> None:
    made = tool(client, api, "airbyte_create_destination", **snake(s3(api.twin.workspace_id)))
    assert made["configuration"]["secret_access_key"] == "**********"
    assert tool(client, api, "airbyte_get_destination", destination_id=made["destinationId"]) == made
    changed = tool(client, api, "airbyte_update_destination", destination_id=made["destinationId"], name="Renamed")
    assert changed["name"] == "Renamed"
    listed = tool(client, api, "airbyte_list_destinations", workspace_ids=[api.twin.workspace_id])
    assert listed["data"] == [changed]


def test_it_reads_the_streams_of_a_source(client: Client, api: Api) -> None:
    source = api.post("/sources", faker(api.twin.workspace_id, count=3))["sourceId"]
    found = tool(client, api, "airbyte_get_stream_properties", source_id=source, ignore_cache=True)
    assert sorted(each["streamName"] for each in found) == ["products", "purchases", "users"]


def test_it_creates_reads_changes_and_lists_connections(client: Client, api: Api) -> None:
    ids = {"source_id": api.source()["sourceId"], "destination_id": api.destination()["destinationId"]}
    made = tool(
        client, api, "airbyte_create_connection", **ids, name="Made", schedule=HOURLY, prefix="raw_",
        configurations={"streams": [stream()]},
    )  # fmt: skip
    assert (made["prefix"], [each["name"] for each in made["configurations"]["streams"]]) == ("raw_", ["orders"])
    assert tool(client, api, "airbyte_get_connection", connection_id=made["connectionId"]) == made
    changed = tool(client, api, "airbyte_update_connection", connection_id=made["connectionId"], status="inactive")
    assert changed["status"] == "inactive"
    listed = tool(client, api, "airbyte_list_connections", workspace_ids=[api.twin.workspace_id])
    assert [each["connectionId"] for each in listed["data"]] == [made["connectionId"]]


def test_it_reads_definitions_of_connectors(client: Client, api: Api) -> None:
    workspace = api.twin.workspace_id
    for kind in ("source", "destination"):
        listed = tool(client, api, f"airbyte_list_{kind}_definitions", workspace_id=workspace)["data"]
        assert f"airbyte/{kind}-" in listed[0]["dockerRepository"]
        one = {"workspace_id": workspace, "definition_id": listed[0]["id"]}
        assert tool(client, api, f"airbyte_get_{kind}_definition", **one) == listed[0]


def test_it_lists_and_deletes_tags(client: Client, api: Api) -> None:
    tag = api.post("/tags", {"name": "one", "color": "00FF00", "workspaceId": api.twin.workspace_id})
    assert tool(client, api, "airbyte_list_tags")["data"] == [tag]
    assert "deleted" in said(client, api, "airbyte_delete_tag", tag_id=tag["tagId"])
    assert said(client, api, "airbyte_list_tags") == "No tags found."


def test_it_cannot_create_or_change_a_tag_since_it_sends_neither_workspace_nor_color(client: Client, api: Api) -> None:
    tag = api.post("/tags", {"name": "one", "color": "00FF00", "workspaceId": api.twin.workspace_id})
    assert "Error (400)" in said(client, api, "airbyte_create_tag", name="two")
    assert "Error (400)" in said(client, api, "airbyte_update_tag", tag_id=tag["tagId"], name="two")


def test_it_starts_lists_reads_and_cancels_jobs(client: Client, api: Api) -> None:
    connection = null_connection(api)["connectionId"]
    job = tool(client, api, "airbyte_trigger_sync", connection_id=connection)
    assert (job["jobType"], job["connectionId"]) == ("sync", connection)
    assert tool(client, api, "airbyte_get_job", job_id=str(job["jobId"]))["status"] == "pending"
    cancelled = tool(client, api, "airbyte_cancel_job", job_id=str(job["jobId"]))
    assert cancelled["status"] == "cancelled"
    for filters in ({"connection_id": connection}, {"workspace_ids": [api.twin.workspace_id], "status": "cancelled"}):
        listed = tool(client, api, "airbyte_list_jobs", **filters, order_by="createdAt|DESC", job_type="sync")
        assert [each["jobId"] for each in listed["data"]] == [job["jobId"]]


def test_it_waits_for_a_sync_and_reads_its_records(client: Client, syncing: Api) -> None:
    connection = null_connection(syncing)["connectionId"]
    job = tool(client, syncing, "airbyte_trigger_sync", connection_id=connection)["jobId"]
    ended = tool(client, syncing, "airbyte_wait_for_job", job_id=job, poll_interval_seconds=1)
    assert ended["job"]["status"] == "succeeded"
    found = tool(client, syncing, "airbyte_get_job", job_id=str(job))
    assert (found["status"], found["rowsSynced"]) == ("succeeded", 30)


def test_it_refreshes_and_clears_streams(client: Client, syncing: Api) -> None:
    connection, _ = finished(syncing)
    order = {"connection_id": connection, "streams": [{"name": "users"}]}
    for name, kind in (("airbyte_trigger_refresh", "refresh"), ("airbyte_trigger_clear", "reset_connection")):
        job = tool(client, syncing, name, **order)["job"]
        assert (job["configType"], job["status"]) == (kind, "pending")
        assert tool(client, syncing, "airbyte_wait_for_job", job_id=job["id"])["job"]["status"] == "succeeded"


def test_its_clear_of_one_stream_clears_all(client: Client, syncing: Api) -> None:
    """It names the stream where the server takes the whole connection, and does not look for streams."""
    connection = null_connection(syncing, stream("users"), stream("products"))["connectionId"]
    syncing.post("/jobs", {"connectionId": connection, "jobType": "sync"})
    syncing.twin.settle()
    assert len(syncing.config("/state/get", {"connectionId": connection})["streamState"]) == 2
    order = {"connection_id": connection, "streams": [{"name": "users"}]}
    job = tool(client, syncing, "airbyte_trigger_clear", **order)["job"]
    tool(client, syncing, "airbyte_wait_for_job", job_id=job["id"])
    assert syncing.config("/state/get", {"connectionId": connection})["stateType"] == "not_set"


def test_it_reads_the_jobs_of_the_config_api(client: Client, syncing: Api) -> None:
    connection, job = finished(syncing)
    listed = tool(client, syncing, "airbyte_list_jobs_internal", connection_id=connection)
    assert [each["job"]["id"] for each in listed["jobs"]] == [job]
    assert listed["totalJobCount"] == 1
    details = tool(client, syncing, "airbyte_get_job_details", job_id=job)
    assert details["attempts"][0]["attempt"]["recordsSynced"] == 30


def test_it_reads_the_logs_of_a_job_and_of_an_attempt(client: Client, syncing: Api) -> None:
    _, job = finished(syncing)
    whole = json.loads(said(client, syncing, "airbyte_get_job_logs", job_id=job))
    assert whole["job"]["id"] == job
    one = json.loads(said(client, syncing, "airbyte_get_attempt_logs", job_id=job, attempt_number=0))
    assert one["attempt"]["status"] == "succeeded"


def test_its_logs_of_cloud_are_of_cloud_only(client: Client, api: Api) -> None:
    assert "Cloud" in said(client, api, "airbyte_get_cloud_sync_logs", connection_id=str(uuid4()))


def test_each_of_its_tools_is_used(worker: Worker, api: Api) -> None:
    assert set(worker.take({"step": "tools", "twin": {}, "with": {}})) == steps_of(CLIENT)
    assert stale_facts(CLIENT, globals()) == set()


def snake(body: dict[str, Any]) -> dict[str, Any]:
    """A body as the tools name its members."""
    return {"workspace_id" if key == "workspaceId" else key: value for key, value in body.items()}
