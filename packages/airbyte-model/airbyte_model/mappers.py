"""Mappers of a stream: what the server refuses in them, and the fields that are left after them.

Mappers run in order, on top-level fields, between source and destination: each one receives the fields that the one
before leaves. A mapper that renames a field renames it in the stream's key and cursor too. Source: airbyte-platform,
SlimStream, the mappers of `airbyte-mappers`, and MapperConfiguration of the public API.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, NamedTuple

from airbyte_model.flaws import Flaw
from airbyte_model.json_values import JsonObject, JsonValue, Path
from airbyte_model.mapper_types import (
    ENCRYPTION,
    FIELD_FILTERING,
    FIELD_RENAMING,
    HASHING,
    HASHING_METHODS,
    ROW_FILTERING,
)
from airbyte_model.specifications import Specification
from airbyte_model.suggestions import suggestion

_TARGET: Final = "targetField"
_SUFFIX: Final = "fieldNameSuffix"
_OLD: Final = "originalFieldName"
_NEW: Final = "newFieldName"
_CONDITIONS: Final = "conditions"
_FIELD: Final = "fieldName"
_CIPHERS: Final = frozenset(
    {
        ("CBC", "PKCS5Padding"),
        ("CFB", "PKCS5Padding"),
        ("OFB", "PKCS5Padding"),
        ("CFB", "NoPadding"),
        ("OFB", "NoPadding"),
        ("CTR", "NoPadding"),
    }
)
"""Modes and paddings of AES that take texts of any length and the 16 random bytes with which the server starts each."""


class Mapper(NamedTuple):
    """A mapper as the public API takes it.

    Attributes:
        type: a `MapperType`.
        configuration: its `mapperConfiguration`.
    """

    type: str
    configuration: JsonObject


@dataclass(frozen=True, slots=True)
class MappedField:
    """A field after a stream's mappers.

    Attributes:
        origin: its name in the source.
        change: of its values; hashed and encrypted ones are texts of hexadecimal digits.
    """

    origin: str
    change: Literal["kept", "hashed", "encrypted"] = "kept"

    @property
    def is_comparable(self) -> bool:
        """Whether equal values are equal still; the same value is encrypted to another text each time."""
        return self.change != "encrypted"

    @property
    def is_ordered(self) -> bool:
        """Whether values are in the same order still."""
        return self.change == "kept"


def _object(properties: dict[str, JsonValue], optional: frozenset[str] = frozenset()) -> JsonObject:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


_TEXT: Final[JsonObject] = {"type": "string"}
_NAME: Final[JsonObject] = {"type": "string", "minLength": 1}
_CONDITION: Final[JsonObject] = {"$ref": "#/definitions/condition"}
_SCHEMAS: Final[Mapping[str, JsonObject]] = {
    HASHING: _object(
        {
            _TARGET: _NAME,
            "method": {"type": "string", "enum": list(HASHING_METHODS)},
            _SUFFIX: _TEXT,
        }
    ),
    ENCRYPTION: {
        "type": "object",
        "oneOf": [
            _object(
                {
                    "algorithm": {"type": "string", "const": "AES"},
                    _TARGET: _NAME,
                    _SUFFIX: _TEXT,
                    "key": {"type": "string", "airbyte_secret": True},
                    "mode": {"type": "string", "enum": ["CBC", "CFB", "OFB", "CTR", "GCM", "ECB"]},
                    "padding": {"type": "string", "enum": ["NoPadding", "PKCS5Padding"]},
                }
            ),
            _object(
                {
                    "algorithm": {"type": "string", "const": "RSA"},
                    _TARGET: _NAME,
                    _SUFFIX: _TEXT,
                    "publicKey": _NAME,
                }
            ),
        ],
    },
    FIELD_RENAMING: _object({_OLD: _NAME, _NEW: _NAME}),
    FIELD_FILTERING: _object({_TARGET: _NAME}),
    ROW_FILTERING: {
        **_object({_CONDITIONS: _CONDITION}),
        "definitions": {
            "condition": {
                "oneOf": [
                    # A condition reads back with a list of further ones, be it empty.
                    _object(
                        {
                            "type": {"const": "EQUAL"},
                            _FIELD: _NAME,
                            "comparisonValue": _TEXT,
                            _CONDITIONS: {"type": "array", "maxItems": 0},
                        },
                        optional=frozenset({_CONDITIONS}),
                    ),
                    _object(
                        {
                            "type": {"const": "NOT"},
                            _CONDITIONS: {"type": "array", "minItems": 1, "items": _CONDITION},
                        }
                    ),
                ]
            }
        },
    },
}


MAPPER: Final[JsonObject] = {
    "oneOf": [
        {
            "type": "object",
            "required": ["type", "mapperConfiguration"],
            "properties": {"type": {"const": kind}, "mapperConfiguration": schema},
        }
        for kind, schema in _SCHEMAS.items()
    ],
    "definitions": _SCHEMAS[ROW_FILTERING]["definitions"],
}
"""JSON Schema of a mapper as the public API takes it (ConfiguredStreamMapper)."""


@cache
def specification_of(mapper_type: str) -> Specification:
    """The specification of a mapper's configuration, with its secret marked.

    Raises:
        KeyError: The server has no such mapper.
    """
    return Specification(_SCHEMAS[mapper_type])


def fields_after(mappers: Iterable[Mapper], fields: Iterable[str]) -> dict[str, MappedField]:
    """The fields that a destination receives, in their order; a mapper that does not work changes nothing.

    Args:
        mappers: in the order in which they run.
        fields: the top-level fields that are read from the source.
    """
    here = {name: MappedField(name) for name in fields}
    for mapper in mappers:
        here = _applied(mapper, here)
    return here


def mapper_flaws(mappers: Iterable[Mapper], fields: Iterable[str]) -> Iterator[tuple[Path, Flaw]]:
    """What is wrong with a stream's mappers beyond their specifications: with the fields that they change.

    Args:
        mappers: in the order in which they run; an unknown type is passed over.
        fields: the top-level fields that are read from the source.

    Yields:
        The path from the list of mappers, such as `(0, "targetField")`, and the flaw.
    """
    here = {name: MappedField(name) for name in fields}
    for index, mapper in enumerate(mappers):
        for path, flaw in (*_field_flaws(mapper, here), *_value_flaws(mapper)):
            yield (index, *path), flaw
        here = _applied(mapper, here)


def fields_read(mapper: Mapper) -> Iterator[tuple[Path, str]]:
    """Each field that a mapper works on, with its path in the configuration."""
    key = _OLD if mapper.type == FIELD_RENAMING else _TARGET
    if mapper.type == ROW_FILTERING:
        yield from _compared(mapper.configuration.get(_CONDITIONS), (_CONDITIONS,))
    elif isinstance(field := mapper.configuration.get(key), str):
        yield (key,), field


def _compared(condition: JsonValue, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(condition, Mapping):
        return
    field, inner = condition.get(_FIELD), condition.get(_CONDITIONS)
    if isinstance(field, str):
        yield (*path, _FIELD), field
    if isinstance(inner, list | tuple):
        for index, each in enumerate(inner):
            yield from _compared(each, (*path, _CONDITIONS, index))


def _made(mapper: Mapper) -> tuple[str, str, str] | None:
    """The field that a mapper replaces, the one that it writes, and the key that names the latter; None if none."""
    configuration = mapper.configuration
    if mapper.type == FIELD_RENAMING:
        old, new = configuration.get(_OLD), configuration.get(_NEW)
        return (old, new, _NEW) if isinstance(old, str) and isinstance(new, str) else None
    if mapper.type in {HASHING, ENCRYPTION}:
        target, suffix = configuration.get(_TARGET), configuration.get(_SUFFIX)
        return (target, target + suffix, _SUFFIX) if isinstance(target, str) and isinstance(suffix, str) else None
    return None


def _applied(mapper: Mapper, fields: dict[str, MappedField]) -> dict[str, MappedField]:
    if mapper.type == FIELD_FILTERING:
        return {name: field for name, field in fields.items() if name != mapper.configuration.get(_TARGET)}
    made = _made(mapper)
    if made is None or made[0] not in fields or (made[0] != made[1] and made[1] in fields):
        return fields
    old, new, _ = made
    return {
        new if name == old else name: _changed(mapper, field) if name == old else field
        for name, field in fields.items()
    }


def _changed(mapper: Mapper, field: MappedField) -> MappedField:
    if mapper.type == ENCRYPTION:
        return MappedField(field.origin, "encrypted")
    if mapper.type == HASHING and field.change == "kept":
        return MappedField(field.origin, "hashed")
    return field


def _field_flaws(mapper: Mapper, fields: Mapping[str, MappedField]) -> Iterator[tuple[Path, Flaw]]:
    missing = [(path, name) for path, name in fields_read(mapper) if name not in fields]
    for path, name in missing:
        now = next((here for here, field in fields.items() if field.origin == name), None)
        what = f'"{name}" is no field of the stream' + (" any more: a mapper before this one renames it" if now else "")
        remedy = f'write "{now}"' if now else suggestion(name, fields, "name a field that the stream selects")
        yield path, Flaw(what, remedy)
    made = _made(mapper)
    if made is None or missing:
        return
    old, new, key = made
    if old != new and new in fields:
        yield (key,), Flaw(f'makes the field "{new}", which the stream has already', "choose another name")
    elif old == new and mapper.type == HASHING:
        yield (key,), Flaw("is empty, and Airbyte then removes the values", 'write a suffix such as "_hashed"')


def _value_flaws(mapper: Mapper) -> Iterator[tuple[Path, Flaw]]:
    """Values that the specification takes and the server's ciphers don't."""
    if mapper.type != ENCRYPTION or mapper.configuration.get("algorithm") != "AES":
        return
    mode, padding = mapper.configuration.get("mode"), mapper.configuration.get("padding")
    known = isinstance(mode, str) and isinstance(padding, str)
    if known and (mode, padding) not in _CIPHERS:
        what = f"is {mode} with {padding}, which Airbyte's mapper can't encrypt with"
        yield ("mode",), Flaw(what, 'write "CBC" with "PKCS5Padding", or "CTR" with "NoPadding"')
