"""Connections: defaults, patches, mappers, tags, deletes and their cascades."""

from typing import Any
from uuid import uuid4

import pytest
from lab_connectors import lab_connection
from twin_support import HOURLY, MASK, Api, fields, shopify, stream


def path_of(connection: Any) -> str:
    return f"/connections/{connection['connectionId']}"


def hashing(field: str = "name", **changes: Any) -> dict[str, Any]:
    configuration = {"targetField": field, "method": "SHA-256", "fieldNameSuffix": "_hashed"}
    return {"type": "hashing", "mapperConfiguration": configuration, **changes}


def encryption(key: str, **changes: Any) -> dict[str, Any]:
    configuration = {
        "algorithm": "AES", "targetField": "name", "mode": "CBC", "padding": "PKCS5Padding", "fieldNameSuffix": "_x",
        "key": key,
    }  # fmt: skip
    return {"type": "encryption", "mapperConfiguration": configuration, **changes}


def equal(field: str) -> dict[str, str]:
    return {"type": "EQUAL", "fieldName": field, "comparisonValue": "x"}


def filtering(conditions: Any) -> dict[str, Any]:
    return {"type": "row-filtering", "mapperConfiguration": {"conditions": conditions}}


def test_rows_can_be_filtered_by_nested_conditions(lab: Api) -> None:
    conditions = {"type": "NOT", "conditions": [equal("name"), {"type": "NOT", "conditions": [equal("id")]}]}
    sent = {"name": "bare", "mappers": [filtering(conditions)]}
    stored = lab_connection(lab, sent)["configurations"]["streams"][0]["mappers"][0]
    inner = {"type": "NOT", "conditions": [{**equal("id"), "conditions": []}]}
    shown = {"type": "NOT", "conditions": [{**equal("name"), "conditions": []}, inner]}
    assert stored["mapperConfiguration"] == {"conditions": shown}


def test_the_server_fills_in_what_a_create_leaves_out(api: Api) -> None:
    connection = api.connection()
    known = {key: connection[key] for key in ("name", "status", "prefix", "namespaceDefinition", "schedule", "tags")}
    assert known == {
        "name": "Shopify <> S3",
        "status": "active",
        "prefix": "",
        "namespaceDefinition": "destination",
        "schedule": {"scheduleType": "manual"},
        "tags": [],
    }
    assert connection["nonBreakingSchemaUpdatesBehavior"] == "ignore"
    assert not {"namespaceFormat", "dataResidency", "statusReason"} & set(connection)


def test_what_was_sent_is_returned(api: Api) -> None:
    sent = {
        "name": "Shopify → S3",
        "status": "inactive",
        "prefix": "p_",
        "namespaceDefinition": "custom_format",
        "namespaceFormat": "${SOURCE_NAMESPACE}",
        "nonBreakingSchemaUpdatesBehavior": "propagate_columns",
    }
    connection = api.connection(**sent, dataResidency="eu")
    assert {key: connection[key] for key in sent} == sent


@pytest.mark.parametrize("member", ["namespaceFormat", "name", "status", "tags", "schedule", "prefix"])
def test_an_explicit_null_counts_as_left_out(api: Api, member: str) -> None:
    api.connection(**{member: None})


def test_a_connection_needs_ends_of_one_workspace_living_or_not(api: Api) -> None:
    source, destination = api.source()["sourceId"], api.destination()["destinationId"]
    ends = {"sourceId": source, "destinationId": destination}
    assert (
        api.post("/connections", {**ends, "sourceId": str(uuid4())}, 404)["data"]["resourceType"] == "SOURCE_CONNECTION"
    )
    problem = api.post("/connections", {**ends, "destinationId": str(uuid4())}, 404)
    assert problem["data"]["resourceType"] == "DESTINATION_CONNECTION"
    other = api.post("/workspaces", {"name": "other"})["workspaceId"]
    elsewhere = api.post("/sources", shopify(other))["sourceId"]
    assert api.post("/connections", {**ends, "sourceId": elsewhere}, 400)["title"] == "bad-request"
    api.delete(f"/sources/{source}")
    assert api.post("/connections", ends)["status"] == "active"
    api.delete(f"/destinations/{destination}")
    assert api.post("/connections", ends)["status"] == "active"


@pytest.mark.parametrize("name", ["x" * 257, "a\0"])
def test_a_name_that_the_database_does_not_take_is_a_500_that_says_nothing(api: Api, name: str) -> None:
    connection = api.connection()
    ends = {key: connection[key] for key in ("sourceId", "destinationId")}
    assert api.post("/connections", {**ends, "name": name}, 500)["data"] is None
    assert api.patch(path_of(connection), {"name": name}, 500)["data"] is None
    assert api.get("/connections")["data"] == [connection]


def test_a_failed_discovery_fails_the_create_and_stores_nothing(api: Api) -> None:
    source = api.source()["sourceId"]
    api.control("POST", "/drift", {"kind": "temper", "actorId": source, "discoverFailure": "401 from the shop"}, 204)
    body = {"sourceId": source, "destinationId": api.destination()["destinationId"]}
    problem = api.post("/connections", body, 500)
    assert problem["title"] == "unexpected-problem"
    assert "401 from the shop" in problem["data"]["message"]
    assert api.get("/connections")["data"] == []


def test_a_patch_changes_only_what_it_names(api: Api) -> None:
    connection = api.connection(schedule=HOURLY, namespaceFormat="x", prefix="p")
    assert api.patch(path_of(connection), {}) == connection
    patched = api.patch(path_of(connection), {"name": "Renamed", "prefix": "", "namespaceFormat": ""})
    assert patched == {**connection, "name": "Renamed", "prefix": "", "namespaceFormat": ""}


def test_a_patch_with_streams_replaces_them_all_and_an_empty_list_is_ignored(api: Api) -> None:
    connection = api.connection(stream("orders"), stream("customers"))
    patched = api.patch(path_of(connection), {"configurations": {"streams": [stream("products")]}})
    assert [each["name"] for each in patched["configurations"]["streams"]] == ["products"]
    assert api.patch(path_of(connection), {"configurations": {"streams": []}}) == patched


def test_a_patch_cannot_move_a_connection_to_other_ends(api: Api) -> None:
    connection = api.connection()
    assert api.patch(path_of(connection), {"sourceId": str(uuid4())}) == connection


def test_a_patch_that_is_refused_changes_nothing(api: Api) -> None:
    connection = api.connection()
    sent = {"name": "x", "configurations": {"streams": [stream(selectedFields=[])]}}
    api.patch(path_of(connection), sent, 400)
    assert api.get(path_of(connection)) == connection


def test_a_locked_connection_takes_no_patch(api: Api) -> None:
    connection = api.connection(status="locked")
    assert api.patch(path_of(connection), {"name": "x"}, 409)["type"] == "error:connection/locked"


def test_a_patch_never_starts_a_job(api: Api) -> None:
    connection = api.connection()
    api.patch(path_of(connection), {"configurations": {"streams": [stream("customers")]}})
    assert api.get("/jobs")["data"] == []


def test_there_is_no_put(api: Api) -> None:
    api.put(path_of(api.connection()), {}, 405)


def test_tags_are_replaced_cleared_and_followed(api: Api) -> None:
    body = {"name": "lotus", "color": "FF00AA", "workspaceId": api.twin.workspace_id}
    tag = api.post("/tags", body)
    connection = api.connection(tags=[tag])
    assert connection["tags"] == [tag]
    renamed = api.patch(f"/tags/{tag['tagId']}", {"name": "lake", "color": "00ff00"})
    assert api.get(path_of(connection))["tags"] == [renamed]
    assert api.get("/connections", tagIds=tag["tagId"])["data"] != []
    assert api.get("/connections", tagIds=str(uuid4()))["data"] == []
    assert api.patch(path_of(connection), {"tags": []})["tags"] == []
    assert api.patch(path_of(connection), {"tags": [tag]})["tags"] == [renamed]
    api.delete(f"/tags/{tag['tagId']}")
    assert api.get(path_of(connection))["tags"] == []


def test_a_tag_must_be_sent_whole_and_one_that_does_not_exist_is_dropped_in_silence(api: Api) -> None:
    tag = api.post("/tags", {"name": "lotus", "color": "FF00AA", "workspaceId": api.twin.workspace_id})
    connection = api.connection(tags=[tag])
    unknown = {"tagId": str(uuid4()), "name": "x", "color": "000000", "workspaceId": api.twin.workspace_id}
    api.patch(path_of(connection), {"tags": [{"tagId": unknown["tagId"]}]}, 400)
    assert api.patch(path_of(connection), {"tags": [unknown, tag]})["tags"] == [tag]
    assert api.patch(path_of(connection), {"tags": [unknown]})["tags"] == []
    assert api.connection(tags=[unknown])["tags"] == []


def test_mappers_get_ids_which_change_with_each_write_unless_they_are_sent(lab: Api) -> None:
    sent = {"name": "bare", "mappers": [hashing()]}
    connection = lab_connection(lab, sent)
    first = connection["configurations"]["streams"][0]["mappers"][0]
    assert {key: first[key] for key in ("type", "mapperConfiguration")} == hashing()
    again = lab.patch(path_of(connection), {"configurations": {"streams": [sent]}})
    second = again["configurations"]["streams"][0]["mappers"][0]
    assert first["id"] != second["id"]
    kept = lab.patch(path_of(connection), {"configurations": {"streams": [{"name": "bare", "mappers": [second]}]}})
    assert kept["configurations"]["streams"][0]["mappers"] == [second]


def test_an_encryption_key_is_masked_and_kept_by_the_mappers_id(lab: Api) -> None:
    connection = lab_connection(lab, {"name": "bare", "mappers": [encryption("00ff")]})
    mapper = connection["configurations"]["streams"][0]["mappers"][0]
    assert mapper["mapperConfiguration"]["key"] == MASK
    lab.patch(path_of(connection), {"configurations": {"streams": [{"name": "bare", "mappers": [mapper]}]}})
    assert [secret.value for secret in lab.twin.store.secrets] == ["00ff"]
    lost = {"name": "bare", "mappers": [{**mapper, "id": str(uuid4())}]}
    problem = lab.patch(path_of(connection), {"configurations": {"streams": [lost]}}, 400)
    assert problem["type"] == "error:mapper-validation/secret-not-found"


@pytest.mark.parametrize(
    "mapper",
    [
        hashing("nope"),
        {"type": "hashing", "mapperConfiguration": {"targetField": "name"}},
        {"type": "field-renaming", "mapperConfiguration": {"originalFieldName": "nope", "newFieldName": "x"}},
        {"type": "row-filtering", "mapperConfiguration": {}},
        {"type": "row-filtering", "mapperConfiguration": {"conditions": {"type": "EQUAL", "fieldName": "name"}}},
        {"type": "field-renaming", "mapperConfiguration": {"originalFieldName": "name", "newFieldName": "id"}},
        {"type": "encryption", "mapperConfiguration": {"algorithm": "RSA", "targetField": "name"}},
    ],
)
def test_mappers_that_cannot_work_are_refused(lab: Api, mapper: Any) -> None:
    problem = lab_connection(lab, {"name": "bare", "mappers": [mapper]}, status=400)
    assert problem["type"] in {"error:mapper-validation", "error:mapper-validation/invalid-config"}


def test_a_filter_of_rows_is_compared_with_no_field(lab: Api) -> None:
    mapper = {"type": "row-filtering", "mapperConfiguration": {"conditions": equal("nope")}}
    assert lab_connection(lab, {"name": "bare", "mappers": [mapper]})["configurations"]["streams"][0]["mappers"]


def test_a_field_that_a_mapper_renamed_is_gone_for_the_next(lab: Api) -> None:
    renaming = {"originalFieldName": "name", "newFieldName": "label"}
    chain = [{"type": "field-renaming", "mapperConfiguration": renaming}, hashing("name")]
    problem = lab_connection(lab, {"name": "bare", "mappers": chain}, status=400)
    assert problem["type"] == "error:mapper-validation"


def test_a_mapper_may_use_what_the_one_before_it_made(lab: Api) -> None:
    renaming = {"originalFieldName": "name", "newFieldName": "label"}
    chain = [{"type": "field-renaming", "mapperConfiguration": renaming}, hashing("label")]
    assert len(lab_connection(lab, {"name": "bare", "mappers": chain})["configurations"]["streams"][0]["mappers"]) == 2


def test_a_deleted_connection_is_deprecated_found_and_not_listed(api: Api) -> None:
    connection = api.connection()
    api.delete(path_of(connection))
    assert api.get(path_of(connection)) == {**connection, "status": "deprecated"}
    assert api.get("/connections")["data"] == []
    assert len(api.get("/connections", includeDeleted="true")["data"]) == 1
    api.delete(path_of(connection))


def test_a_deprecated_connection_can_be_raised_as_a_zombie(api: Api) -> None:
    connection = api.connection()
    api.delete(path_of(connection))
    assert api.patch(path_of(connection), {"status": "active"})["status"] == "active"


@pytest.mark.parametrize("end", ["source", "destination"])
def test_deleting_an_end_deprecates_its_connections(api: Api, end: str) -> None:
    connection = api.connection()
    other = api.connection()
    api.delete(f"/{end}s/{connection[end + 'Id']}")
    assert api.get(path_of(connection))["status"] == "deprecated"
    assert api.get(path_of(other))["status"] == "active"


def test_deleting_a_workspace_deletes_all_in_it(api: Api) -> None:
    connection = api.connection()
    path = f"/workspaces/{api.twin.workspace_id}"
    api.delete(path)
    assert api.get(path, 404)["data"]["resourceType"] == "STANDARD_WORKSPACE"
    api.delete(path, 404)
    assert api.get(path_of(connection))["status"] == "deprecated"
    assert api.get(f"/sources/{connection['sourceId']}")["configuration"] is None
    assert api.get("/workspaces")["data"] == []
    assert len(api.get("/workspaces", includeDeleted="true")["data"]) == 1


def test_deleting_a_definition_deletes_all_that_is_of_it(api: Api) -> None:
    root = f"/workspaces/{api.twin.workspace_id}/definitions/sources"
    image = {"name": "Own Shopify", "dockerRepository": "airbyte/source-shopify", "dockerImageTag": "4.3.0"}
    definition = api.post(root, image)["id"]
    body = {**shopify(api.twin.workspace_id), "definitionId": definition}
    connection = api.connection(sourceId=api.post("/sources", body)["sourceId"])
    path = f"{root}/{definition}"
    assert api.delete(path, 200)["id"] == definition
    api.delete(path, 404)
    assert api.get(path_of(connection))["status"] == "deprecated"
    assert api.get(f"/sources/{connection['sourceId']}")["configuration"] is None
    api.post("/sources", body, 404)


def test_streams_of_a_source_are_told_with_their_fields_and_modes(api: Api) -> None:
    source, destination = api.source()["sourceId"], api.destination()["destinationId"]
    found = {each["streamName"]: each for each in api.get("/streams", sourceId=source, destinationId=destination)}
    orders = found["orders"]
    assert orders["syncModes"] == ["full_refresh_append", "full_refresh_overwrite", "incremental_append"]
    assert (orders["defaultCursorField"], orders["sourceDefinedPrimaryKey"]) == (["updated_at"], [["id"]])
    assert orders["sourceDefinedCursorField"] is True
    assert ["customer", "id"] in orders["propertyFields"]
    assert "syncModes" not in api.get("/streams", sourceId=source)[0]
    api.get("/streams", 400)


def test_deduped_overwrites_are_never_listed(lab: Api) -> None:
    connection = lab_connection(lab, {"name": "bare"})
    ends = {"sourceId": connection["sourceId"], "destinationId": connection["destinationId"]}
    bare = next(each for each in lab.get("/streams", **ends) if each["streamName"] == "bare")
    assert len(bare["syncModes"]) == 8
    assert "full_refresh_overwrite_deduped" not in bare["syncModes"]


def test_selected_fields_survive_a_read_modify_write(api: Api) -> None:
    connection = api.connection(stream(selectedFields=fields("updated_at", "id")))
    assert api.patch(path_of(connection), {"configurations": connection["configurations"]}) == connection
