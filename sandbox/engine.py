"""The Pulumi CLI over the project's own program, with the sandbox's environment."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lotus_infra import naming
from lotus_infra.errors import LotusError
from sandbox.layout import FOREIGN, STACK, Layout
from toolchain.engine import HOST_NAME

ANEW: Final = "`rm -r .sandbox` (after `make sandbox-down`) starts with a new sandbox"
UNLOCK: Final = "if that is a lock which a killed run left, `. .sandbox/env && pulumi cancel --yes` removes it"


class ExportedConnection(BaseModel):
    """What the program exports for each connection: its id, and the prefixes in S3 of the streams that it lands."""

    model_config = ConfigDict(frozen=True)

    connection_id: str = Field(alias="connectionId")
    streams: dict[str, str]


class _ExportedSource(BaseModel):
    """What the program exports for a source with several connections."""

    model_config = ConfigDict(frozen=True)

    connections: dict[str, ExportedConnection]


class _ExportedFiles(BaseModel):
    """What the program exports for a source that dlt reads: Airbyte has no connection of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    streams: dict[str, str]


@contextmanager
def _interrupts_left_to_the_engine() -> Iterator[list[int]]:
    """Ctrl-C reaches the engine too, which then finishes what runs: wait for that; yields the signals that came."""
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class Programs:
    """Where the engine and this environment's programs are.

    Attributes:
        first: folders for the front of PATH.
        last: folders that a shell with another PATH needs as well, for a CLI that is installed on this machine.
    """

    first: tuple[str, ...]
    last: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The caller's PATH with the folders in front of it."""
        return os.pathsep.join([*self.first, os.environ.get("PATH", os.defpath)])


def is_engine_there(layout: Layout) -> bool:
    """Whether the machine has an engine, so that none has to be built."""
    command = [*_finding(layout), "--no-build"]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def programs(layout: Layout, output: IO[str] | None = None) -> Programs:
    """Find the engine and this environment's programs.

    Where the machine has no engine it is built, which takes minutes.

    Args:
        layout: the sandbox.
        output: where the build's progress goes; standard error by default.

    Raises:
        LotusError: there is no engine and none can be built; what to do is in the output.
    """
    finding = subprocess.run(_finding(layout), stdout=subprocess.PIPE, stderr=output, text=True, check=False)
    if finding.returncode != 0:
        raise LotusError("no Pulumi engine")
    own, built = str(Path(sys.executable).parent), finding.stdout.strip()
    if built:
        return Programs((built, own))
    installed = (shutil.which(name) for name in ("pulumi", HOST_NAME))
    return Programs((own,), tuple(dict.fromkeys(str(Path(found).parent) for found in installed if found)))


def _finding(layout: Layout) -> list[str]:
    return [sys.executable, str(layout.project / "toolchain" / "engine.py"), "--print-path"]


@dataclass(frozen=True)
class Engine:
    """The CLI with an environment.

    Attributes:
        layout: the sandbox.
        environment: what it runs with, beside the caller's environment without its variables of the same kinds.
        output: where the commands that the user may read print; the terminal by default.
    """

    layout: Layout
    environment: Mapping[str, str]
    output: IO[str] | None = None

    def select_stack(self) -> None:
        """Make the stack if it is not there yet."""
        listed = self._captured("stack", "ls", "--json")
        if f'"{STACK}"' not in listed:
            self._captured("stack", "init", STACK)

    def show(self, *arguments: str) -> None:
        """Run a command and let the user read it.

        Raises:
            LotusError: it failed; its output has the reason.
        """
        with _interrupts_left_to_the_engine() as interrupts:
            process = subprocess.run(
                ["pulumi", *arguments],
                cwd=self.layout.project,
                env=self._environment(),
                stdout=self.output,
                stderr=self.output,
                check=False,
            )
        if interrupts:
            raise KeyboardInterrupt
        if process.returncode != 0:
            raise LotusError(f"pulumi {arguments[0]} failed for the reason above", UNLOCK)

    def connections(self) -> dict[str, ExportedConnection]:
        """What the program exported, by the connections' names in Pulumi."""
        text = self._captured("stack", "output", "sources", "--json")
        found: dict[str, ExportedConnection] = {}
        sources = TypeAdapter(dict[str, ExportedConnection | _ExportedSource | _ExportedFiles])
        for source, exported in sources.validate_json(text).items():
            if isinstance(exported, _ExportedFiles):
                continue
            own = {source: exported} if isinstance(exported, ExportedConnection) else exported.connections
            found |= {naming.connection_resource(source, name): each for name, each in own.items()}
        return found

    def configuration(self) -> str:
        """The stack's configuration as JSON, with its secrets."""
        return self._captured("config", "--show-secrets", "--json", "--stack", STACK)

    def _captured(self, *arguments: str) -> str:
        process = subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.layout.project,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode != 0:
            message = process.stderr.strip().removeprefix("error: ")
            raise LotusError(f"pulumi {' '.join(arguments)} failed: {message}", f"{ANEW}, the state in it included")
        return process.stdout

    def _environment(self) -> dict[str, str]:
        return {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)} | dict(self.environment)
