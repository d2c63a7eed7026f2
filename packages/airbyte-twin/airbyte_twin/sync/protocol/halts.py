"""Calling work off from another thread.

Knows process groups. Must not know what the work is.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Halted(Exception):  # noqa: N818 - it is no error: somebody said stop
    """The work was called off."""


class Halt:
    """Calls one piece of work off: whoever works asks it, and the process that it waits for is killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._halted = False
        self._process: subprocess.Popen[bytes] | None = None

    def check(self) -> None:
        """Go on, or not.

        Raises:
            Halted: The work was called off.
        """
        if self._halted:
            raise Halted

    def halt(self) -> None:
        """Call the work off."""
        with self._lock:
            self._halted = True
            if self._process is not None:
                _kill_group(self._process)

    @contextmanager
    def guarding(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Kill a process group once the work is called off, and whatever is left of it at the end."""
        with self._lock:
            self._process = process
            if self._halted:
                _kill_group(process)
        try:
            yield
        finally:
            with self._lock:
                self._process = None
                _kill_group(process)
                process.wait()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # The process leads a group of its own, so that its children end with it.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class Halts:
    """All work that is under way, so that the end of the twin is the end of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[Halt] = set()
        self._ended = False

    @contextmanager
    def one(self) -> Iterator[Halt]:
        """Begin a piece of work; after the end of the twin it is called off from the start."""
        halt = Halt()
        with self._lock:
            self._under_way.add(halt)
            if self._ended:
                halt.halt()
        try:
            yield halt
        finally:
            with self._lock:
                self._under_way.discard(halt)

    def end(self) -> None:
        """Call everything off, for good."""
        with self._lock:
            self._ended = True
            for halt in self._under_way:
                halt.halt()
