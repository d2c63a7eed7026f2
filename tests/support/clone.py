"""A clone of this repository's lake in another folder, as far as Dagster loads it."""

import shutil
import subprocess
from pathlib import Path

from lotus_infra.dagster_fingerprint import fingerprinted_files

REPOSITORY = Path(__file__).resolve().parents[2]


def write_project(folder: Path) -> Path:
    """Copy the files behind the fingerprint, last to first."""
    for name in reversed(fingerprinted_files(REPOSITORY)):
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, copy)
    return folder


def write_clone(folder: Path) -> Path:
    """The same, with all of it in one commit."""
    write_project(folder)
    git(folder, "init", "-q")
    commit(folder, "All of it")
    return folder


def commit(folder: Path, message: str) -> str:
    """Commit everything; returns the commit."""
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=me", "-c", "user.email=me@example.com", "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return ran.stdout.strip()
