"""`make sandbox-ui`: Dagster's own interface and daemon on the sandbox, until Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from lotus_infra.errors import LotusError
from sandbox import s3
from sandbox.dagster_home import CODE_LOCATION, Home
from sandbox.lakehouse import dagster_home, environment
from sandbox.layout import DAGSTER_URL, Layout, write_whole
from sandbox.process import LOOPBACK, Running, free_port, remembered
from sandbox.variables import of_last_up


def found(layout: Layout) -> Running | None:
    """The interface, if it runs in some other terminal."""
    running = remembered(layout.ui_file, Running)
    return running if running is not None and running.is_running and _is_dagster(running.pid) else None


def address(layout: Layout) -> str:
    """Where the interface listens, or will by default: a port that is chosen once, so that shells may know it."""
    known = remembered(layout.ui_file, Running)
    if known is None:
        known = Running(pid=0, url=f"http://{LOOPBACK}:{free_port()}")
        write_whole(layout.ui_file, known.model_dump_json())
    return known.url


def _is_dagster(pid: int) -> bool:
    """Whether a process is Dagster's, and not some other that got the number of one that has ended."""
    asked = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return "dagster" in asked.stdout


def ui(layout: Layout, port: int = 0) -> None:
    """Become `dagster dev`, which ends with all of its processes.

    Args:
        layout: the sandbox.
        port: where to listen; where it listened before when it is 0, or any free one.

    Raises:
        LotusError: the sandbox is not up, or the port is taken.
    """
    server = s3.found(layout)
    if server is None:
        raise LotusError("the sandbox is not up", "run `make sandbox` first")
    running = found(layout)
    if running is not None:
        raise LotusError(f"Dagster is already on {running.url}", "open it, or end it with Ctrl-C in its terminal")
    Home(dagster_home(layout))
    before = address(layout)
    listening = str(_port(port, before))
    url = f"http://{LOOPBACK}:{listening}"
    print(f"Dagster will be on {url} in some seconds, until Ctrl-C.", flush=True)
    if url != before:
        print(f"For `lotus status` in other shells: export {DAGSTER_URL}={url}", flush=True)
    layout.set_dagster_url(url)
    dagster = str(Path(sys.executable).with_name("dagster"))
    options = ["--module-name", CODE_LOCATION, "--host", LOOPBACK, "--port", listening]
    # A script's background job ignores Ctrl-C; Dagster would inherit that, and then ignore SIGTERM too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    superseded = {"PYTHONWARNINGS": "ignore:Function `dev_command` is superseded"}
    write_whole(layout.ui_file, Running(pid=os.getpid(), url=url).model_dump_json())
    os.chdir(layout.project)
    os.execve(dagster, [dagster, "dev", *options], environment(layout, server) | of_last_up(layout) | superseded)


def _port(wanted: int, before: str) -> int:
    """The port that is given, else the one of before where it is free, else any.

    Raises:
        LotusError: the port that is given is taken.
    """
    if wanted:
        return free_port(wanted)
    try:
        return free_port(int(before.rpartition(":")[2]))
    except LotusError:
        return free_port()
