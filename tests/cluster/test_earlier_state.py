"""A stack that an earlier version of the program has deployed: this one leaves its objects as they are."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from lotus_infra import naming
from tests.cluster.world import World
from tests.engine.harness import REPOSITORY

EARLIER = "362fce9d6c40852fe0a5fde12a47b5c67a92d15b"
"""The last commit whose backups were all CloudNativePG's own."""
DEFINITIONS = f'values.dagster-user-deployments.deployments[0].annotations["{naming.DEFINITIONS_ANNOTATION}"]'
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
def test_a_stack_of_the_earlier_program_whose_backups_are_named_keeps_all_its_objects(
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

    # The provider has got a setting, and the release names the files that Dagster loads: no object changes otherwise.
    steps = world.pulumi.preview("--json").ok().changes()
    assert {(step.op, step.type, *(step.detailed or step.diffs)) for step in steps} == {
        ("update", "pulumi:providers:kubernetes", "upsertExistingObjects"),
        ("update", "kubernetes:helm.sh/v3:Release", DEFINITIONS),
    }
    world.pulumi.up().ok()
    assert world.lake.changes("--refresh") == []
