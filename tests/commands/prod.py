"""A clone of the lake whose stack is deployed to a cluster on loopback."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lotus_infra import naming
from lotus_infra.commands.findings import Finding
from lotus_infra.commands.verify import Verification
from lotus_infra.commands.verify import verify_cluster as verify
from lotus_infra.dagster_fingerprint import definitions_fingerprint
from tests.support.clone import commit, git
from tests.support.cluster import FakeCluster, database, pod, write_kubeconfig

NAME = "ghcr.io/example/lake"
DIGEST, OTHER_DIGEST = "sha256:" + "a" * 64, "sha256:" + "b" * 64
VENDOR = "docker.io/dagster/dagster-celery-k8s:1.13.27"
STACK: dict[str, Any] = {"deploy": True, "chart": {"version": "1.13.27"}, "image": f"{NAME}@{DIGEST}"}


@dataclass
class Prod:
    """A clone of the lake whose stack `prod` is deployed to a cluster just as it is.

    Attributes:
        folder: The clone.
        cluster: What the cluster has.
        kubeconfig: What leads there.
    """

    folder: Path
    cluster: FakeCluster
    kubeconfig: Path

    def declare(self, **changed: Any) -> None:
        """Write the stack's file, and commit it."""
        file = self.folder / "Pulumi.prod.yaml"
        file.write_text(yaml.safe_dump({"config": {"lotus:dagster": STACK | changed}}), encoding="utf-8")
        commit(self.folder, "The stack")

    def deploy(self, **changed: Any) -> None:
        """Let the code location's one pod be another than the stack's."""
        told = {naming.DEFINITIONS_ANNOTATION: definitions_fingerprint(self.folder)}
        given = {"deployment": naming.CODE_LOCATION, "image_id": f"{NAME}@{DIGEST}", "annotations": told} | changed
        image = given.pop("image", f"{NAME}@{DIGEST}")
        self.cluster.pods = [each for each in self.cluster.pods if each["metadata"]["name"] != "code-1"]
        self.cluster.pods.append(pod("code-1", image, **given))

    def load(self, built_of: str, definitions: str) -> None:
        """Let the code location tell its build."""
        told = {"commit": built_of, "definitions": definitions}
        values = [{"key": key, "value": json.dumps(value)} for key, value in told.items()]
        resources = [{"name": "build", "configuredValues": values}, {"name": "dbt", "configuredValues": []}]
        self.answer({"repositories": [{"allTopLevelResourceDetails": resources}]})

    def answer(self, loaded: Any) -> None:
        """Let Dagster's pages tell something of the code location."""
        entry = {"name": naming.CODE_LOCATION, "locationOrLoadError": loaded}
        answer = {"data": {"workspaceOrError": {"locationEntries": [entry]}}}
        self.cluster.answers = {"web-1:80": answer}

    def verify(self) -> Verification:
        return verify(self.folder / "streams", "prod", str(self.kubeconfig))

    def findings(self, state: str) -> dict[str, Finding]:
        """What was found to be so, by what it is."""
        return {finding.what: finding for finding in self.verify().findings if finding.state == state}


def deployed(folder: Path, kubeconfig: Path, cluster: FakeCluster, address: str) -> Prod:
    """A clone whose stack `prod` runs in a cluster just as it is."""
    made = Prod(folder, cluster, write_kubeconfig(kubeconfig, address))
    made.declare()
    cluster.pods.append(pod("web-1", VENDOR, component="dagster-webserver", image_id=f"x@{OTHER_DIGEST}", port=80))
    cluster.pods.append(pod("daemon-1", VENDOR, component="dagster-daemon", deployment="daemon"))
    cluster.pods.append(pod("run-1", f"{NAME}:3f9c2a1", component="run_worker"))
    cluster.objects += [*database(naming.DAGSTER_DATABASE), *database(naming.CATALOG_DATABASE)]
    made.deploy()
    made.load(git(folder, "rev-parse", "HEAD"), definitions_fingerprint(folder))
    return made
