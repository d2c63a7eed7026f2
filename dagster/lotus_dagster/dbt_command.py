"""dbt inside of Dagster's process: imports and the project's parse are paid once a process, not once a command.

dbt keeps its connections, its adapter and its flags in globals, and models read the environment. So one command runs at
a time in a process, with an environment of its own. Of the connection only the DuckDB instance stays, with its
extensions: the lake is detached after each command, since credentials grow old and a catalog in a file is for one
process at a time.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Final

import dagster as dg
import duckdb
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.factory import FACTORY
from dbt.artifacts.schemas.results import NodeStatus
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.base_types import EventMsg
from dbt_common.events.functions import msg_to_dict

from lotus_dagster.environment import Warehouse
from lotus_dagster.manifest import ManifestError
from lotus_infra.clients.ducklake import attach, detach_databases
from lotus_infra.errors import LotusError

_ONE_AT_A_TIME: Final = Lock()
_RESULTS: Final = {"LogModelResult", "LogTestResult"}
_FAILED: Final = {NodeStatus.Error, NodeStatus.Fail, NodeStatus.RuntimeErr, NodeStatus.PartialSuccess}


@dataclass(frozen=True, slots=True)
class FailedNode:
    """A model or test that failed in a dbt command, or the command itself.

    Attributes:
        node: dbt's id of the model or test; empty when the command failed before any.
        message: dbt's.
    """

    node: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a dbt command.

    Attributes:
        events: The results of models and tests, which dagster-dbt translates to Dagster's events.
        failures: None when the command succeeded; tests of severity `warn` are no failures.
    """

    events: tuple[DbtCoreCliEventMessage, ...]
    failures: tuple[FailedNode, ...]


class LotusDbt(dg.ConfigurableResource):  # type: ignore[type-arg]  # what it is a resource of is itself
    """The dbt project.

    Attributes:
        project: Its folder, with the profile.
    """

    project: str

    def call(self, arguments: Sequence[str], variables: Mapping[str, str]) -> Outcome:
        """Run a dbt command to its end.

        Args:
            arguments: Such as `["build", "--select", "tag:shopify__orders"]`.
            variables: Set in the environment for this command alone.

        Raises:
            ManifestError: dbt can't parse the project.
        """
        events: list[DbtCoreCliEventMessage] = []

        def heard(event: EventMsg) -> None:
            if event.info.name in _RESULTS:
                events.append(DbtCoreCliEventMessage(raw_event=msg_to_dict(event), event_history_metadata={}))

        with _ONE_AT_A_TIME, _environment(variables), _detaching(), TemporaryDirectory(prefix="lotus-dbt-") as target:
            runner = dbtRunner(_parsed(self.project), callbacks=[heard])
            _attach_again()
            with ThreadPoolExecutor(1, "dbt") as pool:
                running = pool.submit(runner.invoke, [*arguments, *_options(self.project, target)])
                try:
                    # Waiting for the thread is where Dagster's cancellation interrupts this one.
                    result = running.result()
                except BaseException:
                    _cancel()
                    raise
        sys.stdout.flush()
        return Outcome(tuple(events), _failures(result))


def dbt_of(project: Path) -> LotusDbt:
    """The resource for a dbt project's folder."""
    return LotusDbt(project=str(project))


@cache
def _parsed(project: str) -> Manifest:
    """Dbt's manifest of a project, for all commands of this process: Dagster loads changed files in a new one."""
    with TemporaryDirectory(prefix="lotus-dbt-") as target:
        known = Path(project) / "target" / "partial_parse.msgpack"
        reuse = ["--partial-parse-file-path", str(known)] if known.is_file() else []
        result = dbtRunner().invoke(["parse", "--quiet", *reuse, *_options(project, target)])
    if not result.success or not isinstance(result.result, Manifest):
        raise ManifestError(f"dbt can't parse {project}: {result.exception}", "repair the project")
    return result.result


def _options(project: str, target: str) -> list[str]:
    """Where a command reads and writes: nothing in the project, whose folder other processes use too."""
    places = {"--project-dir": project, "--profiles-dir": project, "--target-path": target}
    plain = ["--no-write-json", "--log-level-file", "none", "--no-use-colors"]
    return [*(part for place in places.items() for part in place), *plain]


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def attached_lake(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """The lake attached to the DuckDB instance that dbt has used in this process, or to a new one; detached afterwards.

    Raises:
        duckdb.Error: The catalog is out of reach, or held by another process.
    """
    with _ONE_AT_A_TIME, _detaching():
        kept = _kept()
        if kept is None:
            with duckdb.connect() as connection:
                attach(connection, warehouse)
                yield connection
        else:
            attach(kept, warehouse)
            yield kept


def _kept() -> duckdb.DuckDBPyConnection | None:
    """The DuckDB instance that dbt-duckdb keeps open for the next command of the process."""
    manager: Any = DuckDBConnectionManager  # its types leave out what it keeps
    kept: duckdb.DuckDBPyConnection | None = getattr(manager._ENV, "conn", None)  # noqa: SLF001
    return kept


def _attach_again() -> None:
    """Attach the lake to the instance of the command before; an error is dbt's to report, with a new instance."""
    kept = _kept()
    if kept is not None:
        try:
            attach(kept, Warehouse.read())
        except (duckdb.Error, LotusError):
            _close()


@contextmanager
def _detaching() -> Iterator[None]:
    try:
        yield
    finally:
        kept = _kept()
        if kept is not None:
            try:
                kept.execute("use memory")
                kept.execute("detach lake")
                detach_databases(kept)
            except duckdb.Error:
                _close()


def _close() -> None:
    manager: Any = DuckDBConnectionManager
    manager._ENV.close()  # noqa: SLF001 - it has no public way to close
    manager.close_all_connections()


def _cancel() -> None:
    """Interrupt the queries that run: their transactions roll back, and dbt's command ends."""
    adapters: Any = list(FACTORY.adapters.values())  # their protocol leaves it out
    for adapter in adapters:
        adapter.cancel_open_connections()


def _failures(result: dbtRunnerResult) -> tuple[FailedNode, ...]:
    if result.success:
        return ()
    failed = tuple(
        FailedNode(one.node.unique_id, _without_macros(one.message or str(one.status)))
        for one in getattr(result.result, "results", ())
        if one.status in _FAILED
    )
    return failed or (FailedNode("", str(result.exception or "dbt failed")),)


def _without_macros(message: str) -> str:
    """The message without the macros that called each other, which are in dbt's output."""
    return "\n".join(line for line in message.splitlines() if line.strip() and not line.lstrip().startswith("> "))
