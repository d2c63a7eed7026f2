"""The guard of a production stack: what it refuses, and with which remedy."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lotus_infra.config.production import Backend, Declared, Run, Values, Zone, check, problems
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


def test_all_problems_are_reported_at_once() -> None:
    run = replace(GOOD, project="copy", values=replace(GOOD.values, airbyte=""))

    assert len(problems(run, {"PULUMI_BACKEND_URL": "file:///tmp", "AIRBYTE_SERVER_URL": "http://a"})) == 3


def test_an_endpoint_in_the_url_is_not_overridden() -> None:
    own = f"{URL}&endpoint=s3.example.com"
    variables = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}

    assert Backend(own, "Pulumi.yaml").diverted(variables) == ""
    assert Backend(URL, "Pulumi.yaml").diverted(variables) == "AWS_ENDPOINT_URL_S3"
    assert Backend(URL, "Pulumi.yaml").diverted(variables | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}) == ""


def test_files_that_cannot_be_read_might_declare_production(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\n", encoding="utf-8")
    assert Declared.at(tmp_path, "prod") == Declared("lotus")

    (tmp_path / "Pulumi.prod.yaml").write_bytes(b"\xff")
    with pytest.raises(LotusError, match=r"Pulumi\.prod\.yaml:1: \(file\): can't be read as YAML"):
        Declared.at(tmp_path, "prod")


@pytest.mark.parametrize("mark", ["true", "ja"])
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
