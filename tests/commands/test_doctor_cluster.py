"""`lotus doctor` on a cluster on loopback: what a stack needs there, before and after its first `up`."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lotus_infra.commands.doctor.cluster import cluster
from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.results import CheckResult
from lotus_infra.errors import DOCS
from tests.commands.prod import Prod
from tests.support.cluster import Document, an_object, helm_record

INGRESS: Document = {
    "host": "dagster.example.com",
    "tlsSecret": "dagster-tls",
    "className": "traefik",
    "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"},
}
RELEASE = {"type": "kubernetes:helm.sh/v3:Release", "id": "lotus-lake/dagster"}
RECORD = helm_record(3, "deployed", 1767582000)


def deployment(name: str, image: str, namespace: str = "cnpg-system", ready: int = 1) -> Document:
    template = {"spec": {"containers": [{"name": "manager", "image": image}]}}
    status = {"readyReplicas": ready} if ready else {}
    return an_object("apps/v1", "Deployment", name, namespace, spec={"template": template}, status=status)


def a_class(kind: str, name: str, *, default: bool = False) -> Document:
    api, key = {
        "StorageClass": ("storage.k8s.io/v1", "storageclass.kubernetes.io/is-default-class"),
        "IngressClass": ("networking.k8s.io/v1", "ingressclass.kubernetes.io/is-default-class"),
    }[kind]
    return an_object(api, kind, name, "", metadata={"annotations": {key: str(default).lower()}})


OPERATOR = deployment("cnpg-controller-manager", "ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0")
PLUGIN = deployment("barman-cloud", "ghcr.io/cloudnative-pg/plugin-barman-cloud:v0.14.0@sha256:" + "a" * 64)
CERT_MANAGER = deployment("cert-manager", "quay.io/jetstack/cert-manager-controller:v1.18.2", "cert-manager")
ISSUER = an_object(
    "cert-manager.io/v1",
    "ClusterIssuer",
    "letsencrypt",
    "",
    status={"conditions": [{"type": "Ready", "status": "True"}]},
)
READY = [
    OPERATOR,
    PLUGIN,
    CERT_MANAGER,
    ISSUER,
    a_class("StorageClass", "fast", default=True),
    a_class("IngressClass", "traefik"),
]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state of the stack, which an engine in this folder exports."""
    exported, engine = tmp_path / "state.json", tmp_path / "bin" / "pulumi"
    engine.parent.mkdir()
    engine.write_text(f"#!/bin/sh\nexec cat {exported}\n", encoding="utf-8")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{engine.parent}{os.pathsep}{os.environ['PATH']}")
    write_state(exported, RELEASE)
    return exported


def write_state(file: Path, *resources: Document) -> None:
    found = [{"urn": f"urn:pulumi:prod::lotus::{each['type']}::dagster"} | each for each in resources]
    file.write_text(json.dumps({"deployment": {"resources": found}}), encoding="utf-8")


@pytest.fixture
def ready(prod: Prod, state: Path) -> Prod:
    """A cluster that has everything that the stack needs."""
    prod.cluster.objects += [*READY, RECORD]
    declare(prod)
    write_state(state, RELEASE)
    return prod


def declare(prod: Prod, **changed: Any) -> None:
    where = {"kubeconfig": str(prod.kubeconfig), "context": "here"}
    prod.declare(**{"cluster": where, "ingress": INGRESS} | changed)


def examined(prod: Prod, *, first: bool = False) -> list[CheckResult]:
    return list(cluster(StackContext.of(prod.folder / "streams", "prod"), first=first))


def bad(prod: Prod, *, first: bool = False) -> list[tuple[str, str]]:
    """The level and the text of everything that is not well; each has a remedy."""
    found = [each for each in examined(prod, first=first) if each.state != "ok"]
    assert all(each.remedy for each in found)
    return [(each.state, each.what) for each in found]


def without(prod: Prod, *names: str) -> None:
    prod.cluster.objects = [each for each in prod.cluster.objects if each["metadata"]["name"] not in names]


def test_a_cluster_with_everything_is_well_and_says_what_it_has(ready: Prod) -> None:
    found = examined(ready)

    assert {each.state for each in found} == {"ok"}
    said = [each.what for each in found]
    assert said[0].startswith("here is the cluster at http://127.0.0.1:")
    assert "CloudNativePG 1.30.0 runs in cnpg-system/cnpg-controller-manager" in said
    assert "the Barman Cloud plugin v0.14.0 runs in cnpg-system/barman-cloud" in said
    assert "the storage class is the default, fast" in said
    assert "the ingress class is traefik" in said
    assert "the clusterissuers.cert-manager.io letsencrypt is ready" in said
    assert "dagster is deployed, revision 3" in said
    assert {each.area for each in found} == {"cluster", "databases", "helm"}


def test_an_empty_cluster_before_the_first_up_lacks_only_what_others_install(ready: Prod, state: Path) -> None:
    write_state(state)
    ready.cluster.namespace, ready.cluster.pods, ready.cluster.objects = "", [], []
    for group in ("postgresql.cnpg.io/v1", "barmancloud.cnpg.io/v1", "cert-manager.io/v1"):
        del ready.cluster.served[group]

    assert bad(ready, first=True) == [
        (
            "broken",
            (
                "CloudNativePG is not installed: the cluster does not have clusters.postgresql.cnpg.io, "
                "for the databases with kind: cluster"
            ),
        ),
        (
            "broken",
            (
                "the Barman Cloud plugin is not installed: the cluster does not have objectstores.barmancloud.cnpg.io, "
                "for the backups with method: plugin"
            ),
        ),
        (
            "broken",
            (
                "cert-manager is not installed: the cluster does not have clusterissuers.cert-manager.io, "
                "for the certificates"
            ),
        ),
        ("broken", "the cluster has no default storage class, and the stack names none"),
        ("broken", "the cluster has no ingress class traefik"),
    ]


def test_a_cluster_that_is_ready_for_the_first_up_is_well(ready: Prod, state: Path) -> None:
    write_state(state)
    ready.cluster.namespace, ready.cluster.pods, ready.cluster.objects = "", [], list(READY)

    assert bad(ready, first=True) == []
    assert "the namespace lotus-lake is free; the first `up` creates it" in [
        each.what for each in examined(ready, first=True)
    ]


def test_without_the_option_a_stack_that_was_never_deployed_is_pointed_to_it(ready: Prod) -> None:
    ready.cluster.namespace, ready.cluster.pods = "", []

    [result] = [each for each in examined(ready) if "has no namespace" in each.what]

    assert "--before-first-up" in result.remedy


def test_a_namespace_that_is_lost_with_its_databases_is_to_be_restored(ready: Prod, state: Path) -> None:
    namespace = "kubernetes:core/v1:Namespace"
    write_state(state, RELEASE, {"type": namespace, "urn": f"urn:pulumi:prod::lotus::{namespace}::lotus-lake"})
    assert bad(ready) == []
    ready.cluster.namespace, ready.cluster.pods, ready.cluster.objects = "", [], list(READY)

    [lost] = [each for each in examined(ready) if each.state != "ok"]

    assert (lost.state, lost.what) == ("broken", "the state has the namespace lotus-lake, and the cluster does not")
    assert lost.remedy == f"restore it with its databases: {DOCS}/runbooks/restore-a-database.md"


def test_a_namespace_that_others_made_is_used_or_warned_of(ready: Prod, state: Path) -> None:
    write_state(state)
    without(ready, RECORD["metadata"]["name"])

    assert bad(ready, first=True) == [
        ("warning", "the namespace lotus-lake exists already, and the stack would create it")
    ]
    declare(ready, namespace={"create": False})
    assert bad(ready, first=True) == []
    declare(ready, namespace={"create": False, "name": "elsewhere"})
    assert ("broken", "there is no namespace elsewhere, and the stack does not create it") in bad(ready, first=True)


@pytest.mark.parametrize(
    ("others", "replaced", "what"),
    [
        (
            deployment("cnpg-controller-manager", "ghcr.io/cloudnative-pg/cloudnative-pg:1.25.1"),
            "cnpg-controller-manager",
            "CloudNativePG 1.25.1 is too old, for the databases with kind: cluster",
        ),
        (
            deployment("cnpg-controller-manager", "registry:5000/mirror/cloudnative-pg:1.30.0", ready=0),
            "cnpg-controller-manager",
            "CloudNativePG 1.30.0 does not run: cnpg-system/cnpg-controller-manager has no ready pod",
        ),
        (
            deployment("barman-cloud", "ghcr.io/cloudnative-pg/plugin-barman-cloud:v0.14.0", "default"),
            "barman-cloud",
            "the plugin is in the namespace default, and CloudNativePG in cnpg-system",
        ),
    ],
)
def test_an_operator_that_can_not_do_its_work_is_broken(
    others: Document, replaced: str, what: str, ready: Prod
) -> None:
    without(ready, replaced)
    ready.cluster.objects.append(others)

    assert bad(ready) == [("broken", what)]


def test_an_operator_that_is_not_found_or_may_not_be_looked_for_is_a_warning(ready: Prod) -> None:
    without(ready, "cert-manager")
    assert bad(ready) == [
        ("warning", "cert-manager is defined, but no deployment with an image cert-manager-controller was found")
    ]
    ready.cluster.denied = {"deployments"}
    assert bad(ready) == [("warning", "operators can't be checked: you may not list deployments.apps")]


def test_the_old_form_of_backups_ends_with_the_operator_that_drops_it(ready: Prod) -> None:
    old = {"backup": {"method": "barmanObjectStore"}}
    declare(ready, database=old, catalog=old)
    assert [what for _, what in bad(ready) if "CloudNativePG" in what] == []
    without(ready, "cnpg-controller-manager")
    ready.cluster.objects.append(deployment("cnpg-controller-manager", "x/cloudnative-pg:1.31.0"))
    assert ("broken", "CloudNativePG 1.31.0 does not have barmanObjectStore any more") in bad(ready)


def test_classes_and_issuers_that_are_not_there_are_broken(ready: Prod) -> None:
    declare(ready, catalog={"storage": {"storageClass": "slow"}}, ingress=INGRESS | {"className": "nginx"})
    ISSUER["status"]["conditions"][0] |= {"status": "False", "message": "the account is not registered"}
    try:
        assert bad(ready) == [
            ("broken", "the cluster has no storage class slow"),
            ("broken", "the cluster has no ingress class nginx"),
            ("broken", "the clusterissuers.cert-manager.io letsencrypt is not ready: the account is not registered"),
        ]
    finally:
        ISSUER["status"]["conditions"][0]["status"] = "True"
    declare(ready, ingress=INGRESS | {"annotations": {"cert-manager.io/issuer": "letsencrypt"}})
    assert bad(ready) == [("broken", "there is no issuers.cert-manager.io letsencrypt, which the ingress names")]


def test_secrets_that_pods_name_and_nothing_makes_are_broken(ready: Prod) -> None:
    declare(ready, imagePullSecrets=["ghcr"], runs={"envSecrets": ["shop"]}, ingress=INGRESS | {"annotations": {}})
    ready.cluster.objects.append(an_object("v1", "Secret", "shop"))

    assert bad(ready) == [
        ("broken", "the secret ghcr (pulls images) is not in the namespace lotus-lake"),
        ("warning", "the secret dagster-tls (has the certificate) is not in the namespace lotus-lake"),
    ]


def test_each_permission_that_is_missing_is_named(ready: Prod) -> None:
    ready.cluster.refused = {"patch deployments", "create objectstores", "get pods/proxy", "create namespaces"}

    assert bad(ready) == [
        ("broken", "you may not patch deployments.apps in the namespace lotus-lake"),
        ("broken", "you may not create objectstores.barmancloud.cnpg.io in the namespace lotus-lake"),
        ("broken", "you may not get pods/proxy in the namespace lotus-lake"),
        ("broken", "you may not create namespaces"),
    ]
    ready.cluster.refused = {f"{verb} secrets" for verb in ("get", "list", "update")}
    assert bad(ready) == [("broken", "you may not get, list, update secrets in the namespace lotus-lake")]
    ready.cluster.refused = {"*"}
    assert bad(ready) == []


def test_a_preview_needs_to_read_alone_and_more_than_that_is_a_warning(ready: Prod) -> None:
    writing = {"create", "update", "patch", "delete", "deletecollection"}
    plurals = (
        "secrets",
        "deployments",
        "clusters",
        "objectstores",
        "namespaces",
        "jobs",
        "pods",
        "events",
        "ingresses",
    )
    ready.cluster.refused = {f"{verb} {plural}" for verb in writing for plural in plurals} | {"*"}
    case = StackContext.of(ready.folder / "streams", "prod", purpose="preview")

    found = list(cluster(case, first=False))
    assert {each.state for each in found} == {"ok"}
    assert "you may read 14 kinds of objects in the namespace lotus-lake" in [each.what for each in found]

    ready.cluster.refused -= {"create secrets"}
    ready.cluster.refused |= {"get pods/proxy", "get namespaces", "watch ingresses"}
    found = [each for each in cluster(case, first=False) if each.state != "ok"]
    assert [(each.state, each.what) for each in found if "you may" in each.what] == [
        ("broken", "you may not watch ingresses.networking.k8s.io in the namespace lotus-lake"),
        ("broken", "you may not get pods/proxy in the namespace lotus-lake"),
        ("broken", "you may not get namespaces"),
        ("warning", "you may create secrets in the namespace lotus-lake, which a preview does not need"),
    ]
    assert all("docs/how-to/set-up-ci.md#the-cluster" in each.remedy for each in found)


def test_a_kubeconfig_that_the_environment_names_is_warned_of_because_its_path_is_part_of_the_plan(
    ready: Prod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(ready.kubeconfig))
    # The client has read the variable when it was imported.
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(ready.kubeconfig))
    assert bad(ready) == []

    declare(ready, cluster={"context": "here"})
    [(state, what)] = bad(ready)
    assert state == "warning"
    assert what.startswith("the path in $KUBECONFIG becomes part of the plan")


def test_what_helm_updates_and_what_the_chart_grants_is_checked_too(ready: Prod) -> None:
    ready.cluster.refused = {"update secrets", "deletecollection events", "get jobs/status", "watch pods/log"}

    assert [what.removesuffix(" in the namespace lotus-lake") for _, what in bad(ready)] == [
        "you may not update secrets",
        "you may not deletecollection events",
        "you may not get jobs.batch/status",
        "you may not watch pods/log",
    ]


def test_a_cluster_that_is_too_old_or_does_not_answer_is_broken(ready: Prod) -> None:
    ready.cluster.version = "v1.28.9-eks"
    assert [what.partition("Kubernetes ")[2] for _, what in bad(ready)] == ["v1.28.9-eks, which is too old"]
    ready.cluster.known = False
    [(level, what)] = bad(ready)
    assert level == "broken"
    assert what.endswith("rejects the credentials")


def test_databases_that_archive_nothing_are_broken(ready: Prod) -> None:
    for each in ready.cluster.objects:
        if each["kind"] == "Cluster" and each["metadata"]["name"] == "dagster-db":
            del each["spec"]["plugins"]
    assert bad(ready) == [("broken", "backup target of dagster-db: none")]


def test_a_database_that_is_gone_is_broken(ready: Prod) -> None:
    without(ready, "dagster-db")
    assert bad(ready) == [("broken", "database of dagster-db: none")]
