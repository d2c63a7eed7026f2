"""The published packages outside this repository: built, installed into an empty folder, and run from there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from airbyte_twin.testing import RunningTwin

from tests.engine.harness import REPOSITORY, Pulumi
from toolchain.connectors import LOCAL_UV
from toolchain.release import build_packages

PACKAGE = REPOSITORY / "packages" / "pulumi-airbyte"
EXAMPLES = PACKAGE / "examples"
UV = shutil.which("uv") or str(LOCAL_UV)


def blocks(file: Path, language: str) -> list[str]:
    """The code blocks of a page in one language, whatever else is said of them."""
    return re.findall(
        rf"^```{language}\b[^\n]*\n(.*?)^```$", file.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def uv(*arguments: str | Path) -> str:
    command = [UV, "--quiet", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def install(folder: Path, *names: str) -> Path:
    """Build every package, and install some of the wheels into a new environment, with what they need as locked."""
    build_packages(folder / "dist")
    wheels = [wheel for name in names for wheel in (folder / "dist").glob(f"{name.replace('-', '_')}-*.whl")]
    chosen = [option for name in names for option in ("--package", name)]
    locked = uv("export", "--frozen", *chosen, "--no-emit-workspace", "--no-dev", "--no-hashes")
    (folder / "locked.txt").write_text(locked, encoding="utf-8")
    uv("venv", "--python", sys.executable, folder / ".venv")
    uv("pip", "install", "--python", folder / ".venv", "--constraints", folder / "locked.txt", *wheels)
    return folder / ".venv"


def plain_project(folder: Path, engine: list[Path], installed: Path, definition: str) -> Pulumi:
    """A project whose `.venv` is that environment, and whose program runs in it.

    The official language host reads in `Pulumi.yaml` which environment a program runs in. The stand-in, which is in the
    engine's folder where there is no official one, runs it in its own; so it is started from that environment.
    """
    pulumi = Pulumi(folder, [language_host(folder, installed), *engine] if engine else [], definition=definition)
    (pulumi.project / ".venv").symlink_to(installed)
    return pulumi


def language_host(folder: Path, installed: Path) -> Path:
    """The folder of a stand-in language host that runs programs in an environment."""
    host = folder / "host" / "pulumi-language-python"
    host.parent.mkdir()
    command = [str(installed / "bin" / "python"), "-u", str(REPOSITORY / "toolchain" / "language_host.py")]
    host.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    host.chmod(0o755)
    return host.parent


def configure(pulumi: Pulumi, page: Path, values: dict[str, str]) -> None:
    """Set what the page's commands set, to these values."""
    lines = [shlex.split(line) for block in blocks(page, "sh") for line in block.splitlines() if "config set" in line]
    assert {line[3] for line in lines} == set(values)
    ways = [("--secret" if line[-1] == "--secret" else "--plaintext", line[3]) for line in lines]
    pulumi.run("config", "set-all", *(f"{way}={key}={values[key]}" for way, key in ways)).ok()


def access(twin: RunningTwin) -> dict[str, str]:
    return {
        "airbyte:serverUrl": twin.public_url,
        "airbyte:clientId": twin.client_id,
        "airbyte:clientSecret": twin.client_secret,
    }


def without_plugin(pulumi: Pulumi) -> None:
    """Take folders that hold the plugin from PATH, where the engine would look first."""
    folders = pulumi.environment["PATH"].split(os.pathsep)
    kept = [folder for folder in folders if not (Path(folder) / "pulumi-resource-airbyte").exists()]
    pulumi.environment["PATH"] = os.pathsep.join(kept)
