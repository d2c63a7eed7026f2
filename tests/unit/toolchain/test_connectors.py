"""`toolchain/connectors.py`: where real connectors come from."""

import os
import sys
from pathlib import Path

import pytest

from toolchain import connectors
from toolchain.engine import EngineError

UV = """#!/bin/sh
echo "$1 $2" >> "$LOG"
for argument; do last=$argument; done
if [ "$1" = venv ]; then mkdir -p "$last/bin"; fi
"""
FAILS = '#!/bin/sh\necho "no such package" >&2\nexit 1\n'


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder of PATH that has tools; requirements and environments are beside it."""
    folder = tmp_path / "path"
    folder.mkdir()
    (tmp_path / "source-x.txt").write_text("x==1\n", encoding="utf-8")
    monkeypatch.setattr(connectors, "REQUIREMENTS", tmp_path)
    monkeypatch.setattr(connectors, "LOCAL_UV", tmp_path / "none")
    monkeypatch.setattr(sys, "argv", ["connectors"])
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), "/bin", "/usr/bin"]))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return folder


def tool(folder: Path, script: str) -> None:
    file = folder / "uv"
    file.write_text(script, encoding="utf-8")
    file.chmod(0o755)


def test_a_connector_is_installed_once(path: Path, tmp_path: Path) -> None:
    tool(path, UV)

    executable = tmp_path / ".venvs" / "source-x" / "bin" / "source-x"
    assert connectors.connector("source-x") == connectors.connector("source-x") == executable
    assert (tmp_path / "log").read_text(encoding="utf-8") == "venv --quiet\npip install\n"


def test_other_requirements_are_installed_anew(path: Path, tmp_path: Path) -> None:
    tool(path, UV)
    connectors.connector("source-x")
    (tmp_path / "source-x.txt").write_text("x==2\n", encoding="utf-8")

    connectors.connector("source-x")

    assert (tmp_path / "log").read_text(encoding="utf-8").count("venv") == 2


def test_what_fails_is_one_error_with_what_uv_said_and_is_tried_again(path: Path) -> None:
    tool(path, FAILS)
    with pytest.raises(EngineError, match=r"3\.11 or 3\.12[\s\S]+no such package"):
        connectors.connector("source-x")

    tool(path, UV)
    connectors.connector("source-x")


def test_a_machine_without_uv_is_told_how_to_get_it(path: Path) -> None:
    with pytest.raises(EngineError, match="make setup"):
        connectors.connector("source-x")


def test_an_unknown_connector_names_those_that_are_known(path: Path) -> None:
    with pytest.raises(EngineError, match="known are source-x"):
        connectors.connector("source-y")


def test_a_python_that_is_too_new_leaves_the_choice_to_uv(path: Path) -> None:
    assert connectors._python((3, 12, 1)) == sys.executable
    assert connectors._python((3, 14, 0)) == ">=3.11,<3.13"


def test_the_command_says_where_each_is_or_what_is_missing(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert connectors.main() == 1
    assert "error: source-x needs uv" in capsys.readouterr().err

    tool(path, UV)
    assert connectors.main() == 0
    assert f"source-x is in {tmp_path}" in capsys.readouterr().err


def test_a_file_that_was_locked_for_a_later_python_gets_that_one(path: Path, tmp_path: Path) -> None:
    requirements = tmp_path / "x.txt"
    requirements.write_text("#    uv pip compile --universal --python-version 3.13 x.in\nx==1\n", encoding="utf-8")
    assert connectors._oldest(requirements) == (3, 13)
    assert connectors._python((3, 12), (3, 13)) == ">=3.13,<3.14"
    assert connectors._python((3, 13), (3, 13)) == sys.executable


def test_a_python_of_pyenv_is_found(path: Path, tmp_path: Path) -> None:
    python = tmp_path / "pyenv" / "versions" / "3.12.4" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert connectors._python((3, 14)) == str(python)
