"""The API server is down, or another way leads to it."""

import pytest
import yaml

from lotus_infra import naming
from tests.cluster.world import PATIENCE_SECONDS, World


@pytest.mark.nightly
def test_an_api_server_that_is_down_fails_with_its_address_and_the_next_up_goes_on(world: World) -> None:
    server = world.machine.server
    server.stop_api()
    try:
        failed = world.pulumi.up().failed().output
    finally:
        server.start_api()
    assert "unreachable" in failed
    assert server.url.removeprefix("https://") in failed

    world.pulumi.up().ok()
    assert world.lake.changes() == []


@pytest.mark.nightly
def test_an_up_outlives_a_restart_of_the_api_server_while_it_waits_for_a_database(world: World) -> None:
    server, operators = world.machine.server, world.machine.operators
    operators.held.add(naming.CATALOG_DATABASE)
    with world.pulumi.start("up", "--yes", "--skip-preview") as running:
        try:
            world.wait(lambda: naming.CATALOG_DATABASE in world.custom("clusters"))
            server.stop_api()
        finally:
            server.start_api()
            operators.held.clear()
        output, errors = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 0, output + errors

    assert world.lake.changes() == []
    assert world.helm_records() == [(1, "deployed")]


@pytest.mark.nightly
def test_another_context_of_the_same_cluster_changes_the_provider_alone(world: World) -> None:
    world.pulumi.up().ok()
    before = world.revisions()
    document = yaml.safe_load(world.machine.server.kubeconfig.read_text(encoding="utf-8"))
    [context] = document["contexts"]
    document["contexts"].append(context | {"name": "renamed"})
    other = world.pulumi.project.parent / "kubeconfig"
    other.write_text(yaml.safe_dump(document), encoding="utf-8")

    world.change("cluster", {"kubeconfig": str(other), "context": "renamed"})
    assert world.lake.changes() == [("update", "kubernetes", "dagster")]
    world.pulumi.up().ok()

    assert world.revisions() == before
    assert world.lake.changes() == []
