"""What to do when the Kubernetes plugin can't write an object or the Helm release, by its error.

The plugin's error has the cause of most failures, so a line says what to do about it. If the plugin has timed out,
the cause is in the cluster, where a function that the program passes in finds it. Any other error stands for itself.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi

from lotus_infra.errors import DOCS, masked_urls
from lotus_infra.lake.diagnostics import escape_unprintable

PAGE: Final = f"{DOCS}/how-to/deploy-dagster.md"
RECOVERY: Final = f"{DOCS}/how-to/recover-a-killed-run.md"
FORCE_VARIABLE: Final = "PULUMI_K8S_ENABLE_PATCH_FORCE"
"""The plugin's own variable: with `true`, it overwrites the fields of others."""
FORCE: Final = f"{FORCE_VARIABLE}=true pulumi up"
_INTERRUPTED: Final = re.compile(r"context canceled")
_IN_VAIN: Final = re.compile(
    r"deadline exceeded|timed out|[Tt]imeout|rate limiter|failed to fully initialize"
    r"|[Jj]ob \S* ?failed|BackoffLimitExceeded|hooks? failed|failed (?:pre|post)-",
)
"""The words of Helm and of the plugin when pods, jobs or conditions have not become what they wait for."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause that the plugin's error names.

    Attributes:
        pattern: Its words there.
        remedy: What to do; may name the pattern's groups, and `namespace`.
    """

    pattern: re.Pattern[str]
    remedy: str


def _cause(pattern: str, remedy: str) -> Cause:
    return Cause(re.compile(pattern, re.DOTALL), remedy)


CAUSES: Final = (
    _cause(
        r"another operation \(install/upgrade/rollback\) is in progress|cannot re-use a name that is still in use",
        "a killed run left it unfinished, unless another run is at work: `lotus doctor` names the repair",
    ),
    _cause(
        r'failing loading "(?P<url>https?://[^"#]+)',
        "the chart's schema refers to {url}, which this machine can't read: allow that address, or use a chart that "
        f"does not need it: {PAGE}",
    ),
    _cause(
        r"don't meet the specifications of the schema",
        "the chart refuses a value: change the key of lotus:dagster that sets it",
    ),
    _cause(
        r"exceeded quota: (?P<quota>[\w.-]+)",
        "raise the quota {quota} of the namespace {namespace}, or lower the resources in lotus:dagster",
    ),
    _cause(
        r'violates PodSecurity "(?P<level>[^"]+)"',
        "the namespace {namespace} allows only pods of the level {level}: set their securityContext by extraValues, or "
        "change the namespace's label",
    ),
    _cause(
        r'admission webhook "(?P<webhook>[^"]+)" denied the request',
        "a rule of the cluster refuses it: change the setting, or ask the owner of {webhook}",
    ),
    _cause(
        r'failed calling webhook "(?P<webhook>[^"]+)"',
        "the operator behind {webhook} does not answer: start it, and run `pulumi up` again",
    ),
    _cause(
        r'cannot (?P<verb>\w+) resource "(?P<resource>[\w/]+)"',
        "the cluster's administrator grants it; `kubectl auth can-i {verb} {resource} --namespace {namespace}` must "
        "answer yes",
    ),
    _cause(
        r"attempting to grant RBAC permissions not currently held",
        "the chart gives Dagster permissions that you do not have: the cluster's administrator grants them to you, and "
        "`lotus doctor` lists them",
    ),
    _cause(
        r'cannot patch "(?P<object>[^"]+)" with kind (?P<kind>Deployment|Job|Service|Ingress):.*field is immutable',
        "delete the object, and run `pulumi up` again, which creates it: "
        "kubectl delete {kind} {object} --namespace {namespace}",
    ),
    _cause(
        r'(?P<kind>\w+) "(?P<object>[^"]+)" in namespace "[^"]*" exists and cannot be imported',
        "it is not the release's own: delete it, or use another namespace: "
        "kubectl delete {kind} {object} --namespace {namespace}",
    ),
    _cause(
        r'namespaces "(?P<missing>[^"]+)" not found',
        "create the namespace {missing}, or set namespace.create: true in lotus:dagster",
    ),
    _cause(
        r'no matches for kind "(?P<kind>[^"]+)" in version "(?P<version>[^"]+)"',
        "the cluster does not have {version}: install the operator that defines it, and run `pulumi up` again",
    ),
    _cause(
        r"has no deployed releases|Release not loaded",
        "the cluster does not have the release that the state has: run `pulumi refresh`, and then `pulumi up`",
    ),
    _cause(
        r'conflicts? with "(?P<manager>lotus/[^"]+)"',
        "the stack {manager} has made it: use another namespace",
    ),
    _cause(
        r'conflicts? with "(?P<manager>pulumi-kubernetes-[^"]+)"',
        f"a run that was killed has made it under another name, {{manager}}: {RECOVERY}",
    ),
    _cause(
        r'conflicts? with "(?P<manager>[^"]+)"',
        f"{{manager}} has changed what the stack sets: undo that change, or overwrite it once: {FORCE}",
    ),
)
"""The first that matches is the cause."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that could not be written.

    Attributes:
        kind: Of the object: `Release`, `Secret`.
        name: Its name in Pulumi.
        namespace: Its namespace.
        error: The plugin's error.
    """

    kind: str
    name: str
    namespace: str
    error: str


def reasons(failed: Failure, in_cluster: Callable[[], Sequence[str]] | None = None) -> Iterator[str]:
    """The lines that a user reads beside the plugin's error; none if that says everything.

    Args:
        failed: The object.
        in_cluster: Finds causes in the cluster.
    """
    if _INTERRUPTED.search(failed.error):
        return
    for cause in CAUSES:
        found = cause.pattern.search(failed.error)
        if found is not None:
            words = {"namespace": failed.namespace, **found.groupdict()}
            remedy = cause.remedy.format(**{key: _as_argument(key, word) for key, word in words.items()})
            yield f"{failed.kind} {failed.name}: {remedy}"
            return
    if in_cluster is not None and _IN_VAIN.search(failed.error):
        yield from in_cluster()


def log_reasons(
    namespace: str, in_cluster: Callable[[], Sequence[str]] | None = None
) -> Callable[[pulumi.ErrorHookArgs], bool]:
    """A hook that logs the reasons for failures, each once. It does not try again."""
    logged: set[str] = set()

    def log(args: pulumi.ErrorHookArgs) -> bool:
        failed = Failure(args.type.rpartition(":")[2], args.name, namespace, args.errors[0] if args.errors else "")
        for line in reasons(failed, in_cluster):
            # One cause often stops several objects.
            reason = line.removeprefix(f"{failed.kind} {failed.name}: ")
            if reason not in logged:
                logged.add(reason)
                # A pod's message may be anything: addresses with a login, and characters that a terminal obeys.
                pulumi.log.error(escape_unprintable(masked_urls(line)))
        return False

    return log


def _as_argument(key: str, word: str) -> str:
    return word.lower() if key == "kind" else word
