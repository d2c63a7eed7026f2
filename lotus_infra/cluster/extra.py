"""Values of the chart in its own form: merged into what the stack's typed settings make, and never against them."""

from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import JsonValue

from lotus_infra.chart.check import ChartProblem
from lotus_infra.cluster.kinds import Values
from lotus_infra.streams.problems import JsonPath, field_name


def merged(values: Values, extra: Mapping[str, JsonValue]) -> Values:
    """The values with more of them, maps merged key by key; what is given twice stays as the settings have it."""
    made = dict(values)
    for key, inner in extra.items():
        here = made.get(key)
        if isinstance(here, dict) and isinstance(inner, dict):
            made[key] = cast("JsonValue", merged(here, inner))
        else:
            made.setdefault(key, inner)
    return made


def conflicts(values: Values, extra: Mapping[str, JsonValue], path: JsonPath = ()) -> Iterator[ChartProblem]:
    """The keys that the stack's typed settings give already."""
    for key, inner in extra.items():
        here = values.get(key)
        if isinstance(here, dict) and isinstance(inner, dict):
            yield from conflicts(here, inner, (*path, key))
        elif key in values:
            what = "is given by the stack's own settings already"
            yield ChartProblem(field_name((*path, key)), what, "leave it out here, and change the setting")
