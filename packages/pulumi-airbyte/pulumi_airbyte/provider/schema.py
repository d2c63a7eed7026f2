"""The package's schema, generated from the field tables. `schema.json` in the SDK's folder is its committed text."""

import json
from collections.abc import Iterator
from importlib import resources
from typing import Final

from pulumi_airbyte.provider.functions import FUNCTIONS
from pulumi_airbyte.provider.registry import RESOURCES
from pulumi_airbyte.provider.tables import PROVIDER_CONFIG, Field, ObjectType
from pulumi_airbyte.values import JsonObject

_ANY: Final[JsonObject] = {"$ref": "pulumi.json#/Any"}
_TYPES: Final[dict[str, JsonObject]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object", "additionalProperties": _ANY},
    "texts": {"type": "array", "items": {"type": "string"}},
    "paths": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
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
        "types": {_token(each): {"description": each.doc, **_object(each.fields)} for each in object_types()},
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


def object_types() -> list[ObjectType]:
    """The object types that the tables refer to, by name.

    Raises:
        ValueError: two types have the same name.
    """
    tables = [PROVIDER_CONFIG, *(table for each in RESOURCES for table in (each.inputs, each.outputs))]
    tables += [table for each in FUNCTIONS.values() for table in (each.inputs, each.outputs)]
    found: dict[str, ObjectType] = {}
    for each in (inner for table in tables for inner in _referred(table)):
        if found.setdefault(each.name, each) != each:
            raise ValueError(f"two object types of the schema are called {each.name}")
    return [found[name] for name in sorted(found)]


def _referred(table: tuple[Field, ...]) -> Iterator[ObjectType]:
    for each in (field.of for field in table if field.of is not None):
        yield each
        yield from _referred(each.fields)


def _token(of: ObjectType) -> str:
    return f"airbyte:index/{of.name}:{of.name}"


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
    return {**_type(field), "description": field.doc, **extras}


def _type(field: Field) -> JsonObject:
    if field.of is None:
        return _TYPES[field.type]
    of: JsonObject = {"$ref": f"#/types/{_token(field.of)}"}
    return {"type": "array", "items": of} if field.type == "objects" else of
