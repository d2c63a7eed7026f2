"""One machine on which pages can be followed: a lake that is applied, its Airbyte and its S3, as new for each page.

The stack is called `prod`, as pages call it, and is the sandbox's: what is a company's own is not to be had here.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import yaml
from airbyte_twin.testing import running_twin

from sandbox import aws_plugin, s3
from sandbox.layout import Layout
from sandbox.process import stop
from sandbox.twin import give_connectors
from tests.engine.harness import REPOSITORY

STACK: Final = "prod"
PROMPTED: Final = "a-value-that-somebody-types\n"
"""What a command reads that asks for a secret."""
SECONDS: Final = 300


@dataclass(frozen=True)
class Shown:
    """How a block ended, and what it showed."""

    exit_code: int
    output: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Stage:
    """A clone of the repository whose stack is applied.

    Attributes:
        project: the clone.
        environment: of a shell in it.
    """

    project: Path
    environment: Mapping[str, str]

    def run(self, text: str) -> Shown:
        """Runs lines of a shell to their end, as if they were typed; what they export is for the next ones."""
        after = self.project.parent / "environment"
        after.unlink(missing_ok=True)
        script = f"trap 'env -0 > {after}' EXIT\n{text}"
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.project,
            env=dict(self.environment),
            input=PROMPTED,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        pairs = after.read_text(encoding="utf-8").split("\0") if after.exists() else []
        exported = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        return Shown(ran.returncode, ran.stdout, exported or self.environment)

    def after(self, shown: Shown) -> "Stage":
        """The same with what a block has exported."""
        return replace(self, environment=shown.environment)


@dataclass(frozen=True)
class Base:
    """What every stage is copied from.

    Attributes:
        origin: the repository, as it is here, with `Pulumi.prod.yaml` for one machine.
        kept: what Airbyte and S3 have once the lake is applied.
        engine: the folders that lead to the engine.
        place: whose S3 server serves all stages, one after the other.
    """

    origin: Path
    kept: Path
    engine: Sequence[Path]
    place: Layout

    @contextmanager
    def stage(self, folder: Path) -> Iterator[Stage]:
        """A stage in a new folder; S3 is as it was when the lake was applied."""
        if self.kept.exists():
            restore(self.kept / "s3", self.place.s3_data)
            shutil.copytree(self.kept / "airbyte", folder / "airbyte")
        clone(self.origin, folder / "project")
        server = s3.found(self.place)
        assert server is not None
        (folder / "airbyte").mkdir(exist_ok=True)
        give_connectors(folder / "airbyte")
        with running_twin(data_dir=folder / "airbyte", run_syncs=True) as twin:
            home = Layout(folder / "project")
            aws_plugin.install(home)
            programs = [*map(str, self.engine), str(Path(sys.executable).parent)]
            path = os.pathsep.join([*programs, os.environ["PATH"]])
            own = home.environment(path, twin.public_url, server.url) | {
                "AIRBYTE_POLL_SECONDS": "0.05",
                "AIRBYTE_RETRY_BASE_SECONDS": "0",
                "NO_COLOR": "1",
                "PULUMI_OPTION_NON_INTERACTIVE": "true",
                "PULUMI_OPTION_SKIP_PREVIEW": "true",
                "PULUMI_OPTION_YES": "true",
                "PULUMI_STACK": STACK,
            }
            home.write_environment(own, programs)
            foreign = ("PULUMI_", "AIRBYTE_", "AWS_", "COVERAGE_", "GIT_")
            kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
            yield Stage(home.project, kept | own)


@contextmanager
def standing(folder: Path, engine: Sequence[Path]) -> Iterator[Base]:
    """Applies the lake once, and keeps what Airbyte and S3 have then."""
    place = Layout(folder)
    server = s3.start(place)
    base = Base(origin(folder / "origin"), folder / "kept", engine, place)
    try:
        with base.stage(folder / "first") as stage:
            first = stage.run(f"pulumi stack init {STACK}\npulumi up --skip-preview")
            assert first.exit_code == 0, first.output
        shutil.copytree(folder / "first" / "airbyte", base.kept / "airbyte")
        shutil.copytree(place.s3_data, base.kept / "s3", symlinks=True)
        yield base
    finally:
        stop(server)


def restore(kept: Path, served: Path) -> None:
    """Puts back what the S3 server's folders hold; they themselves stay, because it works in them."""
    for folder in served.iterdir():
        for entry in folder.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(kept, served, symlinks=True, dirs_exist_ok=True)


def origin(folder: Path) -> Path:
    """The repository as it is here, in one commit."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        source, copy = REPOSITORY / name, folder / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    own = (REPOSITORY / "Pulumi.sandbox.yaml").read_text(encoding="utf-8")
    (folder / f"Pulumi.{STACK}.yaml").write_text(own, encoding="utf-8")
    # Two stacks can't have one workspace.
    workspace = yaml.safe_load(own)["config"]["lotus:workspaceId"]
    other = own.replace(workspace, "99999999-9999-9999-9999-999999999999")
    (folder / "Pulumi.sandbox.yaml").write_text(other, encoding="utf-8")
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "add", "-A")
    _git(folder, "-c", "user.name=me", "-c", "user.email=me@example.com", "commit", "-q", "-m", "The lake")
    return folder


def clone(repository: Path, folder: Path) -> None:
    """A clone with this checkout's environment in it, so that `make` has nothing to install."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _git(folder.parent, "clone", "-q", str(repository), str(folder))
    _git(folder, "config", "user.name", "me")
    _git(folder, "config", "user.email", "me@example.com")
    environment = folder / ".venv"
    environment.mkdir()
    for entry in (REPOSITORY / ".venv").iterdir():
        if not entry.name.startswith(".synced"):
            (environment / entry.name).symlink_to(entry)
    stamp = "touch .venv/.synced-$(pwd | cksum | cut -d ' ' -f 1)"  # as the Makefile notes that nothing is to be done
    subprocess.run(["sh", "-c", stamp], cwd=folder, check=True)


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
