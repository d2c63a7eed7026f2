"""Holds values against what the chart takes.

Stricter than the chart itself, which takes a misspelt key without a word.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from jsonschema import Draft202012Validator, ValidationError
from pydantic import JsonValue

from lotus_infra.chart.facts import OPEN, Schema, values_schema
from lotus_infra.streams.problems import JsonPath, field_name, suggestion


@dataclass(frozen=True, slots=True)
class ChartProblem:
    """What is wrong with a value.

    Attributes:
        path: where it is, as people write it: `ingress.webserver`.
        what: what is wrong; no value is quoted, for it may be a secret in the wrong place.
        remedy: what to do about it.
    """

    path: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}: {self.remedy}"


def check_values(values: Mapping[str, JsonValue]) -> list[ChartProblem]:
    """Every key that the chart does not have and every value that is not as it wants it, ordered by path."""
    document: JsonValue = dict(values)
    found = [*_unknown(document, values_schema(), ()), *_misfits(document)]
    return sorted(set(found), key=lambda problem: problem.path)


def _unknown(value: JsonValue, schema: Schema, path: JsonPath) -> Iterator[ChartProblem]:
    """Keys that no description of an object names; maps for which none is named are free."""
    branches = list(_branches(schema))
    if isinstance(value, list):
        for branch in branches:
            if isinstance(items := branch.get("items"), dict):
                for index, inner in enumerate(value):
                    yield from _unknown(inner, items, (*path, index))
    if not isinstance(value, dict):
        return
    known = {key: inner for branch in branches for key, inner in _named(branch).items()}
    anything = any(branch.get(OPEN) for branch in branches)
    for key, inner in value.items():
        described = known.get(key)
        if isinstance(described, dict):
            yield from _unknown(inner, described, (*path, key))
        elif known and not anything:
            several = ", ".join(sorted(known))
            remedy = suggestion(key, known, f"the keys here are {several}")
            yield ChartProblem(field_name((*path, key)), "the chart has no such key", remedy)


def _branches(schema: Schema) -> Iterator[Schema]:
    """A schema's alternatives, itself where it has none."""
    choices = schema.get("anyOf")
    if not isinstance(choices, list):
        yield schema
        return
    for choice in choices:
        if isinstance(choice, dict):
            yield from _branches(choice)


def _named(schema: Schema) -> Schema:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _misfits(values: JsonValue) -> Iterator[ChartProblem]:
    for error in _validator().iter_errors(values):
        yield from _told(error)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(values_schema())


def _told(error: ValidationError) -> Iterator[ChartProblem]:
    path, wanted = tuple(error.absolute_path), error.validator_value
    if error.validator == "anyOf":
        yield from _told_choice(error)
    elif error.validator == "required" and isinstance(wanted, list) and isinstance(error.instance, dict):
        for key in wanted:
            if key not in error.instance:
                yield ChartProblem(field_name((*path, key)), "is missing", "add it: the chart needs it")
    elif error.validator == "type":
        yield ChartProblem(
            field_name(path), "is of another type than the chart wants", f"write a value of type {wanted}"
        )
    elif error.validator == "enum" and isinstance(wanted, list):
        yield ChartProblem(
            field_name(path), "is nothing that the chart knows", f"write one of {', '.join(map(str, wanted))}"
        )
    elif error.validator != "additionalProperties":
        yield ChartProblem(field_name(path), f"breaks the chart's rule {error.validator}", f"it is {wanted}")


def _told_choice(error: ValidationError) -> Iterator[ChartProblem]:
    """The errors of the alternative that is of the value's type, else which types there are."""
    inner = list(error.context or ())
    of_type = [each for each in inner if each.validator != "type" or len(each.relative_path) > 0]
    if of_type:
        for each in of_type:
            yield from _told(each)
        return
    wanted = " or ".join(str(each.validator_value) for each in inner)
    what = "is of another type than the chart wants"
    yield ChartProblem(field_name(tuple(error.absolute_path)), what, f"write a value of type {wanted}")
