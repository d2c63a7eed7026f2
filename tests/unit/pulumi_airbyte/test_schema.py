"""The schema that the field tables make, by the rules of Pulumi's metaschema and of its generators."""

import json
import re
from importlib import metadata
from typing import Any, Final

import pytest
from pulumi_airbyte.provider import schema
from pulumi_airbyte.provider.functions import FUNCTIONS
from pulumi_airbyte.provider.registry import RESOURCES
from pulumi_airbyte.provider.tables import Field, ObjectType

from toolchain.engine import HERE, _dotted, pinned_engine

DOCUMENT: Final[dict[str, Any]] = json.loads(schema.rendered())
TABLES: Final = [
    *(table for each in RESOURCES for table in (each.inputs, each.outputs)),
    *(table for each in FUNCTIONS.values() for table in (each.inputs, each.outputs)),
    *(each.fields for each in schema.object_types()),
]


def references(part: Any) -> set[str]:
    """Every type that a part of the document refers to."""
    if isinstance(part, dict):
        own = {part["$ref"]} if "$ref" in part else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_tokens_are_of_the_module_index_by_the_schemas_own_format() -> None:
    pattern = re.compile(DOCUMENT["meta"]["moduleFormat"])
    for part in ("types", "resources", "functions"):
        for token in DOCUMENT[part]:
            package, module, name = token.split(":")
            found = pattern.fullmatch(module)
            assert found is not None, token
            assert (package, found[1]) == ("airbyte", "index"), token
            assert module.rpartition("/")[2].lower() == name.lower(), token


def test_the_version_is_the_packages_and_sdks_respect_it() -> None:
    assert DOCUMENT["version"] == metadata.version("pulumi-airbyte")
    assert all(each["respectSchemaVersion"] for each in DOCUMENT["language"].values())


def test_every_type_is_used_and_every_reference_has_a_type() -> None:
    used = {each.removeprefix("#/types/") for each in references(DOCUMENT) if each.startswith("#/types/")}
    assert used == DOCUMENT["types"].keys()


def test_every_allowed_text_is_an_enumerations_value() -> None:
    known = set(schema.enumerations().values())
    assert {field.values for table in TABLES for field in table if field.values} == known
    for name, values in schema.enumerations().items():
        names = [schema.member(value) for value in values]
        assert len(set(names)) == len(names), name


def test_enumerations_with_the_same_values_have_one_name() -> None:
    assert len(set(schema.enumerations().values())) == len(schema.enumerations())


def test_inputs_and_outputs_are_marked_as_the_tables_say() -> None:
    for resource in RESOURCES:
        found = DOCUMENT["resources"][resource.token]
        for field in resource.inputs:
            entry = found["inputProperties"][field.name]
            assert (entry.get("secret", False), entry.get("willReplaceOnChanges", False)) == (
                field.secret,
                field.replace,
            )
        assert found["requiredInputs"] == sorted(field.name for field in resource.inputs if field.required)
        always = {field.name for field in (*resource.inputs, *resource.outputs) if field.required}
        assert set(found.get("required", [])) == always


def test_no_property_has_a_default_which_would_be_written_into_states() -> None:
    assert '"default"' not in schema.rendered()
    assert "deprecationMessage" not in schema.rendered()


def test_two_object_types_of_one_name_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Field("other", "object", "Another.", of=ObjectType("ConnectionTag", "Not the same.", ()))
    monkeypatch.setattr(RESOURCES[0], "inputs", (*RESOURCES[0].inputs, other))
    with pytest.raises(ValueError, match="ConnectionTag"):
        schema.rendered()


def test_the_generators_are_of_the_engines_version() -> None:
    text = (HERE / "hosts" / "current" / "go.mod").read_text(encoding="utf-8")
    assert f"github.com/pulumi/pulumi/pkg/v3 v{_dotted(pinned_engine())}\n" in text.replace(" // indirect", "")
