"""What the repository says of itself: its commit, what is not committed, and the fingerprint of what Dagster loads."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self

from lotus_infra.dagster_fingerprint import definitions_fingerprint
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import Diagnostic

PULUMI_FOLDER: Final = ".pulumi"
TERRAFORM: Final = re.compile(r".+\.tfstate(\..*)?")
PASSPHRASE: Final = re.compile(
    r"\.?(pulumi[-_.]?)?(config[-_.]?)?pass(phrase|word)([-_.]?file)?(\.txt)?", re.IGNORECASE
)
SKIPPED: Final = frozenset({".git", ".venv", ".tools", ".sandbox", "node_modules", "target", "__pycache__"})
ENOUGH: Final = 4096
"""Bytes at the start of a JSON file, where an exported state has these keys, whether or not keys were sorted."""
_STARTS: Final = re.compile(
    rb'\s*\{\s*(?:"version"\s*:\s*\d+\s*,\s*)?(?:"features"\s*:\s*\[[^\]]*\]\s*,\s*)?'
    rb'"(?:deployment|checkpoint)"\s*:\s*\{\s*"(?:manifest|latest|stack)"'
)
_SHOWN: Final = re.compile(rb'\s*\{\s*"format_version"\s*:\s*"[^"]*"\s*,\s*"terraform_version"')
"""What `terraform show -json` prints."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A clone, as it is now.

    Attributes:
        folder: Its folder.
        commit: The commit that is checked out, in full.
        dirty: Whether anything is not committed.
        definitions: The fingerprint of the files as they are, committed or not.
    """

    folder: Path
    commit: str
    dirty: bool
    definitions: str

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Look at a clone.

        Raises:
            LotusError: It is none, or not of a lake.
        """
        checkout = Checkout.at(folder)
        return cls(folder, checkout.commit, checkout.dirty, definitions_fingerprint(folder))

    def commits_since(self, commit: str) -> int | None:
        """How many commits of the history are later than one; None where it is not part of the history."""
        # What a cluster tells could be anything; git is only asked of what looks like a commit.
        if re.fullmatch(r"[0-9a-f]{7,40}", commit) is None:
            return None
        if _git(self.folder, "merge-base", "--is-ancestor", commit, "HEAD") is None:
            return None
        return int(_git(self.folder, "rev-list", "--count", f"{commit}..HEAD") or 0)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A clone, as far as git alone tells.

    Attributes:
        folder: Its folder.
        commit: The commit that is checked out, in full.
        tree: The hash of all its files: two commits of the same files have the same.
        dirty: Whether anything is not committed.
    """

    folder: Path
    commit: str
    tree: str
    dirty: bool

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Look at a clone.

        Raises:
            LotusError: It is none.
        """
        hashes, status = _git(folder, "rev-parse", "HEAD", "HEAD^{tree}"), _git(folder, "status", "--porcelain")
        if hashes is None or status is None:
            raise LotusError(f"{folder} is no clone with a commit", "run it in a clone of the lake's repository")
        commit, tree = hashes.split()
        return cls(folder, commit, tree, bool(status))

    def relation(self, commit: str) -> Literal["in the history", "later", "unrelated"]:
        """How another commit stands to the one that is checked out; one that the clone does not have is unrelated."""
        if re.fullmatch(r"[0-9a-f]{7,40}", commit) is None:
            return "unrelated"
        if _git(self.folder, "merge-base", "--is-ancestor", commit, self.commit) is not None:
            return "in the history"
        later = _git(self.folder, "merge-base", "--is-ancestor", self.commit, commit) is not None
        return "later" if later else "unrelated"


def tracked(folder: Path) -> list[str] | None:
    """The files below a folder that are tracked, or would be: they are there and not ignored; None outside a clone."""
    listed = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return sorted(set(filter(None, listed.split("\0")))) if listed is not None else None


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None where it fails or is not there."""
    try:
        ran = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return ran.stdout.strip() if ran.returncode == 0 else None


def findings(folder: Path) -> Iterator[Diagnostic]:
    """A finding for each such file.

    Args:
        folder: The project's; findings' files are relative to it.
    """
    for file in _files(folder):
        what, remedy = _judged(folder, file)
        if what:
            yield Diagnostic(file, (), what, remedy)


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
    start = _start(folder / file) if ".json" in parts[-1] else b""
    if TERRAFORM.fullmatch(parts[-1]) or _SHOWN.match(start):
        return "is a state of Terraform, with every secret in plain text", f"{away}; change the secrets that it holds"
    if PASSPHRASE.fullmatch(parts[-1]):
        return (
            "has the name of a passphrase's file",
            f"`git rm --cached {file}`, and change the passphrase if it is one",
        )
    if _STARTS.match(start):
        return "is an exported state or a checkpoint of the engine", away
    return "", ""


def _start(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(ENOUGH)
    except OSError:
        return b""
