"""Facts of JSON Schemas: what remains of a connector's spec or stream schema without its prose.

Knows JSON Schema keywords. Must not know connectors or folders.
"""

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object

FACTS = (
    "type", "format", "airbyte_type", "airbyte_secret", "const", "enum", "default", "pattern", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "required",
)  # fmt: skip
BRANCHES = ("oneOf", "anyOf", "allOf")


def schema_facts(schema: JsonValue) -> JsonValue:
    """Keep what decides whether a value is valid or secret; drop titles, descriptions, examples and display hints."""
    if not isinstance(schema, dict):
        return schema
    facts: JsonObject = {key: schema[key] for key in FACTS if key in schema}
    if isinstance(schema.get("properties"), dict):
        facts["properties"] = {key: schema_facts(value) for key, value in as_object(schema["properties"]).items()}
    if "items" in schema:
        facts["items"] = schema_facts(schema["items"])
    if "additionalProperties" in schema:
        facts["additionalProperties"] = schema_facts(schema["additionalProperties"])
    for key in BRANCHES:
        branches = schema.get(key)
        if isinstance(branches, list):
            facts[key] = [schema_facts(branch) for branch in branches]
    return facts


def lake_field(field: JsonValue) -> JsonValue:
    """A field of a discovered-schema file of the lake, as JSON Schema.

    Two quirks of those files: `items` may be a bare map of fields, and the type `unknown` stands for none.
    """
    if not isinstance(field, dict):
        return {}
    facts = as_object(schema_facts(field))
    if facts.get("type") == "unknown":
        del facts["type"]
    if isinstance(field.get("properties"), dict):
        facts["properties"] = lake_fields(as_object(field["properties"]))
    items = field.get("items")
    if isinstance(items, dict):
        is_schema = isinstance(items.get("type"), str | list)
        facts["items"] = lake_field(items) if is_schema else {"type": "object", "properties": lake_fields(items)}
    return facts


def lake_fields(fields: JsonObject) -> JsonObject:
    """A map of such fields."""
    return {name: lake_field(field) for name, field in fields.items()}
