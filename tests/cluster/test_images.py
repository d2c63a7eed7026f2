"""The image of the company's code changes: a bad one is explained, leaves the old pod, and the next `up` fixes it."""

from tests.cluster.test_first_up import COMPONENTS
from tests.cluster.world import World

GOOD, BAD = "ghcr.io/example/lotus-dagster:7654321", "ghcr.io/example/lotus-dagster:bad0bad"


def test_a_new_image_restarts_the_code_location_alone_and_a_bad_one_is_explained_and_then_fixed(world: World) -> None:
    world.pulumi.up().ok()
    before = world.revisions()

    world.change("image", GOOD)
    world.pulumi.up().ok()
    after = world.revisions()
    assert {name for name in COMPONENTS if before[name] != after[name]} == {"user-deployments"}
    assert GOOD in world.pods().values()

    limit = world.dagster["timeoutSeconds"]
    world.machine.kubelet.missing.add(BAD)
    world.change("image", BAD)
    world.change("timeoutSeconds", 10)
    failed = world.pulumi.up().failed().output
    assert f'ImagePullBackOff: Back-off pulling image "{BAD}"' in failed
    # The old pod serves until a new one is ready.
    assert world.revisions()["user-deployments"] == after["user-deployments"]

    assert [change[:2] for change in world.lake.changes()] == [("update", "Release")]
    world.change("image", GOOD)
    world.change("timeoutSeconds", limit)
    world.pulumi.up().ok()
    assert BAD not in world.pods().values()
    assert world.helm_records()[-1][1] == "deployed"
    assert world.lake.changes() == []
