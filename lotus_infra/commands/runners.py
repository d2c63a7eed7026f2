"""How a sync is run by each engine: as a job of a connection in Airbyte, or as a run of a source's job in Dagster."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.errors import JobRunning
from pulumi_airbyte.client.models import Job

from lotus_infra import naming
from lotus_infra.clients.airbyte import ConnectedLake, translate_errors
from lotus_infra.clients.dagster_runs import DagsterRuns, JobRun
from lotus_infra.errors import LotusError
from lotus_infra.lake.lake import Connection, Lake, find_source
from lotus_infra.lake.models import Engine

NOT_STARTED: Final = "not started"
PAUSED: Final = "paused"
"""The status of a connection that its file pauses, if it is one of several."""
RETRYING: Final = "retrying"
"""The status of a run that has failed, and that Dagster is about to run again."""
SHORT: Final = 8
"""The characters of the id of a run that Dagster's UI shows."""
_READING: Final = frozenset({"sync", "refresh"})
"""Types of jobs that read rows; the others are clears."""


@dataclass(frozen=True, slots=True)
class Run:
    """The sync of one connection.

    Attributes:
        source: The source's folder.
        connection_id: The connection; empty for a source that dlt reads.
        job_id: The job; None if none was started.
        status: The job's status in Airbyte, `NOT_STARTED` or `PAUSED`.
        rows: Rows read so far; None if the server does not report them.
        bytes: Bytes read so far, likewise.
        seconds: Its duration so far, by the server's clock, likewise.
        was_running: Whether the job was already running before.
        finished: Whether its status is final.
        reason: Why the run failed, did not start, or is not followed to its end; empty otherwise.
        connection: The connection's Pulumi name, `shopify/daily`; by default that of a source's only connection.
        selector: The argument that selects it alone; `shopify/shopify` for a connection with the source's own name.
        engine: What reads the source.
        run_id: The run in Dagster of a source that dlt reads; empty if none was started.
    """

    source: str
    connection_id: str
    job_id: int | None = None
    status: str = NOT_STARTED
    rows: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    was_running: bool = False
    finished: bool = True
    reason: str = ""
    connection: str = ""
    selector: str = ""
    engine: Engine = "airbyte"
    run_id: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "connection", self.connection or self.source)
        object.__setattr__(self, "selector", self.selector or self.connection)

    @property
    def ok(self) -> bool:
        """Whether it has not failed so far."""
        return self.status in {"succeeded", PAUSED} or not (self.finished or self.reason)

    @property
    def id(self) -> str:
        """The whole id of its job or run; empty if none was started."""
        return self.run_id if self.job_id is None else str(self.job_id)

    @property
    def short_id(self) -> str:
        """That id, as the table has it."""
        return self.id[:SHORT] if self.run_id else self.id

    @property
    def shown(self) -> str:
        """Its job or run in words: `job 12`, `run 1f0c2a3b`."""
        return f"{'run' if self.run_id else 'job'} {self.short_id}"

    def at(self, job: Job) -> "Run":
        """The run with the current status of its job."""
        return replace(
            self,
            job_id=job.job_id,
            status=job.status,
            rows=job.rows_synced,
            bytes=job.bytes_synced,
            seconds=None if job.duration is None else job.duration.total_seconds(),
            finished=job.finished,
        )

    def at_run(self, run: JobRun) -> "Run":
        """The run with the current status of its run in Dagster."""
        return replace(
            self, run_id=run.run_id, status=run.status, rows=run.rows, seconds=run.seconds, finished=run.finished
        )


class Runner(Protocol):
    """Runs the syncs of the connections of an engine. Its methods raise `LotusError`; `start` notes a reason."""

    def prepare(self, connection: Connection) -> Run:
        """The run of a connection, which is not started."""

    def start(self, run: Run) -> Run:
        """The started run, or the one that was running; with the reason if neither is possible."""

    def running(self, run: Run) -> Run:
        """The run with the job that is running; without one, the given run."""

    def cancel(self, run: Run) -> Run:
        """The run, after its job is cancelled."""

    def poll(self, run: Run) -> Run:
        """The run with its job's current status, and with the reason if it has failed."""


@dataclass(frozen=True)
class AirbyteRunner:
    """Runs syncs as jobs of Airbyte.

    Attributes:
        live: The lake and its Airbyte.
        connection_id: The only connection's id, if its label is ambiguous.
    """

    live: ConnectedLake
    connection_id: str = ""

    def prepare(self, connection: Connection) -> Run:
        """As `Runner` has it."""
        with translate_errors():
            return Run(
                source=connection.source,
                connection_id=self.connection_id or self.live.connection(connection).connection_id,
                connection=connection.resource,
                selector=self.live.lake.selector_of(connection),
            )

    def start(self, run: Run) -> Run:
        """As `Runner` has it."""
        try:
            # The second attempt is for a job that ended between the two calls of the first.
            started = self._start_or_join(run) or self._start_or_join(run)
        except AirbyteError as error:
            return replace(run, reason=f"{error.message}. {error.hint}".rstrip(". "))
        return started or replace(run, reason="other jobs of its connection keep starting and ending: try again")

    def running(self, run: Run) -> Run:
        """As `Runner` has it."""
        with translate_errors():
            job = self.live.airbyte.running_job(run.connection_id)
        return run if job is None else replace(run.at(job), was_running=True)

    def cancel(self, run: Run) -> Run:
        """As `Runner` has it."""
        with translate_errors():
            return run if run.job_id is None else run.at(self.live.airbyte.cancel_job(run.job_id))

    def poll(self, run: Run) -> Run:
        """As `Runner` has it."""
        if run.job_id is None:
            return run
        with translate_errors():
            return self._with_reason(run.at(self.live.airbyte.get_job(run.job_id)), run.job_id)

    def _start_or_join(self, run: Run) -> Run | None:
        """Start a job, or join the running one; None if a running job refused the start and has ended since."""
        try:
            return run.at(self.live.airbyte.start_sync(run.connection_id))
        except JobRunning:
            job = self.live.airbyte.running_job(run.connection_id)
        if job is None:
            return None
        if job.job_type not in _READING:
            return replace(run, reason=f"job {job.job_id} is running, a {job.job_type}: wait for it, then sync")
        return replace(run.at(job), was_running=True)

    def _with_reason(self, run: Run, job_id: int) -> Run:
        if not run.finished or run.status == "succeeded":
            return run
        if run.status == "cancelled":
            return replace(run, reason="the job was cancelled")
        try:
            failure = self.live.airbyte.job_failure(job_id)
        except AirbyteError:
            failure = ""
        return replace(run, reason=failure or "Airbyte reports no reason: see the job's log in its UI")


@dataclass(frozen=True)
class DagsterRunner:
    """Runs the syncs of sources that dlt reads, as runs of their jobs in Dagster.

    Attributes:
        lake: The lake.
        dagster: Its Dagster.
    """

    lake: Lake
    dagster: DagsterRuns

    def prepare(self, connection: Connection) -> Run:
        """As `Runner` has it; also raises if the source's job is not deployed."""
        self.dagster.job(naming.dlt_job(connection.source))
        return Run(
            source=connection.source,
            connection_id="",
            connection=connection.resource,
            selector=self.lake.selector_of(connection),
            engine="dlt",
        )

    def start(self, run: Run) -> Run:
        """As `Runner` has it."""
        name = naming.dlt_job(run.source)
        try:
            before = self.dagster.running(name)
            if before is not None:
                return replace(run.at_run(before), was_running=True)
            return run.at_run(self.dagster.start(self.dagster.job(name)))
        except LotusError as error:
            return replace(run, reason=str(error))

    def running(self, run: Run) -> Run:
        """As `Runner` has it."""
        found = self.dagster.running(naming.dlt_job(run.source))
        return run if found is None else replace(run.at_run(found), was_running=True)

    def cancel(self, run: Run) -> Run:
        """As `Runner` has it."""
        return run.at_run(self.dagster.cancel(run.run_id)) if run.run_id else run

    def poll(self, run: Run) -> Run:
        """As `Runner` has it."""
        if not run.run_id:
            return run
        found = self.dagster.run(run.run_id)
        if found.retry_id:
            found = self.dagster.run(found.retry_id)
        now = run.at_run(found)
        if now.status == "cancelled":
            return replace(now, reason="the run was cancelled")
        if now.status != "failed":
            return now
        reason = self._failure(now)
        # Dagster notes on a failed run that it will run it again a moment after the failure itself.
        if found.will_retry or self.dagster.run(now.run_id).will_retry:
            return replace(now, status=RETRYING, finished=False)
        return replace(now, reason=reason)

    def _failure(self, run: Run) -> str:
        """Why a run has failed, and where to look."""
        try:
            failure = self.dagster.failure(run.run_id)
        except LotusError:
            failure = ""
        place = f"see {run.shown} in Dagster's UI"
        return f"{failure}; {place}" if failure else f"Dagster reports no reason: {place}"


@dataclass(frozen=True)
class Syncs:
    """A lake, and what runs the syncs of each engine.

    Attributes:
        lake: The lake.
        runners: By engine; those that no selected connection needs may be missing.
    """

    lake: Lake
    runners: Mapping[Engine, Runner]

    def of(self, source: str) -> Runner:
        """What runs the syncs of a source."""
        return self.runners[find_source(self.lake, source).engine]
