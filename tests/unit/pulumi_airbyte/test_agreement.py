"""Schema, SDK and field tables say the same."""

import inspect
import json
import re
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pulumi_airbyte
import pytest
from pulumi._types import resource_py_to_pulumi_names
from pulumi_airbyte.answers import WIRE
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
    name, table = snake(token.rsplit(":", maxsplit=1)[-1]), FUNCTIONS[token].inputs
    for lookup in (getattr(pulumi_airbyte, name), getattr(pulumi_airbyte, f"{name}_output")):
        taken = {key: each for key, each in inspect.signature(lookup).parameters.items() if key != "opts"}
        assert set(taken) == {snake(field.name) for field in table}
        required = {key for key, each in taken.items() if each.default is inspect.Parameter.empty}
        assert required == {snake(field.name) for field in table if field.required}


@pytest.mark.parametrize("token", FUNCTIONS)
def test_a_lookup_gives_what_its_table_says(token: str) -> None:
    name, table = snake(token.rsplit(":", maxsplit=1)[-1]), FUNCTIONS[token].outputs
    returned = get_type_hints(getattr(pulumi_airbyte, name))["return"]
    if get_origin(returned) is list:
        [field] = table
        assert field.of is not None
        assert get_args(returned)[0].__name__ == field.of.name
        table = field.of.fields
        returned = get_args(returned)[0]
    assert_holds(returned, table)


def assert_holds(answer: Any, table: tuple[Field, ...]) -> None:
    """The class of an answer has the attributes of its table, of their types, and those of the classes in it."""
    attributes = {each.metadata.get(WIRE) or camel(each.name): each for each in fields(answer)}
    assert set(attributes) == {field.name for field in table}
    hints = get_type_hints(answer)
    for field in table:
        hint = hints[attributes[field.name].name]
        inner = [each for each in get_args(hint) if each is not NoneType] if get_origin(hint) is UnionType else [hint]
        if field.type in {"string", "integer", "boolean"} and get_origin(inner[0]) is not Literal:
            assert inner == [{"string": str, "integer": int, "boolean": bool}[field.type]]
        assert field.required == (inner[0] is hint)
        if field.of is not None:
            of = get_args(inner[0])[0] if field.type == "objects" else inner[0]
            assert of.__name__ == field.of.name
            assert_holds(of, field.of.fields)


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    text = schema.rendered()
    types = json.loads(text)["types"]
    references = set(re.findall(r'"#/types/([^"]+)"', text))
    assert references == set(types)


def test_everything_that_the_sdk_exports_exists() -> None:
    assert all(hasattr(pulumi_airbyte, name) for name in pulumi_airbyte.__all__)
