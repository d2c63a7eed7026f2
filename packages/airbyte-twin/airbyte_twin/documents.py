"""JSON documents: types, parsing and serialization."""

from pydantic import JsonValue
from pydantic_core import from_json, to_json

JsonObject = dict[str, JsonValue]
JsonArray = list[JsonValue]


def parse_json(raw: bytes) -> JsonValue:
    """Read one JSON document.

    Args:
        raw: UTF-8 bytes of the document.

    Raises:
        ValueError: The bytes are not JSON, nest too deeply, or hold NaN or a lone surrogate.
    """
    document: JsonValue = from_json(raw, allow_inf_nan=False)
    return document


def dump_json(document: object) -> bytes:
    """Write a document as compact UTF-8 JSON."""
    return to_json(document, inf_nan_mode="null")


def without_nulls(document: JsonObject) -> JsonObject:
    """The document without its own null members; nested documents stay as they are.

    Source: airbyte-server application.yml serializes with NON_ABSENT, which spares nulls inside JSON nodes.
    """
    return {key: value for key, value in document.items() if value is not None}


def as_object(document: JsonValue) -> JsonObject:
    """The document if it is an object, else an empty one."""
    return document if isinstance(document, dict) else {}
