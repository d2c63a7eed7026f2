"""A command on a terminal of its own."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

COLUMNS = 80


class Shown(NamedTuple):
    """The exit code of a command, and all that its terminal got, from standard output and standard error."""

    exit_code: int
    text: str


def on_terminal(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], columns: int = COLUMNS
) -> Shown:
    """Run a command on a new pseudo-terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = bytearray()
    try:
        while read := os.read(ours, 65_536):
            shown += read
    except OSError:  # of a terminal whose last writer has ended
        pass
    os.close(ours)
    return Shown(process.wait(), shown.decode().replace("\r\n", "\n"))
