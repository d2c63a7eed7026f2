"""Connectors made for tests: a source that leaves much to its users, and a destination that takes every sync mode."""

import json
from pathlib import Path
from typing import Any, Final

LAB_SOURCE: Final = "5a1c0f1e-0000-4000-8000-000000000011"
LAB_DESTINATION: Final = "5a1c0f1e-0000-4000-8000-000000000012"
PLAIN_DESTINATION: Final = "5a1c0f1e-0000-4000-8000-000000000013"
OTHER_SOURCE: Final = "5a1c0f1e-0000-4000-8000-000000000014"
FILE_SOURCE: Final = "5a1c0f1e-0000-4000-8000-000000000015"
FIELDS: Final = ("id", "updated_at", "name", "note", "meta")
SCHEMA: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "updated_at": {"type": "string"},
        "name": {"type": "string"},
        "note": {"type": "string"},
        "meta": {"type": "object", "properties": {"seen_at": {"type": "string"}}},
    },
}
HIDDEN: Final = {"type": "string", "airbyte_secret": True}


def offered(name: str, **facts: Any) -> dict[str, Any]:
    """A stream as the source offers it."""
    both = ["full_refresh", "incremental"]
    return {"name": name, "json_schema": SCHEMA, "supported_sync_modes": both, **facts}


SOURCE_SPEC: Final = {
    "type": "object",
    "properties": {
        "host": {"type": "string"},
        "port": {"type": "integer"},
        "slow": {"type": "string", "pattern": "^(a|aa)+$"},
        "code": HIDDEN,
        "pin": HIDDEN | {"pattern": "^[0-9]{4}$"},
        "credentials": {
            "type": "object",
            "oneOf": [
                {"properties": {"method": {"const": "token"}, "token": HIDDEN}, "required": ["token"]},
                {"properties": {"method": {"const": "login"}, "user": {"type": "string"}, "password": HIDDEN}},
            ],
        },
        "keys": {"type": "array", "items": {"type": "object", "properties": {"label": {}, "secret": HIDDEN}}},
    },
}
LAB: Final[list[dict[str, Any]]] = [
    {
        "definition_id": LAB_SOURCE,
        "kind": "source",
        "type": "lab",
        "name": "Lab",
        "docker_repository": "example/source-lab",
        "docker_image_tag": "1.0.0",
        "spec": SOURCE_SPEC,
        "streams": [
            offered("bare"),
            offered("cursor_default", default_cursor_field=["updated_at"]),
            offered("cursor_defined", default_cursor_field=["updated_at"], source_defined_cursor=True),
            offered("key_defined", source_defined_primary_key=[["id"]], default_cursor_field=["updated_at"]),
            offered("twice", namespace="left"),
            offered("twice", namespace="right"),
            offered("spaced", namespace="left"),
            offered("left.twice", namespace="odd"),
        ],
    },
    {
        "definition_id": LAB_DESTINATION,
        "kind": "destination",
        "type": "lab",
        "name": "Lab",
        "docker_repository": "example/destination-lab",
        "docker_image_tag": "1.0.0",
        "spec": {"type": "object", "properties": {"path": {"type": "string"}, "key": HIDDEN}},
        "supported_destination_sync_modes": [
            "append", "overwrite", "append_dedup", "overwrite_dedup", "update", "soft_delete",
        ],
        "supports_refreshes": True,
        "supports_files": True,
    },
]  # fmt: skip
LAB.append(
    LAB[0]
    | {
        "definition_id": OTHER_SOURCE,
        "type": "other",
        "name": "Other",
        "docker_repository": "example/source-other",
    }
)
LAB.append(
    LAB[0]
    | {
        "definition_id": FILE_SOURCE,
        "type": "files",
        "name": "Files",
        "docker_repository": "example/source-files",
        "supports_files": True,
        "streams": [offered("bare"), offered("files", is_file_based=True)],
    }
)
LAB.append(
    LAB[1]
    | {
        "definition_id": PLAIN_DESTINATION,
        "type": "plain",
        "name": "Plain",
        "docker_repository": "example/destination-plain",
        "supports_refreshes": False,
    }
)


def with_lab(folder: Path) -> Path:
    """The folder as a data folder for one twin that has the lab's connectors."""
    connectors = folder / "connectors"
    connectors.mkdir()
    for connector in LAB:
        (connectors / f"{connector['kind']}-{connector['type']}.json").write_text(
            json.dumps(connector), encoding="utf-8"
        )
    return folder
