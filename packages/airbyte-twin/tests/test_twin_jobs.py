"""Jobs and the saved states of connections."""

from typing import Any
from uuid import uuid4

import pytest
from lab_connectors import lab_destination
from twin_support import Api, stream

CURSOR = {"updated_at": "2026-01-01T00:00:00Z"}


def job(api: Api, connection: Any, kind: str = "sync", status: int = 200) -> Any:
    return api.post("/jobs", {"connectionId": connection["connectionId"], "jobType": kind}, status)


def drive(api: Api, job_id: int, status: str, **members: Any) -> Any:
    return api.control("POST", f"/jobs/{job_id}", {"status": status, **members}, 200)


def stream_state(*names: str, blob: Any = CURSOR) -> dict[str, Any]:
    states = [{"streamDescriptor": {"name": name}, "streamState": blob} for name in names]
    return {"stateType": "stream", "connectionId": str(uuid4()), "streamState": states}


def write(api: Api, connection: Any, state: Any, status: int = 200, call: str = "create_or_update_safe") -> Any:
    body = {"connectionId": connection["connectionId"], "connectionState": state}
    return api.config(f"/state/{call}", body, status)


def names_in_state(api: Api, connection: Any) -> list[str]:
    state = api.config("/state/get", {"connectionId": connection["connectionId"]})
    return [each["streamDescriptor"]["name"] for each in state.get("streamState", [])]


def test_a_sync_is_pending_until_it_is_driven(api: Api) -> None:
    api.twin.twin.clock.freeze(1767225600)
    connection = api.connection()
    created = job(api, connection)
    assert created == {
        "jobId": 1,
        "status": "pending",
        "jobType": "sync",
        "startTime": "2026-01-01T00:00Z",
        "connectionId": connection["connectionId"],
    }
    api.control("POST", "/clock", {"advance": 3661}, 200)
    assert drive(api, 1, "running")["duration"] == "PT1H1M1S"
    done = drive(api, 1, "succeeded", bytesSynced=10, rowsSynced=2)
    assert (done["lastUpdatedAt"], done["bytesSynced"], done["rowsSynced"]) == ("2026-01-01T01:01:01Z", 10, 2)
    assert api.get("/jobs/1") == done


def test_only_one_job_runs_on_a_connection(api: Api) -> None:
    connection = api.connection()
    job(api, connection)
    problem = job(api, connection, status=409)
    assert problem["title"] == "try-again-later"
    assert problem["data"]["message"] == f"A sync is already running for: {connection['connectionId']}"


@pytest.mark.parametrize("status", ["inactive", "deprecated"])
def test_only_active_connections_sync(api: Api, status: str) -> None:
    assert job(api, api.connection(status=status), status=409)["title"] == "state-conflict"


@pytest.mark.parametrize("kind", ["reset", "clear"])
def test_reset_and_clear_are_the_same_and_cancel_a_running_sync(api: Api, kind: str) -> None:
    connection = api.connection()
    first = job(api, connection)["jobId"]
    assert job(api, connection, kind)["jobType"] == "reset"
    assert api.get(f"/jobs/{first}")["status"] == "cancelled"


def test_a_refresh_is_refused_by_the_public_api(api: Api) -> None:
    problem = job(api, api.connection(), "refresh", 422)
    assert problem["data"]["message"] == "Refreshes are not supported in the public API"


def test_a_job_is_cancelled_once(api: Api) -> None:
    created = job(api, api.connection())["jobId"]
    assert api.delete(f"/jobs/{created}", 200)["status"] == "cancelled"
    assert api.delete(f"/jobs/{created}", 409)["data"]["message"] == "Job is not currently running"
    assert api.delete("/jobs/99", 409)["title"] == "state-conflict"


@pytest.mark.parametrize("path", ["/jobs/99", "/jobs/000", "/jobs/-1"])
def test_an_unknown_job_is_one_that_does_not_run(api: Api, path: str) -> None:
    assert api.get(path, 409)["data"] == {"message": "Job is not currently running"}


@pytest.mark.parametrize("path", ["/jobs/x", "/jobs/1_0", "/jobs/99999999999999999999", "/jobs/²"])
def test_a_job_id_that_is_no_number_is_refused(api: Api, path: str) -> None:
    api.get(path, 400)


def test_jobs_are_listed_by_connection_type_status_time_and_order(api: Api) -> None:
    clock = api.twin.twin.clock
    clock.freeze(1767225600)
    first, second = api.connection(), api.connection()
    job(api, first)
    clock.advance(60)
    job(api, second, "clear")
    drive(api, 1, "failed")

    def ids(**params: Any) -> list[int]:
        return [each["jobId"] for each in api.get("/jobs", **params)["data"]]

    assert ids() == [1, 2]
    assert ids(orderBy="createdAt|DESC") == [2, 1]
    assert ids(connectionId=first["connectionId"]) == [1]
    assert ids(jobType="reset") == [2]
    assert ids(status="failed") == [1]
    assert ids(createdAtStart="2026-01-01T00:00:30Z") == [2]
    assert ids(createdAtEnd="2026-01-01T00:00:30Z") == [1]
    assert ids(workspaceIds=api.twin.workspace_id) == [1, 2]
    assert ids(workspaceIds=str(uuid4())) == []
    for bad in ({"orderBy": "name|ASC"}, {"status": "nope"}, {"jobType": "x"}, {"createdAtStart": "yesterday"}):
        api.get("/jobs", 400, **bad)


def test_only_active_connections_are_refreshed(api: Api) -> None:
    connection = api.connection(status="inactive")
    body = {"connectionId": connection["connectionId"], "refreshMode": "Merge"}
    assert set(api.config("/connections/refresh", body, 500)) == {"errorId"}


def test_deleting_a_connection_cancels_its_job(api: Api) -> None:
    connection = api.connection()
    created = job(api, connection)["jobId"]
    api.delete(f"/connections/{connection['connectionId']}")
    assert api.get(f"/jobs/{created}")["status"] == "cancelled"


@pytest.mark.parametrize("call", ["/connections/reset", "/connections/clear"])
def test_a_cleared_connection_loses_its_state_when_the_job_succeeds(api: Api, call: str) -> None:
    connection = api.connection(stream("orders"), stream("customers"))
    write(api, connection, stream_state("orders", "customers", "removed"))
    created = api.config(call, {"connectionId": connection["connectionId"]})["job"]
    assert (created["configType"], created["status"]) == ("reset_connection", "pending")
    assert created["resetConfig"] == {"streamsToReset": [{"name": "orders"}, {"name": "customers"}]}
    assert names_in_state(api, connection) == ["orders", "customers", "removed"]
    drive(api, created["id"], "succeeded")
    assert names_in_state(api, connection) == ["removed"]


@pytest.mark.parametrize("call", ["/connections/reset/stream", "/connections/clear/stream"])
def test_single_streams_can_be_cleared_through_the_config_api(api: Api, call: str) -> None:
    connection = api.connection(stream("orders"), stream("customers"))
    write(api, connection, stream_state("orders", "customers"))
    body = {"connectionId": connection["connectionId"], "streams": [{"streamName": "orders"}]}
    created = api.config(call, body)["job"]
    assert created["resetConfig"] == {"streamsToReset": [{"name": "orders"}]}
    drive(api, created["id"], "succeeded")
    assert names_in_state(api, connection) == ["customers"]


@pytest.mark.parametrize("mode", ["Truncate", "Merge"])
def test_a_refresh_forgets_cursors_when_it_starts_to_run(api: Api, mode: str) -> None:
    connection = api.connection()
    write(api, connection, stream_state("orders", "customers"))
    body = {"connectionId": connection["connectionId"], "refreshMode": mode, "streams": [{"streamName": "orders"}]}
    created = api.config("/connections/refresh", body)["job"]
    assert created["configType"] == "refresh"
    assert names_in_state(api, connection) == ["orders", "customers"]
    drive(api, created["id"], "running")
    assert names_in_state(api, connection) == ["customers"]


def test_a_refresh_is_nothing_where_the_destination_has_none(lab: Api) -> None:
    source = lab.source()["sourceId"]
    connection = lab.connection(sourceId=source, destinationId=lab_destination(lab))
    sent = {"connectionId": connection["connectionId"], "refreshMode": "Merge"}
    assert lab.config("/connections/refresh", sent) == {}


def test_the_config_api_shows_syncs_and_cancels_jobs(api: Api) -> None:
    connection = api.connection()
    created = api.config("/connections/sync", {"connectionId": connection["connectionId"]})["job"]["id"]
    assert api.config("/jobs/get", {"id": created})["job"]["configId"] == connection["connectionId"]
    assert api.config("/jobs/cancel", {"id": created})["job"]["status"] == "cancelled"
    for call in ("get", "get_light", "get_without_logs", "get_debug_info", "cancel"):
        assert set(api.config(f"/jobs/{call}", {"id": 99}, 500)) == {"errorId"}
    assert set(api.config("/jobs/cancel", {"id": created}, 500)) == {"errorId"}


def test_without_a_state_a_connection_says_so(api: Api) -> None:
    connection = api.connection()
    sent = {"connectionId": connection["connectionId"]}
    assert api.config("/state/get", sent) == {**sent, "stateType": "not_set"}


def test_a_state_moves_to_another_connection_by_the_outer_id(api: Api) -> None:
    old, new = api.connection(), api.connection()
    written = write(api, old, stream_state("orders"))
    assert written["connectionId"] == old["connectionId"]
    moved = write(api, new, api.config("/state/get", {"connectionId": old["connectionId"]}))
    assert moved["connectionId"] == new["connectionId"]
    assert names_in_state(api, new) == names_in_state(api, old) == ["orders"]


def test_states_are_upserted_by_stream_and_null_deletes(api: Api) -> None:
    connection = api.connection()
    write(api, connection, stream_state("orders", "customers"))
    write(api, connection, stream_state("orders", blob={"updated_at": "later"}))
    assert sorted(names_in_state(api, connection)) == ["customers", "orders"]
    write(api, connection, stream_state("orders", blob=None))
    assert names_in_state(api, connection) == ["customers"]
    assert write(api, connection, stream_state("customers", blob=None))["stateType"] == "not_set"


def test_a_state_is_locked_while_a_job_is_under_way(api: Api) -> None:
    connection = api.connection()
    created = job(api, connection)["jobId"]
    assert set(write(api, connection, stream_state("orders"), 423)) == {"message", "errorId"}
    write(api, connection, stream_state("orders"), call="create_or_update")
    drive(api, created, "succeeded")
    write(api, connection, stream_state("orders"))


def test_global_and_legacy_states_keep_their_shape(api: Api) -> None:
    first, second = api.connection(), api.connection()
    states = stream_state("orders")["streamState"]
    shared = {"shared_state": {"lsn": 1}, "streamStates": states}
    sent = {"stateType": "global", "connectionId": str(uuid4()), "globalState": shared}
    assert write(api, first, sent)["globalState"] == shared
    legacy = {"stateType": "legacy", "connectionId": str(uuid4()), "state": {"cursor": 1}}
    assert write(api, second, legacy)["state"] == {"cursor": 1}
    assert write(api, second, stream_state("orders"))["stateType"] == "stream"
    write(api, first, stream_state("orders"), 500)


def test_the_state_of_a_deprecated_connection_is_still_readable(api: Api) -> None:
    connection = api.connection()
    write(api, connection, stream_state("orders"))
    api.delete(f"/connections/{connection['connectionId']}")
    assert names_in_state(api, connection) == ["orders"]


def test_a_flipped_source_mode_loses_the_streams_state_and_a_removed_stream_keeps_it(api: Api) -> None:
    connection = api.connection(stream("orders"), stream("customers"), stream("products"))
    write(api, connection, stream_state("orders", "customers", "products"))
    sent = [stream("orders", syncMode="full_refresh_append"), stream("products")]
    api.patch(f"/connections/{connection['connectionId']}", {"configurations": {"streams": sent}})
    assert names_in_state(api, connection) == ["customers", "products"]


def test_jobs_of_all_types_are_listed_and_links_forget_status_and_order(api: Api) -> None:
    connection = api.connection()["connectionId"]
    api.config("/connections/refresh", {"connectionId": connection, "refreshMode": "Merge"})
    found = api.get("/jobs", connectionId=connection, status="pending", orderBy="createdAt|DESC")
    assert [each["jobType"] for each in found["data"]] == ["refresh"]
    assert found["next"].partition("?")[2] == f"connectionId={connection}&limit=20&offset=20"
    named = api.get("/jobs", jobType="REFRESH", workspaceIds=api.twin.workspace_id)
    assert named["next"].partition("?")[2] == f"jobType=refresh&workspaceIds={api.twin.workspace_id}&limit=20&offset=20"
