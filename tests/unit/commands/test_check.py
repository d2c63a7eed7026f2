"""Which names a project's stacks have values for."""

from pathlib import Path

import pytest

from lotus_infra.commands.check import check_dagster, check_lake_files, stack_values
from lotus_infra.errors import LotusError
from lotus_infra.lake.references import StackValues
from tests.support.lakes import clean_files, write

PROJECT = "name: lotus\nruntime: python\n"
FULL = "config:\n  lotus:landing_bucket: landing\n  lotus:s3_secret_access_key:\n    secure: v1:abc\n"


def project(directory: Path, **stacks: str) -> Path:
    """A Pulumi project around a clean lake; returns the lake's folder."""
    (directory / "Pulumi.yaml").write_text(PROJECT)
    for stack, content in stacks.items():
        (directory / f"Pulumi.{stack}.yaml").write_text(content)
    return write(directory / "data" / "streams", clean_files())


def test_the_stacks_of_the_nearest_project_above_the_lake_are_read(tmp_path: Path) -> None:
    lake = project(tmp_path, prod=FULL, dev="config:\n  lotus:landing_bucket: x\n  aws:region: y\n")

    assert stack_values(lake) == (
        StackValues("dev", frozenset({"landing_bucket", "aws:region"})),
        StackValues("prod", frozenset({"landing_bucket", "s3_secret_access_key"})),
    )


def test_only_the_named_stacks_are_read_and_each_once(tmp_path: Path) -> None:
    lake = project(tmp_path, prod=FULL, dev="")

    assert [values.stack for values in stack_values(lake, ["prod", "organization/lotus/prod"])] == ["prod"]


def test_a_value_that_a_stack_lacks_is_a_problem_of_the_lake(tmp_path: Path) -> None:
    lake = project(tmp_path, prod=FULL, dev="config:\n  lotus:landing_bucket: x\n")

    assert [(problem.field, problem.what) for problem in check_lake_files(lake).problems] == [
        ("configuration.secret_access_key", 'the secret "s3_secret_access_key" is not set in the stack dev')
    ]
    assert check_lake_files(lake, ["prod"]).problems == ()


def test_a_default_of_the_project_is_a_value_and_a_declaration_is_none(tmp_path: Path) -> None:
    lake = project(tmp_path, dev="")
    (tmp_path / "Pulumi.yaml").write_text(
        PROJECT + "config:\n  lotus:a: x\n  b: {default: y}\n  c: {type: string}\n  d: {type: string, default: z}\n"
    )

    assert stack_values(lake) == (StackValues("dev", frozenset({"a", "b", "d"})),)


def test_a_lake_outside_any_project_has_no_stacks(tmp_path: Path) -> None:
    lake = write(tmp_path, clean_files())

    assert stack_values(lake) == ()
    assert check_lake_files(lake).problems == ()


def test_a_stack_of_no_project_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LotusError, match=r"no Pulumi\.yaml at or above"):
        stack_values(tmp_path, ["prod"])


def test_an_unknown_stack_is_reported_with_the_known_ones(tmp_path: Path) -> None:
    lake = project(tmp_path, prod=FULL)

    with pytest.raises(LotusError, match=r"the stack staging has no file Pulumi\.staging\.yaml: known stacks are prod"):
        stack_values(lake, ["staging"])


@pytest.mark.parametrize("content", [b"config: [", b"\xff\xfe", b"config:\n  a: *nobody\n"])
def test_a_stack_file_that_is_no_yaml_is_an_error_with_no_content_of_it(content: bytes, tmp_path: Path) -> None:
    lake = project(tmp_path)
    (tmp_path / "Pulumi.prod.yaml").write_bytes(content)

    with pytest.raises(LotusError, match=r"Pulumi\.prod\.yaml.* can't be read as YAML") as error:
        stack_values(lake)

    assert "nobody" not in str(error.value)


@pytest.mark.parametrize("content", ["", "[]", "config: 3", "config:\n"])
def test_a_stack_file_without_settings_has_no_values(content: str, tmp_path: Path) -> None:
    assert stack_values(project(tmp_path, prod=content)) == (StackValues("prod", frozenset()),)


def test_invalid_dagster_settings_are_reported_with_the_file_for_every_stack(tmp_path: Path) -> None:
    wrong = "config:\n  lotus:dagster: {deploy: true, chart: {version: 1.13.27}, image: 'a/b:latest'}\n"
    extra = "{ingress: {webserver: {}}}"
    right = f"deploy: true, chart: {{version: 1.13.27}}, image: 'a/b:1.13.27', extraValues: {extra}"
    lake = project(tmp_path, dev=wrong, prod=f"config:\n  lotus:dagster: {{{right}}}\n")

    with pytest.raises(LotusError) as refused:
        check_lake_files(lake)

    dev, prod = str(refused.value).splitlines()
    assert dev.startswith('Pulumi.dev.yaml: lotus:dagster.image: the tag "latest"')
    assert prod == (
        "Pulumi.prod.yaml: lotus:dagster.extraValues.ingress.webserver: unknown key of the chart:"
        ' did you mean "dagsterWebserver"?'
    )


def test_a_stack_without_dagster_needs_no_settings_of_it(tmp_path: Path) -> None:
    check_dagster(project(tmp_path, dev="config:\n  lotus:dagster: {deploy: false}\n", prod=""))


def test_two_stacks_of_one_workspace_are_a_problem_that_names_both_files(tmp_path: Path) -> None:
    workspace = "lotus:workspaceId: 11111111-1111-1111-1111-111111111111\n"
    rest = FULL.removeprefix("config:\n")
    dev, prod = (
        f"config:\n  airbyte:serverUrl: {url}\n  {workspace}{rest}" for url in ("http://A:80/v1", "http://a/v1/")
    )
    lake = project(tmp_path, dev=dev, prod=prod)

    for stacks in ([], ["dev"]):
        [problem] = check_lake_files(lake, stacks).problems
        assert Path(problem.file).name == "Pulumi.prod.yaml"
        assert problem.what == (
            "names the same Airbyte workspace as Pulumi.dev.yaml, the workspace 11111111-1111-1111-1111-111111111111 "
            "of http://a/v1"
        )
        assert "pulumi config set --stack prod lotus:workspaceId <id>" in problem.remedy
