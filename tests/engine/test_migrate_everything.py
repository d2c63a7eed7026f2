"""`lotus migrate` on the real engine, for a workspace with connections of every shape that a lake's files can express."""

import shutil

from tests.engine.lake import Lake
from tests.engine.test_migrate import imported, migrated, nothing_is_done, written
from tests.engine.workspace import KEY, OTHER_KEY, Workspace


def test_a_workspace_of_every_shape_is_taken_over_and_previews_empty(lake: Lake) -> None:
    shutil.rmtree(lake.pulumi.project / "streams")
    Workspace(lake).make()
    connections = [str(each["connectionId"]) for each in lake.live("connections")]

    migration = migrated(lake, "live")

    assert [(each.kind, each.subject, each.what) for each in migration.plan.notes] == []
    assert not [value for value in (KEY, OTHER_KEY) if value in written(lake)]
    for each in migration.plan.secrets:
        lake.pulumi.config_set(f"lotus:{each.name}", f"value-of-{each.name}", secret=True)
    imported(lake, migration)
    lake.twin.clear_calls()
    for step in lake.pulumi.preview("--json").ok().changes():
        print("STEP", step.op, step.name, step.detailed, lake.pulumi.project)
    nothing_is_done(lake, connections, [])
