"""Whether pods run what the stack declares: pure, given what the stack says and what the cluster answered."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.cluster.settings import DagsterSettings
from lotus_infra.images import Image
from lotus_infra.ops.cluster import Pod
from lotus_infra.streams.problems import counted

State = Literal["same", "differs", "unknown"]
UP = "`pulumi up` brings it about"


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


_BY_TAG = "a tag can be moved: declare the image by the digest that runs"


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
