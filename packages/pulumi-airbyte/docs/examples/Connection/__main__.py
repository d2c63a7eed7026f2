"""Two streams of made-up rows every hour, into nowhere."""

import pulumi
import pulumi_airbyte as airbyte

workspace_id = airbyte.get_workspace().workspace_id
faker = airbyte.Source(
    "faker",
    workspace_id=workspace_id,
    definition_id=airbyte.get_connector_definition("source-faker").definition_id,
    configuration={"count": 1000},
)
nowhere = airbyte.Destination(
    "nowhere",
    workspace_id=workspace_id,
    definition_id=airbyte.get_connector_definition("destination-dev-null").definition_id,
    configuration={"test_destination": {"test_destination_type": "SILENT"}},
)
hourly = airbyte.Connection(
    "hourly",
    source_id=faker.source_id,
    destination_id=nowhere.destination_id,
    schedule=airbyte.ConnectionScheduleArgs("cron", "0 0 * * * ?"),
    configurations=airbyte.ConnectionConfigurationsArgs(
        [
            airbyte.ConnectionConfigurationsStreamArgs(
                "users", "incremental_append", selected_fields=["id", "name", "email", "updated_at"]
            ),
            airbyte.ConnectionConfigurationsStreamArgs("purchases", "incremental_append"),
        ]
    ),
)
pulumi.export("connection", hourly.connection_id)
