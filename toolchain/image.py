"""Builds Dagster's image with Docker, named by the commit that it is built of: `python -m toolchain.image [NAME]`.

Prints the image's whole name as the only line of stdout. It pushes nothing: who may do that differs from place to
place.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from lotus_infra.dagster_fingerprint import definitions_fingerprint
from lotus_infra.errors import LotusError
from lotus_infra.images import Image

REPOSITORY = Path(__file__).resolve().parents[1]
NAME = "lotus-dagster"


def build(name: str, folder: Path = REPOSITORY) -> Image:
    """Build the image of what is committed.

    Args:
        name: Registry and name, such as `ghcr.io/example/lotus-dagster`.
        folder: The repository's.

    Raises:
        LotusError: There is no Docker, something is not committed, or the build failed.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise LotusError("there is no docker on PATH", "install it (https://docs.docker.com/engine/install/)")
    if subprocess.run([docker, "version"], capture_output=True, check=False).returncode:
        raise LotusError("Docker's daemon does not answer", "start it, or set DOCKER_HOST to its address")
    if _git(folder, "status", "--porcelain"):
        raise LotusError(
            "some changes are not committed", "commit them: an image is named by the commit it is built of"
        )
    commit = _git(folder, "rev-parse", "HEAD")
    image = Image.parse(f"{name}:{commit}")
    labels = {"LOTUS_COMMIT": commit, "LOTUS_DEFINITIONS": definitions_fingerprint(folder)}
    arguments = [word for variable, value in labels.items() for word in ("--build-arg", f"{variable}={value}")]
    command = [docker, "build", "--file", "dagster/Dockerfile", "--tag", str(image), *arguments, "."]
    if subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False).returncode:
        raise LotusError("docker build failed", "the cause is in its last lines")
    return image


def _git(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise LotusError(f"git does not have the commit: {ran.stderr.strip()}", "build it in a clone of the repository")
    return ran.stdout.strip()


def main(arguments: list[str]) -> int:
    """Build the image; print what the user can repair in one line, with exit code 1."""
    try:
        image = build(arguments[0] if arguments else NAME)
    except LotusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(image)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
