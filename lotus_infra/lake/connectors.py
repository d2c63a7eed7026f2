"""The specification of a connector as a lake keeps it, and what differs between two versions of it. Pure.

A pinned specification has the facts that checks and the provider use: keys, types, choices, bounds, defaults, required
keys and secret marks. Titles, descriptions, examples and hints for forms are left out. They are most of a connector's
own text, change without effect, and have their own license.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from airbyte_model import json_values
from airbyte_model.secrets import Schemas, choices_of, marks_secret, properties_of, schemas_inside, schemas_of
from airbyte_model.specifications import Specification
from pydantic import JsonValue

from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import format_path
from lotus_infra.lake.discovered import Connector
from lotus_infra.lake.models import FieldPath

_VALUES: Final = frozenset(
    {"type", "format", "const", "enum", "default", "pattern", "required", "uniqueItems", "multipleOf", "$ref"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems"}
    | {"minProperties", "maxProperties", "airbyte_secret"}
)
"""Keywords whose values are kept as they are."""
_SCHEMAS: Final = frozenset(
    {"additionalProperties", "additionalItems", "items", "contains", "propertyNames", "not", "if", "then", "else"}
    | {"oneOf", "anyOf", "allOf"}
)
"""Keywords of a schema, or of a list of schemas."""
_MAPS: Final = frozenset({"properties", "patternProperties", "definitions", "$defs", "dependencies"})
"""Keywords of schemas by name; a name may be any word, such as `title`."""


def facts_of(schema: JsonValue) -> JsonValue:
    """A JSON Schema without what no validation uses; its keys keep their order."""
    if isinstance(schema, list):
        return [facts_of(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, JsonValue] = {}
    for keyword, value in schema.items():
        if keyword in _VALUES:
            kept[keyword] = value
        elif keyword in _SCHEMAS:
            kept[keyword] = facts_of(value)
        elif keyword in _MAPS and isinstance(value, dict):
            kept[keyword] = {name: facts_of(inner) for name, inner in value.items()}
    return kept


def in_order_of(found: JsonValue, before: JsonValue) -> JsonValue:
    """A document in the order of an older one: known keys keep their order, new ones follow.

    Servers keep specifications in an order of their own (airbyte-platform stores them as jsonb), which has no meaning.
    """
    if isinstance(found, dict) and isinstance(before, dict):
        names = [*(name for name in before if name in found), *(name for name in found if name not in before)]
        return {name: in_order_of(found[name], before.get(name)) for name in names}
    if isinstance(found, list) and isinstance(before, list) and len(found) == len(before):
        return [in_order_of(new, old) for new, old in zip(found, before, strict=True)]
    return found


def specification_of(text: str, file: str) -> tuple[dict[str, JsonValue], tuple[str, ...]]:
    """The JSON Schema and the destination's modes in a text that a connector printed, or that was kept of one.

    Args:
        text: The output of a connector's `spec` command, which is lines of messages of the Airbyte protocol; or one
            document: such a message, what is in it, or a bare JSON Schema.
        file: The text's place, for messages.

    Raises:
        LotusError: The text has no specification, or its JSON Schema is none.
    """
    hint = "give the output of the connector's `spec` command, or a JSON Schema of its configuration"
    found = next((spec for each in _documents(text) if (spec := _spec_in(each)) is not None), None)
    if found is None:
        raise LotusError(f"{file} has no specification of a connector", hint)
    schema, modes = found
    if Specification.usable(schema) is None:
        raise LotusError(f"the specification in {file} is not a JSON Schema", hint)
    return schema, modes


def _documents(text: str) -> Iterator[JsonValue]:
    """The JSON documents of a text: the whole, or each line that is one. A connector also prints its log."""
    for part in (text, *text.splitlines()):
        try:
            yield json.loads(part)
        except (ValueError, RecursionError):
            continue
        if part is text:
            return


def _spec_in(document: JsonValue) -> tuple[dict[str, JsonValue], tuple[str, ...]] | None:
    if not isinstance(document, dict):
        return None
    if document.get("type") == "SPEC" and isinstance(document.get("spec"), dict):
        return _spec_in(document["spec"])
    for key in ("connectionSpecification", "connection_specification"):
        schema = document.get(key)
        if isinstance(schema, dict):
            listed = document.get("supported_destination_sync_modes") or document.get("supportedDestinationSyncModes")
            return schema, tuple(map(str, listed)) if isinstance(listed, list) else ()
    # A bare schema; a message of the protocol has a type too, such as LOG.
    return (document, ()) if isinstance(document.get("properties"), dict) else None


def file_text(connector: Connector) -> str:
    """The text of a pinned connector's file."""
    document = connector.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class SpecChange:
    """A difference between two versions of a pinned connector.

    Attributes:
        place: The path of a property, such as `credentials.api_password`; or a key of the file, such as `version`.
        what: What differs, such as `is new and required`.
    """

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place} {self.what}"


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a configuration.

    Attributes:
        path: Its path.
        required: Whether its object must have it, in every branch that has it.
        secret: Whether it is secret.
        types: Its JSON types; empty for any.
        choices: The values that it may have; empty for any.
    """

    path: FieldPath
    required: bool
    secret: bool
    types: tuple[str, ...]
    choices: tuple[str, ...]

    @property
    def is_required(self) -> str:
        """As people read it."""
        return "required" if self.required else "optional"


def properties_in(schema: json_values.JsonObject) -> dict[FieldPath, Property]:
    """Every property of a specification by its path, those of all branches of a choice included."""
    return {each.path: each for each in _walk(schemas_of(schema), ())}


def _walk(schemas: Schemas, path: FieldPath) -> Iterator[Property]:
    names = dict.fromkeys(str(name) for schema in schemas for name in properties_of(schema))
    for name in names:
        having = [schema for schema in schemas if name in properties_of(schema)]
        inner = schemas_inside(having, name)
        listed = [required if isinstance(required := each.get("required"), list) else [] for each in having]
        yield Property(
            path=(*path, name),
            required=all(name in each for each in listed),
            secret=marks_secret(inner),
            types=tuple(sorted({kind for each in inner for kind in _types(each.get("type"))})),
            choices=tuple(dict.fromkeys(json.dumps(one) for each in inner for one in choices_of(each))),
        )
        yield from _walk(inner, (*path, name))


def _types(value: json_values.JsonValue) -> list[str]:
    return [value] if isinstance(value, str) else [str(each) for each in value] if isinstance(value, Sequence) else []


def spec_changes(before: Connector, after: Connector) -> tuple[SpecChange, ...]:
    """The differences of two versions of a connector that matter to a configuration, the file's own keys first."""
    return (*_key_changes(before, after), *_property_changes(properties_in(before.spec), properties_in(after.spec)))


def _key_changes(before: Connector, after: Connector) -> Iterator[SpecChange]:
    for key in ("version", "definition_id", "destination_sync_modes", "image", "manifest"):
        old, new = (_shown(connector.model_dump(mode="json").get(key)) for connector in (before, after))
        if old != new:
            yield SpecChange(key, f"{old} → {new}")


def _shown(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return json.dumps(value)
    return "none" if value is None else str(value)


def _property_changes(
    before: Mapping[FieldPath, Property], after: Mapping[FieldPath, Property]
) -> Iterator[SpecChange]:
    for path in dict.fromkeys((*before, *after)):
        old, new, place = before.get(path), after.get(path), format_path(path)
        if new is None:
            yield SpecChange(place, "is gone")
        elif old is None:
            yield SpecChange(place, f"is new and {new.is_required}{', a secret' if new.secret else ''}")
        else:
            yield from (SpecChange(place, what) for what in _differences(old, new))


def _differences(old: Property, new: Property) -> Iterator[str]:
    if old.required != new.required:
        yield f"is now {new.is_required}"
    if old.secret != new.secret:
        yield "is now a secret" if new.secret else "is no longer a secret"
    if old.types != new.types:
        yield f"has another type: {' or '.join(old.types) or 'any'} → {' or '.join(new.types) or 'any'}"
    gone, added = ([one for one in ours if one not in theirs] for ours, theirs in _pairs(old.choices, new.choices))
    if gone:
        yield f"has no choice {', '.join(gone)} any more"
    if added:
        yield f"has a new choice {', '.join(added)}"


def _pairs(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    return (old, new), (new, old)
