using System.Collections.Generic;
using Pulumi;
using Airbyte = LotusLake.Airbyte;

return await Deployment.RunAsync(() =>
{
    var config = new Config();
    var ads = new Airbyte.OauthCredentials("ads", new()
    {
        WorkspaceId = Airbyte.GetWorkspace.Invoke().Apply(found => found.WorkspaceId),
        ActorType = Airbyte.OauthCredentialsActorType.Source,
        Name = "shopify",
        Configuration =
        {
            { "credentials", new InputMap<object>
            {
                { "client_id", config.Require("clientId") },
                { "client_secret", config.RequireSecret("clientSecret").Apply(secret => (object)secret) },
            } },
        },
    });

    return new Dictionary<string, object?> { ["credentials"] = ads.CredentialsId };
});
