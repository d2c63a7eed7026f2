"""The chart's facts as one schema of the values that somebody gives it: partial, with every reference resolved.

The chart's own schemas describe values once the chart's defaults are merged into them, so nearly every key is required
in them. What is given may leave out any key of a map, for the defaults have it; a list replaces the default one, so
what is required of its items is required here too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, cast

from pydantic import JsonValue

Schema = dict[str, JsonValue]

FILE: Final = Path(__file__).parent / "data" / "dagster.json"
SUBCHART: Final = "dagster-user-deployments"
OPEN: Final = "open"
"""Marks an object that names some keys and takes any other too."""
_KUBERNETES: Final = frozenset({"InitContainerWithStructuredImage", "ReadinessProbeWithEnabled", "StartupProbe"})
"""Kubernetes' own objects to which the chart adds a key."""


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
