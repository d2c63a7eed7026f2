"""The engine's property values as Python values, decoded and encoded once per call.

A property is a JSON value in which any node may be a `Secret` or `UNKNOWN`. The protocol's markers are defined in
pulumi, sdk/go/common/resource/properties.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from google.protobuf import struct_pb2

from pulumi_airbyte.values import JsonValue

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """A value that is known only after another resource was created."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts in the state and hides in what it prints."""

    value: "Property" = field(repr=False)


Property: TypeAlias = "bool | int | float | str | list[Property] | dict[str, Property] | Secret | Unknown | None"
Properties: TypeAlias = dict[str, Property]


def decode(struct: struct_pb2.Struct) -> Properties:
    """Properties from the protocol's form."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def _decode(value: struct_pb2.Value) -> Property:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "struct_value":
            return _decode_object(value.struct_value)
        case _:
            return None


def _decode_object(struct: struct_pb2.Struct) -> Property:
    if SIGNATURE not in struct.fields:
        return decode(struct)
    signature = struct.fields[SIGNATURE].string_value
    if signature == SECRET_SIGNATURE:
        return secret(_decode(struct.fields["value"]))
    if signature == OUTPUT_SIGNATURE:
        known = _decode(struct.fields["value"]) if "value" in struct.fields else UNKNOWN
        return secret(known) if struct.fields["secret"].bool_value else known
    raise ValueError("assets, archives and resource references are no Airbyte properties")


def secret(value: Property) -> Property:
    """The value marked as a secret, at most once."""
    return value if isinstance(value, Secret) else Secret(value)


def encode(properties: Mapping[str, Property]) -> struct_pb2.Struct:
    """Properties in the protocol's form, without nulls."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        if value is not None:
            _encode(value, struct.fields[key])
    return struct


def _encode(value: Property, into: struct_pb2.Value) -> None:  # noqa: C901, one branch for each kind of value
    match value:
        case None:
            into.null_value = struct_pb2.NULL_VALUE
        case bool():
            into.bool_value = value
        case int() | float():
            into.number_value = value
        case str():
            into.string_value = value
        case Unknown():
            into.string_value = UNKNOWN_TEXT
        case Secret():
            into.struct_value.fields[SIGNATURE].string_value = SECRET_SIGNATURE
            _encode(value.value, into.struct_value.fields["value"])
        case list():
            into.list_value.SetInParent()
            for item in value:
                _encode(item, into.list_value.values.add())
        case dict():
            into.struct_value.SetInParent()
            for key, item in value.items():
                _encode(item, into.struct_value.fields[key])


def reveal(value: Property) -> JsonValue:
    """The plain JSON value, to send to the server.

    Raises:
        ValueError: a part of it is unknown.
    """
    match value:
        case Secret():
            return reveal(value.value)
        case Unknown():
            raise ValueError("the value is not known yet")
        case list():
            return [reveal(item) for item in value]
        case dict():
            return {key: reveal(item) for key, item in value.items()}
        case _:
            return value


def unwrap(value: Property) -> Property:
    """The value without its own secret mark. Marks inside it stay."""
    return value.value if isinstance(value, Secret) else value


def is_known(value: Property) -> bool:
    """Whether every part of the value is known."""
    match value:
        case Secret():
            return is_known(value.value)
        case list():
            return all(is_known(item) for item in value)
        case dict():
            return all(is_known(item) for item in value.values())
        case _:
            return not isinstance(value, Unknown)


def has_secret(value: Property) -> bool:
    """Whether anything in the value is secret."""
    match value:
        case list():
            return any(has_secret(item) for item in value)
        case dict():
            return any(has_secret(item) for item in value.values())
        case _:
            return isinstance(value, Secret)


def secret_texts(value: Property, *, inside: bool = False) -> Iterator[str]:
    """Every text inside a secret mark."""
    match value:
        case Secret():
            yield from secret_texts(value.value, inside=True)
        case list():
            for item in value:
                yield from secret_texts(item, inside=inside)
        case dict():
            for item in value.values():
                yield from secret_texts(item, inside=inside)
        case str() if inside:
            yield value
