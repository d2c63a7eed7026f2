"""Jobs of the twin that write to Postgres: what both APIs show, and how they end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sync_support import Script, cursors, ended, error, orders_until, record, run, state, status, until
from tables_support import ORDERS, Warehouse
from twin_support import Api, api_at, command, fields, serving, stream

PASSWORD = "some-password"


def to_postgres(api: Api, warehouse: Warehouse, **overrides: Any) -> str:
    """A destination of the twin."""
    configuration = {"destinationType": "postgres", **warehouse.configuration(**overrides)}
    sent = {"name": "Warehouse", "workspaceId": api.twin.workspace_id, "configuration": configuration}
    created: str = api.post("/destinations", sent)["destinationId"]
    return created


def connected(api: Api, warehouse: Warehouse, *streams: Any, **changes: Any) -> Any:
    """A connection from Shopify to a database, in the schema `shopify`."""
    named = {"namespaceDefinition": "custom_format", "namespaceFormat": "shopify"}
    return api.connection(*streams, destinationId=to_postgres(api, warehouse), **named, **changes)


def orders(mode: str = "incremental_append", **changes: Any) -> Any:
    return stream(syncMode=mode, **changes)


def checked(api: Api, destination_id: str) -> Any:
    return api.config("/destinations/check_connection", {"destinationId": destination_id})


def test_a_sync_writes_the_selected_fields_and_counts_them_as_for_any_destination(
    syncing: Api, warehouse: Warehouse
) -> None:
    selected = fields("id", "updated_at", "customer", "total_price")
    connection = connected(syncing, warehouse, orders(selectedFields=selected), stream("customers"), prefix="new_")
    job = run(syncing, connection)
    assert (job["status"], job["failure"], job["rowsSynced"]) == ("succeeded", None, 60)
    assert job["bytesSynced"] > 1000
    assert warehouse.all_tables() == ["shopify.new_customers", "shopify.new_orders"]
    rows = warehouse.rows('"shopify"."new_orders"')
    assert len(rows) == 30
    assert set(rows[0]) == {"id", "updated_at", "customer", "total_price"}
    shown = syncing.config("/jobs/get", {"id": job["jobId"]})
    counts = {each["streamName"]: each["stats"] for each in shown["attempts"][0]["attempt"]["streamStats"]}
    assert {name: each["recordsCommitted"] for name, each in counts.items()} == {"orders": 30, "customers": 30}
    assert sum(each["bytesEmitted"] for each in counts.values()) == job["bytesSynced"]
    public = syncing.get(f"/jobs/{job['jobId']}")
    assert (public["rowsSynced"], public["bytesSynced"]) == (60, job["bytesSynced"])


def test_streams_without_a_namespace_go_to_the_default_schema(syncing: Api, warehouse: Warehouse) -> None:
    destination = to_postgres(syncing, warehouse, schema="lake")
    run(syncing, syncing.connection(orders(), destinationId=destination))
    assert warehouse.all_tables() == ["lake.orders"]


@pytest.mark.parametrize(
    ("mode", "rows", "generations"),
    [
        ("incremental_append", "of both", {0}),
        ("incremental_deduped_history", "of each key", {0}),
        ("full_refresh_overwrite", "of the second", {2}),
        ("full_refresh_append", "of both", {1, 2}),
        ("full_refresh_overwrite_deduped", "of the second", {2}),
    ],
)
def test_a_second_sync_leaves_what_its_mode_says(
    syncing: Api, warehouse: Warehouse, mode: str, rows: str, generations: set[int]
) -> None:
    connection = connected(syncing, warehouse, orders(mode))
    assert run(syncing, connection)["rowsSynced"] == 30
    syncing.twin.twin.clock.advance(60)
    second = run(syncing, connection)
    assert second["status"] == "succeeded"
    written = second["rowsSynced"]
    found = warehouse.rows()
    assert len(found) == {"of both": 30 + written, "of each key": 38, "of the second": written}[rows]
    assert len({row["id"] for row in found}) == 38
    assert warehouse.marks("_airbyte_generation_id") == generations


@pytest.mark.parametrize(("mode", "generations"), [("Truncate", {1}), ("Merge", {0, 1})])
@pytest.mark.parametrize("sync_mode", ["incremental_append", "incremental_deduped_history"])
def test_a_refresh_replaces_or_keeps_what_was_there(
    syncing: Api, warehouse: Warehouse, mode: str, generations: set[int], sync_mode: str
) -> None:
    connection = connected(syncing, warehouse, orders(sync_mode), stream("customers"))
    run(syncing, connection)
    body = {"connectionId": connection["connectionId"], "refreshMode": mode, "streams": [{"streamName": "orders"}]}
    job = ended(syncing, syncing.config("/connections/refresh", body)["job"]["id"])
    assert (job["status"], job["jobType"]) == ("succeeded", "refresh")
    found = warehouse.marks("_airbyte_generation_id")
    # A merge of the same rows at the same moment leaves those that are there.
    assert found == ({0, 1} if mode == "Merge" else generations)
    assert len({row["id"] for row in warehouse.rows()}) == 38
    assert warehouse.marks("_airbyte_generation_id", '"shopify"."customers"') == {0}


def test_a_clear_empties_the_tables_of_its_streams_and_their_state(syncing: Api, warehouse: Warehouse) -> None:
    connection = connected(syncing, warehouse, orders("incremental_deduped_history"), stream("customers"))
    run(syncing, connection)
    body = {"connectionId": connection["connectionId"], "streams": [{"streamName": "orders"}]}
    job = ended(syncing, syncing.config("/connections/clear/stream", body)["job"]["id"])
    assert (job["status"], job["jobType"], warehouse.rows()) == ("succeeded", "reset", [])
    assert len(warehouse.rows('"shopify"."customers"')) == 30
    assert list(cursors(syncing, connection)) == ["customers"]
    run(syncing, connection)
    assert warehouse.marks("_airbyte_generation_id") == {1}


def test_of_two_streams_that_would_have_one_table_a_clear_empties_the_right_one(
    scripted: Api, script: Script, warehouse: Warehouse
) -> None:
    prefixed = {"namespaceDefinition": "custom_format", "namespaceFormat": "shopify"}
    offered = [{"name": name, "json_schema": {"properties": {"id": {"type": "integer"}}}} for name in ("a b", "a-b")]
    modes = {"supported_sync_modes": ["full_refresh"]}
    script.says("discover", {"type": "CATALOG", "catalog": {"streams": [{**each, **modes} for each in offered]}})
    streams = [{"name": each["name"], "syncMode": "full_refresh_append"} for each in offered]
    destination = to_postgres(scripted, warehouse)
    connection = scripted.connection(*streams, destinationId=destination, **prefixed)
    script.says("read", record("a b", id=1), record("a-b", id=2))
    assert run(scripted, connection)["status"] == "succeeded"
    first, second = warehouse.all_tables()
    body = {"connectionId": connection["connectionId"], "streams": [{"streamName": "a-b"}]}
    ended(scripted, scripted.config("/connections/clear/stream", body)["job"]["id"])
    assert [warehouse.rows(table) for table in (first, second)] == [[{"id": 1}], []]


def test_a_source_that_fails_leaves_what_was_durable_with_its_state(
    scripted: Api, script: Script, warehouse: Warehouse
) -> None:
    key = {"primaryKey": [["id"]], "cursorField": ["at"]}
    connection = connected(scripted, warehouse, orders("incremental_deduped_history", **key))
    script.says("read", *orders_until(3), record("orders", id=4, at=4), error("no more"), code=1)
    job = run(scripted, connection)
    assert (job["status"], job["failure"]["origin"]) == ("failed", "source")
    assert cursors(scripted, connection) == {"orders": {"at": 3}}
    assert {1, 2, 3} <= {row["id"] for row in warehouse.rows()}
    script.says("read", record("orders", id=4, at=4), state("orders", at=4))
    assert run(scripted, connection)["status"] == "succeeded"
    assert [row["id"] for row in warehouse.rows()] == [1, 2, 3, 4]


def test_an_overwrite_that_fails_leaves_the_rows_of_before(scripted: Api, script: Script, warehouse: Warehouse) -> None:
    connection = connected(scripted, warehouse, orders("full_refresh_overwrite"))
    script.says("read", record("orders", id=1), status("orders", "COMPLETE"))
    run(scripted, connection)
    script.says("read", record("orders", id=2), error("no more"), code=1)
    assert run(scripted, connection)["status"] == "failed"
    assert [row["id"] for row in warehouse.rows()] == [1]
    script.says("read", record("orders", id=3), status("orders", "COMPLETE"))
    assert run(scripted, connection)["status"] == "succeeded"
    assert [row["id"] for row in warehouse.rows()] == [3]


def test_a_table_that_can_not_be_written_fails_the_job_with_what_the_server_says(
    syncing: Api, warehouse: Warehouse
) -> None:
    connection = connected(syncing, warehouse, orders())
    run(syncing, connection)
    warehouse.execute(f"alter table {ORDERS} add constraint small check (id < 0) not valid")
    job = run(syncing, connection)
    assert (job["status"], job["failure"]["origin"]) == ("failed", "destination")
    assert 'violates check constraint "small"' in job["failure"]["message"]
    assert len(warehouse.rows()) == 30


def test_a_writable_database_passes_the_check_and_is_left_as_it_was(syncing: Api, warehouse: Warehouse) -> None:
    assert checked(syncing, to_postgres(syncing, warehouse, schema="lake"))["status"] == "succeeded"
    assert warehouse.all_tables() == []


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"database": "nowhere"}, 'database "nowhere" does not exist'),
        ({"username": "nobody-known"}, 'role "nobody-known" does not exist'),
        ({"port": 1}, "Connection refused"),
        ({"ssl": True}, "server does not support SSL"),
        ({"ssl_mode": {"mode": "verify-full"}}, "SSL was required"),
    ],
)
def test_a_check_and_a_job_say_what_the_server_says(
    syncing: Api, warehouse: Warehouse, overrides: dict[str, Any], said: str
) -> None:
    destination = to_postgres(syncing, warehouse, **overrides)
    answer = checked(syncing, destination)
    assert answer["status"] == "failed"
    assert said in answer["message"]
    assert PASSWORD not in answer["message"]
    job = run(syncing, syncing.connection(orders(), destinationId=destination))
    assert job["failure"] == {"origin": "destination", "message": answer["message"], "internal": None}


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"tunnel_method": {"tunnel_method": "SSH_PASSWORD_AUTH", "tunnel_host": "h", "tunnel_port": 22,
                            "tunnel_user": "u", "tunnel_user_password": "some-tunnel"}}, "no SSH tunnel"),
        ({"disable_type_dedupe": True}, "raw tables"),
        ({"jdbc_url_params": "connectTimeout=0"}, "no JDBC driver"),
        ({"host": ""}, "host: "),
    ],
)  # fmt: skip
def test_what_the_twin_can_not_do_is_refused_in_words(
    syncing: Api, warehouse: Warehouse, overrides: dict[str, Any], said: str
) -> None:
    answer = checked(syncing, to_postgres(syncing, warehouse, **overrides))
    assert (answer["status"], said in answer["message"]) == ("failed", True)


def test_secrets_of_the_destination_are_masked(syncing: Api, warehouse: Warehouse) -> None:
    shown = syncing.get(f"/destinations/{to_postgres(syncing, warehouse)}")
    assert shown["destinationType"] == "postgres"
    assert shown["configuration"]["password"] == "**********"


def test_a_server_that_stops_in_the_middle_of_a_job_fails_it_and_the_next_one_continues(
    scripted: Api, script: Script, warehouse: Warehouse
) -> None:
    key = {"primaryKey": [["id"]], "cursorField": ["at"]}
    connection = connected(scripted, warehouse, orders("incremental_deduped_history", **key))
    script.says("read", record("orders", id=1, at=1), state("orders", at=1))
    run(scripted, connection)
    warehouse.server.stop(signal.SIGQUIT)
    try:
        job = run(scripted, connection)
        assert (job["status"], job["failure"]["origin"]) == ("failed", "destination")
        assert "can't be connected to" in job["failure"]["message"]
    finally:
        warehouse.server.start()
    script.says("read", record("orders", id=2, at=2), state("orders", at=2))
    assert run(scripted, connection)["status"] == "succeeded"
    assert [row["id"] for row in warehouse.rows()] == [1, 2]


@pytest.mark.parametrize("loaded", ["airbyte_twin.cli", "airbyte_twin.landing", "airbyte_twin.tables"])
def test_the_driver_is_loaded_only_where_a_server_is_connected_to(loaded: str) -> None:
    script = f"import {loaded}, sys; print('psycopg2' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_without_the_driver_the_twin_serves_and_the_check_says_what_to_install(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with serving(run_syncs=True) as api:
        answer = checked(api, to_postgres(api, warehouse))
    assert (answer["status"], answer["message"].endswith("install airbyte-twin[postgres].")) == ("failed", True)


KEYED: dict[str, Any] = {"primaryKey": [["id"]], "cursorField": ["at"]}


def started(api: Api, connection: Any) -> int:
    """A job that runs."""
    created: int = api.post("/jobs", {"connectionId": connection["connectionId"], "jobType": "sync"})["jobId"]
    return created


@pytest.mark.parametrize("mode", ["incremental_append", "incremental_deduped_history"])
def test_a_cancelled_job_keeps_what_was_durable_for_the_next_one(
    scripted: Api, script: Script, warehouse: Warehouse, mode: str
) -> None:
    connection = connected(scripted, warehouse, orders(mode, **KEYED))
    script.says("read", *orders_until(2), record("orders", id=3, at=3), hangs=True)
    job = started(scripted, connection)
    until(lambda: cursors(scripted, connection) == {"orders": {"at": 2}})
    scripted.delete(f"/jobs/{job}", 200)
    assert ended(scripted, job)["status"] == "cancelled"
    script.says("read", record("orders", id=3, at=3), state("orders", at=3))
    assert run(scripted, connection)["status"] == "succeeded"
    assert [row["id"] for row in warehouse.rows()] == [1, 2, 3]


def test_a_clear_of_a_running_sync_leaves_nothing_of_it(scripted: Api, script: Script, warehouse: Warehouse) -> None:
    connection = connected(scripted, warehouse, orders("incremental_deduped_history", **KEYED))
    script.says("read", *orders_until(2), hangs=True)
    started(scripted, connection)
    until(lambda: cursors(scripted, connection) == {"orders": {"at": 2}})
    assert run(scripted, connection, "clear")["status"] == "succeeded"
    assert (warehouse.rows(), cursors(scripted, connection)) == ([], {})
    script.says("read", record("orders", id=9, at=9))
    run(scripted, connection)
    assert [row["id"] for row in warehouse.rows()] == [9]
    assert warehouse.all_tables() == ["shopify.orders"]


@pytest.mark.parametrize("mode", ["incremental_append", "incremental_deduped_history"])
def test_a_twin_that_is_killed_loses_no_row_and_doubles_none(
    tmp_path: Path, script: Script, warehouse: Warehouse, mode: str
) -> None:
    options = ["--port", "0", "--data-dir", str(tmp_path / "data"), "--run-syncs", "--connector"]
    with command(*options, f"airbyte/source-shopify={script.path}") as (process, url), api_at(url) as api:
        streams = [stream(name, syncMode=mode, **KEYED) for name in ("orders", "customers")]
        connection = connected(api, warehouse, *streams)
        whole = [record("customers", id=1, at=1), state("customers", at=1), status("customers", "COMPLETE")]
        script.says("read", *whole, *orders_until(3), hangs=True)
        started(api, connection)
        saved = tmp_path / "data" / "state.json"
        until(lambda: [each["streams"] for each in json.loads(saved.read_text())["states"]])
        connector, child = script.pids()
        process.kill()
        process.wait()
        for pid in (connector, child):
            os.kill(pid, signal.SIGKILL)
    script.says("read", record("customers", id=2, at=2), state("customers", at=2), *orders_until(4))
    with command(*options, f"airbyte/source-shopify={script.path}") as (_, url), api_at(url) as api:
        job = started(api, connection)
        until(lambda: api.get(f"/jobs/{job}")["status"] in {"succeeded", "failed"})
        assert api.get(f"/jobs/{job}")["status"] == "succeeded"
    resumed = [each["stream"] for each in script.seen()["state"]]
    assert resumed == [{"stream_descriptor": {"name": "customers"}, "stream_state": {"at": 1}}]
    assert [row["id"] for row in warehouse.rows('"shopify"."customers"')] == [1, 2]
    assert [row["id"] for row in warehouse.rows()] == [1, 2, 3, 4]
