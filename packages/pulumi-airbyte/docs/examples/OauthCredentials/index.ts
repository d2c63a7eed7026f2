import * as airbyte from "@lotus-lake/pulumi-airbyte";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const workspace = airbyte.getWorkspace();
const shopify = new airbyte.OauthCredentials("shopify", {
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    actorType: "source",
    name: "shopify",
    configuration: {
        credentials: {
            client_id: "the-team's-application",
            client_secret: config.requireSecret("clientSecret"),
        },
    },
});
export const credentials = shopify.credentialsId;
