import * as pulumi from "@pulumi/pulumi";
import * as airbyte from "@lotus-lake/pulumi-airbyte";

const workspace = airbyte.getWorkspace();
const ana = new airbyte.Permission("ana", {
    userId: new pulumi.Config().require("userId"),
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    permissionType: "workspace_editor",
});
export const permission = ana.permissionId;
