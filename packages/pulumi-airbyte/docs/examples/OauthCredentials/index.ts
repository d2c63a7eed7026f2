import * as pulumi from "@pulumi/pulumi";
import * as airbyte from "@lotus-lake/pulumi-airbyte";

const config = new pulumi.Config();
const workspace = airbyte.getWorkspace();
const ads = new airbyte.OauthCredentials("ads", {
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    actorType: "source",
    name: "shopify",
    configuration: {
        credentials: { client_id: config.require("clientId"), client_secret: config.requireSecret("clientSecret") },
    },
});
export const credentials = ads.credentialsId;
