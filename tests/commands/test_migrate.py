"""`lotus migrate` as a user runs it."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import pytest

from lotus_infra.lake.report import check_lake
from tests.commands.lab import Lab
from tests.support import terraform as made
from tests.support.commands import Lotus, lotus_in, write_stack


@pytest.fixture
def lotus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs the command in an empty project that has no engine."""
    for variable in ("AIRBYTE_SERVER_URL", "AIRBYTE_WORKSPACE_ID"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", "")
    return lotus_in(tmp_path, monkeypatch, "migrate")


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_a_dry_run_writes_nothing_and_only_reads(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack(tmp_path, "dev", lab.values)
    before = files(tmp_path)

    assert lotus("--from", "live", "--into", "lake", "--json") == 0

    found = document(capsys)
    assert (found["ok"], found["written"]) == (True, False)
    assert {"lake/shop/users.json", "lake/store/_source.json", "import.json"} <= set(found["files"])
    assert {(each["kind"], each["name"]) for each in found["imports"]} == {
        ("destination", "s3"),
        ("source", "shop"),
        ("connection", "shop"),
        ("source", "store"),
        ("connection", "store"),
    }
    assert files(tmp_path) == before
    assert {call.path.rsplit("/", 1)[-1] for call in lab.twin.calls() if call.method != "GET"} == {
        "list",
        "get",
        "discover_schema",
        "list_for_workspace",
    }


@pytest.mark.parametrize("answer", [True, False])
def test_a_person_at_a_terminal_sees_the_plan_and_is_asked(
    lab: Lab,
    lotus: Lotus,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    answer: bool,
) -> None:
    write_stack(tmp_path, "dev", lab.values)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: answer)

    assert lotus("--from", "live", "--into", "lake") == 0

    shown = capsys.readouterr().out
    assert "To be written:\n" in shown
    assert ("Written." in shown) is answer
    assert ("lake/shop/users.json" in files(tmp_path)) is answer


@pytest.mark.parametrize("stack", [("--stack", "dev"), ()], ids=["named", "the only one"])
def test_a_lake_outside_of_the_project_is_written_for_the_stack_of_the_folder_that_the_command_runs_in(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str], stack: tuple[str, ...]
) -> None:
    write_stack(tmp_path, "dev", lab.values)
    with TemporaryDirectory() as elsewhere:
        assert lotus("--from", "live", "--into", f"{elsewhere}/lake", "--json", *stack) == 0
        assert f"{elsewhere}/lake/shop/users.json" in document(capsys)["files"]


def test_a_lake_outside_of_the_project_is_written_for_the_stack_of_the_environment(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(tmp_path, "dev", lab.values)
    write_stack(tmp_path, "prod", {})
    monkeypatch.setenv("PULUMI_STACK", "dev")
    with TemporaryDirectory() as elsewhere:
        assert lotus("--from", "live", "--into", f"{elsewhere}/lake", "--json") == 0
        assert f"{elsewhere}/lake/shop/users.json" in document(capsys)["files"]


def test_a_stack_without_a_project_is_named_with_what_is_missing(
    lotus: Lotus,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setenv("PULUMI_STACK", "dev")
    assert lotus("--from", "live") == 1
    error = capsys.readouterr().err
    assert "no Pulumi.yaml is at or above" in error
    assert "the stack dev" in error
    assert "no stack is selected" not in error


def test_what_is_written_is_a_lake_and_is_written_once(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack(tmp_path, "dev", lab.values)
    # Two sources with streams of the same names, in the destination's own namespace.
    [store] = [each for each in lab.airbyte.list_connections() if each.name == "Store → S3"]
    lab.airbyte.patch_connection(store.connection_id, {"prefix": "store_"})

    assert lotus("--from", "live", "--into", "lake", "--yes") == 0

    assert "Written:\n" in capsys.readouterr().out
    assert check_lake(tmp_path / "lake").problems == ()
    after = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    assert lotus("--from", "live", "--into", "lake", "--yes", "--json") == 0
    assert document(capsys)["files"] == []
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == after


def test_a_live_connection_that_hashes_a_field_is_taken_over_and_what_files_lack_is_named(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack(tmp_path, "dev", lab.values)
    [shop] = [each for each in lab.airbyte.list_connections() if each.name == "Shop → S3"]
    hashing = {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"}
    users = {"name": "users", "syncMode": "full_refresh_append"}
    users["mappers"] = [{"type": "hashing", "mapperConfiguration": hashing}]  # type: ignore[assignment]
    [store] = [each for each in lab.airbyte.list_connections() if each.name == "Store → S3"]
    settings: Any = {"notifySchemaChangesByEmail": True, "backfillPreference": "enabled"}
    lab.airbyte.update_config_connection(store.connection_id, settings)
    lab.airbyte.patch_connection(shop.connection_id, {"configurations": {"streams": [users]}})

    assert lotus("--from", "live", "--into", "lake", "--json", "--yes") == 0

    found = document(capsys)
    assert {each["name"] for each in found["imports"]} == {"s3", "shop", "store"}
    assert "loses its notices by mail, its backfills of new columns" in [each["what"] for each in found["notes"]]
    written = json.loads((tmp_path / "lake" / "shop" / "users.json").read_text())
    assert written["mappers"] == [{"type": "hashing", "configuration": hashing}]
    assert "fields" not in written


def test_a_workspace_of_which_nothing_can_be_taken_over_is_an_error_that_says_so(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack(tmp_path, "dev", lab.values)
    for each in lab.airbyte.list_connections():
        lab.airbyte.delete_connection(each.connection_id)

    assert lotus("--from", "live", "--into", "lake", "--yes") == 1

    shown = capsys.readouterr().out
    assert "Not imported:\n" in shown
    assert shown.endswith("Error: nothing is taken over: none of the 3 objects above can be imported\n")
    assert lotus("--from", "live", "--into", "lake", "--json") == 1
    assert document(capsys)["ok"] is False
    assert not (tmp_path / "lake").exists()


def test_a_file_with_other_content_is_named_and_nothing_is_written(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack(tmp_path, "dev", lab.values)
    (tmp_path / "import.json").write_text("mine")

    assert lotus("--from", "live", "--into", "lake", "--yes") == 1

    assert "not overwritten:\n  import.json\n" in capsys.readouterr().out
    assert (tmp_path / "import.json").read_text() == "mine"
    assert not (tmp_path / "lake").exists()


def test_what_cannot_be_written_as_a_whole_is_not_written_at_all(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack(tmp_path, "dev", lab.values)
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "store").write_text("a file where a folder belongs")
    before = files(tmp_path)

    assert lotus("--from", "live", "--into", "lake", "--yes") == 1

    assert "can't be written" in capsys.readouterr().err
    assert files(tmp_path) == before
    assert not (tmp_path / "lake" / "shop").exists()


def test_a_state_of_another_airbyte_is_not_taken_for_one_whose_objects_are_gone(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack(tmp_path, "dev", lab.values)
    (tmp_path / "terraform.tfstate").write_text(made.whole())

    assert lotus("--from", "terraform.tfstate") == 1

    assert "no object of terraform.tfstate is in the workspace" in capsys.readouterr().err


def test_a_terraform_state_is_enough_where_nobody_can_be_asked(
    lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "terraform.tfstate").write_text(made.whole())

    assert lotus("--from", "terraform.tfstate", "--offline", "--yes") == 0

    told = capsys.readouterr().out
    assert "pulumi config set --secret lotus:shopify_api_password" in told
    assert f"pulumi config set lotus:workspaceId {made.WORKSPACE}" in told
    assert check_lake(tmp_path / "streams").problems == ()
    text = told + "".join((tmp_path / name).read_text() for name in files(tmp_path) if "tfstate" not in name)
    assert not [value for value in made.HIDDEN if value in text]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "nowhere.tfstate"), "nowhere.tfstate can't be read"),
        (("--from", "terraform.tfstate"), "or use the Terraform state only: --offline"),
        (("--from", "live"), "does not configure a connection to Airbyte"),
        (("--from", "two.tfstate", "--offline"), "the state has objects of 2 workspaces"),
    ],
)
def test_bad_input_is_one_error_that_says_what_to_do(
    lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    (tmp_path / "terraform.tfstate").write_text(made.whole())
    elsewhere = made.source(workspace_id="00000000-0000-4000-8000-000000000009")
    two = (made.resource("airbyte_source", made.source()), made.resource("airbyte_source", elsewhere, name="b"))
    (tmp_path / "two.tfstate").write_text(made.state(*two))

    assert lotus(*arguments) == 1

    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "streams").exists()
