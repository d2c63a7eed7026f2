"""The shipped connectors: are they what the reference data says, free of prose, and enough for the lake?"""

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from airbyte_twin.registry import Connector, load_registry
from airbyte_twin.registry.build import BY_HAND, RECIPES, Recipe, build, lake_fields, main, render, schema_constraints
from twin_contract import shared_data
from twin_support import Api, fields

PROSE = {"title", "description", "examples", "order", "pattern_descriptor", "always_show", "group", "icon"}
DATA = resources.files("airbyte_twin.registry") / "data"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.image)
def test_the_shipped_facts_are_those_of_the_reference_data(recipe: Recipe) -> None:
    remedy = "run `python -m airbyte_twin.registry.build DATA_FOLDER`"
    assert (DATA / f"{recipe.image}.json").read_text() == render(build(recipe, shared_data())), remedy


def test_every_shipped_file_has_a_recipe_but_those_without_reference_data() -> None:
    shipped = {entry.name for entry in DATA.iterdir() if entry.name.endswith(".json")}
    assert shipped == {f"{recipe.image}.json" for recipe in RECIPES} | {f"{image}.json" for image in BY_HAND}


@pytest.mark.parametrize("image", sorted(BY_HAND))
def test_a_file_by_hand_reads_as_the_generator_would_write_it(image: str) -> None:
    text = (DATA / f"{image}.json").read_text()
    connector = Connector.model_validate_json(text)
    assert schema_constraints(connector.spec) == connector.spec
    assert text == render(connector)


def test_the_generator_writes_every_file(tmp_path: Path) -> None:
    assert main([str(shared_data()), str(tmp_path)]) == 0
    assert len(list(tmp_path.iterdir())) == len(RECIPES)
    assert main([]) == 1


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema of a document; maps of properties are not schemas themselves."""
    if isinstance(node, dict):
        yield node
        for member in node.get("properties", {}).values():
            yield from schemas(member)
        for key in ("items", "additionalProperties"):
            yield from schemas(node.get(key))
        for key in ("oneOf", "anyOf", "allOf"):
            for branch in node.get(key, []):
                yield from schemas(branch)


def test_no_shipped_schema_holds_prose() -> None:
    for connector in load_registry(None):
        documents = [connector.spec, *(stream.json_schema for stream in connector.streams or ())]
        for document in documents:
            assert all(not PROSE & set(schema) for schema in schemas(document)), connector.name


def test_columns_that_are_named_like_prose_survive() -> None:
    found = schema_constraints({"title": "x", "properties": {"title": {"type": "string", "title": "x"}}})
    assert found == {"properties": {"title": {"type": "string"}}}


def test_bare_maps_of_fields_and_unknown_types_of_the_lake_become_json_schema() -> None:
    lake: Any = {
        "lines": {"type": "array", "items": {"id": {"type": "integer"}, "type": {"type": "unknown"}}},
        "notes": {"type": "array", "items": {"type": "string", "description": "prose"}},
    }
    assert lake_fields(lake) == {
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"id": {"type": "integer"}, "type": {}}},
        },
        "notes": {"type": "array", "items": {"type": "string"}},
    }


def lake_streams() -> list[Any]:
    """The stream files of the lake, as (source, document); one that skips the test without the data."""
    root = shared_data() / "lotus-lake" / "streams"
    files = sorted(path for path in root.glob("*/*.json") if not path.name.startswith("_"))
    return [(path.parent.name, json.loads(path.read_text())) for path in files]


def body_of(source: str) -> dict[str, Any]:
    credentials = {"auth_method": "api_password", "api_password": "p"}
    configurations: dict[str, dict[str, Any]] = {
        "shopify": {"shop": "example", "credentials": credentials},
        "klaviyo": {"api_key": "k"},
        "faker": {},
    }
    return {"name": source, "configuration": {"sourceType": source, **configurations[source]}}


@pytest.mark.parametrize("source", ["shopify", "klaviyo"])
def test_every_stream_of_the_lake_is_accepted_as_it_is_selected(api: Api, source: str) -> None:
    wanted = [document for folder, document in lake_streams() if folder == source]
    assert wanted
    streams = [
        {
            "name": document["stream"],
            "syncMode": "incremental_append",
            "cursorField": document["cursor_field"],
            "primaryKey": document["primary_key"],
            "selectedFields": fields(*document["fields"]),
        }
        for document in wanted
    ]
    created = api.post("/sources", {**body_of(source), "workspaceId": api.twin.workspace_id})["sourceId"]
    shown = {each["name"]: each for each in api.connection(*streams, sourceId=created)["configurations"]["streams"]}
    for sent in streams:
        stored = shown[sent["name"]]
        assert (stored["cursorField"], stored["primaryKey"]) == (sent["cursorField"], sent["primaryKey"])
        chosen = {path["fieldPath"][0] for path in stored["selectedFields"]}
        assert chosen == {path["fieldPath"][0] for path in sent["selectedFields"]}


def test_the_faker_streams_can_be_appended(api: Api) -> None:
    created = api.post("/sources", {**body_of("faker"), "workspaceId": api.twin.workspace_id})["sourceId"]
    streams = [{"name": name, "syncMode": "incremental_append"} for name in ("users", "products", "purchases")]
    shown = api.connection(*streams, sourceId=created)["configurations"]["streams"]
    assert {each["cursorField"][0] for each in shown} == {"updated_at"}
