"""The exported schemas against the models that they are made of."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from pydantic import BaseModel

from lotus_infra.lake.json_schema import FILE_MODELS, json_schema
from tests.support.lakes import OWN_STREAMS, Document, stream

FILES = {
    "stream": "[a-z]*/[a-z]*.json",
    "source": "*/_source.json",
    "destination": "_destinations/*.json",
    "discovered": "*/_discovered/*.json",
    "connector": "_connectors/*.json",
}
OVERLAY = {"sources": {"shop": {"status": "inactive"}, "odd": {"deployed": False}}}


@pytest.mark.parametrize("kind", FILE_MODELS)
def test_a_schema_is_one_and_fits_the_projects_own_files(kind: str) -> None:
    schema = json_schema(kind)
    Draft7Validator.check_schema(schema)
    # The project's stacks all have the same lake.
    found = [OVERLAY] if kind == "stack" else [json.loads(file.read_text()) for file in OWN_STREAMS.glob(FILES[kind])]

    assert found
    for document in found:
        assert list(Draft7Validator(schema).iter_errors(document)) == []


@pytest.mark.parametrize("kind", FILE_MODELS)
def test_every_key_has_a_description(kind: str) -> None:
    schema = json_schema(kind)
    parts = [schema, *(part for part in schema.get("$defs", {}).values() if "properties" in part)]

    assert [key for part in parts for key, value in part["properties"].items() if not value.get("description")] == []


@pytest.mark.parametrize("model", FILE_MODELS.values())
def test_every_model_has_a_description(model: type[BaseModel]) -> None:
    assert model.__doc__


@pytest.mark.parametrize(
    "change",
    [{"sync_mode": "often"}, {"curser_field": []}, {"fields": {"id": {"type": "int"}}}, {"primary_key": ["id"]}],
)
def test_an_editor_underlines_what_lotus_refuses(change: Document) -> None:
    validator = Draft7Validator(json_schema("stream"))

    assert list(validator.iter_errors(stream())) == []
    assert list(validator.iter_errors(stream(**change))) != []


def test_an_editor_accepts_items_as_a_bare_map() -> None:
    document = stream(fields={"lines": {"type": "array", "items": {"sku": {"type": "string"}}}})

    assert list(Draft7Validator(json_schema("stream")).iter_errors(document)) == []


def test_the_schemas_that_files_point_to_are_those_that_are_written() -> None:
    for file in OWN_STREAMS.glob("[!.]*/*.json"):
        pointer = json.loads(file.read_text()).get("$schema")
        if pointer is not None:
            assert Path(pointer).parent.as_posix() == "../.schema"
            assert Path(pointer).stem in FILE_MODELS
