"""Whether it is this repository that was deployed, and that the code location has loaded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from lotus_infra import naming
from lotus_infra.ops.cluster import Cluster, ClusterError, Pod
from lotus_infra.ops.repository import Repository
from lotus_infra.ops.verify_pods import UP, Finding
from lotus_infra.streams.problems import counted

RESOURCE = "build"
QUERY = """{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
    ... on RepositoryLocation { repositories { allTopLevelResourceDetails { name configuredValues { key value } } } }
    ... on PythonError { message } } } } } }"""


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
