"""Barman's own tools, called as the sidecar of the Barman Cloud plugin calls them, with what the program declares.

Postgres runs in one container and the sidecar in another: the server's archive and restore commands hand each log file
over by a marker in a folder that both see.
"""

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pytest

from tests.graph.recorder import Graph
from tests.support.postgres import USER, Postgres, give_to_postgres
from toolchain.connectors import environment
from toolchain.engine import EngineError

HERE: Final = Path(__file__).parent
POLL_SECONDS: Final = 0.05
NOT_THERE: Final = 1
"""The exit code of barman-cloud-wal-restore for a file that the archive does not have."""


@dataclass(frozen=True)
class Archive:
    """The archive of a cluster, or one that it is restored from.

    Attributes:
        bin: The folder of Barman's tools.
        options: The options of the place.
        place: Bucket and prefix.
        server: The server name.
        environment: The variables of the sidecar.
    """

    bin: Path
    options: tuple[str, ...]
    place: str
    server: str
    environment: Mapping[str, str]

    @classmethod
    def of(cls, graph: Graph) -> Self:
        """The archive that a declared cluster writes."""
        [plugin] = graph.named("Cluster", "dagster-db").inputs["spec"]["plugins"]
        return cls._by(graph, plugin)

    @classmethod
    def restored_by(cls, graph: Graph) -> Self:
        """The archive that a declared cluster is restored from."""
        spec = graph.named("Cluster", "dagster-db").inputs["spec"]
        [source] = [
            each for each in spec["externalClusters"] if each["name"] == spec["bootstrap"]["recovery"]["source"]
        ]
        return cls._by(graph, source["plugin"])

    @classmethod
    def _by(cls, graph: Graph, plugin: Any) -> Self:
        assert plugin["name"] == "barman-cloud.cloudnative-pg.io"
        spec = graph.named("ObjectStore", plugin["parameters"]["barmanObjectName"]).inputs["spec"]
        store, keys = spec["configuration"], spec["configuration"]["s3Credentials"]
        variables = {each["name"]: each["value"] for each in spec["instanceSidecarConfiguration"]["env"]}
        for name, key in {
            "AWS_ACCESS_KEY_ID": "accessKeyId",
            "AWS_SECRET_ACCESS_KEY": "secretAccessKey",
            "AWS_DEFAULT_REGION": "region",
        }.items():
            variables[name] = graph.named("Secret", keys[key]["name"]).inputs["stringData"][keys[key]["key"]]
        return cls(
            bin=barman(),
            options=("--endpoint-url", store["endpointURL"], "--cloud-provider", "aws-s3"),
            place=store["destinationPath"],
            server=plugin["parameters"]["serverName"],
            environment={"PATH": os.environ["PATH"], **variables},
        )

    def run(self, tool: str, *arguments: str, options: tuple[str, ...] = (), **more: str) -> tuple[int, str]:
        """Run a tool; returns its exit code and output."""
        command = [str(self.bin / tool), *options, *self.options, self.place, self.server, *arguments]
        ran = subprocess.run(
            command,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout

    def is_refused(self) -> str:
        """Why a new server may not archive here; empty if it may."""
        code, output = self.run("barman-cloud-check-wal-archive")
        return output if code else ""

    def back_up(self, server: Postgres) -> None:
        """Make a base backup of a running server."""
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGDATABASE": "postgres"}
        code, output = self.run("barman-cloud-backup", options=("--user", USER, "--name", "backup"), **where)
        assert code == 0, output

    def backups(self) -> list[str]:
        """The ids of the base backups, oldest first."""
        code, output = self.run("barman-cloud-backup-list", options=("--format", "json"))
        assert code == 0, output
        found = json.loads(output)["backups_list"]
        return sorted(each["backup_id"] for each in found)

    def restore(self, backup: str, data: Path) -> None:
        """Write a base backup's files into an empty folder."""
        code, output = self.run("barman-cloud-restore", backup, str(data))
        assert code == 0, output

    def archive(self, file: Path) -> None:
        """Archive a file of the log."""
        code, output = self.run("barman-cloud-wal-archive", str(file))
        assert code == 0, output

    def fetch(self, name: str, file: Path) -> bool:
        """Write a file of the log; whether the archive has it."""
        code, output = self.run("barman-cloud-wal-restore", name, str(file))
        assert code in {0, NOT_THERE}, output
        return code == 0


def barman() -> Path:
    """The folder of Barman's tools; without them, the test is skipped with the reason."""
    try:
        return environment(HERE / "barman.txt") / "bin"
    except EngineError as error:
        pytest.skip(f"NO BARMAN: {error}")


class Sidecar:
    """Archives and fetches the log of one server, a file at a time.

    Args:
        folder: The server's own; its markers are in there.
        archive: Where its log goes.
        source: Where its log comes from while it is restored.
    """

    def __init__(self, folder: Path, archive: Archive, source: Archive | None = None) -> None:
        self._archive, self._source = archive, source
        self._markers = {name: folder / name for name in ("ready", "done", "wanted", "found", "missing")}
        for each in self._markers.values():
            each.mkdir()
        give_to_postgres(folder)
        self.archived: list[str] = []
        self.failures: list[Exception] = []

    @property
    def settings(self) -> dict[str, str]:
        """The server's settings. Its commands wait for the sidecar."""
        ready, done, wanted, found, missing = self._markers.values()
        wait = "do sleep 0.05; done"
        return {
            "archive_mode": "on",
            "archive_command": f'echo "$PWD/%p" > {ready}/%f && while [ ! -e {done}/%f ]; {wait}',
            "restore_command": (
                f'echo "$PWD/%p" > {wanted}/%f && while [ ! -e {found}/%f ] && [ ! -e {missing}/%f ]; {wait}; '
                f"test -e {found}/%f && cp {found}/%f %p && rm {found}/%f {wanted}/%f"
            ),
        }

    def round(self) -> None:
        """Serve everything that waits."""
        for request in sorted(self._markers["ready"].iterdir()):
            if text := request.read_text(encoding="utf-8").strip():
                self._archive.archive(Path(text))
                self.archived.append(request.name)
                request.unlink()
                (self._markers["done"] / request.name).touch()
        for request in sorted(self._markers["wanted"].iterdir()):
            if request.read_text(encoding="utf-8").strip() and self._source is not None:
                self._fetch(request)

    def _fetch(self, request: Path) -> None:
        assert self._source is not None
        found, whole = self._markers["found"] / request.name, self._markers["found"] / f".{request.name}"
        if found.exists() or (self._markers["missing"] / request.name).exists():
            return
        if self._source.fetch(request.name, whole):
            whole.chmod(0o666)
            whole.rename(found)
        else:
            (self._markers["missing"] / request.name).touch()

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Serve in a thread until the context ends."""
        ended = threading.Event()

        def rounds() -> None:
            while not ended.wait(POLL_SECONDS):
                try:
                    self.round()
                except Exception as error:  # noqa: BLE001, the test reports it
                    self.failures.append(error)
                    return

        thread = threading.Thread(target=rounds, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            ended.set()
            thread.join()
