"""The git repository of a lake: its commit, uncommitted changes, and files that it must not hold.

A committed state is outdated at once and may hold secrets; so may a committed passphrase. In a clone the files that git
tracks or would track are checked, elsewhere all files but those of tools and environments.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self

from lotus_infra.dagster_fingerprint import definitions_fingerprint
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import Diagnostic

_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}")
_PULUMI_FOLDER: Final = ".pulumi"
_TERRAFORM_STATE: Final = re.compile(r".+\.tfstate(\..*)?")
_PASSPHRASE: Final = re.compile(
    r"\.?(pulumi[-_.]?)?(config[-_.]?)?pass(phrase|word)([-_.]?file)?(\.txt)?", re.IGNORECASE
)
_UNCHECKED_FOLDERS: Final = frozenset({".git", ".venv", ".tools", ".sandbox", "node_modules", "target", "__pycache__"})
_HEAD_BYTES: Final = 4096
"""Enough of a JSON file: an exported state has the keys below at its start, whether or not its keys were sorted."""
_PULUMI_STATE: Final = re.compile(
    rb'\s*\{\s*(?:"version"\s*:\s*\d+\s*,\s*)?(?:"features"\s*:\s*\[[^\]]*\]\s*,\s*)?'
    rb'"(?:deployment|checkpoint)"\s*:\s*\{\s*"(?:manifest|latest|stack)"'
)
_TERRAFORM_SHOW: Final = re.compile(rb'\s*\{\s*"format_version"\s*:\s*"[^"]*"\s*,\s*"terraform_version"')
"""The output of `terraform show -json`."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """The commit that is checked out in a clone.

    Attributes:
        folder: The clone's folder.
        commit: The full hash.
        tree: The hash of all its files: two commits with the same files have the same.
        dirty: Whether there are uncommitted changes.
    """

    folder: Path
    commit: str
    tree: str
    dirty: bool

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Read a clone.

        Raises:
            LotusError: The folder is no clone with a commit.
        """
        hashes, status = _git(folder, "rev-parse", "HEAD", "HEAD^{tree}"), _git(folder, "status", "--porcelain")
        if hashes is None or status is None:
            raise LotusError(f"{folder} is no clone with a commit", "run it in a clone of the lake's repository")
        commit, tree = hashes.split()
        return cls(folder, commit, tree, bool(status))

    def relation(self, commit: str) -> Literal["in the history", "later", "unrelated"]:
        """How another commit relates to the checked-out one; a commit that the clone does not have is unrelated."""
        if not _COMMIT.fullmatch(commit):
            return "unrelated"
        if _is_ancestor(self.folder, commit, self.commit):
            return "in the history"
        return "later" if _is_ancestor(self.folder, self.commit, commit) else "unrelated"


@dataclass(frozen=True, slots=True)
class Repository:
    """A clone of a lake's repository.

    Attributes:
        folder: The clone's folder.
        commit: The full hash of the checked-out commit.
        dirty: Whether there are uncommitted changes.
        definitions: The fingerprint of the files that Dagster loads, with uncommitted changes.
    """

    folder: Path
    commit: str
    dirty: bool
    definitions: str

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Read a clone.

        Raises:
            LotusError: The folder is no clone, or not one of a lake.
        """
        checkout = Checkout.at(folder)
        return cls(folder, checkout.commit, checkout.dirty, definitions_fingerprint(folder))

    def commits_since(self, commit: str) -> int | None:
        """The number of commits after one; None if that is not in the history."""
        # A cluster's annotation may hold anything; only a commit's hash may become an argument of git.
        if not _COMMIT.fullmatch(commit) or not _is_ancestor(self.folder, commit, "HEAD"):
            return None
        return int(_git(self.folder, "rev-list", "--count", f"{commit}..HEAD") or 0)


def tracked_files(folder: Path) -> list[str] | None:
    """The files below a folder that git tracks, or would track because they are not ignored; None outside a clone."""
    output = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return sorted(set(filter(None, output.split("\0")))) if output is not None else None


def find_committed_secrets(folder: Path) -> Iterator[Diagnostic]:
    """A diagnostic for each state and each passphrase's file in a repository.

    Args:
        folder: The project's folder; the diagnostics' files are relative to it.
    """
    for file in _files_to_check(folder):
        what, remedy = _secret_content(folder, file)
        if what:
            yield Diagnostic(file, (), what, remedy)


def _files_to_check(folder: Path) -> list[str]:
    tracked = tracked_files(folder)
    if tracked is not None:
        return tracked
    # A lake has many thousand files, and making a Path takes longer than reading a small one: `_head` has none either.
    found, start = [], len(f"{folder}/")
    for below, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _UNCHECKED_FOLDERS]
        paths = (f"{below}/{name}" for name in files if name not in _UNCHECKED_FOLDERS)
        found += [path[start:] for path in paths if os.path.isfile(path)]  # noqa: PTH113
    return sorted(found)


def _secret_content(folder: Path, file: str) -> tuple[str, str]:
    """What a file holds that a repository must not, and the remedy; both empty for any other file."""
    parts = file.split("/")
    remove = f"`git rm --cached {file}`, and keep it elsewhere: the backend has the state"
    if _PULUMI_FOLDER in parts:
        return "belongs to a local backend, or to the engine", remove
    head = _head(f"{folder}/{file}") if ".json" in parts[-1] else b""
    if _TERRAFORM_STATE.fullmatch(parts[-1]) or _TERRAFORM_SHOW.match(head):
        return "is a Terraform state, which has all secrets in plain text", f"{remove}; change the secrets in it"
    if _PASSPHRASE.fullmatch(parts[-1]):
        return (
            "is named like a passphrase's file",
            f"`git rm --cached {file}`, and change the passphrase if it is one",
        )
    if _PULUMI_STATE.match(head):
        return "is an exported state or a checkpoint of the engine", remove
    return "", ""


def _head(file: str) -> bytes:
    try:
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123
            return opened.read(_HEAD_BYTES)
    except OSError:
        return b""


def _is_ancestor(folder: Path, earlier: str, later: str) -> bool:
    return _git(folder, "merge-base", "--is-ancestor", earlier, later) is not None


def _git(folder: Path, *arguments: str) -> str | None:
    """The output of git; None if it fails or is not installed."""
    try:
        result = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None
