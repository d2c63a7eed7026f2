import * as airbyte from "@lotus-lake/pulumi-airbyte";

const workspace = airbyte.getWorkspace();
const pii = new airbyte.Tag("pii", {
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    name: "pii",
    color: "CAC7FF",
});
export const tag = pii.tagId;
