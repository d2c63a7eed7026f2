// Made-up users and purchases, as Parquet in a bucket, every hour.
package main

import (
	"github.com/lotus-lake/lotus/sdk/go/airbyte"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		fakerID, err := definition(ctx, "source-faker")
		if err != nil {
			return err
		}
		s3ID, err := definition(ctx, "destination-s3")
		if err != nil {
			return err
		}
		team, err := airbyte.NewWorkspace(ctx, "team", &airbyte.WorkspaceArgs{Name: pulumi.String("Data team")})
		if err != nil {
			return err
		}
		faker, err := airbyte.NewSource(ctx, "faker", &airbyte.SourceArgs{
			WorkspaceId:   team.WorkspaceId,
			DefinitionId:  fakerID,
			Configuration: pulumi.Map{"count": pulumi.Int(1000), "seed": pulumi.Int(7)},
		})
		if err != nil {
			return err
		}
		landing, err := airbyte.NewDestination(ctx, "landing", &airbyte.DestinationArgs{
			Name:         pulumi.String("S3"),
			WorkspaceId:  team.WorkspaceId,
			DefinitionId: s3ID,
			Configuration: pulumi.Map{
				"s3_bucket_name":    pulumi.String(settings.Require("bucket")),
				"s3_bucket_path":    pulumi.String("raw"),
				"s3_bucket_region":  pulumi.String(settings.Require("region")),
				"access_key_id":     settings.RequireSecret("accessKeyId"),
				"secret_access_key": settings.RequireSecret("secretAccessKey"),
				"format":            pulumi.Map{"format_type": pulumi.String("Parquet")},
			},
		})
		if err != nil {
			return err
		}
		connection, err := airbyte.NewConnection(ctx, "faker", &airbyte.ConnectionArgs{
			Name:          pulumi.String("Faker → S3"),
			SourceId:      faker.SourceId,
			DestinationId: landing.DestinationId,
			Schedule: &airbyte.ConnectionScheduleArgs{
				ScheduleType:   airbyte.ScheduleTypeCron,
				CronExpression: pulumi.String("0 0 * * * ?"),
			},
			NamespaceDefinition: airbyte.ConnectionNamespaceDefinitionCustomFormat,
			NamespaceFormat:     pulumi.String("faker"),
			Configurations: airbyte.ConnectionConfigurationsArgs{
				Streams: airbyte.ConnectionConfigurationsStreamArray{
					airbyte.ConnectionConfigurationsStreamArgs{
						Name:           pulumi.String("users"),
						SyncMode:       airbyte.SyncModeIncrementalAppend,
						SelectedFields: pulumi.ToStringArray([]string{"id", "name", "email", "updated_at"}),
					},
					airbyte.ConnectionConfigurationsStreamArgs{
						Name:     pulumi.String("purchases"),
						SyncMode: airbyte.SyncModeIncrementalAppend,
					},
				},
			},
		})
		if err != nil {
			return err
		}
		ctx.Export("workspace", team.WorkspaceId)
		ctx.Export("connection", connection.ConnectionId)
		return nil
	})
}

// The id of a connector's definition, by the connector's name.
func definition(ctx *pulumi.Context, name string) (pulumi.StringInput, error) {
	found, err := airbyte.GetConnectorDefinition(ctx, &airbyte.GetConnectorDefinitionArgs{Name: name})
	if err != nil {
		return nil, err
	}
	return pulumi.String(found.DefinitionId), nil
}
