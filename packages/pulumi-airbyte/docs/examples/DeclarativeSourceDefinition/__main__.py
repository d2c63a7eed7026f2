"""A connector by the manifest that the connector builder exports."""

import pulumi
import pulumi_airbyte as airbyte

# The builder's file does as well: manifest=Path("desk.yaml").read_text()
requester = {"type": "HttpRequester", "url_base": "https://desk.example.com", "path": "/tickets"}
selector = {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}}
schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
desk = airbyte.DeclarativeSourceDefinition(
    "desk",
    workspace_id=airbyte.get_workspace().workspace_id,
    manifest={
        "version": "6.44.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["tickets"]},
        "streams": [
            {
                "type": "DeclarativeStream",
                "name": "tickets",
                "primary_key": ["id"],
                "retriever": {"type": "SimpleRetriever", "requester": requester, "record_selector": selector},
                "schema_loader": {"type": "InlineSchemaLoader", "schema": schema},
            }
        ],
        "spec": {
            "type": "Spec",
            "connection_specification": {
                "type": "object",
                "properties": {"api_key": {"type": "string", "airbyte_secret": True}},
            },
        },
    },
)
pulumi.export("definition", desk.definition_id)
