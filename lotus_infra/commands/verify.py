"""`lotus verify`: hold what a cluster runs against what the stack declares and against the repository.

Three questions: does every pod of Dagster's release run the image that the stack names; was it the state of this
repository that was deployed; and is it this state that the code location has loaded. Nothing is changed.
"""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import click
from pydantic import BaseModel, Field, JsonValue, ValidationError
from rich.console import Console
from rich.table import Table

from lotus_infra import naming
from lotus_infra.clients.git import Repository
from lotus_infra.clients.kubernetes import Cluster, ClusterError, Pod
from lotus_infra.commands.options import JSON, STREAMS
from lotus_infra.config.dagster import KEY, DagsterSettings
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from lotus_infra.images import Image
from lotus_infra.lake.diagnostics import counted, printable

State = Literal["same", "differs", "unknown"]
UP = "`pulumi up` brings it about"
_BY_TAG = "a tag can be moved: declare the image by the digest that runs"
RESOURCE = "build"
QUERY = """{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
    ... on RepositoryLocation { repositories { allTopLevelResourceDetails { name configuredValues { key value } } } }
    ... on PythonError { message } } } } } }"""
_SHORT = 12


@click.command()
@click.option("--stack", help="The stack whose Dagster is meant; else $PULUMI_STACK, else the only one of the project.")
@click.option("--kubeconfig", help="The file that leads to the cluster; else the stack's, else the usual one.")
@click.option("--context", help="One of its contexts; else the stack's, else the current one.")
@STREAMS
@JSON
def verify(stack: str | None, kubeconfig: str | None, context: str | None, directory: Path, *, as_json: bool) -> None:
    """Hold what the cluster runs against the stack and this repository; exit with 1 if anything differs.

    Example: lotus verify --stack prod
    """
    verified = verify_cluster(directory, stack, kubeconfig, context)
    click.echo(json.dumps(as_document(verified), indent=2) if as_json else render(verified), nl=as_json)
    if not verified.ok:
        sys.exit(1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was compared.

    Attributes:
        what: What it is.
        where: The pod, or the part of the release.
        declared: What it should be.
        running: What it is.
        state: Whether they are the same; `unknown` where the cluster does not say.
        remedy: What to do; empty where nothing is.
    """

    what: str
    where: str
    declared: str
    running: str
    state: State
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the release, and what it should run.

    Attributes:
        name: What people call it.
        component: The chart's label of its pods.
        image: What the stack declares; of the vendor's parts the chart knows the repository, which is then empty here.
        deployment: The chart's second label, where one component has several parts.
    """

    name: str
    component: str
    image: Image
    deployment: str = ""

    def of(self, pods: Sequence[Pod]) -> list[Pod]:
        """Its pods."""
        return [pod for pod in pods if pod.component == self.component and self.deployment in ("", pod.deployment)]


def parts_of(settings: DagsterSettings) -> tuple[Part, Part, Part]:
    """The webserver, the daemon and the code location; by the names of the chart's labels."""
    return (
        Part("webserver", "dagster-webserver", _vendors(settings, "dagsterWebserver")),
        Part("daemon", "dagster-daemon", _vendors(settings, "dagsterDaemon")),
        Part("code location", "user-deployments", settings.parsed_image, naming.CODE_LOCATION),
    )


def _vendors(settings: DagsterSettings, part: str) -> Image:
    """The image of a part that Dagster's makers build: of the chart's version, unless the stack says another."""
    given = _below(_below(settings.extra_values, part), "image")
    repository, tag, digest = (str(_below(given, key) or "") for key in ("repository", "tag", "digest"))
    return Image(repository, tag or (None if digest else settings.chart.version), digest or None)


def _below(value: JsonValue, key: str) -> JsonValue:
    return value.get(key) if isinstance(value, dict) else None


def compare(part: Part, pods: Sequence[Pod], namespace: str) -> Iterator[Finding]:
    """Everything about the pods of a part.

    Args:
        part: The part.
        pods: Its pods.
        namespace: Where they are, for remedies.
    """
    if not pods:
        yield Finding("pods", part.name, "at least one", "none", "differs", UP)
        return
    yield from _roll_out(part, pods, namespace)
    for pod in pods:
        if not pod.ready:
            remedy = f"wait for it; `kubectl describe pod {pod.name} --namespace {namespace}` says more"
            yield Finding("ready", pod.name, "yes", f"no: {pod.reason}", "differs", remedy)
        yield _image(part, pod)
    digests = sorted({pod.digest for pod in pods if pod.digest})
    if part.image.digest is None and len(digests) > 1:
        remedy = "the tag was moved: declare the image by its digest"
        yield Finding("one image", part.name, "yes", ", ".join(digests), "differs", remedy)


def _roll_out(part: Part, pods: Sequence[Pod], namespace: str) -> Iterator[Finding]:
    revisions = Counter(pod.revision for pod in pods)
    if len(revisions) > 1:
        told = ", ".join(f"{name} ({counted(count, 'pod')})" for name, count in sorted(revisions.items()))
        remedy = f"wait until the roll-out is over: `kubectl get pods --namespace {namespace} --watch`"
        yield Finding("roll-out", part.name, "one ReplicaSet", told, "differs", remedy)


def _image(part: Part, pod: Pod) -> Finding:
    asked, declared = _written(pod.image), part.image
    digest = pod.digest or asked.digest
    running = str(Image(asked.repository, asked.tag, digest))
    state, remedy = _held_against(declared, asked, digest)
    if remedy == _BY_TAG and part.deployment == "":
        # The vendor's tags are versions, and nothing of the company's is in them.
        state, remedy = "same", ""
    return Finding("image", pod.name, str(declared), running, state, remedy)


def _held_against(declared: Image, asked: Image, digest: str | None) -> tuple[State, str]:
    if declared.repository not in ("", asked.repository):
        return "differs", UP
    if declared.digest is None:
        return ("unknown", _BY_TAG) if declared.tag == asked.tag else ("differs", UP)
    if digest is None:
        return "unknown", "the node does not tell the digest: ask again once the pod has started"
    return ("same", "") if declared.digest == digest else ("differs", UP)


def _written(reference: str) -> Image:
    """A reference in its parts, whatever it is: a cluster may run what a stack would be refused."""
    name, _, digest = reference.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, ""
    return Image(repository, tag or None, digest or None)


@dataclass(frozen=True, slots=True)
class Build:
    """What the code location says of itself; empty where it does not."""

    commit: str
    definitions: str


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


def deployed(pods: Sequence[Pod], repository: Repository) -> Iterator[Finding]:
    """What the annotations of the code location's pods tell of the state that was deployed."""
    for pod in pods:
        definitions = pod.annotations.get(naming.DEFINITIONS_ANNOTATION, "")
        yield _definitions("definitions deployed", pod.name, definitions, repository, UP)
        if naming.COMMIT_ANNOTATION in pod.annotations:
            yield _commit("commit deployed", pod.name, pod.annotations[naming.COMMIT_ANNOTATION], repository)


def running(cluster: Cluster, namespace: str, webservers: Sequence[Pod], repository: Repository) -> Iterator[Finding]:
    """What the code location itself tells, by way of Dagster's pages."""
    where = naming.CODE_LOCATION
    try:
        build = _asked(cluster, namespace, webservers)
    except ClusterError as error:
        yield Finding(
            "definitions loaded", where, repository.definitions, f"not known: {error.message}", "unknown", error.hint
        )
        return
    remedy = "name the image of this commit in lotus:dagster.image, and `pulumi up`; or check out the commit that runs"
    yield _definitions("definitions loaded", where, build.definitions, repository, remedy)
    yield _commit("commit loaded", where, build.commit, repository)


def _asked(cluster: Cluster, namespace: str, webservers: Sequence[Pod]) -> Build:
    pod = next((each for each in webservers if each.ready and each.port is not None), None)
    if pod is None or pod.port is None:
        raise ClusterError("no webserver is ready to be asked")
    return told_by(cluster.get(namespace, pod.name, pod.port, "graphql", QUERY), naming.CODE_LOCATION)


def told_by(answer: object, location: str) -> Build:
    """The build of a code location in Dagster's answer to the query.

    Raises:
        ClusterError: The answer does not tell it.
    """
    try:
        workspace = _Answer.model_validate(answer).data.workspace
    except ValidationError:
        raise ClusterError("the webserver's answer makes no sense", "is it Dagster, of the chart's version?") from None
    found = next((each for each in workspace.locations if each.name == location), None)
    if found is None:
        raise ClusterError(f"Dagster knows no code location {location}", UP)
    if found.loaded is None or not found.loaded.repositories:
        why = " ".join(found.loaded.message.split())[:200] if found.loaded is not None else "it is still loading"
        raise ClusterError(f"the code location is not loaded: {why}", "Dagster's pages say more, under Deployment")
    resources = {each.name: each for repository in found.loaded.repositories for each in repository.resources}
    if RESOURCE not in resources:
        raise ClusterError(f"the code location has no resource {RESOURCE}", "its image is older than `lotus verify`")
    told = {each.key: each.value.strip('"') for each in resources[RESOURCE].values}
    return Build(told.get("commit", ""), told.get("definitions", ""))


def _definitions(what: str, where: str, found: str, repository: Repository, remedy: str) -> Finding:
    if not found:
        return Finding(what, where, repository.definitions, "not told", "unknown", UP)
    if found == repository.definitions:
        return Finding(what, where, repository.definitions, found, "same")
    if repository.dirty:
        remedy = f"commit what is changed here, or stash it; then {remedy}"
    return Finding(what, where, repository.definitions, found, "differs", remedy)


def _commit(what: str, where: str, found: str, repository: Repository) -> Finding:
    """An earlier commit is no difference by itself: the one that names an image in the stack's file comes after it."""
    if found == repository.commit:
        return Finding(what, where, repository.commit, found, "same")
    later = repository.commits_since(found)
    if later is None:
        remedy = "`git fetch` may bring it; else somebody built the image of something that is not in the repository"
        return Finding(what, where, repository.commit, f"{found}, not in this history", "differs", remedy)
    return Finding(what, where, repository.commit, f"{found}, {counted(later, 'commit')} before", "same")


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


def verify_cluster(
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
    name = project.select(stack, os.environ)
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


def render(verified: Verified) -> str:
    """What was compared, as text."""
    console = Console()
    with console.capture() as captured:
        console.print(_table(verified))
    return captured.get() + "".join(f"{printable(line)}\n" for line in _lines(verified))


def _table(verified: Verified) -> Table:
    made = Table("", "what", "where", "declared", "running")
    for finding in verified.findings:
        cells = (finding.state, finding.what, finding.where, finding.declared, finding.running)
        made.add_row(*(printable(_shortened(cell)) for cell in cells))
    return made


def _lines(verified: Verified) -> Iterator[str]:
    for finding in verified.findings:
        if finding.remedy:
            yield f"{finding.what} of {finding.where}: {_shortened(finding.remedy)}"
    states = Counter(finding.state for finding in verified.findings)
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    changes = " and changes that are not committed" if verified.repository.dirty else ""
    commit = verified.repository.commit[:_SHORT]
    yield (
        f"{verified.stack}, namespace {verified.namespace}, held against {commit}{changes}: "
        f"{counted(states.total(), 'comparison')}, {told}"
    )


def _shortened(text: str) -> str:
    """A text whose commits and fingerprints are short enough for a table; documents have them in full."""
    return re.sub(rf"\b([0-9a-f]{{{_SHORT}}})[0-9a-f]{{28,52}}\b", r"\1", text)


def as_document(verified: Verified) -> dict[str, JsonValue]:
    """What was compared, as one JSON document."""
    return {
        "ok": verified.ok,
        "stack": verified.stack,
        "namespace": verified.namespace,
        "commit": verified.repository.commit,
        "dirty": verified.repository.dirty,
        "definitions": verified.repository.definitions,
        "findings": [dict(asdict(finding)) for finding in verified.findings],
    }
