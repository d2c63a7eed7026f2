"""Settings of Dagster change on a stack that runs: each is one update, and the cluster has it afterwards."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.cluster.world import CHART, World

RELEASE = [("update", "Release", "dagster")]


def deployments(world: World) -> dict[str, Any]:
    """The deployments of the release, by their component."""
    api = client.AppsV1Api(world.machine.server.client())
    return {each.metadata.labels["component"]: each for each in api.list_namespaced_deployment(world.namespace).items}


def ingress(world: World) -> Any:
    api = client.NetworkingV1Api(world.machine.server.client())
    return api.read_namespaced_ingress("dagster-ingress", world.namespace)


@pytest.mark.nightly
def test_replicas_resources_and_the_ingress_change_in_place_and_an_ingress_goes_away(world: World) -> None:
    world.pulumi.up().ok()
    assert ingress(world).spec.tls[0].secret_name == "dagster-tls"

    world.change("webserver.replicas", 2)
    world.change("daemon.resources", {"requests": {"cpu": "1", "memory": "0.5Gi"}})
    world.change("ingress.host", "lake.example.com")
    assert world.lake.changes() == RELEASE
    world.pulumi.up().ok()

    found = deployments(world)
    assert found["dagster-webserver"].status.ready_replicas == 2
    assert found["dagster-daemon"].spec.template.spec.containers[0].resources.requests["cpu"] == "1"
    assert ingress(world).spec.rules[0].host == "lake.example.com"
    # The server stores quantities in its own form.
    assert world.lake.changes("--refresh") == []

    world.change("ingress", None)
    world.change("webserver.replicas", 1)
    world.pulumi.up().ok()
    with pytest.raises(ApiException, match="404"):
        ingress(world)
    assert world.lake.changes() == []


@pytest.mark.nightly
def test_a_new_version_of_the_chart_is_one_update_that_restarts_what_it_changes(world: World, tmp_path: Path) -> None:
    newer = tmp_path / "newer" / "dagster"
    shutil.copytree(CHART, newer)
    for file in newer.rglob("Chart.yaml"):
        text = yaml.safe_load(file.read_text(encoding="utf-8"))
        text |= {"version": "1.13.28", "appVersion": "1.13.28"}
        for dependency in text.get("dependencies", []):
            dependency["version"] = "1.13.28" if "repository" not in dependency else dependency["version"]
        file.write_text(yaml.safe_dump(text), encoding="utf-8")
    world.pulumi.up().ok()
    before = world.revisions()

    world.change("chart", {"path": str(newer), "version": "1.13.28"})
    assert world.lake.changes() == RELEASE
    world.pulumi.up().ok()

    after = world.revisions()
    assert before["dagster-webserver"] != after["dagster-webserver"]
    assert before["user-deployments"] == after["user-deployments"]
    assert sum(image.endswith(":1.13.28") for image in world.pods().values()) == 2
    assert world.lake.changes() == []
