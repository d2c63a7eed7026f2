"""Who owns the fields of the stack's objects on a real API server, whatever a run left behind."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from airbyte_twin.testing import running_twin
from kubernetes import client

from lotus_infra import naming
from tests.cluster.world import Aws, World
from tests.engine.harness import Pulumi

Document = dict[str, Any]
LIMITS = {"limits": {"memory": "1Gi"}}


def forget(world: World, folder: Path) -> int:
    """Take every object of the stack but the release out of the state, as if each create had been killed."""
    document: Document = json.loads(world.pulumi.run("stack", "export").ok().stdout)
    resources = document["deployment"]["resources"]
    lost = {each["urn"] for each in resources if each["type"].startswith("kubernetes:") and "helm" not in each["type"]}
    kept = [each for each in resources if each["urn"] not in lost]
    for each in kept:
        each["dependencies"] = [urn for urn in each.get("dependencies") or [] if urn not in lost]
        by_property = each.get("propertyDependencies") or {}
        each["propertyDependencies"] = {
            key: [urn for urn in urns if urn not in lost] for key, urns in by_property.items()
        }
    document["deployment"]["resources"] = kept
    file = folder / "state.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    world.pulumi.run("stack", "import", "--file", str(file)).ok()
    return len(lost)


def managers(found: Document) -> set[str]:
    return {each["manager"] for each in found["metadata"]["managedFields"] if each["operation"] == "Apply"}


def test_objects_that_a_killed_run_made_are_the_stacks_own_and_can_change(world: World, tmp_path: Path) -> None:
    world.pulumi.up().ok()
    assert forget(world, tmp_path) > 10

    password = "another-password-of-dagster-db"
    world.pulumi.config_set("lotus:dagster_db_password", password, secret=True)
    world.change("database.resources", LIMITS)
    world.pulumi.up().ok()

    secret = world.core.read_namespaced_secret("dagster-db-credentials", world.namespace)
    assert base64.b64decode(secret.data["password"]).decode() == password
    cluster = world.custom("clusters")[naming.DAGSTER_DATABASE]
    assert cluster["spec"]["resources"] == LIMITS
    assert managers(cluster) == {naming.field_manager("test-project", world.pulumi.stack)}
    assert world.lake.changes() == []

    # A field that only the stack has owned is gone when the stack no longer sets it.
    world.change("database.resources")
    world.pulumi.up().ok()
    assert "resources" not in world.custom("clusters")[naming.DAGSTER_DATABASE]["spec"]


@pytest.mark.nightly
def test_fields_of_others_stay_theirs_and_the_stacks_own_are_set_again(world: World) -> None:
    world.pulumi.up().ok()
    body = {"metadata": {"annotations": {"team.example.com/owner": "data"}}}
    world.core.patch_namespace(world.namespace, body, field_manager="another")
    world.core.patch_namespaced_secret(naming.LAKE_SECRET, world.namespace, body, field_manager="another")
    world.pulumi.refresh().ok()
    assert world.lake.changes() == []
    api = client.CustomObjectsApi(world.machine.server.client())
    edited = {"spec": {"instances": 3}}
    place = ("postgresql.cnpg.io", "v1", world.namespace, "clusters", naming.DAGSTER_DATABASE)
    api.patch_namespaced_custom_object(*place, edited, field_manager="scaler")

    world.change("database.instances", 2)
    world.pulumi.up().ok()

    assert world.custom("clusters")[naming.DAGSTER_DATABASE]["spec"]["instances"] == 2
    secret = world.core.read_namespaced_secret(naming.LAKE_SECRET, world.namespace)
    assert secret.metadata.annotations["team.example.com/owner"] == "data"


@pytest.mark.nightly
def test_a_secret_of_others_that_pods_need_is_asked_for_before_the_release_waits(world: World) -> None:
    world.change("codeLocation.envSecrets", ["api-key"])

    process = world.pulumi.start("up", "--yes", "--skip-preview")
    world.wait(lambda: any(name.startswith("dagster-") for name in world.pods()))
    world.core.create_namespaced_secret(world.namespace, {"metadata": {"name": "api-key"}, "stringData": {"KEY": "x"}})
    output = "".join(process.communicate())

    assert process.returncode == 0, output
    assert f"the secret api-key does not exist in the namespace {world.namespace}" in output
    assert world.lake.changes() == []


def test_another_stack_in_the_same_namespace_takes_over_nothing(
    world: World, tmp_path: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pulumi.up().ok()
    before = {name: each["metadata"]["resourceVersion"] for name, each in world.custom("clusters").items()}
    password = world.core.read_namespaced_secret("dagster-db-credentials", world.namespace).data["password"]

    monkeypatch.setattr(Pulumi, "stack", "other")
    with running_twin() as twin:
        other = World.new(tmp_path / "other", world.machine, twin, aws, "another stack")
        other.pulumi.config_set("lotus:dagster_db_password", "a-password-of-another-stack", secret=True)
        other.change("namespace", {"name": world.namespace, "create": False})
        previewed = other.pulumi.preview().failed().output
        applied = other.pulumi.up().failed().output

    secret = world.core.read_namespaced_secret("dagster-db-credentials", world.namespace)
    assert secret.data["password"] == password
    assert {name: each["metadata"]["resourceVersion"] for name, each in world.custom("clusters").items()} == before
    # Several objects are made at the same time: the first refusal ends an `up`.
    assert "belongs to the stack lotus/test-project/test: set another namespace" in previewed
    assert "belongs to the stack lotus/test-project/test: set another namespace" in applied
