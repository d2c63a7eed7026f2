// A workspace for a team.
package main

import (
	"github.com/lotus-lake/lotus/sdk/go/airbyte"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		team, err := airbyte.NewWorkspace(ctx, "team", &airbyte.WorkspaceArgs{Name: pulumi.String("Data team")})
		if err != nil {
			return err
		}
		ctx.Export("workspace", team.WorkspaceId)
		return nil
	})
}
