"""The Helm release of Dagster's chart, which is ready when its pods are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.cluster.settings import Chart
from lotus_infra.cluster.values import FINGERPRINT


@dataclass(frozen=True)
class ReleasePlan:
    """What a release is made of.

    Attributes:
        chart: which chart.
        namespace: where it goes; it must be there.
        timeout_seconds: how long its pods may take to become ready.
        values: the chart's values, with a word where the fingerprint goes.
        fingerprint: of the credentials that pods hold.
        why: tells why pods don't run, once the release has failed.
    """

    chart: Chart
    namespace: str
    timeout_seconds: int
    values: Mapping[str, JsonValue]
    fingerprint: pulumi.Input[str]
    why: Callable[[], Sequence[str]]


class DagsterRelease(pulumi.ComponentResource):
    """A release (`lotus:dagster:Release`).

    It waits for its pods, so that whatever comes after it, such as the end of an old key, comes when they run. One that
    fails is left as it is, not rolled back: what went wrong can be looked at, and the next `up` goes on from there.
    """

    def __init__(self, name: str, plan: ReleasePlan, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lotus:dagster:Release", name, None, opts)
        chart = plan.chart
        told = pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"{name}-why", telling(plan.why))])
        Release(
            name,
            name=naming.DAGSTER,
            chart=chart.path or _named(chart),
            repository_opts=None if _packed(chart) else RepositoryOptsArgs(repo=chart.repository),
            version=None if chart.path else chart.version,
            namespace=plan.namespace,
            values=filled(plan.values, {FINGERPRINT: plan.fingerprint}),
            timeout=plan.timeout_seconds,
            atomic=False,
            cleanup_on_fail=False,
            skip_await=False,
            wait_for_jobs=True,
            max_history=10,
            opts=pulumi.ResourceOptions(
                parent=self, hooks=told, depends_on=opts.depends_on if opts is not None else None
            ),
        )
        self.register_outputs({})


def filled(value: Any, words: Mapping[str, pulumi.Input[str]]) -> Any:
    """A copy of values with outputs in the places of words."""
    if isinstance(value, Mapping):
        return {key: filled(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, words) for inner in value]
    return words.get(value, value) if isinstance(value, str) else value


def _packed(chart: Chart) -> bool:
    """Whether the chart's own name says where it is."""
    return chart.path is not None or chart.repository.startswith("oci://")


def _named(chart: Chart) -> str:
    return f"{chart.repository}/{naming.DAGSTER}" if _packed(chart) else naming.DAGSTER


def telling(why: Callable[[], Sequence[str]]) -> Callable[[pulumi.ErrorHookArgs], bool]:
    """A hook of the engine: says what the pods say, and has nothing tried again."""

    def tell(_: pulumi.ErrorHookArgs) -> bool:
        for line in why():
            pulumi.log.error(line)
        return False

    return tell
