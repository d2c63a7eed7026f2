"""`lotus verify`: compare the cluster with the stack and this repository.

Five comparisons: the image of each pod of Dagster's release with the stack; the deployed definitions and commit
(annotations of the code location's pods) with this repository; the loaded ones (reported by the code location
itself, through Dagster's webserver) likewise; the databases with the stack; and whether the secrets of sources that dlt
reads and of warehouses are there. Nothing is changed.
"""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import click
from pydantic import BaseModel, Field, JsonValue, ValidationError

from lotus_infra import naming
from lotus_infra.clients.git import Repository
from lotus_infra.clients.kubernetes import Cluster, ClusterError, ClusterObject, Kind, Pod
from lotus_infra.commands.database_health import compare_databases
from lotus_infra.commands.findings import Finding, State
from lotus_infra.commands.options import JSON, STACK, STREAMS
from lotus_infra.commands.terminal import Cell, Column, Tone, table
from lotus_infra.config.dagster import DAGSTER_KEY, DagsterSettings
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError, one_line
from lotus_infra.images import Image
from lotus_infra.lake.diagnostics import escape_unprintable, pluralize
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.loader import load_stack_lake

UP: Final = "`pulumi up` deploys it"
BY_TAG: Final = "a tag can be moved: declare the image by the digest that runs"
RESOURCE: Final = "build"
"""The Dagster resource that has the code location's commit and definitions (lotus_dagster/location_build.py)."""
QUERY: Final = """{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
    ... on RepositoryLocation { repositories { allTopLevelResourceDetails { name configuredValues { key value } } } }
    ... on PythonError { message } } } } } }"""
SHORT: Final = 12
"""Digits of a commit or fingerprint in the table."""
_SECRETS: Final = Kind("secrets")
_COLUMNS: Final = (
    Column("result"),
    Column("what", whole=True),
    Column("where", whole=True),
    Column("declared"),
    Column("running"),
)
_TONES: Final[Mapping[State, Tone]] = {"same": "good", "differs": "bad", "unknown": "warning"}


@dataclass(frozen=True, slots=True)
class Verification:
    """The result.

    Attributes:
        stack: The stack.
        namespace: The namespace of its Dagster.
        repository: The clone that the cluster was compared with.
        findings: All comparisons.
    """

    stack: str
    namespace: str
    repository: Repository
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return all(finding.state != "differs" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Workload:
    """A part of the release, and the image that it should run.

    Attributes:
        name: Its name in the output.
        component: The chart's `component` label of its pods.
        image: The declared image. For Dagster's own images the repository is the chart's default, and empty here.
        deployment: The chart's `deployment` label, for a component with several deployments.
    """

    name: str
    component: str
    image: Image
    deployment: str = ""

    def pods_in(self, pods: Sequence[Pod]) -> list[Pod]:
        """Its pods."""
        return [pod for pod in pods if pod.component == self.component and self.deployment in ("", pod.deployment)]


@dataclass(frozen=True, slots=True)
class Build:
    """The build that the code location reports; empty values are not reported."""

    commit: str
    definitions: str


class NoDagsterError(LotusError):
    """The stack does not deploy Dagster."""


@click.command()
@click.option(
    "--kubeconfig", metavar="FILE", help="The kubeconfig file; default: the stack's, or the one that kubectl uses."
)
@click.option(
    "--context", metavar="NAME", help="The context in the kubeconfig file; default: the stack's, or the current one."
)
@click.option("--if-deployed", is_flag=True, help="Succeed if the stack does not deploy Dagster.")
@STACK
@STREAMS
@JSON
def verify(
    stack: str | None, kubeconfig: str | None, context: str | None, directory: Path, *, if_deployed: bool, as_json: bool
) -> None:
    """Compare the cluster with the stack.

    Compares pods, images, the loaded definitions, the databases and the secrets of sources with the stack and this
    repository; exits with 1 if anything differs.

    Example: lotus verify --stack prod
    """
    try:
        verified = verify_cluster(directory, stack, kubeconfig, context)
    except NoDagsterError as error:
        if not if_deployed:
            raise
        what = str(error).partition(":")[0]
        click.echo(json.dumps({"ok": True, "findings": []}, indent=2) if as_json else f"{what}: nothing to verify")
        return
    click.echo(json.dumps(as_document(verified), indent=2) if as_json else render(verified), nl=as_json)
    if not verified.ok:
        sys.exit(1)


def verify_cluster(
    directory: Path, stack: str | None = None, kubeconfig: str | None = None, context: str | None = None
) -> Verification:
    """Compare the cluster of a stack with the stack and this repository.

    Args:
        directory: The lake's folder, inside its Pulumi project.
        stack: The stack; else `$PULUMI_STACK`, else the only stack of the project.
        kubeconfig: A file; else the stack's, else the ambient one.
        context: One of its contexts; else the stack's, else the current one.

    Raises:
        LotusError: The stack has no Dagster, the project is not in a clone, or the cluster does not answer.
    """
    project = Project.needed(directory)
    name = project.select(stack, os.environ)
    settings = project.dagster(name)
    if settings is None:
        hint = f"{DAGSTER_KEY} does not deploy it; choose another stack with --stack"
        raise NoDagsterError(f"the stack {name} has no Dagster", hint)
    repository = Repository.at(project.folder)
    cluster = Cluster.reached_by(kubeconfig or settings.cluster.kubeconfig, context or settings.cluster.context)
    secrets = secrets_of(load_stack_lake(directory, name))
    findings = (*_findings(cluster, settings, repository), *compare_secrets(cluster, settings.namespace.name, secrets))
    return Verification(name, settings.namespace.name, repository, findings)


def _findings(cluster: Cluster, settings: DagsterSettings, repository: Repository) -> Iterator[Finding]:
    namespace = settings.namespace.name
    pods = cluster.pods(namespace, naming.DAGSTER)
    workloads = workloads_of(settings)
    missing = _missing_part(namespace) if pods else UP
    for workload in workloads:
        yield from compare_pods(workload, workload.pods_in(pods), namespace, missing)
    webserver, _, code_location = workloads
    yield from compare_deployed(code_location.pods_in(pods), repository)
    yield from compare_loaded(cluster, namespace, webserver.pods_in(pods), repository)
    yield from compare_databases(cluster, settings, datetime.now(UTC))


# Pods and the stack


def workloads_of(settings: DagsterSettings) -> tuple[Workload, Workload, Workload]:
    """The webserver, the daemon and the code location, by the labels of the chart."""
    return (
        Workload("webserver", "dagster-webserver", _dagsters_image(settings, "dagsterWebserver")),
        Workload("daemon", "dagster-daemon", _dagsters_image(settings, "dagsterDaemon")),
        Workload("code location", "user-deployments", settings.parsed_image, naming.CODE_LOCATION),
    )


def _dagsters_image(settings: DagsterSettings, chart_key: str) -> Image:
    """The image of a part that Dagster publishes: the chart's version, unless the stack overrides it."""
    given = _child(_child(settings.extra_values, chart_key), "image")
    repository, tag, digest = (str(_child(given, key) or "") for key in ("repository", "tag", "digest"))
    return Image(repository, tag or (None if digest else settings.chart.version), digest or None)


def _child(value: JsonValue, key: str) -> JsonValue:
    return value.get(key) if isinstance(value, dict) else None


def _missing_part(namespace: str) -> str:
    """What restores a part whose other parts run: the engine compares Helm's record alone, which is unchanged."""
    apply = f"kubectl apply --namespace {namespace} --filename -"
    return f"`helm get manifest {naming.DAGSTER} --namespace {namespace} | {apply}` restores it: `pulumi up` does not"


def compare_pods(workload: Workload, pods: Sequence[Pod], namespace: str, missing: str = UP) -> Iterator[Finding]:
    """Compare the pods of a part of the release with the stack.

    Args:
        workload: The part.
        pods: Its pods.
        namespace: Their namespace, for remedies.
        missing: The remedy if there are none.
    """
    if not pods:
        yield Finding("pods", workload.name, "at least one", "none", "differs", missing)
        return
    yield from _rollout(workload, pods, namespace)
    for pod in pods:
        if not pod.ready:
            remedy = f"wait for it; `kubectl describe pod {pod.name} --namespace {namespace}` shows details"
            yield Finding("ready", pod.name, "yes", f"no: {pod.reason}", "differs", remedy)
        yield _compare_image(workload, pod)
    digests = sorted({pod.digest for pod in pods if pod.digest})
    if workload.image.digest is None and len(digests) > 1:
        remedy = "the tag was moved: declare the image by its digest"
        yield Finding("one image", workload.name, "yes", ", ".join(digests), "differs", remedy)


def _rollout(workload: Workload, pods: Sequence[Pod], namespace: str) -> Iterator[Finding]:
    revisions = Counter(pod.revision for pod in pods)
    if len(revisions) > 1:
        shown = ", ".join(f"{name} ({pluralize(count, 'pod')})" for name, count in sorted(revisions.items()))
        remedy = f"wait until the rollout ends: `kubectl get pods --namespace {namespace} --watch`"
        yield Finding("roll-out", workload.name, "one ReplicaSet", shown, "differs", remedy)


def _compare_image(workload: Workload, pod: Pod) -> Finding:
    requested, declared = _parsed(pod.image), workload.image
    digest = pod.digest or requested.digest
    shown = str(Image(requested.repository, requested.tag, digest))
    state, remedy = _image_state(declared, requested, digest)
    if remedy == BY_TAG and workload.deployment == "":
        # Dagster's own tags are versions, which are not moved.
        state, remedy = "same", ""
    return Finding("image", pod.name, str(declared), shown, state, remedy)


def _image_state(declared: Image, requested: Image, digest: str | None) -> tuple[State, str]:
    """The result and the remedy. The digest is of the image on the node; None if the node does not report it."""
    if declared.repository not in ("", requested.repository):
        return "differs", UP
    if declared.digest is None:
        return ("unknown", BY_TAG) if declared.tag == requested.tag else ("differs", UP)
    if digest is None:
        return "unknown", "the node does not report the digest: run this again once the pod has started"
    return ("same", "") if declared.digest == digest else ("differs", UP)


def _parsed(reference: str) -> Image:
    """A reference split without validation: a cluster may run an image that a stack may not declare."""
    name, _, digest = reference.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, ""
    return Image(repository, tag or None, digest or None)


# The secrets of sources


def secrets_of(lake: Lake) -> Mapping[str, str]:
    """The Kubernetes secrets that Dagster needs for a lake's sources and warehouses, each with its owner."""
    found = {naming.source_secret(source.name): source.name for source in lake.dlt.sources}
    if any(lake.arrives_by_job(each) for each in lake.connections):
        found[naming.WAREHOUSES_SECRET] = "warehouses"
    return found


def compare_secrets(cluster: Cluster, namespace: str, secrets: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the cluster has each secret, whose values are not read.

    Args:
        cluster: The cluster.
        namespace: The namespace of Dagster.
        secrets: As of `secrets_of`.
    """
    for name, owner in secrets.items():
        what = f"secret of {owner}"
        try:
            found = cluster.find(_SECRETS, ClusterObject, name, namespace)
        except ClusterError as error:
            yield Finding(what, name, "exists", f"unknown: {error.message}", "unknown", error.hint)
            continue
        if found is None:
            yield Finding(what, name, "exists", "missing", "differs", UP)
        else:
            yield Finding(what, name, "exists", "exists", "same")


# The code location and the repository


def compare_deployed(pods: Sequence[Pod], repository: Repository) -> Iterator[Finding]:
    """Compare the annotations of the code location's pods with the repository."""
    for pod in pods:
        definitions = pod.annotations.get(naming.DEFINITIONS_ANNOTATION, "")
        yield _compare_definitions("definitions deployed", pod.name, definitions, repository, UP)
        if naming.COMMIT_ANNOTATION in pod.annotations:
            yield _compare_commit("commit deployed", pod.name, pod.annotations[naming.COMMIT_ANNOTATION], repository)


def compare_loaded(
    cluster: Cluster, namespace: str, webservers: Sequence[Pod], repository: Repository
) -> Iterator[Finding]:
    """Compare the build that the code location reports with the repository."""
    where = naming.CODE_LOCATION
    try:
        build = _reported_build(cluster, namespace, webservers)
    except ClusterError as error:
        reason = f"unknown: {error.message}"
        yield Finding("definitions loaded", where, repository.definitions, reason, "unknown", error.hint)
        return
    remedy = "set lotus:dagster.image to the image of this commit, and `pulumi up`; or check out the commit that runs"
    yield _compare_definitions("definitions loaded", where, build.definitions, repository, remedy)
    yield _compare_commit("commit loaded", where, build.commit, repository)


def _reported_build(cluster: Cluster, namespace: str, webservers: Sequence[Pod]) -> Build:
    pod = next((each for each in webservers if each.ready and each.port is not None), None)
    if pod is None or pod.port is None:
        raise ClusterError("no webserver is ready to answer")
    return build_in(cluster.get(namespace, pod.name, pod.port, "graphql", QUERY), naming.CODE_LOCATION)


class _Value(BaseModel):
    key: str
    value: str


class _Resource(BaseModel):
    name: str
    values: Annotated[tuple[_Value, ...], Field(alias="configuredValues")]


class _Repository(BaseModel):
    resources: Annotated[tuple[_Resource, ...], Field(alias="allTopLevelResourceDetails")]


class _Loaded(BaseModel):
    repositories: tuple[_Repository, ...] = ()
    message: str = ""


class _Location(BaseModel):
    name: str
    loaded: Annotated[_Loaded | None, Field(alias="locationOrLoadError")] = None


class _Workspace(BaseModel):
    locations: Annotated[tuple[_Location, ...], Field(alias="locationEntries")]


class _Data(BaseModel):
    workspace: Annotated[_Workspace, Field(alias="workspaceOrError")]


class _Answer(BaseModel):
    data: _Data


def build_in(answer: object, location: str) -> Build:
    """Read the build of a code location from Dagster's answer to `QUERY`.

    Raises:
        ClusterError: The answer does not contain it.
    """
    try:
        workspace = _Answer.model_validate(answer).data.workspace
    except ValidationError:
        hint = "is it Dagster, of the chart's version?"
        raise ClusterError("the webserver's answer has an unknown format", hint) from None
    found = next((each for each in workspace.locations if each.name == location), None)
    if found is None:
        raise ClusterError(f"Dagster has no code location {location}", UP)
    if found.loaded is None or not found.loaded.repositories:
        why = one_line(found.loaded.message) if found.loaded is not None else "it is still loading"
        raise ClusterError(f"the code location is not loaded: {why}", "Dagster's UI shows details, under Deployment")
    resources = {each.name: each for repository in found.loaded.repositories for each in repository.resources}
    if RESOURCE not in resources:
        raise ClusterError(f"the code location has no resource {RESOURCE}", "its image is older than `lotus verify`")
    # Dagster shows configured values as JSON.
    values = {each.key: each.value.strip('"') for each in resources[RESOURCE].values}
    return Build(values.get("commit", ""), values.get("definitions", ""))


def _compare_definitions(what: str, where: str, found: str, repository: Repository, remedy: str) -> Finding:
    if not found:
        return Finding(what, where, repository.definitions, "not reported", "unknown", UP)
    if found == repository.definitions:
        return Finding(what, where, repository.definitions, found, "same")
    if repository.dirty:
        remedy = f"commit or stash the changes here; then {remedy}"
    return Finding(what, where, repository.definitions, found, "differs", remedy)


def _compare_commit(what: str, where: str, found: str, repository: Repository) -> Finding:
    """An earlier commit is not a difference: the commit that sets an image is later than the image's own."""
    if found == repository.commit:
        return Finding(what, where, repository.commit, found, "same")
    later = repository.commits_since(found)
    if later is None:
        remedy = "run `git fetch`; if the commit is still missing, the image was built from another repository"
        return Finding(what, where, repository.commit, f"{found}, not in this history", "differs", remedy)
    return Finding(what, where, repository.commit, f"{found}, {pluralize(later, 'commit')} earlier", "same")


# Output


def render(verified: Verification) -> str:
    """The comparisons as a table, with remedies and a summary below."""
    rows = (_cells(each) for each in verified.findings)
    return f"{table(_COLUMNS, rows)}\n" + "".join(f"{escape_unprintable(line)}\n" for line in _lines(verified))


def _cells(finding: Finding) -> tuple[str | Cell, ...]:
    texts = (finding.what, finding.where, finding.declared, finding.running)
    return (Cell(finding.state, _TONES[finding.state]), *(_shortened(text) for text in texts))


def _lines(verified: Verification) -> Iterator[str]:
    for finding in verified.findings:
        if finding.remedy:
            yield f"{finding.what} of {finding.where}: {_shortened(finding.remedy)}"
    states = Counter(finding.state for finding in verified.findings)
    numbers = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    changes = " and uncommitted changes" if verified.repository.dirty else ""
    commit = verified.repository.commit[:SHORT]
    yield (
        f"{verified.stack}, namespace {verified.namespace}, compared with {commit}{changes}: "
        f"{pluralize(states.total(), 'comparison')}, {numbers}"
    )


def _shortened(text: str) -> str:
    """Shorten commits and fingerprints for the table; documents have them in full."""
    return re.sub(rf"\b([0-9a-f]{{{SHORT}}})[0-9a-f]{{28,52}}\b", r"\1", text)


def as_document(verified: Verification) -> dict[str, JsonValue]:
    """The comparisons as one JSON document."""
    return {
        "ok": verified.ok,
        "stack": verified.stack,
        "namespace": verified.namespace,
        "commit": verified.repository.commit,
        "dirty": verified.repository.dirty,
        "definitions": verified.repository.definitions,
        "findings": [dict(asdict(finding)) for finding in verified.findings],
    }
