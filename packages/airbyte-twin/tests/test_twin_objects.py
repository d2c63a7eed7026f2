"""Workspaces, tags, definitions, health, and what no route answers."""

import socket
from typing import Any
from uuid import uuid4

import httpx
import pytest
from twin_support import PUBLIC, Api, serving

FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"
S3 = "4816b78f-1489-44c1-9060-4b19d5fa9362"


def custom(api: Api, definition: Any, **configuration: Any) -> dict[str, Any]:
    ids = {"workspaceId": api.twin.workspace_id, "definitionId": definition["id"]}
    return {"name": "x", **ids, "configuration": configuration}


def test_a_workspace_notifies_by_mail_of_all_but_success(api: Api) -> None:
    made = api.post("/workspaces", {"name": "lake", "organizationId": str(uuid4())})
    assert made["dataResidency"] == "auto"
    mail = {event: each["email"]["enabled"] for event, each in made["notifications"].items()}
    assert mail == {
        "failure": True,
        "success": False,
        "connectionUpdate": True,
        "connectionUpdateActionRequired": True,
        "syncDisabled": True,
        "syncDisabledWarning": True,
    }
    assert api.get(f"/workspaces/{made['workspaceId']}") == made


def test_notifications_are_merged_into_what_is_there(api: Api) -> None:
    path = f"/workspaces/{api.twin.workspace_id}"
    webhook = {"enabled": True, "url": "http://localhost/hook"}
    patched = api.patch(path, {"notifications": {"failure": {"webhook": webhook}}})
    assert patched["notifications"]["failure"] == {"email": {"enabled": True}, "webhook": webhook}
    assert api.patch(path, {"name": "Renamed"})["notifications"] == patched["notifications"]


def test_workspace_names_need_not_be_unique(api: Api) -> None:
    assert len({api.post("/workspaces", {"name": "same"})["workspaceId"] for _ in range(2)}) == 2


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"color": "#FF00AA"}, 400, "error:tag-invalid-hex-color"),
        ({"color": "red"}, 400, "error:tag-invalid-hex-color"),
        ({"name": "x" * 31}, 400, "error:tag-name-too-long"),
        ({"name": "taken"}, 409, "error:tag-already-exists"),
    ],
)
def test_tags_that_are_refused(api: Api, changes: dict[str, str], status: int, code: str) -> None:
    body = {"name": "fine", "color": "FF00AA", "workspaceId": api.twin.workspace_id}
    api.post("/tags", {**body, "name": "taken"})
    mine = api.post("/tags", {**body, "name": "mine"})
    assert api.post("/tags", {**body, **changes}, status)["type"] == code
    assert api.patch(f"/tags/{mine['tagId']}", {**body, **changes}, status)["type"] == code


def test_a_workspace_takes_a_hundred_tags(api: Api) -> None:
    for number in range(100):
        api.post("/tags", {"name": f"tag {number}", "color": "000000", "workspaceId": api.twin.workspace_id})
    more = {"name": "one more", "color": "000000", "workspaceId": api.twin.workspace_id}
    assert api.post("/tags", more, 400)["type"] == "error:tag-limit-for-workspace-reached"
    assert len(api.get("/tags", workspaceIds=api.twin.workspace_id)["data"]) == 100
    assert api.get("/tags", workspaceIds=str(uuid4()))["data"] == []


def test_a_tags_patch_needs_both_members_and_a_deleted_tag_is_gone(api: Api) -> None:
    tag = api.post("/tags", {"name": "a", "color": "000000", "workspaceId": api.twin.workspace_id})
    path = f"/tags/{tag['tagId']}"
    refusal = api.patch(path, {"name": "b"}, 400)
    assert "parameter color" in refusal["_embedded"]["errors"][0]["message"]
    assert api.get(path) == tag
    api.delete(path)
    assert api.get(path, 404)["data"]["resourceType"] == "TAG"
    api.delete(path, 404)


def test_connectors_are_listed_by_type(api: Api) -> None:
    workspace = {"workspaceId": api.twin.workspace_id}
    sources = api.get("/connector_definitions", type="source", **workspace)["data"]
    assert {each["name"] for each in sources} == {"Shopify", "Klaviyo", "Sample Data (Faker)"}
    destinations = api.get("/connector_definitions", type="DESTINATION", **workspace)["data"]
    assert {each["connectorDefinitionType"] for each in destinations} == {"destination"}
    api.get("/connector_definitions", 400, **workspace)
    assert set(api.get("/connector_definitions", 500, type="source")) == {"errorId"}
    api.get("/connector_definitions", 404, type="source", workspaceId=str(uuid4()))


def test_a_docker_definition_lives_and_its_sources_have_no_type(api: Api) -> None:
    root = f"/workspaces/{api.twin.workspace_id}/definitions/sources"
    body = {"name": "My faker", "dockerRepository": "airbyte/source-faker", "dockerImageTag": "7.0.0"}
    made = api.post(root, body)
    assert {key: made[key] for key in body} == body
    assert made in api.get(root)["data"]
    renamed = api.put(f"{root}/{made['id']}", {"name": "Mine", "dockerImageTag": "7.1.0"})
    assert api.get(f"{root}/{made['id']}") == renamed
    source = custom(api, made, count=1)
    created = api.post("/sources", source)
    assert created["sourceType"] == ""
    assert len(api.get("/streams", sourceId=created["sourceId"])) == 3
    api.post("/sources", {**source, "configuration": {"count": 0}}, 422)


def test_a_definition_of_one_workspace_is_not_listed_in_another(api: Api) -> None:
    other = api.post("/workspaces", {"name": "other"})["workspaceId"]
    body = {"name": "x", "dockerRepository": "example/source-x", "dockerImageTag": "1"}
    made = api.post(f"/workspaces/{other}/definitions/sources", body)
    listed = api.get(f"/workspaces/{api.twin.workspace_id}/definitions/sources")["data"]
    assert made["id"] not in {each["id"] for each in listed}
    assert FAKER in {each["id"] for each in listed}


def test_an_image_that_nobody_knows_takes_any_configuration_and_cannot_be_discovered(api: Api) -> None:
    root = f"/workspaces/{api.twin.workspace_id}/definitions/sources"
    made = api.post(root, {"name": "x", "dockerRepository": "example/source-x", "dockerImageTag": "1"})
    source = api.post("/sources", custom(api, made, any=[1]))["sourceId"]
    assert set(api.get("/streams", 500, sourceId=source)) == {"errorId"}


def test_the_cloud_takes_no_docker_definitions() -> None:
    with serving(edition="cloud") as api:
        body = {"name": "x", "dockerRepository": "example/source-x", "dockerImageTag": "1"}
        api.post(f"/workspaces/{api.twin.workspace_id}/definitions/sources", body, 400)


def test_a_declarative_definition_has_its_own_path_and_its_manifests_spec(api: Api) -> None:
    root = f"/workspaces/{api.twin.workspace_id}/definitions"
    secret = {
        "type": "object",
        "required": ["token"],
        "properties": {"token": {"type": "string", "airbyte_secret": True}},
    }
    manifest = {"version": "6.0.0", "spec": {"connection_specification": secret}}
    made = api.post(f"{root}/declarative_sources", {"name": "Mine", "manifest": manifest})
    path = f"{root}/declarative_sources/{made['id']}"
    assert made["version"] == 1
    assert api.put(path, {"manifest": manifest})["version"] == 2
    assert [each["id"] for each in api.get(f"{root}/declarative_sources")["data"]] == [made["id"]]
    api.get(f"{root}/sources/{made['id']}", 404)
    body = custom(api, made, token="t")
    source = api.post("/sources", body)
    assert source["configuration"] == {"token": "**********"}
    api.post("/sources", {**body, "configuration": {}}, 422)
    assert api.delete(path, 200)["id"] == made["id"]
    api.get(path, 404)
    assert api.get(f"/sources/{source['sourceId']}")["configuration"] is None


def test_health_is_a_line_of_text(api: Api) -> None:
    assert api.call("GET", PUBLIC + "/health", 200) == "Successful operation"


def test_one_slash_at_the_end_counts_as_none(api: Api) -> None:
    with httpx.Client(base_url=api.twin.public_url, trust_env=False) as http:
        assert http.get("/sources/").json() == api.get("/sources")
        assert http.get("/sources//").status_code == 404


def test_a_bare_pipe_in_a_query_is_refused(api: Api) -> None:
    connection = socket.create_connection(("127.0.0.1", api.http.base_url.port or 0), timeout=10)
    with connection, connection.makefile("rb") as answer:
        connection.sendall(f"GET {PUBLIC}/jobs?orderBy=createdAt|DESC HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert b" 400 " in answer.readline()
    api.get("/jobs", orderBy="createdAt|DESC")


@pytest.mark.parametrize("path", ["", "/", "/nope", "/sources/a/b", "/permissions/a/b", "/nope/"])
def test_an_unknown_route_is_a_404_of_text(api: Api, path: str) -> None:
    assert api.http.get(PUBLIC + path).text == "Object not found."
    assert api.http.get(PUBLIC + path).status_code == 404


@pytest.mark.parametrize(("kind", "definition_id"), [("sources", FAKER), ("destinations", S3)])
def test_definitions_of_the_registry_cannot_be_changed(api: Api, kind: str, definition_id: str) -> None:
    path = f"/workspaces/{api.twin.workspace_id}/definitions/{kind}/{definition_id}"
    before = api.get(path)
    refused = api.put(path, {"name": "mine", "dockerImageTag": "0.0.1"}, 400)
    assert (
        refused["data"]["message"]
        == "Public definitions cannot be modified."
        == api.delete(path, 400)["data"]["message"]
    )
    assert api.get(path) == before


@pytest.mark.parametrize(
    ("path", "argument"),
    [
        ("/workspaces/none/definitions/sources", "workspaceId"),
        (f"/workspaces/none/definitions/sources/{FAKER}", "workspaceId"),
        ("/workspaces/none/definitions/declarative_sources", "workspaceId"),
        (f"/workspaces/{FAKER}/definitions/destinations/none", "definitionId"),
    ],
)
def test_ids_of_definitions_paths_are_converted_first(api: Api, path: str, argument: str) -> None:
    [error] = api.get(path, 400)["_embedded"]["errors"]
    assert error["message"].startswith(f"Failed to convert argument [{argument}] for value [none]")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_application_is_a_404_in_every_edition(method: str) -> None:
    with serving(edition="cloud") as api:
        missing = api.call(method, f"{PUBLIC}/applications/{uuid4()}", 404)
    assert (missing["detail"], missing["data"]) == ("The application with the provided id was not found.", None)


def test_a_definition_without_documentation_has_an_empty_address(api: Api) -> None:
    path = f"/workspaces/{api.twin.workspace_id}/definitions/sources"
    made = api.post(path, {"name": "mine", "dockerRepository": "example/source-mine", "dockerImageTag": "1"})
    assert made["documentationUrl"] == ""
    assert api.get(f"{path}/{made['id']}") == made


@pytest.mark.parametrize("path", ["", "/"])
def test_one_level_above_the_public_api_leads_to_its_documentation(path: str) -> None:
    with serving(auth="client_credentials") as api:
        answer = httpx.get(f"{api.twin.url}/api/public{path}", trust_env=False)
        assert (answer.status_code, answer.headers["location"]) == (302, "https://reference.airbyte.com/")
        assert httpx.get(f"{api.twin.public_url}/health/", trust_env=False).status_code == 200


BODIES = ("/sources", "/connections", "/jobs", "/tags", "/workspaces")
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        (b"{", "Invalid JSON"),
        (b"\xff", "Invalid JSON"),
        (b'{"name": "\\ud800"}', "Invalid JSON"),
        (b"[" * 1000, "Invalid JSON"),
        (b" ", "Bad Request"),
        (b"[]", "Bad Request"),
        (b'"x"', "Bad Request"),
    ],
)
def test_a_body_that_does_not_fit_is_a_400_that_says_so(api: Api, body: bytes, summary: str) -> None:
    for path in BODIES:
        assert api.call("POST", PUBLIC + path, 400, content=body, headers=JSON)["message"] == summary


@pytest.mark.parametrize("body", [b"", b"null"])
def test_no_body_breaks_the_server(api: Api, body: bytes) -> None:
    for path in BODIES:
        assert set(api.call("POST", PUBLIC + path, 500, content=body, headers=JSON)) == {"errorId"}


@pytest.mark.parametrize("path", ["/sources/", "/destinations/", "/connections/", "/workspaces/"])
def test_an_id_that_is_no_uuid_breaks_the_server(api: Api, path: str) -> None:
    assert set(api.get(path + "nonsense", 500)) == {"errorId"}


def test_an_id_of_a_tag_that_is_no_uuid_does_not_convert(api: Api) -> None:
    wrong = api.get("/tags/nonsense", 400)["_embedded"]["errors"][0]
    assert (wrong["path"], "Invalid UUID string: nonsense" in wrong["message"]) == ("/tagId", True)


def test_a_tag_of_an_unknown_workspace_breaks_a_foreign_key(api: Api) -> None:
    problem = api.post("/tags", {"name": "x", "color": "000000", "workspaceId": str(uuid4())}, 500)
    assert "tag_workspace_id_fkey" in problem["data"]["message"]


def test_a_body_that_is_no_json_by_its_header_is_a_415(api: Api) -> None:
    api.call("POST", PUBLIC + "/workspaces", 415, content=b"name: x", headers={"Content-Type": "application/yaml"})
    api.call("POST", PUBLIC + "/workspaces", 200, content=b'{"name": "x"}')
