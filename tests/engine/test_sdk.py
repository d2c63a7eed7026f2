"""The SDK in a plain program that has nothing of a lake in it, against an Airbyte that asks for credentials."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.harness import Pulumi

PROGRAM = """
import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
there = airbyte.Provider(
    "there",
    server_url=config.require("url"),
    client_id=config.require("id"),
    client_secret=config.require_secret("secret"),
)
opts, asking = pulumi.ResourceOptions(provider=there), pulumi.InvokeOptions(provider=there)
team = airbyte.Workspace("team", name=config.get("team") or "Team", opts=opts)
source = airbyte.Source(
    "made-up",
    workspace_id=team.workspace_id,
    definition_id=airbyte.get_connector_definition("source-faker", opts=asking).definition_id,
    configuration={"count": 10},
    opts=opts,
)
destination = airbyte.Destination(
    "nowhere",
    workspace_id=team.workspace_id,
    definition_id=airbyte.get_connector_definition("destination-dev-null", opts=asking).definition_id,
    configuration={"test_destination": {"test_destination_type": "SILENT"}},
    opts=opts,
)
connection = airbyte.Connection(
    "made-up",
    source_id=source.source_id,
    destination_id=destination.destination_id,
    configurations=airbyte.ConnectionConfigurationsArgs(
        [airbyte.ConnectionConfigurationsStreamArgs("users", selected_fields=["id", "name"])]
    ),
    schedule=airbyte.ConnectionScheduleArgs("cron", "0 0 3 * * ?"),
    opts=opts,
)
pulumi.export("team", team.workspace_id)
pulumi.export("found", team.name.apply(lambda name: airbyte.get_workspace(name=name, opts=asking).workspace_id))
pulumi.export(
    "streams",
    source.source_id.apply(lambda id: [stream.stream_name for stream in airbyte.get_streams(id, opts=asking)]),
)
pulumi.export("connection", {"name": connection.name, "schedule": connection.schedule, "status": connection.status})
"""


@pytest.fixture
def closed_twin() -> Iterator[RunningTwin]:
    with running_twin(auth="client_credentials") as twin:
        yield twin


@pytest.fixture
def project(tmp_path: Path, engine: list[Path], closed_twin: RunningTwin) -> Pulumi:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.program(PROGRAM)
    pulumi.config_set("url", closed_twin.public_url)
    pulumi.config_set("id", closed_twin.client_id)
    pulumi.config_set("secret", closed_twin.client_secret, secret=True)
    return pulumi


def test_a_plain_program_makes_reads_and_removes_everything(project: Pulumi, closed_twin: RunningTwin) -> None:
    project.preview().ok()
    project.up().ok()

    outputs = project.outputs()
    assert outputs["found"] == outputs["team"]
    assert outputs["streams"] == ["products", "purchases", "users"]
    assert outputs["connection"]["name"] == "made-up"
    assert outputs["connection"]["schedule"] == {"scheduleType": "cron", "cronExpression": "0 0 3 * * ?"}
    assert project.preview("--json").ok().changes() == ()
    assert "unchanged" in project.refresh().ok().stdout

    project.config_set("team", "Other team")
    assert [step.op for step in project.preview("--json").ok().changes()] == ["update"]
    project.up().ok()
    project.destroy().ok()
    assert closed_twin.client_secret not in project.run("stack", "export").output


def test_wrong_credentials_are_one_clear_error(project: Pulumi) -> None:
    project.config_set("secret", "not-the-secret", secret=True)

    refused = project.up().failed().output

    assert "Check clientId and clientSecret" in refused
    assert "not-the-secret" not in refused
    assert "Traceback" not in refused
