"""How jobs that the twin carries out end otherwise than well, and what is left then."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from landing_support import Lake, configuration
from sync_support import (
    Script,
    cursors,
    ended,
    error,
    is_alive,
    lake_connection,
    landed,
    nowhere,
    orders_until,
    record,
    run,
    scripted_connection,
    status,
    until,
)
from twin_support import Api, serving, stream


def test_a_failure_keeps_what_was_durable_and_its_state_and_shows_no_secret(
    scripted: Api, script: Script, lake: Lake
) -> None:
    connection = scripted_connection(scripted, lake)
    refused = error("first-password was refused", internal_message="401 first-password")
    script.says("read", *orders_until(3), record("orders", id=4), refused, code=1)
    job = run(scripted, connection)
    assert job["status"] == "failed"
    assert job["failure"] == {
        "origin": "source",
        "message": "********** was refused",
        "internal": "401 **********",
    }
    assert cursors(scripted, connection) == {"orders": {"at": 3}}
    assert {1, 2, 3} <= {row["id"] for row in landed(lake)}
    (attempt,) = scripted.config("/jobs/get", {"id": job["jobId"]})["attempts"]
    summary = attempt["attempt"]["failureSummary"]
    assert (summary["failures"][0]["failureOrigin"], summary["partialSuccess"]) == ("source", True)


def test_streams_that_ended_before_a_failure_lose_their_older_generations_and_others_do_not(
    scripted: Api, script: Script, lake: Lake
) -> None:
    connection = scripted_connection(scripted, lake, "orders", "customers", mode="full_refresh_overwrite")
    both = [record("orders", id=1), record("customers", id=1)]
    script.says("read", *both)
    run(scripted, connection)
    script.says("read", both[0], status("orders", "COMPLETE"), both[1], error("no access"), code=1)
    assert run(scripted, connection)["status"] == "failed"
    assert [row["_airbyte_generation_id"] for row in landed(lake)] == [2]
    assert 1 in [row["_airbyte_generation_id"] for row in landed(lake, "customers")]


def test_records_of_other_streams_and_lines_that_are_no_messages_go_to_the_log(
    scripted: Api, script: Script, lake: Lake
) -> None:
    script.says("read", "Hello!", record("invoices", id=1), record("invoices", id=2))
    job = run(scripted, scripted_connection(scripted, lake))
    assert (job["status"], job["rowsSynced"]) == ("succeeded", 0)
    assert job["log"] == ["Hello!", "records of invoices are left out: the connection does not sync it"]


def test_a_message_that_cannot_be_read_fails_the_job(scripted: Api, script: Script, lake: Lake) -> None:
    script.says("read", {"type": "RECORD", "record": {"stream": "orders"}})
    job = run(scripted, scripted_connection(scripted, lake))
    assert (job["status"], job["failure"]["origin"]) == ("failed", "source")


def test_a_stream_that_is_incomplete_fails_the_job_whatever_code_the_source_ends_with(
    scripted: Api, script: Script, lake: Lake
) -> None:
    script.says("read", *orders_until(1), status("orders", "INCOMPLETE"))
    connection = scripted_connection(scripted, lake)
    assert run(scripted, connection)["failure"]["message"] == "The source could not read all of orders."
    assert cursors(scripted, connection) == {"orders": {"at": 1}}


def test_a_bucket_that_is_not_there_is_the_destinations_failure(syncing: Api, lake: Lake) -> None:
    connection = lake_connection(syncing, Lake(lake.url, "nowhere-to-be-found", lake.client, lake.clock))
    job = run(syncing, connection)
    assert (job["status"], job["failure"]["origin"]) == ("failed", "destination")
    assert "nowhere-to-be-found" in job["failure"]["message"]
    sent = {"destinationId": connection["destinationId"]}
    checked = syncing.config("/destinations/check_connection", sent)
    assert (checked["status"], checked["message"]) == ("failed", job["failure"]["message"])
    assert run(syncing, connection)["status"] == "failed"


def test_a_destination_that_writes_another_format_is_refused_in_words(syncing: Api, lake: Lake) -> None:
    avro = {"format_type": "Avro", "compression_codec": {"codec": "no compression"}}
    destination = syncing.destination(s3_endpoint=lake.url, format=avro)["destinationId"]
    job = run(syncing, syncing.connection(destinationId=destination))
    assert job["failure"]["origin"] == "destination"
    assert "Avro" in job["failure"]["message"]


def test_mappers_are_refused_and_not_passed_over(syncing: Api) -> None:
    mapper = {
        "type": "hashing",
        "mapperConfiguration": {"targetField": "email", "method": "MD5", "fieldNameSuffix": "_x"},
    }
    job = run(syncing, syncing.connection(stream("customers", mappers=[mapper]), destinationId=nowhere(syncing)))
    assert job["failure"] == {
        "origin": "airbyte_platform",
        "message": "Stream customers has mappers, which the twin does not support.",
        "internal": None,
    }


def test_a_source_can_be_told_to_fail_after_some_records_and_the_next_sync_goes_on(syncing: Api, lake: Lake) -> None:
    connection = lake_connection(syncing, lake, stream("customers"), stream())
    temper = {"kind": "temper", "actorId": connection["sourceId"], "readFailure": "gone", "readFailureAfter": 35}
    syncing.control("POST", "/drift", temper, 204)
    job = run(syncing, connection)
    assert (job["status"], job["failure"]["message"]) == ("failed", "gone")
    assert list(cursors(syncing, connection)) == ["customers"]
    syncing.control("POST", "/drift", {"kind": "temper", "actorId": connection["sourceId"]}, 204)
    assert run(syncing, connection)["status"] == "succeeded"
    assert len({row["id"] for row in landed(lake)}) == 38


def test_a_source_that_fails_its_check_is_not_read(syncing: Api) -> None:
    connection = syncing.connection(destinationId=nowhere(syncing))
    temper = {"kind": "temper", "actorId": connection["sourceId"], "checkFailure": "no access"}
    syncing.control("POST", "/drift", temper, 204)
    assert run(syncing, connection)["failure"]["message"] == "no access"


def test_a_source_of_which_nothing_is_known_needs_a_command(syncing: Api) -> None:
    body = {"name": "Mine", "dockerRepository": "example/source-mine", "dockerImageTag": "1"}
    path = f"/workspaces/{syncing.twin.workspace_id}/definitions/sources"
    definition = syncing.post(path, body)["id"]
    named = {"name": "x", "workspaceId": syncing.twin.workspace_id, "definitionId": definition}
    source = syncing.post("/sources", {**named, "configuration": {}})["sourceId"]
    connection = syncing.connection(destinationId=nowhere(syncing))
    store = syncing.twin.store
    known = store.connections.get(connection["connectionId"])
    assert known is not None
    store.connections.put(known.model_copy(update={"source_id": source}))
    assert "pass its executable with --connector" in run(syncing, connection)["failure"]["message"]


def test_a_cancelled_job_ends_its_connector_and_keeps_what_was_durable(
    scripted: Api, script: Script, lake: Lake
) -> None:
    connection = scripted_connection(scripted, lake)
    script.says("read", *orders_until(2), record("orders", id=3), hangs=True)
    created = scripted.post("/jobs", {"connectionId": connection["connectionId"], "jobType": "sync"})["jobId"]
    pids = script.pids()
    until(lambda: cursors(scripted, connection) == {"orders": {"at": 2}})
    running = scripted.get(f"/jobs/{created}")
    assert (running["status"], running["rowsSynced"]) == ("running", 2)
    assert scripted.delete(f"/jobs/{created}", 200)["status"] == "cancelled"
    job = ended(scripted, created)
    assert (job["status"], job["failure"]) == ("cancelled", None)
    assert not any(is_alive(pid) for pid in pids)
    assert [row["id"] for row in landed(lake)] == [1, 2]


def test_a_clear_waits_until_the_sync_that_it_cancels_has_ended(scripted: Api, script: Script, lake: Lake) -> None:
    connection = scripted_connection(scripted, lake)
    script.says("read", *orders_until(2), hangs=True)
    first = scripted.post("/jobs", {"connectionId": connection["connectionId"], "jobType": "sync"})["jobId"]
    script.pids()
    cleared = run(scripted, connection, "clear")
    assert cleared["status"] == "succeeded"
    assert scripted.get(f"/jobs/{first}")["status"] == "cancelled"
    assert (lake.written(), cursors(scripted, connection)) == ([], {})


def test_so_many_jobs_run_at_once_and_others_wait(script: Script, lake: Lake) -> None:
    script.says("read", hangs=True)
    with serving(run_syncs=True, parallel_syncs=1, commands={"airbyte/source-shopify": script.path}) as api:
        first, second = scripted_connection(api, lake), scripted_connection(api, lake)
        jobs = [
            api.post("/jobs", {"connectionId": each["connectionId"], "jobType": "sync"})["jobId"]
            for each in (first, second)
        ]
        script.pids()
        assert [api.get(f"/jobs/{each}")["status"] for each in jobs] == ["running", "pending"]
        script.says("read", record("orders", id=1))
        api.delete(f"/jobs/{jobs[0]}", 200)
        assert ended(api, jobs[1])["status"] == "succeeded"


def test_a_twin_that_ends_ends_its_jobs_and_the_next_takes_up_those_that_waited(
    tmp_path: Path, script: Script, lake: Lake
) -> None:
    script.says("read", hangs=True)
    settings: dict[str, Any] = {
        "run_syncs": True,
        "parallel_syncs": 1,
        "data_dir": tmp_path / "data",
        "commands": {"airbyte/source-shopify": script.path},
    }
    with serving(**settings) as api:
        for connection in (scripted_connection(api, lake), scripted_connection(api, lake)):
            api.post("/jobs", {"connectionId": connection["connectionId"], "jobType": "sync"})
        pids = script.pids()
    assert not any(is_alive(pid) for pid in pids)
    script.says("read", record("orders", id=1))
    with serving(**settings) as api:
        stopped, resumed = ended(api, 1), ended(api, 2)
    assert stopped["failure"]["message"] == "The twin was stopped while the job ran."
    assert (stopped["status"], resumed["status"]) == ("failed", "succeeded")


def test_a_twin_that_ends_does_not_wait_for_a_bucket_that_is_being_checked_and_never_answers() -> None:
    # A twin that does not end in time is an error of `serving`.
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        with serving(run_syncs=True) as api:
            sent = configuration(f"http://127.0.0.1:{silent.getsockname()[1]}", "lake")
            body = {"destinationId": api.destination(**sent)["destinationId"]}
            check = pool.submit(api.config, "/destinations/check_connection", body)
            connection, _ = silent.accept()
        with connection:
            assert check.exception() is not None


def test_a_job_that_a_killed_twin_left_running_has_failed(tmp_path: Path, lake: Lake) -> None:
    with serving(data_dir=tmp_path) as api:
        connection = lake_connection(api, lake)
        api.post("/jobs", {"connectionId": connection["connectionId"], "jobType": "sync"})
        api.control("POST", "/jobs/1", {"status": "running"}, 200)
    with serving(data_dir=tmp_path, run_syncs=True) as api:
        assert ended(api, 1)["status"] == "failed"
        assert run(api, connection)["status"] == "succeeded"
