// A bucket, whose keys are secrets of the stack.
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
		definition, err := airbyte.GetConnectorDefinition(ctx, &airbyte.GetConnectorDefinitionArgs{Name: "destination-s3"})
		if err != nil {
			return err
		}
		landing, err := airbyte.NewDestination(ctx, "landing", &airbyte.DestinationArgs{
			WorkspaceId:  pulumi.String(workspace.WorkspaceId),
			DefinitionId: pulumi.String(definition.DefinitionId),
			Configuration: pulumi.Map{
				"s3_bucket_name":    pulumi.String("landing"),
				"s3_bucket_path":    pulumi.String("raw"),
				"s3_bucket_region":  pulumi.String("us-west-1"),
				"access_key_id":     settings.RequireSecret("accessKeyId"),
				"secret_access_key": settings.RequireSecret("secretAccessKey"),
				"format":            pulumi.Map{"format_type": pulumi.String("Parquet")},
			},
		})
		if err != nil {
			return err
		}
		ctx.Export("destination", landing.DestinationId)
		return nil
	})
}
