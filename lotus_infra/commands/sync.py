"""`lotus sync`: start the syncs of sources, and follow their jobs until they finish.

The job of a source that Airbyte reads is Airbyte's, and that of a source that dlt reads is a run in Dagster.
Airbyte runs one job of a connection at a time. If a sync or refresh is already running, that job is followed instead of
a new one, because it loads the source's new rows just as well. Connections that their files pause are not synced.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

import click
from pydantic import JsonValue
from rich.console import Console
from rich.filesize import decimal
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from lotus_infra.clients.airbyte import connected, select_sources
from lotus_infra.clients.dagster_runs import stack_dagster
from lotus_infra.commands.completion import SELECTORS
from lotus_infra.commands.options import ALL_SOURCES, DAGSTER, DRY_RUN, JSON, STACK, STREAMS
from lotus_infra.commands.runners import PAUSED, AirbyteRunner, DagsterRunner, Run, Runner, Syncs
from lotus_infra.commands.terminal import Cell, Column, Tone, table
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError, StoppedError
from lotus_infra.lake.diagnostics import escape_unprintable, format_path
from lotus_infra.lake.lake import Connection, Lake, choose_connections, find_source
from lotus_infra.lake.loader import load_stack_lake

if TYPE_CHECKING:
    from lotus_infra.lake.models import Engine

_TONES: Final[Mapping[str, Tone]] = {"succeeded": "good", "failed": "bad", "cancelled": "warning", PAUSED: "muted"}
Number = TypeVar("Number", int, float)


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
@DAGSTER
@DRY_RUN
@STACK
@STREAMS
@JSON
def sync(
    sources: tuple[str, ...],
    directory: Path,
    stack: str | None,
    timeout: float | None,
    *,
    connection_id: str,
    dagster_url: str,
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
    new one. Ctrl-C stops following; jobs continue. The job of a source that dlt reads is a run in Dagster.

    Example: lotus sync shopify klaviyo --timeout 3600
    """
    lake = load_stack_lake(directory, Project.selected(directory, stack, os.environ))
    names = select_sources(lake, sources, every=every)
    servers = _syncs(lake, names, stack, connection_id, dagster_url)
    with servers as live, ProgressObserver(Console(stderr=True)) as watched:
        if not (every or dry_run or ending):
            _refuse_paused(lake, names)
        if dry_run:
            runs = running_jobs(live, names)
        elif ending:
            runs = cancel(live, names)
        elif no_wait:
            runs = start(live, names, watched)
        else:
            runs = sync_sources(live, names, watched, Polling(timeout_seconds=timeout))
    ok = ending or dry_run or all(run.ok for run in runs)
    if as_json:
        text = json.dumps(as_document(runs, ok=ok), indent=2) + "\n"
    elif no_wait and not dry_run:
        text = "".join(f"{run.id}\n" for run in runs if run.id)
    else:
        text = render(runs)
    click.echo(text, nl=False)
    click.echo(_reasons(runs), nl=False, err=True)
    if not ok:
        sys.exit(1)


@contextmanager
def _syncs(
    lake: Lake, names: Sequence[str], stack: str | None, connection_id: str, dagster_url: str
) -> Iterator[Syncs]:
    """What runs the syncs of the selected connections: only the servers that they need.

    Raises:
        LotusError: A source or connection does not exist, or a server's address or credentials are unknown.
    """
    found = choose_connections(lake, names)
    engines = {find_source(lake, each.source).engine for each in found}
    if connection_id and len(found) != 1:
        several = ", ".join(lake.selector_of(each) for each in found)
        what = "one connection id is given for several connections"
        raise LotusError(what, f"name the one that it belongs to: {several}")
    if connection_id and "dlt" in engines:
        raise LotusError(f"{names[0]} is read by dlt and has no connection in Airbyte", "leave --connection-id out")
    runners: dict[Engine, Runner] = {}
    with ExitStack() as opened:
        if "airbyte" in engines:
            live = opened.enter_context(connected(lake.directory, stack, lake=lake))
            runners["airbyte"] = AirbyteRunner(live, connection_id)
        if "dlt" in engines:
            runners["dlt"] = DagsterRunner(lake, stack_dagster(lake.directory, stack, dagster_url))
        yield Syncs(lake, runners)


def sync_sources(
    live: Syncs, names: Sequence[str], observe: Observer = _ignore, patience: Polling | None = None
) -> list[Run]:
    """Sync sources: `start` them, and follow the jobs until all finish or the timeout passes.

    Returns:
        A run for each connection, in their order; one that did not succeed has the reason.

    Raises:
        LotusError: As `start`; or a server stopped answering, and the jobs continue.
        StoppedError: The user stopped waiting, and the jobs continue.
    """
    runs: dict[str, Run] = {}

    def keep(run: Run) -> None:
        runs[run.connection] = run
        observe(run)

    try:
        start(live, names, keep)
        try:
            _follow(live, runs, keep, patience or Polling())
        except LotusError as error:
            raise LotusError(error.message, f"{error.hint} {_how_to_resume(runs)}".strip()) from None
    except KeyboardInterrupt:
        raise StoppedError("no longer waiting", _how_to_resume(runs)) from None
    return list(runs.values())


def start(live: Syncs, names: Sequence[str], observe: Observer = _ignore) -> list[Run]:
    """Start the syncs of sources, without following them.

    Args:
        live: The lake, and what runs its syncs.
        names: The sources' folders, or single connections such as `shopify/daily`.
        observe: Called with each run.

    Returns:
        A run for each connection, in their order; one that did not start, or is paused, has the reason.

    Raises:
        LotusError: A source, its connection or its job in Dagster is not found or ambiguous; nothing was started.
    """
    runs: list[Run] = []
    for connection, run in _unstarted(live, names):
        if connection.is_paused:
            runs.append(replace(run, status=PAUSED, reason=_pause(live.lake, connection)))
        else:
            runs.append(live.of(run.source).start(run))
        observe(runs[-1])
    return runs


def running_jobs(live: Syncs, names: Sequence[str]) -> list[Run]:
    """Find the running jobs of sources; nothing is started.

    Returns:
        A run for each connection, in their order; without a job if none is running.

    Raises:
        LotusError: As `start`; or a server refuses or does not answer.
    """
    return [live.of(run.source).running(run) for _, run in _unstarted(live, names)]


def cancel(live: Syncs, names: Sequence[str]) -> list[Run]:
    """Cancel the running jobs of sources.

    Returns:
        As `running_jobs`, after the cancellation.

    Raises:
        LotusError: As `start`; or a server refuses.
    """
    return [live.of(run.source).cancel(run) for run in running_jobs(live, names)]


def _refuse_paused(lake: Lake, names: Sequence[str]) -> None:
    """Refuse an argument that selects nothing to sync.

    Raises:
        LotusError: All connections of an argument are paused by their file.
    """
    for name in names:
        found = choose_connections(lake, [name])
        if found and all(each.is_paused for each in found):
            raise LotusError(_pause(lake, found[0]))


def _pause(lake: Lake, connection: Connection) -> str:
    """Why a connection is not synced, and what to do."""
    label = lake.connection_label(find_source(lake, connection.source), connection)
    place = format_path(connection.path("status"))
    return f'the connection "{label}" is paused: set {place} to "active" in {connection.file}, and `pulumi up`'


def _unstarted(live: Syncs, names: Sequence[str]) -> list[tuple[Connection, Run]]:
    return [(each, live.of(each.source).prepare(each)) for each in choose_connections(live.lake, names)]


def _follow(live: Syncs, runs: Mapping[str, Run], keep: Observer, patience: Polling) -> None:
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
            keep(live.of(run.source).poll(run))


def _how_to_resume(runs: Mapping[str, Run]) -> str:
    unfinished = [run for run in runs.values() if not run.finished]
    if not unfinished:
        return "no job is known to be running"
    jobs = ", ".join(f"{run.shown} of {run.connection}" for run in unfinished)
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
    job = f"{run.shown} " if run.id else ""
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
            run.short_id,
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
