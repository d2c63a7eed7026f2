"""The production stack on a real API server: the program, its stream files, and values instead of placeholders."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from airbyte_twin.testing import RunningTwin
from kubernetes import client

from tests.cluster.kubelet import Kubelet
from tests.cluster.network import Network
from tests.cluster.operators import Operators
from tests.cluster.server import CONTEXT, ApiServer
from tests.engine.harness import REPOSITORY, Pulumi
from tests.engine.lake import Lake
from tests.support.clone import commit, git
from tests.support.production import changed, production

CHART: Final = Path(os.environ.get("LOTUS_DAGSTER_CHART", Path(__file__).with_name("chart")))
"""The chart of these tests, which makes what Dagster's own makes; or Dagster's own, in a folder."""
KEY: Final = "the-administrators-key"
REGION: Final = "us-west-1"
REGISTRY: Final = "ghcr.io"
IMAGE: Final = f"{REGISTRY}/example/lotus-dagster:0123456"
PATIENCE_SECONDS: Final = 180
"""For what takes some seconds on a machine that does nothing else."""
LOADED: Final = ("uv.lock", "lotus_infra", "packages", "dagster")
"""The parts of the repository in the program's fingerprint."""
Document = dict[str, Any]


@dataclass(frozen=True)
class Aws:
    """An AWS account on loopback."""

    url: str

    def create_bucket(self, name: str) -> None:
        s3 = boto3.session.Session(KEY, KEY, region_name=REGION).client("s3", endpoint_url=self.url)
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


@dataclass(frozen=True)
class Machine:
    """What every stack of the tests shares.

    Attributes:
        server: The API server.
        kubelet: The node.
        network: The network of the pods.
        operators: The operator of the databases, with its plugin.
        engine: The folders that lead to the engine.
        plugin: The folder of the real Kubernetes plugin.
        environment: The folder of the project's programs, the Airbyte plugin among them.
    """

    server: ApiServer
    kubelet: Kubelet
    network: Network
    operators: Operators
    engine: list[Path]
    plugin: Path
    environment: Path


@dataclass
class World:
    """A stack.

    Attributes:
        lake: Its project, its engine and its Airbyte.
        machine: What it shares with others.
        namespace: Its own.
        dagster: Its value of `lotus:dagster`.
        values: The values of the production stack, by their names.
    """

    lake: Lake
    machine: Machine
    namespace: str
    dagster: Document
    values: Document

    @classmethod
    def new(cls, folder: Path, machine: Machine, twin: RunningTwin, aws: Aws, test: str) -> "World":
        """The production stack in a namespace named after a test, not applied yet."""
        plugins = {
            "airbyte": machine.environment,
            "aws": REPOSITORY / "sandbox" / "plugins",
            "kubernetes": machine.plugin,
        }
        pulumi = Pulumi(folder, machine.engine, plugins)
        pulumi.environment |= {"AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": KEY}
        suffix = hashlib.sha256(test.encode()).hexdigest()[:8]
        lake = Lake.with_references(pulumi, twin)
        # The program annotates the code location's pods with the fingerprint of the files that the image has.
        for name in LOADED:
            (pulumi.project / name).symlink_to(REPOSITORY / name)
        values = production()
        zone = {name: f"{name}-{suffix}" for name in ("landing", "backup", "state")}
        aws.create_bucket(zone["state"])
        pulumi.config_set("lotus:landingZone", json.dumps(values["landingZone"] | zone | {"protect": False}))
        for name in ("dagster_db_password", "ducklake_db_password", "registry_password"):
            pulumi.config_set(f"lotus:{name}", values[name], secret=True)
        # The node gets no image of the company without the stack's pull secret.
        registry = values["dagster"]["registry"]
        machine.kubelet.private[registry["server"]] = (registry["username"], values["registry_password"])
        world = cls(lake, machine, f"lotus-{suffix}", values["dagster"], values)
        own = {
            "image": IMAGE,
            "protect": False,
            "timeoutSeconds": 60,
            "namespace": {"name": world.namespace},
            "cluster": {"kubeconfig": str(machine.server.kubeconfig), "context": CONTEXT},
            "chart.path": str(CHART),
        }
        for path, value in own.items():
            world.dagster = changed(world.dagster, path, value)
        world.change()
        return world

    def change(self, path: str = "", value: Any = None) -> None:
        """Set the value at a path of `lotus:dagster`, or remove it with None; without a path, write it as it is."""
        if path:
            self.dagster = changed(self.dagster, path, value)
        self.lake.pulumi.config_set("lotus:dagster", json.dumps(self.dagster))

    @property
    def pulumi(self) -> Pulumi:
        """The engine over the stack."""
        return self.lake.pulumi

    @property
    def core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self.machine.server.client())

    def custom(self, kind: str) -> dict[str, Document]:
        """The custom resources of a kind (in the plural) in the namespace, by name."""
        group = "barmancloud.cnpg.io" if kind == "objectstores" else "postgresql.cnpg.io"
        api = client.CustomObjectsApi(self.machine.server.client())
        found = api.list_namespaced_custom_object(group, "v1", self.namespace, kind)["items"]
        return {each["metadata"]["name"]: each for each in found}

    def lotus(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `lotus` as a user does, in the project's folder."""
        return subprocess.run(
            [str(Path(sys.executable).parent / "lotus"), *line.split()],
            cwd=self.pulumi.project,
            env=self.pulumi.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def commit(self) -> str:
        """Commit the project as it is; returns the commit."""
        if not (self.pulumi.project / ".git").exists():
            (self.pulumi.project / ".gitignore").write_text("__pycache__/\n.review/\n", encoding="utf-8")
            git(self.pulumi.project, "init", "-q")
        return commit(self.pulumi.project, "The lake")

    def wait(self, until: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until something is so on the cluster."""
        deadline = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < deadline, "it does not come to be"
            time.sleep(0.1)

    def revisions(self) -> dict[str, set[str]]:
        """The hashes of the pod templates of running pods, by the component of the release."""
        found = self.core.list_namespaced_pod(self.namespace, label_selector="app.kubernetes.io/instance=dagster").items
        revisions: dict[str, set[str]] = {}
        for pod in found:
            if pod.metadata.deletion_timestamp is None and pod.status.phase == "Running":
                revisions.setdefault(pod.metadata.labels["component"], set()).add(
                    pod.metadata.labels["pod-template-hash"]
                )
        return revisions

    def helm_records(self) -> list[tuple[int, str]]:
        """The revision and the status of each of Helm's records of the release."""
        found = self.core.list_namespaced_secret(self.namespace, label_selector="owner=helm").items
        return sorted((int(each.metadata.labels["version"]), each.metadata.labels["status"]) for each in found)

    def pods(self) -> dict[str, str]:
        """The image of each pod that is not about to end, by its name."""
        found = self.core.list_namespaced_pod(self.namespace).items
        return {
            each.metadata.name: each.spec.containers[0].image for each in found if not each.metadata.deletion_timestamp
        }
