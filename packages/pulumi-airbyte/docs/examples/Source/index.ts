import * as airbyte from "@lotus-lake/pulumi-airbyte";

const workspace = airbyte.getWorkspace();
const definition = airbyte.getConnectorDefinition({
    name: "source-faker",
});
const faker = new airbyte.Source("faker", {
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    definitionId: definition.then(definition => definition.definitionId),
    configuration: {
        count: 1000,
    },
});
export const source = faker.sourceId;
