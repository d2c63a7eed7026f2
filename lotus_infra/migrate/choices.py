"""Configurations of typed Terraform resources as the connector itself has them.

The provider `airbytehq/airbyte` up to 0.x has a resource for each connector (`airbyte_source_shopify`). Its
configuration has an extra level where the connector has a choice, named after the branch (`credentials.api_password`),
and leaves out the constants that tell branches apart (`auth_method`). The connector's specification undoes both.
"""

from collections.abc import Mapping

from pydantic import JsonValue

EXTRA = "additional_properties"
Schema = Mapping[str, JsonValue]


def undone(value: JsonValue, schema: JsonValue) -> JsonValue | None:
    """A part of a typed configuration as the connector has it; None where the specification does not tell."""
    here = schema if isinstance(schema, dict) else {}
    if isinstance(value, list):
        items = [undone(item, here.get("items")) for item in value]
        return None if None in items else items
    if not isinstance(value, dict):
        return value
    given = {key: inner for key, inner in value.items() if inner is not None}
    branches = here.get("oneOf")
    if isinstance(branches, list):
        return _chosen(given, [branch for branch in branches if isinstance(branch, dict)])
    return _object(given, here)


def _object(given: Mapping[str, JsonValue], schema: Schema) -> JsonValue | None:
    known = schema.get("properties")
    properties = known if isinstance(known, dict) else {}
    made: dict[str, JsonValue] = {}
    for key, inner in given.items():
        if key == EXTRA and key not in properties:
            continue
        if properties and key not in properties:
            return None
        part = undone(inner, properties.get(key))
        if part is None:
            return None
        made[key] = part
    return _constants(properties) | made


def _chosen(given: Mapping[str, JsonValue], branches: list[dict[str, JsonValue]]) -> JsonValue | None:
    """The one branch that has all that is given, with its constants."""
    if len(given) != 1:
        return None
    [inner] = given.values()
    if not isinstance(inner, dict):
        return None
    fitting = [made for branch in branches if (made := _fitting(inner, branch)) is not None]
    return fitting[0] if len(fitting) == 1 else None


def _fitting(inner: Mapping[str, JsonValue], branch: Schema) -> JsonValue | None:
    given = {key: value for key, value in inner.items() if value is not None}
    known, required = branch.get("properties"), branch.get("required")
    if not isinstance(known, dict) or not known.keys() >= given.keys() - {EXTRA}:
        return None
    made = _object(given, branch)
    needed = {str(key) for key in required} if isinstance(required, list) else set()
    return made if isinstance(made, dict) and made.keys() >= needed else None


def _constants(properties: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    constants: dict[str, JsonValue] = {}
    for key, schema in properties.items():
        if isinstance(schema, dict):
            only = schema.get("enum")
            if "const" in schema:
                constants[key] = schema["const"]
            elif isinstance(only, list) and len(only) == 1:
                constants[key] = only[0]
    return constants
