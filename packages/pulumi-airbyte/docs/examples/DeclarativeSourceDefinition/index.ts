import * as airbyte from "@lotus-lake/pulumi-airbyte";

const workspace = airbyte.getWorkspace();
const desk = new airbyte.DeclarativeSourceDefinition("desk", {
    workspaceId: workspace.then(workspace => workspace.workspaceId),
    manifest: {
        version: "6.44.0",
        type: "DeclarativeSource",
        check: {
            type: "CheckStream",
            stream_names: ["tickets"],
        },
        streams: [{
            type: "DeclarativeStream",
            name: "tickets",
            primary_key: ["id"],
            retriever: {
                type: "SimpleRetriever",
                requester: {
                    type: "HttpRequester",
                    url_base: "https://desk.example.com",
                    path: "/tickets",
                },
                record_selector: {
                    type: "RecordSelector",
                    extractor: {
                        type: "DpathExtractor",
                        field_path: [],
                    },
                },
            },
            schema_loader: {
                type: "InlineSchemaLoader",
                schema: {
                    type: "object",
                    properties: {
                        id: {
                            type: "integer",
                        },
                    },
                },
            },
        }],
        spec: {
            type: "Spec",
            connection_specification: {
                type: "object",
                properties: {
                    api_key: {
                        type: "string",
                        airbyte_secret: true,
                    },
                },
            },
        },
    },
});
export const definition = desk.definitionId;
