"""Jobs and discovery."""

from datetime import timedelta
from typing import Any

import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.jobs import drive, known_job, start_refresh
from airbyte_twin.records import Temper
from airbyte_twin.testing import RunningTwin
from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.errors import Busy, Conflict, JobRunning, NotFound
from pulumi_airbyte.client.models import Connection

from tests.client.scripted import Answer, answering
from tests.client.support import client, faker


@pytest.fixture
def connection(airbyte: Airbyte, twin: RunningTwin) -> Connection:
    source = airbyte.create_actor("source", faker(twin))
    silent = {"test_destination": {"test_destination_type": "SILENT"}}
    dev_null = "a7bcc9d8-13b3-4e49-b80d-d020b90045e3"  # the server has no type name for it
    body: Any = {
        "name": "Null",
        "workspaceId": twin.workspace_id,
        "definitionId": dev_null,
        "configuration": silent,
    }
    destination = airbyte.create_actor("destination", body)
    return airbyte.create_connection({"sourceId": source.actor_id, "destinationId": destination.actor_id})


def test_a_sync_is_started_followed_and_cancelled(airbyte: Airbyte, twin: RunningTwin, connection: Connection) -> None:
    started = airbyte.start_sync(connection.connection_id)
    assert (started.status, started.job_type, started.finished) == ("pending", "sync", False)

    twin.twin.clock.freeze()
    twin.twin.clock.advance(3700)
    drive(twin.twin, known_job(twin.twin, started.job_id), "running", rows_synced=5, bytes_synced=9)
    running = airbyte.get_job(started.job_id)
    assert (running.status, running.rows_synced, running.bytes_synced) == ("running", 5, 9)
    assert running.duration is not None
    assert timedelta(seconds=3700) <= running.duration < timedelta(seconds=3710)

    twin.twin.faults.add(Fault(method="DELETE", path="/jobs", drop="after"))
    assert airbyte.cancel_job(started.job_id).status == "cancelled"


def test_a_job_that_has_ended_is_not_cancelled(airbyte: Airbyte, twin: RunningTwin, connection: Connection) -> None:
    started = airbyte.start_sync(connection.connection_id)
    drive(twin.twin, known_job(twin.twin, started.job_id), "succeeded")
    assert airbyte.cancel_job(started.job_id).status == "succeeded"
    with pytest.raises(NotFound):
        airbyte.cancel_job(started.job_id + 1)


def test_a_second_sync_is_refused_as_running_and_the_running_job_is_found(
    airbyte: Airbyte, connection: Connection
) -> None:
    assert airbyte.running_job(connection.connection_id) is None
    job = airbyte.start_sync(connection.connection_id)
    with pytest.raises(JobRunning):
        airbyte.start_sync(connection.connection_id)
    assert airbyte.running_job(connection.connection_id) == job


def test_a_refresh_that_runs_is_found(airbyte: Airbyte, twin: RunningTwin, connection: Connection) -> None:
    live = twin.store.connections.get(connection.connection_id)
    assert live is not None
    refresh = start_refresh(twin.twin, live, None)
    found = airbyte.running_job(connection.connection_id)
    assert found is not None
    assert (found.job_id, found.job_type) == (int(refresh.id), "refresh")


def test_an_inactive_connection_runs_nothing(airbyte: Airbyte, connection: Connection) -> None:
    airbyte.patch_connection(connection.connection_id, {"status": "inactive"})
    with pytest.raises(Conflict, match="Only active connections run jobs") as caught:
        airbyte.start_sync(connection.connection_id)
    assert type(caught.value) is Conflict


def test_a_sync_is_not_asked_for_twice(airbyte: Airbyte, twin: RunningTwin, connection: Connection) -> None:
    twin.twin.faults.add(Fault(method="POST", path="/jobs", status=502, commit=True, times=None))
    with pytest.raises(Busy):
        airbyte.start_sync(connection.connection_id)
    assert len(list(twin.store.jobs)) == 1


def attempt(*messages: dict[str, str]) -> dict[str, Any]:
    return {"attempt": {"failureSummary": {"failures": list(messages)}}}


@pytest.mark.parametrize(
    ("attempts", "reason"),
    [
        ([], ""),
        ([{"attempt": {}}], ""),
        ([attempt({"externalMessage": "first"}), attempt({"externalMessage": "wrong\n key"}, {})], "wrong key"),
        ([attempt({"internalMessage": "NullPointerException"})], "NullPointerException"),
        ([attempt({"externalMessage": "lost"}), {"attempt": {}}], "lost"),
    ],
)
def test_a_failed_jobs_reason_is_that_of_the_last_attempt_that_has_one(attempts: list[Any], reason: str) -> None:
    answer = Answer(body={"job": {}, "attempts": attempts})
    with answering(answer) as server, client(server.url, config_url=server.url) as airbyte:
        assert airbyte.job_failure(7) == reason
    assert server.asked == ["POST /jobs/get"]


def test_a_discovery_gives_streams_with_their_schemas(
    airbyte: Airbyte, twin: RunningTwin, connection: Connection
) -> None:
    streams = {stream.name: stream for stream in airbyte.discover_schema(connection.source_id)}
    assert sorted(streams) == ["products", "purchases", "users"]
    users = streams["users"]
    assert (
        users.json_schema["properties"]["age"]["type"] == ["null", "integer"] or users.json_schema["properties"]["age"]
    )
    assert users.supported_sync_modes == ["full_refresh", "incremental"]
    assert (users.source_defined_cursor, users.default_cursor_field) == (True, ["updated_at"])
    assert users.source_defined_primary_key == [["id"]]


def test_a_discovery_that_fails_gives_the_connectors_reason(
    airbyte: Airbyte, twin: RunningTwin, connection: Connection
) -> None:
    twin.store.tempers.put(Temper(id=connection.source_id, discover_failure="Access denied"))
    with pytest.raises(AirbyteError, match=r"could not discover the streams of source .*: Access denied"):
        airbyte.discover_schema(connection.source_id)


@pytest.mark.parametrize("call", ["discover_schema", "job_failure"])
def test_a_server_without_a_known_config_api_is_told_which_setting_is_missing(call: str) -> None:
    with client("http://127.0.0.1:9/v1") as airbyte, pytest.raises(AirbyteError, match="Set configUrl"):
        getattr(airbyte, call)("1")


def test_what_was_deleted_is_in_no_list(airbyte: Airbyte, twin: RunningTwin, connection: Connection) -> None:
    assert [actor.actor_id for actor in airbyte.list_actors("source", twin.workspace_id)] == [connection.source_id]
    assert [each.connection_id for each in airbyte.list_connections(twin.workspace_id)] == [connection.connection_id]
    airbyte.delete_actor("source", connection.source_id)
    assert airbyte.list_actors("source", twin.workspace_id) == []
    assert airbyte.list_connections(twin.workspace_id) == []
