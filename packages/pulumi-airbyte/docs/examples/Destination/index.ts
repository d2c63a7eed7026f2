import * as pulumi from "@pulumi/pulumi";
import * as airbyte from "@lotus-lake/pulumi-airbyte";

const config = new pulumi.Config();
const accessKeyId = config.requireSecret("accessKeyId");
const secretAccessKey = config.requireSecret("secretAccessKey");
const workspace = airbyte.getWorkspace();
const definition = airbyte.getConnectorDefinition({
    name: "destination-s3",
});
const landing = new airbyte.Destination("landing", {
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    definitionId: definition.then(definition => definition.definitionId),
    configuration: {
        s3_bucket_name: "landing",
        s3_bucket_path: "raw",
        s3_bucket_region: "us-west-1",
        access_key_id: accessKeyId,
        secret_access_key: secretAccessKey,
        format: {
            format_type: "Parquet",
        },
    },
});
export const destination = landing.destinationId;
