"""Dagster is taken out of a stack, and a stack is destroyed: what is protected stays, and nothing else is left."""

import pytest

from lotus_infra import naming
from tests.cluster.world import World


def is_gone(world: World) -> bool:
    return world.namespace not in {each.metadata.name for each in world.core.list_namespace().items}


@pytest.mark.nightly
def test_a_stack_that_no_longer_deploys_dagster_keeps_its_lake_and_leaves_nothing_on_the_cluster(world: World) -> None:
    world.pulumi.up().ok()
    connections = world.lake.live("connections")

    world.pulumi.config_set("lotus:dagster", '{"deploy": false}')
    world.pulumi.up().ok()

    assert is_gone(world)
    assert world.lake.live("connections") == connections
    assert world.lake.changes() == []


def test_protected_databases_stop_a_destroy_and_once_unprotected_nothing_is_left(world: World) -> None:
    world.change("protect", True)
    world.pulumi.up().ok()

    refused = world.pulumi.destroy().failed().output
    assert "protected" in refused
    assert set(world.custom("clusters")) == {naming.DAGSTER_DATABASE, naming.CATALOG_DATABASE}

    world.change("protect", False)
    world.pulumi.config_set("lotus:protectSources", "false")
    world.pulumi.up().ok()
    world.pulumi.destroy().ok()
    assert is_gone(world)
    assert world.lake.live("connections") == world.lake.live("sources") == []
