"""The twin as a process of its own: started once, found again, ended when asked."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from lotus_infra.errors import LotusError
from sandbox.place import Place, write_whole

START_SECONDS: Final = 30
STOP_SECONDS: Final = 10
_LEFT_RUNNING: Final[list["subprocess.Popen[bytes]"]] = []
"""Twins outlive this process on purpose; a handle that is let go of would be reported as a forgotten child."""


class Twin(BaseModel):
    """A running twin.

    Attributes:
        pid: its process.
        url: where it listens, without a path.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    url: str

    @property
    def public_url(self) -> str:
        """Root of its public API."""
        return f"{self.url}/api/public/v1"

    @property
    def is_running(self) -> bool:
        """Whether there is a process of this number."""
        try:
            os.kill(self.pid, 0)
        except OSError:
            return False
        return True

    @property
    def is_alive(self) -> bool:
        """Whether the process runs and answers as a twin does."""
        try:
            return self.is_running and httpx.get(f"{self.url}/_twin/counts", timeout=5).is_success
        except httpx.HTTPError:
            return False


def found(place: Place) -> Twin | None:
    """The twin that an earlier run started, if it still runs."""
    twin = remembered(place)
    return twin if twin is not None and twin.is_alive else None


def remembered(place: Place) -> Twin | None:
    """The twin that an earlier run started, whatever became of it."""
    try:
        return Twin.model_validate_json(place.twin_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return None


def start(place: Place) -> Twin:
    """Start a twin on a free loopback port (the last one, if that is free) and wait until it listens.

    Raises:
        LotusError: it did not start; the message has what it said.
    """
    before = remembered(place)
    ports = [before.url.rpartition(":")[2], "0"] if before else ["0"]
    for port in ports:
        process = _spawn(place, port)
        url = _listening(process, place.twin_log)
        if url:
            twin = Twin(pid=process.pid, url=url)
            write_whole(place.twin_file, twin.model_dump_json())
            return twin
    said = place.twin_log.read_text(encoding="utf-8").strip().removeprefix("Error: ")
    remedy = "`rm -r .sandbox` starts the sandbox anew"
    raise LotusError(f"the Airbyte twin did not start\n  it said: {said}\n  what to do", remedy)


def _spawn(place: Place, port: str) -> "subprocess.Popen[bytes]":
    place.twin_data.mkdir(exist_ok=True)
    command = [str(Path(sys.executable).parent / "airbyte-twin"), "--port", port, "--auth", "none"]
    with place.twin_log.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--data-dir", str(place.twin_data)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _LEFT_RUNNING.append(process)
    return process


def _listening(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """The address from the line that the twin prints when it is ready, or an empty text when it ended instead."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_text(encoding="utf-8").splitlines():
            if line.startswith("airbyte-twin listening on "):
                return line.removeprefix("airbyte-twin listening on ").strip()
        time.sleep(0.05)
    process.kill()
    return ""


def forget(place: Place) -> None:
    """Let an Airbyte be empty whose objects no state knows any more."""
    twin = found(place)
    if twin is not None:
        stop(twin)
    shutil.rmtree(place.twin_data, ignore_errors=True)


def stop(twin: Twin) -> None:
    """End the twin and wait until it has saved what it remembers."""
    try:
        os.kill(twin.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    for own in _LEFT_RUNNING:
        if own.pid == twin.pid:
            own.wait(STOP_SECONDS)
    deadline = time.monotonic() + STOP_SECONDS
    while twin.is_running and time.monotonic() < deadline:
        time.sleep(0.05)
