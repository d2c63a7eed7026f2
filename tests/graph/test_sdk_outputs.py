"""The SDK's outputs: their names and types for the engine, for a type checker, and for a program that reads them."""

from collections.abc import Callable, Mapping
from typing import Any, assert_type

import pulumi
import pulumi_airbyte as airbyte
import pytest
from pulumi import _types
from pulumi.runtime import rpc
from pulumi_airbyte.provider.registry import RESOURCES
from pulumi_airbyte.provider.resource import ResourceType

from tests.graph.recorder import drained

CLASSES: Mapping[str, type[pulumi.Resource]] = {
    each.__name__: each
    for each in (
        airbyte.Source,
        airbyte.Destination,
        airbyte.Connection,
        airbyte.Workspace,
        airbyte.SourceDefinition,
        airbyte.DestinationDefinition,
        airbyte.DeclarativeSourceDefinition,
        airbyte.Tag,
        airbyte.Permission,
        airbyte.OauthCredentials,
    )
}
TYPES: Mapping[str, Any] = {
    "string": str,
    "integer": int,
    "boolean": bool,
}
OBJECTS: Mapping[str, Any] = {
    "configurations": str,
    "schedule": dict[str, str],
    "tags": list[dict[str, str]],
    "backfills": dict[str, str | bool],
    "backfillResults": dict[str, Any],
    "resourceRequirements": dict[str, str],
}
CONFIGURATION = {"snake_case": 1, "camelCase": {"workspace_id": "kept"}}


def class_of(resource: type[ResourceType]) -> type[pulumi.Resource]:
    return CLASSES[resource.token.rpartition(":")[2]]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.__name__)
def test_every_property_of_the_schema_is_a_typed_output(resource: type[ResourceType]) -> None:
    expected = {
        field.name: TYPES.get(field.type) or OBJECTS.get(field.name, Mapping[str, Any])
        for field in (*resource.inputs, *resource.outputs)
    }
    assert _types.resource_types(class_of(resource)) == expected


def test_a_type_checker_infers_the_type_of_an_output() -> None:
    def read(source: airbyte.Source, connection: airbyte.Connection, workspace: airbyte.Workspace) -> None:
        assert_type(source.source_id, pulumi.Output[str])
        assert_type(source.created_at, pulumi.Output[int])
        assert_type(source.definition_id, pulumi.Output[str | None])
        assert_type(source.configuration, pulumi.Output[Mapping[str, Any]])
        assert_type(connection.backfills, pulumi.Output[dict[str, str | bool] | None])
        assert_type(workspace.data_residency, pulumi.Output[str])

    assert callable(read)


def seen_by(declare: Callable[[], airbyte.Source]) -> tuple[Any, dict[str, Any]]:
    """What one source sends to the engine, and what a program reads of it."""
    seen: dict[str, Any] = {}

    async def program() -> None:
        source = declare()
        found = pulumi.Output.all(configuration=source.configuration, id=source.source_id, made=source.created_at)
        found.apply(seen.update)

    graph = drained(program, {}, [])
    return graph.request("Source", "lab"), seen


def test_inputs_are_sent_in_the_apis_spelling_and_a_configuration_unchanged() -> None:
    options = pulumi.ResourceOptions(ignore_changes=["workspace_id"], additional_secret_outputs=["source_type"])
    request, seen = seen_by(
        lambda: airbyte.Source("lab", workspace_id="w", configuration=CONFIGURATION, force_destroy=True, opts=options)
    )
    sent = rpc.deserialize_properties(request.object)
    assert sent == {"name": "lab", "workspaceId": "w", "configuration": CONFIGURATION, "forceDestroy": True}
    assert list(request.ignoreChanges) == ["workspaceId"]
    assert list(request.additionalSecretOutputs) == ["sourceType"]
    assert seen == {"configuration": CONFIGURATION, "id": "source-lab", "made": 0}


def test_a_class_that_a_program_derives_has_the_same_outputs_and_may_have_its_own_attributes() -> None:
    class Labelled(airbyte.Source):
        label: pulumi.Output[str]

        def __init__(self, name: str) -> None:
            super().__init__(name, workspace_id="w", configuration=CONFIGURATION)
            self.label = self.name.apply(str.upper)

    request, seen = seen_by(lambda: Labelled("lab"))
    assert rpc.deserialize_properties(request.object)["workspaceId"] == "w"
    assert seen["id"] == "source-lab"
