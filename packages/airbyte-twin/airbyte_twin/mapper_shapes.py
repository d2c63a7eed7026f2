"""The shapes of mapper configurations, and which columns they name.

Knows mapper types. Must not know streams or secrets.
Source: the mapper configurations of the public API's OpenAPI document.
"""

from collections.abc import Iterator
from functools import cache

from jsonschema import Draft7Validator
from pydantic import JsonValue

from airbyte_twin.documents import JsonArray, JsonObject, as_object
from airbyte_twin.json_mapper import CONFIG_MAPPER

CLASSES = {"hashing": "Hashing", "AES": "Encryption", "RSA": "Encryption"}
"""What the server's classes of configurations are called."""
TEXT: JsonObject = {"type": "string"}


def _shape(**properties: JsonValue) -> JsonObject:
    return {"type": "object", "required": [*properties], "properties": {**properties}}


_EQUAL = _shape(type={"const": "EQUAL"}, fieldName=TEXT, comparisonValue=TEXT)
_NOT = _shape(
    type={"const": "NOT"}, conditions={"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/condition"}}
)
SHAPES: dict[str, JsonObject] = {
    "hashing": _shape(
        targetField=TEXT,
        method={"enum": ["MD2", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]},
        fieldNameSuffix=TEXT,
    ),
    "field-filtering": _shape(targetField=TEXT),
    "field-renaming": _shape(originalFieldName=TEXT, newFieldName=TEXT),
    "row-filtering": {
        **_shape(conditions={"$ref": "#/$defs/condition"}),
        "$defs": {"condition": {"oneOf": [_EQUAL, _NOT]}},
    },
    "AES": _shape(
        algorithm={"const": "AES"},
        targetField=TEXT,
        fieldNameSuffix=TEXT,
        key=TEXT,
        mode={"enum": ["CBC", "CFB", "OFB", "CTR", "GCM", "ECB"]},
        padding={"enum": ["NoPadding", "PKCS5Padding"]},
    ),
    "RSA": _shape(algorithm={"const": "RSA"}, targetField=TEXT, fieldNameSuffix=TEXT, publicKey=TEXT),
}


@cache
def _validator(name: str) -> Draft7Validator:
    return Draft7Validator(SHAPES[name])


def shape_name(mapper_type: str, configuration: JsonObject) -> str:
    """Which shape a configuration must have: encryption has one for each algorithm."""
    if mapper_type != "encryption":
        return mapper_type
    return "RSA" if configuration.get("algorithm") == "RSA" else "AES"


def shape_error(name: str, configuration: JsonObject) -> str | None:
    """How a configuration breaks its shape, in the words of the server's JSON mapper where they are known."""
    first = next(_validator(name).iter_errors(configuration), None)
    if first is None:
        return None
    member = first.path[-1] if len(first.path) == 1 else None
    if first.validator != "enum" or not isinstance(member, str):
        return f"{first.json_path}: {first.validator}"
    owner = f"{CONFIG_MAPPER.package}{CLASSES.get(name, name)}MapperConfiguration"
    enum = f"{owner}${member[:1].upper()}{member[1:]}Enum"
    return (
        f"Cannot construct instance of `{enum}`, problem: Unexpected value '{first.instance}'\n"
        f' at [Source: UNKNOWN; byte offset: #UNKNOWN] (through reference chain: {owner}["{member}"])'
    )


def known_members(name: str, configuration: JsonObject) -> JsonObject:
    """The configuration without members that its shape does not have, which the server drops in parsing."""
    members = as_object(SHAPES[name]["properties"])
    return {key: value for key, value in configuration.items() if key in members}


def condition_view(condition: JsonValue) -> JsonValue:
    """A condition as it reads back: each one has a list of further ones, be it empty."""
    if not isinstance(condition, dict):
        return condition
    inner = condition.get("conditions")
    shown: JsonArray = [condition_view(each) for each in inner] if isinstance(inner, list) else []
    return {**condition, "conditions": shown}


def columns_read(configuration: JsonValue) -> Iterator[str]:
    """The columns that a configuration of the right shape works on."""
    document = as_object(configuration)
    for key in ("targetField", "originalFieldName", "fieldName"):
        if key in document:
            yield str(document[key])
    conditions = document.get("conditions")
    for condition in conditions if isinstance(conditions, list) else [conditions]:
        if condition is not None:
            yield from columns_read(condition)


def columns_made(configuration: JsonObject) -> Iterator[str]:
    """The columns that it makes."""
    if "newFieldName" in configuration:
        yield str(configuration["newFieldName"])
    if "fieldNameSuffix" in configuration:
        yield f"{configuration['targetField']}{configuration['fieldNameSuffix']}"
