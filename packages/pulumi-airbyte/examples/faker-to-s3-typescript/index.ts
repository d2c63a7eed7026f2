import * as airbyte from "@lotus-lake/pulumi-airbyte";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const team = new airbyte.Workspace("team", { name: "Data team" });

const faker = new airbyte.Source("faker", {
    workspaceId: team.workspaceId,
    definitionId: airbyte.getConnectorDefinitionOutput({ name: "source-faker" }).definitionId,
    configuration: { count: 1000, seed: 7 },
});

const landing = new airbyte.Destination("landing", {
    name: "S3",
    workspaceId: team.workspaceId,
    definitionId: airbyte.getConnectorDefinitionOutput({ name: "destination-s3" }).definitionId,
    configuration: {
        s3_bucket_name: config.require("bucket"),
        s3_bucket_path: "raw",
        s3_bucket_region: config.require("region"),
        access_key_id: config.requireSecret("accessKeyId"),
        secret_access_key: config.requireSecret("secretAccessKey"),
        format: { format_type: "Parquet" },
    },
});

const hourly = new airbyte.Connection("faker", {
    name: "Faker → S3",
    sourceId: faker.sourceId,
    destinationId: landing.destinationId,
    schedule: { scheduleType: "cron", cronExpression: "0 0 * * * ?" },
    namespaceDefinition: "custom_format",
    namespaceFormat: "faker",
    configurations: {
        streams: [
            {
                name: "users",
                syncMode: "incremental_append",
                selectedFields: ["id", "name", "email", "updated_at"],
            },
            { name: "purchases", syncMode: "incremental_append" },
        ],
    },
});

export const workspace = team.workspaceId;
export const connection = hourly.connectionId;
