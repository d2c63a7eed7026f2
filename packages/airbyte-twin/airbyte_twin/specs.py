"""Checks configurations against a connector's spec and says what is wrong as the server does.

Knows JSON Schema. Must not know actors or HTTP beyond the 422 that it raises.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError, ValidationError
from pydantic import JsonValue
from referencing import Registry
from referencing.exceptions import Unresolvable

from airbyte_twin.documents import JsonObject
from airbyte_twin.errors import unprocessable

PREFIX = "json schema validation failed when comparing the data to the json schema. \nErrors: "
NOTHING_OUTSIDE: Registry[Any] = Registry()
"""Resolves no reference but those within a spec: the library's own default would fetch URLs and files."""
JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def json_type(value: JsonValue) -> str:
    """The JSON Schema type of a value."""
    return JSON_TYPES.get(type(value), "null")


def json_path(error: ValidationError | SchemaError) -> str:
    """Where an error is: `$.credentials.api_password`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)


def messages(error: ValidationError) -> Iterator[str]:
    """One or more `<path>: <what is wrong>` for an error, values never included."""
    path, keyword = json_path(error), error.validator
    expected: Any = error.validator_value
    instance: Any = error.instance
    if keyword == "required":
        yield from (f"{path}.{key}: is missing but it is required" for key in expected if key not in instance)
    elif keyword == "type":
        names = [expected] if isinstance(expected, str) else list(expected)
        wanted = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
        yield f"{path}: {json_type(instance)} found, {wanted} expected"
    elif keyword == "enum":
        yield f"{path}: does not have a value in the enumeration {list(expected)}"
    elif keyword == "const":
        yield f"{path}: must be a constant value {expected}"
    elif keyword == "pattern":
        yield f"{path}: does not match the regex pattern {expected}"
    elif keyword in {"minimum", "maximum"}:
        yield f"{path}: must have a {keyword} value of {expected}"
    elif keyword in {"oneOf", "anyOf"}:
        yield f"{path}: should be valid to {'one and only one' if keyword == 'oneOf' else 'any'} of the schemas"
        yield from (message for inner in error.context or () for message in messages(inner))
    else:
        yield f"{path}: does not satisfy {keyword}"


def unique(items: Iterable[str]) -> list[str]:
    """In order of first appearance."""
    return list(dict.fromkeys(items))


def check_configuration(configuration: JsonValue, spec: JsonObject) -> None:
    """Refuse a configuration that violates its connector's spec.

    Raises:
        ProblemError: 422 `unprocessable-entity`, with the paths of all violations in the server's message form.
    """
    broken = violation(configuration, spec)
    if broken:
        raise unprocessable(broken)


def violation(configuration: JsonValue, spec: JsonObject) -> str | None:
    """What is wrong, in the server's message form; None if nothing is."""
    try:
        errors = list(Draft7Validator(spec, registry=NOTHING_OUTSIDE).iter_errors(configuration))
    except (Unresolvable, RecursionError):
        return PREFIX + "$: the connector's spec has a reference that leads nowhere or back to itself"
    if not errors:
        return None
    return PREFIX + ", ".join(unique(text for error in errors for text in messages(error)))


def spec_flaw(spec: JsonObject) -> str | None:
    """Why nothing can be checked against a spec that somebody wrote; None if all is well."""
    try:
        Draft7Validator.check_schema(spec)
    except SchemaError as error:
        return f"{json_path(error)}: {error.validator}"
    except RecursionError:
        return "$: nests too deeply"
    return None
