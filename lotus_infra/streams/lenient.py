"""A JSON Schema validator to which a reference fits wherever its value could turn out right, and plain words for it.

What is found is told without any value from the configuration: one of them may be a secret in the wrong place.
"""

import re
from collections.abc import Callable, Iterator

from jsonschema import Draft7Validator, ValidationError, validators
from pydantic import JsonValue

from lotus_infra.lake.diagnostics import JsonPath, suggestion
from lotus_infra.lake.references import AS, Reference, is_reference, parse, walk

Misfit = tuple[JsonPath, str, str]
"""Where in a configuration, what is wrong, what to do."""
_Schema = dict[str, JsonValue]
_Keyword = Callable[[Draft7Validator, JsonValue, JsonValue, _Schema], Iterator[ValidationError]]
_READ_AS = {
    "string": {"string"},
    "integer": {"integer", "number"},
    "number": {"number"},
    "boolean": {"boolean"},
    "json": {"object", "array", "string", "integer", "number", "boolean", "null"},
}
_AT_LEAST = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_AT_MOST = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}


def _lenient(keyword: _Keyword) -> _Keyword:
    """A keyword that lets references pass."""

    def check(
        validator: Draft7Validator, value: JsonValue, instance: JsonValue, schema: _Schema
    ) -> Iterator[ValidationError]:
        if not is_reference(instance):
            yield from keyword(validator, value, instance, schema) or ()

    return check


def _type(
    validator: Draft7Validator, value: JsonValue, instance: JsonValue, schema: _Schema
) -> Iterator[ValidationError]:
    """The keyword `type`: a reference must be read as a type that fits."""
    if not is_reference(instance):
        yield from Draft7Validator.VALIDATORS["type"](validator, value, instance, schema) or ()
        return
    reference = parse(instance)
    wanted = set(value) if isinstance(value, list) else {value}
    if isinstance(reference, Reference) and not _READ_AS[reference.type] & wanted:
        yield ValidationError("the reference is read as another type")


def _pattern(
    validator: Draft7Validator, value: JsonValue, instance: JsonValue, schema: _Schema
) -> Iterator[ValidationError]:
    """The keyword `pattern`: one that only other languages understand is the server's to check."""
    try:
        re.compile(str(value))
    except re.error:
        return
    yield from Draft7Validator.VALIDATORS["pattern"](validator, value, instance, schema) or ()


def _one_of(
    validator: Draft7Validator, value: JsonValue, instance: JsonValue, schema: _Schema
) -> Iterator[ValidationError]:
    """The keyword `oneOf`: with a reference inside, more than one branch may fit for now."""
    unsettled = any(is_reference(leaf) for _, leaf in walk(instance))
    keyword = Draft7Validator.VALIDATORS["anyOf" if unsettled else "oneOf"]
    yield from keyword(validator, value, instance, schema) or ()


_KEYWORDS = {name: _lenient(keyword) for name, keyword in Draft7Validator.VALIDATORS.items()}


_KEYWORDS |= {"type": _type, "pattern": _lenient(_pattern), "oneOf": _lenient(_one_of)}


LenientValidator: type[Draft7Validator] = validators.extend(Draft7Validator, _KEYWORDS)  # type: ignore[no-untyped-call]


def misfits(error: ValidationError) -> Iterator[Misfit]:
    """Tell a validation error in plain words; that of a choice is told for the branch that was meant."""
    path, keyword, wanted = tuple(error.absolute_path), error.validator, error.validator_value
    if keyword in {"oneOf", "anyOf"} and error.context:
        yield from _branch(error)
    elif keyword == "required" and isinstance(wanted, list) and isinstance(error.instance, dict):
        for key in wanted:
            if key not in error.instance:
                yield (*path, str(key)), "is missing", "add it: the connector requires it"
    elif keyword == "type":
        yield (path, *_type_words(error.instance, wanted))
    elif keyword in {"enum", "const"}:
        yield (path, *_choice_words(error.instance, _choices(error)))
    elif keyword == "pattern":
        yield path, "does not have the form that the connector wants", f"write what matches {wanted}"
    elif keyword in _AT_LEAST | _AT_MOST:
        bound, direction = ("small", "least") if keyword in _AT_LEAST else ("large", "most")
        yield path, f"is too {bound} for the connector", f"{keyword} is {wanted}: stay at {direction} there"
    else:
        yield path, f"does not meet the connector's rule {keyword}", "see the connector's documentation"


def _branch(error: ValidationError) -> Iterator[Misfit]:
    """The errors of the branch that a choice meant: the one whose constants fit, else what the constants may be."""
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    meant = {index: errors for index, errors in branches.items() if not any(map(_tells_apart, errors))}
    if meant:
        for inner in min(meant.values(), key=len):
            yield from misfits(inner)
        return
    telling = [inner for errors in branches.values() for inner in errors if _tells_apart(inner)]
    allowed = [choice for inner in telling for choice in _choices(inner)]
    yield (tuple(telling[0].absolute_path), *_choice_words(telling[0].instance, allowed))


def _choices(error: ValidationError) -> list[str]:
    """The values that an `enum` or a `const` allows, as text."""
    allowed = error.validator_value
    return [str(choice) for choice in (allowed if isinstance(allowed, list) else [allowed])]


def _tells_apart(error: ValidationError) -> bool:
    return error.validator in {"const", "enum"} and len(error.relative_path) == 1


def _type_words(instance: object, wanted: object) -> tuple[str, str]:
    names = " or ".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)
    if is_reference(instance):
        return f"is not read as the {names} that the connector wants", f'add "{AS}": "{names}" to the reference'
    return f"is not the {names} that the connector wants", f"write a value of the type {names}"


def _choice_words(instance: object, allowed: list[str]) -> tuple[str, str]:
    choices = [choice for choice in allowed if choice]
    remedy = f"write one of {', '.join(choices)}"
    given = instance if isinstance(instance, str) else ""
    return "is not one of the values that the connector takes", suggestion(given, choices, remedy)
