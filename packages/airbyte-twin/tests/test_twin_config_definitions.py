"""Definitions in the Config API: images, versions, manifests and the projects of the connector builder."""

from typing import Any

import pytest
from twin_support import MASK, Api, stream

SHOPIFY = "9da77001-af33-4bcd-be46-6252bf9342b9"
UNKNOWN = "ffffffff-0000-4000-8000-000000000000"
SPEC = {
    "type": "object",
    "required": ["token"],
    "properties": {"token": {"type": "string", "airbyte_secret": True}},
}
KINDS = pytest.mark.parametrize("kind", ["source", "destination"])


def definition(api: Api, kind: str, **members: Any) -> dict[str, Any]:
    image = {
        "name": "Desk",
        "dockerRepository": f"example/{kind}-desk",
        "dockerImageTag": "1.0.0",
        "documentationUrl": "https://example.com/desk",
        **members,
    }
    return {"workspaceId": api.twin.workspace_id, f"{kind}Definition": image}


def ids(api: Api, kind: str, call: str, **members: Any) -> set[str]:
    found = api.config(f"/{kind}_definitions/{call}", members)[f"{kind}Definitions"]
    return {each[f"{kind}DefinitionId"] for each in found}


@KINDS
def test_a_definition_of_the_config_api_is_one_of_the_public_api(api: Api, kind: str) -> None:
    made = api.config(f"/{kind}_definitions/create_custom", definition(api, kind))
    path = f"/workspaces/{api.twin.workspace_id}/definitions/{kind}s/{made[f'{kind}DefinitionId']}"
    assert api.get(path)["dockerImageTag"] == "1.0.0"
    api.put(path, {"name": "Desk two", "dockerImageTag": "2.0.0"})
    key = {f"{kind}DefinitionId": made[f"{kind}DefinitionId"]}
    shown = api.config(f"/{kind}_definitions/get", key)
    assert (shown["name"], shown["dockerImageTag"], shown["custom"]) == ("Desk two", "2.0.0", True)
    version = {"actorDefinitionId": made[f"{kind}DefinitionId"]}
    assert api.config("/actor_definition_versions/get_default", version)["dockerImageTag"] == "2.0.0"
    resolved = {**version, "actorType": kind, "dockerImageTag": "3.0.0"}
    assert api.config("/actor_definition_versions/resolve", resolved)["dockerRepository"] == f"example/{kind}-desk"
    for _ in range(2):
        api.config(f"/{kind}_definitions/delete", key, 204)
    api.get(path, 404)
    assert api.config(f"/{kind}_definitions/get", key)["name"] == "Desk two"


@KINDS
def test_definitions_are_listed_for_everybody_and_for_a_workspace(api: Api, kind: str) -> None:
    made = api.config(f"/{kind}_definitions/create_custom", definition(api, kind))[f"{kind}DefinitionId"]
    workspace = {"workspaceId": api.twin.workspace_id}
    assert made in ids(api, kind, "list")
    assert made in ids(api, kind, "list_for_workspace", **workspace)
    assert made not in ids(api, kind, "list_latest")
    assert made not in ids(api, kind, "list_for_workspace", workspaceId=UNKNOWN)
    assert ids(api, kind, "list_private", **workspace) == set()
    assert ids(api, kind, "list_for_workspace", **workspace, filterByUsed=True) == set()
    actor = {"name": "x", **workspace, f"{kind}DefinitionId": made, "connectionConfiguration": {}}
    api.config(f"/{kind}s/create", actor)
    assert ids(api, kind, "list_for_workspace", **workspace, filterByUsed=True) == {made}
    key = {f"{kind}DefinitionId": made}
    assert api.config(f"/{kind}_definitions/get_for_workspace", {**key, **workspace})["name"] == "Desk"
    api.config(f"/{kind}_definitions/get_for_workspace", {**key, "workspaceId": UNKNOWN}, 404)
    scope = {"actorDefinitionId": made, "scopeId": api.twin.workspace_id, "scopeType": "workspace"}
    assert api.config(f"/{kind}_definitions/get_for_scope", scope)["name"] == "Desk"
    api.config(f"/{kind}_definitions/get_for_scope", scope | {"scopeType": "organization"}, 404)


@KINDS
def test_a_deleted_definition_takes_its_actors_along(api: Api, kind: str) -> None:
    made = api.config(f"/{kind}_definitions/create_custom", definition(api, kind))[f"{kind}DefinitionId"]
    actor = {"name": "x", "workspaceId": api.twin.workspace_id, f"{kind}DefinitionId": made}
    key = api.config(f"/{kind}s/create", {**actor, "connectionConfiguration": {}})[f"{kind}Id"]
    version = api.config(f"/actor_definition_versions/get_for_{kind}", {f"{kind}Id": key})
    assert version["dockerRepository"] == f"example/{kind}-desk"
    api.config(f"/{kind}_definitions/delete", {f"{kind}DefinitionId": made}, 204)
    assert api.config(f"/{kind}s/get", {f"{kind}Id": key})["connectionConfiguration"] is None


def test_no_connector_is_advertised_and_the_builder_runs_no_code(api: Api) -> None:
    workspace = {"workspaceId": api.twin.workspace_id}
    for kind in ("source", "destination"):
        shown = api.config(f"/{kind}_definitions/list_enterprise_stubs_for_workspace", workspace)
        assert shown == {"enterpriseConnectorStubs": []}
    assert api.config("/connector_builder_projects/capabilities", workspace) == {"customCodeExecution": False}


def test_a_registry_definition_keeps_its_name_when_its_tag_is_moved(api: Api) -> None:
    body = {"sourceDefinitionId": SHOPIFY, "workspaceId": api.twin.workspace_id, "dockerImageTag": "9.9.9", "name": "x"}
    moved = api.config("/source_definitions/update", body)
    assert (moved["name"], moved["dockerImageTag"], moved["custom"]) == ("Shopify", "9.9.9", False)


def test_a_specification_can_be_sent_with_a_definition(api: Api) -> None:
    sent = definition(api, "source", connectorSpecification={"connectionSpecification": SPEC})
    made = api.config("/source_definitions/create_custom", sent)["sourceDefinitionId"]
    key = {"sourceDefinitionId": made, "workspaceId": api.twin.workspace_id}
    assert api.config("/source_definition_specifications/get", key)["connectionSpecification"] == SPEC
    api.config("/sources/create", {"name": "x", **key, "connectionConfiguration": {}}, 422)
    source = api.config("/sources/create", {"name": "x", **key, "connectionConfiguration": {"token": "t"}})
    assert source["connectionConfiguration"] == {"token": MASK}
    shown = api.config("/source_definition_specifications/get_for_source", {"sourceId": source["sourceId"]})
    assert shown["connectionSpecification"] == SPEC


def test_refused_definitions_have_the_config_apis_errors(api: Api) -> None:
    scoped = definition(api, "source")
    del scoped["workspaceId"]
    organization = {**scoped, "scopeId": UNKNOWN, "scopeType": "organization"}
    assert set(api.config("/source_definitions/create_custom", organization, 422)) == {"message", "errorId"}
    bad = definition(api, "source", connectorSpecification={"connectionSpecification": {"type": 5}})
    assert set(api.config("/source_definitions/create_custom", bad, 422)) == {"message", "errorId"}
    for call in ("get", "delete"):
        assert set(api.config(f"/source_definitions/{call}", {"sourceDefinitionId": UNKNOWN}, 404)) == {"errorId"}
    key = {"destinationDefinitionId": SHOPIFY}
    assert set(api.config("/destination_definitions/get", key, 404)) == {"errorId"}


# Manifests


def manifest(*names: str, version: str = "6.44.0") -> dict[str, Any]:
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    loader = {"type": "InlineSchemaLoader", "schema": schema}
    streams = [{"type": "DeclarativeStream", "name": name, "schema_loader": loader} for name in names]
    return {"type": "DeclarativeSource", "version": version, "streams": streams}


def written(version: int, *names: str) -> dict[str, Any]:
    document = {"version": version, "description": f"version {version}", "manifest": manifest(*names)}
    return {**document, "spec": {"connectionSpecification": SPEC}}


def declared(api: Api, *names: str) -> dict[str, str]:
    body = {"name": "Desk", "manifest": manifest(*names)}
    made = api.post(f"/workspaces/{api.twin.workspace_id}/definitions/declarative_sources", body)
    return {"workspaceId": api.twin.workspace_id, "sourceDefinitionId": made["id"]}


def found_in(api: Api, key: dict[str, str], **configuration: Any) -> list[str]:
    """The streams that a new source of a declarative definition offers."""
    made = api.config("/sources/create", {"name": "x", **key, "connectionConfiguration": configuration})
    shown = api.config("/sources/discover_schema", {"sourceId": made["sourceId"]})
    assert shown["jobInfo"]["succeeded"] is True
    return [each["stream"]["name"] for each in shown["catalog"]["streams"]]


def test_a_source_of_a_manifest_is_discovered_and_connected(api: Api) -> None:
    key = declared(api, "tickets", "agents")
    assert found_in(api, key) == ["tickets", "agents"]
    source = api.config("/sources/search", {"name": "x"})["sources"][0]["sourceId"]
    connection = api.connection(stream("agents", syncMode="full_refresh_append"), sourceId=source)
    assert connection["configurations"]["streams"][0]["name"] == "agents"


def test_versions_of_a_manifest_are_added_listed_and_used(api: Api) -> None:
    key = declared(api, "one")
    create = "/declarative_source_definitions/create_manifest"
    api.config(create, {**key, "setAsActiveManifest": False, "declarativeManifest": written(2, "two")}, 201)
    api.config(create, {**key, "setAsActiveManifest": True, "declarativeManifest": written(3, "three")}, 201)
    assert found_in(api, key, token="t") == ["three"]

    def versions() -> list[tuple[int, bool]]:
        listed = api.config("/declarative_source_definitions/list_manifests", key)["manifestVersions"]
        return [(each["version"], each["isActive"]) for each in listed]

    assert versions() == [(1, False), (2, False), (3, True)]
    path = f"/workspaces/{api.twin.workspace_id}/definitions/declarative_sources/{key['sourceDefinitionId']}"
    assert (api.get(path)["version"], api.get(path)["manifest"]) == (3, manifest("three"))
    api.config("/declarative_source_definitions/update_active_manifest", {**key, "version": 1}, 204)
    assert found_in(api, key) == ["one"]
    assert versions() == [(1, True), (2, False), (3, False)]
    assert api.put(path, {"manifest": manifest("four")})["version"] == 4
    assert versions()[-1] == (4, True)
    assert found_in(api, key) == ["four"]


def test_refused_manifests_have_the_config_apis_errors(api: Api) -> None:
    key = declared(api, "one")
    create = "/declarative_source_definitions/create_manifest"
    body = {**key, "setAsActiveManifest": True, "declarativeManifest": written(1, "two")}
    assert set(api.config(create, body, 409)) == {"message", "errorId"}
    assert set(api.config(create, body | {"sourceDefinitionId": UNKNOWN}, 404)) == {"message", "errorId"}
    image = api.config("/source_definitions/create_custom", definition(api, "source"))["sourceDefinitionId"]
    assert set(api.config(create, body | {"sourceDefinitionId": image}, 400)) == {"message", "errorId"}
    api.config("/declarative_source_definitions/update_active_manifest", {**key, "version": 9}, 404)
    bad = written(2, "two") | {"spec": {"connectionSpecification": {"type": 5}}}
    api.config(create, {**key, "setAsActiveManifest": True, "declarativeManifest": bad}, 422)


def test_every_declarative_definition_has_a_project(api: Api) -> None:
    key = declared(api, "one")
    asked = {"workspaceId": key["workspaceId"], "actorDefinitionId": key["sourceDefinitionId"]}
    found = api.config("/connector_builder_projects/get_for_definition_id", asked)
    assert found["workspaceId"] == key["workspaceId"]
    shown = api.config("/connector_builder_projects/get_with_manifest", found)
    assert shown["builderProject"]["sourceDefinitionId"] == key["sourceDefinitionId"]
    assert shown["declarativeManifest"]["manifest"] == manifest("one")
    unknown = api.config("/connector_builder_projects/get_for_definition_id", {**asked, "actorDefinitionId": SHOPIFY})
    assert unknown == {"builderProjectId": None, "workspaceId": None}


def test_a_project_is_drafted_tried_published_and_deleted(api: Api) -> None:
    workspace = {"workspaceId": api.twin.workspace_id}
    root = "/connector_builder_projects"
    draft = {"name": "Desk", "draftManifest": manifest("draft")}
    made = api.config(f"{root}/create", {**workspace, "builderProject": draft}, 201)
    assert made["workspaceId"] == api.twin.workspace_id
    shown = api.config(f"{root}/get_with_manifest", made)
    assert (shown["builderProject"]["hasDraft"], shown["declarativeManifest"]["isDraft"]) == (True, True)
    values = {"spec": {"connectionSpecification": SPEC}, "testingValues": {"token": "t", "page": 1}}
    assert api.config(f"{root}/update_testing_values", {**made, **values}) == {"token": MASK, "page": 1}
    api.config(f"{root}/update", {**made, "builderProject": {"name": "Renamed"}}, 204)
    [listed] = api.config(f"{root}/list", workspace)["projects"]
    assert (listed["name"], listed["hasDraft"]) == ("Renamed", True)
    publish = {**made, "name": "Desk", "initialDeclarativeManifest": written(1, "tickets")}
    key = {**workspace, **api.config(f"{root}/publish", publish)}
    assert found_in(api, key, token="t") == ["tickets"]
    shown = api.config(f"{root}/get_with_manifest", made)
    assert (shown["declarativeManifest"]["version"], shown["declarativeManifest"]["isDraft"]) == (1, False)
    assert shown["testingValues"]["token"] == MASK
    api.config(f"{root}/get_with_manifest", {**made, "version": 7}, 404)
    api.config(f"{root}/get_with_manifest", {**made, "workspaceId": UNKNOWN}, 404)
    api.config(f"{root}/delete", made, 204)
    assert api.config(f"{root}/get_for_definition_id", {**workspace, "actorDefinitionId": key["sourceDefinitionId"]})
    path = f"/workspaces/{api.twin.workspace_id}/definitions/declarative_sources/{key['sourceDefinitionId']}"
    assert api.get(path)["name"] == "Desk"
