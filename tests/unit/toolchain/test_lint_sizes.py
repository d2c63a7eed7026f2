"""`toolchain/lint_sizes.py` run on small trees: each offence is named by file and line."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPT = REPOSITORY / "toolchain" / "lint_sizes.py"


def lint(root: Path) -> tuple[int, list[str]]:
    """Returns the exit code and the lines printed."""
    ended = subprocess.run([sys.executable, str(SCRIPT), str(root)], capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    return ended.returncode, ended.stdout.splitlines()


def function(lines: int, docstring: str = "") -> str:
    body = "    pass\n" * (lines - 1)
    return f"def long():\n{docstring}{body}"


def test_functions_at_the_limit_pass_in_a_file_of_any_length(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(function(40) + "x = 1\n" * 2600, encoding="utf-8")

    assert lint(tmp_path) == (0, [])


def test_a_function_over_forty_lines_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("x = 1\n" + function(41), encoding="utf-8")

    code, (line,) = lint(tmp_path)

    assert code == 1
    assert line.startswith("bad.py:2: long(): 41 lines")


def test_an_async_method_counts_too(tmp_path: Path) -> None:
    method = "".join(f"    {line}\n" for line in f"async {function(41)}".splitlines())
    (tmp_path / "bad.py").write_text(f"class Thing:\n{method}", encoding="utf-8")

    assert lint(tmp_path)[0] == 1


def test_a_docstring_does_not_count(tmp_path: Path) -> None:
    docstring = '    """Says much.\n' + "\n" * 20 + '    """\n'
    (tmp_path / "good.py").write_text(function(40, docstring), encoding="utf-8")

    assert lint(tmp_path) == (0, [])


def test_hidden_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bad.py").write_text(function(41), encoding="utf-8")

    assert lint(tmp_path) == (0, [])


def test_a_package_file_that_would_hide_dagster_is_an_offence(tmp_path: Path) -> None:
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "__init__.py").touch()

    code, (line,) = lint(tmp_path)

    assert code == 1
    assert line.startswith("dagster/__init__.py:1: this file must not exist")
