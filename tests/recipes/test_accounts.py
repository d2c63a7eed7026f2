"""The recipes' accounts on the cluster: exactly the permissions that `lotus doctor` checks for the template's stack."""

from collections import defaultdict
from typing import Any, Final

import pytest
import yaml
from kubernetes import client

from lotus_infra.clients.kubernetes import Kind
from lotus_infra.commands.doctor.needs import needed_permissions, read_permissions
from lotus_infra.config.dagster import DagsterSettings
from tests.engine.harness import REPOSITORY
from tests.support.production import production

FOLDER: Final = REPOSITORY / "docs" / "recipes" / "kubernetes"
NAMES: Final = ("preview", "production")
ISSUERS: Final = ("get", Kind("issuers", "cert-manager.io"))
"""The doctor reads an issuer of the namespace, if the stack names one."""
CLUSTER: Final = {
    ("get", Kind("clusterissuers", "cert-manager.io")),
    ("get", Kind("namespaces")),
    ("list", Kind("deployments", "apps")),
    ("list", Kind("ingressclasses", "networking.k8s.io")),
    ("list", Kind("storageclasses", "storage.k8s.io")),
}
MODELS: Final = {
    "ClusterRole": client.V1ClusterRole,
    "ClusterRoleBinding": client.V1ClusterRoleBinding,
    "Namespace": client.V1Namespace,
    "Role": client.V1Role,
    "RoleBinding": client.V1RoleBinding,
    "Secret": client.V1Secret,
    "ServiceAccount": client.V1ServiceAccount,
}


def documents(name: str) -> dict[str, Any]:
    found = yaml.safe_load_all((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return {each["kind"]: each for each in found}


def rules(document: dict[str, Any]) -> set[tuple[str, Kind]]:
    return {
        (verb, Kind(resource, group))
        for rule in document["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_document_has_the_fields_of_its_kind(name: str) -> None:
    api = client.ApiClient()
    for kind, document in documents(name).items():
        parsed = api._ApiClient__deserialize(document, MODELS[kind])
        assert api.sanitize_for_serialization(parsed) == document


def test_the_role_of_preview_has_the_permissions_of_a_preview() -> None:
    settings = DagsterSettings.model_validate(production()["dagster"])
    assert rules(documents("preview")["Role"]) == {*read_permissions(settings), ISSUERS}
    assert rules(documents("preview")["ClusterRole"]) == CLUSTER


def test_the_role_of_production_has_the_permissions_of_a_deploy() -> None:
    settings = DagsterSettings.model_validate(production()["dagster"])
    assert rules(documents("production")["Role"]) == {*needed_permissions(settings), ISSUERS}
    assert rules(documents("production")["ClusterRole"]) == CLUSTER | {
        (verb, Kind("namespaces")) for verb in ("create", "patch")
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_account_is_outside_of_the_namespace_whose_secrets_it_reads(name: str) -> None:
    found = documents(name)
    assert {found[kind]["metadata"]["namespace"] for kind in ("Secret", "ServiceAccount")} == {"lotus-ci"}
    assert {found[kind]["metadata"]["namespace"] for kind in ("Role", "RoleBinding")} == {"lotus-lake"}
    account = {"kind": "ServiceAccount", "name": name, "namespace": "lotus-ci"}
    for kind, role in (("RoleBinding", "Role"), ("ClusterRoleBinding", "ClusterRole")):
        assert found[kind]["subjects"] == [account]
        assert found[kind]["roleRef"]["kind"] == role
        assert found[kind]["roleRef"]["name"] == found[role]["metadata"]["name"]


@pytest.mark.parametrize("name", NAMES)
def test_only_one_namespace_may_be_read_or_changed(name: str) -> None:
    by_verb = defaultdict[str, list[Any]](list)
    for rule in documents(name)["ClusterRole"]["rules"]:
        if rule["resources"] == ["namespaces"]:
            for verb in rule["verbs"]:
                by_verb[verb].append(rule.get("resourceNames"))
    assert {verb: names for verb, names in by_verb.items() if verb != "create"} == {
        verb: [["lotus-lake"]] for verb in by_verb if verb != "create"
    }


def test_the_issuer_is_the_one_that_the_template_names_with_the_templates_ingress_class() -> None:
    [issuer] = yaml.safe_load_all((FOLDER / "issuer.yaml").read_text(encoding="utf-8"))
    ingress = production()["dagster"]["ingress"]
    assert (issuer["apiVersion"], issuer["kind"]) == ("cert-manager.io/v1", "ClusterIssuer")
    assert ingress["annotations"] == {"cert-manager.io/cluster-issuer": issuer["metadata"]["name"]}
    [solver] = issuer["spec"]["acme"]["solvers"]
    assert solver == {"http01": {"ingress": {"ingressClassName": ingress["className"]}}}
