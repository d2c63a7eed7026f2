using System.Collections.Generic;
using Pulumi;
using Airbyte = LotusLake.Airbyte;

return await Deployment.RunAsync(() =>
{
    var config = new Config();
    var workspaceId = Airbyte.GetWorkspace.Invoke().Apply(found => found.WorkspaceId);
    var definition = Airbyte.GetConnectorDefinition.Invoke(new() { Name = "destination-s3" });
    var landing = new Airbyte.Destination("landing", new()
    {
        WorkspaceId = workspaceId,
        DefinitionId = definition.Apply(found => found.DefinitionId),
        Configuration =
        {
            { "s3_bucket_name", "landing" },
            { "s3_bucket_path", "raw" },
            { "s3_bucket_region", "us-west-1" },
            { "access_key_id", config.RequireSecret("accessKeyId").Apply(key => (object)key) },
            { "secret_access_key", config.RequireSecret("secretAccessKey").Apply(key => (object)key) },
            { "format", new Dictionary<string, object?> { ["format_type"] = "Parquet" } },
        },
    });

    return new Dictionary<string, object?> { ["destination"] = landing.DestinationId };
});
