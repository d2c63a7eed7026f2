// Two streams of made-up rows every hour, into nowhere.
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
		fakerDefinition, err := airbyte.GetConnectorDefinition(ctx, &airbyte.GetConnectorDefinitionArgs{Name: "source-faker"})
		if err != nil {
			return err
		}
		devNullDefinition, err := airbyte.GetConnectorDefinition(ctx, &airbyte.GetConnectorDefinitionArgs{Name: "destination-dev-null"})
		if err != nil {
			return err
		}
		faker, err := airbyte.NewSource(ctx, "faker", &airbyte.SourceArgs{
			WorkspaceId:   pulumi.String(workspace.WorkspaceId),
			DefinitionId:  pulumi.String(fakerDefinition.DefinitionId),
			Configuration: pulumi.Map{"count": pulumi.Int(1000)},
		})
		if err != nil {
			return err
		}
		nowhere, err := airbyte.NewDestination(ctx, "nowhere", &airbyte.DestinationArgs{
			WorkspaceId:  pulumi.String(workspace.WorkspaceId),
			DefinitionId: pulumi.String(devNullDefinition.DefinitionId),
			Configuration: pulumi.Map{
				"test_destination": pulumi.Map{"test_destination_type": pulumi.String("SILENT")},
			},
		})
		if err != nil {
			return err
		}
		hourly, err := airbyte.NewConnection(ctx, "hourly", &airbyte.ConnectionArgs{
			SourceId:      faker.SourceId,
			DestinationId: nowhere.DestinationId,
			Schedule: &airbyte.ConnectionScheduleArgs{
				ScheduleType:   airbyte.ScheduleTypeCron,
				CronExpression: pulumi.String("0 0 * * * ?"),
			},
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
		ctx.Export("connection", hourly.ConnectionId)
		return nil
	})
}
