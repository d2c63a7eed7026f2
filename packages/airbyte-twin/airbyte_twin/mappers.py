"""Mappers of a stream: their schemas, ids and columns, and their one secret, the key of AES encryption.

Source: airbyte-platform MapperSecretHelper and the mapper schemas of the public API.
"""

from collections.abc import Iterable
from functools import cache
from uuid import uuid4

from jsonschema import Draft7Validator
from pydantic import JsonValue

from airbyte_twin.bodies import MapperBody
from airbyte_twin.documents import JsonArray, JsonObject, as_object
from airbyte_twin.errors import ProblemError
from airbyte_twin.json_mapper import CONFIG_MAPPER
from airbyte_twin.records import Mapper
from airbyte_twin.secrets import MASK, SecretTree, Vault, is_node

CLASSES = {"hashing": "Hashing", "AES": "Encryption", "RSA": "Encryption"}
"""Names of the server's configuration classes."""
TEXT: JsonObject = {"type": "string"}


def _object_schema(**properties: JsonValue) -> JsonObject:
    return {"type": "object", "required": [*properties], "properties": {**properties}}


_EQUAL = _object_schema(type={"const": "EQUAL"}, fieldName=TEXT, comparisonValue=TEXT)
_NOT = _object_schema(
    type={"const": "NOT"}, conditions={"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/condition"}}
)
SCHEMAS: dict[str, JsonObject] = {
    "hashing": _object_schema(
        targetField=TEXT,
        method={"enum": ["MD2", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]},
        fieldNameSuffix=TEXT,
    ),
    "field-filtering": _object_schema(targetField=TEXT),
    "field-renaming": _object_schema(originalFieldName=TEXT, newFieldName=TEXT),
    "row-filtering": {
        **_object_schema(conditions={"$ref": "#/$defs/condition"}),
        "$defs": {"condition": {"oneOf": [_EQUAL, _NOT]}},
    },
    "AES": _object_schema(
        algorithm={"const": "AES"},
        targetField=TEXT,
        fieldNameSuffix=TEXT,
        key=TEXT,
        mode={"enum": ["CBC", "CFB", "OFB", "CTR", "GCM", "ECB"]},
        padding={"enum": ["NoPadding", "PKCS5Padding"]},
    ),
    "RSA": _object_schema(algorithm={"const": "RSA"}, targetField=TEXT, fieldNameSuffix=TEXT, publicKey=TEXT),
}


@cache
def _validator(name: str) -> Draft7Validator:
    return Draft7Validator(SCHEMAS[name])


def schema_name(mapper_type: str, configuration: JsonObject) -> str:
    """Which schema a configuration must have: encryption has one for each algorithm."""
    if mapper_type != "encryption":
        return mapper_type
    return "RSA" if configuration.get("algorithm") == "RSA" else "AES"


def schema_violation(name: str, configuration: JsonObject) -> str | None:
    """How a configuration breaks its schema, in the words of the server's JSON mapper where they are known."""
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
    """The configuration without members that its schema does not have, which the server drops in parsing."""
    members = as_object(SCHEMAS[name]["properties"])
    return {key: value for key, value in configuration.items() if key in members}


def condition_view(condition: JsonValue) -> JsonValue:
    """A condition as it reads back: each one has a list of further ones, be it empty."""
    if not isinstance(condition, dict):
        return condition
    inner = condition.get("conditions")
    shown: JsonArray = [condition_view(each) for each in inner] if isinstance(inner, list) else []
    return {**condition, "conditions": shown}


def redefined(configuration: JsonObject) -> tuple[str, str | None] | None:
    """The column that a mapper takes away and the one that it puts in its place; None for a filter of rows.

    The server compares a filter's columns with none: a row that lacks one is no match.
    """
    if "originalFieldName" in configuration:
        return str(configuration["originalFieldName"]), str(configuration["newFieldName"])
    if "fieldNameSuffix" in configuration:
        return str(configuration["targetField"]), f"{configuration['targetField']}{configuration['fieldNameSuffix']}"
    return (str(configuration["targetField"]), None) if "targetField" in configuration else None


AES_KEY = SecretTree({"properties": {"key": {"airbyte_secret": True}}})


def mapper_problem(mapper: Mapper, stream: str, reason: str) -> ProblemError:
    """400 `error:mapper-validation`."""
    shown: JsonObject = {"id": mapper.id, "type": mapper.type, "mapperConfiguration": mapper.configuration}
    errors: JsonArray = [{"stream": stream, "error": reason, "mapper": shown}]
    return ProblemError(400, "error:mapper-validation", {"errors": errors})


def stored_mappers(
    bodies: Iterable[MapperBody], stream: str, fields: Iterable[str], before: Iterable[Mapper], vault: Vault
) -> tuple[Mapper, ...]:
    """Check mappers and put their secrets away.

    Args:
        bodies: As sent; one without an id gets a new one.
        stream: Name, for messages.
        fields: The stream's columns; each mapper works on those that the mapper before it leaves.
        before: The stream's mappers until now; a masked key is kept from the one of the same id.
        vault: Where keys go.

    Raises:
        ProblemError: 400 `error:mapper-validation`, `…/invalid-config` for a configuration of another schema, or
            `…/secret-not-found` for a mask that stands for nothing.
    """
    old = {mapper.id: mapper for mapper in before}
    columns = set(fields)
    stored = []
    for body in bodies:
        mapper_id = str(body.id or uuid4())
        configuration = _checked(mapper_id, body)
        broken = _redefine(columns, configuration)
        if broken:
            raise mapper_problem(Mapper(id=mapper_id, type=body.type, configuration=configuration), stream, broken)
        known = old.get(str(body.id))
        if configuration.get("key") == MASK and not (known and is_node(known.configuration.get("key"))):
            raise ProblemError(400, "error:mapper-validation/secret-not-found", {"stream": stream, "mapper": body.type})
        old_configuration = known.configuration if known else None
        kept = vault.kept(configuration, AES_KEY, old_configuration)
        sealed = vault.sealed(kept, AES_KEY, old_configuration)
        stored.append(Mapper(id=mapper_id, type=body.type, configuration=as_object(sealed)))
    return tuple(stored)


def _redefine(columns: set[str], configuration: JsonObject) -> str | None:
    """Apply a mapper to the columns; the reason if it can't be.

    Source: airbyte-platform SlimStream.
    """
    change = redefined(configuration)
    if change is None:
        return None
    before, after = change
    if after is not None and after != before and after in columns:
        return "FIELD_ALREADY_EXISTS"
    if before not in columns:
        return "FIELD_NOT_FOUND"
    columns.remove(before)
    if after is not None:
        columns.add(after)
    return None


def _checked(mapper_id: str, body: MapperBody) -> JsonObject:
    name = schema_name(body.type, body.mapper_configuration)
    broken = schema_violation(name, body.mapper_configuration)
    if broken:
        data: JsonObject = {"mapperId": mapper_id, "mapperType": body.type, "message": broken}
        raise ProblemError(400, "error:mapper-validation/invalid-config", data)
    return known_members(name, body.mapper_configuration)


def mapper_view(mapper: Mapper, vault: Vault) -> JsonObject:
    """As both APIs show it, its key masked."""
    configuration = as_object(vault.masked(mapper.configuration, AES_KEY))
    if "conditions" in configuration:
        configuration = {**configuration, "conditions": condition_view(configuration["conditions"])}
    return {"id": mapper.id, "type": mapper.type, "mapperConfiguration": configuration}
