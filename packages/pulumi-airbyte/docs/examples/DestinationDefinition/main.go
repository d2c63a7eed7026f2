// A connector of one's own, by its image; another tag updates what uses it.
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
		desk, err := airbyte.NewDestinationDefinition(ctx, "desk", &airbyte.DestinationDefinitionArgs{
			WorkspaceId:      pulumi.String(workspace.WorkspaceId),
			Name:             pulumi.String("Desk"),
			DockerRepository: pulumi.String("registry.example.com/destination-desk"),
			DockerImageTag:   pulumi.String("1.4.0"),
		})
		if err != nil {
			return err
		}
		ctx.Export("definition", desk.DefinitionId)
		return nil
	})
}
