"""Validate configurations against a connector's spec, with the server's messages."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from pydantic import JsonValue
from referencing import Registry
from referencing.exceptions import Unresolvable

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.errors import unprocessable
from airbyte_twin.java_order import jsonb_order

PREFIX = "json schema validation failed when comparing the data to the json schema. \nErrors: "
NOTHING_OUTSIDE: Registry[Any] = Registry()
"""Resolves no reference but those within a spec: the library's own default would fetch URLs and files."""
FORMATS = FormatChecker(formats=())
FORMAT_NAMES = {
    "date-time": "must be a valid RFC 3339 date-time",
    "date": "must be a valid RFC 3339 full-date",
}
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[-+][0-9]{2}:[0-9]{2})")
FIRST_KEYWORDS = ("properties", "patternProperties")
JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def json_type(value: JsonValue) -> str:
    """The JSON Schema type of a value."""
    return JSON_TYPES.get(type(value), "null")


def json_path(error: ValidationError | SchemaError) -> str:
    """Where an error is: `$.credentials.api_password`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)


def messages(error: ValidationError, validator: Draft7Validator) -> Iterator[str]:
    """One or more `<path>: <violation>` for an error, never with values."""
    path, keyword = json_path(error), str(error.validator)
    expected: Any = error.validator_value
    instance: Any = error.instance
    if keyword == "required":
        yield from (f"{path}: required property '{key}' not found" for key in expected if key not in instance)
    elif keyword == "type":
        names = [expected] if isinstance(expected, str) else list(expected)
        wanted = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
        yield f"{path}: {json_type(instance)} found, {wanted} expected"
    elif keyword == "oneOf":
        valid = 0 if error.context else sum(validator.evolve(schema=each).is_valid(instance) for each in expected)
        yield f"{path}: must be valid to one and only one schema, but {valid} are valid"
    elif keyword != "anyOf":
        yield f"{path}: {reason(keyword, expected)}"
    yield from (message for inner in error.context or () for message in messages(inner, validator))


def reason(keyword: str, expected: object) -> str:
    """The text of a violated keyword."""
    texts = {
        "enum": f"does not have a value in the enumeration {json.dumps(expected, ensure_ascii=False)}",
        "const": f"must be the constant value '{expected}'",
        "pattern": f"does not match the regex pattern {expected}",
        "minimum": f"must have a minimum value of {expected}",
        "maximum": f"must have a maximum value of {expected}",
        "format": f"does not match the {expected} pattern {FORMAT_NAMES.get(str(expected), '')}",
    }
    return texts.get(keyword, f"does not satisfy {keyword}")


def server_order(schema: JsonValue, *, names: bool = False) -> JsonValue:
    """A schema with its keywords in the order in which the server looks at them: properties first, then as stored.

    Args:
        schema: A schema or a part of one.
        names: Whether its keys are names of properties instead of keywords.
    """
    if isinstance(schema, list):
        return [server_order(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    keys = jsonb_order(schema)
    if not names:
        keys.sort(key=lambda key: key not in FIRST_KEYWORDS)
    return {key: server_order(schema[key], names=not names and key in FIRST_KEYWORDS) for key in keys}


def unique(items: Iterable[str]) -> list[str]:
    """In order of first appearance."""
    return list(dict.fromkeys(items))


class SpecValidator:
    """Checks configurations against one connector's spec."""

    def __init__(self, spec: JsonObject) -> None:
        ordered = as_object(server_order(spec))
        self._validator = Draft7Validator(ordered, registry=NOTHING_OUTSIDE, format_checker=FORMATS)

    def check(self, configuration: JsonValue) -> None:
        """Refuse a configuration that violates the spec.

        Raises:
            ProblemError: 422 `unprocessable-entity`, with the paths of all violations in the server's message form.
        """
        broken = self.violation(configuration)
        if broken:
            raise unprocessable(broken)

    def violation(self, configuration: JsonValue) -> str | None:
        """All violations in the server's message form; None if the configuration is valid."""
        validator = self._validator
        try:
            texts = [text for error in validator.iter_errors(configuration) for text in messages(error, validator)]
        except (Unresolvable, RecursionError):
            return PREFIX + "$: the connector's spec has a reference that leads nowhere or back to itself"
        if not texts:
            return None
        return f"{PREFIX}{', '.join(unique(texts))} "  # what follows, the schema, is cut off behind the blank


@FORMATS.checks("date-time")
def is_moment(value: object) -> bool:
    """Whether a text is a moment as RFC 3339 writes it; other values have no format."""
    if not isinstance(value, str):
        return True
    if not MOMENT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True


@FORMATS.checks("date")
def is_day(value: object) -> bool:
    """Whether a text is a full date of RFC 3339; other values have no format."""
    if not isinstance(value, str):
        return True
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def spec_flaw(spec: JsonObject) -> str | None:
    """Why nothing can be checked against a spec that somebody wrote; None if all is well."""
    try:
        Draft7Validator.check_schema(spec)
    except SchemaError as error:
        return f"{json_path(error)}: {error.validator}"
    except RecursionError:
        return "$: nests too deeply"
    return None
