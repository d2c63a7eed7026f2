"""Look-ups of objects: one by id or by name, all with filters, their calls, and what they never show."""

import json
from typing import Any

import pytest

from tests.provider.lab import LAB_SOURCE, OTHER_SOURCE
from tests.provider.lake import TOKEN, Document, Lake, stream
from tests.provider.plugin import Plugin, error

MASK = "**********"
NOWHERE = "00000000-0000-4000-8000-0000000000ff"


def other_workspace(lake: Lake, name: str = "other") -> str:
    return str(lake.api("POST", "/workspaces", {"name": name})["workspaceId"])


def made_source(lake: Lake, name: str, workspace_id: str = "") -> str:
    body = lake.source() | {"name": name} | ({"workspaceId": workspace_id} if workspace_id else {})
    return str(lake.api("POST", "/sources", body)["sourceId"])


def made_connection(lake: Lake, name: str, *streams: Document, **more: Any) -> str:
    body = lake.connection(*streams, **more)
    configurations = json.loads(body["configurations"])
    for each in configurations["streams"]:
        if "selectedFields" in each:
            each["selectedFields"] = [{"fieldPath": [field]} for field in each["selectedFields"]]
    return str(
        lake.api("POST", "/connections", body | {"name": name, "configurations": configurations})["connectionId"]
    )


def names(found: list[Any]) -> list[str]:
    return [each["name"] for each in found]


def test_a_source_is_found_by_its_id_and_by_its_name(plugin: Plugin, lake: Lake) -> None:
    by_id = plugin.invoke("getSource", sourceId=lake.source_id)
    assert by_id == plugin.invoke("getSource", name="Lab source")
    assert by_id == plugin.invoke("getSource", name="Lab source", workspaceId=lake.twin.workspace_id)
    live = lake.live("sources", lake.source_id)
    expected = {
        key: live[key] for key in ("sourceId", "name", "workspaceId", "definitionId", "sourceType", "createdAt")
    }
    assert {key: by_id[key] for key in expected} == expected
    assert by_id["configuration"] == {
        "host": "lab.example.com",
        "credentials": {"method": "token", "token": MASK},
    }
    assert by_id["secretPaths"] == ["credentials.token"]


def test_a_destination_is_found_by_its_id_and_by_its_name(plugin: Plugin, lake: Lake) -> None:
    by_id = plugin.invoke("getDestination", destinationId=lake.destination_id)
    assert by_id == plugin.invoke("getDestination", name="Lab destination")
    assert by_id["configuration"] == {"path": "raw"}
    assert (by_id["destinationType"], by_id["secretPaths"]) == ("", [])
    assert names(plugin.invoke("getDestinations")["destinations"]) == ["Lab destination"]


def test_several_of_one_name_are_an_error_with_their_ids(plugin: Plugin, lake: Lake) -> None:
    ids = sorted([made_source(lake, "same"), made_source(lake, "same")])
    assert error(lambda: plugin.invoke("getSource", name="same")) == (
        f'The source is ambiguous: 2 sources have the name "same".\n  Give sourceId: {ids[0]} (same), {ids[1]} (same).'
    )
    assert plugin.invoke("getSource", sourceId=ids[0])["sourceId"] == ids[0]


def test_an_unknown_name_is_an_error_that_lists_those_there_are(plugin: Plugin, lake: Lake) -> None:
    made_source(lake, "Another")
    assert error(lambda: plugin.invoke("getSource", name="Lab sauce")) == (
        'No source has the name "Lab sauce".\n  There are: Lab source, Another.'
    )
    workspace_id = other_workspace(lake)
    message = error(lambda: plugin.invoke("getSource", name="Lab source", workspaceId=workspace_id))
    assert message.startswith('No source has the name "Lab source".\n  There is no source at all')


def test_a_name_in_one_of_several_workspaces_needs_the_workspace(plugin: Plugin, lake: Lake) -> None:
    workspace_id = other_workspace(lake)
    source_id = made_source(lake, "Lab source", workspace_id)
    message = error(lambda: plugin.invoke("getSource", name="Lab source"))
    assert message.startswith("The workspace is ambiguous: there are 2 workspaces.\n  Give workspaceId: ")
    assert f"{workspace_id} (other)" in message
    found = plugin.invoke("getSource", name="Lab source", workspaceId=workspace_id)
    assert found["sourceId"] == source_id
    message = error(lambda: plugin.invoke("getSource", sourceId=source_id, workspaceId=lake.twin.workspace_id))
    assert message == f"The source {source_id} is in workspace {workspace_id}, not in {lake.twin.workspace_id}."


def test_the_case_of_an_id_does_not_matter(plugin: Plugin, lake: Lake) -> None:
    here, loud = lake.twin.workspace_id, lake.twin.workspace_id.upper()
    connection_id = made_connection(lake, "loud")
    assert plugin.invoke("getSource", sourceId=lake.source_id.upper(), workspaceId=loud)["workspaceId"] == here
    assert names(plugin.invoke("getSources", definitionId=LAB_SOURCE.upper())["sources"]) == ["Lab source"]
    assert plugin.invoke("getSourceDefinition", name="Lab", workspaceId=loud)["workspaceId"] == here
    [listed] = plugin.invoke("getConnections", sourceId=lake.source_id.upper())["connections"]
    assert listed["connectionId"] == connection_id


def test_a_deleted_object_is_not_there(plugin: Plugin, lake: Lake) -> None:
    source_id, connection_id = made_source(lake, "gone"), made_connection(lake, "gone")
    lake.api("DELETE", f"/sources/{source_id}")
    lake.api("DELETE", f"/connections/{connection_id}")
    assert error(lambda: plugin.invoke("getSource", sourceId=source_id)) == f"The source {source_id} was deleted."
    message = error(lambda: plugin.invoke("getConnection", connectionId=connection_id))
    assert message == f"The connection {connection_id} was deleted."
    assert "gone" not in names(plugin.invoke("getSources")["sources"])
    assert "404" in error(lambda: plugin.invoke("getSource", sourceId=NOWHERE))


@pytest.mark.parametrize(
    ("function", "arguments", "path", "reason"),
    [
        ("getSource", {}, "sourceId", "is missing: give sourceId or name"),
        ("getSource", {"workspaceId": "w"}, "sourceId", "is missing: give sourceId or name"),
        ("getSource", {"sourceId": "s", "name": "n"}, "sourceId", "is given beside name: give one of them"),
        ("getSource", {"sorceId": "s"}, "sorceId", "takes name, sourceId, workspaceId"),
        ("getConnection", {}, "connectionId", "give connectionId or name or sourceId or destinationId"),
        ("getConnections", {"status": "deprecated"}, "status", "give one of active, inactive, locked"),
        ("getConnections", {"tagIds": "t"}, "tagIds", "must be a list of texts"),
        ("getWorkspaces", {"name": "n"}, "name", "this look-up takes none"),
        ("getJobs", {"limit": 0}, "limit", "is 0: give 1 or more"),
        ("getJobs", {"createdAtStart": "2026-01-31"}, "createdAtStart", "write it like 2026-01-31T00:00:00Z"),
        ("getJobs", {"updatedAtEnd": "today"}, "updatedAtEnd", "is no time with a zone"),
        ("getJobs", {"jobType": "clear"}, "jobType", "give one of sync, reset, refresh"),
    ],
)
def test_arguments_that_name_nothing_are_failures(
    plugin: Plugin, function: str, arguments: dict[str, object], path: str, reason: str
) -> None:
    failures = plugin.invoke(function, **arguments)["failures"]
    assert list(failures) == [path]
    assert reason in failures[path]


def test_no_answer_has_a_secret_even_where_airbyte_shows_it(
    plugin: Plugin, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [{"label": "a", "secret": "open-value-1"}, {"label": "b", "secret": "open-value-2"}]
    unmasked = {"credentials": {"method": "token", "token": TOKEN}, "keys": keys}
    monkeypatch.setattr("airbyte_twin.public.views.shown_configuration", lambda *_, **__: unmasked)
    assert TOKEN in str(lake.live("sources", lake.source_id))
    found = plugin.invoke("getSource", sourceId=lake.source_id)
    listed = plugin.invoke("getSources")
    for answer in (found, listed):
        assert TOKEN not in str(answer)
        assert "open-value" not in str(answer)
    assert found["secretPaths"] == ["credentials.token", "keys[0].secret", "keys[1].secret"]
    assert [each["label"] for each in found["configuration"]["keys"]] == ["a", "b"]


def test_a_mappers_key_is_never_shown(plugin: Plugin, lake: Lake) -> None:
    key = "0123456789abcdef0123456789abcdef"
    settings = {
        "algorithm": "AES",
        "mode": "CBC",
        "padding": "PKCS5Padding",
        "key": key,
        "targetField": "name",
        "fieldNameSuffix": "_aes",
    }
    made_connection(lake, "mapped", stream(mappers=[{"type": "encryption", "mapperConfiguration": settings}]))
    found = plugin.invoke("getConnection", name="mapped")
    [mapper] = found["streams"][0]["mappers"]
    assert mapper["mapperConfiguration"] == settings | {"key": MASK}
    assert key not in str(plugin.invoke("getConnections"))


def test_a_source_of_a_server_without_specifications_has_airbytes_masks(plugin: Plugin, lake: Lake) -> None:
    plugin.configure(serverUrl=lake.twin.public_url.replace("/api/public/v1", "/api/public/v1/"), configUrl="")
    lake.fault(method="POST", path="/api/v1/source_definition_specifications/get", status=403, times=99)
    found = plugin.invoke("getSource", sourceId=lake.source_id)
    assert found["configuration"]["credentials"]["token"] == MASK
    assert found["secretPaths"] == ["credentials.token"]


def test_a_connection_is_found_by_what_it_reads_and_writes(plugin: Plugin, lake: Lake) -> None:
    source_id = made_source(lake, "second")
    first, second = made_connection(lake, "first"), made_connection(lake, "second", sourceId=source_id)
    assert plugin.invoke("getConnection", sourceId=source_id)["connectionId"] == second
    assert plugin.invoke("getConnection", name="first")["connectionId"] == first
    both = plugin.invoke("getConnection", name="second", sourceId=source_id, destinationId=lake.destination_id)
    assert both["connectionId"] == second
    message = error(lambda: plugin.invoke("getConnection", destinationId=lake.destination_id))
    assert f'2 connections have the destinationId "{lake.destination_id}"' in message
    message = error(lambda: plugin.invoke("getConnection", name="first", sourceId=source_id))
    assert message.startswith(f'No connection has the name "first" and the sourceId "{source_id}".')


def test_a_connection_comes_with_typed_streams(plugin: Plugin, lake: Lake) -> None:
    tag = lake.tag("lake", "FF00AA")
    keys = {"primaryKey": [["id"]], "cursorField": ["updated_at"]}
    made_connection(
        lake,
        "whole",
        stream("spaced", namespace="left", syncMode="incremental_deduped_history", **keys),
        stream("bare", selectedFields=...),
        schedule={"scheduleType": "cron", "cronExpression": "0 0 3 * * ?"},
        tags=[tag],
        prefix="raw_",
    )
    found = plugin.invoke("getConnection", name="whole")
    bare, spaced = found["streams"]
    assert (bare["name"], spaced["name"], spaced["namespace"]) == ("bare", "spaced", "left")
    assert "selectedFields" not in bare
    assert "namespace" not in bare
    assert (spaced["syncMode"], spaced["cursorField"]) == ("incremental_deduped_history", ["updated_at"])
    assert (spaced["primaryKey"], spaced["selectedFields"]) == ([["id"]], ["id", "name", "updated_at"])
    assert found["schedule"] == {"scheduleType": "cron", "cronExpression": "0 0 3 * * ?"}
    assert found["tags"] == [tag]
    assert (found["status"], found["prefix"], found["namespaceDefinition"]) == ("active", "raw_", "destination")


def test_connections_are_filtered(plugin: Plugin, lake: Lake) -> None:
    tag, other = lake.tag("lake", "FF00AA"), lake.tag("sea", "FF00AA")
    source_id = made_source(lake, "second")
    made_connection(lake, "a", tags=[tag])
    made_connection(lake, "b", tags=[tag, other], sourceId=source_id)
    made_connection(lake, "c", status="inactive")

    def found(**filters: Any) -> list[str]:
        return names(plugin.invoke("getConnections", **filters)["connections"])

    assert found() == ["a", "b", "c"]
    assert found(tagIds=[tag["tagId"]]) == ["a", "b"]
    assert found(tagIds=[other["tagId"], NOWHERE]) == ["b"]
    assert found(status="inactive") == ["c"]
    assert found(sourceId=source_id) == ["b"]
    assert found(destinationId=lake.destination_id, status="active") == ["a", "b"]
    assert found(workspaceId=lake.twin.workspace_id) == ["a", "b", "c"]
    assert found(workspaceId=other_workspace(lake)) == []


def test_sources_of_all_workspaces_are_listed_by_name(plugin: Plugin, lake: Lake) -> None:
    workspace_id = other_workspace(lake)
    made_source(lake, "Elsewhere", workspace_id)
    lake.api("POST", "/sources", lake.source() | {"name": "Another", "definitionId": OTHER_SOURCE})
    assert names(plugin.invoke("getSources")["sources"]) == ["Another", "Elsewhere", "Lab source"]
    assert names(plugin.invoke("getSources", definitionId=LAB_SOURCE)["sources"]) == ["Elsewhere", "Lab source"]
    assert names(plugin.invoke("getSources", workspaceId=workspace_id)["sources"]) == ["Elsewhere"]
    assert names(plugin.invoke("getWorkspaces")["workspaces"]) == ["Default Workspace", "other"]


def test_a_tag_is_found_by_its_id_and_by_its_name(plugin: Plugin, lake: Lake) -> None:
    tag = lake.tag("lake", "FF00AA")
    lake.tag("a sea", "FF00AB")
    assert plugin.invoke("getTag", name="lake") == tag
    assert plugin.invoke("getTag", tagId=tag["tagId"]) == tag
    assert names(plugin.invoke("getTags")["tags"]) == ["a sea", "lake"]
    assert plugin.invoke("getTags", workspaceId=other_workspace(lake))["tags"] == []
    assert 'No tag has the name "lakes".\n  There are: lake, a sea.' in error(
        lambda: plugin.invoke("getTag", name="lakes")
    )


def test_a_definition_is_found_by_its_id_its_name_and_its_image(plugin: Plugin, lake: Lake) -> None:
    found = plugin.invoke("getSourceDefinition", definitionId=LAB_SOURCE)
    assert found == plugin.invoke("getSourceDefinition", name="Lab")
    assert found == plugin.invoke("getSourceDefinition", dockerRepository="example/source-lab")
    assert (found["dockerImageTag"], found["workspaceId"]) == ("1.0.0", lake.twin.workspace_id)
    assert plugin.invoke("getDestinationDefinition", name="Lab")["dockerRepository"] == "example/destination-lab"
    listed = names(plugin.invoke("getSourceDefinitions")["definitions"])
    assert listed == sorted(listed)
    assert {"Lab", "Other", "Files", "Sample Data (Faker)"} <= set(listed)
    only = plugin.invoke("getDestinationDefinitions", dockerRepository="example/destination-plain")["definitions"]
    assert names(only) == ["Plain"]
    workspace_id = other_workspace(lake)
    in_other = plugin.invoke("getSourceDefinition", name="Lab", workspaceId=workspace_id)
    assert (in_other["definitionId"], in_other["workspaceId"]) == (LAB_SOURCE, workspace_id)


def test_a_declarative_definition_comes_with_its_manifest(plugin: Plugin, lake: Lake) -> None:
    manifest = {"version": "6.0.0", "type": "DeclarativeSource", "streams": []}
    path = f"/workspaces/{lake.twin.workspace_id}/definitions/declarative_sources"
    made = lake.api("POST", path, {"name": "Built", "manifest": manifest})
    found = plugin.invoke("getDeclarativeSourceDefinition", name="Built")
    assert (found["definitionId"], found["manifest"], found["version"]) == (made["id"], manifest, made["version"])
    assert names(plugin.invoke("getDeclarativeSourceDefinitions")["definitions"]) == ["Built"]
    assert plugin.invoke("getDeclarativeSourceDefinition", definitionId=made["id"]) == found


def test_five_hundred_look_ups_by_name_cost_one_list(plugin: Plugin, lake: Lake) -> None:
    for number in range(120):
        made_source(lake, f"source {number:03}")
    lake.twin.clear_calls()
    for number in range(500):
        assert plugin.invoke("getSource", name=f"source {number % 120:03}")["name"] == f"source {number % 120:03}"
    calls = [call for call in lake.asked() if call != "SPEC"]
    assert calls == ["GET /workspaces", *["GET /sources"] * 2, "POST /workspaces/get", "POST /sources/list"]
    assert lake.asked().count("SPEC") == 1


def test_look_ups_by_id_cost_no_call_each_once_the_list_is_read(plugin: Plugin, lake: Lake) -> None:
    ids = [made_source(lake, f"source {number:03}") for number in range(50)]
    lake.twin.clear_calls()
    for source_id in ids * 4:
        assert plugin.invoke("getSource", sourceId=source_id)["sourceId"] == source_id
    assert [call for call in lake.asked() if call != "SPEC"] == [
        *(f"GET /sources/{each}" for each in ids[:3]),
        "GET /sources",
    ]


def test_a_look_up_finds_what_the_run_has_made_and_renamed(plugin: Plugin, lake: Lake) -> None:
    plugin.invoke("getSources")
    plugin.invoke("getSource", name="Lab source")
    made = plugin.made("source", lake.source() | {"name": "new"})
    assert plugin.invoke("getSource", name="new")["sourceId"] == made.id
    plugin.update("source", made, plugin.checked("source", lake.source() | {"name": "renamed"}))
    assert plugin.invoke("getSource", name="renamed")["sourceId"] == made.id
    assert names(plugin.invoke("getSources")["sources"]) == ["Lab source", "renamed"]
    elsewhere = made_source(lake, "by another process")
    assert plugin.invoke("getSource", name="by another process")["sourceId"] == elsewhere
