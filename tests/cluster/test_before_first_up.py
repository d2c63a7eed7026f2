"""`lotus doctor --before-first-up` on a real API server: what others have installed, and what this user may do."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from lotus_infra.clients.kubernetes import Kind
from lotus_infra.commands.doctor.needs import needed_permissions
from lotus_infra.config.dagster import DagsterSettings
from tests.cluster.world import World


def examined(world: World, *areas: str) -> list[dict[str, Any]]:
    found = world.lotus("doctor --before-first-up --json")
    findings: list[dict[str, Any]] = json.loads(found.stdout)["findings"]
    return [each for each in findings if not areas or each["area"] in areas]


def broken(found: list[dict[str, Any]]) -> list[str]:
    return [each["what"] for each in found if each["state"] == "broken"]


def test_a_cluster_with_everything_is_ready_and_a_user_without_permissions_sees_each_kind(
    world: World, tmp_path: Path
) -> None:
    ready = examined(world)

    areas = ("secrets", "airbyte", "landing", "cluster", "databases", "helm")
    assert broken([each for each in ready if each["area"] in areas]) == []
    said = [each["what"] for each in ready if each["state"] == "ok"]
    assert f"the namespace {world.namespace} is free; the first `up` creates it" in said
    assert "CloudNativePG 1.30.0 runs in cnpg-system/cnpg-controller-manager" in said
    assert "the Barman Cloud plugin v0.14.0 runs in cnpg-system/barman-cloud" in said
    assert "the clusterissuers.cert-manager.io letsencrypt-prod is ready" in said
    assert [each for each in said if each.startswith("the bucket name landing-") and "is free" in each]

    world.change("cluster.kubeconfig", str(of_a_reader(world, tmp_path / "reader")))
    refused = examined(world, "cluster")

    verbs = "get, list, watch, create, update, patch, delete"
    assert f"you may not {verbs} secrets in the namespace {world.namespace}" in broken(refused)
    assert "you may not get, create, patch namespaces" in broken(refused)
    assert [each["what"] for each in refused if each["state"] == "warning"] == [
        "operators can't be checked: you may not list deployments.apps",
        "storage classes can't be checked: you may not list storageclasses.storage.k8s.io",
        "the ingress class can't be checked: you may not list ingressclasses.networking.k8s.io",
        "the issuer can't be checked: you may not get clusterissuers.cert-manager.io",
    ]


@pytest.mark.nightly
def test_the_permissions_that_are_checked_are_enough_to_apply_and_change_the_stack(
    world: World, tmp_path: Path
) -> None:
    name = f"reader-{world.namespace}"
    world.change("cluster.kubeconfig", str(of_a_reader(world, tmp_path / "reader")))
    grant(world, name)
    assert broken(examined(world, "cluster")) == []

    world.pulumi.up().ok()
    assert world.lake.changes() == []
    world.change("webserver.replicas", 2)
    world.pulumi.up().ok()
    world.pulumi.refresh("--expect-no-changes").ok()


def grant(world: World, name: str) -> None:
    """Grant a service account what the doctor checks, and no more."""
    verbs = defaultdict[Kind, list[str]](list)
    for verb, kind in needed_permissions(DagsterSettings.model_validate(world.dagster)):
        verbs[kind].append(verb)
    verbs[Kind("namespaces")] = ["get", "create", "patch"]
    rules = [{"apiGroups": [kind.group], "resources": [kind.plural], "verbs": each} for kind, each in verbs.items()]
    api, metadata = client.RbacAuthorizationV1Api(world.machine.server.client()), {"metadata": {"name": name}}
    api.create_cluster_role({**metadata, "rules": rules})
    account = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    api.create_cluster_role_binding({**metadata, "roleRef": role, "subjects": [account]})


def of_a_reader(world: World, file: Path) -> Path:
    """A kubeconfig of a service account without any permission of its own."""
    name = f"reader-{world.namespace}"
    world.core.create_namespaced_service_account("default", {"metadata": {"name": name}})
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=3600))
    token = world.core.create_namespaced_service_account_token(name, "default", request).status.token
    kubeconfig = yaml.safe_load(world.machine.server.kubeconfig.read_text(encoding="utf-8"))
    kubeconfig["users"] = [{"name": each["name"], "user": {"token": token}} for each in kubeconfig["users"]]
    file.write_text(yaml.safe_dump(kubeconfig), encoding="utf-8")
    return file
