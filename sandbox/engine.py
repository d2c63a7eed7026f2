"""The Pulumi CLI over the project's own program, with the sandbox's environment."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lotus_infra.errors import LotusError
from sandbox.place import STACK, Place


class ExportedSource(BaseModel):
    """What the program exports for each source: its connection, and its streams with their S3 prefixes."""

    model_config = ConfigDict(frozen=True)

    connection_id: str = Field(alias="connectionId")
    streams: dict[str, str]


def engine_path(place: Place) -> str:
    """PATH with the engine and this environment in front.

    Where the machine has no engine it is built, which takes minutes.

    Raises:
        LotusError: there is no engine and none can be built; what to do has been printed.
    """
    command = [sys.executable, str(place.project / "toolchain" / "engine.py"), "--print-path"]
    finding = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if finding.returncode != 0:
        raise LotusError("no Pulumi engine")
    found = [finding.stdout.strip(), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    return os.pathsep.join(folder for folder in found if folder)


@dataclass(frozen=True)
class Engine:
    """The CLI with an environment.

    Attributes:
        place: the sandbox.
        environment: what it runs with, beside the caller's environment without its PULUMI_* and AIRBYTE_* variables.
    """

    place: Place
    environment: Mapping[str, str]

    def select_stack(self) -> None:
        """Make the stack if it is not there yet."""
        listed = self._captured("stack", "ls", "--json")
        if f'"{STACK}"' not in listed:
            self._captured("stack", "init", STACK)

    def show(self, *arguments: str) -> None:
        """Run a command and let the user read it.

        Raises:
            LotusError: it failed; it has said why.
        """
        process = subprocess.run(["pulumi", *arguments], cwd=self.place.project, env=self._environment(), check=False)
        if process.returncode != 0:
            raise LotusError(f"pulumi {' '.join(arguments)} failed", "its reason is above")

    def sources(self) -> dict[str, ExportedSource]:
        """What the program exported."""
        text = self._captured("stack", "output", "sources", "--json")
        return TypeAdapter(dict[str, ExportedSource]).validate_json(text)

    def _captured(self, *arguments: str) -> str:
        process = subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.place.project,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode != 0:
            raise LotusError(f"pulumi {' '.join(arguments)} failed: {process.stderr.strip()}")
        return process.stdout

    def _environment(self) -> dict[str, str]:
        foreign = ("PULUMI_", "AIRBYTE_")
        return {key: value for key, value in os.environ.items() if not key.startswith(foreign)} | dict(self.environment)
