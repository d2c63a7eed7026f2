// Made-up users and purchases.
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
		definition, err := airbyte.GetConnectorDefinition(ctx, &airbyte.GetConnectorDefinitionArgs{Name: "source-faker"})
		if err != nil {
			return err
		}
		faker, err := airbyte.NewSource(ctx, "faker", &airbyte.SourceArgs{
			WorkspaceId:   pulumi.String(workspace.WorkspaceId),
			DefinitionId:  pulumi.String(definition.DefinitionId),
			Configuration: pulumi.Map{"count": pulumi.Int(1000)},
		})
		if err != nil {
			return err
		}
		ctx.Export("source", faker.SourceId)
		return nil
	})
}
