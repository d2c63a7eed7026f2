"""Streams of one name, and streams with a secret key, on the real engine."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airbyte_twin.testing import RunningTwin, running_twin

from lotus_infra.plan.analysis import SECRET_STREAMS, impact_of
from lotus_infra.plan.preview import read_preview
from tests.engine.harness import JsonObject, Pulumi
from tests.provider.lab import LAB_DESTINATION, LAB_SOURCE, with_lab
from tests.support.jobs import ending

PROGRAM = f"""
import json
import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
there = airbyte.Provider("there", server_url=config.require("url"))
opts = pulumi.ResourceOptions(provider=there)
team = airbyte.Workspace("team", opts=opts)
lab = {{"host": "lab.example.com", "credentials": {{"method": "token", "token": config.require_secret("token")}}}}
source = airbyte.Source(
    "lab", workspace_id=team.workspace_id, definition_id="{LAB_SOURCE}", configuration=lab, opts=opts
)
sink = airbyte.Destination(
    "lab", workspace_id=team.workspace_id, definition_id="{LAB_DESTINATION}", configuration={{"path": "raw"}}, opts=opts
)
aes = config.get("aes") if config.get_bool("readable") else config.get_secret("aes")
if config.get_bool("late"):
    aes = pulumi.Output.all(aes, team.workspace_id).apply(lambda both: both[0])


def encrypting():
    return airbyte.ConnectionConfigurationsStreamMapperArgs(
        "encryption",
        {{
            "algorithm": "AES",
            "mode": "CBC",
            "padding": "PKCS5Padding",
            "key": aes,
            "targetField": "name",
            "fieldNameSuffix": "_encrypted",
        }},
    )


def stream(said):
    mappers = [encrypting()] if said.pop("encrypted", False) else None
    return airbyte.ConnectionConfigurationsStreamArgs(
        sync_mode="incremental_append", cursor_field=["updated_at"], mappers=mappers, **said
    )


airbyte.Connection(
    "lab",
    source_id=source.source_id,
    destination_id=sink.destination_id,
    configurations=airbyte.ConnectionConfigurationsArgs(list(map(stream, json.loads(config.require("streams"))))),
    opts=opts,
)
"""
CONNECTION = "airbyte:index/connection:Connection"
KEY, OTHER_KEY = "000102030405060708090a0b0c0d0e0f", "f0e0d0c0b0a090807060504030201000"
LEFT, RIGHT = ({"name": "twice", "namespace": space} for space in ("left", "right"))
DOTTED = {"name": "left.twice", "namespace": "odd"}
LEFT_KEY = '["left","twice"]'


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[RunningTwin]:
    (tmp_path / "twin").mkdir()
    with running_twin(data_dir=with_lab(tmp_path / "twin")) as twin:
        yield twin


@pytest.fixture
def project(tmp_path: Path, engine: list[Path], lab: RunningTwin) -> Pulumi:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.program(PROGRAM)
    pulumi.config_set("url", lab.public_url)
    pulumi.config_set("token", "a-made-up-token", secret=True)
    return pulumi


def say(project: Pulumi, *streams: JsonObject) -> None:
    project.config_set("streams", json.dumps(streams))


def assert_clean(project: Pulumi) -> None:
    assert project.preview("--json", "--refresh", "--expect-no-changes").ok().changes() == ()


def state_of(project: Pulumi) -> JsonObject:
    [found] = [one for one in project.checkpoint()["resources"] if one["type"] == CONNECTION]
    return dict(found)


def as_before(project: Pulumi, keys: dict[str, str]) -> None:
    """Give the connection of the state the keys of streams that an earlier version wrote."""
    exported = project.run("stack", "export").ok().json()
    for one in exported["deployment"]["resources"]:
        if one["type"] == CONNECTION:
            for part, name in (("inputs", "backfills"), ("outputs", "backfills"), ("outputs", "backfillResults")):
                if name in one[part]:
                    one[part][name] = {keys.get(key, key): value for key, value in one[part][name].items()}
    file = project.project / "state.json"
    file.write_text(json.dumps(exported), encoding="utf-8")
    project.run("stack", "import", "--file", str(file)).ok()


def test_a_second_stream_of_a_name_is_one_stream_more_also_in_a_state_of_an_earlier_version(
    project: Pulumi, lab: RunningTwin
) -> None:
    say(project, LEFT)
    project.up().ok()
    say(project, LEFT | {"backfill": "t1"})
    with ending(lab) as jobs:
        project.up().ok()
        assert jobs.asked == [("refresh", "merge", ["twice"])]
        as_before(project, {LEFT_KEY: "twice"})
        assert state_of(project)["inputs"]["backfills"] == {"twice": "t1"}
        assert_clean(project)

        say(project, LEFT | {"backfill": "t1"}, RIGHT, DOTTED)
        preview = project.preview("--diff").ok().output
        assert "+ stream left.twice (namespace odd); + stream twice (namespace right)" in preview
        [step] = project.preview("--json").ok().changes()
        assert (step.op, list(step.detailed)) == ("update", ["configurations"])
        project.up().ok()
        assert len(jobs.asked) == 1
    assert state_of(project)["inputs"]["backfills"] == {LEFT_KEY: "t1"}
    assert_clean(project)


def shows(project: Pulumi, *secrets: str) -> list[str]:
    """Which of these stand readable in the state."""
    text = json.dumps(project.checkpoint())
    return [secret for secret in secrets if secret in text]


def set_key(project: Pulumi, key: str, **settings: Any) -> None:
    project.config_set("aes", key, secret=True)
    for name, value in settings.items():
        project.config_set(name, value)


def test_a_mappers_key_is_secret_in_plan_and_state(project: Pulumi, lab: RunningTwin) -> None:
    set_key(project, KEY, late="true")
    say(project, RIGHT, LEFT | {"encrypted": True})
    assert KEY not in project.preview("--diff").ok().output
    project.up().ok()
    assert shows(project, KEY) == []
    assert_clean(project)

    set_key(project, OTHER_KEY)
    told = project.preview("--diff").ok().output
    assert "twice (namespace left): ~ mappers" in told
    previewed = project.preview("--json").ok()
    updated = project.up("--diff").ok().output
    assert [key for key in (KEY, OTHER_KEY) if key in told + previewed.output + updated] == []
    assert shows(project, KEY, OTHER_KEY) == []
    [impact] = impact_of(read_preview(previewed.stdout)).sources
    assert SECRET_STREAMS in impact.connections[0].remarks
    assert_clean(project)


def test_a_readable_key_comes_to_be_secret_without_a_difference(project: Pulumi, lab: RunningTwin) -> None:
    set_key(project, KEY, readable="true")
    say(project, LEFT | {"encrypted": True})
    told = project.up("--diff").ok().output
    assert KEY not in told
    assert shows(project, KEY) == []

    exported = project.run("stack", "export", "--show-secrets").ok().json()
    for one in exported["deployment"]["resources"]:
        if one["type"] == CONNECTION:
            one["inputs"]["configurations"] = json.loads(one["inputs"]["configurations"]["plaintext"])
    file = project.project / "state.json"
    file.write_text(json.dumps(exported), encoding="utf-8")
    project.run("stack", "import", "--file", str(file)).ok()
    assert shows(project, KEY) == [KEY]
    assert_clean(project)
    assert "unchanged" in project.up().ok().output
    assert shows(project, KEY) == []
