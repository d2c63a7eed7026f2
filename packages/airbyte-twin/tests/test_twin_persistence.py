"""Saving to a folder and the command line."""

import json
import shutil
import signal
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from airbyte_twin.persistence import Saver
from airbyte_twin.records import Secret
from airbyte_twin.store import Store
from lab_connectors import LAB_CONNECTORS
from twin_support import COMMAND, Api, command, fields, serving, stream


def failed(*arguments: str) -> str:
    """What the command says when it ends with 1."""
    done = subprocess.run([*COMMAND, *arguments], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def world(api: Api) -> Any:
    """All that the public API shows."""
    lists = ("/sources", "/destinations", "/connections", "/workspaces", "/jobs")
    return [api.get(path, **({} if path == "/jobs" else {"includeDeleted": "true"})) for path in lists]


def populate(api: Api) -> Any:
    """Some of everything."""
    tag = api.post("/tags", {"name": "t", "color": "000000", "workspaceId": api.twin.workspace_id})
    connection = api.connection(stream(selectedFields=fields("id", "updated_at")), tags=[tag])
    state = {"stateType": "stream", "connectionId": connection["connectionId"]}
    states = [{"streamDescriptor": {"name": "orders"}, "streamState": {"a": None}}]
    body = {"connectionId": connection["connectionId"], "connectionState": {**state, "streamState": states}}
    api.config("/state/create_or_update_safe", body)
    api.post("/jobs", {"connectionId": connection["connectionId"], "jobType": "sync"})
    change = {"kind": "propagate_column", "connectionId": connection["connectionId"], "stream": "orders", "field": "x"}
    api.control("POST", "/drift", change, 204)
    api.delete(f"/sources/{api.source()['sourceId']}")
    return connection


def test_a_twin_comes_back_as_it_was(tmp_path: Path) -> None:
    with serving(data_dir=tmp_path) as api:
        connection = populate(api)
        before = world(api)
    with serving(data_dir=tmp_path) as api:
        assert world(api) == before
        sent = {"connectionId": connection["connectionId"]}
        assert api.config("/state/get", sent)["streamState"][0]["streamState"] == {"a": None}
        assert api.delete("/jobs/1", 200)["status"] == "cancelled"
        assert api.post("/jobs", {**sent, "jobType": "sync"})["jobId"] == 2


def test_a_write_is_saved_before_it_is_answered(tmp_path: Path) -> None:
    with serving(data_dir=tmp_path) as api:
        source = api.source()["sourceId"]
        assert source in (tmp_path / "state.json").read_text()


def test_secrets_lie_apart_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    with serving(data_dir=tmp_path, client_secret="application-secret") as api:
        populate(api)
    state = (tmp_path / "state.json").read_text()
    for secret in ("first-password", "first-key", "first-secret", "application-secret"):
        assert secret not in state
        assert secret in (tmp_path / "secrets.json").read_text()
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_restored_secret_is_still_known(tmp_path: Path) -> None:
    with serving(data_dir=tmp_path) as api:
        source = api.source()
    with serving(data_dir=tmp_path) as api:
        api.put(f"/sources/{source['sourceId']}", {"name": "x", "configuration": source["configuration"]})
        assert [secret.value for secret in api.twin.store.secrets] == ["first-password"]


def test_new_settings_win_over_what_was_saved(tmp_path: Path) -> None:
    with serving(data_dir=tmp_path, auth="client_credentials"):
        pass
    other = "11111111-1111-4111-8111-111111111111"
    with serving(data_dir=tmp_path, workspace_id=other, client_secret="new") as api:
        assert {each["workspaceId"] for each in api.get("/workspaces")["data"]} > {other}
        assert [each["clientSecret"] for each in api.get("/applications")["applications"]] == ["new"]


def test_saving_rests_ten_times_as_long_as_it_took(tmp_path: Path) -> None:
    now = iter([0.0, 0.0, 1.0, 5.0, 12.0, 12.0, 12.5])
    store = Store()
    saver = Saver(store, tmp_path, lambda: next(now))
    store.secrets.put(Secret(id="a", value="1"))
    assert saver.save_if_due() == 0
    assert saver.save_if_due() == 0
    store.secrets.put(Secret(id="b", value="2"))
    assert saver.save_if_due() == 6.0
    assert "2" not in [each["value"] for each in json.loads((tmp_path / "secrets.json").read_text())["secrets"]]
    assert saver.save_if_due() == 0
    assert "2" in [each["value"] for each in json.loads((tmp_path / "secrets.json").read_text())["secrets"]]


def test_connector_files_add_and_override(tmp_path: Path) -> None:
    folder = tmp_path / "connectors"
    folder.mkdir()
    (folder / "lab.json").write_text(json.dumps(LAB_CONNECTORS[0]))
    shopify = {**LAB_CONNECTORS[0], "definition_id": "9da77001-af33-4bcd-be46-6252bf9342b9", "type": "shopify"}
    (folder / "shopify.json").write_text(json.dumps(shopify))
    with serving(data_dir=tmp_path) as api:
        source = api.source()["sourceId"]
        assert "bare" in {each["streamName"] for each in api.get("/streams", sourceId=source)}


def test_the_command_prints_its_address_once_it_answers_and_ends_cleanly(tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with command("--port", "0", "--auth", "none", "--data-dir", str(tmp_path / "new")) as (process, url):
            assert httpx.get(url + "/api/public/v1/health", trust_env=False, verify=False).status_code == 200
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
            assert (process.returncode, out, err) == (0, "", "")
        assert (tmp_path / "new" / "state.json").exists()


def test_the_command_takes_its_options() -> None:
    workspace = "22222222-2222-4222-8222-222222222222"
    options = ["--client-id", "me", "--client-secret", "s", "--token-lifetime", "5", "--edition", "cloud"]
    with command("--port", "0", "--auth", "client_credentials", *options, "--workspace-id", workspace) as (_, url):
        asked = {"client_id": "me", "client_secret": "s"}
        answer = httpx.post(url + "/api/public/v1/applications/token", data=asked, trust_env=False, verify=False).json()
        assert answer["expires_in"] == 5
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False, verify=False) as http:
            assert http.get("/api/v1/instance_configuration").json()["edition"] == "pro"
            assert http.get(f"/api/public/v1/workspaces/{workspace}").status_code == 200


def test_a_taken_port_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"cannot listen on 127.0.0.1:{port}" in failed("--port", port)


@pytest.mark.parametrize("name", ["state.json", "secrets.json"])
@pytest.mark.parametrize("content", ["", "{", '{"version": 2}', "[]"])
def test_a_damaged_state_is_one_clear_error(tmp_path: Path, name: str, content: str) -> None:
    with serving(data_dir=tmp_path):
        pass
    (tmp_path / name).write_text(content)
    message = failed("--port", "0", "--data-dir", str(tmp_path))
    assert name in message
    assert "move it away" in message


@pytest.mark.parametrize("content", ["", "[]", '{"kind": "source"}'])
def test_a_bad_connector_file_is_one_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors" / "mine.json").write_text(content)
    assert "mine.json: not a connector" in failed("--port", "0", "--data-dir", str(tmp_path))


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be created" in failed("--port", "0", "--data-dir", str(tmp_path / "file" / "folder"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "0", "--host", "0.0.0.0"],
        ["--port", "0", "--host", "example"],
        ["--port", "0", "--workspace-id", "x"],
        ["--port", "70000"],
        [],
    ],
)
def test_wrong_options_are_refused(arguments: list[str]) -> None:
    done = subprocess.run([*COMMAND, *arguments], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "Error: " in done.stderr


@pytest.mark.parametrize("name", ["state.json", "secrets.json"])
def test_a_state_that_cannot_be_read_is_one_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert f"{name}: cannot be read" in failed("--port", "0", "--data-dir", str(tmp_path))


def test_a_second_twin_is_kept_out_of_the_folder_of_the_first(tmp_path: Path) -> None:
    with command("--port", "0", "--data-dir", str(tmp_path)):
        assert "in use by another twin" in failed("--port", "0", "--data-dir", str(tmp_path))


def test_a_twin_ends_with_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with command("--port", "0", "--data-dir", str(folder)) as (process, _):
        shutil.rmtree(folder)
        assert process.wait(30) == 0
        assert not folder.exists()


def test_a_state_that_cannot_be_written_at_the_end_is_one_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with command("--port", "0", "--data-dir", str(folder)) as (process, _):
        (folder / "state.json").mkdir()
        process.terminate()
        _, err = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "cannot be written" in err
        assert "Traceback" not in err
