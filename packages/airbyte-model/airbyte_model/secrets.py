"""Secrets in configurations: the leaves that a specification marks, the mask, and names of stored secrets.

Source: airbyte-platform, JsonSecretsProcessor and SecretsHelpers.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeGuard

from airbyte_model.json_values import JsonObject, JsonValue, Path, is_list

MASK: Final = "**********"
"""What the server returns in place of every stored secret, whatever its length."""
REFERENCE: Final = "secret_coordinate::"
"""Begins a text that names a stored secret instead of holding it."""
Schemas = list[JsonObject]
"""The subschemas that apply to one place, those of every branch of a choice included."""


def is_stored(value: object) -> TypeGuard[str]:
    """Whether a value names a secret in a store, so that it is none itself."""
    return isinstance(value, str) and value.startswith(REFERENCE)


def schemas_of(schema: JsonValue) -> Schemas:
    """A schema with everything that it combines by `oneOf`, `anyOf` and `allOf`."""
    return list(_branches(schema))


def schemas_inside(schemas: Iterable[JsonObject], step: str | int) -> Schemas:
    """The schemas of a key, or of a list's item, inside a place with the given schemas."""
    found: Schemas = []
    for schema in schemas:
        if isinstance(step, int):
            found.extend(_branches(schema.get("items")))
        else:
            found.extend(_branches(properties_of(schema).get(step)))
    return found


def schemas_at(schema: JsonObject, path: Path) -> Schemas:
    """The schemas that a specification has for a place."""
    found = schemas_of(schema)
    for step in path:
        found = schemas_inside(found, step)
    return found


def properties_of(schema: JsonValue) -> JsonObject:
    """The properties that a schema names itself."""
    found = schema.get("properties") if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def marks_secret(schemas: Iterable[JsonObject]) -> bool:
    """Whether a place is secret in any branch: a configuration that is between two branches shows nothing."""
    return any(schema.get("airbyte_secret") is True for schema in schemas)


def is_secret(schema: JsonObject, path: Path) -> bool:
    """Whether a place is secret, or inside an object or a list that is secret as a whole."""
    found = schemas_of(schema)
    for step in path:
        if marks_secret(found):
            return True
        found = schemas_inside(found, step)
    return marks_secret(found)


def _branches(schema: JsonValue) -> Iterator[JsonObject]:
    if not isinstance(schema, Mapping):
        return
    yield schema
    for combinator in ("oneOf", "anyOf", "allOf"):
        options = schema.get(combinator)
        if is_list(options):
            for option in options:  # type: ignore[union-attr]
                yield from _branches(option)
