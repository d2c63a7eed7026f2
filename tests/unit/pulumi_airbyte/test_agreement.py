"""Schema, SDK and field tables say the same."""

import inspect
import json
import re
from typing import Any

import pulumi_airbyte
import pytest
from pulumi._types import resource_py_to_pulumi_names
from pulumi_airbyte.provider import schema
from pulumi_airbyte.provider.functions import FUNCTIONS
from pulumi_airbyte.provider.registry import RESOURCES
from pulumi_airbyte.provider.tables import PROVIDER_CONFIG, Field

SDK: dict[str, Any] = {resource.token: getattr(pulumi_airbyte, resource.token.split(":")[-1]) for resource in RESOURCES}


WITH_STREAMS = "backfills"
"""The one property that a program gives in pieces: each stream has its token."""


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def parameters(constructor: Any) -> dict[str, inspect.Parameter]:
    found = inspect.signature(constructor).parameters
    return {
        name: parameter
        for name, parameter in found.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name != "opts"
    }


def assert_takes(constructor: Any, table: tuple[Field, ...]) -> None:
    taken = parameters(constructor)
    assert set(taken) == {snake(field.name) for field in table}
    required = {name for name, parameter in taken.items() if parameter.default is inspect.Parameter.empty}
    assert required == {snake(field.name) for field in table if field.required}


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.token)
def test_a_resource_takes_what_its_table_says(resource: Any) -> None:
    assert_takes(SDK[resource.token].__init__, tuple(field for field in resource.inputs if field.name != WITH_STREAMS))


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.token)
def test_a_resource_gives_what_its_table_says(resource: Any) -> None:
    given = resource_py_to_pulumi_names(SDK[resource.token])
    expected = {snake(field.name): field.name for field in (*resource.inputs, *resource.outputs)}
    assert {name: wire for name, wire in given.items() if name not in {"id", "urn"}} == expected


def test_the_provider_takes_what_its_table_says() -> None:
    assert_takes(pulumi_airbyte.Provider.__init__, PROVIDER_CONFIG)


@pytest.mark.parametrize("token", FUNCTIONS)
def test_a_lookup_takes_what_its_table_says(token: str) -> None:
    lookup = getattr(pulumi_airbyte, snake(token.rsplit(":", maxsplit=1)[-1]))
    taken = set(inspect.signature(lookup).parameters) - {"opts"}
    assert taken == {snake(field.name) for field in FUNCTIONS[token].inputs}


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    text = schema.rendered()
    types = json.loads(text)["types"]
    references = set(re.findall(r'"#/types/([^"]+)"', text))
    assert references == set(types)


def test_everything_that_the_sdk_exports_exists() -> None:
    assert all(hasattr(pulumi_airbyte, name) for name in pulumi_airbyte.__all__)
