"""Keeps functions small enough to be read in one go. A file has no limit: it ends where its concept ends.

It checks Python's syntax tree against one limit: a function that is too long is split
by its reader's understanding, not exempted here.

Usage: `python toolchain/lint_sizes.py [ROOT]`, the repository by default. Prints a line per offence; exit code 1 if
there is any.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_FUNCTION_LINES = 40
# Dagster's user code lives in a folder that a package file would turn into an impostor of the `dagster` library.
FORBIDDEN = ("dagster/__init__.py",)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(root: Path) -> Iterator[Path]:
    """Yields the project's Python files, sorted, leaving out hidden folders: environments, caches and the like."""
    for entry in sorted(root.iterdir()):
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith((".", "__pycache__")):
            yield from python_files(entry)
        elif entry.suffix == ".py":
            yield entry


def offences(root: Path) -> Iterator[str]:
    """Yields `file:line: what is wrong: what to do`, in the order of the files."""
    for name in FORBIDDEN:
        if (root / name).exists():
            yield f"{name}:1: this file must not exist: it would hide the library of the same name"
    for file in python_files(root):
        path, text = file.relative_to(root), file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text, filename=str(path))):
            if isinstance(node, Function) and (length := function_lines(node)) > MAX_FUNCTION_LINES:
                where = f"{path}:{node.lineno}: {node.name}()"
                yield f"{where}: {length} lines in a function, {MAX_FUNCTION_LINES} allowed: split it"


def function_lines(node: Function) -> int:
    """Counts the lines from `def` to the end, signature included, docstring and decorators not."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None and first.end_lineno is not None:
        length -= first.end_lineno - first.lineno + 1
    return length


def main() -> int:
    """Prints the offences and returns the exit code."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    found = list(offences(root))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
