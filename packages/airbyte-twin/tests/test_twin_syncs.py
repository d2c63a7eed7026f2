"""Jobs that the twin carries out: what lands, and what is remembered."""

from pathlib import Path
from typing import Any

import pytest
from landing_support import Lake
from sync_support import (
    Script,
    cursors,
    ended,
    lake_connection,
    landed,
    nowhere,
    orders_until,
    record,
    run,
    scripted_connection,
    state,
    status,
)
from twin_support import Api, fields, serving, stream


def test_a_sync_lands_the_selected_fields_of_its_streams_and_counts_them(syncing: Api, lake: Lake) -> None:
    connection = lake_connection(
        syncing, lake, stream(selectedFields=fields("id", "updated_at", "customer")), stream("customers")
    )
    job = run(syncing, connection)
    assert (job["status"], job["failure"], job["rowsSynced"]) == ("succeeded", None, 60)
    assert job["bytesSynced"] > 1000
    orders, customers = landed(lake), landed(lake, "customers")
    assert {key for row in orders for key in row if not key.startswith("_airbyte")} == {"id", "updated_at", "customer"}
    assert {row["id"] for row in customers} > set()
    assert lake.written()[0].startswith("raw/shopify/customers/year=2026/month=01/day=01/part_0")
    assert cursors(syncing, connection) == {
        "orders": {"updated_at": "2026-01-01T00:00:00+00:00"},
        "customers": {"updated_at": "2026-01-01T00:00:00+00:00"},
    }


def test_a_second_sync_goes_on_where_the_first_ended(syncing: Api, lake: Lake) -> None:
    connection = lake_connection(syncing, lake)
    assert run(syncing, connection)["rowsSynced"] == 30
    first = {row["id"] for row in landed(lake)}
    second = run(syncing, connection)
    assert 5 < second["rowsSynced"] <= 10
    rows = landed(lake)
    assert len(rows) == 30 + second["rowsSynced"]
    assert len({row["id"] for row in rows} - first) == 8
    assert {row["_airbyte_generation_id"] for row in rows} == {0}


def test_a_job_is_seen_through_both_apis(syncing: Api) -> None:
    connection = syncing.connection(destinationId=nowhere(syncing))
    created = syncing.config("/connections/sync", {"connectionId": connection["connectionId"]})["job"]["id"]
    job = ended(syncing, created)
    shown = syncing.config("/jobs/get", {"id": created})
    assert shown["job"]["aggregatedStats"]["recordsCommitted"] == job["rowsSynced"] == 30
    (attempt,) = shown["attempts"]
    assert (attempt["attempt"]["status"], attempt["attempt"]["recordsSynced"]) == ("succeeded", 30)
    (orders,) = attempt["attempt"]["streamStats"]
    assert (orders["streamName"], orders["stats"]["recordsCommitted"]) == ("orders", 30)
    assert orders["stats"]["bytesEmitted"] == attempt["attempt"]["bytesSynced"]
    assert attempt["logs"]["logLines"] == job["log"] == ["stream orders: started", "stream orders: complete"]


@pytest.mark.parametrize(("mode", "kept"), [("full_refresh_overwrite", {2}), ("full_refresh_append", {1, 2})])
def test_a_full_refresh_reads_all_anew_and_an_overwrite_deletes_what_was_before(
    syncing: Api, lake: Lake, mode: str, kept: set[int]
) -> None:
    connection = lake_connection(syncing, lake, stream(syncMode=mode))
    run(syncing, connection)
    second = run(syncing, connection)
    assert second["rowsSynced"] == 38
    assert {row["_airbyte_generation_id"] for row in landed(lake)} == kept
    assert cursors(syncing, connection) == {}


@pytest.mark.parametrize(("mode", "kept"), [("Truncate", {1}), ("Merge", {0, 1})])
def test_a_refresh_reads_its_streams_anew_and_the_others_on(
    syncing: Api, lake: Lake, mode: str, kept: set[int]
) -> None:
    connection = lake_connection(syncing, lake, stream(), stream("customers"))
    run(syncing, connection)
    body = {"connectionId": connection["connectionId"], "refreshMode": mode, "streams": [{"streamName": "orders"}]}
    job = ended(syncing, syncing.config("/connections/refresh", body)["job"]["id"])
    assert (job["status"], job["jobType"]) == ("succeeded", "refresh")
    orders = landed(lake)
    assert {row["_airbyte_generation_id"] for row in orders} == kept
    assert len({row["id"] for row in orders if row["_airbyte_generation_id"] == 1}) == 38
    assert {row["_airbyte_generation_id"] for row in landed(lake, "customers")} == {0}
    assert len(landed(lake, "customers")) < 60
    run(syncing, connection)
    assert {row["_airbyte_generation_id"] for row in landed(lake)} == kept


def test_a_clear_deletes_data_and_state_and_syncs_nothing(syncing: Api, lake: Lake) -> None:
    connection = lake_connection(syncing, lake, stream(), stream("customers"))
    run(syncing, connection)
    body = {"connectionId": connection["connectionId"], "streams": [{"streamName": "orders"}]}
    job = ended(syncing, syncing.config("/connections/clear/stream", body)["job"]["id"])
    assert (job["status"], job["jobType"]) == ("succeeded", "reset")
    assert landed(lake) == []
    assert len(landed(lake, "customers")) == 30
    assert list(cursors(syncing, connection)) == ["customers"]
    run(syncing, connection)
    assert {row["_airbyte_generation_id"] for row in landed(lake)} == {1}
    run(syncing, connection, "clear")
    assert lake.written() == []
    assert cursors(syncing, connection) == {}


def test_a_connector_starts_from_the_state_that_was_kept(scripted: Api, script: Script, lake: Lake) -> None:
    connection = scripted_connection(scripted, lake)
    script.says("read", *orders_until(2), status("orders", "COMPLETE"))
    assert run(scripted, connection)["rowsSynced"] == 2
    asked = script.seen()
    assert "state" not in asked
    assert asked["config"]["credentials"]["api_password"] == "first-password"
    (configured,) = asked["catalog"]["streams"]
    assert (configured["stream"]["name"], configured["sync_mode"], configured["sync_id"]) == (
        "orders",
        "incremental",
        1,
    )
    run(scripted, connection)
    told = {"stream_descriptor": {"name": "orders"}, "stream_state": {"at": 2}}
    assert script.seen()["state"] == [{"type": "STREAM", "stream": told}]


def test_a_global_state_is_kept_and_given_back_as_one(scripted: Api, script: Script, lake: Lake) -> None:
    connection = scripted_connection(scripted, lake)
    states = [{"stream_descriptor": {"name": "orders"}, "stream_state": {"at": 1}}]
    shared = {"type": "GLOBAL", "global": {"shared_state": {"lsn": 7}, "stream_states": states}}
    script.says("read", record("orders", id=1), {"type": "STATE", "state": shared})
    run(scripted, connection)
    assert scripted.config("/state/get", {"connectionId": connection["connectionId"]})["globalState"] == {
        "shared_state": {"lsn": 7},
        "streamStates": [{"streamDescriptor": {"name": "orders"}, "streamState": {"at": 1}}],
    }
    run(scripted, connection)
    assert script.seen()["state"] == [shared]
    script.says("read", record("orders", id=1), state("orders", at=9))
    run(scripted, connection)
    assert cursors(scripted, connection) == {"orders": {"at": 9}}


def test_states_generations_and_made_up_systems_are_remembered(tmp_path: Path, lake: Lake) -> None:
    settings: dict[str, Any] = {"run_syncs": True, "data_dir": tmp_path, "first_records": 30, "later_records": 10}
    with serving(**settings) as api:
        connection = lake_connection(api, lake, stream(), stream("customers", syncMode="full_refresh_overwrite"))
        run(api, connection)
        before = cursors(api, connection)
    with serving(**settings) as api:
        assert cursors(api, connection) == before
        assert run(api, connection)["rowsSynced"] < 10 + 38 + 1
        assert {row["_airbyte_generation_id"] for row in landed(lake, "customers")} == {2}


def test_without_running_syncs_jobs_are_driven_by_hand(api: Api) -> None:
    connection = api.connection(destinationId=nowhere(api))
    job = run(api, connection)
    assert (job["status"], job["log"]) == ("pending", [])
