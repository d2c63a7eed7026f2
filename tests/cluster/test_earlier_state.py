"""A stack that an earlier version of the program has deployed: this one finds nothing to change."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.cluster.world import REPOSITORY, World

EARLIER = "362fce9d6c40852fe0a5fde12a47b5c67a92d15b"
"""The last commit whose backups were all CloudNativePG's own."""
PUBLIC_IMAGE = "registry.example.com/lotus-dagster:0123456"


def earlier_program(folder: Path) -> Path:
    """The earlier `lotus_infra`; the test is skipped in a clone without that commit."""
    command = ["git", "archive", EARLIER, "lotus_infra"]
    archive = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False)
    if archive.returncode != 0:
        pytest.skip(f"NO HISTORY: this clone does not have the commit {EARLIER}: `git fetch --unshallow` gets it")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder / "lotus_infra"


@pytest.mark.nightly
def test_a_stack_of_the_earlier_program_with_its_backups_named_has_nothing_to_change(
    world: World, tmp_path: Path
) -> None:
    program = world.pulumi.project / "lotus_infra"
    program.unlink()
    program.symlink_to(earlier_program(tmp_path / "earlier"))
    world.pulumi.run("config", "rm", "lotus:registry_password").ok()
    for path, value in (("registry", None), ("image", PUBLIC_IMAGE)):
        world.change(path, value)
    world.pulumi.up().ok()

    program.unlink()
    program.symlink_to(REPOSITORY / "lotus_infra")
    for database in ("database", "catalog"):
        world.change(f"{database}.backup.method", "barmanObjectStore")

    assert world.lake.changes() == []
    assert world.lake.changes("--refresh") == []
    # And it goes on from there.
    world.change("webserver.replicas", 2)
    world.pulumi.up().ok()
    assert world.lake.changes() == []
