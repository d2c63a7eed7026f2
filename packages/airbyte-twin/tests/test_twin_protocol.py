"""Connectors as subprocesses: what they say, how they end, and what is left of them."""

import json
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from airbyte_twin.documents import JsonObject
from airbyte_twin.records import StreamState
from airbyte_twin.sync.protocol.cancellation import Cancellation, Cancelled
from airbyte_twin.sync.protocol.connector import LONGEST_TEXT, RealConnector
from airbyte_twin.sync.protocol.messages import (
    ConnectorError,
    LogMessage,
    ProtocolError,
    RecordMessage,
    StateMessage,
    StreamStatusMessage,
    parse_message,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sync_support import Script, error, is_alive, record, state, status

CATALOG: JsonObject = {"streams": []}


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def connector(script: Script, *secrets: str, cancellation: Cancellation | None = None) -> RealConnector:
    return RealConnector(script.path, secrets, cancellation or Cancellation())


def read(script: Script, *secrets: str, config: Any = None, state: Any = None) -> list[Any]:
    return list(connector(script, *secrets).read(config or {}, CATALOG, state))


def test_records_states_statuses_and_logs_come_as_they_are_sent(script: Script) -> None:
    log = {"type": "LOG", "log": {"level": "WARN", "message": "slow"}}
    script.says("read", log, status("users", "STARTED"), record("users", id=1), state("users", at=1))
    assert read(script) == [
        LogMessage("WARN slow"),
        StreamStatusMessage("users", None, "STARTED"),
        RecordMessage("users", None, {"id": 1}),
        StateMessage("stream", (StreamState(name="users", blob={"at": 1}),)),
    ]


def test_states_come_in_three_forms() -> None:
    shared = b'{"type":"STATE","state":{"type":"GLOBAL","global":{"shared_state":{"lsn":1},"stream_states":[]}}}'
    assert parse_message(shared) == StateMessage("global", (), shared={"lsn": 1})
    legacy = b'{"type":"STATE","state":{"data":{"cursor":1}}}'
    assert parse_message(legacy) == StateMessage("legacy", legacy={"cursor": 1})


@pytest.mark.parametrize("line", ["Hello", "[1]", '{"kind": "x"}', '{"type": 1}', "{", "\\ud800"])
def test_what_is_no_message_is_a_line_of_the_log(line: str) -> None:
    assert isinstance(parse_message(line.encode()), LogMessage)


@settings(deadline=None)
@given(st.binary())
def test_no_line_breaks_the_reader(line: bytes) -> None:
    assert isinstance(parse_message(line), LogMessage)


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"RECORD"}',
        '{"type":"RECORD","record":{"stream":"a","data":[]}}',
        '{"type":"STATE","state":{"type":"STREAM"}}',
        '{"type":"STATE","state":7}',
        '{"type":"CATALOG","catalog":{"streams":[{"name":"a"}]}}',
        '{"type":"TRACE","trace":{"type":"ERROR"}}',
    ],
)
def test_a_message_that_cannot_be_read_is_an_error_and_not_a_loss(line: str) -> None:
    with pytest.raises(ProtocolError, match="invalid"):
        parse_message(line.encode())


def test_documents_are_files_that_only_their_owner_reads_and_that_do_not_stay(script: Script) -> None:
    script.says("read")
    read(script, config={"password": "x"}, state=[{"type": "STREAM"}])
    seen = script.seen()
    assert (seen["config"], seen["catalog"], seen["state"]) == ({"password": "x"}, CATALOG, [{"type": "STREAM"}])
    assert set(seen["modes"].values()) == {"0o600"}
    assert not Path(seen["folder"]).exists()


def test_an_error_is_raised_once_all_that_was_said_is_taken(script: Script) -> None:
    script.says("read", error("no access", internal_message="401"), record("users", id=1), code=1)
    messages = connector(script).read({}, CATALOG, None)
    assert next(messages) == RecordMessage("users", None, {"id": 1})
    with pytest.raises(ConnectorError, match="no access") as failure:
        next(messages)
    assert failure.value.internal == "401"


def test_an_end_without_a_reason_tells_what_was_printed_last(script: Script) -> None:
    script.says("read", "Traceback", code=3, stderr="KeyError: 'shop'\n")
    with pytest.raises(ConnectorError, match="ended with code 3") as failure:
        read(script)
    assert set(str(failure.value).splitlines()[1:]) == {"Traceback", "KeyError: 'shop'"}


def test_secrets_are_in_no_text(script: Script) -> None:
    script.says("read", "password is hunter2", error("wrong: hunter2", internal_message="hunter2"), code=1)
    texts: list[object] = []
    with pytest.raises(ConnectorError) as failure:
        texts.extend(connector(script, "hunter2").read({}, CATALOG, None))
    assert "hunter2" not in str([*texts, str(failure.value), failure.value.internal])


def test_secrets_are_in_no_text_that_is_cut_or_written_as_json(script: Script) -> None:
    secret = 'hunter"2-is-long'
    near_the_end = "x" * (LONGEST_TEXT - 8)
    lines = (f"{near_the_end}{secret}", f"config: {json.dumps(secret)}", error(near_the_end + secret))
    script.says("read", *lines, stderr=near_the_end + secret, code=1)
    texts: list[object] = []
    with pytest.raises(ConnectorError) as failure:
        texts.extend(connector(script, secret).read({}, CATALOG, None))
    assert "hunter" not in str([*texts, str(failure.value)])
    assert len(str(failure.value)) == LONGEST_TEXT


def test_a_lot_on_standard_error_blocks_nothing(script: Script) -> None:
    script.says("read", record("users", id=1), stderr="x" * 1_000_000)
    assert len(read(script)) == 1


def test_a_command_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match="cannot be run"):
        RealConnector(tmp_path / "none").check({})


def test_a_connector_that_does_not_answer_is_an_error(script: Script) -> None:
    script.says("check")
    with pytest.raises(ConnectorError, match="sent no answer to check"):
        connector(script).check({})


def test_a_failed_check_says_why(script: Script) -> None:
    script.says("check", {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "FAILED", "message": "no x1"}})
    assert connector(script, "x1").check({}) == "no **********"


def test_who_stops_listening_leaves_no_process_and_no_file(script: Script) -> None:
    script.says("read", record("users", id=1), hangs=True)
    messages = connector(script).read({}, CATALOG, None)
    next(messages)
    pids = script.pids()
    messages.close()
    assert not any(is_alive(pid) for pid in pids)
    assert not Path(script.seen()["folder"]).exists()


def test_a_halt_ends_the_connector_and_its_children(script: Script) -> None:
    script.says("read", hangs=True)
    cancellation, outcome = Cancellation(), []

    def work() -> None:
        try:
            list(connector(script, cancellation=cancellation).read({}, CATALOG, None))
        except Cancelled:
            outcome.append("cancelled")

    thread = Thread(target=work)
    thread.start()
    pids = script.pids()
    cancellation.cancel()
    thread.join(30)
    assert outcome == ["cancelled"]
    assert not any(is_alive(pid) for pid in pids)


def test_cancelled_work_does_not_start(script: Script) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        connector(script, cancellation=cancellation).check({})
