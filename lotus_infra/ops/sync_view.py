"""How syncs are shown: progress while they run, on stderr; and what came of them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.filesize import decimal
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from lotus_infra.ops.sync import Run
from lotus_infra.streams.problems import printable

Number = TypeVar("Number", int, float)


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
