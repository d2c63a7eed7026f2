"""Start, find and stop the sandbox's servers, which outlive the command that starts them."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from lotus_infra.errors import LotusError

Process: TypeAlias = subprocess.Popen[bytes]

LOOPBACK: Final = "127.0.0.1"
START_SECONDS: Final = 30
STOP_SECONDS: Final = 10
_LEFT_RUNNING: Final[list[Process]] = []
"""Servers outlive this process on purpose; a dropped handle would be reported as a leaked child."""


class Running(BaseModel):
    """A server.

    Attributes:
        pid: its process.
        url: where it listens, without a path.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    url: str

    @property
    def is_running(self) -> bool:
        """Whether there is a process of this number; 0 is none."""
        if self.pid <= 0:
            return False
        try:
            os.kill(self.pid, 0)
        except OSError:
            return False
        return True


Server = TypeVar("Server", bound=Running)


def remembered(note: Path, kind: type[Server]) -> Server | None:
    """The server that an earlier run recorded, running or not; None where the record is missing or damaged."""
    try:
        return kind.model_validate_json(note.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return None


def free_port(port: int = 0) -> int:
    """A port that can be listened on: the one that is given, or any when that is 0.

    Raises:
        LotusError: it is taken, or is no port.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError) as error:
            raise LotusError(f"port {port} can't be had: {error}", "name another: `make sandbox-ui PORT=…`") from error
        return int(probe.getsockname()[1])


def spawn(command: Sequence[str], log: Path, environment: Mapping[str, str] = os.environ) -> Process:
    """Start a server in a session of its own, where Ctrl-C does not reach it; its output goes to the log."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _LEFT_RUNNING.append(process)
    return process


def not_started(what: str, log: Path) -> LotusError:
    """The error for a server that did not start, with its output."""
    output = log.read_text(encoding="utf-8", errors="replace").strip().removeprefix("Error: ")
    remedy = "`rm -r .sandbox` starts with a new sandbox"
    return LotusError(f"{what} did not start\n  its output: {output}\n  what to do", remedy)


def stop(server: Running) -> None:
    """Stop a server and wait until its process has saved its data and ended."""
    try:
        os.kill(server.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    for own in _LEFT_RUNNING:
        if own.pid == server.pid:
            own.wait(STOP_SECONDS)
    deadline = time.monotonic() + STOP_SECONDS
    while server.is_running and time.monotonic() < deadline:
        time.sleep(0.05)
