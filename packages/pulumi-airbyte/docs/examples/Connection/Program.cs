using System.Collections.Generic;
using Pulumi;
using Airbyte = LotusLake.Airbyte;

return await Deployment.RunAsync(() =>
{
    var workspaceId = Airbyte.GetWorkspace.Invoke().Apply(found => found.WorkspaceId);
    var fakerDefinition = Airbyte.GetConnectorDefinition.Invoke(new() { Name = "source-faker" });
    var devNullDefinition = Airbyte.GetConnectorDefinition.Invoke(new() { Name = "destination-dev-null" });
    var faker = new Airbyte.Source("faker", new()
    {
        WorkspaceId = workspaceId,
        DefinitionId = fakerDefinition.Apply(found => found.DefinitionId),
        Configuration = { { "count", 1000 } },
    });
    var nowhere = new Airbyte.Destination("nowhere", new()
    {
        WorkspaceId = workspaceId,
        DefinitionId = devNullDefinition.Apply(found => found.DefinitionId),
        Configuration =
        {
            { "test_destination", new Dictionary<string, object?> { ["test_destination_type"] = "SILENT" } },
        },
    });
    var hourly = new Airbyte.Connection("hourly", new()
    {
        SourceId = faker.SourceId,
        DestinationId = nowhere.DestinationId,
        Schedule = new Airbyte.Inputs.ConnectionScheduleArgs
        {
            ScheduleType = Airbyte.ScheduleType.Cron,
            CronExpression = "0 0 * * * ?",
        },
        Configurations = new Airbyte.Inputs.ConnectionConfigurationsArgs
        {
            Streams =
            {
                new Airbyte.Inputs.ConnectionConfigurationsStreamArgs
                {
                    Name = "users",
                    SyncMode = Airbyte.SyncMode.IncrementalAppend,
                    SelectedFields = { "id", "name", "email", "updated_at" },
                },
                new Airbyte.Inputs.ConnectionConfigurationsStreamArgs
                {
                    Name = "purchases",
                    SyncMode = Airbyte.SyncMode.IncrementalAppend,
                },
            },
        },
    });

    return new Dictionary<string, object?> { ["connection"] = hourly.ConnectionId };
});
