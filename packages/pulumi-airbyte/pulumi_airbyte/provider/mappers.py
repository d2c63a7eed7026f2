"""The shapes of mappers, as JSON Schema.

Source: the public API's OpenAPI document, ConfiguredStreamMapper. The server refuses what has another shape before it
looks at the stream.
"""

from typing import Final

from pulumi_airbyte.values import JsonObject, JsonValue

_TEXT: Final[JsonObject] = {"type": "string"}


def _object(**properties: JsonValue) -> JsonObject:
    return {"type": "object", "required": [*properties], "properties": properties}


def _mapper(kind: str, configuration: JsonObject) -> JsonObject:
    return _object(type={"const": kind}, mapperConfiguration=configuration)


_CONDITION: Final[JsonObject] = {"$ref": "#/definitions/condition"}
_EQUAL: Final = _object(type={"const": "EQUAL"}, fieldName=_TEXT, comparisonValue=_TEXT)
_NOT: Final = _object(type={"const": "NOT"}, conditions={"type": "array", "minItems": 1, "items": _CONDITION})
_AES: Final = _object(
    algorithm={"const": "AES"},
    targetField=_TEXT,
    fieldNameSuffix=_TEXT,
    key=_TEXT,
    mode={"enum": ["CBC", "CFB", "OFB", "CTR", "GCM", "ECB"]},
    padding={"enum": ["NoPadding", "PKCS5Padding"]},
)
_RSA: Final = _object(algorithm={"const": "RSA"}, targetField=_TEXT, fieldNameSuffix=_TEXT, publicKey=_TEXT)
_HASHING: Final = _object(
    targetField=_TEXT,
    method={"enum": ["MD2", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]},
    fieldNameSuffix=_TEXT,
)
MAPPER: Final[JsonObject] = {
    "oneOf": [
        _mapper("hashing", _HASHING),
        _mapper("field-filtering", _object(targetField=_TEXT)),
        _mapper("field-renaming", _object(originalFieldName=_TEXT, newFieldName=_TEXT)),
        _mapper("row-filtering", _object(conditions=_CONDITION)),
        _mapper("encryption", {"oneOf": [_AES, _RSA]}),
    ],
    "definitions": {"condition": {"oneOf": [_EQUAL, _NOT]}},
}
