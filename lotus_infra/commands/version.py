"""The lines of `lotus --version`: what a bug report needs, whatever is missing."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import escape_unprintable

PACKAGES: Final = ("pulumi-airbyte", "pulumi", "pulumi-aws", "pulumi-kubernetes")
"""The Python packages by which the engine and the servers are reached."""
_SECONDS: Final = 5.0
"""How long the engine may take to print its version."""
_LAKE: Final = Path("streams")


def versions(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The versions of Lotus, its packages, Python, the engine on PATH, and the connectors that the lake here pins.

    Args:
        environment: The environment's variables.
    """
    project = _project()
    lines = [
        f"lotus, version {_package('lotus-infra')}",
        *(f"{name} {_package(name)}" for name in PACKAGES),
        f"Python {platform.python_version()} on {platform.platform()}",
        f"engine: {_engine(environment)}",
        *([f"engines that {project / 'Pulumi.yaml'} supports: {_supported(project)}"] if project is not None else []),
        *(f"connector: {pin}" for pin in _pins()),
    ]
    return [escape_unprintable(line) for line in lines]


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _engine(environment: Mapping[str, str]) -> str:
    """The version and the place of the engine on PATH."""
    found = shutil.which("pulumi", path=environment.get("PATH"))
    if found is None:
        return "no pulumi on PATH"
    quiet = {**environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        ran = subprocess.run(  # noqa: S603, the user's own program
            [found, "version"],
            env=quiet,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return f"pulumi, which prints no version ({found})"
    return f"pulumi {ran.stdout.strip().removeprefix('v')} ({found})"


def _project() -> Path | None:
    """The nearest folder at or above this one with a `Pulumi.yaml`, relative to this one where it is this one."""
    here = Path.cwd()
    folder = next((above for above in (here, *here.parents) if (above / "Pulumi.yaml").is_file()), None)
    return Path() if folder == here else folder


def _supported(project: Path) -> str:
    """The range of engines that a project names."""
    from lotus_infra.config import stack_files  # noqa: PLC0415, YAML is needed inside of a project only

    with suppress(LotusError):
        found = stack_files.read(project / stack_files.PROJECT_FILE).content.get("requiredPulumiVersion")
        return str(found or "any")
    return "unknown"


def _pins() -> Iterator[str]:
    """The connectors that the lake in this folder pins, each with its version."""
    for file in sorted((_LAKE / "_connectors").glob("*.json")):
        with suppress(OSError, ValueError, RecursionError):
            document = json.loads(file.read_bytes())
            pinned = document.get("version") if isinstance(document, dict) else None
            yield f"{file.stem} {pinned or '(no version)'}"
