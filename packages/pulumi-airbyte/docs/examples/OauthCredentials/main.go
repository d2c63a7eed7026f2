// The OAuth application of one's own that users of a workspace consent to.
package main

import (
	"github.com/lotus-lake/lotus/sdk/go/airbyte"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		workspace, err := airbyte.LookupWorkspace(ctx, &airbyte.LookupWorkspaceArgs{})
		if err != nil {
			return err
		}
		settings := config.New(ctx, "")
		ads, err := airbyte.NewOauthCredentials(ctx, "ads", &airbyte.OauthCredentialsArgs{
			WorkspaceId: pulumi.String(workspace.WorkspaceId),
			ActorType:   airbyte.OauthCredentialsActorTypeSource,
			Name:        pulumi.String("shopify"),
			Configuration: pulumi.Map{"credentials": pulumi.Map{
				"client_id":     pulumi.String(settings.Require("clientId")),
				"client_secret": settings.RequireSecret("clientSecret"),
			}},
		})
		if err != nil {
			return err
		}
		ctx.Export("credentials", ads.CredentialsId)
		return nil
	})
}
