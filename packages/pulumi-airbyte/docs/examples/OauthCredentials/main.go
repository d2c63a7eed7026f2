// The team's own OAuth application, which users of this connector consent to (Airbyte Cloud).
package main

import (
	"github.com/lotus-lake/lotus/sdk/go/airbyte"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		workspace, err := airbyte.LookupWorkspace(ctx, &airbyte.LookupWorkspaceArgs{})
		if err != nil {
			return err
		}
		shopify, err := airbyte.NewOauthCredentials(ctx, "shopify", &airbyte.OauthCredentialsArgs{
			WorkspaceId: pulumi.String(workspace.WorkspaceId),
			ActorType:   airbyte.ConnectorKindSource,
			Name:        pulumi.String("shopify"),
			Configuration: pulumi.Map{
				"credentials": pulumi.Map{
					"client_id":     pulumi.String("the-team's-application"),
					"client_secret": settings.RequireSecret("clientSecret"),
				},
			},
		})
		if err != nil {
			return err
		}
		ctx.Export("credentials", shopify.CredentialsId)
		return nil
	})
}
