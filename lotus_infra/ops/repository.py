"""What the repository says of itself: its commit, what is not committed, and the fingerprint of what Dagster loads."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from lotus_infra.definitions import fingerprint
from lotus_infra.errors import LotusError


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
        return cls(folder, checkout.commit, checkout.dirty, fingerprint(folder))

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
