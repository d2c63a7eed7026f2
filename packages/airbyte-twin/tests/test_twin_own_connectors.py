"""Connectors that a caller defines: by a manifest or by an image, from the definition to rows."""

from typing import Any
from uuid import uuid4

import pytest
from airbyte_twin.testing import running_twin
from landing_support import Lake, configuration
from sync_support import landed, run
from twin_support import Api, fields, stream

SPEC = {
    "type": "object",
    "required": ["token"],
    "properties": {"token": {"type": "string", "airbyte_secret": True}},
}
TICKETS = {"type": "object", "properties": {"id": {"type": "integer"}, "updated_at": {"type": "string"}}}
AGENTS = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
MANIFEST: dict[str, Any] = {
    "version": "6.44.0",
    "type": "DeclarativeSource",
    "definitions": {
        "base": {"type": "DeclarativeStream", "primary_key": "id"},
        "streams": {
            "tickets": {
                "$ref": "#/definitions/base",
                "name": "tickets",
                "incremental_sync": {"type": "DatetimeBasedCursor", "cursor_field": "updated_at"},
                "schema_loader": {"type": "InlineSchemaLoader", "schema": {"$ref": "#/schemas/tickets"}},
            },
            "agents": {
                "$ref": "#/definitions/base",
                "$parameters": {"name": "agents"},
                "primary_key": ["id", "name"],
                "schema_loader": [{"type": "InlineSchemaLoader", "schema": AGENTS}],
            },
        },
    },
    "schemas": {"tickets": TICKETS},
    "streams": [
        {"$ref": "#/definitions/streams/tickets"},
        {"$ref": "#/definitions/streams/agents"},
        {"type": "DeclarativeStream", "name": "bare", "schema_loader": {"type": "JsonFileSchemaLoader"}},
    ],
    "spec": {"type": "Spec", "connection_specification": SPEC},
}


def root(api: Api, kind: str, workspace_id: str = "") -> str:
    return f"/workspaces/{workspace_id or api.twin.workspace_id}/definitions/{kind}"


def declared(api: Api, manifest: Any = None, name: str = "Desk") -> Any:
    return api.post(root(api, "declarative_sources"), {"name": name, "manifest": manifest or MANIFEST})


def source_of(api: Api, definition: Any, **configuration: Any) -> str:
    body = {"name": "Desk", "workspaceId": api.twin.workspace_id, "definitionId": definition["id"]}
    return str(api.post("/sources", {**body, "configuration": {"token": "t"} | configuration})["sourceId"])


def offered(api: Api, source_id: str, **options: Any) -> dict[str, Any]:
    return {each["streamName"]: each for each in api.get("/streams", sourceId=source_id, **options)}


def written_to(api: Api, lake: Lake) -> dict[str, str]:
    """A destination in a bucket, and the namespace in which `landed` looks."""
    destination = api.destination(**configuration(lake.url, lake.bucket))["destinationId"]
    return {"destinationId": destination, "namespaceDefinition": "custom_format", "namespaceFormat": "shopify"}


def test_the_streams_of_a_manifest_are_discovered(api: Api) -> None:
    found = offered(api, source_of(api, declared(api)))
    assert set(found) == {"tickets", "agents", "bare"}
    tickets, agents, bare = found["tickets"], found["agents"], found["bare"]
    assert tickets["sourceDefinedPrimaryKey"] == [["id"]]
    assert (tickets["sourceDefinedCursorField"], tickets["defaultCursorField"]) == (True, ["updated_at"])
    assert {tuple(path) for path in tickets["propertyFields"]} == {("id",), ("updated_at",)}
    assert agents["sourceDefinedPrimaryKey"] == [["id"], ["name"]]
    assert (agents["sourceDefinedCursorField"], bare["propertyFields"]) == (False, [])


def test_streams_that_delegate_depend_or_are_parametrized_are_discovered(api: Api) -> None:
    inline = {"type": "InlineSchemaLoader", "schema": {"$ref": "#/schemas/deep"}}
    cursor = {"type": "DatetimeBasedCursor", "cursor_field": "{{ parameters['cursor'] }}"}
    parametrized = {
        "name": "{{ parameters.table }}",
        "$parameters": {"table": "events", "cursor": "at", "key": "uid"},
        "primary_key": "{{ parameters.key }}",
        "incremental_sync": cursor,
        "schema_loader": inline,
    }
    delegating = {
        "type": "StateDelegatingStream",
        "name": "delegating",
        "full_refresh_stream": {"name": "delegating", "primary_key": "id", "schema_loader": inline},
        "incremental_stream": {"name": "delegating", "incremental_sync": {"cursor_field": "at"}},
    }
    conditional = {"type": "ConditionalStreams", "streams": [{"name": "sometimes", "primary_key": ""}]}
    deep = {"type": "object", "properties": {"id": {"$ref": "#/schemas/number"}, "at": {"type": "string"}}}
    manifest = {
        "streams": [parametrized, delegating, conditional],
        "schemas": {"deep": deep, "number": {"type": "integer"}},
    }
    found = offered(api, source_of(api, declared(api, MANIFEST | manifest)))
    assert set(found) == {"events", "delegating", "sometimes"}
    assert found["events"]["defaultCursorField"] == ["at"]
    assert found["events"]["sourceDefinedPrimaryKey"] == [["uid"]]
    assert (found["delegating"]["defaultCursorField"], found["delegating"]["sourceDefinedPrimaryKey"]) == (
        ["at"],
        [["id"]],
    )
    assert {tuple(path) for path in found["delegating"]["propertyFields"]} == {("id",), ("at",)}
    assert found["sometimes"]["sourceDefinedPrimaryKey"] == []


def test_a_schema_whose_references_multiply_ends(api: Api) -> None:
    levels = {
        f"a{each}": {"properties": {key: {"$ref": f"#/schemas/a{each + 1}"} for key in "xyz"}} for each in range(30)
    }
    loop = {"properties": {"again": {"$ref": "#/schemas/loop"}}}
    streams = [
        {"name": name, "schema_loader": {"type": "InlineSchemaLoader", "schema": {"$ref": f"#/schemas/{name}"}}}
        for name in ("a0", "loop")
    ]
    source = source_of(api, declared(api, MANIFEST | {"streams": streams, "schemas": levels | {"loop": loop}}))
    found = api.config("/sources/discover_schema", {"sourceId": source})
    assert found["jobInfo"]["succeeded"] is True


def test_two_manifests_have_streams_of_their_own_and_a_changed_one_is_found_by_a_fresh_discovery(api: Api) -> None:
    first = declared(api)
    other = declared(api, MANIFEST | {"streams": MANIFEST["streams"][:1]}, "Other")
    source = source_of(api, first)
    assert len(offered(api, source)) == 3
    assert len(offered(api, source_of(api, other))) == 1
    api.put(f"{root(api, 'declarative_sources')}/{first['id']}", {"manifest": MANIFEST | {"streams": []}})
    assert len(offered(api, source)) == 3
    assert offered(api, source, ignoreCache="true") == {}


@pytest.mark.parametrize(
    "streams",
    [
        [{"$ref": "#/definitions/loop"}],
        [{"$ref": "#/nowhere"}],
        [{"$ref": "https://example.com/stream.yaml"}],
        ["text", None, {"name": 1}],
        {"name": "no list"},
    ],
    ids=str,
)
def test_a_manifest_whose_streams_lead_nowhere_has_none(api: Api, streams: Any) -> None:
    loop = {"a": {"$ref": "#/definitions/loop/a"}, "$ref": "#/definitions/loop"}
    source = source_of(api, declared(api, MANIFEST | {"definitions": {"loop": loop}, "streams": streams}))
    assert offered(api, source) == {}


def test_a_source_of_a_manifest_syncs_synthesized_rows(syncing: Api, lake: Lake) -> None:
    source = source_of(syncing, declared(syncing))
    tickets = stream("tickets", selectedFields=fields("id", "updated_at"))
    agents = stream("agents", syncMode="full_refresh_append")
    connection = syncing.connection(tickets, agents, sourceId=source, **written_to(syncing, lake))
    job = run(syncing, connection)
    assert (job["status"], job["failure"]) == ("succeeded", None)
    assert len(landed(lake, "tickets")) == 30
    assert {key for row in landed(lake, "agents") for key in row if not key.startswith("_airbyte")} == {"id", "name"}


IMAGE: dict[str, Any] = {"name": "Desk", "dockerRepository": "example/source-desk", "dockerImageTag": "1.0.0"}


def given(api: Api, repository: str = "example/source-desk", **members: Any) -> None:
    """Let the twin know what an image would say of itself."""
    tickets = {"name": "tickets", "json_schema": TICKETS, "supported_sync_modes": ["full_refresh"]}
    connector: dict[str, Any] = {"kind": "source", "spec": SPEC, "streams": [tickets], **members}
    api.control("POST", "/connectors", {"dockerRepository": repository, "connector": connector}, 204)


def test_an_image_that_a_test_describes_has_a_spec_and_streams(syncing: Api, lake: Lake) -> None:
    given(syncing)
    made = syncing.post(root(syncing, "sources"), IMAGE)
    body = {"name": "Desk", "workspaceId": syncing.twin.workspace_id, "definitionId": made["id"], "configuration": {}}
    syncing.post("/sources", body, 422)
    source = source_of(syncing, made)
    assert syncing.get(f"/sources/{source}")["configuration"] == {"token": "**********"}
    spec = syncing.config(
        "/source_definition_specifications/get",
        {"sourceDefinitionId": made["id"], "workspaceId": syncing.twin.workspace_id},
    )
    assert spec["connectionSpecification"] == SPEC
    connection = syncing.connection(
        stream("tickets", syncMode="full_refresh_append"),
        sourceId=source,
        **written_to(syncing, lake),
    )
    assert run(syncing, connection)["status"] == "succeeded"
    assert len(landed(lake, "tickets")) == 30


def test_an_image_of_a_destination_has_its_modes(api: Api) -> None:
    given(api, kind="destination", repository="example/destination-desk", streams=None,
          supported_destination_sync_modes=["append", "append_dedup"])  # fmt: skip
    body = IMAGE | {"dockerRepository": "example/destination-desk"}
    made = api.post(root(api, "destinations"), body)
    destination = {"name": "D", "workspaceId": api.twin.workspace_id, "definitionId": made["id"]}
    api.post("/destinations", destination | {"configuration": {}}, 422)
    there = api.post("/destinations", destination | {"configuration": {"token": "t"}})["destinationId"]
    source = source_of(api, declared(api))
    modes = offered(api, source, destinationId=there)["tickets"]["syncModes"]
    assert "incremental_deduped_history" in modes
    assert "full_refresh_overwrite" not in modes


@pytest.mark.parametrize(
    "members", [{"kind": "x"}, {"spec": {"type": 5}}, {"more": 1}, {"streams": [{"name": "a"}]}], ids=str
)
def test_a_description_that_is_none_is_refused(api: Api, members: dict[str, Any]) -> None:
    body = {"dockerRepository": "example/x", "connector": {"kind": "source", "spec": SPEC, **members}}
    assert "message" in api.control("POST", "/connectors", body, 422)


def test_described_images_and_manifests_outlive_the_twin(tmp_path: Any) -> None:
    from twin_support import api_of  # noqa: PLC0415 - used once

    with running_twin(data_dir=tmp_path) as twin, api_of(twin) as api:
        given(api)
        sources = [source_of(api, api.post(root(api, "sources"), IMAGE)), source_of(api, declared(api))]
        before = [offered(api, source) for source in sources]
    with running_twin(data_dir=tmp_path) as twin, api_of(twin) as api:
        assert [offered(api, source) for source in sources] == before


@pytest.mark.parametrize("kind", ["sources", "destinations", "declarative_sources"])
def test_a_definition_is_found_under_its_own_workspace_only(api: Api, kind: str) -> None:
    other = api.post("/workspaces", {"name": "other"})["workspaceId"]
    body: dict[str, Any] = {"name": "Desk", "manifest": MANIFEST} if kind == "declarative_sources" else IMAGE
    made = api.post(root(api, kind), body)
    change: dict[str, Any] = (
        {"manifest": MANIFEST} if kind == "declarative_sources" else {"name": "x", "dockerImageTag": "2"}
    )
    for workspace_id in (other, str(uuid4())):
        path = f"{root(api, kind, workspace_id)}/{made['id']}"
        api.get(path, 404)
        api.put(path, change, 404)
        api.delete(path, 404)
    assert api.get(f"{root(api, kind)}/{made['id']}") == made


def test_a_deleted_definition_can_neither_be_read_changed_nor_deleted_again(api: Api) -> None:
    made = api.post(root(api, "sources"), IMAGE)
    path = f"{root(api, 'sources')}/{made['id']}"
    assert api.delete(path, 200) == made
    api.get(path, 404)
    api.put(path, {"name": "x", "dockerImageTag": "2"}, 404)
    api.delete(path, 404)
    assert made["id"] not in {each["id"] for each in api.get(root(api, "sources"))["data"]}
    body = {"name": "Desk", "workspaceId": api.twin.workspace_id, "definitionId": made["id"], "configuration": {}}
    api.post("/sources", body, 404)


# Files


def test_files_are_synced_only_where_both_connectors_and_the_stream_have_them(api: Api) -> None:
    files = {"name": "files", "json_schema": TICKETS, "supported_sync_modes": ["full_refresh"], "is_file_based": True}
    plain = {"name": "plain", "json_schema": TICKETS, "supported_sync_modes": ["full_refresh"]}
    given(api, streams=[files, plain], supports_files=True)
    given(api, kind="destination", repository="example/destination-desk", streams=None, supports_files=True,
          supported_destination_sync_modes=["append", "overwrite"])  # fmt: skip
    source = source_of(api, api.post(root(api, "sources"), IMAGE))
    made = api.post(root(api, "destinations"), IMAGE | {"dockerRepository": "example/destination-desk"})
    body = {"name": "D", "workspaceId": api.twin.workspace_id, "definitionId": made["id"]}
    there = api.post("/destinations", body | {"configuration": {"token": "t"}})["destinationId"]

    def connected(destination_id: str, status: int, **settings: Any) -> Any:
        body = {"sourceId": source, "destinationId": destination_id, "configurations": {"streams": [settings]}}
        return api.post("/connections", body, status)

    made = connected(there, 200, name="files", includeFiles=True)
    [shown] = made["configurations"]["streams"]
    assert shown["includeFiles"] is True
    without = {"streams": [{"name": "files"}]}
    [shown] = api.patch(f"/connections/{made['connectionId']}", {"configurations": without})["configurations"][
        "streams"
    ]
    assert shown["includeFiles"] is False
    refused = connected(there, 400, name="plain", includeFiles=True)
    assert refused["type"].endswith("file-transfer/stream-unsupported")
    elsewhere = api.destination()["destinationId"]
    assert connected(elsewhere, 400, name="files", includeFiles=True)["type"].endswith("connection-unsupported")
