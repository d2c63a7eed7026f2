"""A configuration held against its connector's specification before anything is written.

What is not known yet fits wherever its value could turn out right: what is refused here, the server would refuse.
Nothing that is found shows a value of the configuration: one of them may be a secret in the wrong place.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft7Validator, FormatChecker, SchemaError, ValidationError, validators
from referencing import Registry
from referencing.exceptions import Unresolvable

from pulumi_airbyte.provider.properties import UNKNOWN, Properties, Property, Secret, Unknown, is_known
from pulumi_airbyte.provider.secrecy import REFERENCE, branches, children
from pulumi_airbyte.provider.versions import with_values
from pulumi_airbyte.values import MASK, JsonObject, Path

Misfit = tuple[Path, str]
"""Where in a configuration, and what is wanted there."""
_Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]
NEARLY: Final = 0.75
"""How alike two keys are for one to be meant as the other: `prot` and `port` just are."""
_NOTHING_OUTSIDE: Final[Registry[Any]] = Registry()
"""Resolves no reference but those within a specification: the library's own default would fetch URLs and files."""
_ON_WHOLE_VALUES: Final = frozenset({"enum", "const", "not", "if", "contains", "uniqueItems"})
"""Keywords whose verdict on a value that is unknown in part could turn."""
_FORMATS_OF_NO_MASK: Final = frozenset(
    {"date", "date-time", "time", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri", "iri"}
    | {"uuid", "regex", "json-pointer", "relative-json-pointer"}
)
"""Formats of JSON Schema that ten asterisks don't have; a server may check them."""
_BOUNDS: Final = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "minLength": "of at least this many characters:",
    "maxLength": "of at most this many characters:",
    "minItems": "a list of at least this many items:",
    "maxItems": "a list of at most this many items:",
}


def misfits(configuration: Property, schema: JsonObject) -> list[Misfit]:
    """Where a configuration breaks its specification, each place once; nothing where the specification is broken."""
    told: dict[Path, str] = {}
    try:
        # A pattern that this language can't read makes no specification wrong.
        _Lenient.check_schema(schema, format_checker=FormatChecker(formats=()))
        for error in _Lenient(schema, registry=_NOTHING_OUTSIDE).iter_errors(_opened(configuration)):
            for path, wanted in _words(error):
                told.setdefault(path, wanted)
    except (SchemaError, Unresolvable, RecursionError):
        return []
    return sorted(told.items(), key=lambda item: str(item[0]))


def refused(configuration: Properties, masked: list[Path], schema: JsonObject) -> list[Path]:
    """The masks that a specification refuses, each tried by itself: for its pattern, length, choice or format."""
    opened = with_values(configuration, dict.fromkeys(masked, UNKNOWN))
    without = misfits(opened, schema)
    return [
        path
        for path in masked
        if _wants_format(schema, path) or misfits(with_values(opened, {path: MASK}), schema) != without
    ]


def _wants_format(schema: JsonObject, path: Path) -> bool:
    """Whether a place has, in any branch, a format that no mask has."""
    schemas = list(branches(schema))
    for key in path:
        if isinstance(key, int):
            schemas = [inner for each in schemas for inner in branches(each.get("items"))]
        else:
            schemas = children(schemas, key)
    return any(each.get("format") in _FORMATS_OF_NO_MASK for each in schemas)


def misspelt(configuration: Property, schema: JsonObject) -> list[tuple[Path, str]]:
    """Keys that no branch of a specification has and that are nearly one it has, with the one that was meant.

    Most specifications allow further keys: Airbyte stores them and the connector ignores them. So this is no reason to
    refuse anything, but people want to know.
    """
    return list(_misspelt(_opened(configuration), list(branches(schema)), ()))


def _misspelt(value: Any, schemas: list[JsonObject], path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, list):
        items = [branch for schema in schemas for branch in branches(schema.get("items"))]
        for index, item in enumerate(value):
            yield from _misspelt(item, items, (*path, index))
    elif isinstance(value, dict):
        known = {str(key) for schema in schemas for key in _properties(schema)}
        for key, item in value.items():
            near = difflib.get_close_matches(key, known - value.keys(), n=1, cutoff=NEARLY)
            if key not in known and near:
                yield (*path, key), near[0]
            yield from _misspelt(item, children(schemas, key), (*path, key))


def _properties(schema: JsonObject) -> Mapping[str, Any]:
    found = schema.get("properties")
    return found if isinstance(found, Mapping) else {}


def _opened(value: Property) -> Any:
    """The value without secret marks; a reference to a stored secret is as unknown as what is not known yet."""
    match value:
        case Secret():
            return _opened(value.value)
        case list():
            return [_opened(item) for item in value]
        case dict():
            return {key: _opened(item) for key, item in value.items()}
        case str() if value.startswith(REFERENCE):
            return Unknown()
        case _:
            return value


def _lenient(name: str, keyword: _Keyword) -> _Keyword:
    def check(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, Unknown) or (name in _ON_WHOLE_VALUES and not is_known(instance)):
            return
        yield from keyword(validator, wanted, instance, schema) or ()

    return check


def _pattern(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """A pattern that only the server's language understands is the server's to check."""
    try:
        re.compile(str(wanted))
    except re.error:
        return
    yield from Draft7Validator.VALIDATORS["pattern"](validator, wanted, instance, schema) or ()


def _one_of(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """With an unknown part, more than one branch may fit for now."""
    keyword = Draft7Validator.VALIDATORS["oneOf" if is_known(instance) else "anyOf"]
    yield from keyword(validator, wanted, instance, schema) or ()


_KEYWORDS: Final = {**Draft7Validator.VALIDATORS, "pattern": _pattern, "oneOf": _one_of}
_Lenient: Any = validators.extend(  # type: ignore[no-untyped-call]
    Draft7Validator, {name: _lenient(name, keyword) for name, keyword in _KEYWORDS.items()}
)


def _words(error: ValidationError) -> Iterator[Misfit]:
    """An error in plain words; that of a choice is told for the branch that was meant."""
    path, keyword, wanted = tuple(error.absolute_path), str(error.validator), error.validator_value
    if keyword in {"oneOf", "anyOf"}:
        yield from _branch(error)
    elif keyword == "required" and isinstance(wanted, list) and isinstance(error.instance, dict):
        yield from (((*path, str(key)), "is required") for key in wanted if key not in error.instance)
    elif keyword == "type":
        yield path, f"must be of the type {_listed(wanted)}"
    elif keyword in {"enum", "const"}:
        yield path, _choice(error.instance, _choices(error))
    elif keyword == "pattern":
        yield path, f"must match the pattern {wanted}"
    elif keyword in _BOUNDS:
        yield path, f"must be {_BOUNDS[keyword]} {wanted}"
    elif keyword == "additionalProperties" and isinstance(error.instance, dict):
        yield from _extra_keys(error, path)
    else:
        yield path, f"does not meet the rule {keyword} of the connector's specification"


def _branch(error: ValidationError) -> Iterator[Misfit]:
    """The errors of the branch that a choice meant: the one whose constants fit, else what the constants may be."""
    found: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        found.setdefault(inner.schema_path[0], []).append(inner)
    for key, constants in _telling_keys(error.validator_value):
        if isinstance(error.instance, dict) and key not in error.instance:
            yield (*error.absolute_path, key), f"is required: one of {', '.join(constants)}"
            return
    if not found:
        yield tuple(error.absolute_path), "fits more than one of the choices in the connector's specification"
        return
    meant = [errors for errors in found.values() if not any(map(_tells_apart, errors))]
    if meant:
        for inner in min(meant, key=len):
            yield from _words(inner)
        return
    telling = [inner for errors in found.values() for inner in errors if _tells_apart(inner)]
    yield (
        tuple(telling[0].absolute_path),
        _choice(telling[0].instance, [one for each in telling for one in _choices(each)]),
    )


def _telling_keys(options: object) -> Iterator[tuple[str, list[str]]]:
    """Keys for which each branch of a choice has a constant of its own, with those constants."""
    each = [_properties(option) for option in options] if isinstance(options, list) else []
    for key in each[0] if each else ():
        constants = [choice for one in each for choice in _constant(one.get(key))]
        if len(set(constants)) == len(each) > 1:
            yield key, constants


def _constant(schema: object) -> list[str]:
    """The only value that a schema allows; specifications write it in two ways."""
    if not isinstance(schema, Mapping):
        return []
    allowed = [schema["const"]] if "const" in schema else schema.get("enum", [])
    return [str(allowed[0])] if isinstance(allowed, list) and len(allowed) == 1 else []


def _tells_apart(error: ValidationError) -> bool:
    return error.validator in {"const", "enum"} and len(error.relative_path) == 1


def _choices(error: ValidationError) -> list[str]:
    allowed = error.validator_value
    return [str(choice) for choice in (allowed if isinstance(allowed, list) else [allowed])]


def _choice(given: object, allowed: list[str]) -> str:
    near = difflib.get_close_matches(given, allowed, n=1) if isinstance(given, str) else []
    hint = f": did you mean {near[0]}?" if near else ""
    return f"must be one of {', '.join(dict.fromkeys(allowed))}{hint}"


def _extra_keys(error: ValidationError, path: Path) -> Iterator[Misfit]:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    known = [str(key) for key in _properties(schema)]
    patterns = [str(pattern) for pattern in schema.get("patternProperties", {})]
    for key in error.instance if isinstance(error.instance, dict) else ():
        if key not in known and not any(re.search(pattern, key) for pattern in patterns):
            near = difflib.get_close_matches(key, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(known)) or 'no key'}"
            yield (*path, key), f"is not in the connector's specification, which allows no further keys: {advice}"


def _listed(wanted: object) -> str:
    return " or ".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)
