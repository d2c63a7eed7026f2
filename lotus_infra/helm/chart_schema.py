"""The schema of Dagster's Helm chart, and a check of values against it.

The shipped file holds the chart's own JSON Schemas without prose; `toolchain.chart_schema` generates it. They describe
values after Helm has merged the chart's defaults into them, so they require nearly every key. `values_schema` describes
values before that merge: a map may leave out any key, because the defaults have it; items of a list keep their required
keys, because a list replaces the default one.

`check_values` is stricter than Helm, which silently ignores an unknown key.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias, cast

from airbyte_model.suggestions import suggestion
from jsonschema import Draft202012Validator, ValidationError
from pydantic import JsonValue

from lotus_infra.lake.diagnostics import JsonPath, format_path

Schema: TypeAlias = dict[str, JsonValue]

FILE: Final = Path(__file__).parent / "data" / "dagster.json"
SUBCHART: Final = "dagster-user-deployments"
_REMOTE: Final = re.compile(r'"\$ref"\s*:\s*"(https?://[^"#]+)')
_OPEN: Final = "open"
"""A keyword of ours: the object has properties, and allows any other key too."""
_EXTENDED_KUBERNETES_TYPES: Final = frozenset(
    {"InitContainerWithStructuredImage", "ReadinessProbeWithEnabled", "StartupProbe"}
)
"""Definitions of the chart that add a key to one of Kubernetes' own types; the file has no schemas of those."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A key that the chart reads, but its schema does not list.

    Attributes:
        type: The JSON type of the value.
        source: The file of the chart that reads it.
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


@dataclass(frozen=True, slots=True)
class ChartProblem:
    """A value that the chart does not accept.

    Attributes:
        path: Its path as people write it: `ingress.webserver`.
        reason: Never quotes the value, which may be a misplaced secret.
        remedy: How to correct it.
    """

    path: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}: {self.remedy}"


def check_values(values: Mapping[str, JsonValue]) -> list[ChartProblem]:
    """The unknown keys and the invalid values, ordered by path."""
    document: JsonValue = dict(values)
    problems = [*_unknown_keys(document, values_schema(), ()), *_invalid_values(document)]
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.path)


@cache
def document() -> dict[str, JsonValue]:
    """The shipped file: the schemas of the chart and of its subchart."""
    content: dict[str, JsonValue] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def remote_schemas(chart: Path | None = None) -> tuple[str, ...]:
    """The addresses of the schemas that Helm reads from other servers before it installs the chart.

    Args:
        chart: A folder with a chart; None for the chart of the shipped file. A package is not looked into.
    """
    if chart is None:
        return tuple(map(str, cast("list[JsonValue]", document()["remote"])))
    texts = [file.read_text(encoding="utf-8") for file in sorted(chart.rglob("values.schema.json"))]
    return tuple(sorted({address for text in texts for address in _REMOTE.findall(text)}))


@cache
def values_schema() -> Schema:
    """The schema of values before Helm merges the chart's defaults into them, with every reference resolved."""
    schema = _resolve_chart("chart")
    subchart = _properties(schema)[SUBCHART]
    for name, inner in _properties(_resolve_chart(SUBCHART)).items():
        _properties(subchart).setdefault(name, inner)
    for path, unlisted in UNLISTED.items():
        parent: JsonValue = schema
        for key in path[:-1]:
            parent = _properties(parent)[key]
        _properties(parent)[path[-1]] = {"type": unlisted.type}
    return schema


def _resolve_chart(name: str) -> Schema:
    chart = cast("Schema", document()[name])
    definitions = cast("Schema", chart["$defs"])
    root = {keyword: value for keyword, value in chart.items() if keyword != "$defs"}
    return _resolve(root, definitions, in_list=False)


def _resolve(schema: JsonValue, definitions: Schema, *, in_list: bool) -> Schema:
    """A schema without references, in which maps outside of lists require no key."""
    schema = cast("Schema", schema)
    target = schema.get("$ref")
    if isinstance(target, str):
        name = target.removeprefix("#/$defs/")
        resolved = _resolve(definitions[name], definitions, in_list=in_list)
        return {**resolved, _OPEN: True} if name in _EXTENDED_KUBERNETES_TYPES else resolved
    result: Schema = {}
    for keyword, value in schema.items():
        if keyword == "properties" and isinstance(value, dict):
            result[keyword] = {key: _resolve(inner, definitions, in_list=in_list) for key, inner in value.items()}
        elif keyword in {"anyOf", "allOf"} and isinstance(value, list):
            result[keyword] = [_resolve(inner, definitions, in_list=in_list) for inner in value]
        elif keyword == "items":
            result[keyword] = _resolve(value, definitions, in_list=True)
        elif keyword == "additionalProperties" and isinstance(value, dict):
            result[keyword] = _resolve(value, definitions, in_list=in_list)
        elif keyword == "if" and isinstance(value, dict):
            # A condition on the value of a key holds if the key is absent, so it must require the key.
            result[keyword] = {**value, "required": list(_properties(value))}
        elif keyword != "required" or in_list:
            result[keyword] = value
    return result


def _properties(schema: JsonValue) -> Schema:
    return cast("Schema", cast("Schema", schema)["properties"])


def _unknown_keys(value: JsonValue, schema: Schema, path: JsonPath) -> Iterator[ChartProblem]:
    """The keys that no alternative of the schema lists; a map without listed keys, such as labels, allows any."""
    branches = list(_branches(schema))
    if isinstance(value, list):
        for branch in branches:
            if isinstance(items := branch.get("items"), dict):
                for index, inner in enumerate(value):
                    yield from _unknown_keys(inner, items, (*path, index))
    if not isinstance(value, dict):
        return
    known = {key: inner for branch in branches for key, inner in _listed(branch).items()}
    is_open = any(branch.get(_OPEN) for branch in branches)
    for key, inner in value.items():
        listed = known.get(key)
        if isinstance(listed, dict):
            yield from _unknown_keys(inner, listed, (*path, key))
        elif known and not is_open:
            remedy = suggestion(key, known, f"known keys are {', '.join(sorted(known))}")
            yield ChartProblem(format_path((*path, key)), "unknown key of the chart", remedy)


def _branches(schema: Schema) -> Iterator[Schema]:
    """The alternatives of a schema, or the schema itself if it has none."""
    choices = schema.get("anyOf")
    if not isinstance(choices, list):
        yield schema
        return
    for choice in choices:
        if isinstance(choice, dict):
            yield from _branches(choice)


def _listed(schema: Schema) -> Schema:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _invalid_values(values: JsonValue) -> Iterator[ChartProblem]:
    for error in _validator().iter_errors(values):
        yield from _problems(error)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(values_schema())


def _problems(error: ValidationError) -> Iterator[ChartProblem]:
    """A validation error as problems; unknown keys are `_unknown_keys`'s, which knows the nearest key."""
    path, wanted = tuple(error.absolute_path), error.validator_value
    if error.validator == "anyOf":
        yield from _problems_of_alternatives(error)
    elif error.validator == "required" and isinstance(wanted, list) and isinstance(error.instance, dict):
        for key in wanted:
            if key not in error.instance:
                yield ChartProblem(format_path((*path, key)), "is missing", "add it: the chart requires it")
    elif error.validator == "type":
        yield _wrong_type(path, str(wanted))
    elif error.validator == "enum" and isinstance(wanted, list):
        yield ChartProblem(format_path(path), "invalid value", f"write one of {', '.join(map(str, wanted))}")
    elif error.validator != "additionalProperties":
        yield ChartProblem(format_path(path), f"violates the chart's rule {error.validator}", f"the rule is {wanted}")


def _problems_of_alternatives(error: ValidationError) -> Iterator[ChartProblem]:
    """The errors of the alternatives that allow the value's type; one error with all types if none does."""
    inner = list(error.context or ())
    of_type = [each for each in inner if each.validator != "type" or len(each.relative_path) > 0]
    if of_type:
        for each in of_type:
            yield from _problems(each)
        return
    yield _wrong_type(tuple(error.absolute_path), " or ".join(str(each.validator_value) for each in inner))


def _wrong_type(path: JsonPath, wanted: str) -> ChartProblem:
    return ChartProblem(format_path(path), "wrong type", f"write a value of type {wanted}")
