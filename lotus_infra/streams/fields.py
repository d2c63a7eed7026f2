"""What a field of a stream is: a small part of JSON Schema, nullability aside."""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict
from pydantic.dataclasses import dataclass

from lotus_infra.streams.values import TypeName


def _as_field(value: object) -> object:
    """Read a bare map of fields as the object that it describes: lake files write array items in either way."""
    if isinstance(value, dict) and not isinstance(value.get("type"), str | list):
        return {"type": "object", "properties": value} if value else {"type": "unknown"}
    return value


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid", use_attribute_docstrings=True))
class Field:
    """One field: its JSON type and, for objects and arrays, what is inside."""

    type: TypeName | tuple[TypeName, ...]
    """JSON type, or a list of types; "null" makes no difference and "unknown" agrees with every type."""

    format: str | None = None
    """JSON Schema format of a string, such as "date-time"."""

    airbyte_type: str | None = None
    """Airbyte's closer type of a string, such as "timestamp_with_timezone"."""

    description: str | None = None
    """What the field means, for people."""

    properties: "dict[str, Field] | None" = None
    """The fields of an object."""

    items: "Annotated[Field | None, BeforeValidator(_as_field, json_schema_input_type=Field | dict[str, Field])]" = None
    """What an array holds: a field, or a bare map of fields for an array of objects."""

    @property
    def types(self) -> frozenset[str]:
        """The field's types without "null"; empty when it says nothing about them."""
        names = frozenset({self.type} if isinstance(self.type, str) else self.type) - {"null"}
        return frozenset() if "unknown" in names else names
