"""Airflow's provider of Airbyte, unchanged, against the twin: its hook, its operator, its sensor and its trigger."""

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
from twin_support import Api

CLIENT = "airflow"
pytestmark = pytest.mark.nightly


def called(client: Client, api: Api, method: str, /, **arguments: Any) -> Any:
    """What a method of the hook returns."""
    return client.do(api, "call", method=method, **arguments)


def failing(api: Api) -> str:
    """A connection whose source breaks."""
    connection = null_connection(api)
    api.control("POST", "/drift", {"kind": "temper", "actorId": connection["sourceId"], "readFailure": "broken"})
    return str(connection["connectionId"])


def test_its_test_of_a_connection_passes(client: Client, api: Api) -> None:
    assert called(client, api, "test_connection") == [True, "Connection successfully tested"]


def test_it_signs_in_with_the_credentials_of_an_application(client: Client) -> None:
    with guarded() as api:
        job = called(client, api, "submit_sync_connection", connection_id=null_connection(api)["connectionId"])
        assert job["status"] == "pending"


def test_it_starts_reads_and_cancels_jobs(client: Client, api: Api) -> None:
    connection = null_connection(api)["connectionId"]
    for method, kind in (("submit_sync_connection", "sync"), ("submit_reset_connection", "reset")):
        job = called(client, api, method, connection_id=connection)
        assert (job["jobType"], job["connectionId"]) == (kind, connection)
        assert called(client, api, "get_job_details", job_id=job["jobId"]) == job
        assert called(client, api, "get_job_status", job_id=job["jobId"]) == "pending"
        assert called(client, api, "cancel_job", job_id=job["jobId"])["status"] == "cancelled"


def test_it_waits_for_a_job(client: Client, syncing: Api) -> None:
    job = called(client, syncing, "submit_sync_connection", connection_id=null_connection(syncing)["connectionId"])
    assert called(client, syncing, "wait_for_job", job_id=job["jobId"], wait_seconds=0.01) is None
    assert called(client, syncing, "get_job_details", job_id=job["jobId"])["rowsSynced"] == 30


def test_it_tells_of_a_job_that_failed(client: Client, syncing: Api) -> None:
    with pytest.raises(ClientError, match="Job failed"):
        client.do(syncing, "operator", connection_id=failing(syncing))


def test_a_connection_that_is_not_there_is_an_error(client: Client, api: Api) -> None:
    with pytest.raises(ClientError, match="resource-not-found"):
        called(client, api, "submit_sync_connection", connection_id=api.twin.workspace_id)


def test_its_operator_waits_for_the_end_or_leaves_at_once(client: Client, syncing: Api) -> None:
    connection = null_connection(syncing)["connectionId"]
    job = client.do(syncing, "operator", connection_id=connection)
    assert syncing.get(f"/jobs/{job}")["status"] == "succeeded"
    left = client.do(syncing, "operator", connection_id=connection, asynchronous=True)
    assert left == job + 1
    syncing.twin.settle()


def test_its_operator_cancels_the_job_of_a_killed_task(client: Client, api: Api) -> None:
    job = client.do(api, "killed", connection_id=null_connection(api)["connectionId"])
    assert api.get(f"/jobs/{job}")["status"] == "cancelled"


def test_its_operator_is_deferred_and_resumed(client: Client, syncing: Api) -> None:
    event = client.do(syncing, "deferred", connection_id=null_connection(syncing)["connectionId"])
    assert event["status"] == "success"


def test_its_sensor_sees_the_end_of_a_job(client: Client, syncing: Api) -> None:
    _, job = finished(syncing)
    assert client.do(syncing, "sensor", airbyte_job_id=job) is True


def test_its_sensor_waits_for_a_job_that_runs_and_fails_with_one_that_was_cancelled(client: Client, api: Api) -> None:
    body = {"connectionId": null_connection(api)["connectionId"], "jobType": "sync"}
    job = api.post("/jobs", body)["jobId"]
    assert client.do(api, "sensor", airbyte_job_id=job) is False
    api.delete(f"/jobs/{job}", 200)
    with pytest.raises(ClientError, match="Job was cancelled"):
        client.do(api, "sensor", airbyte_job_id=job)


def test_its_trigger_reports_each_end(client: Client, syncing: Api) -> None:
    _, job = finished(syncing)
    assert client.do(syncing, "trigger", job_id=job)["status"] == "success"
    broken = syncing.post("/jobs", {"connectionId": failing(syncing), "jobType": "sync"})["jobId"]
    syncing.twin.settle()
    assert client.do(syncing, "trigger", job_id=broken)["message"] == f"Job run {broken} has failed."
    missing = client.do(syncing, "trigger", job_id=broken + 1)
    assert (missing["status"], "409" in missing["message"]) == ("error", True)


def test_each_method_of_its_hook_is_used(worker: Worker) -> None:
    assert set(worker.take({"step": "methods", "twin": {}, "with": {}})) <= steps_of(CLIENT)
    assert stale_facts(CLIENT, globals()) == set()
