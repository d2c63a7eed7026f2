"""`lotus verify`: hold what a cluster runs against what the stack declares and against the repository.

Three questions: does every pod of Dagster's release run the image that the stack names; was it the state of this
repository that was deployed; and is it this state that the code location has loaded. Nothing is changed.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lotus_infra import naming
from lotus_infra.cluster.read import KEY
from lotus_infra.cluster.settings import DagsterSettings
from lotus_infra.errors import LotusError
from lotus_infra.ops.cluster import Cluster
from lotus_infra.ops.repository import Repository
from lotus_infra.ops.stacks import Project
from lotus_infra.ops.verify_build import deployed, running
from lotus_infra.ops.verify_pods import Finding, compare, parts_of


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of it.

    Attributes:
        stack: The stack.
        namespace: Where in the cluster.
        repository: The clone that was held against it.
        findings: Everything that was compared.
    """

    stack: str
    namespace: str
    repository: Repository
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return all(finding.state != "differs" for finding in self.findings)


def verify(
    directory: Path, stack: str | None = None, kubeconfig: str | None = None, context: str | None = None
) -> Verified:
    """Compare what runs with what should.

    Args:
        directory: The lake's folder, inside its Pulumi project.
        stack: The stack; else that of `$PULUMI_STACK`, else the only one of the project.
        kubeconfig: A file; else that of the stack, else the ambient one.
        context: One of its contexts; else that of the stack, else the current one.

    Raises:
        LotusError: The stack has no Dagster, this is no clone, or the cluster can't be asked.
    """
    project = Project.needed(directory)
    name = project.chosen(stack, os.environ)
    settings = _dagster(project, name)
    repository = Repository.at(project.folder)
    cluster = Cluster.reached_by(kubeconfig or settings.cluster.kubeconfig, context or settings.cluster.context)
    return Verified(name, settings.namespace.name, repository, tuple(_findings(cluster, settings, repository)))


def _findings(cluster: Cluster, settings: DagsterSettings, repository: Repository) -> Iterator[Finding]:
    namespace = settings.namespace.name
    pods = cluster.pods(namespace, naming.DAGSTER)
    parts = parts_of(settings)
    for part in parts:
        yield from compare(part, part.of(pods), namespace)
    webserver, _, code_location = parts
    yield from deployed(code_location.of(pods), repository)
    yield from running(cluster, namespace, webserver.of(pods), repository)


def _dagster(project: Project, stack: str) -> DagsterSettings:
    settings = project.dagster(stack)
    if settings is None:
        raise LotusError(f"the stack {stack} has no Dagster", f"{KEY} says so; another stack is meant: --stack")
    return settings
