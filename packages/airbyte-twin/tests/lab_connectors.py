"""Connectors made for tests, because the shipped ones define the cursor and key of every stream."""

from typing import Any

from twin_support import Api

LAB_SOURCE_ID = "5a1c0f1e-0000-4000-8000-000000000001"
LAB_DESTINATION_ID = "5a1c0f1e-0000-4000-8000-000000000002"
SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "updated_at": {"type": "string"},
        "name": {"type": "string"},
        "meta": {"type": "object", "properties": {"seen_at": {"type": "string"}}},
    },
}
BOTH = ["full_refresh", "incremental"]


def lab_stream(name: str, **facts: Any) -> dict[str, Any]:
    return {"name": name, "json_schema": SCHEMA, "supported_sync_modes": BOTH, **facts}


LAB_STREAMS = [
    lab_stream("bare"),
    lab_stream("cursor_default", default_cursor_field=["updated_at"]),
    lab_stream("cursor_defined", default_cursor_field=["updated_at"], source_defined_cursor=True),
    lab_stream("key_defined", source_defined_primary_key=[["id"]], default_cursor_field=["updated_at"]),
    lab_stream("full_only", supported_sync_modes=["full_refresh"]),
    lab_stream("twice", namespace="left"),
    lab_stream("twice", namespace="right"),
    lab_stream("spaced", namespace="left", default_cursor_field=["updated_at"]),
]

LAB_CONNECTORS: list[dict[str, Any]] = [
    {
        "definition_id": LAB_SOURCE_ID,
        "kind": "source",
        "type": "lab",
        "name": "Lab",
        "docker_repository": "example/source-lab",
        "docker_image_tag": "1.0.0",
        "spec": {
            "type": "object",
            "properties": {
                "keys": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "label": {"type": "string"},
                            "token": {"type": "string", "airbyte_secret": True},
                        },
                    },
                },
                "code": {"type": "string", "airbyte_secret": True, "pattern": "^[0-9]{4}$"},
            },
        },
        "streams": LAB_STREAMS,
    },
    {
        "definition_id": LAB_DESTINATION_ID,
        "kind": "destination",
        "type": "lab",
        "name": "Lab",
        "docker_repository": "example/destination-lab",
        "docker_image_tag": "1.0.0",
        "spec": {"type": "object", "properties": {}},
        "supported_destination_sync_modes": [
            "append", "overwrite", "append_dedup", "overwrite_dedup", "update", "soft_delete",
        ],
    },
]  # fmt: skip


def lab_source(api: Api, **configuration: Any) -> str:
    body = {
        "name": "Lab",
        "workspaceId": api.twin.workspace_id,
        "definitionId": LAB_SOURCE_ID,
        "configuration": configuration,
    }
    created: str = api.post("/sources", body)["sourceId"]
    return created


def lab_destination(api: Api) -> str:
    body = {
        "name": "Lab",
        "workspaceId": api.twin.workspace_id,
        "definitionId": LAB_DESTINATION_ID,
        "configuration": {},
    }
    created: str = api.post("/destinations", body)["destinationId"]
    return created


def lab_connection(api: Api, *streams: Any, status: int = 200, **changes: Any) -> Any:
    """The answer to a connection of lab streams."""
    body = {
        "sourceId": lab_source(api),
        "destinationId": lab_destination(api),
        "configurations": {"streams": list(streams)},
        **changes,
    }
    return api.post("/connections", body, status)
