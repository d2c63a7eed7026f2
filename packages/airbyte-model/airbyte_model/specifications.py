"""The one validator of configurations: what the server refuses in one, by its connector's specification.

An unknown leaf fits wherever its value could turn out valid: what is refused here, the server refuses. No message shows
a value of the configuration, since one of them may be a secret in the wrong place.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple, Self

from jsonschema import Draft7Validator, FormatChecker, SchemaError, ValidationError, validators
from referencing import Registry
from referencing.exceptions import Unresolvable

from airbyte_model.flaws import Flaw
from airbyte_model.json_values import UNKNOWN, JsonObject, Path, Unknown, canonical_json, is_known
from airbyte_model.patterns import Matcher
from airbyte_model.secrets import (
    MASK,
    Schemas,
    is_secret,
    is_stored,
    properties_of,
    schemas_at,
    schemas_inside,
    schemas_of,
)
from airbyte_model.suggestions import nearest, suggestion

_MEANT: Final = 0.75
"""Similarity from which a key counts as another one's misspelling, as `prot` of `port`. Stricter than for a suggestion,
since most specifications allow further keys, and the server stores them."""
_NOTHING_OUTSIDE: Final[Registry[Any]] = Registry()
"""Resolves no reference but those within a specification: the library's own default would fetch URLs and files."""
_ON_WHOLE_VALUES: Final = frozenset({"enum", "const", "not", "if", "contains", "uniqueItems"})
"""Keywords whose verdict on a value that is unknown in part could turn."""
_MOST_STEPS: Final = 100_000
"""Keywords applied to one configuration. A real one takes hundreds; references can multiply them without end."""
_FORMATS_OF_NO_MASK: Final = frozenset(
    {"date", "date-time", "time", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri", "iri"}
    | {"uuid", "regex", "json-pointer", "relative-json-pointer"}
)
"""Formats of JSON Schema that ten asterisks don't have; a server may check them."""
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)", re.ASCII)
_FORMATS: Final = FormatChecker(formats=())
"""The formats that the server was seen to check; it ignores others, such as `password`."""
_EXAMPLES: Final = {"date": "2026-01-31", "date-time": "2026-01-31T00:00:00Z"}
_TYPES: Final = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_BOUNDS: Final = {
    "minimum": ("is too small", "write at least {}"),
    "maximum": ("is too large", "write at most {}"),
    "exclusiveMinimum": ("is too small", "write more than {}"),
    "exclusiveMaximum": ("is too large", "write less than {}"),
    "minLength": ("is too short", "write at least this many characters: {}"),
    "maxLength": ("is too long", "write at most this many characters: {}"),
    "minItems": ("has too few items", "list at least this many: {}"),
    "maxItems": ("has too many items", "list at most this many: {}"),
    "minProperties": ("has too few keys", "give at least this many: {}"),
    "maxProperties": ("has too many keys", "give at most this many: {}"),
}
_FEW: Final = 1_000
_Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


CHECKED_BY_AIRBYTE: Final = "Airbyte checks it when it is written"
UNMATCHED: Final = Flaw(
    "is not checked offline: its pattern can't be read, or takes too long to match, outside Airbyte", CHECKED_BY_AIRBYTE
)
"""About a value whose pattern was not matched; no reason to refuse it."""


class SpecificationError(ValueError):
    """A specification that can't be used; the message is the reason, without a subject."""


class UncheckedError(SpecificationError):
    """A configuration that can't be checked within bounds: the server checks it."""


class Misfit(NamedTuple):
    """Where a configuration does not fit its specification.

    Attributes:
        path: in the configuration; for a key that is missing, the place where it belongs.
        flaw: what is wrong there and what to do.
        types: the JSON types that are allowed; empty where something else than the type is wrong.
    """

    path: Path
    flaw: Flaw
    types: tuple[str, ...] = ()


class Verdict(NamedTuple):
    """How a configuration fits its specification.

    Attributes:
        misfits: where it does not, each place once, in the order of places.
        unchecked: the places whose pattern only the server can match.
    """

    misfits: list[Misfit]
    unchecked: list[Path]


@dataclass(slots=True)
class _Run:
    """The validation of one configuration.

    Attributes:
        matcher: of the specification.
        steps: how many keywords were applied so far.
        undecided: how many searches had no answer so far.
        unmatched: the values whose pattern, and the objects whose patterns of keys, were not matched, by identity.
    """

    matcher: Matcher
    steps: int = 0
    undecided: int = 0
    unmatched: dict[int, object] = field(default_factory=dict)

    def step(self) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise UncheckedError(f"takes more than {_MOST_STEPS:,} steps to check a configuration")

    def search(self, pattern: str, text: str, inside: object) -> bool | None:
        found = self.matcher.search(pattern, text)
        if found is None:
            self.undecided += 1
            self.unmatched[id(inside)] = inside
        return found


_RUN: ContextVar[_Run] = ContextVar("run")
"""Keywords are functions that the library calls: the run that they belong to can't be an argument."""


class Specification:
    """A connector's specification, prepared for validating many configurations."""

    def __init__(self, schema: JsonObject) -> None:
        """Prepare a JSON Schema.

        Raises:
            SpecificationError: it is none.
        """
        self.schema = schema
        self._secret: dict[Path, bool] = {}
        self._matcher = Matcher()
        try:
            # A pattern that Python can't read makes no specification wrong: the server's language is Java.
            _Validator.check_schema(schema, format_checker=FormatChecker(formats=()))
        except SchemaError as error:
            raise SpecificationError(f"is no JSON Schema ({error.message})") from None
        except RecursionError:
            raise SpecificationError("is no JSON Schema (it nests too deeply)") from None
        self._validator = _Validator(schema, registry=_NOTHING_OUTSIDE, format_checker=_FORMATS)

    @classmethod
    def usable(cls, schema: JsonObject) -> Self | None:
        """The specification, or None if it is no JSON Schema, so that no configuration can be validated."""
        try:
            return cls(schema)
        except SpecificationError:
            return None

    def misfits(self, configuration: object) -> list[Misfit]:
        """Where a configuration does not fit, each place once, in the order of places.

        Raises:
            SpecificationError: as `judge`.
        """
        return self.judge(configuration).misfits

    def judge(self, configuration: object) -> Verdict:
        """How a configuration fits.

        Args:
            configuration: of dicts, lists and scalars; a leaf that is not known yet is an `Unknown`.

        Raises:
            UncheckedError: that takes too many steps.
            SpecificationError: a `$ref` leads nowhere, or back to itself.
        """
        found: dict[Path, Misfit] = {}
        run = _Run(self._matcher)
        token = _RUN.set(run)
        try:
            for error in self._validator.iter_errors(configuration):
                for misfit in _misfits(error):
                    found.setdefault(misfit.path, misfit)
        except Unresolvable as error:
            raise SpecificationError(f"points to what it doesn't have ({error.ref})") from None
        except RecursionError:
            raise SpecificationError("has a $ref that leads back to itself") from None
        finally:
            _RUN.reset(token)
        return Verdict(
            sorted(found.values(), key=lambda misfit: str(misfit.path)),
            sorted(set(_places(configuration, run.unmatched)), key=str),
        )

    def is_secret(self, path: Path) -> bool:
        """Whether a place is secret in any branch of the specification, by itself or as part of what is."""
        place = tuple(0 if isinstance(step, int) else step for step in path)
        if place not in self._secret:
            self._secret[place] = is_secret(self.schema, place)
        return self._secret[place]

    def unknown_keys(self, configuration: object) -> Iterator[tuple[Path, str | None]]:
        """Each key that no branch has, with the most likely right key.

        The server stores such keys and the connector ignores them. An object whose keys the specification doesn't name
        has none; where it allows any further key with a value of some shape, no right key is suggested.
        """
        return _unknown_keys(configuration, schemas_of(self.schema), ())

    def refused_masks(self, configuration: object, masked: list[Path]) -> list[Path]:
        """The places whose mask the specification refuses, for its pattern, length, choice or format.

        The server validates a configuration before it puts secrets in the places of masks.

        Raises:
            SpecificationError: as `misfits`.
        """
        opened = _with(configuration, dict.fromkeys(masked, UNKNOWN))
        without = self.misfits(opened)
        return [
            path for path in masked if self._has_format(path) or self.misfits(_with(opened, {path: MASK})) != without
        ]

    def _has_format(self, path: Path) -> bool:
        return any(schema.get("format") in _FORMATS_OF_NO_MASK for schema in schemas_at(self.schema, path))


def _with(document: object, values: Mapping[Path, object]) -> object:
    """The document with these values at their paths, which it has."""
    if () in values:
        return values[()]
    if values and isinstance(document, dict):
        return {key: _with(item, _below(values, key)) for key, item in document.items()}
    if values and isinstance(document, list):
        return [_with(item, _below(values, index)) for index, item in enumerate(document)]
    return document


def _below(values: Mapping[Path, object], step: str | int) -> dict[Path, object]:
    return {path[1:]: value for path, value in values.items() if path[:1] == (step,)}


def _unknown_keys(value: object, schemas: Schemas, path: Path) -> Iterator[tuple[Path, str | None]]:
    if isinstance(value, list):
        items = schemas_inside(schemas, 0)
        for index, item in enumerate(value):
            yield from _unknown_keys(item, items, (*path, index))
    elif isinstance(value, dict):
        known = {key for schema in schemas for key in properties_of(schema)}
        candidates = set() if any(map(_has_free_keys, schemas)) else known - value.keys()
        for key, item in value.items():
            if known and key not in known:
                yield (*path, key), nearest(key, candidates, _MEANT)
            yield from _unknown_keys(item, schemas_inside(schemas, key), (*path, key))


def _has_free_keys(schema: JsonObject) -> bool:
    """Whether an object's keys are data, each with a value of one shape."""
    return "patternProperties" in schema or isinstance(schema.get("additionalProperties"), Mapping)


@_FORMATS.checks("date-time")
def _is_moment(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return _MOMENT.fullmatch(value) is not None and _parses(datetime.fromisoformat, value.upper())


@_FORMATS.checks("date")
def _is_day(value: object) -> bool:
    # Python takes 20260131 too, which is no full date of RFC 3339.
    return not isinstance(value, str) or (len(value) == 10 and _parses(date.fromisoformat, value))


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _lenient(name: str, keyword: _Keyword) -> _Keyword:
    """A keyword that passes what can't be decided here, and a stored secret's name where the secret itself belongs."""

    def check(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        run = _RUN.get()
        run.step()
        if isinstance(instance, Unknown) or (name in _ON_WHOLE_VALUES and not is_known(instance)):
            return
        if is_stored(instance) and name != "type" and schema.get("airbyte_secret") is True:
            return
        if name not in _ON_WHOLE_VALUES:
            yield from keyword(validator, wanted, instance, schema) or ()
            return
        before = run.undecided
        found = list(keyword(validator, wanted, instance, schema) or ())
        # With a pattern that was not matched, the verdict could turn.
        if run.undecided == before:
            yield from found

    return check


def _type(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """An unknown value needs only one type in common with those that are allowed."""
    if not isinstance(instance, Unknown):
        yield from Draft7Validator.VALIDATORS["type"](validator, wanted, instance, schema) or ()
    elif instance.types and instance.types.isdisjoint(map(str, _listed(wanted))):
        yield ValidationError("no type in common")


def _pattern(_validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """A pattern that can't be matched here is the server's to check."""
    if isinstance(instance, str) and _RUN.get().search(str(wanted), instance, instance) is False:
        yield ValidationError("does not match")


def _pattern_properties(validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for pattern, inner in wanted.items():
            for key, value in instance.items():
                if _RUN.get().search(str(pattern), str(key), instance):
                    yield from validator.descend(value, inner, path=key, schema_path=pattern)


def _additional(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Additional keys; with a pattern of keys that can't be matched here, none is reported: the server decides."""
    patterns = [str(pattern) for pattern in schema.get("patternProperties", ())]
    if not isinstance(instance, dict):
        return
    keys = [key for key in instance if key not in schema.get("properties", {})]
    found = {key: [_RUN.get().search(pattern, str(key), instance) for pattern in patterns] for key in keys}
    extra = [key for key in keys if not any(found[key])]
    if any(None in found[key] for key in extra):
        return
    if isinstance(wanted, dict):
        for key in extra:
            yield from validator.descend(instance[key], wanted, path=key)
    elif not wanted and extra:
        yield ValidationError("additional keys")


def _one_of(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """With a part that can't be decided here, more than one branch may fit for now."""
    run = _RUN.get()
    before = run.undecided
    exactly_one = list(Draft7Validator.VALIDATORS["oneOf"](validator, wanted, instance, schema) or ())
    if is_known(instance) and run.undecided == before:
        yield from exactly_one
    elif exactly_one:
        yield from Draft7Validator.VALIDATORS["anyOf"](validator, wanted, instance, schema) or ()


def _places(value: object, wanted: Mapping[int, object], path: Path = ()) -> Iterator[Path]:
    """The places of some values of a document, which are given by their identity."""
    if not wanted:
        return
    if id(value) in wanted:
        yield path
    if isinstance(value, dict):
        if any(id(key) in wanted for key in value):
            yield path
        for key, item in value.items():
            yield from _places(item, wanted, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, wanted, (*path, index))


def _unique(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The library compares objects and lists in pairs, which takes minutes for a list of many."""
    if not isinstance(instance, list) or len(instance) <= _FEW:
        yield from Draft7Validator.VALIDATORS["uniqueItems"](validator, wanted, instance, schema) or ()
    elif wanted is True and len(set(map(canonical_json, instance))) < len(instance):
        yield ValidationError("an item twice")


_KEYWORDS: Final[dict[str, _Keyword]] = {
    **Draft7Validator.VALIDATORS,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "oneOf": _one_of,
    "uniqueItems": _unique,
}
_Validator: Any = validators.extend(  # type: ignore[no-untyped-call]
    Draft7Validator, {**{name: _lenient(name, keyword) for name, keyword in _KEYWORDS.items()}, "type": _type}
)


def _misfits(error: ValidationError) -> Iterator[Misfit]:
    """An error as misfits; an error of a choice is reported for the branch that its constants select."""
    path, keyword, wanted = tuple(error.absolute_path), str(error.validator), error.validator_value
    if keyword in {"oneOf", "anyOf"}:
        yield from _branch(error)
    elif keyword == "required" and isinstance(wanted, list) and isinstance(error.instance, dict):
        missing = [(*path, str(key)) for key in wanted if key not in error.instance]
        yield from (Misfit(place, Flaw("is required", "add it")) for place in missing)
    elif keyword == "type":
        types = tuple(map(str, _listed(wanted)))
        named = " or ".join(_TYPES.get(name, name) for name in types)
        yield Misfit(path, Flaw("has the wrong type", f"write {named}"), types)
    elif keyword == "additionalProperties" and isinstance(error.instance, dict):
        yield from _extra_keys(error, path)
    else:
        yield Misfit(path, _flaw(keyword, wanted, error))


def _flaw(keyword: str, wanted: object, error: ValidationError) -> Flaw:
    if keyword in {"enum", "const"}:
        return _choice(error.instance, _choices(error))
    if keyword in _BOUNDS:
        what, remedy = _BOUNDS[keyword]
        return Flaw(what, remedy.format(wanted))
    if keyword == "pattern":
        return Flaw("has the wrong form", f"write what matches the pattern {wanted}")
    if keyword == "format" and wanted in _EXAMPLES:
        return Flaw(f"is not a {wanted}", f"write one such as {_EXAMPLES[str(wanted)]}")
    # The library gives a key that is never allowed without its name.
    rule = "has a key that is against the rules" if error.schema is False else f"breaks the rule {keyword}"
    other = Flaw(f"{rule} of the connector's specification", "see the connector's documentation")
    return Flaw("has an item twice", "keep one") if keyword == "uniqueItems" else other


def _branch(error: ValidationError) -> Iterator[Misfit]:
    """The errors of the selected branch, the one whose constants match; without one, the valid constants."""
    path = tuple(error.absolute_path)
    found: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        found.setdefault(inner.schema_path[0], []).append(inner)
    for key, constants in _telling_keys(error.validator_value):
        if isinstance(error.instance, dict) and key not in error.instance:
            yield Misfit((*path, key), Flaw("is required", f"write one of {', '.join(constants)}"))
            return
    if not found:
        remedy = "leave out the keys of all choices but one"
        yield Misfit(path, Flaw("fits more than one of the choices in the connector's specification", remedy))
        return
    meant = [errors for errors in found.values() if not any(map(_tells_apart, errors))]
    if meant:
        for inner in min(meant, key=len):
            yield from _misfits(inner)
        return
    telling = [inner for errors in found.values() for inner in errors if _tells_apart(inner)]
    allowed = [one for each in telling for one in _choices(each)]
    yield Misfit(tuple(telling[0].absolute_path), _choice(telling[0].instance, allowed))


def _telling_keys(options: object) -> Iterator[tuple[str, list[str]]]:
    """Keys for which each branch of a choice has a constant of its own, with those constants."""
    each = [properties_of(option) for option in options] if isinstance(options, list) else []
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
    """The values that an `enum` or a `const` allows, as text; an empty one, which stands for none, is no advice."""
    return [text for text in map(str, _listed(error.validator_value)) if text]


def _choice(given: object, allowed: list[str]) -> Flaw:
    otherwise = f"write one of {', '.join(dict.fromkeys(allowed))}"
    return Flaw("is not an allowed value", suggestion(given if isinstance(given, str) else "", allowed, otherwise))


def _extra_keys(error: ValidationError, path: Path) -> Iterator[Misfit]:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    known = sorted(map(str, properties_of(schema)))
    patterns = [str(pattern) for pattern in schema.get("patternProperties", {})]
    for key in error.instance if isinstance(error.instance, dict) else ():
        if key not in known and not any(_RUN.get().search(pattern, str(key), error.instance) for pattern in patterns):
            otherwise = f"write one of {', '.join(known)}" if known else "delete it"
            yield Misfit(
                (*path, key), Flaw("is no key that the specification allows", suggestion(key, known, otherwise))
            )


def _listed(wanted: object) -> list[object]:
    return list(wanted) if isinstance(wanted, list) else [wanted]
