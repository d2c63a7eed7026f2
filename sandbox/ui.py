"""`make sandbox-ui`: Dagster's own interface and daemon on the sandbox, until Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from lotus_infra.errors import LotusError
from sandbox import s3
from sandbox.dagster_home import Home
from sandbox.lakehouse import dagster_home, environment
from sandbox.layout import Layout, write_whole
from sandbox.process import LOOPBACK, Running, free_port, remembered


def found(layout: Layout) -> Running | None:
    """The interface, if it runs in some other terminal."""
    running = remembered(layout.ui_file, Running)
    return running if running is not None and running.is_running and _is_dagster(running.pid) else None


def _is_dagster(pid: int) -> bool:
    """Whether a process is Dagster's, and not some other that got the number of one that has ended."""
    asked = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return "dagster" in asked.stdout


def ui(layout: Layout, port: int = 0) -> None:
    """Become `dagster dev`, which ends with all of its processes.

    Args:
        layout: the sandbox.
        port: where to listen; a free one when it is 0.

    Raises:
        LotusError: the sandbox is not up, or the port is taken.
    """
    server = s3.found(layout)
    if server is None:
        raise LotusError("the sandbox is not up", "run `make sandbox` first")
    Home(dagster_home(layout))
    listening = str(free_port(port))
    print(f"Dagster will be on http://{LOOPBACK}:{listening} in some seconds, until Ctrl-C.", flush=True)
    dagster = str(Path(sys.executable).with_name("dagster"))
    options = ["--module-name", "lotus_dagster.code_location", "--host", LOOPBACK, "--port", listening]
    # A script's background job ignores Ctrl-C; Dagster would inherit that, and then ignore SIGTERM too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    superseded = {"PYTHONWARNINGS": "ignore:Function `dev_command` is superseded"}
    write_whole(layout.ui_file, Running(pid=os.getpid(), url=f"http://{LOOPBACK}:{listening}").model_dump_json())
    os.chdir(layout.project)
    os.execve(dagster, [dagster, "dev", *options], environment(layout, server) | superseded)
