using System.Collections.Generic;
using Pulumi;
using Airbyte = LotusLake.Airbyte;

return await Deployment.RunAsync(() =>
{
    var workspaceId = Airbyte.GetWorkspace.Invoke().Apply(found => found.WorkspaceId);
    var stream = new Dictionary<string, object?>
    {
        ["type"] = "DeclarativeStream",
        ["name"] = "tickets",
        ["primary_key"] = new[] { "id" },
        ["retriever"] = new Dictionary<string, object?>
        {
            ["type"] = "SimpleRetriever",
            ["requester"] = new Dictionary<string, object?>
            {
                ["type"] = "HttpRequester", ["url_base"] = "https://desk.example.com", ["path"] = "/tickets",
            },
            ["record_selector"] = new Dictionary<string, object?>
            {
                ["type"] = "RecordSelector",
                ["extractor"] = new Dictionary<string, object?>
                {
                    ["type"] = "DpathExtractor", ["field_path"] = new string[] { },
                },
            },
        },
        ["schema_loader"] = new Dictionary<string, object?>
        {
            ["type"] = "InlineSchemaLoader",
            ["schema"] = new Dictionary<string, object?>
            {
                ["type"] = "object",
                ["properties"] = new Dictionary<string, object?>
                {
                    ["id"] = new Dictionary<string, object?> { ["type"] = "integer" },
                },
            },
        },
    };
    var key = new Dictionary<string, object?> { ["type"] = "string", ["airbyte_secret"] = true };
    var desk = new Airbyte.DeclarativeSourceDefinition("desk", new()
    {
        WorkspaceId = workspaceId,
        Manifest =
        {
            { "version", "6.44.0" },
            { "type", "DeclarativeSource" },
            { "check", new Dictionary<string, object?> { ["type"] = "CheckStream", ["stream_names"] = new[] { "tickets" } } },
            { "streams", new[] { stream } },
            { "spec", new Dictionary<string, object?>
            {
                ["type"] = "Spec",
                ["connection_specification"] = new Dictionary<string, object?>
                {
                    ["type"] = "object", ["properties"] = new Dictionary<string, object?> { ["api_key"] = key },
                },
            } },
        },
    });

    return new Dictionary<string, object?> { ["definition"] = desk.DefinitionId };
});
