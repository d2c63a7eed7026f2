// A label of connections.
package main

import (
	"github.com/lotus-lake/lotus/sdk/go/airbyte"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		workspace, err := airbyte.LookupWorkspace(ctx, &airbyte.LookupWorkspaceArgs{})
		if err != nil {
			return err
		}
		pii, err := airbyte.NewTag(ctx, "pii", &airbyte.TagArgs{
			WorkspaceId: pulumi.String(workspace.WorkspaceId),
			Name:        pulumi.String("pii"),
			Color:       pulumi.String("CAC7FF"),
		})
		if err != nil {
			return err
		}
		ctx.Export("tag", pii.TagId)
		return nil
	})
}
