"""Databases on a real API server: the plugin's backups, later generations, a recovery, and refused changes."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from lotus_infra import naming
from tests.cluster.world import World

NAME = naming.DAGSTER_DATABASE
REPLACED = ["Cluster dagster-db", "ScheduledBackup dagster-db", "Secret dagster-db-credentials"]


def acknowledge(world: World, objects: Iterable[str]) -> None:
    world.pulumi.config_set("lotus:acknowledge", json.dumps([*objects]))


def conditions(world: World, name: str) -> dict[str, str]:
    return {each["type"]: each["status"] for each in world.custom("clusters")[name]["status"]["conditions"]}


def uids(world: World) -> dict[str, str]:
    """The identity of every object of the databases, by kind and name."""
    found = {
        f"{kind} {name}": str(each["metadata"]["uid"])
        for kind in ("clusters", "scheduledbackups", "objectstores")
        for name, each in world.custom(kind).items()
    }
    secrets = world.core.list_namespaced_secret(world.namespace, field_selector="type!=helm.sh/release.v1").items
    return found | {f"secret {each.metadata.name}": each.metadata.uid for each in secrets}


def bootstrap(world: World, name: str) -> Any:
    return world.custom("clusters")[name]["spec"]["bootstrap"]


@pytest.mark.nightly
def test_a_stack_moves_from_the_operators_own_backups_to_the_plugin_and_its_archive_continues(world: World) -> None:
    for database in ("database", "catalog"):
        world.change(f"{database}.backup.method", "barmanObjectStore")
    world.pulumi.up().ok()
    assert world.lake.changes() == []
    archives = {key: uid for key, uid in world.machine.operators.archives.items() if world.namespace in key[0]}
    before = uids(world)

    for database in ("database", "catalog"):
        world.change(f"{database}.backup.method")
    world.pulumi.up().ok()

    assert len(archives) == 2
    assert {key: world.machine.operators.archives[key] for key in archives} == archives
    assert {key: uid for key, uid in uids(world).items() if key in before} == before
    assert set(world.custom("objectstores")) == {NAME, naming.CATALOG_DATABASE}
    assert "backup" not in world.custom("clusters")[NAME]["spec"]
    assert conditions(world, NAME) == {"Ready": "True", "ContinuousArchiving": "True"}
    assert world.lake.changes() == []


def test_a_protected_database_is_restored_into_a_later_generation_and_nothing_is_left_of_the_one_before(
    world: World,
) -> None:
    world.change("protect", value=True)
    world.pulumi.up().ok()
    before = uids(world)

    world.change("database.generation", 2)
    world.change("database.recovery", {"generation": 1, "targetTime": "2026-02-01T03:00:00Z"})
    refused = world.pulumi.up().failed().output
    assert "currently marked for protection" in refused
    assert uids(world) == before

    acknowledge(world, REPLACED)
    world.pulumi.up().ok()

    assert set(world.custom("clusters")) == {"dagster-db-2", naming.CATALOG_DATABASE}
    recovery = bootstrap(world, "dagster-db-2")["recovery"]
    assert (recovery["source"], recovery["recoveryTarget"]["targetTime"]) == (NAME, "2026-02-01 03:00:00.000000+00:00")
    assert conditions(world, "dagster-db-2") == {"Ready": "True", "ContinuousArchiving": "True"}
    assert {key for key in before.keys() - uids(world).keys() if NAME in key} == {
        f"clusters {NAME}",
        f"scheduledbackups {NAME}-backup",
        f"secret {NAME}-credentials",
    }
    assert world.lake.changes() == []

    # Afterwards the settings of the recovery go, and the protection comes back: no object on the cluster changes.
    world.change("database.recovery")
    acknowledge(world, [])
    versions = {name: each["metadata"]["resourceVersion"] for name, each in world.custom("clusters").items()}
    world.pulumi.up().ok()
    assert world.lake.changes() == []
    assert {name: each["metadata"]["resourceVersion"] for name, each in world.custom("clusters").items()} == versions
    assert "recovery" in bootstrap(world, "dagster-db-2")
    world.pulumi.refresh("--expect-no-changes").ok()
    assert world.lake.changes() == []
    deployment = json.loads(world.pulumi.run("stack", "export").ok().output)["deployment"]
    [cluster] = [each for each in deployment["resources"] if each["urn"].endswith(f":Cluster::{NAME}")]
    assert cluster["protect"] is True


def test_a_setting_that_only_a_new_cluster_reads_is_refused_by_preview_and_up_and_nothing_changes(world: World) -> None:
    world.change("database.storage", {"size": "5Gi"})
    world.pulumi.up().ok()
    before, spec = uids(world), world.custom("clusters")[NAME]["spec"]

    for path, value in {
        "database.user": "lake",
        "database.database": "lake",
        "database.storage.storageClass": "fast",
        "database.storage.size": "4Gi",
    }.items():
        kept = world.dagster
        world.change(path, value)
        # One setting shows that `up` refuses as a preview does.
        for run in (world.pulumi.preview, world.pulumi.up) if path == "database.user" else (world.pulumi.preview,):
            output = run().failed().output
            assert f"{NAME}: {path.removeprefix('database.')} can't" in output
            assert "keep the old value; or raise generation" in output
        world.dagster = kept
        world.change()

    assert uids(world) == before
    assert world.custom("clusters")[NAME]["spec"] == spec
    assert world.lake.changes() == []


def test_a_new_database_in_a_used_archive_fails_with_its_cause_and_a_later_generation_starts(world: World) -> None:
    world.change("database.timeoutSeconds", 5)
    bucket = world.namespace.replace("lotus-", "backup-")
    place = (f"s3://{bucket}/{world.namespace}/{NAME}", NAME)
    world.machine.operators.archives[place] = "an earlier database"

    failed = world.pulumi.up().failed().output
    assert f"the backup bucket already has an archive of {NAME}" in failed
    assert "raise generation" in failed

    world.change("database.timeoutSeconds")
    world.change("database.generation", 2)
    world.pulumi.up().ok()
    assert set(world.custom("clusters")) == {"dagster-db-2", naming.CATALOG_DATABASE}
    assert world.lake.changes() == []


@pytest.mark.nightly
def test_a_lost_cluster_comes_back_from_its_archives(world: World) -> None:
    world.pulumi.up().ok()
    world.core.delete_namespace(world.namespace)
    world.wait(lambda: world.namespace not in {each.metadata.name for each in world.core.list_namespace().items})

    world.pulumi.refresh().ok()
    for database in ("database", "catalog"):
        world.change(f"{database}.generation", 2)
        world.change(f"{database}.recovery", {"generation": 1})
    world.pulumi.up().ok()

    sources = {name: bootstrap(world, name)["recovery"]["source"] for name in world.custom("clusters")}
    assert sources == {"dagster-db-2": NAME, "ducklake-db-2": naming.CATALOG_DATABASE}
    assert conditions(world, "dagster-db-2") == {"Ready": "True", "ContinuousArchiving": "True"}
    assert world.lake.changes() == []
