"""What only the Config API writes, and what Airbyte changes by itself, on the real engine."""

import sys
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin

from tests.engine.harness import Pulumi
from tests.engine.lake import Lake, call, config_call, drift

PROGRAM = """
import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
workspace = airbyte.get_workspace()
source = airbyte.Source(
    "made-up",
    workspace_id=workspace.workspace_id,
    definition_id=airbyte.get_connector_definition("source-faker").definition_id,
    configuration={"count": 10},
)
destination = airbyte.Destination(
    "nowhere",
    workspace_id=workspace.workspace_id,
    definition_id=airbyte.get_connector_definition("destination-dev-null").definition_id,
    configuration={"test_destination": {"test_destination_type": "SILENT"}},
)
airbyte.Connection(
    "made-up",
    source_id=source.source_id,
    destination_id=destination.destination_id,
    configurations=airbyte.ConnectionConfigurationsArgs(
        [airbyte.ConnectionConfigurationsStreamArgs("users", selected_fields=["id", "name"])]
    ),
    non_breaking_schema_updates_behavior="propagate_columns",
    opts=pulumi.ResourceOptions(ignore_changes=config.get_object("ignored")),
)
"""


def test_an_interval_a_zone_and_notices_are_clean_after_up_and_drift_is_seen(lake: Lake) -> None:
    zoned = {"type": "cron", "cron": "0 0 6 * * ?", "time_zone": "Europe/Berlin"}
    lake.edit("faker/_source.json", lambda source: source.update(schedule=zoned, notify_schema_changes=True))
    lake.edit("shopify/_source.json", lambda source: source.update(schedule={"type": "basic", "every": "1 hours"}))
    lake.pulumi.up().ok()
    faker, shopify = lake.one("connections", "Faker → S3"), lake.one("connections", "Shopify → S3")
    assert shopify["schedule"] == {"scheduleType": "basic", "basicTiming": "Every 1 HOURS"}
    assert faker["schedule"] == {"scheduleType": "cron", "cronExpression": "0 0 6 * * ? Europe/Berlin"}
    assert lake.changes("--refresh") == []

    edited = {"connectionId": faker["connectionId"], "notifySchemaChanges": False}
    config_call(lake.twin, "/connections/update", edited)
    every = {"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": "days", "units": 1}}}
    config_call(lake.twin, "/connections/update", {"connectionId": shopify["connectionId"], **every})

    assert lake.changes("--refresh") == [("update", "Connection", "faker"), ("update", "Connection", "shopify")]
    lake.pulumi.up("--refresh").ok()
    assert lake.changes("--refresh") == []
    assert lake.one("connections", "Shopify → S3") == shopify


@pytest.fixture
def project(tmp_path: Path, engine: list[Path], twin: RunningTwin) -> Pulumi:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.environment["AIRBYTE_SERVER_URL"] = twin.public_url
    pulumi.program(PROGRAM)
    return pulumi


def test_what_airbyte_changes_by_itself_is_shown_and_can_be_left_to_it(project: Pulumi, twin: RunningTwin) -> None:
    project.up().ok()
    [connection] = call(twin, "GET", "/connections")["data"]
    known = {"connectionId": connection["connectionId"]}
    drift(twin, "connection_status", status="inactive", breakingChange=True, **known)
    drift(twin, "propagate_column", stream="users", field="tier", **known)

    shown = project.refresh().ok().output
    assert "it is switched off in Airbyte, where a breaking change of the source's schema needs a review" in shown
    assert "field tier of users was added in Airbyte (propagate_columns adds what the source gains)" in shown
    [step] = project.preview("--json").ok().changes()
    assert (step.op, set(step.diffs)) == ("update", {"configurations", "status"})

    project.run("config", "set", "--path", "ignored[0]", "configurations").ok()
    [step] = project.preview("--json").ok().changes()
    assert (step.op, set(step.diffs)) == ("update", {"status"})
    project.run("config", "set", "--path", "ignored[1]", "status").ok()
    assert project.preview("--json").ok().changes() == ()
