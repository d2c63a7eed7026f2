"""`lotus sync`: start the syncs of sources, and follow them to their ends.

A job that already runs is followed instead of a new one: whoever asks for a sync wants the source's news in the lake,
and Airbyte runs one job of a connection at a time.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import click
from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.errors import JobRunning
from pulumi_airbyte.client.models import Job
from rich.console import Console
from rich.filesize import decimal
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from lotus_infra.clients.airbyte import Live, connected, told
from lotus_infra.commands.options import EVERY, JSON, STACK, STREAMS
from lotus_infra.errors import LotusError, StoppedError
from lotus_infra.lake.diagnostics import printable

NOT_STARTED = "not started"
_SYNCING = frozenset({"sync", "refresh"})
Number = TypeVar("Number", int, float)


@click.command()
@click.argument("sources", nargs=-1)
@EVERY
@click.option("--no-wait", is_flag=True, help="Print the ids of the jobs, and follow none.")
@click.option("--cancel", "ending", is_flag=True, help="Cancel what is under way instead.")
@click.option("--dry-run", is_flag=True, help="Show which connections are meant and what is under way, and do nothing.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop following then; the jobs go on.")
@click.option("--connection-id", default="", help="The source's connection, where labels don't tell it.")
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
    """Sync SOURCES now, and follow the jobs to their ends; exit with 1 if one does not succeed.

    A job that is under way already is followed instead of a new one. Ctrl-C ends the waiting, and no job.

    Example: lotus sync shopify klaviyo --timeout 3600
    """
    with connected(directory, stack) as live, Watched(Console(stderr=True)) as watched:
        names = live.chosen(sources, every=every)
        if dry_run:
            runs = look(live, names, connection_id)
        elif ending:
            runs = cancel(live, names, connection_id)
        elif no_wait:
            runs = start(live, names, watched, connection_id)
        else:
            runs = sync_sources(live, names, watched, connection_id, Patience(timeout_seconds=timeout))
    ok = ending or dry_run or all(run.ok for run in runs)
    click.echo(render(runs, ok=ok, as_json=as_json, only_ids=no_wait and not dry_run), nl=False)
    click.echo(reasons(runs), nl=False, err=True)
    if not ok:
        sys.exit(1)


@dataclass(frozen=True, slots=True)
class Run:
    """Where the sync of one source stands.

    Attributes:
        source: The source's folder.
        connection_id: Its connection.
        job_id: The job; None where none was started.
        status: Airbyte's word for it, or `NOT_STARTED`.
        rows: How many rows it has brought so far; None where the server does not say.
        bytes: How many bytes, likewise.
        seconds: How long it has run by the server's clock, likewise.
        was_running: Whether the job was under way before.
        finished: Whether it can change no more.
        reason: Why it is not what was asked for; empty where it is.
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

    @property
    def ok(self) -> bool:
        """Whether nothing went wrong with it so far."""
        return self.status == "succeeded" or not (self.finished or self.reason)

    def at(self, job: Job) -> "Run":
        """The same run with what the server says of its job now."""
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
"""Is told of each run when it starts and each time that its job was looked at."""


@dataclass(frozen=True)
class Patience:
    """How to wait for jobs.

    Attributes:
        poll_seconds: How long between two looks.
        timeout_seconds: How long in all; None for as long as it takes.
        pause: Waits that many seconds.
        clock: Seconds that pass.
    """

    poll_seconds: float = 2.0
    timeout_seconds: float | None = None
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def unobserved(_: Run) -> None:
    """An observer that looks away."""


def start(live: Live, names: Sequence[str], observe: Observer = unobserved, connection_id: str = "") -> list[Run]:
    """Start the syncs of sources, and wait for none.

    Args:
        live: The lake and its Airbyte.
        names: The sources' folders.
        observe: Is told of each run.
        connection_id: The connection of the one source, where the label does not tell it.

    Returns:
        A run for each source, in their order; one that could not be started says why.

    Raises:
        LotusError: There is no such source, or it has no connection that could be told apart; nothing was started.
    """
    runs: list[Run] = []
    for run in _planned(live, names, connection_id):
        runs.append(_started(live.airbyte, run))
        observe(runs[-1])
    return runs


def sync_sources(
    live: Live,
    names: Sequence[str],
    observe: Observer = unobserved,
    connection_id: str = "",
    patience: Patience | None = None,
) -> list[Run]:
    """Sync sources: `start` them, and follow the jobs until all are finished or the patience ends.

    Returns:
        A run for each source, in their order; one that did not succeed says why.

    Raises:
        LotusError: As `start`; or Airbyte could not be asked any more, while the jobs go on.
        StoppedError: The user stopped waiting, while the jobs go on.
    """
    runs: dict[str, Run] = {}

    def keep(run: Run) -> None:
        runs[run.source] = run
        observe(run)

    try:
        start(live, names, keep, connection_id)
        _follow(live.airbyte, runs, keep, patience or Patience())
    except KeyboardInterrupt:
        raise StoppedError("no longer waiting", _goes_on(runs)) from None
    except AirbyteError as error:
        raise LotusError(error.message, f"{error.hint} {_goes_on(runs)}".strip()) from None
    return list(runs.values())


def look(live: Live, names: Sequence[str], connection_id: str = "") -> list[Run]:
    """See which jobs of sources are under way, and start none.

    Returns:
        A run for each source, in their order; without a job where none is under way.

    Raises:
        LotusError: As `start`; or Airbyte can't be asked.
    """
    planned = _planned(live, names, connection_id)
    with told():
        running = [(run, live.airbyte.running_job(run.connection_id)) for run in planned]
    return [run if job is None else replace(run.at(job), was_running=True) for run, job in running]


def cancel(live: Live, names: Sequence[str], connection_id: str = "") -> list[Run]:
    """Cancel the jobs of sources.

    Returns:
        As `look`, after that.

    Raises:
        LotusError: As `start`; or Airbyte refuses.
    """
    running = look(live, names, connection_id)
    with told():
        return [run if run.job_id is None else run.at(live.airbyte.cancel_job(run.job_id)) for run in running]


def _planned(live: Live, names: Sequence[str], connection_id: str) -> list[Run]:
    with told():
        folders = live.folders(names)
        if connection_id and len(folders) != 1:
            raise LotusError("a connection is named for several sources", "name the one source that it is of")
        return [Run(each.name, connection_id or live.connection_id(each)) for each in folders]


def _started(airbyte: Airbyte, run: Run) -> Run:
    try:
        return _began(airbyte, run) or _began(airbyte, run) or replace(run, reason="its jobs come and go: try again")
    except AirbyteError as error:
        return replace(run, reason=f"{error.message}. {error.hint}".rstrip(". "))


def _began(airbyte: Airbyte, run: Run) -> Run | None:
    """A run with its job; None when another job was in the way and has ended since."""
    try:
        return run.at(airbyte.start_sync(run.connection_id))
    except JobRunning:
        job = airbyte.running_job(run.connection_id)
    if job is None:
        return None
    if job.job_type not in _SYNCING:
        return replace(run, reason=f"job {job.job_id} is under way, a {job.job_type}: wait for it, then sync")
    return replace(run.at(job), was_running=True)


def _follow(airbyte: Airbyte, runs: Mapping[str, Run], keep: Observer, patience: Patience) -> None:
    began = patience.clock()
    while unfinished := [run for run in runs.values() if not run.finished]:
        waited = patience.clock() - began
        left = patience.poll_seconds if patience.timeout_seconds is None else patience.timeout_seconds - waited
        if left <= 0:
            for run in unfinished:
                keep(replace(run, reason=f"not finished after {waited:.0f} s, and goes on"))
            return
        patience.pause(min(left, patience.poll_seconds))
        for run in unfinished:
            if run.job_id is not None:
                keep(_ended(airbyte, run.at(airbyte.get_job(run.job_id))))


def _ended(airbyte: Airbyte, run: Run) -> Run:
    """A run, with the reason where it has ended badly."""
    if not run.finished or run.status == "succeeded" or run.job_id is None:
        return run
    if run.status == "cancelled":
        return replace(run, reason="somebody cancelled it")
    try:
        said = airbyte.job_failure(run.job_id)
    except AirbyteError:
        said = ""
    return replace(run, reason=said or "Airbyte does not say why; the job's log in its pages may")


def _goes_on(runs: Mapping[str, Run]) -> str:
    left = [run for run in runs.values() if not run.finished]
    if not left:
        return "no job is known to go on"
    jobs = ", ".join(f"job {run.job_id} of {run.source}" for run in left)
    names = " ".join(run.source for run in left)
    go = "goes" if len(left) == 1 else "go"
    return f"{jobs} {go} on; `lotus sync {names}` follows again, `lotus sync --cancel {names}` ends it"


class Watched:
    """Shows runs while they go: lines that move on a terminal, elsewhere a line for each change of a status."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._statuses: dict[str, str] = {}
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[said]}", markup=False),
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
        """Show where a run stands."""
        said = _said(run)
        if self._console.is_terminal:
            task = self._tasks.get(run.source)
            if task is None:
                task = self._tasks[run.source] = self._progress.add_task(run.source, said=said, total=1)
            self._progress.update(task, said=said, completed=int(run.finished))
        elif self._statuses.get(run.source) != run.status:
            self._console.print(f"{run.source}: {said}", markup=False, highlight=False, soft_wrap=True)
        self._statuses[run.source] = run.status


def _said(run: Run) -> str:
    job = "" if run.job_id is None else f"job {run.job_id} "
    rows, size = _or_nothing(run.rows, "{:,} rows".format), _or_nothing(run.bytes, decimal)
    before = "under way before" if run.was_running else ""
    return printable(", ".join(filter(None, [job + run.status, rows, size, before])))


def render(runs: Sequence[Run], *, ok: bool = True, as_json: bool = False, only_ids: bool = False) -> str:
    """What came of syncs: a JSON document that says whether all is well, the ids of the jobs, or a table."""
    if as_json:
        document = {"ok": ok, "syncs": [asdict(run) for run in runs]}
        return json.dumps(document, indent=2) + "\n"
    if only_ids:
        return "".join(f"{run.job_id}\n" for run in runs if run.job_id is not None)
    console = Console()
    with console.capture() as captured:
        console.print(_table(runs))
    return captured.get()


def reasons(runs: Sequence[Run]) -> str:
    """Why runs did not go as they should, a line each."""
    return "".join(printable(f"{run.source}: {run.reason}") + "\n" for run in runs if run.reason)


def _table(runs: Sequence[Run]) -> Table:
    made = Table("source", "job", "status")
    for heading in ("rows", "bytes", "duration"):
        made.add_column(heading, justify="right")
    for run in runs:
        made.add_row(
            run.source,
            _or_nothing(run.job_id),
            run.status,
            _or_nothing(run.rows, "{:,}".format),
            _or_nothing(run.bytes, decimal),
            _or_nothing(run.seconds, lambda seconds: str(timedelta(seconds=round(seconds)))),
        )
    return made


def _or_nothing(value: Number | None, written: Callable[[Number], str] = str) -> str:
    return "" if value is None else written(value)
