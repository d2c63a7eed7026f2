"""What a caller with bad intent might try: specs that break the checker, forged secrets, headers and half requests."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from airbyte_twin.registry import ConnectorFileError, load_connector
from lab_connectors import LAB_CONNECTORS
from twin_support import MASK, PUBLIC, Api, serving, shopify


def declared(api: Api, spec: Any, status: int = 200) -> Any:
    """The answer to a manifest with a spec."""
    root = f"/workspaces/{api.twin.workspace_id}/definitions/declarative_sources"
    return api.post(root, {"name": "m", "manifest": {"spec": {"connection_specification": spec}}}, status)


def of(api: Api, spec: Any, configuration: Any, status: int = 200) -> Any:
    """The answer to a source with a spec of its caller's."""
    body = {"name": "x", "workspaceId": api.twin.workspace_id, "configuration": configuration}
    return api.post("/sources", {**body, "definitionId": declared(api, spec)["id"]}, status)


def coordinate(api: Api, source: Any) -> Any:
    """Where the password of a Shopify source lies."""
    shown = api.get(f"/sources/{source['sourceId']}", includeSecretCoordinates="true")
    return shown["configuration"]["credentials"]["api_password"]


@pytest.mark.parametrize(
    "spec",
    [
        {"type": 5},
        {"properties": "x"},
        {"properties": {"a": {"pattern": "("}}},
        {"required": "a"},
        {"required": [["a"]]},
        {"allOf": {}},
    ],
)
def test_a_manifest_whose_spec_is_no_schema_is_refused_as_is_a_connector_file(
    api: Api, tmp_path: Path, spec: Any
) -> None:
    assert declared(api, spec, 400)["title"] == "bad-request"
    path = tmp_path / "lab.json"
    path.write_text(json.dumps({**LAB_CONNECTORS[0], "spec": spec}))
    with pytest.raises(ConnectorFileError, match="not a JSON Schema"):
        load_connector(path)


def test_a_manifest_cannot_be_changed_to_one_whose_spec_is_no_schema(api: Api) -> None:
    made = declared(api, {"type": "object"})
    path = f"/workspaces/{api.twin.workspace_id}/definitions/declarative_sources/{made['id']}"
    api.put(path, {"manifest": {"spec": {"connection_specification": {"type": 5}}}}, 400)
    assert api.get(path) == made


@pytest.mark.parametrize("reference", ["#/nope", "#/properties/a", "http://127.0.0.1:9/spec.json"])
def test_a_reference_that_leads_nowhere_or_to_itself_is_unprocessable(api: Api, reference: str) -> None:
    of(api, {"properties": {"a": {"$ref": reference}}}, {"a": 1}, 422)


def test_a_reference_within_a_spec_is_followed(api: Api) -> None:
    spec = {"properties": {"a": {"$ref": "#/definitions/text"}}, "definitions": {"text": {"type": "string"}}}
    of(api, spec, {"a": "x"})
    of(api, spec, {"a": 1}, 422)


def test_a_reference_never_reads_a_file(api: Api, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text("{}")
    of(api, {"properties": {"a": {"$ref": schema.as_uri()}}}, {"a": 1}, 422)


def test_a_spec_as_deep_as_a_body_may_be_is_no_failure_of_the_server(api: Api) -> None:
    spec: Any = {"type": "string", "airbyte_secret": True}
    configuration: Any = "x"
    for _ in range(90):
        spec, configuration = {"properties": {"a": spec}}, {"a": configuration}
    assert "x" not in json.dumps(of(api, spec, configuration)["configuration"])


@pytest.mark.parametrize("forged", [{"_secret": "x"}, {"_secret": "vault/shopify"}])
def test_a_forged_secret_is_checked_as_the_object_that_it_is(api: Api, forged: Any) -> None:
    source = api.source()
    credentials = {"auth_method": "api_password", "api_password": forged}
    body = {"name": "x", "configuration": shopify(api.twin.workspace_id, credentials=credentials)["configuration"]}
    api.put(f"/sources/{source['sourceId']}", body, 422)
    api.patch(f"/sources/{source['sourceId']}", {"configuration": {"credentials": credentials}}, 422)


def test_a_forged_secret_where_any_value_may_be_is_a_value(api: Api) -> None:
    source = of(api, {"properties": {"a": {"airbyte_secret": True}}}, {"a": {"_secret": "x"}})
    assert source["configuration"] == {"a": MASK}
    assert [secret.value for secret in api.twin.store.secrets] == ['{"_secret":"x"}']


def test_whoever_refers_to_anothers_secret_cannot_overwrite_it(api: Api) -> None:
    owner = api.source()
    credentials = {"auth_method": "api_password", "api_password": coordinate(api, owner)}
    thief = api.source(credentials=credentials)
    change = {"configuration": {"credentials": {"api_password": "owners-second"}}}
    api.patch(f"/sources/{owner['sourceId']}", change)
    change["configuration"]["credentials"]["api_password"] = "not-the-owners"
    api.patch(f"/sources/{thief['sourceId']}", change)
    assert coordinate(api, owner) != coordinate(api, thief)
    kept = api.twin.store.secrets.get(coordinate(api, owner).removeprefix("secret_coordinate::"))
    assert kept is not None
    assert kept.value == "owners-second"


def test_a_value_is_masked_from_when_its_manifest_calls_it_a_secret(api: Api) -> None:
    source = of(api, {"properties": {"a": {"type": "string"}}}, {"a": "x"})
    definitions = f"/workspaces/{api.twin.workspace_id}/definitions/declarative_sources"
    spec = {"properties": {"a": {"type": "string", "airbyte_secret": True}}}
    manifest = {"spec": {"connection_specification": spec}}
    api.put(f"{definitions}/{source['definitionId']}", {"manifest": manifest})
    path = f"/sources/{source['sourceId']}"
    assert api.get(path)["configuration"] == {"a": MASK}
    assert api.get(path, includeSecretCoordinates="true")["configuration"] == {"a": MASK}


@pytest.mark.parametrize("header", ["Basic é", "Basic", "Basic =", "Basic bWU=", "Digest bWU6cGFzcw=="])
def test_any_header_but_the_right_one_is_a_401_of_the_proxy(header: str) -> None:
    with serving(auth="basic") as api:
        response = api.http.get(PUBLIC + "/sources", headers={b"Authorization": header.encode("latin-1")})
        assert response.status_code == 401


def test_a_caller_who_leaves_in_the_middle_of_a_body_is_noted_without_a_status(
    api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    host, _, port = api.twin.url.removeprefix("http://").rpartition(":")
    head = f"POST {PUBLIC}/sources HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(head.encode() + b"{")
    for _ in range(1000):
        if api.twin.calls():
            break
        api.control("GET", "/counts")
    assert [call.status for call in api.twin.calls()] == [None]
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("order", [{"freeze": 1e300}, {"freeze": -1}, {"advance": 1e300}, {"freeze": 1, "advance": -2}])
def test_the_clock_stays_within_the_years_that_can_be_written(api: Api, order: Any) -> None:
    before = api.control("POST", "/clock", {"freeze": 1767225600})
    api.control("POST", "/clock", order, 422)
    assert api.control("GET", "/clock") == before
