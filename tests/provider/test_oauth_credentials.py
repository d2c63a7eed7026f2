"""OAuth credentials, which Airbyte never shows: the promises that are possible all the same."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from airbyte_twin.testing import running_twin
from pulumi_airbyte.provider.properties import UNKNOWN, Secret

from tests.provider.lab import with_lab
from tests.provider.lake import ORGANIZATION, Document, Lake, lake_of
from tests.provider.plugin import NOTHING, Plugin, error
from tests.provider.refresh import assert_clean

KIND = "oauthCredentials"
VALUES: Document = {"credentials": {"client_id": "an-app", "client_secret": "the-secret-of-an-app"}}


@pytest.fixture
def cloud(unconfigured: Plugin, tmp_path: Path) -> Iterator[tuple[Plugin, Lake]]:
    with running_twin(saves=False, edition="cloud", data_dir=with_lab(tmp_path)) as twin, lake_of(twin) as lake:
        unconfigured.configure(serverUrl=twin.public_url)
        lake.twin.clear_calls()
        yield unconfigured, lake


def said(lake: Lake, **changes: Any) -> Document:
    """What a program says of credentials; `...` leaves a property out."""
    given = {"workspaceId": lake.twin.workspace_id, "actorType": "source", "name": "faker", "configuration": VALUES}
    return {key: value for key, value in (given | changes).items() if value is not ...}


def stored(lake: Lake) -> list[Document]:
    """The values that the server has."""
    store = lake.twin.store
    secrets = [store.secrets.get(each.secret_id) for each in store.oauth_credentials]
    return [json.loads(secret.value) for secret in secrets if secret]


def test_they_are_written_changed_and_deleted_by_one_call_each_and_clean(cloud: tuple[Plugin, Lake]) -> None:
    plugin, lake = cloud
    root = f"/workspaces/{lake.twin.workspace_id}/oauthCredentials"
    known = plugin.made(KIND, said(lake))
    assert (stored(lake), lake.writes()) == ([VALUES], [f"PUT {root}"])
    assert known.inputs["configuration"]["credentials"]["client_secret"] == Secret("the-secret-of-an-app")
    assert_clean(plugin, KIND, known)

    rotated = {"credentials": {"client_id": "an-app", "client_secret": "another-secret"}}
    new = plugin.checked(KIND, said(lake, configuration=rotated))
    found = plugin.diff(KIND, known.inputs, new, known.outputs, object_id=known.id)
    assert found.detail == {"configuration.credentials.client_secret": "update"}
    again = plugin.update(KIND, known, new)
    assert stored(lake) == [rotated]
    assert_clean(plugin, KIND, again)

    lake.twin.clear_calls()
    plugin.delete(KIND, again.id, again.inputs)
    assert (stored(lake), lake.writes()) == ([], [f"DELETE {root}/source/faker"])
    plugin.delete(KIND, again.id, again.inputs)


@pytest.mark.parametrize(
    "change", [{"name": "pokeapi"}, {"actorType": "destination"}, {"workspaceId": ..., "organizationId": ORGANIZATION}]
)
def test_another_place_needs_new_ones(cloud: tuple[Plugin, Lake], change: Document) -> None:
    plugin, lake = cloud
    known = plugin.made(KIND, said(lake))
    new = plugin.checked(KIND, said(lake, **change))
    found = plugin.diff(KIND, known.inputs, new, known.outputs, object_id=known.id)
    assert found.replaces == sorted(change)


def test_the_case_of_an_owners_id_is_no_difference(cloud: tuple[Plugin, Lake]) -> None:
    plugin, lake = cloud
    known = plugin.made(KIND, said(lake))
    loud = plugin.checked(KIND, said(lake, workspaceId=lake.twin.workspace_id.upper()))
    assert plugin.diff(KIND, known.inputs, loud, known.outputs, object_id=known.id) == NOTHING
    assert plugin.create(KIND, loud).id == known.id
    assert stored(lake) == [VALUES]


def test_those_of_an_organization_keep_the_promises_too(cloud: tuple[Plugin, Lake]) -> None:
    plugin, lake = cloud
    known = plugin.made(KIND, said(lake, workspaceId=..., organizationId=ORGANIZATION))
    assert known.id == f"organizations/{ORGANIZATION}/source/faker"
    assert_clean(plugin, KIND, known)
    plugin.delete(KIND, known.id, known.inputs)
    assert stored(lake) == []


def test_a_self_managed_server_refuses_them_in_the_preview_with_one_clear_error(plugin: Plugin, lake: Lake) -> None:
    inputs = plugin.checked(KIND, said(lake))
    for preview in (True, False):
        message = error(partial(plugin.create, KIND, inputs, preview=preview))
        assert "OAuth credentials of a workspace exist on Airbyte Cloud only" in message
        assert "give client id and secret in the configuration" in message


def test_an_organization_without_a_license_is_refused_with_the_servers_reason(fresh: tuple[Plugin, Any]) -> None:
    plugin, twin = fresh
    inputs = plugin.checked(KIND, said(Lake(twin, httpx.Client()), workspaceId=..., organizationId=ORGANIZATION))
    assert "403" in error(lambda: plugin.create(KIND, inputs))


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"workspaceId": ...}, "workspaceId", "give either workspaceId or organizationId"),
        ({"workspaceId": ""}, "workspaceId", "give either workspaceId or organizationId"),
        ({"organizationId": ORGANIZATION}, "workspaceId", "give either workspaceId or organizationId"),
        ({"configuration": {"client_secret": "**********"}}, "configuration.client_secret", "is the server's mask"),
        ({"configuration": "client"}, "configuration", "must be an object"),
        ({"actorType": "sink"}, "actorType", "is not allowed: give one of source, destination"),
        ({"name": ...}, "name", "is required"),
    ],
)
def test_what_can_not_be_right_is_refused(
    plugin: Plugin, lake: Lake, changes: Document, path: str, reason: str
) -> None:
    assert reason in plugin.check(KIND, said(lake, **changes)).failures[path]


def test_they_may_be_of_a_workspace_that_is_not_there_yet(cloud: tuple[Plugin, Lake]) -> None:
    plugin, lake = cloud
    checked = plugin.check(KIND, said(lake, workspaceId=UNKNOWN))
    assert checked.failures == {}
    assert plugin.create(KIND, checked.inputs, preview=True).outputs == {"credentialsId": UNKNOWN}


def test_an_import_by_place_is_overwritten_once_with_the_programs_values(cloud: tuple[Plugin, Lake]) -> None:
    plugin, lake = cloud
    known = plugin.made(KIND, said(lake))
    plugin.next_run()
    found = plugin.imported(KIND, known.id)
    assert {**found.inputs, "configuration": known.inputs["configuration"]} == known.inputs
    new = plugin.check(KIND, said(lake), found.inputs).inputs
    assert plugin.diff(KIND, found.inputs, new, found.outputs, object_id=found.id).properties == ["configuration"]
    again = plugin.update(KIND, found, new)
    assert plugin.diff(KIND, again.inputs, new, again.outputs, object_id=found.id) == NOTHING
    assert_clean(plugin, KIND, again)
    message = error(lambda: plugin.imported(KIND, "faker"), grpc.StatusCode.INVALID_ARGUMENT)
    assert "write workspaces/<id>/source/<type>" in message


def test_they_are_gone_with_their_workspace(cloud: tuple[Plugin, Lake]) -> None:
    plugin, lake = cloud
    room = lake.api("POST", "/workspaces", {"name": "Room"})["workspaceId"]
    known = plugin.made(KIND, said(lake, workspaceId=room))
    lake.api("DELETE", f"/workspaces/{room}")
    plugin.next_run()
    assert plugin.read(KIND, known) is None
    plugin.delete(KIND, known.id, known.inputs)


def test_two_resources_of_one_place_are_refused(cloud: tuple[Plugin, Lake]) -> None:
    plugin, lake = cloud
    inputs = plugin.checked(KIND, said(lake))
    plugin.create(KIND, inputs, preview=True, name="first")
    assert 'already, as resource "first"' in error(lambda: plugin.create(KIND, inputs, preview=True, name="second"))


def test_a_renamed_resource_keeps_them(cloud: tuple[Plugin, Lake]) -> None:
    plugin, lake = cloud
    known = plugin.made(KIND, said(lake))
    plugin.next_run()
    assert plugin.create(KIND, known.inputs, name="renamed").id == known.id
    plugin.delete_now(KIND, known.id, known.inputs)
    assert stored(lake) == [VALUES]


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 504, "commit": True}], ids=str)
def test_a_lost_answer_is_asked_for_again(cloud: tuple[Plugin, Lake], fault: Document) -> None:
    plugin, lake = cloud
    lake.fault(method="PUT", path="/oauthCredentials$", **fault)
    known = plugin.made(KIND, said(lake))
    assert stored(lake) == [VALUES]
    assert_clean(plugin, KIND, known)


def test_no_message_shows_a_value(cloud: tuple[Plugin, Lake]) -> None:
    plugin, lake = cloud
    inputs = plugin.checked(KIND, said(lake, name="the-secret-of-an-app"))
    message = error(lambda: plugin.create(KIND, inputs))
    assert "400" in message
    assert "the-secret-of-an-app" not in message


def test_a_state_of_nothing_but_the_id_can_be_deleted(cloud: tuple[Plugin, Lake]) -> None:
    plugin, lake = cloud
    known = plugin.made(KIND, said(lake))
    plugin.delete(KIND, known.id, {})
    assert stored(lake) == []
