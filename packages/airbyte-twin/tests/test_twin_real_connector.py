"""The real source-faker: what it says by itself, and through the twin."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airbyte_twin.records import ConnectionState
from airbyte_twin.registry import shipped_connectors
from airbyte_twin.registry.build import schema_constraints
from airbyte_twin.sync.protocol.connector import RealConnector
from airbyte_twin.sync.protocol.messages import ConnectorError, Message, RecordMessage, StateMessage
from airbyte_twin.sync.run.sources import state_document
from airbyte_twin.sync.streams import SyncStream, catalog_document
from landing_support import Lake, configuration
from sync_support import Script, cursors, run, sync_stream
from twin_support import Api, faker, serving, stream

from toolchain.connectors import connector
from toolchain.engine import EngineError

FAKER = "airbyte/source-faker"
SMALL = {"count": 30, "seed": 1, "records_per_slice": 10, "always_updated": False, "parallelism": 1}
SHIPPED = next(each for each in shipped_connectors() if each.docker_repository == FAKER)


@pytest.fixture(scope="module")
def command() -> Path:
    """The connector's executable."""
    try:
        return connector("source-faker")
    except EngineError as error:
        pytest.skip(str(error))


def streams() -> list[SyncStream]:
    return [sync_stream(each) for each in SHIPPED.streams or ()]


def read(command: Path, state: Any = None) -> list[Message]:
    return list(RealConnector(command).read({**SMALL}, catalog_document(streams()), state))


def specification(command: Path) -> Any:
    output = subprocess.run([command, "spec"], stdout=subprocess.PIPE, check=True).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    return next(each["spec"]["connectionSpecification"] for each in messages if each["type"] == "SPEC")


@pytest.mark.nightly
def test_the_shipped_files_match_the_connector(command: Path) -> None:
    assert schema_constraints(specification(command)) == SHIPPED.spec
    found = {each.name: each for each in RealConnector(command).discover({**SMALL})}
    for known in SHIPPED.streams or ():
        discovered = found.pop(known.name)
        assert discovered.model_copy(update={"json_schema": schema_constraints(discovered.json_schema)}) == known
    assert found == {}


@pytest.mark.nightly
def test_a_good_configuration_passes_its_check_and_a_bad_one_does_not(command: Path) -> None:
    assert RealConnector(command).check({**SMALL}) is None
    assert "is not of type 'integer'" in str(RealConnector(command).check({"count": "many"}))
    with pytest.raises(ConnectorError, match="is not of type 'integer'"):
        RealConnector(command).discover({"count": "many"})


@pytest.mark.nightly
def test_a_read_goes_on_from_its_states(command: Path) -> None:
    first = read(command)
    records = [message for message in first if isinstance(message, RecordMessage)]
    assert {message.stream for message in records} == {"products", "users", "purchases"}
    assert sum(message.stream == "users" for message in records) == 30
    states = {state.name: state for each in first if isinstance(each, StateMessage) for state in each.streams}
    kept = ConnectionState(id="x", type="stream", streams=tuple(states.values()))
    second = read(command, state_document(streams(), kept))
    assert not [message for message in second if isinstance(message, RecordMessage) and message.stream == "users"]


def faker_connection(api: Api, destination_id: str) -> Any:
    source = api.post("/sources", faker(api.twin.workspace_id, **SMALL))["sourceId"]
    names = [stream(name) for name in ("users", "products", "purchases")]
    named = {"namespaceDefinition": "custom_format", "namespaceFormat": "faker"}
    return api.connection(*names, sourceId=source, destinationId=destination_id, **named)


def test_a_sync_of_the_real_source_lands_and_the_next_has_nothing_to_do(command: Path, lake: Lake) -> None:
    with serving(run_syncs=True, commands={FAKER: command}) as api:
        destination = api.destination(**configuration(lake.url, lake.bucket))["destinationId"]
        connection = faker_connection(api, destination)
        job = run(api, connection)
        assert job["failure"] is None
        rows = [row for key in lake.written() if "/users/" in key for row in lake.rows(key)]
        assert {row["id"] for row in rows} == set(range(1, 31))
        assert set(cursors(api, connection)) == {"users", "products", "purchases"}
        again = run(api, connection)
        assert (again["status"], [key for key in lake.written() if "/users/part_1" in key]) == ("succeeded", [])


def test_checks_and_discovery_ask_the_connector_even_where_no_syncs_run(tmp_path: Path) -> None:
    script = Script(tmp_path)
    script.says("check", {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "FAILED", "message": "no"}})
    with serving(commands={"airbyte/source-shopify": script.path}) as api:
        source = api.source()["sourceId"]
        checked = api.config("/sources/check_connection", {"sourceId": source})
        assert (checked["status"], checked["message"]) == ("failed", "no")
        assert script.seen()["config"]["credentials"]["api_password"] == "first-password"
        assert [each["streamName"] for each in api.get("/streams", sourceId=source)] == ["orders", "customers"]
        body = {"sourceId": source, "connectionConfiguration": {"shop": "other"}, "name": "x"}
        assert api.config("/sources/check_connection_for_update", body)["status"] == "failed"
        assert script.seen()["config"]["shop"] == "other"
        script.says("discover", code=1, stderr="no first-password")
        found = api.config("/sources/discover_schema", {"sourceId": source, "disable_cache": True})
        reason = found["jobInfo"]["failureReason"]["externalMessage"]
        assert "ended with code 1" in reason
        assert "first-password" not in reason


def failed(*arguments: str) -> tuple[int, str]:
    """The code and the words that the command ends with."""
    command = [sys.executable, "-c", "from airbyte_twin.cli import main; main()", "--port", "0", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_command_that_cannot_be_run_is_one_error_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    for text, words in (
        (str(tmp_path), "write airbyte/source-faker="),
        (f"{FAKER}={tmp_path / 'none'}", "no such file"),
        (f"{FAKER}={tmp_path / 'plain'}", "not executable"),
    ):
        code, said = failed("--connector", text)
        assert (code, said.count("\n")) == (1, 1)
        assert words in said


def test_a_twin_that_syncs_nothing_loads_nothing_heavy() -> None:
    program = "import sys, airbyte_twin.cli; sys.exit(bool({'pyarrow', 'boto3'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
