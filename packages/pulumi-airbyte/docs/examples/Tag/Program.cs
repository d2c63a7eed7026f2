using System.Collections.Generic;
using Pulumi;
using Airbyte = LotusLake.Airbyte;

return await Deployment.RunAsync(() =>
{
    var workspaceId = Airbyte.GetWorkspace.Invoke().Apply(found => found.WorkspaceId);
    var pii = new Airbyte.Tag("pii", new() { WorkspaceId = workspaceId, Name = "pii", Color = "CAC7FF" });

    return new Dictionary<string, object?> { ["tag"] = pii.TagId };
});
