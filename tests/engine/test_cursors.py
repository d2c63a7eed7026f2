"""A connection that is replaced goes on where the old one was: swapped sources, and the engine's own words."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.harness import Pulumi
from tests.engine.lake import call

PROGRAM = """
import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
workspace_id = config.require("workspace")
source = airbyte.Source(
    config.require("source"),
    workspace_id=workspace_id,
    definition_id="dfd88b22-b603-4c3d-aad7-3701784586b1",
    configuration={"count": 10},
)
destination = airbyte.Destination(
    "nowhere",
    workspace_id=workspace_id,
    definition_id="a7bcc9d8-13b3-4e49-b80d-d020b90045e3",
    configuration={"test_destination": {"test_destination_type": "SILENT"}},
)
connection = airbyte.Connection(
    "made-up",
    source_id=source.source_id,
    destination_id=destination.destination_id,
    configurations=airbyte.ConnectionConfigurationsArgs(
        [
            airbyte.ConnectionConfigurationsStreamArgs("users", config.get("mode") or "incremental_append"),
            airbyte.ConnectionConfigurationsStreamArgs("products", "incremental_append"),
        ]
    ),
)
pulumi.export("connection", connection.connection_id)
"""


@pytest.fixture
def running() -> Iterator[RunningTwin]:
    """An Airbyte that carries syncs out."""
    with running_twin(run_syncs=True, first_records=50, later_records=5) as twin:
        yield twin


@pytest.fixture
def project(tmp_path: Path, engine: list[Path], running: RunningTwin) -> Pulumi:
    """A made-up source's two streams, read once."""
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.program(PROGRAM)
    pulumi.environment["AIRBYTE_SERVER_URL"] = running.public_url
    pulumi.environment["AIRBYTE_RETRY_BASE_SECONDS"] = "0"
    pulumi.environment["AIRBYTE_POLL_SECONDS"] = "0.05"
    pulumi.config_set("workspace", running.workspace_id)
    pulumi.config_set("source", "first")
    pulumi.up().ok()
    synced(running, pulumi.outputs()["connection"])
    return pulumi


def synced(twin: RunningTwin, connection_id: str) -> dict[str, Any]:
    """A sync, carried out."""
    job = call(twin, "POST", "/jobs", {"connectionId": connection_id, "jobType": "sync"})
    twin.settle()
    done = call(twin, "GET", f"/jobs/{job['jobId']}")
    assert done["status"] == "succeeded"
    return done


def cursors(twin: RunningTwin, connection_id: str) -> list[dict[str, Any]]:
    answer = httpx.post(f"{twin.config_url}/state/get", json={"connectionId": connection_id}).raise_for_status()
    return sorted(answer.json()["streamState"], key=lambda row: str(row["streamDescriptor"]["name"]))


def test_another_source_is_read_from_the_last_cursor_on(project: Pulumi, running: RunningTwin) -> None:
    old = project.outputs()["connection"]
    before = cursors(running, old)
    project.config_set("source", "second")

    assert "cursors kept: products, users" in project.preview().ok().stdout
    project.up().ok()

    new = project.outputs()["connection"]
    assert new != old
    assert cursors(running, new) == before
    assert call(running, "GET", f"/connections/{old}")["status"] == "deprecated"
    assert call(running, "GET", f"/connections/{new}")["status"] == "active"
    assert synced(running, new)["rowsSynced"] < 50
    assert project.preview("--json", "--refresh").ok().changes() == ()


def test_a_cursor_is_not_lost_unasked_and_a_broken_handover_is_finished(project: Pulumi, running: RunningTwin) -> None:
    old = project.outputs()["connection"]
    before = cursors(running, old)
    project.config_set("source", "second")
    project.config_set("mode", "full_refresh_overwrite")

    assert "lost: users (its sync mode changes)" in project.preview().ok().stdout
    assert "would lose cursors: users (its sync mode changes)" in project.up().failed().output
    assert call(running, "GET", f"/connections/{old}")["status"] == "active"
    assert cursors(running, old) == before

    project.config_set("mode", "incremental_append")
    fault = {"method": "POST", "path": "create_or_update_safe", "status": 500}
    httpx.post(f"{running.url}/_twin/faults", json=fault).raise_for_status()
    project.up().failed()
    assert [step.op for step in project.preview("--json").ok().changes() if step.name == "made-up"] != []
    project.up().ok()

    assert cursors(running, project.outputs()["connection"]) == before
    assert len([one for one in running.store.connections if one.status == "active"]) == 1
    assert project.preview("--json", "--refresh").ok().changes() == ()
