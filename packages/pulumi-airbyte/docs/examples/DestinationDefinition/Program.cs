using System.Collections.Generic;
using Pulumi;
using Airbyte = LotusLake.Airbyte;

return await Deployment.RunAsync(() =>
{
    var workspaceId = Airbyte.GetWorkspace.Invoke().Apply(found => found.WorkspaceId);
    var desk = new Airbyte.DestinationDefinition("desk", new()
    {
        WorkspaceId = workspaceId,
        Name = "Desk",
        DockerRepository = "registry.example.com/destination-desk",
        DockerImageTag = "1.4.0",
    });

    return new Dictionary<string, object?> { ["definition"] = desk.DefinitionId };
});
