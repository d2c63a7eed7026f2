"""The shipped schema file: it matches the chart's schemas, without their prose."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lotus_infra.helm.chart_schema import FILE, UNLISTED, document, remote_schemas, values_schema
from tests.support.shared import shared
from toolchain.chart_schema import build, main, render

KUBERNETES = {
    "io.k8s.api.apps.v1.DeploymentStrategy",
    "io.k8s.api.core.v1.Affinity",
    "io.k8s.api.core.v1.ConfigMapEnvSource",
    "io.k8s.api.core.v1.Container",
    "io.k8s.api.core.v1.EnvVar",
    "io.k8s.api.core.v1.LocalObjectReference",
    "io.k8s.api.core.v1.PodSecurityContext",
    "io.k8s.api.core.v1.PodSpec/properties/nodeSelector",
    "io.k8s.api.core.v1.PodSpec/properties/tolerations",
    "io.k8s.api.core.v1.Probe",
    "io.k8s.api.core.v1.ResourceRequirements",
    "io.k8s.api.core.v1.SecretEnvSource",
    "io.k8s.api.core.v1.SecurityContext",
    "io.k8s.api.core.v1.Volume",
    "io.k8s.api.core.v1.VolumeMount",
    "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta/properties/annotations",
}


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema of a document; maps of properties are not schemas themselves."""
    if isinstance(node, list):
        for inner in node:
            yield from schemas(inner)
    if isinstance(node, dict):
        yield node
        for keyword in ("properties", "$defs"):
            yield from schemas(list(node.get(keyword, {}).values()))
        for keyword in ("items", "additionalProperties", "anyOf", "allOf", "if", "then"):
            yield from schemas(node.get(keyword))


def test_the_shipped_file_matches_the_charts_schemas() -> None:
    remedy = "run `python -m toolchain.chart_schema SCHEMA_FOLDER`"
    assert FILE.read_text(encoding="utf-8") == render(build(shared("dagster-chart"))), remedy


def test_the_generator_writes_the_file(tmp_path: Path) -> None:
    target = tmp_path / "facts.json"

    assert main([str(shared("dagster-chart")), str(target)]) == 0
    assert json.loads(target.read_text(encoding="utf-8")) == document()
    assert main([]) == 1


def test_the_file_has_no_prose_and_lists_the_skipped_schemas_of_kubernetes() -> None:
    facts = document()

    assert set(facts["skipped"]) == KUBERNETES  # type: ignore[arg-type]
    for chart in (facts["chart"], facts["dagster-user-deployments"]):
        assert all(not {"title", "description", "default", "examples"} & set(schema) for schema in schemas(chart))


def test_the_resolved_schema_has_no_references() -> None:
    assert "$ref" not in json.dumps(values_schema())


def test_keys_that_the_schema_does_not_list_are_really_unlisted() -> None:
    chart: Any = document()["chart"]
    for path in UNLISTED:
        parent = chart if len(path) == 1 else chart["$defs"][DEFINITIONS[path[0]]]
        assert path[-1] not in parent["properties"]


DEFINITIONS = {
    "global": "Global",
    "ingress": "Ingress",
    "postgresql": "PostgreSQL",
    "dagster-user-deployments": "UserDeployments",
}


def test_the_schemas_on_other_servers_are_those_of_the_charts_files(tmp_path: Path) -> None:
    [address] = remote_schemas()
    chart = tmp_path / "dagster"
    subchart = chart / "charts" / "dagster-user-deployments"
    subchart.mkdir(parents=True)
    schema, files = subchart / "values.schema.json", shared("dagster-chart")
    schema.write_bytes((files / "user-deployments.values.schema.json").read_bytes())
    (chart / "values.schema.json").write_bytes((files / "values.schema.json").read_bytes())

    assert remote_schemas(chart) == (address,)
    schema.unlink()
    assert remote_schemas(chart) == ()
