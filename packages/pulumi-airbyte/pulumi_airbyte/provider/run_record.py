"""What one run of the engine has done and declares, shared by all plugin processes of that run.

The engine starts one plugin process for each provider resource and each version, and gives all of them its own address.
The record is a small SQLite file which that address names. It holds ids, URNs, names, and the streams of connections
that are replaced; no secret, and no configuration. It is removed with the last process, or, where a run was killed, by
the next plugin that starts.
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
"""The layout of the tables. Processes of different layouts refuse to share a run."""
TABLES: Final = """
CREATE TABLE engines (process TEXT PRIMARY KEY);
CREATE TABLE processes (id TEXT PRIMARY KEY);
CREATE TABLE objects (id TEXT PRIMARY KEY, urn TEXT NOT NULL, standing TEXT NOT NULL, entry TEXT NOT NULL);
CREATE TABLE identities (identity TEXT PRIMARY KEY, urn TEXT NOT NULL);
CREATE TABLE successors (entry TEXT PRIMARY KEY, inputs TEXT NOT NULL);
"""
PATIENCE: Final = 60.0
"""Seconds for which a process waits for another one's transaction."""
Standing = Literal["made", "adopted", "kept", "read", "refused", "leaving", "deleted"]
OWNED: Final[tuple[Standing, ...]] = ("made", "adopted", "kept")
"""Standings of an object that one resource has: this run created it or took it over, or the state gives it to a
resource that the program declares."""
LIVE: Final[tuple[Standing, ...]] = (*OWNED, "read", "refused")
"""Standings of an object that must stay; a `read` one is an import, or a look-up by id, and a `refused` one is what a
resource declares and may not adopt. A `leaving` one is replaced in this run; a `deleted` one is gone, or is about to
be."""


@dataclass(frozen=True)
class Holder:
    """The resource that has an object, and since when."""

    urn: str
    standing: Standing


class RunRecord:
    """The record of one run. Thread-safe, and safe between processes.

    Raises from the constructor: AirbyteError where a plugin of another layout takes part in the same run.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._id = f"{os.getpid()}:{id(self)}"
        # Autocommit: each transaction is opened by hand, and takes the write lock at once.
        self._database = sqlite3.connect(
            path or ":memory:", timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        # A record need not outlive the machine.
        self._database.execute("PRAGMA synchronous = OFF")
        try:
            with self._transaction():
                self._join()
        except BaseException:
            self._database.close()
            raise

    @classmethod
    def of(cls, engine_address: str) -> "RunRecord":
        """The record of the run of the engine at an address; a private one where there is no address.

        Raises:
            AirbyteError: a plugin of another layout takes part in the same run, the folder is somebody else's, or
                nothing can be written to it.
        """
        if not engine_address:
            return cls()
        with _failures_told():
            folder = _folder()
            _sweep(folder)
            return cls(folder / f"{_namespace()}{hashlib.sha256(engine_address.encode()).hexdigest()[:16]}.db")

    def close(self) -> None:
        """Leave the run. The last process removes the record, unless it has deletes, which a later one may need."""
        with self._lock:
            unneeded: Path | None = None
            # The run is over, and what stays is swept up by the next plugin.
            with suppress(sqlite3.Error), self._begun() as database:
                database.execute("DELETE FROM processes WHERE id = ?", (self._id,))
                needed = database.execute("SELECT 1 FROM objects WHERE standing = 'deleted'").fetchone()
                if needed is None and _over(database):
                    unneeded = self._path
                    _remove(unneeded)
            self._database.close()
            # An open file can't be removed everywhere.
            _remove(unneeded)

    def take(self, object_id: str, urn: str, standing: Standing) -> Holder:
        """Give an object to a resource, unless another one has it, or it is deleted.

        Returns:
            Who has it from now on.
        """
        with self._transaction() as database:
            found = _holder(database, object_id)
            if found is not None and _prevails(found, urn, standing):
                return found
            held = Holder(urn, standing)
            _put(database, object_id, held)
            return held

    def holder(self, object_id: str) -> Holder | None:
        """Who has, or had, an object, as far as this run has shown."""
        with self._lock:
            return _holder(self._database, object_id)

    def leave(self, urn: str, entry: str, inputs: str) -> None:
        """Note that a resource gives up what the state has for it: a successor will be created in this run.

        Args:
            urn: of the resource.
            entry: what identifies the state's object by its inputs, under whichever URN it is deleted.
            inputs: what is to be known of the successor, as JSON.
        """
        with self._transaction() as database:
            database.execute("UPDATE objects SET standing = 'leaving' WHERE urn = ? AND standing = 'kept'", (urn,))
            database.execute("INSERT OR REPLACE INTO successors VALUES (?, ?)", (entry, inputs))

    def successor(self, entry: str) -> str | None:
        """What `leave` noted of the successor of an object of the state; empty once that is there."""
        with self._lock:
            found = self._database.execute("SELECT inputs FROM successors WHERE entry = ?", (entry,)).fetchone()
            return None if found is None else str(found[0])

    def arrive(self, entry: str) -> None:
        """Note that the successor of an object of the state is there, and has taken over what it can."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO successors VALUES (?, '')", (entry,))

    def delete(self, object_id: str, urn: str, entry: str) -> Holder | None:
        """Note that an object is about to be deleted, unless a resource has it.

        Returns:
            Who has it; None where it may be deleted.
        """
        with self._transaction() as database:
            found = _holder(database, object_id)
            if found is not None and found.standing in LIVE:
                return found
            _put(database, object_id, Holder(urn, "deleted"), entry)
            return None

    def restore(self, object_id: str) -> None:
        """Note that a delete has failed."""
        with self._transaction() as database:
            database.execute("DELETE FROM objects WHERE id = ? AND standing = 'deleted'", (object_id,))

    def deleted(self, urn: str, entry: str) -> str | None:
        """The id of the object that this run has deleted of a resource, by its URN or by what identified the object."""
        with self._lock:
            query = "SELECT id FROM objects WHERE standing = 'deleted' AND (urn = ? OR (entry = ? AND entry != ''))"
            found = self._database.execute(query, (urn, entry)).fetchone()
            return None if found is None else str(found[0])

    def another(self, urn: str, object_id: str) -> str | None:
        """The id of an object that a resource has in place of one of the state."""
        with self._lock:
            query = "SELECT id FROM objects WHERE urn = ? AND id != ? AND standing IN ('made', 'adopted', 'kept')"
            found = self._database.execute(query, (urn, object_id)).fetchone()
            return None if found is None else str(found[0])

    def reserve(self, identity: str, urn: str) -> str:
        """Give what identifies an object that is not there yet to a resource, unless another one has it.

        Returns:
            The URN of the resource that has it from now on.
        """
        with self._transaction() as database:
            database.execute("INSERT OR IGNORE INTO identities VALUES (?, ?)", (identity, urn))
            found = database.execute("SELECT urn FROM identities WHERE identity = ?", (identity,)).fetchone()
            return str(found[0])

    def _join(self) -> None:
        [layout] = self._database.execute("PRAGMA user_version").fetchone()
        if layout not in {0, FORMAT}:
            raise AirbyteError(
                "Plugins of this provider in two versions that can't share one run are in use: each could delete what "
                "the other has just made.",
                "Upgrade in two steps: run `pulumi up` with all resources on one version of pulumi-airbyte.",
            )
        if layout == 0:
            for statement in filter(None, map(str.strip, TABLES.split(";"))):
                self._database.execute(statement)
            self._database.execute(f"PRAGMA user_version = {FORMAT}")
        engine = _engine()
        if _over(self._database) and (engine,) not in self._database.execute("SELECT process FROM engines"):
            # An engine that was killed had the same address.
            for table in ("engines", "processes", "objects", "identities", "successors"):
                self._database.execute(f"DELETE FROM {table}")  # noqa: S608
        self._database.execute("INSERT OR IGNORE INTO engines VALUES (?)", (engine,))
        self._database.execute("INSERT INTO processes VALUES (?)", (self._id,))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _failures_told(), self._lock, self._begun() as database:
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
    """Whether an object stays with the resource that has it, where another one, or the same for less, asks for it."""
    if found.urn != urn:
        return found.standing == "deleted" or found.standing in (OWNED if standing in OWNED else LIVE)
    # What this run did weighs more than what the state says.
    return found.standing == "deleted" or (found.standing in OWNED and standing in {"kept", "read", "refused"})


def _put(database: sqlite3.Connection, object_id: str, holder: Holder, entry: str = "") -> None:
    row = (object_id, holder.urn, holder.standing, entry)
    database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", row)


def entry_of(kind: str, identity: tuple[str, ...]) -> str:
    """The text by which a record knows what identifies an object."""
    return json.dumps([kind, *identity])


@contextmanager
def _failures_told() -> Iterator[None]:
    """Raise AirbyteError where files of records can't be used: a full disk, or a folder that can't be written."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise AirbyteError(
            f"What this run does can't be recorded in the folder for temporary files: {error}.",
            "Set TMPDIR to a folder that this user can write to, and that has room.",
        ) from error


def _remove(path: Path | None) -> None:
    with suppress(OSError):
        if path is not None:
            path.unlink(missing_ok=True)


def _folder() -> Path:
    """The folder of this user's records, which nobody else may read or write."""
    folder = Path(tempfile.gettempdir()) / f"pulumi-airbyte-{getattr(os, 'getuid', lambda: 'user')()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    private = os.name != "posix" or (found.st_uid == os.getuid() and found.st_mode & 0o077 == 0)
    if not private or not folder.is_dir() or folder.is_symlink():
        raise AirbyteError(
            f"{folder} is not a folder of this user alone, so that plugins can't share what a run has done.",
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
    """What begins the names of this container's records: whether a process of another one lives can't be seen here."""
    with suppress(OSError):
        return f"{Path('/proc/self/ns/pid').stat().st_ino}-"
    return ""


def _over(database: sqlite3.Connection) -> bool:
    """Whether no process that joined a run is alive."""
    joined = database.execute("SELECT id FROM processes")
    return not any(_identified(str(process).partition(":")[0]) for (process,) in joined)


def _engine() -> str:
    """The process that started this one, which is the engine unless a wrapper stands between them."""
    return _identified(str(os.getppid()))


def _identified(process: str) -> str:
    """A living process as `id` or `id:start`, since ids are used again; empty for one that has ended."""
    number = process.partition(":")[0]
    with suppress(OSError, IndexError):
        started = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
        return f"{number}:{started}"
    if os.name != "posix":
        # A signal would end it there. A record in use can't be removed there, either.
        return number
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return number
    return number
