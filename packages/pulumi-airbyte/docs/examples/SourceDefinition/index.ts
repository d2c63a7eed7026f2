import * as airbyte from "@lotus-lake/pulumi-airbyte";

const workspace = airbyte.getWorkspace();
const desk = new airbyte.SourceDefinition("desk", {
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    name: "Desk",
    dockerRepository: "registry.example.com/source-desk",
    dockerImageTag: "1.4.0",
});
export const definition = desk.definitionId;
