"""Every resource and property of the program has a verdict, and no change is safe unless the table says so."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi_airbyte.provider.registry import RESOURCES
from pulumi_airbyte.provider.tables import PROVIDER_CONFIG

from lotus_infra import program
from lotus_infra.plan.analysis import impact_of
from lotus_infra.plan.impact import (
    DECLARATIVE_DEFINITION,
    DESTINATION_DEFINITION,
    OAUTH_CREDENTIALS,
    PERMISSION,
    SOURCE_DEFINITION,
    TAG,
)
from lotus_infra.plan.preview import PropertyPath, read_preview
from lotus_infra.plan.verdicts import IDENTITY, SAFE, TABLE, differences, row_of
from tests.graph.recorder import Declared, Graph, drained
from tests.graph.test_dagster import EXTERNAL
from tests.graph.test_landing_zone import AWS, OTHER
from tests.support.dlt_lake import VALUES, project_with_dlt
from tests.support.previews import CONNECTION, DLT_SOURCE, Digest
from tests.support.production import REPOSITORY, SECRETS, as_config, changed, production

PODS = {
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"ephemeral-storage": "1Gi"}},
    "nodeSelector": {"a": "b"},
    "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3}],
}
PROBES = {"readinessProbe": {"periodSeconds": 3}, "livenessProbe": {"timeoutSeconds": 3}, "startupProbe": {}}
ENVIRONMENT = {"env": {"A": "b"}, "envSecrets": ["c"]}
DATABASE = PODS | {
    "instances": 3,
    "image": "ghcr.io/cloudnative-pg/postgresql:16.2",
    "storage": {"size": "9Gi", "storageClass": "fast"},
    "backup": {"schedule": "0 0 4 * * *", "keepDays": 9},
    "generation": 2,
    "recovery": {"generation": 1, "targetTime": "2026-02-01T03:00:00Z"},
    "database": "d",
    "user": "u",
}
EVERYTHING: dict[str, Any] = {
    "cluster": {"kubeconfig": "kube.yaml", "context": "lake"},
    "pullPolicy": "Always",
    "serviceAccount": {"role": "a"},
    "webserver": PODS | PROBES | {"replicas": 2},
    "daemon": PODS | PROBES,
    "codeLocation": PODS | ENVIRONMENT,
    "runs": PODS | ENVIRONMENT,
    "database": DATABASE,
    "catalog": DATABASE,
    "extraValues": {"dagsterWebserver": {"dbStatementTimeout": 3}},
}
BARE: dict[str, Any] = {
    "protect": False,
    "namespace": {"name": "given", "create": False},
    "chart.path": str(REPOSITORY / "dagster"),
    "database": EXTERNAL,
    "catalog": EXTERNAL,
    "computeLogs": "pod",
    "ingress": None,
}
PLAIN = {
    "ingress": {"host": "a.example.com", "tls": False},
    "database.backup": None,
    "catalog.backup.method": "barmanObjectStore",
    "chart.repository": "oci://a/b",
}
STACKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "production": ({}, {}),
    "every option": (EVERYTHING, AWS | {"expireRawDays": 9, "keys": ["1", "2"], "protect": False}),
    "as little as possible": (BARE, OTHER),
    "plain": (PLAIN, OTHER | {"features": ["versioning", "lifecycle", "encryption", "tls_only_policy"]}),
}
DEFINITIONS = (SOURCE_DEFINITION, DESTINATION_DEFINITION, DECLARATIVE_DEFINITION)


def recorded(name: str) -> Graph:
    """The program of a stack."""
    dagster, zone = STACKS[name]
    values = production()
    for path, value in dagster.items():
        values["dagster"] = changed(values["dagster"], path, value)
    values["landingZone"] = zone or values["landingZone"]
    keys = {f"s3_{who}{key}": "a-key" for who in ("", "reader_") for key in ("access_key_id", "secret_access_key")}
    backup = {f"s3_backup_{key}": "a-key" for key in ("access_key_id", "secret_access_key")}
    if zone.get("server") == "s3":
        values |= keys | backup
    return drained(program.run, as_config(values), SECRETS)


WITH_DLT = "a source that dlt reads"


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Graph]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        found = {name: recorded(name) for name in STACKS}
        patch.chdir(project_with_dlt(tmp_path_factory.mktemp("dlt")))
        found[WITH_DLT] = drained(program.run, as_config(production() | VALUES), [*SECRETS, "lotus:erp_api_key"])
        yield found


def leaves(value: Any, path: PropertyPath = ()) -> Iterator[PropertyPath]:
    """The path of every value that has no parts."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [leaf for key, item in items for leaf in leaves(item, (*path, str(key)))]
    yield from found or [path]


def objects(declared: dict[str, Graph]) -> dict[tuple[str, str, str], Declared]:
    """The resources of all stacks that are no mere components, by stack, type and name."""
    return {
        (stack, item.type, item.name): item
        for stack, graph in declared.items()
        for item in graph.resources
        if item.type == DLT_SOURCE or not item.type.startswith(("lotus:", "pulumi:pulumi:"))
    }


def test_every_type_and_property_of_the_program_has_a_verdict(declared: dict[str, Graph]) -> None:
    found = objects(declared)
    missing = {
        (item.type, ".".join(path))
        for item in found.values()
        for path in leaves(item.inputs)
        if item.type not in TABLE or row_of(item.type, path) is None
    }

    assert missing == set()
    assert {type_ for _, type_, _ in found} == set(TABLE) - {
        # Neither has a resource of the program: one of the chart has, or a program of the provider's users.
        "airbyte:index/workspace:Workspace",
        # These have a lake with connectors of its own, or with tags.
        *DEFINITIONS,
        TAG,
        PERMISSION,
        OAUTH_CREDENTIALS,
        "kubernetes:apps/v1:StatefulSet",
        "kubernetes:core/v1:PersistentVolumeClaim",
        # The engine registers it by itself.
        "pulumi:providers:airbyte",
    }


def test_every_property_of_the_airbyte_provider_has_a_verdict() -> None:
    fields = {resource.token: resource.inputs for resource in RESOURCES}
    fields["pulumi:providers:airbyte"] = PROVIDER_CONFIG
    missing = [
        (type_, field.name) for type_, each in fields.items() for field in each if row_of(type_, (field.name,)) is None
    ]
    assert missing == []
    # What the provider's own table calls replacing is no harmless property here.
    replacing = [(type_, field.name) for type_, each in fields.items() for field in each if field.replace]
    rows = [row_of(type_, (name,)) for type_, name in replacing]
    assert [row for row in rows if row is None or row.finding == SAFE] == []


NEW_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 400),
    st.sampled_from(["", "*", "Enabled", "Disabled", "7d", "1Gi", "pg:17.1", "raw/", "[secret]"]),
    st.just("04da6b54-80e4-46f7-96ec-b56ff0331ba9"),
    st.lists(st.just("a"), max_size=1),
    st.dictionaries(st.sampled_from(["a", "days"]), st.integers(0, 3), max_size=1),
)


def changed_at(value: Any, path: PropertyPath, new: Any) -> Any:
    """A copy with another value at a path; None takes it away."""
    if not path:
        return new
    if isinstance(value, list):
        at = int(path[0])
        return [changed_at(item, path[1:], new) if index == at else item for index, item in enumerate(value)]
    copy = dict(value)
    copy[path[0]] = changed_at(value.get(path[0]), path[1:], new)
    return {key: item for key, item in copy.items() if item is not None}


INDEX = st.integers(0, 10_000)


@settings(max_examples=400, deadline=None)
@given(which=INDEX, where=INDEX, depth=INDEX, value=NEW_VALUES, names=st.integers(0, 2))
def test_a_change_of_a_declared_property_is_safe_only_if_the_table_says_so(
    *, declared: dict[str, Graph], which: int, where: int, depth: int, value: Any, names: int
) -> None:
    found = objects(declared)
    item = found[sorted(found)[which % len(found)]]
    # The streams of a connection have a form of their own, which `test_gate` changes.
    paths = [path for path in leaves(item.inputs) if path[0] != "configurations"]
    leaf = paths[where % len(paths)]
    path = leaf[: 1 + depth % len(leaf)]
    named = [(), (path[0],), (".".join(path),)][names]
    old = json.loads(json.dumps(item.inputs))
    new = changed_at(old, path, value)
    if item.type in {CONNECTION, DLT_SOURCE}:
        old, new = ({key: each[key] for key in each if key != "configurations"} for each in (old, new))

    impact = impact_of(read_preview(Digest().step("update", item.type, item.name, old, new, *named).text()))

    assert impact.verdict != "nothing changes"
    if impact.verdict == "safe":
        rows = [row_of(item.type, each) for each in list(differences(old, new)) or [path]]
        assert IDENTITY not in rows
        assert [row for row in rows if row is None or (row.finding != SAFE and row.compare is None)] == []
    # As JSON, because 1 and true are equal in Python, and a change from one to the other has a verdict of its own.
    if json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True) and not named:
        assert impact.verdict == "look"


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_deletion_of_a_declared_object_is_never_safe(declared: dict[str, Graph], data: st.DataObject) -> None:
    found = objects(declared)
    item = found[data.draw(st.sampled_from(sorted(found)))]
    inputs = {} if item.type in {CONNECTION, DLT_SOURCE} else json.loads(json.dumps(item.inputs))
    digest = Digest().step("delete", item.type, item.name, inputs)

    impact = impact_of(read_preview(digest.text()))

    # dlt's state and the files stay in the bucket, and so do the values of the secret in the stack.
    kept = item.type == DLT_SOURCE and impact.verdict == "touches data"
    assert impact.verdict in {"destroys", "exposes"} or kept or item.type.startswith("pulumi:providers:")


@pytest.mark.parametrize(
    ("stack", "losses"),
    [
        ("production", []),
        ("every option", []),
        ("as little as possible", []),
        ("plain", ["Release dagster: exposes"]),
        (WITH_DLT, []),
    ],
)
def test_the_first_run_of_a_stack_closes_the_gate_only_if_something_is_open(
    declared: dict[str, Graph], stack: str, losses: list[str]
) -> None:
    digest = Digest()
    for (name, type_, resource), item in objects(declared).items():
        if name == stack:
            digest.step("create", type_, resource, None, json.loads(json.dumps(item.inputs)))

    impact = impact_of(read_preview(digest.text()))

    assert [f"{loss.object}: {loss.effect}" for loss in impact.losses] == losses
    notes = {note.what for other in impact.others for note in other.notes}
    assert "changes in a property that the table of verdicts does not have" not in notes
