"""`lotus audit` as a user runs it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.lab import Lab
from tests.support.commands import Lotus, lotus_in, stand_in_engine, write_stack


def export(lab: Lab, *types: str) -> dict[str, Any]:
    """What `pulumi stack export` prints of a stack that has the live objects of these kinds."""
    lists = {
        "source": [(each.actor_id, each.name) for each in lab.airbyte.list_actors("source")],
        "destination": [(each.actor_id, each.name) for each in lab.airbyte.list_actors("destination")],
        "connection": [(each.connection_id, each.name) for each in lab.airbyte.list_connections()],
    }
    resources = [
        {
            "urn": f"urn:pulumi:dev::lotus::{kind}::{name}",
            "type": f"airbyte:index/{kind}:{kind.title()}",
            "id": identity,
        }
        for kind in types
        for identity, name in lists[kind]
    ]
    stack = {"urn": "urn:pulumi:dev::lotus::pulumi:pulumi:Stack::lotus-dev", "type": "pulumi:pulumi:Stack"}
    return {"version": 3, "deployment": {"resources": [stack, *resources]}}


@pytest.fixture
def lotus(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs the command beside the lake; `pulumi` prints the file `export.json`, or fails without it."""
    write_stack(tmp_path, "dev", lab.values)
    script = "cat export.json 2>/dev/null || { echo \"error: no stack named 'dev' found\" >&2; exit 255; }"
    stand_in_engine(tmp_path, monkeypatch, script)
    return lotus_in(tmp_path, monkeypatch, "audit")


def test_everything_that_the_stack_has_is_well(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "export.json").write_text(json.dumps(export(lab, "source", "destination", "connection")))
    assert lotus("--strict", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    assert {each["standing"] for each in document["objects"]} == {"managed"}
    assert len(document["objects"]) == 5


def test_what_the_stack_lacks_is_told_with_what_to_do(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.deploy("Elsewhere", lab.airbyte.list_actors("destination")[0].actor_id)
    (tmp_path / "export.json").write_text(json.dumps(export(lab, "destination")))
    assert lotus() == 0
    told = capsys.readouterr().out
    assert "\nsource Elsewhere: no file of the lake describes it" in told
    assert told.endswith("\n7 objects: 1 managed, 4 adoptable, 2 orphan\n")
    assert lotus("--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert lotus("--strict", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["counts"]) == (False, {"managed": 1, "adoptable": 4, "orphan": 2})
    objects = document["objects"]
    assert [(each["standing"], each["name"]) for each in objects] == [
        ("managed", "S3"),
        ("adoptable", "Shop → S3"),
        ("adoptable", "Store → S3"),
        ("adoptable", "Shop"),
        ("adoptable", "Store"),
        ("orphan", "Elsewhere → S3"),
        ("orphan", "Elsewhere"),
    ]
    [shop] = [each for each in objects if each["name"] == "Shop"]
    assert f"pulumi import airbyte:index/source:Source shop {shop['id']}" in shop["remedy"]


def test_a_state_that_cannot_be_read_is_one_error_that_says_how_to_do_without(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus() == 1
    told = capsys.readouterr().err
    assert "the state of the stack dev can't be read: no stack named 'dev' found" in told
    assert "--no-state" in told

    assert lotus("--no-state", "--json") == 0
    objects = json.loads(capsys.readouterr().out)["objects"]
    assert {each["standing"] for each in objects} == {"adoptable"}
    assert lab.twin.calls()


def test_a_missing_pulumi_is_one_error(
    lotus: Lotus, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert lotus() == 1
    assert "there is no pulumi on PATH" in capsys.readouterr().err
