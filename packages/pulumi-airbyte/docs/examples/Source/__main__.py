"""Made-up users and purchases."""

import pulumi
import pulumi_airbyte as airbyte

faker = airbyte.Source(
    "faker",
    workspace_id=airbyte.get_workspace().workspace_id,
    definition_id=airbyte.get_connector_definition("source-faker").definition_id,
    configuration={"count": 1000},
)
pulumi.export("source", faker.source_id)
