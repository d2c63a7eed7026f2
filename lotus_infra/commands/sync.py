"""`lotus sync`: start the syncs of sources, and follow their jobs until they finish.

Airbyte runs one job of a connection at a time. If a sync or refresh is already running, that job is followed instead of
a new one, because it loads the source's new rows just as well. Connections that their files pause are not synced.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import click
from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.errors import JobRunning
from pulumi_airbyte.client.models import Job
from pydantic import JsonValue
from rich.console import Console
from rich.filesize import decimal
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from lotus_infra.clients.airbyte import ConnectedLake, connected, translate_errors
from lotus_infra.commands.completion import SELECTORS
from lotus_infra.commands.options import ALL_SOURCES, DRY_RUN, JSON, STACK, STREAMS
from lotus_infra.commands.terminal import Cell, Column, Tone, table
from lotus_infra.errors import LotusError, StoppedError
from lotus_infra.lake.diagnostics import escape_unprintable, format_path
from lotus_infra.lake.lake import Connection, find_source

NOT_STARTED: Final = "not started"
PAUSED: Final = "paused"
"""The status of a connection that its file pauses, if it is one of several."""
_TONES: Final[Mapping[str, Tone]] = {"succeeded": "good", "failed": "bad", "cancelled": "warning", PAUSED: "muted"}
_READING: Final = frozenset({"sync", "refresh"})
"""Types of jobs that read rows; the others are clears."""
Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Run:
    """The sync of one connection.

    Attributes:
        source: The source's folder.
        connection_id: The connection.
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "connection", self.connection or self.source)
        object.__setattr__(self, "selector", self.selector or self.connection)

    @property
    def ok(self) -> bool:
        """Whether it has not failed so far."""
        return self.status in {"succeeded", PAUSED} or not (self.finished or self.reason)

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


Observer = Callable[[Run], None]
"""Called with each run at its start and after each poll of its job."""


def _ignore(_: Run) -> None:
    """The default observer."""


@dataclass(frozen=True)
class Polling:
    """How to wait for jobs.

    Attributes:
        poll_seconds: Seconds between two polls.
        timeout_seconds: Seconds in total; None to wait until all jobs finish.
        pause: Sleeps for a number of seconds.
        clock: A monotonic clock in seconds.
    """

    poll_seconds: float = 2.0
    timeout_seconds: float | None = None
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@click.command()
@click.argument("sources", nargs=-1, shell_complete=SELECTORS)
@ALL_SOURCES
@click.option("--no-wait", is_flag=True, help="Print the ids of the jobs, and do not follow them.")
@click.option("--cancel", "ending", is_flag=True, help="Cancel the running jobs instead.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop following after SECONDS; jobs continue."
)
@click.option(
    "--connection-id", metavar="ID", default="", help="The connection's id, if several match the source's label."
)
@DRY_RUN
@STACK
@STREAMS
@JSON
def sync(
    sources: tuple[str, ...],
    directory: Path,
    stack: str | None,
    connection_id: str,
    timeout: float | None,
    *,
    every: bool,
    no_wait: bool,
    ending: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Sync sources now, and follow the jobs.

    Each of SOURCES is a source, with all its connections, or one connection: shopify/daily. Waits until all jobs have
    finished, and exits with 1 if one does not succeed. With --dry-run, shows the running jobs. A connection that its
    file pauses is left out, and an error if it is the only one. A job that is already running is followed instead of a
    new one. Ctrl-C stops following; jobs continue.

    Example: lotus sync shopify klaviyo --timeout 3600
    """
    with connected(directory, stack) as live, ProgressObserver(Console(stderr=True)) as watched:
        names = live.select_sources(sources, every=every)
        if not (every or dry_run or ending):
            _refuse_paused(live, names)
        if dry_run:
            runs = running_jobs(live, names, connection_id)
        elif ending:
            runs = cancel(live, names, connection_id)
        elif no_wait:
            runs = start(live, names, watched, connection_id)
        else:
            runs = sync_sources(live, names, watched, connection_id, Polling(timeout_seconds=timeout))
    ok = ending or dry_run or all(run.ok for run in runs)
    if as_json:
        text = json.dumps(as_document(runs, ok=ok), indent=2) + "\n"
    elif no_wait and not dry_run:
        text = "".join(f"{run.job_id}\n" for run in runs if run.job_id is not None)
    else:
        text = render(runs)
    click.echo(text, nl=False)
    click.echo(_reasons(runs), nl=False, err=True)
    if not ok:
        sys.exit(1)


def sync_sources(
    live: ConnectedLake,
    names: Sequence[str],
    observe: Observer = _ignore,
    connection_id: str = "",
    patience: Polling | None = None,
) -> list[Run]:
    """Sync sources: `start` them, and follow the jobs until all finish or the timeout passes.

    Returns:
        A run for each connection, in their order; one that did not succeed has the reason.

    Raises:
        LotusError: As `start`; or Airbyte stopped answering, and the jobs continue.
        StoppedError: The user stopped waiting, and the jobs continue.
    """
    runs: dict[str, Run] = {}

    def keep(run: Run) -> None:
        runs[run.connection] = run
        observe(run)

    try:
        start(live, names, keep, connection_id)
        _follow(live.airbyte, runs, keep, patience or Polling())
    except KeyboardInterrupt:
        raise StoppedError("no longer waiting", _how_to_resume(runs)) from None
    except AirbyteError as error:
        raise LotusError(error.message, f"{error.hint} {_how_to_resume(runs)}".strip()) from None
    return list(runs.values())


def start(live: ConnectedLake, names: Sequence[str], observe: Observer = _ignore, connection_id: str = "") -> list[Run]:
    """Start the syncs of sources, without following them.

    Args:
        live: The lake and its Airbyte.
        names: The sources' folders, or single connections such as `shopify/daily`.
        observe: Called with each run.
        connection_id: The only connection's id, if its label is ambiguous.

    Returns:
        A run for each connection, in their order; one that did not start, or is paused, has the reason.

    Raises:
        LotusError: A source or its connection is not found or ambiguous; nothing was started.
    """
    runs: list[Run] = []
    for connection, run in _unstarted(live, names, connection_id):
        paused = connection.is_paused
        runs.append(
            replace(run, status=PAUSED, reason=_pause(live, connection)) if paused else _started(live.airbyte, run)
        )
        observe(runs[-1])
    return runs


def running_jobs(live: ConnectedLake, names: Sequence[str], connection_id: str = "") -> list[Run]:
    """Find the running jobs of sources; nothing is started.

    Returns:
        A run for each connection, in their order; without a job if none is running.

    Raises:
        LotusError: As `start`; or Airbyte refuses or does not answer.
    """
    unstarted = [run for _, run in _unstarted(live, names, connection_id)]
    with translate_errors():
        running = [(run, live.airbyte.running_job(run.connection_id)) for run in unstarted]
    return [run if job is None else replace(run.at(job), was_running=True) for run, job in running]


def cancel(live: ConnectedLake, names: Sequence[str], connection_id: str = "") -> list[Run]:
    """Cancel the running jobs of sources.

    Returns:
        As `running_jobs`, after the cancellation.

    Raises:
        LotusError: As `start`; or Airbyte refuses.
    """
    running = running_jobs(live, names, connection_id)
    with translate_errors():
        return [run if run.job_id is None else run.at(live.airbyte.cancel_job(run.job_id)) for run in running]


def _refuse_paused(live: ConnectedLake, names: Sequence[str]) -> None:
    """Refuse an argument that selects nothing to sync.

    Raises:
        LotusError: All connections of an argument are paused by their file.
    """
    for name in names:
        found = live.connections([name])
        if found and all(each.is_paused for each in found):
            raise LotusError(_pause(live, found[0]))


def _pause(live: ConnectedLake, connection: Connection) -> str:
    """Why a connection is not synced, and what to do."""
    label = live.lake.connection_label(find_source(live.lake, connection.source), connection)
    place = format_path(connection.path("status"))
    return f'the connection "{label}" is paused: set {place} to "active" in {connection.file}, and `pulumi up`'


def _unstarted(live: ConnectedLake, names: Sequence[str], connection_id: str) -> list[tuple[Connection, Run]]:
    with translate_errors():
        found = live.connections(names)
        if connection_id and len(found) != 1:
            several = ", ".join(live.lake.selector_of(each) for each in found)
            what = "one connection id is given for several connections"
            raise LotusError(what, f"name the one that it belongs to: {several}")
        runs = (
            Run(
                source=each.source,
                connection_id=connection_id or live.connection(each).connection_id,
                connection=each.resource,
                selector=live.lake.selector_of(each),
            )
            for each in found
        )
        return list(zip(found, runs, strict=True))


def _started(airbyte: Airbyte, run: Run) -> Run:
    try:
        # The second attempt is for a job that ended between the two calls of the first.
        started = _start_or_join(airbyte, run) or _start_or_join(airbyte, run)
    except AirbyteError as error:
        return replace(run, reason=f"{error.message}. {error.hint}".rstrip(". "))
    return started or replace(run, reason="other jobs of its connection keep starting and ending: try again")


def _start_or_join(airbyte: Airbyte, run: Run) -> Run | None:
    """Start a job, or join the running one; None if a running job refused the start and has ended since."""
    try:
        return run.at(airbyte.start_sync(run.connection_id))
    except JobRunning:
        job = airbyte.running_job(run.connection_id)
    if job is None:
        return None
    if job.job_type not in _READING:
        return replace(run, reason=f"job {job.job_id} is running, a {job.job_type}: wait for it, then sync")
    return replace(run.at(job), was_running=True)


def _follow(airbyte: Airbyte, runs: Mapping[str, Run], keep: Observer, patience: Polling) -> None:
    """Poll the jobs of `runs` until all finish or the timeout passes. `keep` updates `runs`."""
    began = patience.clock()
    while unfinished := [run for run in runs.values() if not run.finished]:
        waited = patience.clock() - began
        left = patience.poll_seconds if patience.timeout_seconds is None else patience.timeout_seconds - waited
        if left <= 0:
            for run in unfinished:
                keep(replace(run, reason=f"not finished after {waited:.0f} s; the job continues"))
            return
        patience.pause(min(left, patience.poll_seconds))
        for run in unfinished:
            if run.job_id is not None:
                keep(_with_reason(airbyte, run.at(airbyte.get_job(run.job_id))))


def _with_reason(airbyte: Airbyte, run: Run) -> Run:
    """The run; if it has failed, with the reason."""
    if not run.finished or run.status == "succeeded" or run.job_id is None:
        return run
    if run.status == "cancelled":
        return replace(run, reason="the job was cancelled")
    try:
        failure = airbyte.job_failure(run.job_id)
    except AirbyteError:
        failure = ""
    return replace(run, reason=failure or "Airbyte reports no reason: see the job's log in its UI")


def _how_to_resume(runs: Mapping[str, Run]) -> str:
    unfinished = [run for run in runs.values() if not run.finished]
    if not unfinished:
        return "no job is known to be running"
    jobs = ", ".join(f"job {run.job_id} of {run.connection}" for run in unfinished)
    names = " ".join(run.selector for run in unfinished)
    verb, them = ("continues", "it") if len(unfinished) == 1 else ("continue", "them")
    return f"{jobs} {verb}; `lotus sync {names}` follows {them} again, `lotus sync --cancel {names}` cancels {them}"


class ProgressObserver:
    """An observer that shows progress: moving lines on a terminal, otherwise one line per change of a status."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._statuses: dict[str, str] = {}
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[progress]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, run: Run) -> None:
        """Show the progress of a run."""
        progress = _progress(run)
        if self._console.is_terminal:
            task = self._tasks.get(run.connection)
            if task is None:
                task = self._progress.add_task(run.connection, progress=progress, total=1)
                self._tasks[run.connection] = task
            self._progress.update(task, progress=progress, completed=int(run.finished))
        elif self._statuses.get(run.connection) != run.status:
            self._console.print(f"{run.connection}: {progress}", markup=False, highlight=False, soft_wrap=True)
        self._statuses[run.connection] = run.status


def _progress(run: Run) -> str:
    job = "" if run.job_id is None else f"job {run.job_id} "
    rows, size = _text_or_empty(run.rows, "{:,} rows".format), _text_or_empty(run.bytes, decimal)
    before = "already running" if run.was_running else ""
    return escape_unprintable(", ".join(filter(None, [job + run.status, rows, size, before])))


def render(runs: Sequence[Run]) -> str:
    """The runs as a table."""
    columns = (Column("source", whole=True), Column("job"), Column("status"))
    numbers = (Column(heading, right=True) for heading in ("rows", "bytes", "duration"))
    rows = (
        (
            run.connection,
            _text_or_empty(run.job_id),
            Cell(run.status, _TONES.get(run.status)),
            _text_or_empty(run.rows, "{:,}".format),
            _text_or_empty(run.bytes, decimal),
            _text_or_empty(run.seconds, lambda seconds: str(timedelta(seconds=round(seconds)))),
        )
        for run in runs
    )
    return table((*columns, *numbers), rows)


def _reasons(runs: Sequence[Run]) -> str:
    """Why runs failed, a line each."""
    return "".join(escape_unprintable(f"{run.connection}: {run.reason}") + "\n" for run in runs if run.reason)


def _text_or_empty(value: Number | None, text: Callable[[Number], str] = str) -> str:
    return "" if value is None else text(value)


def as_document(runs: Sequence[Run], *, ok: bool) -> dict[str, JsonValue]:
    """The runs as one JSON document."""
    return {"ok": ok, "syncs": [dict(asdict(run)) for run in runs]}
