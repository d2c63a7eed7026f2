"""Tables in Postgres: the lake's rules and the twin's, which were written apart from the same sources, say the same."""

from itertools import product
from typing import Any

from airbyte_twin.documents import JsonObject
from airbyte_twin.landing import LandingError, LandingStream
from airbyte_twin.registry import load_registry
from airbyte_twin.tables.columns import METADATA, columns_of
from airbyte_twin.tables.names import postgres_name as twins_name
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from lotus_infra.dbt.sql import METADATA_OF_TABLES, postgres_type
from lotus_infra.lake.loader import load_lake
from lotus_infra.lake.models import Field
from lotus_infra.lake.warehouses import postgres_name
from tests.support.lakes import OWN_STREAMS

LONG_NAMES = {
    "varchar": "character varying",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "timetz": "time with time zone",
    "time": "time without time zone",
}
"""Postgres' own names of types, by the short ones."""


def types_in_twin(properties: JsonObject) -> dict[str, str]:
    """The types of the twin's columns, by field."""
    stream = LandingStream("s", None, "", {"properties": properties}, None, 1, 0, 1)
    return {column.field: column.type for column in columns_of(stream)}


def type_in_lake(field: Field) -> str:
    short = postgres_type(field)
    return LONG_NAMES.get(short, short)


@given(st.text(min_size=1, max_size=90))
def test_a_name_is_written_alike(name: str) -> None:
    try:
        expected = twins_name(name)
    except LandingError:
        return  # nothing is left of it: the real one makes up another name at each sync
    assert postgres_name(name) == expected


def test_a_field_of_any_type_has_a_column_of_the_same_type() -> None:
    types = ["string", "integer", "number", "boolean", "object", "array", "null"]
    refinements = [
        "integer",
        *(f"{what}_{how}_timezone" for what in ("timestamp", "time") for how in ("with", "without")),
    ]
    for one, other, form, refined in product(
        types, ["", *types], ["", "date", "date-time", "time", "uri"], ["", *refinements]
    ):
        kinds: Any = one if other in {"", one} else [other, one]
        known = {"type": kinds, "format": form, "airbyte_type": refined}
        schema = {key: value for key, value in known.items() if value}
        found = types_in_twin({"field": schema})  # none for what only null fulfils
        if found:
            assert type_in_lake(TypeAdapter(Field).validate_python(schema)) == found["field"], schema


def test_every_field_of_the_own_lake_has_a_column_of_the_same_type() -> None:
    offered = {
        (connector.type, stream.name): stream.json_schema
        for connector in load_registry(None)
        for stream in connector.streams or ()
    }
    compared = 0
    for source in load_lake(OWN_STREAMS).lake.sources:
        for stream in source.streams:
            properties: Any = offered[source.name, stream.config.stream]["properties"]
            for name, type_ in types_in_twin({field: properties[field] for field in stream.fields}).items():
                assert type_in_lake(stream.fields[name]) == type_, f"{source.name}.{stream.name}.{name}"
                compared += 1
    assert compared > 100


def test_airbytes_own_columns_are_the_same() -> None:
    twins = {name: declared.removesuffix(" not null") for name, declared in METADATA.items()}
    assert {name: LONG_NAMES.get(type_, type_) for name, type_ in METADATA_OF_TABLES} == twins
