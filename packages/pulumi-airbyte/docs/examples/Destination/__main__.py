"""A bucket, whose keys are secrets of the stack."""

import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
landing = airbyte.Destination(
    "landing",
    workspace_id=airbyte.get_workspace().workspace_id,
    definition_id=airbyte.get_connector_definition("destination-s3").definition_id,
    configuration={
        "s3_bucket_name": "landing",
        "s3_bucket_path": "raw",
        "s3_bucket_region": "us-west-1",
        "access_key_id": config.require_secret("accessKeyId"),
        "secret_access_key": config.require_secret("secretAccessKey"),
        "format": {"format_type": "Parquet"},
    },
)
pulumi.export("destination", landing.destination_id)
