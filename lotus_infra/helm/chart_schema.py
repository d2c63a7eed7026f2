"""Holds values against what the chart takes.

Stricter than the chart itself, which takes a misspelt key without a word.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, cast

from airbyte_model.suggestions import suggestion
from jsonschema import Draft202012Validator, ValidationError
from pydantic import JsonValue

from lotus_infra.lake.diagnostics import JsonPath, field_name

Schema = dict[str, JsonValue]
SUBCHART: Final = "dagster-user-deployments"
OPEN: Final = "open"
"""Marks an object that names some keys and takes any other too."""
_KUBERNETES: Final = frozenset({"InitContainerWithStructuredImage", "ReadinessProbeWithEnabled", "StartupProbe"})
"""Kubernetes' own objects to which the chart adds a key."""


FILE: Final = Path(__file__).parent / "data" / "dagster.json"


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A key that the chart reads although its schema does not list it.

    Attributes:
        type: the JSON type of the value.
        source: the file of the chart that reads it.
    """

    type: str
    source: str


UNLISTED: Final[Mapping[tuple[str, ...], Unlisted]] = {
    ("fullnameOverride",): Unlisted("string", "values.yaml"),
    ("nameOverride",): Unlisted("string", "templates/helpers/_helpers.tpl"),
    ("rbacEnabled",): Unlisted("boolean", "templates/role.yaml"),
    ("global", "fullnameOverride"): Unlisted("string", "templates/helpers/_helpers.tpl"),
    ("global", "nameOverride"): Unlisted("string", "templates/helpers/_helpers.tpl"),
    ("global", "postgresqlAuthWifEnabled"): Unlisted("boolean", "templates/helpers/_deployment-webserver.tpl"),
    ("global", "postgresqlSecretUsernameKey"): Unlisted("string", "templates/helpers/instance/_postgresql.tpl"),
    ("ingress", "ingressClassName"): Unlisted("string", "templates/ingress.yaml"),
    ("pipelineRun",): Unlisted("object", "templates/helpers/_helpers.tpl"),
    ("postgresql", "nameOverride"): Unlisted("string", "templates/helpers/_helpers.tpl"),
    (SUBCHART, "fullnameOverride"): Unlisted("string", f"charts/{SUBCHART}/templates/helpers/_helpers.tpl"),
    (SUBCHART, "nameOverride"): Unlisted("string", f"charts/{SUBCHART}/templates/helpers/_helpers.tpl"),
}


@cache
def document() -> dict[str, JsonValue]:
    """The facts as they are shipped."""
    facts: dict[str, JsonValue] = json.loads(FILE.read_text(encoding="utf-8"))
    return facts


@cache
def values_schema() -> Schema:
    """The schema of values that are given to the chart."""
    schema = _resolved_chart("chart")
    subchart = _properties(schema)[SUBCHART]
    for name, inner in _properties(_resolved_chart(SUBCHART)).items():
        _properties(subchart).setdefault(name, inner)
    for path, unlisted in UNLISTED.items():
        place: JsonValue = schema
        for step in path[:-1]:
            place = _properties(place)[step]
        _properties(place)[path[-1]] = {"type": unlisted.type}
    return schema


def _resolved_chart(name: str) -> Schema:
    chart = cast("Schema", document()[name])
    definitions = cast("Schema", chart["$defs"])
    root = {keyword: value for keyword, value in chart.items() if keyword != "$defs"}
    return _resolved(root, definitions, in_list=False)


def _resolved(schema: JsonValue, definitions: Schema, *, in_list: bool) -> Schema:
    """A schema without references, in which maps outside of lists require nothing."""
    schema = cast("Schema", schema)
    target = schema.get("$ref")
    if isinstance(target, str):
        name = target.removeprefix("#/$defs/")
        found = _resolved(definitions[name], definitions, in_list=in_list)
        return {**found, OPEN: True} if name in _KUBERNETES else found
    made: Schema = {}
    for keyword, value in schema.items():
        if keyword == "properties" and isinstance(value, dict):
            made[keyword] = {key: _resolved(inner, definitions, in_list=in_list) for key, inner in value.items()}
        elif keyword in {"anyOf", "allOf"} and isinstance(value, list):
            made[keyword] = [_resolved(inner, definitions, in_list=in_list) for inner in value]
        elif keyword == "items":
            made[keyword] = _resolved(value, definitions, in_list=True)
        elif keyword == "additionalProperties" and isinstance(value, dict):
            made[keyword] = _resolved(value, definitions, in_list=in_list)
        elif keyword == "if" and isinstance(value, dict):
            # Without the key that it tells apart by, a condition would hold whatever is asked for.
            made[keyword] = {**value, "required": list(_properties(value))}
        elif keyword != "required" or in_list:
            made[keyword] = value
    return made


def _properties(schema: JsonValue) -> Schema:
    return cast("Schema", cast("Schema", schema)["properties"])


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
