using System.Collections.Generic;
using Pulumi;
using Airbyte = LotusLake.Airbyte;

return await Deployment.RunAsync(() =>
{
    var team = new Airbyte.Workspace("team", new() { Name = "Data team" });

    return new Dictionary<string, object?> { ["workspace"] = team.WorkspaceId };
});
