"""An update on the real engine writes what the program has changed, and a partial `up` says what it leaves out."""

import sys
from pathlib import Path
from typing import Final

from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.harness import Pulumi
from tests.engine.lake import Document, call, drift
from tests.provider.lab import LAB_SOURCE, with_lab

TOKEN_PATH = "configuration.credentials.token"
THEIRS = "a-value-of-the-server"
ROTATING = """
import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
airbyte.Source(
    "rotating",
    workspace_id=config.require("workspace"),
    definition_id=config.require("definition"),
    configuration={
        "host": config.require("host"),
        "credentials": {"method": "token", "token": config.require_secret("token")},
    },
    opts=pulumi.ResourceOptions(ignore_changes=config.get_object("ignored") or []),
)
"""
CHAIN = """
import pulumi
import pulumi_airbyte as airbyte

workspace = airbyte.Workspace("lake", name="Lake")
source = airbyte.Source(
    "made-up",
    workspace_id=workspace.workspace_id,
    definition_id=airbyte.get_connector_definition("source-faker").definition_id,
    configuration={"count": 3},
)
destination = airbyte.Destination(
    "nowhere",
    workspace_id=workspace.workspace_id,
    definition_id=airbyte.get_connector_definition("destination-dev-null").definition_id,
    configuration={"test_destination": {"test_destination_type": "SILENT"}},
)
airbyte.Connection(
    "flow",
    source_id=source.source_id,
    destination_id=destination.destination_id,
    configurations=airbyte.ConnectionConfigurationsArgs(
        [airbyte.ConnectionConfigurationsStreamArgs("users", sync_mode="full_refresh_append")]
    ),
)
"""


def project(folder: Path, engine: list[Path], twin: RunningTwin, program: str) -> Pulumi:
    pulumi = Pulumi(folder, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.program(program)
    pulumi.environment["AIRBYTE_SERVER_URL"] = twin.public_url
    return pulumi


def the_source(twin: RunningTwin) -> Document:
    """The one source, with what stands behind its secret."""
    [source] = call(twin, "GET", "/sources")["data"]
    return call(twin, "GET", f"/sources/{source['sourceId']}?includeSecretCoordinates=true")


def test_a_token_that_the_server_rotates_and_the_program_ignores_is_never_overwritten(
    tmp_path: Path, engine: list[Path]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with running_twin(data_dir=with_lab(folder)) as twin:
        pulumi = project(tmp_path, engine, twin, ROTATING)
        values = {"workspace": twin.workspace_id, "definition": LAB_SOURCE, "host": "one"}
        plain = [f"--plaintext={name}={value}" for name, value in values.items()]
        pulumi.run("config", "set-all", *plain, "--secret=token=first-token-value").ok()
        pulumi.up().ok()
        pulumi.run("config", "set", "--path", "ignored[0]", TOKEN_PATH).ok()
        drift(twin, "rotate_secret", actorId=the_source(twin)["sourceId"], path=["credentials", "token"], value=THEIRS)
        rotated = the_source(twin)["configuration"]["credentials"]

        pulumi.config_set("host", "two")
        pulumi.config_set("token", "a-new-token-in-code", secret=True)
        assert [step.op for step in pulumi.preview("--json").ok().changes()] == ["update"]
        pulumi.up().ok()
        assert the_source(twin)["configuration"] == {"host": "two", "credentials": rotated}
        assert pulumi.preview("--json").ok().changes() == ()

        assert f"{TOKEN_PATH}: changed outside the program" in pulumi.refresh().ok().output
        assert pulumi.preview("--json").ok().changes() == ()
        pulumi.config_set("host", "three")
        pulumi.up("--refresh").ok()
        assert the_source(twin)["configuration"] == {"host": "three", "credentials": rotated}
        assert pulumi.preview("--json", "--refresh").ok().changes() == ()


# In this order, so that each finds what the one before has left.
LEFT_OUT: Final[list[tuple[list[str], dict[str, str]]]] = [
    (["**Connection::flow"], {"sourceId": "Source", "destinationId": "Destination"}),
    (["**Source::made-up"], {"workspaceId": "Workspace"}),
    (["**Workspace::lake", "**Source::made-up", "**Connection::flow"], {"destinationId": "Destination"}),
]


def test_an_up_that_leaves_out_what_a_target_needs_says_what_to_target_too(
    tmp_path: Path, engine: list[Path], twin: RunningTwin
) -> None:
    pulumi = project(tmp_path, engine, twin, CHAIN)
    for targets, missing in LEFT_OUT:
        shown = pulumi.up(*(f"--target={target}" for target in targets)).failed().output
        for name, kind in missing.items():
            assert f"property {name} value" in shown
            assert f"target that {kind} in the same run too (--target '**{kind}::<its name>')" in shown
        assert "Traceback" not in shown
    pulumi.up().ok()
    assert pulumi.preview("--json").ok().changes() == ()
