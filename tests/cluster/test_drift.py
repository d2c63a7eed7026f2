"""Objects on the cluster that were changed or deleted by hand: the reports, and the repairs."""

import json

import pytest
from kubernetes import client

from lotus_infra import naming
from tests.cluster.world import World

BY_HAND = "a-page-of-the-cluster"


@pytest.mark.nightly
def test_an_edit_by_hand_is_drift_that_a_review_shows_and_the_next_up_reverts(world: World) -> None:
    world.pulumi.up().ok()
    world.commit()
    custom = client.CustomObjectsApi(world.machine.server.client())
    [name, *_] = world.custom("scheduledbackups")
    backup = ("postgresql.cnpg.io", "v1", world.namespace, "scheduledbackups", name)
    custom.patch_namespaced_custom_object(*backup, {"spec": {"schedule": "0 0 9 * * *"}}, field_manager=BY_HAND)
    edited = {"stringData": {"PGPASSWORD": "a-password-by-hand"}}
    world.core.patch_namespaced_secret(naming.LAKE_SECRET, world.namespace, edited, field_manager=BY_HAND)

    reviewed = world.lotus("preview")
    assert reviewed.returncode == 0, reviewed.stderr
    assert world.lake.changes("--refresh") == [
        ("update", "ScheduledBackup", naming.DAGSTER_DATABASE),
        ("update", "Secret", naming.LAKE_SECRET),
    ]

    deployed = world.lotus("deploy --yes --reviewed .review/test")
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert world.custom("scheduledbackups")[name]["spec"]["schedule"] != "0 0 9 * * *"
    assert world.lake.changes("--refresh") == []


@pytest.mark.nightly
def test_a_deleted_part_of_the_release_is_missing_for_verify_which_names_what_restores_it(world: World) -> None:
    world.pulumi.up().ok()
    world.commit()
    client.AppsV1Api(world.machine.server.client()).delete_namespaced_deployment("dagster-daemon", world.namespace)
    world.wait(lambda: "dagster-daemon" not in world.revisions())

    verified = world.lotus("verify --json")
    assert verified.returncode == 1
    [missing] = [each for each in json.loads(verified.stdout)["findings"] if each["what"] == "pods"]
    assert (missing["where"], missing["state"]) == ("daemon", "differs")
    assert f"helm get manifest dagster --namespace {world.namespace} | kubectl apply" in missing["remedy"]
    # Helm's record of the release is as it was, so the engine finds nothing to do.
    assert world.lake.changes("--refresh") == []
