// What a user may do in a workspace.
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
		ana, err := airbyte.NewPermission(ctx, "ana", &airbyte.PermissionArgs{
			UserId:         pulumi.String(config.Require(ctx, "userId")),
			WorkspaceId:    pulumi.String(workspace.WorkspaceId),
			PermissionType: airbyte.PermissionPermissionTypeWorkspaceEditor,
		})
		if err != nil {
			return err
		}
		ctx.Export("permission", ana.PermissionId)
		return nil
	})
}
