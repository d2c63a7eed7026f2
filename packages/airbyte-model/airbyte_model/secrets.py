"""Secrets in configurations: the leaves that a specification marks, the mask, and names of stored secrets.

Source: airbyte-platform, JsonSecretsProcessor and SecretsHelpers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeGuard

from airbyte_model.json_values import JsonObject, JsonValue, Path

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


def described(schema: JsonObject, configuration: JsonValue) -> frozenset[Path]:
    """The paths of the leaves that a specification describes, secret ones included.

    A leaf is described if its key is a property of the schema, and its value has the type and is among the choices that
    the property allows. Of a choice of schemas, only those count whose constants the configuration has. So what is in a
    free-form object, in a branch of another choice, or behind a `$ref` is not described.
    """
    return frozenset(_described(_applicable(schema, configuration), configuration, ()))


def _described(schemas: Schemas, value: JsonValue, path: Path) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            found = [one for schema in schemas for one in _applicable(properties_of(schema).get(key), inner)]
            yield from _described(found, inner, (*path, key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, inner in enumerate(value):
            found = [one for schema in schemas for one in _applicable(schema.get("items"), inner)]
            yield from _described(found, inner, (*path, index))
    elif any(_allows(schema, value) for schema in schemas):
        yield path


def _applicable(schema: JsonValue, value: JsonValue) -> Schemas:
    """A schema with everything that it combines, without the choices whose constants a value does not have."""
    if not isinstance(schema, Mapping):
        return []
    found: Schemas = [schema]
    for combinator in ("oneOf", "anyOf", "allOf"):
        for option in _items(schema.get(combinator)):
            if combinator == "allOf" or _has_constants(option, value):
                found += _applicable(option, value)
    return found


def _has_constants(option: JsonValue, value: JsonValue) -> bool:
    """Whether a value has the constants by which an option is told apart; only a required one may not be missing."""
    if not isinstance(value, Mapping) or not isinstance(option, Mapping):
        return True
    required = _items(option.get("required"))
    for key, schema in properties_of(option).items():
        choices = choices_of(schema)
        if len(choices) == 1 and (value[key] not in choices if key in value else key in required):
            return False
    return True


def choices_of(schema: JsonValue) -> Sequence[JsonValue]:
    """The values that a schema allows by `const` or `enum`; empty if it has neither."""
    if not isinstance(schema, Mapping):
        return ()
    return [schema["const"]] if "const" in schema else _items(schema.get("enum"))


def _allows(schema: JsonObject, leaf: JsonValue) -> bool:
    """Whether a schema gives a type or choices, and they include a leaf."""
    given, choices = schema.get("type"), choices_of(schema)
    types = {given} if isinstance(given, str) else set(map(str, _items(given)))
    if "$ref" in schema or not (types or choices):
        return False
    return (not types or not types.isdisjoint(_types_of(leaf))) and (not choices or leaf in choices)


def _items(value: JsonValue) -> Sequence[JsonValue]:
    """A list's items; none if it is no list."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _types_of(leaf: JsonValue) -> frozenset[str]:
    if isinstance(leaf, bool) or leaf is None:
        return frozenset({"null" if leaf is None else "boolean"})
    if isinstance(leaf, str):
        return frozenset({"string"})
    whole = isinstance(leaf, int) or (isinstance(leaf, float) and leaf.is_integer())
    return frozenset({"integer", "number"} if whole else {"number"})


def _branches(schema: JsonValue) -> Iterator[JsonObject]:
    if not isinstance(schema, Mapping):
        return
    yield schema
    for combinator in ("oneOf", "anyOf", "allOf"):
        for option in _items(schema.get(combinator)):
            yield from _branches(option)
