using System.Collections.Generic;
using Pulumi;
using Airbyte = LotusLake.Airbyte;

return await Deployment.RunAsync(() =>
{
    var workspaceId = Airbyte.GetWorkspace.Invoke().Apply(found => found.WorkspaceId);
    var definition = Airbyte.GetConnectorDefinition.Invoke(new() { Name = "source-faker" });
    var faker = new Airbyte.Source("faker", new()
    {
        WorkspaceId = workspaceId,
        DefinitionId = definition.Apply(found => found.DefinitionId),
        Configuration = { { "count", 1000 } },
    });

    return new Dictionary<string, object?> { ["source"] = faker.SourceId };
});
