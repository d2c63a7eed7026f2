"""Objects that are gone, objects that only seem so, and imports."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from airbyte_twin.testing import running_twin
from pulumi_airbyte.provider.properties import Secret

from tests.provider.lab import with_lab
from tests.provider.lake import TOKEN, Lake, lake_of, stream
from tests.provider.plugin import NOTHING, Object, Plugin, error
from tests.provider.refresh import assert_clean
from tests.provider.rewrites import AES_KEY, ENCRYPTION

MASK = "*" * 10
NOWHERE = "00000000-0000-0000-0000-0000000000ff"
KINDS = ("source", "destination", "connection", "workspace")


@pytest.fixture
def cloud(unconfigured: Plugin, tmp_path: Path) -> Iterator[tuple[Plugin, Lake]]:
    """A plugin with an Airbyte that answers 403 to unknown ids."""
    with running_twin(saves=False, edition="cloud", data_dir=with_lab(tmp_path)) as twin, lake_of(twin) as lake:
        unconfigured.configure(serverUrl=twin.public_url)
        yield unconfigured, lake


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_that_the_server_does_not_know_is_gone(plugin: Plugin, lake: Lake, kind: str) -> None:
    assert plugin.read(kind, Object(NOWHERE, {"name": "n"}, {})) is None
    assert lake.asked() == [f"GET /{kind}s/{NOWHERE}"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_that_somebody_deleted_is_gone(plugin: Plugin, lake: Lake, kind: str) -> None:
    given = {"source": lake.source(), "destination": lake.destination(), "connection": lake.connection()}
    made = plugin.made(kind, given.get(kind, {}))
    lake.api("DELETE", f"/{kind}s/{made.id}")
    assert plugin.read(kind, made) is None


def test_a_connection_whose_source_was_deleted_is_gone_with_it(plugin: Plugin, lake: Lake) -> None:
    source = plugin.made("source", lake.source())
    connection = plugin.made("connection", lake.connection(sourceId=source.id))
    lake.api("DELETE", f"/sources/{source.id}")
    assert lake.live("connections", connection.id)["status"] == "deprecated"
    assert plugin.read("connection", connection) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_forbidden_object_that_no_list_has_is_gone(cloud: tuple[Plugin, Lake], kind: str) -> None:
    plugin, lake = cloud
    lake.twin.clear_calls()
    inputs = {"name": "n", "workspaceId": lake.twin.workspace_id}
    assert plugin.read(kind, Object(NOWHERE, inputs, {})) is None
    assert lake.asked() == [f"GET /{kind}s/{NOWHERE}", f"GET /{kind}s"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_forbidden_object_that_a_list_has_is_an_error(cloud: tuple[Plugin, Lake], kind: str) -> None:
    plugin, lake = cloud
    given = {"source": lake.source(), "destination": lake.destination(), "connection": lake.connection()}
    made = plugin.made(kind, given.get(kind, {})) if kind != "workspace" else Object(lake.twin.workspace_id, {}, {})
    lake.fault(method="GET", path=f"/{kind}s/{made.id}", status=403, times=None)
    message = error(lambda: plugin.read(kind, made))
    assert message.startswith(f"Airbyte could not read {kind} {made.id}: 403 ")
    assert "Check that the application's user may edit this workspace" in message


@pytest.mark.parametrize("fault", [{"status": 404}, {"status": 500}, {"drop": "before"}], ids=str)
def test_a_server_that_fails_is_an_error_and_not_a_missing_object(
    plugin: Plugin, lake: Lake, fault: dict[str, Any]
) -> None:
    lake.fault(method="GET", path="/sources/", times=None, **fault)
    message = error(lambda: plugin.imported("source", lake.source_id))
    assert f"read source {lake.source_id}" in message


def test_a_wrong_address_is_an_error_and_not_a_missing_object(plugin: Plugin, lake: Lake) -> None:
    plugin.configure(serverUrl=f"{lake.twin.url}/api/other/v1")
    message = error(lambda: plugin.imported("source", lake.source_id))
    assert "404 Object not found." in message
    assert "serverUrl is the API's root" in message


def test_an_import_of_a_source_has_all_that_is_live_and_masks_as_secrets(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source(port=1) | {"name": "Lab"})
    found = plugin.imported("source", made.id)
    assert found.inputs == lake.source(port=1, credentials={"method": "token", "token": Secret(MASK)}) | {"name": "Lab"}
    assert found.outputs == made.outputs


def test_an_imported_source_is_clean_against_the_code_that_made_it(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    found = plugin.imported("source", made.id)
    assert plugin.checked("source", found.inputs) == found.inputs
    assert plugin.diff("source", found.inputs, made.inputs, found.outputs) == NOTHING
    assert_clean(plugin, "source", found)


def test_a_mask_is_refused_again_once_the_import_is_over(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    inputs = plugin.imported("source", made.id).inputs
    assert plugin.check("source", inputs, name="thing").failures == {}
    assert list(plugin.check("source", inputs, name="another").failures) == ["configuration.credentials.token"]


def test_the_first_update_after_an_import_writes_the_secret_from_code(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    found = plugin.imported("source", made.id)
    updated = plugin.update("source", found, plugin.checked("source", lake.source(host="other")))
    assert_clean(plugin, "source", updated)
    assert TOKEN in [secret.value for secret in lake.twin.store.secrets]
    assert MASK not in [secret.value for secret in lake.twin.store.secrets]


def test_an_imported_connection_is_clean_against_the_code_that_made_it(plugin: Plugin, lake: Lake) -> None:
    cron = {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"}
    given = lake.connection(
        stream("spaced", namespace="left"),
        stream("bare", syncMode="incremental_append", cursorField=["id"]),
        schedule=cron,
        tags=[lake.tag("imported", "123456")],
        prefix="p_",
    )
    made = plugin.made("connection", given)
    found = plugin.imported("connection", made.id)
    assert found.inputs == made.inputs
    assert plugin.checked("connection", found.inputs) == found.inputs
    assert_clean(plugin, "connection", found)


def test_an_imported_mapper_has_its_key_masked_and_the_mask_equals_any_key(plugin: Plugin, lake: Lake) -> None:
    text = Secret(json.dumps([stream(mappers=[ENCRYPTION])]))
    made = plugin.made("connection", lake.connection(configurations=text))
    found = plugin.imported("connection", made.id)
    [live] = json.loads(found.inputs["configurations"])["streams"]
    assert live["mappers"][0]["mapperConfiguration"]["key"] == MASK
    assert plugin.checked("connection", found.inputs) == found.inputs
    assert plugin.diff("connection", found.inputs, made.inputs, found.outputs) == NOTHING


def test_a_refresh_keeps_the_text_of_streams_secret(plugin: Plugin, lake: Lake) -> None:
    text = Secret(json.dumps([stream(mappers=[ENCRYPTION])]))
    made = plugin.made("connection", lake.connection(configurations=text))
    lake.patch_stream(made.id, selectedFields=...)
    live = plugin.refreshed("connection", made).inputs["configurations"]
    assert isinstance(live, Secret)
    assert AES_KEY in str(live.value)


@pytest.mark.parametrize("text", ["faker", "https://airbyte.example.com/workspaces/w/source/s", "../workspaces"])
def test_an_import_of_what_is_no_id_is_an_error_without_a_call(plugin: Plugin, lake: Lake, text: str) -> None:
    message = error(lambda: plugin.imported("source", text), grpc.StatusCode.INVALID_ARGUMENT)
    assert message == f"{text!r} is no id: use the UUID from the URL of the object's page"
    assert lake.asked() == []


def test_a_basic_schedule_can_be_imported_though_not_written(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection())
    basic = {"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 1}}}
    lake.config_api("/connections/update", {"connectionId": made.id} | basic)
    found = plugin.imported("connection", made.id)
    assert found.inputs["schedule"] == {"scheduleType": "basic", "basicTiming": "Every 1 HOURS"}
    assert plugin.check("connection", found.inputs).failures == {}
    cron = lake.connection(schedule={"scheduleType": "cron", "cronExpression": "0 0 * * * ?"})
    assert_clean(plugin, "connection", plugin.update("connection", found, plugin.checked("connection", cron)))


def test_an_imported_workspace_leaves_its_notifications_to_the_server(plugin: Plugin, lake: Lake) -> None:
    found = plugin.imported("workspace", lake.twin.workspace_id)
    assert set(found.inputs) == {"name", "organizationId", "regionId"}
    assert plugin.checked("workspace", found.inputs) == found.inputs
    assert_clean(plugin, "workspace", found)
