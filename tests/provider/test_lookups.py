"""Look-ups: what they give, and what they say when they can't."""

import grpc
import httpx
import pytest
from airbyte_twin.testing import RunningTwin
from pulumi_airbyte.provider.properties import UNKNOWN, Secret

from tests.provider.lab import FIELDS, LAB_SOURCE
from tests.provider.lake import Lake, stream
from tests.provider.plugin import Plugin, error

FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"
Fresh = tuple[Plugin, RunningTwin]


def test_the_only_workspace_needs_no_name(fresh: Fresh) -> None:
    plugin, twin = fresh
    found = plugin.invoke("getWorkspace")
    assert found == {"workspaceId": twin.workspace_id, "name": found["name"], "dataResidency": "auto"}


def test_a_workspace_is_found_by_its_name_or_id(fresh: Fresh) -> None:
    plugin, twin = fresh
    made = plugin.made("workspace", {"name": "other"})
    assert plugin.invoke("getWorkspace", name="other")["workspaceId"] == made.id
    assert plugin.invoke("getWorkspace", name=Secret("other"))["workspaceId"] == made.id
    assert plugin.invoke("getWorkspace", workspaceId=made.id)["name"] == "other"
    assert plugin.invoke("getWorkspace", workspaceId=twin.workspace_id)["workspaceId"] == twin.workspace_id


def test_several_workspaces_are_an_error_that_lists_them(fresh: Fresh) -> None:
    plugin, twin = fresh
    for _ in range(2):
        httpx.post(f"{twin.public_url}/workspaces", json={"name": "same"}).raise_for_status()
    message = error(lambda: plugin.invoke("getWorkspace"))
    assert message.startswith("The workspace is ambiguous: there are 3 workspaces.\n  Give workspaceId: ")
    assert f"{twin.workspace_id} (Default Workspace)" in message
    assert '2 workspaces have the name "same"' in error(lambda: plugin.invoke("getWorkspace", name="same"))
    message = error(lambda: plugin.invoke("getWorkspace", name="sane"))
    assert message == 'No workspace has the name "sane".\n  There are: same, Default Workspace.'


def test_an_unknown_workspace_is_an_error_of_the_server(plugin: Plugin) -> None:
    message = error(lambda: plugin.invoke("getWorkspace", workspaceId="00000000-0000-0000-0000-0000000000ff"))
    assert "404 The requested resource could not be found." in message


@pytest.mark.parametrize("name", ["source-faker", "source-Faker", "source-sample data (faker)"])
def test_a_connector_is_found_by_what_people_call_it(plugin: Plugin, name: str) -> None:
    found = plugin.invoke("getConnectorDefinition", name=name)
    assert (found["definitionId"], found["type"]) == (FAKER, "source")
    assert found["displayName"] == "Sample Data (Faker)"
    assert found["version"]


def test_the_kind_may_be_told_apart_from_the_name(plugin: Plugin, lake: Lake) -> None:
    assert plugin.invoke("getConnectorDefinition", name="faker", type="source")["definitionId"] == FAKER
    assert plugin.invoke("getConnectorDefinition", name="source-lab")["definitionId"] == LAB_SOURCE
    assert plugin.invoke("getConnectorDefinition", name="destination-lab")["type"] == "destination"
    in_workspace = {"name": "destination-dev-null", "workspaceId": lake.twin.workspace_id}
    assert plugin.invoke("getConnectorDefinition", **in_workspace)["displayName"].endswith("(/dev/null)")


def test_an_unknown_connector_is_an_error_that_lists_the_known_ones(plugin: Plugin) -> None:
    message = error(lambda: plugin.invoke("getConnectorDefinition", name="source-spotify"))
    assert message.startswith("The server has 0 source connectors called 'source-spotify'.\n  Known are: ")
    assert "Klaviyo, Lab, Other, Sample Data (Faker), Shopify." in message


def test_a_name_without_a_kind_is_an_error_with_an_example(plugin: Plugin) -> None:
    message = error(lambda: plugin.invoke("getConnectorDefinition", name="faker"))
    assert message == (
        '\'faker\' is no connector name.\n  Write it like "source-faker" or "destination-s3", or give type.'
    )


def test_the_streams_of_a_source_come_by_name(plugin: Plugin, lake: Lake) -> None:
    streams = plugin.invoke("getStreams", sourceId=lake.source_id)["streams"]
    assert [stream["streamName"] for stream in streams] == sorted(stream["streamName"] for stream in streams)
    found = {stream["streamName"]: stream for stream in streams}
    assert found["key_defined"]["sourceDefinedPrimaryKey"] == [["id"]]
    assert found["cursor_defined"]["sourceDefinedCursorField"] is True
    assert found["cursor_defined"]["defaultCursorField"] == ["updated_at"]
    assert found["spaced"]["namespace"] == "left"
    assert "namespace" not in found["bare"]
    assert found["bare"]["syncModes"] == []
    assert {path[0] for path in found["bare"]["propertyFields"]} == set(FIELDS)


def test_sync_modes_come_with_a_destination_and_a_fresh_discovery_on_demand(plugin: Plugin, lake: Lake) -> None:
    asked = {"sourceId": lake.source_id, "destinationId": lake.destination_id, "ignoreCache": True}
    streams = plugin.invoke("getStreams", **asked)["streams"]
    assert "incremental_append" in streams[0]["syncModes"]
    [call] = lake.twin.calls()
    assert "ignoreCache=true" in call.query


@pytest.mark.parametrize(
    ("function", "arguments", "path", "reason"),
    [
        ("getWorkspace", {"id": "w"}, "id", "is not an argument: this look-up takes name, workspaceId"),
        ("getConnectorDefinition", {}, "name", "is required"),
        ("getConnectorDefinition", {"name": "faker", "type": "pipe"}, "type", "give one of source, destination"),
        ("getStreams", {"sourceId": ""}, "sourceId", "is required"),
        ("getStreams", {"sourceId": "s", "ignoreCache": "yes"}, "ignoreCache", "must be a boolean"),
    ],
)
def test_wrong_arguments_are_failures_at_their_names(
    plugin: Plugin, function: str, arguments: dict[str, object], path: str, reason: str
) -> None:
    failures = plugin.invoke(function, **arguments)["failures"]
    assert list(failures) == [path]
    assert reason in failures[path]


def test_an_argument_that_is_not_known_yet_is_an_error(plugin: Plugin) -> None:
    message = error(lambda: plugin.invoke("getStreams", sourceId=UNKNOWN), grpc.StatusCode.INVALID_ARGUMENT)
    assert message == "the value is not known yet"


def test_a_discovery_that_fails_names_what_may_be_the_reason(plugin: Plugin, lake: Lake) -> None:
    source = plugin.made("source", lake.source(host="out-of-reach"))
    lake.drift("temper", actorId=source.id, discoverFailure="the host is out of reach")
    new = plugin.checked("connection", lake.connection(sourceId=source.id))
    made = plugin.made("connection", lake.connection())
    lake.drift("temper", actorId=lake.source_id, discoverFailure="the host is out of reach")
    more = plugin.checked("connection", lake.connection(stream(selectedFields=["id", "note"])))
    try:
        messages = [
            error(lambda: plugin.invoke("getStreams", sourceId=source.id, ignoreCache=True)),
            error(lambda: plugin.create("connection", new)),
            error(lambda: plugin.update("connection", made, more)),
        ]
    finally:
        lake.drift("temper", actorId=lake.source_id)
    assert [f"discover the streams of source {source.id}" in messages[0], "500" in messages[1]] == [True, True]
    for message in messages:
        assert "credentials" in message
        assert "checkConnection" in message


def test_a_connector_is_looked_up_in_a_workspace_although_none_is_named(fresh: Fresh) -> None:
    plugin, twin = fresh
    httpx.post(f"{twin.public_url}/workspaces", json={"name": "another"}).raise_for_status()
    assert plugin.invoke("getConnectorDefinition", name="source-faker")["definitionId"] == FAKER
    for workspace in list(twin.store.workspaces):
        twin.store.workspaces.drop(workspace.id)
    plugin.next_run()
    assert "Give workspaceId" in error(lambda: plugin.invoke("getConnectorDefinition", name="source-faker"))


def test_an_inventory_says_where_each_object_of_a_workspace_stands(fresh: Fresh) -> None:
    plugin, twin = fresh
    made = [
        plugin.made(
            "source", {"name": name, "workspaceId": twin.workspace_id, "configuration": {"sourceType": "faker"}}
        )
        for name in ("had", "declared", "other")
    ]
    declared = [{"kind": "source", "name": "declared"}]
    found = plugin.invoke("getInventory", workspaceId=twin.workspace_id, managed=[made[0].id], declared=declared)
    assert [(each["id"], each["standing"]) for each in found["objects"]] == [
        (made[0].id, "managed"),
        (made[1].id, "adoptable"),
        (made[2].id, "orphan"),
    ]
    wrong = {"workspaceId": twin.workspace_id, "declared": [{"kind": "stream", "name": "n"}]}
    assert "An entry of declared is no object" in error(lambda: plugin.invoke("getInventory", **wrong))
