"""dagster-airbyte, unchanged, against the twin: its client, its assets, its older resource and its managed elements."""

from typing import Any

import pytest
from clients_support import (
    Client,
    ClientError,
    Worker,
    finished,
    guarded,
    null_connection,
    stale_facts,
    steps_of,
)
from sync_support import DEV_NULL
from twin_support import Api, serving, stream

CLIENT = "dagster-airbyte"
pytestmark = pytest.mark.nightly


def called(client: Client, api: Api, method: str, /, **arguments: Any) -> Any:
    """What a method of its client returns."""
    return client.do(api, "call", method=method, **arguments)


def older(client: Client, api: Api, method: str, /, **arguments: Any) -> Any:
    """What a method of its older resource returns."""
    return client.do(api, "call_older", method=f"older.{method}", **arguments)


def test_it_signs_in_with_the_credentials_of_an_application(client: Client) -> None:
    with guarded() as api:
        assert called(client, api, "validate_workspace_id") is None


def test_it_signs_in_with_a_name_and_a_password(client: Client) -> None:
    with serving(auth="basic") as api:
        assert called(client, api, "validate_workspace_id") is None


def test_it_lists_connections_page_by_page(client: Client, api: Api) -> None:
    connection = null_connection(api)
    assert [each["connectionId"] for each in called(client, api, "get_connections")] == [connection["connectionId"]]


def test_it_reads_the_details_of_a_connection_and_its_destination(client: Client, api: Api) -> None:
    connection = null_connection(api)
    details = called(client, api, "get_connection_details", connection_id=connection["connectionId"])
    assert [each["stream"]["name"] for each in details["syncCatalog"]["streams"] if each["config"]["selected"]] == [
        "users"
    ]
    found = called(client, api, "get_destination_details", destination_id=connection["destinationId"])
    assert found["destinationId"] == connection["destinationId"]


def test_it_starts_finds_reads_and_cancels_a_job(client: Client, api: Api) -> None:
    connection = null_connection(api)["connectionId"]
    job = called(client, api, "start_sync_job", connection_id=connection)["jobId"]
    assert called(client, api, "get_job_details", job_id=job)["status"] == "pending"
    listed = called(client, api, "get_jobs_for_connection", connection_id=connection, created_after="2020-01-01")
    assert [each["id"] for each in listed] == [job]
    assert called(client, api, "cancel_job", job_id=job)["status"] == "cancelled"


def test_it_syncs_and_waits(client: Client, syncing: Api) -> None:
    connection = null_connection(syncing)["connectionId"]
    output = called(client, syncing, "sync_and_poll", connection_id=connection)
    assert (output["job_details"]["status"], output["job_details"]["rowsSynced"]) == ("succeeded", 30)


def test_it_tells_of_a_sync_that_failed(client: Client, syncing: Api) -> None:
    connection = null_connection(syncing)
    syncing.control("POST", "/drift", {"kind": "temper", "actorId": connection["sourceId"], "readFailure": "broken"})
    with pytest.raises(ClientError, match="Job failed"):
        called(client, syncing, "sync_and_poll", connection_id=connection["connectionId"])


def test_it_loads_a_whole_workspace(client: Client, api: Api) -> None:
    connection = null_connection(api)
    found = client.do(api, "data")
    assert list(found["connections_by_id"]) == [connection["connectionId"]]
    assert list(found["destinations_by_id"]) == [connection["destinationId"]]


def test_its_assets_are_the_streams_that_are_selected(client: Client, api: Api) -> None:
    null_connection(api, stream("users"), stream("products"))
    found = client.do(api, "assets")
    assert sorted(found) == ["products", "users"]


def test_it_materializes_its_assets_by_a_sync(client: Client, syncing: Api) -> None:
    null_connection(syncing)
    assert client.do(syncing, "materialize") == ["users"]


def test_its_older_resource_finds_definitions_by_name(client: Client, api: Api) -> None:
    assert older(client, api, "get_destination_definition_by_name", name="end-to-end testing (/dev/null)") == DEV_NULL
    assert older(client, api, "get_source_definition_by_name", name="Sample Data (Faker)") is not None
    one = {"destination_definition_id": DEV_NULL, "workspace_id": api.twin.workspace_id}
    assert older(client, api, "does_dest_support_normalization", **one) is False


def test_its_older_resource_discovers_a_source(client: Client, api: Api) -> None:
    source = null_connection(api)["sourceId"]
    catalog = older(client, api, "get_source_schema", source_id=source)["catalog"]
    assert sorted(each["stream"]["name"] for each in catalog["streams"]) == ["products", "purchases", "users"]
    assert older(client, api, "get_source_catalog_id", source_id=source) is not None


def test_its_older_resource_starts_reads_and_cancels_a_job(client: Client, api: Api) -> None:
    connection = null_connection(api)["connectionId"]
    assert older(client, api, "get_connection_details", connection_id=connection)["connectionId"] == connection
    job = older(client, api, "start_sync", connection_id=connection)["job"]["id"]
    assert older(client, api, "get_job_status", connection_id=connection, job_id=job)["job"]["status"] == "pending"
    older(client, api, "cancel_job", job_id=job)
    assert api.get(f"/jobs/{job}")["status"] == "cancelled"


def test_its_older_resource_syncs_and_waits(client: Client, syncing: Api) -> None:
    connection = null_connection(syncing)["connectionId"]
    output = older(client, syncing, "sync_and_poll", connection_id=connection)
    assert output["job_details"]["job"]["status"] == "succeeded"


def test_its_op_syncs(client: Client, syncing: Api) -> None:
    connection = null_connection(syncing)["connectionId"]
    output = client.do(syncing, "older_op", connection_id=connection)
    assert output["job_details"]["attempts"][0]["attempt"]["recordsSynced"] == 30


def test_its_older_assets_are_the_streams_of_a_workspace(client: Client, api: Api) -> None:
    null_connection(api)
    assert client.do(api, "older_assets", workspace_id=api.twin.workspace_id) == ["users"]


def test_its_older_resource_cannot_find_the_workspace_as_with_a_real_server(client: Client, api: Api) -> None:
    """`/workspaces/list` is gone from the server: whatever looks for the default workspace fails."""
    for step, arguments in (
        ("call_older", {"method": "older.get_default_workspace"}),
        ("older_assets", {}),
        ("managed", {"verb": "check"}),
        ("managed", {"verb": "apply"}),
    ):
        with pytest.raises(ClientError, match=r"exceeded with url: .*/workspaces/list"):
            client.do(api, step, **arguments)


def test_it_reads_the_jobs_of_earlier_syncs(client: Client, syncing: Api) -> None:
    connection, job = finished(syncing)
    listed = called(client, syncing, "get_jobs_for_connection", connection_id=connection)
    assert [(each["id"], each["status"]) for each in listed] == [(job, "succeeded")]


def test_each_of_its_methods_is_used(worker: Worker) -> None:
    assert set(worker.take({"step": "methods", "twin": {}, "with": {}})) <= steps_of(CLIENT)
    assert stale_facts(CLIENT, globals()) == set()
