// A colleague who may edit the workspace.
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
		ada, err := airbyte.GetUser(ctx, &airbyte.GetUserArgs{Email: pulumi.StringRef("ada@example.com")})
		if err != nil {
			return err
		}
		editor, err := airbyte.NewPermission(ctx, "editor", &airbyte.PermissionArgs{
			UserId:         pulumi.String(ada.UserId),
			WorkspaceId:    pulumi.String(workspace.WorkspaceId),
			PermissionType: airbyte.PermissionTypeWorkspaceEditor,
		})
		if err != nil {
			return err
		}
		ctx.Export("permission", editor.PermissionId)
		return nil
	})
}
