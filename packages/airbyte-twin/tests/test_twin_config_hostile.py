"""No call of the Config API breaks the twin, with bodies that fit and bodies that do not."""

from typing import Any

import pytest
from airbyte_twin.app import CONFIG_MODULES
from twin_contract import contract
from twin_support import Api

UNKNOWN = "ffffffff-0000-4000-8000-000000000000"
TEXTS = {"uuid": UNKNOWN, "date-time": "2026-01-01T00:00:00Z", "uri": "https://example.com"}
PATHS = sorted(route.path for module in CONFIG_MODULES for route in module.ROUTES if "POST" in (route.methods or ()))
DEEPEST = 6


def schema_of(path: str) -> dict[str, Any]:
    """What the body of a call is declared to be; empty without one."""
    declared = contract("/api/v1").paths["/v1" + path]["post"].get("requestBody", {}).get("content", {})
    found: dict[str, Any] = declared.get("application/json", {}).get("schema", {})
    return found


def sample(schema: dict[str, Any], how: str, depth: int = 0) -> Any:
    """A document of a schema: `full` has every member, `bare` the required ones, `wrong` values of other types."""
    while "$ref" in schema:
        schema = contract("/api/v1").registry.resolver().lookup("urn:api" + schema["$ref"]).contents
    kind, properties = schema.get("type"), schema.get("properties", {})
    if depth > DEEPEST:
        return None
    if kind == "array":
        return [sample(schema["items"], how, depth + 1)]
    if kind == "object" or properties:
        names = schema.get("required", []) if how == "bare" else properties
        return {name: sample(properties[name], how, depth + 1) for name in names if name in properties}
    if how == "wrong":
        return {"a": [10**30]}
    if "enum" in schema:
        return schema["enum"][0]
    values: dict[str, Any] = {"integer": 1, "number": 1.5, "boolean": True}
    return TEXTS.get(schema.get("format", ""), "text") if kind == "string" else values.get(str(kind), {})


def filled(value: Any, ids: dict[str, str]) -> Any:
    """A document with the ids of objects that there are."""
    if isinstance(value, dict):
        return {
            key: ids[key] if key in ids and isinstance(item, str) else filled(item, ids) for key, item in value.items()
        }
    return [filled(item, ids) for item in value] if isinstance(value, list) else value


@pytest.fixture
def ids(api: Api) -> dict[str, str]:
    connection = api.connection()
    source, destination = api.get(f"/sources/{connection['sourceId']}"), api.get("/destinations")["data"][0]
    return {
        "workspaceId": api.twin.workspace_id,
        "connectionId": connection["connectionId"],
        "sourceId": source["sourceId"],
        "destinationId": destination["destinationId"],
        "sourceDefinitionId": source["definitionId"],
        "destinationDefinitionId": destination["definitionId"],
        "actorDefinitionId": source["definitionId"],
    }


@pytest.mark.parametrize("how", ["full", "bare", "wrong", "known"])
def test_no_body_breaks_the_twin(api: Api, ids: dict[str, str], how: str) -> None:
    for path in PATHS:
        schema = schema_of(path)
        body = filled(sample(schema, "full"), ids) if how == "known" else sample(schema, how)
        if how != "known" or not path.endswith("/delete"):
            api.call("POST", "/api/v1" + path, None, json=body)
    assert api.twin.twin.defects == []


@pytest.mark.parametrize("body", [[], None, "text", 5, {"workspaceId": []}], ids=str)
def test_no_document_of_another_kind_breaks_the_twin(api: Api, body: Any) -> None:
    for path in PATHS:
        api.call("POST", "/api/v1" + path, None, json=body)
    assert api.twin.twin.defects == []
