"""Cancel work from another thread."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Cancelled(Exception):  # noqa: N818 - a request, not an error
    """The work was cancelled."""


class Cancellation:
    """Cancels one piece of work: the worker polls `check`, and its subprocess is killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._process: subprocess.Popen[bytes] | None = None

    def check(self) -> None:
        """Raise if cancelled.

        Raises:
            Cancelled: The work was cancelled.
        """
        if self._cancelled:
            raise Cancelled

    def cancel(self) -> None:
        """Cancel the work."""
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                _kill_group(self._process)

    @contextmanager
    def guarding(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Kill a process group on cancellation, and its remaining processes at the end."""
        with self._lock:
            self._process = process
            if self._cancelled:
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


class Cancellations:
    """All work in progress, cancelled when the twin ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[Cancellation] = set()
        self._ended = False

    @contextmanager
    def one(self) -> Iterator[Cancellation]:
        """Register a piece of work; after the end of the twin it starts cancelled."""
        cancellation = Cancellation()
        with self._lock:
            self._under_way.add(cancellation)
            if self._ended:
                cancellation.cancel()
        try:
            yield cancellation
        finally:
            with self._lock:
                self._under_way.discard(cancellation)

    def end(self) -> None:
        """Cancel all work, and any that starts later."""
        with self._lock:
            self._ended = True
            for cancellation in self._under_way:
                cancellation.cancel()
