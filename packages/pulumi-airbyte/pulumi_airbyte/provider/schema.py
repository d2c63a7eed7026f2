"""The package's schema, generated from the field tables. `schema.json` in the SDK's folder is its committed text."""

import json
import re
from collections.abc import Iterable, Iterator
from importlib import metadata, resources
from typing import Final

from pulumi_airbyte.provider.functions import FUNCTIONS
from pulumi_airbyte.provider.registry import RESOURCES
from pulumi_airbyte.provider.tables import PROVIDER_CONFIG, Field, ObjectType
from pulumi_airbyte.values import JsonObject

_REPOSITORY: Final = "https://github.com/lotus-lake/lotus"
GO_MODULE: Final = "github.com/lotus-lake/lotus/sdk/go"
"""The module of the Go SDK."""
_ANY: Final[JsonObject] = {"$ref": "pulumi.json#/Any"}
_STRING: Final[JsonObject] = {"type": "string"}
_TYPES: Final[dict[str, JsonObject]] = {
    "string": _STRING,
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object", "additionalProperties": _ANY},
    "texts": {"type": "array", "items": _STRING},
    "paths": {"type": "array", "items": {"type": "array", "items": _STRING}},
    "objects": {"type": "array", "items": {"type": "object", "additionalProperties": _ANY}},
}
_README: Final = f"""\
The Airbyte provider for Pulumi: sources, destinations and connections as code.

The plugin, `pulumi-resource-airbyte`, comes with the Python package `pulumi-airbyte`. Its documentation is in
[the repository]({_REPOSITORY}/tree/main/packages/pulumi-airbyte).
"""
_PACKAGE: Final[JsonObject] = {
    "name": "airbyte",
    "displayName": "Airbyte",
    "version": metadata.version("pulumi-airbyte"),
    "description": "Airbyte's sources, destinations and connections as code.",
    "keywords": ["airbyte", "data", "category/database", "kind/native"],
    "homepage": _REPOSITORY,
    "license": "Apache-2.0",
    "repository": _REPOSITORY,
    "publisher": "Lotus developers",
    "pluginDownloadURL": "github://api.github.com/lotus-lake/lotus",
    # Tokens have the resource's name in the module, `airbyte:index/source:Source`: the module is `index` alone.
    "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
    "language": {
        "nodejs": {"packageName": "@lotus-lake/pulumi-airbyte", "readme": _README, "respectSchemaVersion": True},
        "python": {
            "packageName": "pulumi_airbyte",
            "pythonRequires": ">=3.11",
            "pyproject": {"enabled": True},
            "inputTypes": "classes",
            "readme": _README,
            "respectSchemaVersion": True,
        },
        "go": {
            "modulePath": GO_MODULE,
            "importBasePath": f"{GO_MODULE}/airbyte",
            "generateResourceContainerTypes": True,
            "respectSchemaVersion": True,
        },
        "csharp": {
            "rootNamespace": "LotusLake",
            "namespaces": {"airbyte": "Airbyte"},
            "packageReferences": {"Pulumi": "3.*"},
            "respectSchemaVersion": True,
        },
    },
}


def served() -> str:
    """The committed schema, as text."""
    return resources.files("pulumi_airbyte").joinpath("schema.json").read_text(encoding="utf-8")


def rendered() -> str:
    """The schema that the tables generate, as text."""
    return json.dumps(_schema(), indent=2, ensure_ascii=False) + "\n"


def _schema() -> JsonObject:
    return {
        **_PACKAGE,
        "config": {"variables": _properties(PROVIDER_CONFIG)},
        "provider": {
            "description": "How to reach an Airbyte server.",
            "properties": _properties(PROVIDER_CONFIG),
            "inputProperties": _properties(PROVIDER_CONFIG),
        },
        "types": dict(sorted([*_enumeration_types(), *_object_types()])),
        "resources": {
            resource.token: {
                "description": resource.summary,
                **_object((*resource.inputs, *resource.outputs), _last(resource.token)),
                "inputProperties": _properties(resource.inputs, _last(resource.token)),
                "requiredInputs": _required(resource.inputs),
            }
            for resource in RESOURCES
        },
        "functions": {
            token: {
                "description": function.summary,
                "inputs": {"type": "object", **_object(function.inputs, _last(token))},
                "outputs": {"type": "object", **_object(function.outputs, _last(token))},
            }
            for token, function in FUNCTIONS.items()
        },
    }


def object_types() -> list[ObjectType]:
    """The object types that the tables refer to, by name.

    Raises:
        ValueError: two types have the same name.
    """
    found: dict[str, ObjectType] = {}
    for each in (inner for _, table in _tables() for inner in _referred(table)):
        if found.setdefault(each.name, each) != each:
            raise ValueError(f"two object types of the schema are called {each.name}")
    return [found[name] for name in sorted(found)]


def _tables() -> Iterator[tuple[str, tuple[Field, ...]]]:
    """The tables whose enumerations have names, each with its owner's name.

    A provider's settings are also read as the stack's configuration, which has texts alone.
    """
    for resource in RESOURCES:
        yield from ((_last(resource.token), table) for table in (resource.inputs, resource.outputs))
    for token, function in FUNCTIONS.items():
        yield from ((_last(token), table) for table in (function.inputs, function.outputs))


def _referred(table: Iterable[Field]) -> Iterator[ObjectType]:
    for each in (field.of for field in table if field.of is not None):
        yield each
        yield from _referred(each.fields)


def _object_types() -> Iterator[tuple[str, JsonObject]]:
    for each in object_types():
        yield (
            _token(each.name),
            {"description": each.doc, "type": "object", **_object(each.fields, each.name)},
        )


def enumerations() -> dict[str, tuple[str, ...]]:
    """The values of each enumeration, by its name.

    Raises:
        ValueError: two enumerations have the same name.
    """
    found: dict[str, tuple[str, ...]] = {}
    for owner, table in [*_tables(), *((each.name, each.fields) for each in object_types())]:
        for field in (each for each in table if each.values):
            name = _enumeration(field, owner)
            if found.setdefault(name, field.values) != field.values:
                raise ValueError(f"two enumerations of the schema are called {name}")
    return found


def member(value: str) -> str:
    """The name of a value in its enumeration: `full_refresh_append` is `FullRefreshAppend`."""
    return "".join(_capital(word) for word in re.split(r"[^0-9A-Za-z]+", value))


def _enumeration_types() -> Iterator[tuple[str, JsonObject]]:
    for name, values in enumerations().items():
        yield _token(name), {"type": "string", "enum": [{"name": member(value), "value": value} for value in values]}


def _enumeration(field: Field, owner: str) -> str:
    return field.enum or f"{_capital(owner)}{_capital(field.name)}"


def _object(fields: tuple[Field, ...], owner: str) -> JsonObject:
    required = _required(fields)
    return {"properties": _properties(fields, owner), **({"required": required} if required else {})}


def _required(fields: tuple[Field, ...]) -> list[str]:
    return sorted({field.name for field in fields if field.required})


def _properties(fields: tuple[Field, ...], owner: str = "") -> JsonObject:
    return {field.name: _property(field, owner) for field in fields}


def _property(field: Field, owner: str) -> JsonObject:
    extras: JsonObject = {
        **({"secret": True} if field.secret else {}),
        **({"willReplaceOnChanges": True} if field.replace else {}),
    }
    return {**_type(field, owner), "description": field.doc, **extras}


def _type(field: Field, owner: str) -> JsonObject:
    found = _TYPES[field.type]
    if field.of is not None:
        of = _reference(field.of.name)
        found = {"type": "array", "items": of} if field.type == "objects" else of
    elif field.values and owner:
        found = _reference(_enumeration(field, owner))
    # The object comes first: Pulumi's generator of Go programs takes an object for the first of the types.
    return {"oneOf": [found, _STRING]} if field.text else found


def _reference(name: str) -> JsonObject:
    return {"$ref": f"#/types/{_token(name)}"}


def _token(name: str) -> str:
    return f"airbyte:index/{name}:{name}"


def _last(token: str) -> str:
    return token.rpartition(":")[2]


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
