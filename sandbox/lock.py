"""One command of the sandbox at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.place import Place


@contextmanager
def alone(place: Place) -> Iterator[None]:
    """Wait until no other command of this sandbox runs; the system lets go of the lock of one that was killed."""
    with (place.folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another sandbox command is running: waiting for it to end.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
