"""The check of the workflows by actionlint."""

from pathlib import Path

import pytest

from toolchain.engine import EngineError
from toolchain.workflow_lint import actionlint, main

WRONG = """
on: push
jobs:
  one:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-dept: 0
      - run: echo ${{ github.reff }}
"""


@pytest.fixture
def program() -> Path:
    try:
        return actionlint()
    except EngineError as error:
        pytest.skip(str(error))


def test_every_workflow_is_valid(program: Path) -> None:
    assert main([]) == 0


def test_a_mistake_in_a_workflow_is_found_with_its_line(
    program: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.yml"
    file.write_text(WRONG, encoding="utf-8")
    assert main([str(file)]) == 1
    output = capfd.readouterr().out
    assert 'input "fetch-dept" is not defined' in output
    assert 'property "reff" is not defined' in output


def test_without_go_the_check_says_that_it_did_not_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("toolchain.workflow_lint.BIN", tmp_path)
    assert main([]) == 0
    assert "NOT RUN: the check of the workflows. There is no actionlint" in capsys.readouterr().err
