"""What Pulumi's own commands need of a clone: its environment without uv, and the provider's folder."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
LAUNCHER = Path("toolchain/plugins/pulumi-resource-airbyte")
EXPORT = "export --quiet --locked --offline --no-hashes --no-annotate --no-header --no-dev --extra deploy"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which nothing was installed, with the provider's launcher."""
    (tmp_path / "a lake" / LAUNCHER.parent).mkdir(parents=True)
    shutil.copy(REPOSITORY / LAUNCHER, tmp_path / "a lake" / LAUNCHER)
    return tmp_path / "a lake"


def test_the_project_needs_no_uv_and_names_its_environment() -> None:
    runtime = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text("utf-8"))["runtime"]

    assert runtime == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}


def test_what_pulumi_installs_without_uv_is_what_is_locked() -> None:
    uv = shutil.which("uv") or shutil.which(str(REPOSITORY / ".tools" / "bin" / "uv"))
    if uv is None:
        pytest.skip("NO UV: `make setup` installs it")
    locked = subprocess.run([uv, *EXPORT.split()], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout

    written = (REPOSITORY / "requirements.txt").read_text("utf-8")

    assert written.partition("\n")[2] == locked, "uv.lock has changed: `make bless` writes requirements.txt"


def test_what_pulumi_upgrades_before_it_installs_is_locked_too() -> None:
    names = re.findall(r"^([\w-]+)==", (REPOSITORY / "requirements.txt").read_text("utf-8"), re.MULTILINE)

    assert {"pip", "setuptools", "wheel", "pulumi", "pulumi-aws", "pulumi-kubernetes"} <= set(names)


def test_the_providers_folder_is_in_every_clone() -> None:
    providers = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text("utf-8"))["plugins"]["providers"]
    listed = subprocess.run(
        ["git", "ls-files", "-s", LAUNCHER], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert providers == [{"name": "airbyte", "path": str(LAUNCHER.parent)}]
    assert listed.stdout.startswith("100755 ")


def test_the_provider_that_is_not_installed_says_what_to_run(clone: Path) -> None:
    ran = subprocess.run([clone / LAUNCHER, "127.0.0.1:1"], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert ran.stdout == ""
    assert "the Airbyte provider is not installed: run `make setup`, or `pulumi install`" in ran.stderr


def test_the_provider_of_the_clones_own_environment_is_started_from_any_folder(clone: Path, tmp_path: Path) -> None:
    plugin = clone / ".venv" / "bin" / LAUNCHER.name
    plugin.parent.mkdir(parents=True)
    plugin.write_text('#!/bin/sh\necho "$0" "$@"\n', encoding="utf-8")
    plugin.chmod(0o755)

    ran = subprocess.run([clone / LAUNCHER, "127.0.0.1:1"], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert ran.stdout == f"{plugin} 127.0.0.1:1\n"
