import * as airbyte from "@lotus-lake/pulumi-airbyte";

const workspace = airbyte.getWorkspace();
const fakerDefinition = airbyte.getConnectorDefinition({
    name: "source-faker",
});
const devNullDefinition = airbyte.getConnectorDefinition({
    name: "destination-dev-null",
});
const faker = new airbyte.Source("faker", {
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    definitionId: fakerDefinition.then(fakerDefinition => fakerDefinition.definitionId),
    configuration: {
        count: 1000,
    },
});
const nowhere = new airbyte.Destination("nowhere", {
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    definitionId: devNullDefinition.then(devNullDefinition => devNullDefinition.definitionId),
    configuration: {
        test_destination: {
            test_destination_type: "SILENT",
        },
    },
});
const hourly = new airbyte.Connection("hourly", {
    sourceId: faker.sourceId,
    destinationId: nowhere.destinationId,
    schedule: {
        scheduleType: airbyte.ScheduleType.Cron,
        cronExpression: "0 0 * * * ?",
    },
    configurations: {
        streams: [
            {
                name: "users",
                syncMode: airbyte.SyncMode.IncrementalAppend,
                selectedFields: [
                    "id",
                    "name",
                    "email",
                    "updated_at",
                ],
            },
            {
                name: "purchases",
                syncMode: airbyte.SyncMode.IncrementalAppend,
            },
        ],
    },
});
export const connection = hourly.connectionId;
