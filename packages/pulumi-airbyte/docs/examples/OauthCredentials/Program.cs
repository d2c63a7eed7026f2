using System.Collections.Generic;
using Pulumi;
using Airbyte = LotusLake.Airbyte;

return await Deployment.RunAsync(() =>
{
    var config = new Config();
    var shopify = new Airbyte.OauthCredentials("shopify", new()
    {
        WorkspaceId = Airbyte.GetWorkspace.Invoke().Apply(found => found.WorkspaceId),
        ActorType = Airbyte.ConnectorKind.Source,
        Name = "shopify",
        Configuration =
        {
            { "credentials", config.RequireSecret("clientSecret").Apply(secret => (object)new Dictionary<string, object?>
            {
                ["client_id"] = "the-team's-application",
                ["client_secret"] = secret,
            }) },
        },
    });

    return new Dictionary<string, object?> { ["credentials"] = shopify.CredentialsId };
});
