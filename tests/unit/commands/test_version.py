"""`lotus --version`: what a bug report needs, whatever is missing."""

import re
from pathlib import Path

import pytest

from lotus_infra.commands.cli import main
from lotus_infra.commands.version import versions
from tests.support.commands import stand_in_engine
from tests.support.lakes import clean_files, write


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_line_is_the_version_and_the_others_what_it_runs_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["lotus", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"lotus, version \d+\.\d+\.\d+\S*", first)
    assert [line.split()[0] for line in lines] == [
        *("pulumi-airbyte", "pulumi", "pulumi-aws", "pulumi-kubernetes", "Python", "engine:"),
    ]


def test_without_an_engine_it_says_so() -> None:
    assert "engine: no pulumi on PATH" in versions({"PATH": ""})


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("echo v3.299.1", r"engine: pulumi 3\.299\.1 \(.*/bin/pulumi\)"),
        ("exit 3", r"engine: pulumi, which prints no version \(.*/bin/pulumi\)"),
        (r"printf 'v3\033[31m\n\377'", r"engine: pulumi 3\\x1b\[31m.*"),
    ],
)
def test_the_engine_on_path_is_named_with_its_place(
    script: str, line: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_engine(here, monkeypatch, script)
    assert [each for each in versions() if re.fullmatch(line, each)]


def test_a_project_and_its_lake_add_the_supported_engines_and_the_pinned_connectors(here: Path) -> None:
    write(here / "streams", clean_files())
    write(here, {"Pulumi.yaml": 'name: lotus\nrequiredPulumiVersion: ">=3.259.0 <4.0.0"\n'})
    lines = versions({"PATH": ""})
    assert "engines that Pulumi.yaml supports: >=3.259.0 <4.0.0" in lines
    assert [line for line in lines if line.startswith("connector: source-faker ")]


@pytest.mark.parametrize("text", ["a: [\n", "name: lotus\n", "\x00", "- 1\n"])
def test_a_project_that_can_not_be_read_is_no_error(here: Path, text: str) -> None:
    pins = {"streams/_connectors/source-a.json": "{", "streams/_connectors/source-b.json": "[]"}
    write(here, {"Pulumi.yaml": text} | pins)
    assert [line for line in versions({"PATH": ""}) if line.startswith("engines that Pulumi.yaml supports: ")]
