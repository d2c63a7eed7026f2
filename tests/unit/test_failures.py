"""The line that says what to do about an error of the Kubernetes plugin, which quotes Helm and the API server."""

import pulumi
import pytest

from lotus_infra.components.failures import Failure, log_reasons, reasons

HELM = "failed to become available within allocated timeout. Error: Helm Release lotus-lake/dagster: "

SCHEMA = "values don't meet the specifications of the schema(s) in the following chart(s):\n"


def said(error: str) -> list[str]:
    return list(reasons(Failure("Release", "dagster", "lotus-lake", error), lambda: ["pod a: it is not ready"]))


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("another operation (install/upgrade/rollback) is in progress", "`lotus doctor`"),
        ("cannot re-use a name that is still in use", "`lotus doctor`"),
        (
            SCHEMA + 'user:\nfailing loading "https://raw.example.com/_definitions.json": dial tcp: no such host',
            "refers to https://raw.example.com/_definitions.json, which this machine can't read",
        ),
        (
            SCHEMA + "dagster:\n- at '/x': got string",
            "change the key of lotus:dagster that sets it",
        ),
        ('services "a" is forbidden: exceeded quota: few', "raise the quota few of the namespace"),
        ('pods "a" is forbidden: violates PodSecurity "restricted:latest"', "of the level restricted:latest"),
        ('admission webhook "rules.example.com" denied the request: no', "ask the owner of rules.example.com"),
        ('failed calling webhook "mcluster.cnpg.io": connection refused', "the operator behind mcluster.cnpg.io"),
        (
            'deployments.apps is forbidden: User "ci" cannot create resource "deployments" in API group "apps"',
            "`kubectl auth can-i create deployments --namespace lotus-lake` must answer yes",
        ),
        (
            'roles "dagster-role" is forbidden: user "a" is attempting to grant RBAC permissions not currently held: x',
            "permissions that you do not have",
        ),
        (
            'cannot patch "web" with kind Deployment: Deployment.apps "web": spec.selector: field is immutable',
            "kubectl delete deployment web --namespace lotus-lake",
        ),
        (
            'Service "web" in namespace "lotus-lake" exists and cannot be imported into the current release: invalid',
            "kubectl delete service web --namespace lotus-lake",
        ),
        ('create: failed to create: namespaces "lotus-lake" not found', "create the namespace lotus-lake"),
        ('no matches for kind "Cluster" in version "postgresql.cnpg.io/v1"', "does not have postgresql.cnpg.io/v1"),
        ('"dagster" has no deployed releases', "`pulumi refresh`"),
        ("uninstall: Release not loaded: dagster: release: not found", "`pulumi refresh`"),
        ('Apply failed with 1 conflict: conflict with "lotus/lake/dev": .data', "the stack lotus/lake/dev has made it"),
        ('Apply failed with 2 conflicts: conflicts with "pulumi-kubernetes-1a2b":\n- .spec', "recover-a-killed-run.md"),
        ('Apply failed with 1 conflict: conflict with "scaler" using v1: .spec', "scaler has changed"),
    ],
)  # fmt: skip
def test_a_cause_in_the_error_is_answered_by_what_to_do_and_not_by_pods(error: str, remedy: str) -> None:
    [line] = said(HELM + error)

    assert line.startswith("Release dagster: ")
    assert remedy in line


@pytest.mark.parametrize(
    "error",
    [
        "context deadline exceeded",
        "client rate limiter Wait returned an error: context deadline exceeded",
        "timed out waiting for the condition",
        "post-upgrade hooks failed: 1 error occurred:\n\t* job migrate failed: BackoffLimitExceeded",
        "failed pre-install: 1 error occurred:\n\t* timed out waiting for the condition",
    ],
)
def test_a_wait_in_vain_is_answered_by_the_cluster(error: str) -> None:
    assert said(HELM + error) == ["pod a: it is not ready"]


@pytest.mark.parametrize(
    "error",
    [
        "context canceled",
        "execution error at (dagster/templates/role.yaml:3:4): no",
        "chart requires kubeVersion: >= 1.18.0-0 which is incompatible with Kubernetes v1.17.0",
        "can't create Helm Release with unreachable cluster: connection refused",
        'cannot patch "data" with kind PersistentVolumeClaim: spec is immutable',
    ],
)
def test_an_interruption_and_an_error_that_says_everything_stand_alone(error: str) -> None:
    assert said(error) == []


def test_what_a_cluster_says_is_logged_without_logins_and_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(pulumi.log, "error", logged.append)
    hostile = "pod a: pull https://ci:password-of-a-registry@registry.example.com/x \x1b[2J\rdone"
    args = pulumi.ErrorHookArgs(
        "urn", "", "dagster", "kubernetes:helm.sh/v3:Release", None, None, None, "create", ["timed out"]
    )

    assert log_reasons("lotus-lake", lambda: [hostile])(args) is False

    assert logged == ["pod a: pull https://***@registry.example.com/x \\x1b[2J\\rdone"]
