"""Jobs and attempts as the Config API lists them; jobs name the streams that they touch."""

from typing import Any

import pytest
from twin_support import Api, stream

UNKNOWN = "ffffffff-0000-4000-8000-000000000000"
ALL = ["sync", "refresh", "reset_connection"]


def start(api: Api, connection: Any, call: str = "sync", **members: Any) -> Any:
    return api.config(f"/connections/{call}", {"connectionId": connection["connectionId"], **members})["job"]


def drive(api: Api, job: Any, status: str, **statistics: Any) -> None:
    api.control("POST", f"/jobs/{job['id']}", {"status": status, **statistics})


def names(streams: Any) -> list[str]:
    return [each["name"] for each in streams]


def listed(api: Api, **members: Any) -> list[int]:
    return [each["job"]["id"] for each in api.config("/jobs/list", {"configTypes": ALL, **members})["jobs"]]


@pytest.mark.parametrize("call", ["reset", "clear", "reset/stream", "clear/stream"])
def test_a_whole_clear_names_the_streams_that_it_clears(api: Api, call: str) -> None:
    connection = api.connection(stream("orders"), stream("customers"))
    job = start(api, connection, call, **({"streams": []} if "/" in call else {}))
    assert names(job["resetConfig"]["streamsToReset"]) == ["orders", "customers"]
    assert job["enabledStreams"] == []


@pytest.mark.parametrize("streams", [{}, {"streams": []}], ids=str)
def test_a_whole_refresh_names_the_streams_that_it_reads(api: Api, streams: dict[str, Any]) -> None:
    connection = api.connection(stream("orders"), stream("customers"))
    job = start(api, connection, "refresh", refreshMode="Truncate", **streams)
    assert names(job["refreshConfig"]["streamsToRefresh"]) == ["orders", "customers"]
    assert names(job["enabledStreams"]) == ["orders", "customers"]


def test_a_clear_of_the_public_api_names_its_streams_too(api: Api) -> None:
    connection = api.connection(stream("orders"), stream("customers"))
    job = api.post("/jobs", {"connectionId": connection["connectionId"], "jobType": "reset"})["jobId"]
    shown = api.config("/jobs/get", {"id": job})["job"]
    assert names(shown["resetConfig"]["streamsToReset"]) == ["orders", "customers"]


def test_a_sync_names_its_streams_as_they_were(api: Api) -> None:
    connection = api.connection(stream("orders"), stream("customers"))
    job = start(api, connection)
    api.patch(f"/connections/{connection['connectionId']}", {"configurations": {"streams": [stream("products")]}})
    shown = api.config("/jobs/get_light", {"id": job["id"]})["job"]
    assert names(shown["enabledStreams"]) == ["orders", "customers"]
    assert not {"resetConfig", "refreshConfig"} & set(shown)


def test_jobs_are_listed_the_newest_first_by_page(api: Api) -> None:
    api.control("POST", "/clock", {"freeze": True})
    first, second = api.connection(), api.connection()
    made = [start(api, first), start(api, second), start(api, first, "reset")]
    ids = [each["id"] for each in made]
    found = api.config("/jobs/list", {"configTypes": ALL})
    assert ([each["job"]["id"] for each in found["jobs"]], found["totalJobCount"]) == (ids[::-1], 3)
    assert listed(api, orderByField="createdAt", orderByMethod="ASC") == ids
    assert listed(api, pagination={"pageSize": 1, "rowOffset": 1}) == [ids[1]]
    assert listed(api, configId=first["connectionId"]) == [ids[2], ids[0]]
    assert listed(api, configTypes=["sync"]) == [ids[1], ids[0]]
    assert listed(api, statuses=["cancelled"]) == [ids[0]]
    assert listed(api, includingJobId=ids[1], pagination={"pageSize": 1}) == [ids[2], ids[1]]
    assert listed(api, createdAtStart="2100-01-01T00:00:00Z") == []
    assert set(api.config("/jobs/list", {"configTypes": []}, 500)) == {"errorId"}
    assert "_embedded" in api.config("/jobs/list", {"configTypes": ["nope"]}, 400)
    mine = {"configTypes": ALL, "workspaceIds": [api.twin.workspace_id]}
    assert api.config("/jobs/list_for_workspaces", {**mine, "pagination": {"pageSize": 2}})["totalJobCount"] == 2
    assert api.config("/jobs/list_for_workspaces", {**mine, "workspaceIds": [UNKNOWN]})["jobs"] == []


def test_an_attempt_has_rows_bytes_and_a_failure(api: Api) -> None:
    connection = api.connection()
    job = start(api, connection)
    attempt = {"jobId": job["id"], "attemptNumber": 0}
    assert set(api.config("/attempt/get_for_job", attempt, 404)) == {"errorId"}
    drive(api, job, "running")
    drive(api, job, "succeeded", rowsSynced=7, bytesSynced=70)
    shown = api.config("/attempt/get_for_job", attempt)["attempt"]
    assert (shown["id"], shown["status"], shown["recordsSynced"]) == (0, "succeeded", 7)
    assert api.config("/attempt/get_combined_stats", attempt)["bytesCommitted"] == 70
    assert set(api.config("/attempt/get_for_job", {**attempt, "attemptNumber": 1}, 404)) == {"errorId"}
    [entry] = api.config("/jobs/list", {"configTypes": ["sync"]})["jobs"]
    assert entry["attempts"] == [shown]
    assert entry["job"]["aggregatedStats"]["recordsCommitted"] == 7
    debug = api.config("/jobs/get_debug_info", {"id": job["id"]})
    assert debug["job"]["sourceDefinition"]["name"] == "Shopify"
    assert debug["job"]["destinationDefinition"]["name"] == "S3"
    assert debug["attempts"][0]["attempt"] == shown
    assert api.config("/jobs/get_without_logs", {"id": job["id"]})["attempts"] == [{"attempt": shown}]
    both = {"connectionId": connection["connectionId"], "jobId": job["id"]}
    assert api.config("/connections/getForJob", both)["name"] == connection["name"]


def test_the_last_job_of_a_connection_leaves_out_a_cancelled_one(api: Api) -> None:
    connection = api.connection()
    key = {"connectionId": connection["connectionId"]}
    assert api.config("/jobs/get_last_replication_job", key) == {}
    first = start(api, connection)
    drive(api, first, "succeeded")
    second = start(api, connection)
    api.config("/jobs/cancel", {"id": second["id"]})
    assert api.config("/jobs/get_last_replication_job", key)["job"]["id"] == first["id"]
    assert api.config("/jobs/get_last_replication_job_with_cancel", key)["job"]["id"] == second["id"]
