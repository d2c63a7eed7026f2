"""The twin as a process of its own: started once, found again by later commands, stopped on request."""

import shutil
import sys
import time
from pathlib import Path
from typing import Final

import httpx

from lotus_infra.errors import LotusError
from sandbox.layout import Layout, write_whole
from sandbox.process import START_SECONDS, Process, Running, not_started, remembered, spawn, stop
from toolchain.connectors import connector, is_installed
from toolchain.engine import EngineError

REAL: Final = ("source-faker",)
CONNECTORS: Final = Path(__file__).parent / "connectors"
"""Specifications and a few streams each, as facts; the twin synthesizes their records."""


class Twin(Running):
    """A running twin."""

    @property
    def public_url(self) -> str:
        """Root of its public API."""
        return f"{self.url}/api/public/v1"

    @property
    def is_alive(self) -> bool:
        """Whether the process runs and answers as a twin does."""
        try:
            return self.is_running and httpx.get(f"{self.url}/_twin/counts", timeout=5).is_success
        except httpx.HTTPError:
            return False


def found(layout: Layout) -> Twin | None:
    """The twin that an earlier run started, if it still runs."""
    twin = remembered(layout.twin_file, Twin)
    return twin if twin is not None and twin.is_alive else None


def start(layout: Layout) -> Twin:
    """Start a twin on a free loopback port (the last one, if that is free) and wait until it listens.

    Raises:
        LotusError: it did not start; the message has its output.
    """
    before = remembered(layout.twin_file, Twin)
    ports = [before.url.rpartition(":")[2], "0"] if before else ["0"]
    for port in ports:
        process = _spawn(layout, port)
        url = _listening(process, layout.twin_log)
        if url:
            twin = Twin(pid=process.pid, url=url)
            write_whole(layout.twin_file, twin.model_dump_json())
            return twin
    raise not_started("the Airbyte twin", layout.twin_log)


def give_connectors(data: Path) -> None:
    """Put further connectors into a twin's data folder: sources of which nothing is pinned yet, to try `lotus add`."""
    shutil.copytree(CONNECTORS, data / "connectors", dirs_exist_ok=True)


def _spawn(layout: Layout, port: str) -> Process:
    layout.twin_data.mkdir(exist_ok=True)
    give_connectors(layout.twin_data)
    command = [str(Path(sys.executable).parent / "airbyte-twin"), "--port", port, "--auth", "none", "--run-syncs"]
    connectors = [f"--connector=airbyte/{name}={path}" for name, path in install_connectors().items()]
    return spawn([*command, *connectors, "--data-dir", str(layout.twin_data)], layout.twin_log)


def are_connectors_there() -> bool:
    """Whether all real connectors are installed."""
    return all(is_installed(name) for name in REAL)


def install_connectors() -> dict[str, Path]:
    """The real connectors, which read the sources that need no account, by name.

    Raises:
        LotusError: one can't be installed.
    """
    try:
        return {name: connector(name) for name in REAL}
    except EngineError as error:
        raise LotusError(str(error)) from None


def _listening(process: Process, log: Path) -> str:
    """The address from the line that the twin prints when it is ready, or an empty text when it ended instead."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_text(encoding="utf-8").splitlines():
            if line.startswith("airbyte-twin listening on "):
                return line.removeprefix("airbyte-twin listening on ").strip()
        time.sleep(0.05)
    process.kill()
    return ""


def forget(layout: Layout) -> None:
    """Empty an Airbyte whose objects are no longer in any state."""
    twin = found(layout)
    if twin is not None:
        stop(twin)
    shutil.rmtree(layout.twin_data, ignore_errors=True)
