"""The package's schema, generated from the field tables. `schema.json` in the SDK's folder is its committed text."""

import json
from importlib import resources
from typing import Final

from pulumi_airbyte.provider.functions import FUNCTIONS
from pulumi_airbyte.provider.registry import RESOURCES
from pulumi_airbyte.provider.tables import PROVIDER_CONFIG, Field
from pulumi_airbyte.values import JsonObject

_ANY: Final[JsonObject] = {"$ref": "pulumi.json#/Any"}
_TYPES: Final[dict[str, JsonObject]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object", "additionalProperties": _ANY},
    "schedule": {"$ref": "#/types/airbyte:index/ConnectionSchedule:ConnectionSchedule"},
    "tags": {"type": "array", "items": {"$ref": "#/types/airbyte:index/ConnectionTag:ConnectionTag"}},
    "streams": {"type": "array", "items": {"type": "object", "additionalProperties": _ANY}},
    "texts": {"type": "array", "items": {"type": "string"}},
    "objects": {"type": "array", "items": {"type": "object", "additionalProperties": _ANY}},
}


def served() -> str:
    """The committed schema, as text."""
    return resources.files("pulumi_airbyte").joinpath("schema.json").read_text(encoding="utf-8")


def rendered() -> str:
    """The schema that the tables generate, as text."""
    return json.dumps(_schema(), indent=2, ensure_ascii=False) + "\n"


def _schema() -> JsonObject:
    return {
        "name": "airbyte",
        "displayName": "Airbyte",
        "description": "Airbyte's sources, destinations and connections as code.",
        "keywords": ["airbyte", "data", "category/database"],
        "config": {"variables": _properties(PROVIDER_CONFIG)},
        "provider": {
            "description": "How to reach an Airbyte server.",
            "properties": _properties(PROVIDER_CONFIG),
            "inputProperties": _properties(PROVIDER_CONFIG),
        },
        "types": {
            "airbyte:index/ConnectionSchedule:ConnectionSchedule": _object(_SCHEDULE),
            "airbyte:index/ConnectionTag:ConnectionTag": _object(_TAG),
        },
        "resources": {
            resource.token: {
                "description": resource.summary,
                "properties": _properties((*resource.inputs, *resource.outputs)),
                "required": sorted(field.name for field in resource.inputs if field.required),
                "inputProperties": _properties(resource.inputs),
                "requiredInputs": sorted(field.name for field in resource.inputs if field.required),
            }
            for resource in RESOURCES
        },
        "functions": {
            token: {
                "description": function.summary,
                "inputs": _object(function.inputs),
                "outputs": _object(function.outputs),
            }
            for token, function in FUNCTIONS.items()
        },
    }


_SCHEDULE: Final = (
    Field("scheduleType", "string", "manual, cron or basic.", required=True, values=("manual", "cron", "basic")),
    Field(
        "cronExpression",
        "string",
        "Quartz cron: seconds, minutes, hours, day of month, month, day of week, and maybe a year.",
    ),
    Field(
        "cronTimeZone",
        "string",
        "The zone of a cron expression, such as `Europe/Berlin` (by the Config API). Default: UTC.",
    ),
    Field("basicTiming", "string", "How often a basic schedule runs, such as `Every 1 HOURS` (by the Config API)."),
)
_TAG: Final = (
    Field("tagId", "string", "The tag's id.", required=True),
    Field("name", "string", "The tag's name.", required=True),
    Field("color", "string", "Six hexadecimal digits.", required=True),
    Field("workspaceId", "string", "The workspace that holds the tag.", required=True),
)


def _object(fields: tuple[Field, ...]) -> JsonObject:
    required = sorted(field.name for field in fields if field.required)
    return {"type": "object", "properties": _properties(fields), **({"required": required} if required else {})}


def _properties(fields: tuple[Field, ...]) -> JsonObject:
    return {field.name: _property(field) for field in fields}


def _property(field: Field) -> JsonObject:
    extras: JsonObject = {
        **({"secret": True} if field.secret else {}),
        **({"willReplaceOnChanges": True} if field.replace else {}),
    }
    return {**_TYPES[field.type], "description": field.doc, **extras}
