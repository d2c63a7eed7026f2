"""Data residency: the region that runs a workspace's jobs. The public API shows its name alone."""

import json
from collections.abc import Iterator

import pytest
from airbyte_twin.records import Region

from tests.provider.lake import ORGANIZATION, Lake
from tests.provider.plugin import NOTHING, Object, Plugin
from tests.provider.refresh import assert_clean

EU, US = "5a1c0f1e-0000-4000-8000-000000000041", "5a1c0f1e-0000-4000-8000-000000000042"


@pytest.fixture(autouse=True)
def regions(lake: Lake) -> Iterator[None]:
    for region_id, name in ((EU, "EU"), (US, "US")):
        region = Region(id=region_id, name=name, organization_id=ORGANIZATION, created_at=0, updated_at=0)
        lake.twin.store.regions.put(region)
    yield
    for region_id in (EU, US):
        lake.twin.store.regions.drop(region_id)


def test_a_workspace_is_made_in_a_region_moved_and_clean(plugin: Plugin, lake: Lake) -> None:
    known = plugin.made("workspace", {"regionId": EU})
    assert known.outputs["dataResidency"] == "eu"
    assert_clean(plugin, "workspace", known)
    lake.twin.clear_calls()
    moved = plugin.update("workspace", known, plugin.checked("workspace", {"regionId": US}))
    assert (moved.outputs["dataResidency"], lake.writes()) == ("us", [f"PATCH /workspaces/{known.id}"])
    assert_clean(plugin, "workspace", moved)


@pytest.mark.parametrize("config", [True, False], ids=["Config API", "no Config API"])
def test_a_workspace_that_someone_moved_is_seen_and_moved_back(
    plugin: Plugin,
    lake: Lake,
    config: bool,  # noqa: FBT001
) -> None:
    known = plugin.made("workspace", {"regionId": EU})
    lake.api("PATCH", f"/workspaces/{known.id}", {"regionId": US})
    if not config:
        lake.fault(path="^/api/v1/", status=403, times=None)
    live = plugin.refreshed("workspace", known)
    assert live.inputs.get("regionId") == (US if config else None)
    # A second refresh sees it too: the state then has what the first one found.
    again = plugin.refreshed("workspace", live)
    for found in (live, again):
        assert plugin.diff("workspace", found.inputs, known.inputs, found.outputs).properties == ["regionId"]
    assert_clean(plugin, "workspace", plugin.update("workspace", again, known.inputs))


def test_to_leave_the_region_out_later_changes_nothing(plugin: Plugin) -> None:
    known = plugin.made("workspace", {"regionId": EU})
    without = plugin.checked("workspace", {})
    assert plugin.diff("workspace", known.inputs, without, known.outputs, object_id=known.id) == NOTHING
    assert_clean(plugin, "workspace", Object(known.id, without, known.outputs))


def test_an_import_is_clean_whether_the_program_says_where_the_workspace_is_or_not(plugin: Plugin) -> None:
    known = plugin.made("workspace", {"regionId": EU, "organizationId": ORGANIZATION})
    found = plugin.imported("workspace", known.id)
    assert found.inputs == known.inputs
    for said in ({}, {"regionId": EU}, {"organizationId": ORGANIZATION}, known.inputs):
        new = plugin.checked("workspace", said)
        assert plugin.diff("workspace", found.inputs, new, found.outputs, object_id=known.id) == NOTHING
    moved = plugin.checked("workspace", {"regionId": US})
    assert plugin.diff("workspace", found.inputs, moved, found.outputs, object_id=known.id).properties == ["regionId"]


def test_a_state_of_an_earlier_version_which_records_the_place_as_rewritten_stays_clean(plugin: Plugin) -> None:
    known = plugin.made("workspace", {"regionId": EU, "organizationId": ORGANIZATION})
    pairs = [*json.loads(str(known.outputs["serverRewrites"])), [["organizationId"], None], [["regionId"], None]]
    old = Object(known.id, known.inputs, known.outputs | {"serverRewrites": json.dumps(pairs)})
    assert plugin.diff("workspace", old.inputs, old.inputs, old.outputs, object_id=old.id) == NOTHING
    assert_clean(plugin, "workspace", old)
