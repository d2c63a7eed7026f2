using System.Collections.Generic;
using Pulumi;
using Airbyte = LotusLake.Airbyte;

return await Deployment.RunAsync(() =>
{
    var ana = new Airbyte.Permission("ana", new()
    {
        UserId = new Config().Require("userId"),
        WorkspaceId = Airbyte.GetWorkspace.Invoke().Apply(found => found.WorkspaceId),
        PermissionType = Airbyte.PermissionPermissionType.WorkspaceEditor,
    });

    return new Dictionary<string, object?> { ["permission"] = ana.PermissionId };
});
