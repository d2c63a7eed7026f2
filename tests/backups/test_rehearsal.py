"""A backup and a restore on a real Postgres and a real S3 server, with Barman's tools and what the program declares."""

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from lotus_infra.config.credentials import BackupBucket, Credentials
from tests.backups.barman import POLL_SECONDS, Archive, Sidecar
from tests.graph.databases import declared
from tests.graph.recorder import Graph
from tests.soak.servers import BUCKET, KEY, REGION, S3
from tests.support.postgres import Postgres, give_to_postgres, postgres_folder

PATIENCE_SECONDS: Final = 60
ROWS: Final = "select id from orders order by id"
FIRST_FILE: Final = "000000010000000000000001"


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3]:
    """A server that is not AWS, with a bucket."""
    server = S3(tmp_path / "s3")
    server.start()
    yield server
    server.stop()


def stack(s3: S3, **database: Any) -> Graph:
    """The resources of a database whose backups go to the server."""
    return declared(database, BackupBucket(BUCKET, REGION, s3.url, Credentials(KEY, KEY)))


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it does not come to be"
        time.sleep(POLL_SECONDS)


def test_another_database_is_refused_by_a_used_archive_and_a_later_generation_is_not(s3: S3, tmp_path: Path) -> None:
    first, second = Archive.of(stack(s3)), Archive.of(stack(s3, generation=2))
    file = tmp_path / FIRST_FILE
    file.write_bytes(bytes(1024))
    assert first.is_refused() == ""

    first.archive(file)

    assert "Expected empty archive" in first.is_refused()
    assert second.is_refused() == ""
    second.archive(file)
    keys = [each["Key"] for each in s3.client.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert {key.partition("/wals/")[0] for key in keys} == {
        "lake/dagster-db/dagster-db",
        "lake/dagster-db/dagster-db-2",
    }


def test_a_new_server_has_a_file_for_its_archive_when_it_starts_for_the_second_time() -> None:
    """CloudNativePG starts a new server twice: a job makes the database, and its shutdown ends the first file."""
    with postgres_folder() as folder:
        server = Postgres(folder, {"archive_mode": "on", "archive_command": "false"})
        try:
            server.initialize()
            server.query("create database dagster", database="postgres")
        finally:
            server.stop(signal.SIGINT)

        ready = [file.name for file in (folder / "data" / "pg_wal" / "archive_status").glob("*.ready")]

    assert ready == [f"{FIRST_FILE}.ready"]


def _write_recovery(data: Path, target: str | None) -> None:
    """Make restored files ready for recovery, as the operator does with a time in this form."""
    settings = ["recovery_target_action = promote"]
    settings += [f"recovery_target_time = '{target}'"] if target else []
    with (data / "postgresql.auto.conf").open("w", encoding="utf-8") as file:
        file.write("\n".join([*settings, ""]))
    (data / "recovery.signal").touch()
    data.chmod(0o700)
    give_to_postgres(data)


class Rehearsal:
    """The servers of a database's generations, one after the other."""

    def __init__(self, s3: S3, stack_: ExitStack) -> None:
        self._s3, self._stack = s3, stack_

    def new(self, **settings: Any) -> tuple[Postgres, Sidecar, Archive, Path]:
        """A server's folder, and what belongs to it; the server is not started."""
        graph, folder = stack(self._s3, **settings), self._stack.enter_context(postgres_folder())
        source = Archive.restored_by(graph) if "recovery" in settings else None
        archive = Archive.of(graph)
        assert archive.is_refused() == ""
        sidecar = self._stack.enter_context(Sidecar(folder, archive, source).running())
        bootstrap = graph.named("Cluster", "dagster-db").inputs["spec"]["bootstrap"]
        if source is not None:
            source.restore(source.backups()[-1], folder / "data")
            target = bootstrap["recovery"].get("recoveryTarget", {}).get("targetTime")
            _write_recovery(folder / "data", target)
        # A base backup waits for a checkpoint, which takes minutes unless it may write without pauses.
        server = Postgres(folder, sidecar.settings | {"checkpoint_completion_target": "0"})
        self._stack.callback(server.stop, signal.SIGQUIT)
        return server, sidecar, archive, folder

    def restored(self, **settings: Any) -> tuple[Postgres, Sidecar, Archive, Path]:
        """A server that has been restored, and takes writes."""
        found = self.new(**settings)
        found[0].start_anywhere()
        eventually(lambda: found[0].query("select pg_is_in_recovery()", database="postgres") == [["f"]])
        return found


@pytest.mark.nightly
def test_a_lost_database_comes_back_with_the_rows_of_a_time_and_is_archived_as_a_later_generation(s3: S3) -> None:
    with ExitStack() as stack_:
        rehearsal = Rehearsal(s3, stack_)
        server, sidecar, archive, folder = rehearsal.new()
        server.initialize()
        server.query("create database dagster", database="postgres")
        server.query("create table orders (id int); insert into orders values (1)", database="dagster")
        archive.back_up(server)
        assert len(archive.backups()) == 1
        server.query("insert into orders values (2)", database="dagster")
        [[before]] = server.query(
            "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
            database="dagster",
        )
        server.query("delete from orders", database="dagster")
        server.query("insert into orders values (3)", database="dagster")
        [[last]] = server.query("select pg_walfile_name(pg_switch_wal())", database="dagster")
        eventually(lambda: last in sidecar.archived or sidecar.failures)
        server.stop(signal.SIGQUIT)
        shutil.rmtree(folder / "data")
        assert "Expected empty archive" in archive.is_refused()

        # To the time before the delete.
        recovery = {"generation": 1, "targetTime": before}
        server, sidecar, archive, _ = rehearsal.restored(generation=2, recovery=recovery)
        assert server.query(ROWS, database="dagster") == [["1"], ["2"]]
        eventually(lambda: sidecar.archived or sidecar.failures)
        server.query("insert into orders values (4)", database="dagster")
        archive.back_up(server)
        assert (len(archive.backups()), sidecar.failures) == (1, [])
        server.stop(signal.SIGQUIT)

        # To the end of the first archive, and to that of the second.
        for generation, rows in ((1, [["3"]]), (2, [["1"], ["2"], ["4"]])):
            server, sidecar, _, _ = rehearsal.restored(generation=generation + 2, recovery={"generation": generation})
            assert server.query(ROWS, database="dagster") == rows
            assert sidecar.failures == []
            server.stop(signal.SIGQUIT)
