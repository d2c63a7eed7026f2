// A connector by the manifest that the connector builder exports.
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
		stream := map[string]any{
			"type":        "DeclarativeStream",
			"name":        "tickets",
			"primary_key": []string{"id"},
			"retriever": map[string]any{
				"type": "SimpleRetriever",
				"requester": map[string]any{
					"type": "HttpRequester", "url_base": "https://desk.example.com", "path": "/tickets",
				},
				"record_selector": map[string]any{
					"type":      "RecordSelector",
					"extractor": map[string]any{"type": "DpathExtractor", "field_path": []string{}},
				},
			},
			"schema_loader": map[string]any{
				"type": "InlineSchemaLoader",
				"schema": map[string]any{
					"type": "object", "properties": map[string]any{"id": map[string]any{"type": "integer"}},
				},
			},
		}
		key := map[string]any{"type": "string", "airbyte_secret": true}
		desk, err := airbyte.NewDeclarativeSourceDefinition(ctx, "desk", &airbyte.DeclarativeSourceDefinitionArgs{
			WorkspaceId: pulumi.String(workspace.WorkspaceId),
			Manifest: pulumi.Map{
				"version": pulumi.String("6.44.0"),
				"type":    pulumi.String("DeclarativeSource"),
				"check":   pulumi.Any(map[string]any{"type": "CheckStream", "stream_names": []string{"tickets"}}),
				"streams": pulumi.Any([]any{stream}),
				"spec": pulumi.Any(map[string]any{
					"type": "Spec",
					"connection_specification": map[string]any{
						"type": "object", "properties": map[string]any{"api_key": key},
					},
				}),
			},
		})
		if err != nil {
			return err
		}
		ctx.Export("definition", desk.DefinitionId)
		return nil
	})
}
