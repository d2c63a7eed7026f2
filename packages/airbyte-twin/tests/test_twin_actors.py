"""Sources and destinations: types, validation, masks, updates, deletes."""

from typing import Any
from uuid import uuid4

import pytest
from twin_support import MASK, Api, faker, s3, serving, shopify

SHOPIFY = "9da77001-af33-4bcd-be46-6252bf9342b9"


def secret_values(api: Api) -> list[str]:
    return sorted(secret.value for secret in api.twin.store.secrets)


def coordinate(api: Api, source_id: str) -> str:
    shown = api.get(f"/sources/{source_id}", includeSecretCoordinates="true")
    found: str = shown["configuration"]["credentials"]["api_password"]
    return found


def test_the_type_is_stripped_from_the_configuration_and_returned_beside_it(api: Api) -> None:
    source = api.source()
    assert source["sourceType"] == "shopify"
    assert source["definitionId"] == SHOPIFY
    assert "sourceType" not in source["configuration"]


def test_a_definition_id_wins_over_the_type(api: Api) -> None:
    body = {**shopify(api.twin.workspace_id, sourceType="klaviyo"), "definitionId": SHOPIFY}
    assert api.post("/sources", body)["sourceType"] == "shopify"


def test_no_defaults_are_written_into_a_configuration(api: Api) -> None:
    assert api.post("/sources", faker(api.twin.workspace_id, count=3))["configuration"] == {"count": 3}


def test_a_source_without_type_or_definition_is_unprocessable(api: Api) -> None:
    body = {"name": "x", "workspaceId": api.twin.workspace_id, "configuration": {"shop": "x"}}
    problem = api.post("/sources", body, 422)
    assert (problem["title"], problem["data"]) == ("unprocessable-entity", None)


@pytest.mark.parametrize("configuration", [[], "x", None])
def test_a_configuration_that_is_no_object_is_only_checked_with_a_definition(api: Api, configuration: Any) -> None:
    body = {"name": "x", "workspaceId": api.twin.workspace_id, "configuration": configuration}
    assert set(api.post("/sources", body, 500)) == {"errorId"}
    problem = api.post("/sources", {**body, "definitionId": SHOPIFY}, 422)
    assert "found, object expected" in problem["data"]["message"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("x" * 257, "value too long for type character varying(256)"), ("a\0", "invalid byte sequence")],
)
def test_a_name_that_the_database_does_not_take_is_a_500_with_its_words(api: Api, name: str, reason: str) -> None:
    source = api.source()
    for problem in (
        api.post("/sources", {**shopify(api.twin.workspace_id), "name": name}, 500),
        api.put(f"/sources/{source['sourceId']}", {"name": name, "configuration": {"shop": "x"}}, 500),
        api.patch(f"/sources/{source['sourceId']}", {"name": name}, 500),
    ):
        assert problem["title"] == "unexpected-problem"
        assert problem["data"]["message"].startswith("SQL [")
        assert reason in problem["data"]["message"]
    assert api.get("/sources")["data"] == [source]
    api.patch(f"/sources/{source['sourceId']}", {"name": "x" * 256})


def test_a_nul_in_a_configuration_is_a_500(api: Api) -> None:
    problem = api.post("/sources", shopify(api.twin.workspace_id, note=["\0"]), 500)
    assert "\\u0000 cannot be converted to text" in problem["data"]["message"]


@pytest.mark.parametrize("name", ["nope", "s3", ""])
def test_an_unknown_type_is_named(api: Api, name: str) -> None:
    problem = api.post("/sources", shopify(api.twin.workspace_id, sourceType=name), 400)
    assert problem["title"] == "value-not-found"
    assert problem["data"] == {"value": name}


def test_an_unknown_definition_or_workspace_is_not_found(api: Api) -> None:
    unknown = {**shopify(api.twin.workspace_id), "definitionId": str(uuid4())}
    assert api.post("/sources", unknown, 404)["data"]["resourceType"] == "STANDARD_SOURCE_DEFINITION"
    lost = api.post("/sources", shopify(str(uuid4())), 500)
    assert "config type: STANDARD_WORKSPACE" in lost["data"]["message"]


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"sourceType": "shopify"}, "$: required property 'shop' not found"),
        ({"sourceType": "shopify", "shop": 3}, "$.shop: integer found, string expected"),
        ({"sourceType": "faker", "count": 0}, "$.count: must have a minimum value of 1"),
        ({"sourceType": "faker", "count": "3"}, "$.count: string found, integer expected"),
        ({"sourceType": "shopify", "shop": "a b"}, "$.shop: does not match the regex pattern"),
        (
            {"sourceType": "shopify", "shop": "a", "credentials": {}},
            "$.credentials: must be valid to one and only one schema, but 0 are valid",
        ),
    ],
)
def test_a_configuration_against_the_spec_is_told_by_path(api: Api, configuration: Any, message: str) -> None:
    body = {"name": "x", "workspaceId": api.twin.workspace_id, "configuration": configuration}
    problem = api.post("/sources", body, 422)
    assert problem["data"]["message"].startswith(
        "json schema validation failed when comparing the data to the json schema. \nErrors: $"
    )
    assert message in problem["data"]["message"]


def test_a_violation_never_shows_a_value(api: Api) -> None:
    credentials = {"auth_method": "api_password", "api_password": ["hidden-value"]}
    assert "hidden-value" not in str(api.post("/sources", shopify(api.twin.workspace_id, credentials=credentials), 422))


def test_every_secret_is_masked_by_ten_asterisks(api: Api) -> None:
    configuration = api.destination()["configuration"]
    assert configuration["access_key_id"] == configuration["secret_access_key"] == MASK
    assert configuration["s3_bucket_name"] == "landing"


def test_secrets_of_every_branch_of_a_oneof_are_masked(api: Api) -> None:
    credentials = {"auth_method": "api_password", "api_password": "one", "client_secret": "two"}
    assert api.source(credentials=credentials)["configuration"]["credentials"] == {
        "auth_method": "api_password",
        "api_password": MASK,
        "client_secret": MASK,
    }


def test_an_absent_secret_stays_absent_and_an_empty_one_is_masked(api: Api) -> None:
    body = s3(api.twin.workspace_id, access_key_id="")
    del body["configuration"]["secret_access_key"]
    configuration = api.post("/destinations", body)["configuration"]
    assert configuration["access_key_id"] == MASK
    assert "secret_access_key" not in configuration


def test_a_put_keeps_a_masked_secret_and_its_version(api: Api) -> None:
    source = api.source()
    before = coordinate(api, source["sourceId"])
    sent = {"name": "Renamed", "configuration": {**source["configuration"], "shop": "other"}}
    after = api.put(f"/sources/{source['sourceId']}", sent)
    assert (after["name"], after["configuration"]["shop"]) == ("Renamed", "other")
    assert coordinate(api, source["sourceId"]) == before
    assert secret_values(api) == ["first-password"]


def test_each_raw_write_of_a_secret_grows_its_version_even_with_the_same_value(api: Api) -> None:
    source = api.source()
    body = shopify(api.twin.workspace_id)
    put = {"name": body["name"], "configuration": body["configuration"]}
    first = coordinate(api, source["sourceId"])
    api.put(f"/sources/{source['sourceId']}", put)
    second = coordinate(api, source["sourceId"])
    assert first.endswith("_v1")
    assert second == first.removesuffix("_v1") + "_v2"
    assert first.startswith(f"secret_coordinate::airbyte_workspace_{api.twin.workspace_id}_secret_")


def test_a_put_removes_what_it_does_not_name(api: Api) -> None:
    source = api.source(start_date="2025-01-01")
    put = {"name": "x", "configuration": {"shop": "example"}}
    assert api.put(f"/sources/{source['sourceId']}", put)["configuration"] == {"shop": "example"}


def test_a_put_without_a_required_member_is_unprocessable(api: Api) -> None:
    source = api.source()
    assert api.put(f"/sources/{source['sourceId']}", {"name": "x", "configuration": {}}, 422)["status"] == 422
    assert api.get(f"/sources/{source['sourceId']}") == source


def test_a_patch_merges_and_cannot_remove(api: Api) -> None:
    source = api.source(start_date="2025-01-01")
    path = f"/sources/{source['sourceId']}"
    api.patch(path, {"configuration": {"credentials": {"auth_method": "oauth2.0", "client_id": "id"}}})
    configuration = api.get(path)["configuration"]
    assert configuration["start_date"] == "2025-01-01"
    assert configuration["credentials"] == {"auth_method": "oauth2.0", "client_id": MASK, "api_password": MASK}


def test_a_masked_secret_in_a_patch_is_stored_literally(api: Api) -> None:
    source = api.source()
    api.patch(f"/sources/{source['sourceId']}", {"configuration": source["configuration"]})
    assert secret_values(api) == [MASK, "first-password"]
    assert coordinate(api, source["sourceId"]).endswith("_v2")


def test_a_patch_without_configuration_leaves_it(api: Api) -> None:
    source = api.source()
    patched = api.patch(f"/sources/{source['sourceId']}", {"name": "Renamed", "workspaceId": str(uuid4())})
    assert patched == {**source, "name": "Renamed"}


def test_a_reference_to_a_foreign_secret_store_is_kept_as_such(api: Api) -> None:
    credentials = {"auth_method": "api_password", "api_password": "secret_coordinate::vault/shopify"}
    source = api.source(credentials=credentials)
    assert source["configuration"]["credentials"]["api_password"] == MASK
    assert coordinate(api, source["sourceId"]) == "secret_coordinate::vault/shopify"
    assert secret_values(api) == []


def test_resources_are_kept_until_a_write_without_them(api: Api) -> None:
    allocation = {"default": {"cpu_request": "1"}, "jobSpecific": []}
    source = api.post("/sources", {**shopify(api.twin.workspace_id), "resourceAllocation": allocation})
    assert source["resourceAllocation"] == allocation
    shouted = {"jobSpecific": [{"jobType": "SYNC", "resourceRequirements": {}}]}
    source = api.post("/sources", {**shopify(api.twin.workspace_id), "resourceAllocation": shouted})
    assert source["resourceAllocation"]["jobSpecific"][0]["jobType"] == "sync"
    assert "resourceAllocation" not in api.patch(f"/sources/{source['sourceId']}", {"name": "x"})


def test_a_deleted_source_is_still_found_with_a_null_configuration(api: Api) -> None:
    source = api.source()
    path = f"/sources/{source['sourceId']}"
    api.delete(path)
    assert api.get(path) == {**source, "configuration": None}
    assert secret_values(api) == []
    assert api.get("/sources")["data"] == []
    assert [each["sourceId"] for each in api.get("/sources", includeDeleted="true")["data"]] == [source["sourceId"]]
    api.delete(path)


def test_a_deleted_source_takes_no_updates(api: Api) -> None:
    source = api.source()
    api.delete(f"/sources/{source['sourceId']}")
    problem = api.put(f"/sources/{source['sourceId']}", {"name": "x", "configuration": {"shop": "x"}}, 500)
    assert problem["data"] == {"message": "Failed requirement."}
    problem = api.patch(f"/sources/{source['sourceId']}", {"name": "x"}, 422)
    assert "$: null found, object expected" in problem["data"]["message"]


def test_a_destination_is_no_source(api: Api) -> None:
    destination = api.destination()
    assert api.get(f"/sources/{destination['destinationId']}", 404)["data"]["resourceType"] == "SOURCE_CONNECTION"


def test_names_need_not_be_unique(api: Api) -> None:
    assert api.source()["sourceId"] != api.source()["sourceId"]


def test_the_cloud_answers_403_for_what_it_does_not_know_and_refuses_resources() -> None:
    with serving(edition="cloud") as api:
        assert api.get(f"/sources/{uuid4()}", 403)["title"] == "forbidden"
        allocation = {"default": {"cpu_request": "1"}}
        body = {**s3(api.twin.workspace_id), "resourceAllocation": allocation}
        assert api.post("/destinations", body, 400)["title"] == "bad-request"


def test_the_answer_to_unknown_ids_can_differ_from_the_edition() -> None:
    with serving(missing_id_status=403) as api:
        api.get(f"/sources/{uuid4()}", 403)
        api.config("/connections/get", {"connectionId": str(uuid4())}, 403)


def test_types_can_be_echoed_for_the_official_sdk() -> None:
    with serving(echo_connector_type=True) as api:
        assert api.destination()["configuration"]["destinationType"] == "s3"


def test_cloud_shows_the_coordinates_of_secrets_in_a_store_of_ones_own_only() -> None:
    with serving(edition="cloud") as api:
        kept = api.destination(access_key_id="secret_coordinate::vault/key")
        shown = api.get(f"/destinations/{kept['destinationId']}", includeSecretCoordinates="true")["configuration"]
    assert (shown["access_key_id"], shown["secret_access_key"]) == ("secret_coordinate::vault/key", MASK)
