"""Save a twin's objects to a folder and load them: `state.json`, and `secrets.json` for secrets and credentials."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar

from pydantic import ValidationError

from airbyte_twin.records import Record
from airbyte_twin.store import SecretSnapshot, Snapshot, Store

STATE_FILE = "state.json"
SECRETS_FILE = "secrets.json"
LOCK_FILE = ".lock"
REST = 10
"""After a save the next one waits this many times as long as it took, so that saving never takes over."""

R = TypeVar("R", bound=Record)


class StateFileError(Exception):
    """An unusable saved state or a folder that cannot be written; the message has the remedy."""


@contextmanager
def alone_in(folder: Path | None) -> Iterator[None]:
    """Lock a folder against other processes, whose saves would overwrite each other.

    Raises:
        StateFileError: Another twin uses the folder, or it cannot be created.
    """
    if folder is None:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK_FILE).open("w")
    except OSError as error:
        raise StateFileError(f"{folder}: cannot be created: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateFileError(f"{folder}: in use by another twin: stop that one first") from error
        yield


class Saver:
    """Keeps the files of a folder up to date with a store."""

    def __init__(self, store: Store, folder: Path, timer: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._folder = folder
        self._timer = timer
        self._saved = -1
        self._next = 0.0

    def load(self) -> None:
        """Fill the store from the files, if there are any.

        Raises:
            StateFileError: A file is damaged or of another version, or the folder cannot be created.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateFileError(f"{self._folder}: cannot be created: {error.strerror}") from error
        state = _read(self._folder / STATE_FILE, Snapshot)
        secrets = _read(self._folder / SECRETS_FILE, SecretSnapshot)
        if state is not None:
            self._store.restore(state, secrets or SecretSnapshot(secrets=(), applications=()))
            self._saved = self._store.revision

    def has_folder(self) -> bool:
        """Whether the folder is still there."""
        return self._folder.is_dir()

    def save_if_due(self) -> float:
        """Save if something changed and the last save is long enough ago.

        Returns:
            Seconds to wait before the next try; 0 if nothing is left to save.
        """
        if self._store.revision == self._saved:
            return 0
        wait = self._next - self._timer()
        if wait > 0:
            return wait
        self.save()
        return 0

    def save(self) -> None:
        """Save if something changed.

        Raises:
            StateFileError: A file cannot be written.
        """
        revision, started = self._store.revision, self._timer()
        if revision == self._saved:
            return
        _write(self._folder / SECRETS_FILE, self._store.secret_snapshot())
        _write(self._folder / STATE_FILE, self._store.snapshot())
        self._saved = revision
        now = self._timer()
        self._next = now + REST * (now - started)


def _read(path: Path, model: type[R]) -> R | None:
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateFileError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        advice = "move it away to start empty"
        raise StateFileError(
            f"{path}: damaged or of another version ({error.error_count()} errors): {advice}"
        ) from error


def _write(path: Path, document: Record) -> None:
    """Replace a file atomically; only its owner can read it, because configurations are private."""
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part", delete=False) as part:
            part.write(document.model_dump_json().encode())
        Path(part.name).replace(path)
    except OSError as error:
        raise StateFileError(f"{path}: cannot be written: {error.strerror}") from error
