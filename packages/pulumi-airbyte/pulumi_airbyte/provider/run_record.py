"""The objects that one run of the engine has created, adopted, kept or deleted, shared by its plugin processes.

The engine starts one plugin process per provider resource and version, and passes its own address to each. The record
is a small SQLite file named by that address. It holds ids, URNs, names, and the streams of replaced connections; no
secret and no configuration. The last process removes it; after a killed run, the next plugin does.
"""

import hashlib
import json
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pulumi_airbyte.client import AirbyteError

FORMAT: Final = 1
"""Version of the table layout. Processes with different layouts refuse to share a run."""
TABLES: Final = """
CREATE TABLE engines (process TEXT PRIMARY KEY);
CREATE TABLE processes (id TEXT PRIMARY KEY);
CREATE TABLE objects (id TEXT PRIMARY KEY, urn TEXT NOT NULL, standing TEXT NOT NULL, entry TEXT NOT NULL);
CREATE TABLE identities (identity TEXT PRIMARY KEY, urn TEXT NOT NULL);
CREATE TABLE successors (entry TEXT PRIMARY KEY, inputs TEXT NOT NULL);
"""
PATIENCE: Final = 60.0
"""Seconds to wait for another process's transaction."""
Standing = Literal["made", "adopted", "kept", "read", "refused", "leaving", "deleted"]
OWNED: Final[tuple[Standing, ...]] = ("made", "adopted", "kept")
"""Standings of an object that one resource owns: this run created or adopted it, or it is the state's object of a
resource that the program declares."""
LIVE: Final[tuple[Standing, ...]] = (*OWNED, "read", "refused")
"""Standings of an object that must not be deleted. `read`: an import or a look-up by id. `refused`: a resource declares
it, and its create was refused. Of the others, a `leaving` object is being replaced, and a `deleted` one is deleted or
about to be."""


@dataclass(frozen=True)
class Holder:
    """The resource that holds an object, and the object's standing."""

    urn: str
    standing: Standing


class RunRecord:
    """The record of one run. Safe between threads and processes.

    The constructor raises AirbyteError if a plugin with another layout takes part in the run.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._id = f"{os.getpid()}:{id(self)}"
        # isolation_level=None: transactions are opened by hand, to take the write lock at once.
        self._database = sqlite3.connect(
            path or ":memory:", timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        # A record need not survive a crash of the machine.
        self._database.execute("PRAGMA synchronous = OFF")
        try:
            with self._transaction():
                self._join()
        except BaseException:
            self._database.close()
            raise

    @classmethod
    def of(cls, engine_address: str) -> "RunRecord":
        """The record of the run of the engine at an address; a private one without an address.

        Raises:
            AirbyteError: a plugin with another layout takes part in the run, or the folder belongs to another user or
                is not writable.
        """
        if not engine_address:
            return cls()
        with _errors_reported():
            folder = _folder()
            _sweep(folder)
            return cls(folder / f"{_namespace()}{hashlib.sha256(engine_address.encode()).hexdigest()[:16]}.db")

    def close(self) -> None:
        """Leave the run. The last process removes the record, unless it holds deletes that a later process may need."""
        with self._lock:
            unneeded: Path | None = None
            # On an error the file stays, and the next plugin removes it.
            with suppress(sqlite3.Error), self._begun() as database:
                database.execute("DELETE FROM processes WHERE id = ?", (self._id,))
                needed = database.execute("SELECT 1 FROM objects WHERE standing = 'deleted'").fetchone()
                if needed is None and _over(database):
                    unneeded = self._path
                    _remove(unneeded)
            self._database.close()
            # Windows can't remove an open file.
            _remove(unneeded)

    def take(self, object_id: str, urn: str, standing: Standing) -> Holder:
        """Assign an object to a resource, unless another one holds it or it is deleted.

        Returns:
            The holder after the call.
        """
        with self._transaction() as database:
            found = _holder(database, object_id)
            if found is not None and _prevails(found, urn, standing):
                return found
            held = Holder(urn, standing)
            _put(database, object_id, held)
            return held

    def holder(self, object_id: str) -> Holder | None:
        """The holder of an object in this run, if any."""
        with self._lock:
            return _holder(self._database, object_id)

    def leave(self, urn: str, entry: str, inputs: str) -> None:
        """Record that a resource's object will be replaced in this run.

        Args:
            urn: the resource.
            entry: identity of the state's object by its inputs, whatever URN deletes it.
            inputs: the note about the successor's inputs, as JSON.
        """
        with self._transaction() as database:
            database.execute("UPDATE objects SET standing = 'leaving' WHERE urn = ? AND standing = 'kept'", (urn,))
            database.execute("INSERT OR REPLACE INTO successors VALUES (?, ?)", (entry, inputs))

    def successor(self, entry: str) -> str | None:
        """The note that `leave` recorded about an object's successor; empty once the successor exists."""
        with self._lock:
            found = self._database.execute("SELECT inputs FROM successors WHERE entry = ?", (entry,)).fetchone()
            return None if found is None else str(found[0])

    def arrive(self, entry: str) -> None:
        """Record that an object's successor exists and has taken over its cursors."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO successors VALUES (?, '')", (entry,))

    def delete(self, object_id: str, urn: str, entry: str) -> Holder | None:
        """Record that an object is about to be deleted, unless a resource holds it.

        Returns:
            The holder; None if the object may be deleted.
        """
        with self._transaction() as database:
            found = _holder(database, object_id)
            if found is not None and found.standing in LIVE:
                return found
            _put(database, object_id, Holder(urn, "deleted"), entry)
            return None

    def restore(self, object_id: str) -> None:
        """Record that a delete failed."""
        with self._transaction() as database:
            database.execute("DELETE FROM objects WHERE id = ? AND standing = 'deleted'", (object_id,))

    def deleted(self, urn: str, entry: str) -> str | None:
        """The id of the object that this run deleted for a resource, found by URN or by identity."""
        with self._lock:
            query = "SELECT id FROM objects WHERE standing = 'deleted' AND (urn = ? OR (entry = ? AND entry != ''))"
            found = self._database.execute(query, (urn, entry)).fetchone()
            return None if found is None else str(found[0])

    def another(self, urn: str, object_id: str) -> str | None:
        """The id of another object that the resource owns in this run, if any."""
        with self._lock:
            query = "SELECT id FROM objects WHERE urn = ? AND id != ? AND standing IN ('made', 'adopted', 'kept')"
            found = self._database.execute(query, (urn, object_id)).fetchone()
            return None if found is None else str(found[0])

    def reserve(self, identity: str, urn: str) -> str:
        """Reserve the identity of an object that does not exist yet, unless another resource has reserved it.

        Returns:
            The URN of the resource that holds the reservation.
        """
        with self._transaction() as database:
            database.execute("INSERT OR IGNORE INTO identities VALUES (?, ?)", (identity, urn))
            found = database.execute("SELECT urn FROM identities WHERE identity = ?", (identity,)).fetchone()
            return str(found[0])

    def _join(self) -> None:
        [layout] = self._database.execute("PRAGMA user_version").fetchone()
        if layout not in {0, FORMAT}:
            raise AirbyteError(
                "Two incompatible versions of this provider's plugin take part in this run: each could delete what the "
                "other has just created.",
                "Upgrade in two steps: run `pulumi up` with all resources on one version of pulumi-airbyte.",
            )
        if layout == 0:
            for statement in filter(None, map(str.strip, TABLES.split(";"))):
                self._database.execute(statement)
            self._database.execute(f"PRAGMA user_version = {FORMAT}")
        engine = _engine()
        if _over(self._database) and (engine,) not in self._database.execute("SELECT process FROM engines"):
            # The file belongs to a killed engine that had the same address.
            for table in ("engines", "processes", "objects", "identities", "successors"):
                self._database.execute(f"DELETE FROM {table}")  # noqa: S608
        self._database.execute("INSERT OR IGNORE INTO engines VALUES (?)", (engine,))
        self._database.execute("INSERT INTO processes VALUES (?)", (self._id,))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _errors_reported(), self._lock, self._begun() as database:
            yield database

    @contextmanager
    def _begun(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def _holder(database: sqlite3.Connection, object_id: str) -> Holder | None:
    found = database.execute("SELECT urn, standing FROM objects WHERE id = ?", (object_id,)).fetchone()
    return None if found is None else Holder(*found)


def _prevails(found: Holder, urn: str, standing: Standing) -> bool:
    """Whether the recorded holder keeps an object against this claim."""
    if found.urn != urn:
        return found.standing == "deleted" or found.standing in (OWNED if standing in OWNED else LIVE)
    # What this run did takes precedence over the state.
    return found.standing == "deleted" or (found.standing in OWNED and standing in {"kept", "read", "refused"})


def _put(database: sqlite3.Connection, object_id: str, holder: Holder, entry: str = "") -> None:
    row = (object_id, holder.urn, holder.standing, entry)
    database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", row)


def entry_of(kind: str, identity: tuple[str, ...]) -> str:
    """An object's identity as one text."""
    return json.dumps([kind, *identity])


@contextmanager
def _errors_reported() -> Iterator[None]:
    """Raise AirbyteError if the record's file can't be used: a full disk, or a folder that is not writable."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise AirbyteError(
            f"The run can't be recorded in the folder for temporary files: {error}.",
            "Set TMPDIR to a writable folder with free space.",
        ) from error


def _remove(path: Path | None) -> None:
    with suppress(OSError):
        if path is not None:
            path.unlink(missing_ok=True)


def _folder() -> Path:
    """The folder of this user's records, private to the user."""
    folder = Path(tempfile.gettempdir()) / f"pulumi-airbyte-{getattr(os, 'getuid', lambda: 'user')()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    private = os.name != "posix" or (found.st_uid == os.getuid() and found.st_mode & 0o077 == 0)
    if not private or not folder.is_dir() or folder.is_symlink():
        raise AirbyteError(
            f"{folder} is not private to this user, so plugins can't share the record of a run.",
            "Remove it, or set TMPDIR to a folder of your own.",
        )
    return folder


def _sweep(folder: Path) -> None:
    """Remove the records of runs that were killed."""
    for path in folder.glob(f"{_namespace()}*.db"):
        with suppress(OSError, sqlite3.Error):
            with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as database:
                engines = [str(process) for (process,) in database.execute("SELECT process FROM engines")]
                ended = _over(database) and not any(process == _identified(process) for process in engines)
            if engines and ended:
                path.unlink()


def _namespace() -> str:
    """The prefix of this container's file names. Processes of other containers are invisible here."""
    with suppress(OSError):
        return f"{Path('/proc/self/ns/pid').stat().st_ino}-"
    return ""


def _over(database: sqlite3.Connection) -> bool:
    """Whether every process of a run has ended."""
    joined = database.execute("SELECT id FROM processes")
    return not any(_identified(str(process).partition(":")[0]) for (process,) in joined)


def _engine() -> str:
    """The parent process: the engine, or a wrapper around this plugin."""
    return _identified(str(os.getppid()))


def _identified(process: str) -> str:
    """A running process as `id` or `id:start` (ids are reused); empty for one that has ended."""
    number = process.partition(":")[0]
    with suppress(OSError, IndexError):
        started = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
        return f"{number}:{started}"
    if os.name != "posix":
        # On Windows, os.kill would end the process. A record in use can't be removed there anyway.
        return number
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return number
    return number
