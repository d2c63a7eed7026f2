"""Files of a repository that it must not hold: states, which belong to their backend, and passphrases.

A state that is committed is old at once, and may hold secrets. Where the project is a clone, what git tracks or would
track is looked at; else every file but those of tools and environments.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lotus_infra.ops.repository import tracked
from lotus_infra.streams.problems import Finding

PULUMI_FOLDER: Final = ".pulumi"
TERRAFORM: Final = re.compile(r".+\.tfstate(\..*)?")
PASSPHRASE: Final = re.compile(
    r"\.?(pulumi[-_.]?)?(config[-_.]?)?pass(phrase|word)([-_.]?file)?(\.txt)?", re.IGNORECASE
)
SKIPPED: Final = frozenset({".git", ".venv", ".tools", ".sandbox", "node_modules", "target", "__pycache__"})
ENOUGH: Final = 4096
"""Bytes at the start of a JSON file; an exported state begins with its version and one of these keys."""
_STARTS: Final = re.compile(
    rb'\s*\{\s*"version"\s*:\s*\d+\s*,\s*(?:"features"\s*:\s*\[[^\]]*\]\s*,\s*)?"(deployment|checkpoint)"\s*:\s*\{'
)


def findings(folder: Path) -> Iterator[Finding]:
    """A finding for each such file.

    Args:
        folder: The project's; findings' files are relative to it.
    """
    for file in _files(folder):
        what, remedy = _judged(folder, file)
        if what:
            yield Finding(file, (), what, remedy)


def _files(folder: Path) -> list[str]:
    known = tracked(folder)
    if known is not None:
        return known
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if SKIPPED.isdisjoint(path.parts))


def _judged(folder: Path, file: str) -> tuple[str, str]:
    parts = file.split("/")
    away = f"`git rm --cached {file}`, and keep it elsewhere: the backend has the state"
    if PULUMI_FOLDER in parts:
        return "is of a local backend, or the engine's own", away
    if TERRAFORM.fullmatch(parts[-1]):
        return "is a state of Terraform, with every secret in plain text", f"{away}; change the secrets that it holds"
    if PASSPHRASE.fullmatch(parts[-1]):
        return (
            "has the name of a passphrase's file",
            f"`git rm --cached {file}`, and change the passphrase if it is one",
        )
    if parts[-1].endswith(".json") and _is_state(folder / file):
        return "is an exported state or a checkpoint of the engine", away
    return "", ""


def _is_state(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            start = opened.read(ENOUGH)
    except OSError:
        return False
    return _STARTS.match(start) is not None
