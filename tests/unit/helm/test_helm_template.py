"""The production stack's values, rendered by Helm with the chart; needs `LOTUS_DAGSTER_CHART` and `helm`."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lotus_infra.config.dagster import DagsterSettings
from lotus_infra.helm.values import LakeBucket, release_values
from tests.support.production import production

CHART = os.environ.get("LOTUS_DAGSTER_CHART", "")
HELM = os.environ.get("LOTUS_HELM") or shutil.which("helm")

pytestmark = [
    pytest.mark.skipif(not CHART, reason="no chart: set LOTUS_DAGSTER_CHART to a folder or package of Dagster's chart"),
    pytest.mark.skipif(not HELM, reason="no helm: put it on PATH, or set LOTUS_HELM to it"),
]


@pytest.fixture
def templated(tmp_path: Path) -> list[dict[str, Any]]:
    """The rendered manifests; Helm first validates the values, merged with the defaults, against the chart's schema."""
    settings = DagsterSettings.model_validate(production()["dagster"])
    values = tmp_path / "values.json"
    values.write_text(json.dumps(release_values(settings, LakeBucket("landing", "us-west-1", ""), "f" * 64)))
    command = [str(HELM), "template", "dagster", CHART, "--namespace", "lotus-lake", "--values", str(values)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return [document for document in yaml.safe_load_all(made.stdout) if document]


def of(documents: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] == kind]


def test_the_ingress_has_host_and_certificate(templated: list[dict[str, Any]]) -> None:
    [ingress] = of(templated, "Ingress")

    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ["dagster.example.com"]
    assert ingress["spec"]["tls"] == [{"hosts": ["dagster.example.com"], "secretName": "dagster-tls"}]
    assert ingress["spec"]["ingressClassName"] == "traefik"
    assert ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt-prod"


def test_every_deployment_rolls_with_its_credentials_and_runs_a_pinned_image(templated: list[dict[str, Any]]) -> None:
    deployments = of(templated, "Deployment")

    assert len(deployments) == 3
    for deployment in deployments:
        pod = deployment["spec"]["template"]
        assert pod["metadata"]["annotations"]["lotus.internal/credentials"] == "${fingerprint}"
        for container in pod["spec"]["containers"]:
            assert not container["image"].endswith(":latest")
            [password] = [each for each in container["env"] if each["name"] == "DAGSTER_PG_PASSWORD"]
            secret = {"name": "dagster-db-credentials", "key": "postgresql-password"}
            assert password["valueFrom"]["secretKeyRef"] == secret


def test_the_instance_sends_no_telemetry_and_cleans_up_after_runs(templated: list[dict[str, Any]]) -> None:
    [text] = [each["data"]["dagster.yaml"] for each in of(templated, "ConfigMap") if "dagster.yaml" in each["data"]]
    instance = yaml.safe_load(text)

    assert instance["telemetry"] == {"enabled": False}
    launcher = instance["run_launcher"]["config"]
    assert launcher["run_k8s_config"]["job_spec_config"] == {"ttlSecondsAfterFinished": 86400}
    assert launcher["env_secrets"] == ["dagster-lake"]
    assert instance["concurrency"]["runs"] == {"max_concurrent_runs": 10}
    assert instance["compute_logs"]["class"] == "S3ComputeLogManager"
