"""Somebody changes or deletes objects on the cluster by hand: what previews and `lotus verify` report, and what repairs it."""

from kubernetes import client

from lotus_infra import naming
from tests.cluster.world import World

BY_HAND = "a-page-of-the-cluster"


def test_an_edit_by_hand_is_drift_that_a_review_shows_and_the_next_up_reverts(world: World) -> None:
    world.pulumi.up().ok()
    world.commit()
    custom = client.CustomObjectsApi(world.machine.server.client())
    database = ("postgresql.cnpg.io", "v1", world.namespace, "clusters", naming.DAGSTER_DATABASE)
    custom.patch_namespaced_custom_object(*database, {"spec": {"instances": 3}}, field_manager=BY_HAND)
    edited = {"stringData": {"PGPASSWORD": "a-password-by-hand"}}
    world.core.patch_namespaced_secret(naming.LAKE_SECRET, world.namespace, edited, field_manager=BY_HAND)

    reviewed = world.lotus("preview")
    assert reviewed.returncode == 0, reviewed.stderr
    assert world.lake.changes("--refresh") == [
        ("update", "Cluster", naming.DAGSTER_DATABASE),
        ("update", "Secret", naming.LAKE_SECRET),
    ]

    deployed = world.lotus("deploy --yes --reviewed .review/test")
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert world.custom("clusters")[naming.DAGSTER_DATABASE]["spec"]["instances"] == 1
    assert world.lake.changes("--refresh") == []
