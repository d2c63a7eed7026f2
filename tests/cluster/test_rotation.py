"""Passwords and keys are rotated: what changes, and which pods restart with them."""

import base64
import json

from lotus_infra import naming
from tests.cluster.test_first_up import COMPONENTS
from tests.cluster.world import World

NEW = "another-password-of-a-database"


def updates(world: World) -> list[tuple[str, str, str]]:
    """Apply, and return the steps on the cluster."""
    steps = world.pulumi.up("--json").ok()
    assert NEW not in steps.output
    changes = [(step.op, step.type.split(":")[-1], step.name) for step in steps.changes() if "kubernetes:" in step.type]
    assert world.lake.changes() == []
    return sorted(changes)


def secret(world: World, name: str) -> dict[str, str]:
    data = world.core.read_namespaced_secret(name, world.namespace).data
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_a_rotated_password_or_key_is_an_update_of_its_secret_and_of_the_release_and_restarts_the_three_pods(
    world: World,
) -> None:
    world.pulumi.up().ok()
    credentials = {name: naming.credentials_secret(name) for name in (naming.DAGSTER_DATABASE, naming.CATALOG_DATABASE)}
    release = ("update", "Release", "dagster")

    before = world.revisions()
    world.pulumi.config_set("lotus:dagster_db_password", NEW, secret=True)
    assert updates(world) == [release, ("update", "Secret", credentials[naming.DAGSTER_DATABASE])]
    assert secret(world, credentials[naming.DAGSTER_DATABASE])["postgresql-password"] == NEW
    after = world.revisions()
    assert {name for name in COMPONENTS if before[name] != after[name]} == COMPONENTS
    assert all(len(hashes) == 1 for hashes in after.values())

    world.pulumi.config_set("lotus:ducklake_db_password", NEW, secret=True)
    catalog = credentials[naming.CATALOG_DATABASE]
    assert updates(world) == [release, ("update", "Secret", naming.LAKE_SECRET), ("update", "Secret", catalog)]
    assert secret(world, naming.LAKE_SECRET)["PGPASSWORD"] == NEW

    old = secret(world, naming.LAKE_SECRET)["AWS_ACCESS_KEY_ID"]
    zone = json.loads(world.pulumi.run("config", "get", "lotus:landingZone").ok().stdout)
    world.pulumi.config_set("lotus:landingZone", json.dumps(zone | {"keys": [2]}))
    changed = updates(world)
    assert ("update", "Secret", naming.LAKE_SECRET) in changed
    assert release in changed
    assert secret(world, naming.LAKE_SECRET)["AWS_ACCESS_KEY_ID"] != old
    assert world.revisions().keys() == COMPONENTS
    assert world.helm_records()[-1] == (4, "deployed")
