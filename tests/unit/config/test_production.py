"""The guard of a production stack: what it refuses, and with which remedy."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lotus_infra.config.production import ClusterPlace, Declared, Run, Values, Zone, check, problems
from lotus_infra.config.settings import parse
from lotus_infra.config.stack_files import Encrypted, Value
from lotus_infra.errors import LotusError

URL = "s3://lake-state?region=us-west-1"
AIRBYTE = "https://airbyte.example.com/api/public/v1"
GOOD = Run("lotus", "prod", Values("true", AIRBYTE, Zone("aws", "lake-state")), Declared("lotus", URL, "true"))


def test_production_configured_by_its_files_may_run() -> None:
    check(GOOD, {})
    check(GOOD, {"PULUMI_BACKEND_URL": f"{URL}/", "AIRBYTE_SERVER_URL": "http://127.0.0.1:1"})


def test_a_stack_without_the_mark_runs_anywhere() -> None:
    for mark in ("", "false", "False"):
        run = replace(GOOD, values=Values(mark), declared=Declared("another", "", mark))
        check(run, {"PULUMI_BACKEND_URL": "file:///tmp"})


def test_any_mark_but_a_plain_false_is_a_mark() -> None:
    assert problems(replace(GOOD, values=Values("yes"), declared=Declared("lotus", URL, "yes")), {}) != []


WRONG = [
    (replace(GOOD, declared=replace(GOOD.declared, backend="")), {}, "names no backend"),
    (replace(GOOD, declared=replace(GOOD.declared, backend="file:///state")), {}, "which no other machine has"),
    (replace(GOOD, declared=replace(GOOD.declared, backend="mem://")), {}, "which no other machine has"),
    (GOOD, {"PULUMI_BACKEND_URL": "s3://lake-state?region=us-east-1"}, "unset PULUMI_BACKEND_URL"),
    (GOOD, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "$AWS_ENDPOINT_URL sends the backend"),
    (
        replace(GOOD, values=replace(GOOD.values, zone=Zone("aws", "another"))),
        {},
        "that is another state",
    ),
    (replace(GOOD, project="copy"), {}, "the engine has the state of the project copy"),
    (replace(GOOD, declared=replace(GOOD.declared, mark="")), {}, "leave --config-file out"),
    (replace(GOOD, values=replace(GOOD.values, mark="")), {}, "leave --config-file out"),
    (replace(GOOD, values=replace(GOOD.values, airbyte="")), {}, "it would be Airbyte Cloud"),
    (replace(GOOD, values=replace(GOOD.values, zone=Zone("s3"))), {}, "lotus:landingZone.endpoint"),
]


@pytest.mark.parametrize(("run", "environment", "message"), WRONG)
def test_each_mistake_is_reported_with_its_remedy(run: Run, environment: dict[str, str], message: str) -> None:
    with pytest.raises(LotusError, match="is marked lotus:production, and may not run like this") as error:
        check(run, environment)

    assert message in str(error.value)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (Values("true", "https://another.example.com/api/public/v1"), "airbyte:serverUrl is"),
        (Values("true", AIRBYTE, Zone("aws", "another")), "lotus:landingZone.state is"),
        (Values("true", AIRBYTE, Zone("s3", "lake-state")), "lotus:landingZone.server is"),
    ],
)
def test_values_of_another_file_are_reported_where_they_name_another_place(own: Values, message: str) -> None:
    [problem] = problems(replace(GOOD, declared=replace(GOOD.declared, values=own)), {})

    assert problem.startswith(message)
    assert problem.endswith("leave --config-file out")


def values_of(given: dict[str, Value]) -> Values:
    """The values that the guard compares of a stack with these ones."""
    settings = parse("prod", given, {}).settings
    assert settings is not None
    return Values.of(settings)


def test_an_encrypted_value_of_the_files_is_not_compared() -> None:
    own = values_of({"airbyte:serverUrl": Encrypted()})

    assert problems(replace(GOOD, declared=replace(GOOD.declared, values=own)), {}) == []


def test_all_problems_are_reported_at_once() -> None:
    run = replace(GOOD, project="copy", values=replace(GOOD.values, airbyte=""))

    assert len(problems(run, {"PULUMI_BACKEND_URL": "file:///tmp", "AIRBYTE_SERVER_URL": "http://a"})) == 3


def kubeconfig(file: Path, context: str, server: str) -> str:
    """Write a kubeconfig with one context, and return its path."""
    document = {
        "contexts": [{"name": context, "context": {"cluster": "a", "user": "b"}}],
        "clusters": [{"name": "a", "cluster": {"server": server}}],
        "current-context": context,
    }
    file.write_text(json.dumps(document), encoding="utf-8")
    return str(file)


DEPLOYED: dict[str, Value] = {"deploy": True, "image": "a/b:1.13.27", "chart": {"version": "1.13.27"}}


def on_cluster(**cluster: str) -> Run:
    values = values_of({"lotus:dagster": {**DEPLOYED, "cluster": dict(cluster)}})
    return replace(GOOD, values=replace(GOOD.values, cluster=values.cluster))


def test_the_cluster_is_a_named_one(tmp_path: Path) -> None:
    lake, other = "https://lake.example.com:6443", "https://other.example.com"
    right = kubeconfig(tmp_path / "right", "lake", f"{lake}/")
    wrong = kubeconfig(tmp_path / "wrong", "lake", other)
    named = on_cluster(context="lake", server=lake)

    assert "the kubeconfig's current one decides" in problems(on_cluster(), {"KUBECONFIG": right})[0]
    assert problems(on_cluster(context="lake"), {"KUBECONFIG": wrong}) == []
    assert problems(named, {"KUBECONFIG": right}) == []
    assert problems(named, {"KUBECONFIG": f"{right}:{wrong}"}) == []
    assert problems(named, {"HOME": str(tmp_path)}) == []
    for first_is_wrong in (wrong, f"{wrong}:{right}"):
        [problem] = problems(named, {"KUBECONFIG": first_is_wrong})
        assert problem.startswith(f"the kubeconfig's context lake is the cluster at {other}")
    given = on_cluster(context="lake", server=lake, kubeconfig=right)
    assert problems(given, {"KUBECONFIG": wrong}) == []


def test_a_stack_that_deploys_nothing_names_no_cluster() -> None:
    values: tuple[Value, ...] = ({"deploy": False}, {"deploy": "false"}, '{"deploy": false}')
    for dagster in values:
        assert values_of({"lotus:dagster": dagster}).cluster is None
    assert values_of({}).cluster is None
    text = json.dumps(DEPLOYED | {"cluster": {"context": "a"}})
    assert values_of({"lotus:dagster": text}).cluster == ClusterPlace("a")


def test_files_that_cannot_be_read_might_declare_production(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\n", encoding="utf-8")
    assert Declared.at(tmp_path, "prod") == Declared("lotus")

    (tmp_path / "Pulumi.prod.yaml").write_bytes(b"\xff")
    with pytest.raises(LotusError, match=r"Pulumi\.prod\.yaml:1: \(file\): can't be read as YAML"):
        Declared.at(tmp_path, "prod")


@pytest.mark.parametrize("mark", ["true"])
@pytest.mark.parametrize("file", ["Pulumi.yaml", "Pulumi.prod.yaml"])
def test_the_mark_may_be_in_the_projects_file_or_in_the_stacks(tmp_path: Path, file: str, mark: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\n", encoding="utf-8")
    with (tmp_path / file).open("a", encoding="utf-8") as opened:
        opened.write(f"config:\n  lotus:production: {mark}\n")

    run = replace(GOOD, values=Values(), declared=Declared.at(tmp_path, "prod"))

    assert run.is_production


def test_a_stacks_values_may_be_objects_or_their_text() -> None:
    names: dict[str, Value] = {"state": "lake-state", "landing": "one", "backup": "two"}
    document: dict[str, Value] = {"server": "aws", "region": "eu", **names}
    wanted = Values("true", "", Zone("aws", "lake-state", landing="one", region="eu"))
    zones: tuple[Value, ...] = (document, json.dumps(document))
    marks: tuple[Value, ...] = (True, "true")

    for zone, mark in itertools.product(zones, marks):
        settings = parse("prod", {"lotus:production": mark, "lotus:landingZone": zone}, {}).settings
        assert settings is not None
        assert Values.of(settings) == wanted


def test_an_encrypted_address_of_airbyte_is_an_address() -> None:
    settings = parse("prod", {"airbyte:serverUrl": Encrypted()}, {}).settings
    assert settings is not None
    assert Values.of(settings).airbyte != ""
