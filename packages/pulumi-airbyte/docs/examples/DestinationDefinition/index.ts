import * as airbyte from "@lotus-lake/pulumi-airbyte";

const workspace = airbyte.getWorkspace();
const desk = new airbyte.DestinationDefinition("desk", {
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    name: "Desk",
    dockerRepository: "registry.example.com/destination-desk",
    dockerImageTag: "1.4.0",
});
export const definition = desk.definitionId;
