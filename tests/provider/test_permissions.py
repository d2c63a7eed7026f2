"""What belongs to permissions alone: their two scopes, the lists that show them, and what the server does by itself."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from airbyte_twin.testing import running_twin
from pulumi_airbyte.provider.properties import UNKNOWN

from tests.provider.lab import with_lab
from tests.provider.lake import GUEST, ORGANIZATION, Document, Lake, lake_of
from tests.provider.plain import ALL, PERMISSION
from tests.provider.plugin import Object, Plugin, error
from tests.provider.refresh import assert_clean, drifted

PLAIN = ALL[PERMISSION]


def in_organization(lake: Lake, **changes: Any) -> Document:
    """What a program says of a permission in an organization."""
    said = {"workspaceId": ..., "organizationId": ORGANIZATION, "permissionType": "organization_reader"}
    return PLAIN.given(lake, **said | changes)


@pytest.fixture
def far(unconfigured: Plugin, tmp_path: Path) -> Iterator[tuple[Plugin, Lake]]:
    """A plugin for a server without a Config API."""
    with running_twin(saves=False, data_dir=with_lab(tmp_path)) as twin, lake_of(twin) as lake:
        unconfigured.configure(serverUrl=f"{twin.public_url}/", configUrl="")
        lake.fault(path="^/api/v1/", status=403, times=None)
        yield unconfigured, lake


def test_a_permission_in_an_organization_keeps_the_promises_too(plugin: Plugin, lake: Lake) -> None:
    known = plugin.made(PERMISSION, in_organization(lake))
    assert_clean(plugin, PERMISSION, known)
    lake.api("PATCH", f"/permissions/{known.id}", {"permissionType": "organization_editor"})
    assert drifted(plugin, PERMISSION, known) == {"permissionType": "update"}
    found = plugin.imported(PERMISSION, known.id)
    assert found.inputs == known.inputs
    plugin.delete(PERMISSION, known.id, known.inputs)
    assert plugin.read(PERMISSION, known) is None


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"workspaceId": ...}, "workspaceId", "give either workspaceId or organizationId"),
        ({"workspaceId": ""}, "workspaceId", "give either workspaceId or organizationId"),
        ({"organizationId": ORGANIZATION}, "workspaceId", "give either workspaceId or organizationId"),
        ({"permissionType": "organization_admin"}, "permissionType", "is not a permission in a workspace"),
        ({"permissionType": "instance_admin"}, "permissionType", "is not allowed: give one of"),
        ({"userId": "guest@example.com"}, "userId", "is not an id of Airbyte"),
        ({"userId": ...}, "userId", "is required"),
        ({"name": "Guest"}, "name", "is not a property of this resource"),
    ],
)
def test_what_the_server_would_refuse_is_refused_in_the_preview(
    plugin: Plugin, lake: Lake, changes: Document, path: str, reason: str
) -> None:
    assert reason in plugin.check(PERMISSION, PLAIN.given(lake, **changes)).failures[path]


def test_a_workspace_that_is_not_there_yet_is_a_scope(plugin: Plugin, lake: Lake) -> None:
    checked = plugin.check(PERMISSION, PLAIN.given(lake, workspaceId=UNKNOWN))
    assert checked.failures == {}
    assert plugin.create(PERMISSION, checked.inputs, preview=True).outputs["permissionId"] is UNKNOWN


@pytest.mark.parametrize("preview", [True, False])
def test_another_permission_of_the_user_in_the_same_place_is_refused(
    unconfigured: Plugin,
    lake: Lake,
    preview: bool,  # noqa: FBT001
) -> None:
    plugin = unconfigured
    plugin.configure(serverUrl=lake.twin.public_url, adoptExisting="identical")
    for said in (PLAIN.given(lake), in_organization(lake, permissionType="organization_member")):
        there = lake.api("POST", "/permissions", said)
        scope = said["permissionType"].partition("_")[0]
        inputs = plugin.checked(PERMISSION, said | {"permissionType": f"{scope}_admin"})
        message = error(partial(plugin.create, PERMISSION, inputs, preview=preview))
        assert f"({there['permissionId']}) already, and it differs from the program: see permissionType." in message
        assert "another name" not in message
        plugin.next_run()


def test_permissions_of_one_user_in_several_places_are_several(plugin: Plugin, lake: Lake) -> None:
    other = lake.api("POST", "/workspaces", {"name": "Other"})["workspaceId"]
    reader = {"permissionType": "workspace_reader"}
    each = [
        plugin.made(PERMISSION, PLAIN.given(lake)),
        plugin.made(PERMISSION, PLAIN.given(lake, workspaceId=other, **reader)),
    ]
    plugin.next_run()
    for known in each:
        assert_clean(plugin, PERMISSION, known)
    assert len({known.id for known in each}) == 2


def test_two_resources_of_one_place_are_refused(plugin: Plugin, lake: Lake) -> None:
    inputs = plugin.checked(PERMISSION, PLAIN.given(lake))
    plugin.create(PERMISSION, inputs, preview=True, name="first")
    message = error(lambda: plugin.create(PERMISSION, inputs, preview=True, name="second"))
    assert 'already, as resource "first"' in message
    assert "display name" not in message


def test_the_last_admin_of_an_organization_stays_and_the_reason_is_said(plugin: Plugin, lake: Lake) -> None:
    [admin] = [each for each in lake.twin.store.permissions if each.type == "organization_admin"]
    found = plugin.imported(PERMISSION, admin.id)
    assert "last admin" in error(lambda: plugin.delete(PERMISSION, found.id, found.inputs))
    lower = plugin.checked(PERMISSION, found.inputs | {"permissionType": "organization_reader"})
    assert "last admin" in error(lambda: plugin.update(PERMISSION, found, lower))


def test_a_permission_that_says_nothing_new_is_refused_with_the_servers_reason(plugin: Plugin, lake: Lake) -> None:
    plugin.made(PERMISSION, in_organization(lake, permissionType="organization_admin"))
    inputs = plugin.checked(PERMISSION, PLAIN.given(lake))
    assert "redundant" in error(lambda: plugin.create(PERMISSION, inputs))


def test_a_server_that_fails_has_lost_no_permission(plugin: Plugin, lake: Lake) -> None:
    known = plugin.made(PERMISSION, PLAIN.given(lake))
    lake.fault(path="/permissions", status=500, times=None)
    plugin.next_run()
    assert "500" in error(lambda: plugin.read(PERMISSION, known))
    assert "500" in error(lambda: plugin.delete(PERMISSION, known.id, known.inputs))
    lake.twin.twin.faults.clear()
    assert_clean(plugin, PERMISSION, known)


def test_without_the_config_api_a_permission_keeps_the_promises_that_it_can(far: tuple[Plugin, Lake]) -> None:
    plugin, lake = far
    known = plugin.made(PERMISSION, PLAIN.given(lake))
    assert_clean(plugin, PERMISSION, known)
    # The server answers the permission that exists to a second create, so that there is never a second one.
    plugin.next_run()
    assert plugin.create(PERMISSION, known.inputs).id == known.id
    lake.api("DELETE", f"/permissions/{known.id}")
    assert plugin.read(PERMISSION, known) is None
    plugin.delete(PERMISSION, known.id, known.inputs)
    organization = plugin.made(PERMISSION, in_organization(lake))
    plugin.next_run()
    assert "already, and it is identical" in error(lambda: plugin.create(PERMISSION, organization.inputs))


@pytest.mark.parametrize(("method", "status"), [("GET", 403), ("DELETE", 403), ("DELETE", 500)])
def test_a_permission_that_a_call_is_refused_for_is_not_gone_where_no_list_shows_it(
    far: tuple[Plugin, Lake], method: str, status: int
) -> None:
    plugin, lake = far
    known = plugin.made(PERMISSION, PLAIN.given(lake))
    lake.fault(method=method, path=f"/permissions/{known.id}", status=status, times=None)
    plugin.next_run()
    ask = plugin.read if method == "GET" else lambda _, each: plugin.delete(PERMISSION, each.id, each.inputs)
    assert str(status) in error(lambda: ask(PERMISSION, known))
    assert [each.id for each in lake.twin.store.permissions if each.user_id == GUEST] == [known.id]


def test_the_import_of_a_permission_that_the_caller_may_not_see_says_so(plugin: Plugin, lake: Lake) -> None:
    known = plugin.made(PERMISSION, PLAIN.given(lake))
    lake.fault(method="GET", path=f"/permissions/{known.id}", status=403, times=None)
    plugin.next_run()
    assert "403" in error(lambda: plugin.imported(PERMISSION, known.id))


def test_twelve_permissions_of_a_user_are_refreshed_by_a_few_calls(plugin: Plugin, lake: Lake) -> None:
    rooms = [lake.api("POST", "/workspaces", {"name": f"Room {number}"})["workspaceId"] for number in range(12)]
    each: list[Object] = [plugin.made(PERMISSION, PLAIN.given(lake, workspaceId=room)) for room in rooms]
    plugin.next_run()
    lake.twin.clear_calls()
    for known in each:
        assert plugin.refreshed(PERMISSION, known).inputs == known.inputs
    assert len(lake.asked()) <= 4
