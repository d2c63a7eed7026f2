using System.Collections.Generic;
using Pulumi;
using Airbyte = LotusLake.Airbyte;

return await Deployment.RunAsync(() =>
{
    var editor = new Airbyte.Permission("editor", new()
    {
        UserId = Airbyte.GetUser.Invoke(new() { Email = "ada@example.com" }).Apply(found => found.UserId),
        WorkspaceId = Airbyte.GetWorkspace.Invoke().Apply(found => found.WorkspaceId),
        PermissionType = Airbyte.PermissionType.WorkspaceEditor,
    });

    return new Dictionary<string, object?> { ["permission"] = editor.PermissionId };
});
