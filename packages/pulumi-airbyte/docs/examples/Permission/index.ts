import * as airbyte from "@lotus-lake/pulumi-airbyte";

const workspace = airbyte.getWorkspace();
const ada = airbyte.getUser({ email: "ada@example.com" });
const editor = new airbyte.Permission("editor", {
    userId: ada.then(ada => ada.userId),
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    permissionType: "workspace_editor",
});
export const permission = editor.permissionId;
