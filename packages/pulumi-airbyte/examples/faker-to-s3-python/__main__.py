"""Made-up users and purchases, as Parquet in a bucket, every hour."""

import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
team = airbyte.Workspace("team", name="Data team")

faker = airbyte.Source(
    "faker",
    workspace_id=team.workspace_id,
    definition_id=airbyte.get_connector_definition("source-faker").definition_id,
    configuration={"count": 1000, "seed": 7},
)

landing = airbyte.Destination(
    "landing",
    name="S3",
    workspace_id=team.workspace_id,
    definition_id=airbyte.get_connector_definition("destination-s3").definition_id,
    configuration={
        "s3_bucket_name": config.require("bucket"),
        "s3_bucket_path": "raw",
        "s3_bucket_region": config.require("region"),
        "access_key_id": config.require_secret("accessKeyId"),
        "secret_access_key": config.require_secret("secretAccessKey"),
        "format": {"format_type": "Parquet"},
    },
)

connection = airbyte.Connection(
    "faker",
    name="Faker → S3",
    source_id=faker.source_id,
    destination_id=landing.destination_id,
    schedule=airbyte.ConnectionScheduleArgs("cron", "0 0 * * * ?"),
    namespace_definition="custom_format",
    namespace_format="faker",
    configurations=airbyte.ConnectionConfigurationsArgs(
        [
            airbyte.ConnectionConfigurationsStreamArgs(
                "users", "incremental_append", selected_fields=["id", "name", "email", "updated_at"]
            ),
            airbyte.ConnectionConfigurationsStreamArgs("purchases", "incremental_append"),
        ]
    ),
)

pulumi.export("workspace", team.workspace_id)
pulumi.export("connection", connection.connection_id)
