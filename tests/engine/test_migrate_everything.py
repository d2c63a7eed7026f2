"""`lotus migrate` on the real engine, for a workspace with connections of every shape that files can express."""

import shutil

import pytest

from tests.engine.lake import Lake
from tests.engine.test_migrate import cursors, imported, migrated, nothing_is_done, synced, written
from tests.engine.workspace import HIDDEN, Workspace


@pytest.fixture
def workspace(lake: Lake) -> Workspace:
    """The workspace, in Airbyte; no file describes it."""
    shutil.rmtree(lake.pulumi.project / "streams")
    made = Workspace(lake)
    made.make()
    return made


def test_a_workspace_of_every_shape_is_taken_over_and_previews_empty(workspace: Workspace) -> None:
    lake = workspace.lake
    connections = synced(lake)
    before = cursors(lake.twin, connections)

    migration = migrated(lake, "live")

    assert migration.plan.notes == ()
    assert not [value for value in HIDDEN if value in written(lake)]
    for each in migration.plan.secrets:
        lake.pulumi.config_set(f"lotus:{each.name}", workspace.secret(each.name), secret=True)
    imported(lake, migration)
    lake.twin.clear_calls()
    nothing_is_done(lake, connections, before)
    lake.pulumi.up().ok()
    nothing_is_done(lake, connections, before)
    assert lake.changes("--refresh") == []

    again = migrated(lake, "live")

    assert (again.plan.files, again.plan.imports, again.plan.notes, again.ok) == ((), (), (), True)

    # A part of a pipeline is imported into the one that the state has.
    [urn] = [each for each in lake.pulumi.resources() if each.endswith("::shop_db/nightly")]
    lake.pulumi.run("state", "delete", "--yes", urn).ok()
    (lake.pulumi.project / "import.json").unlink()
    lost = migrated(lake, "live")
    assert [each.name for each in lost.plan.imports] == ["shop_db/nightly"]
    imported(lake, lost)
    assert lake.changes() == []
