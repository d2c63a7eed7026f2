"""What is as the program says stays as it is, however often it is asked for."""

import sys
from pathlib import Path

from airbyte_twin.testing import RunningTwin

from tests.engine.harness import Pulumi

ROUNDS = 20
PROGRAM = """
import pulumi
import pulumi_airbyte as airbyte

team = airbyte.Workspace("team", notifications={"failure": {"email": {"enabled": False}}})
source = airbyte.Source(
    "shop",
    workspace_id=team.workspace_id,
    configuration={
        "sourceType": "shopify",
        "shop": "example",
        "credentials": {"auth_method": "api_password", "api_password": pulumi.Output.secret("a-password")},
    },
)
destination = airbyte.Destination(
    "nowhere",
    workspace_id=team.workspace_id,
    definition_id="a7bcc9d8-13b3-4e49-b80d-d020b90045e3",
    configuration={"test_destination": {"test_destination_type": "SILENT"}},
)
airbyte.Connection(
    "shop",
    source_id=source.source_id,
    destination_id=destination.destination_id,
    configurations=airbyte.ConnectionConfigurationsArgs(
        [
            airbyte.ConnectionConfigurationsStreamArgs(
                "orders", sync_mode="incremental_append", selected_fields=["updated_at", "id"]
            ),
            airbyte.ConnectionConfigurationsStreamArgs("customers"),
        ]
    ),
    schedule=airbyte.ConnectionScheduleArgs("cron", "0 0 3 * * ?"),
)
"""


def test_twenty_previews_and_ups_change_nothing_and_call_nothing(
    tmp_path: Path, engine: list[Path], twin: RunningTwin
) -> None:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.environment["AIRBYTE_SERVER_URL"] = twin.public_url
    pulumi.program(PROGRAM)
    pulumi.up().ok()
    twin.clear_calls()

    for _ in range(ROUNDS):
        assert pulumi.preview("--json").ok().changes() == ()
        assert pulumi.up("--json").ok().changes() == ()

    assert twin.calls() == []
