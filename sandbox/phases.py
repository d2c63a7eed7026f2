"""The phases of `make sandbox`: a line for each as it ends, and at the end a table of where the time went."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

_LAST_LINES: Final = 25
"""Of a phase that failed, printed with the error."""
_LOG_WIDTH: Final = 120


class Phase:
    """A phase under way.

    Args:
        name: such as `pulumi up`.
        console: where this process prints details.
        output: where other processes do; None is the terminal.
    """

    def __init__(self, name: str, console: Console, output: IO[str] | None = None) -> None:
        self.name, self.console, self.output = name, console, output
        self._from = output.tell() if output is not None else 0
        self.outcome = ""
        self.seconds = 0.0
        self.parts: Mapping[str, float] = {}

    def ends(self, outcome: str, parts: Mapping[str, float] | None = None) -> None:
        """Set what its line says, and where its time went: seconds by name."""
        self.outcome, self.parts = outcome, parts or {}

    def printed(self) -> str:
        """The details until now, where they go to a log; else nothing."""
        if self.output is None:
            return ""
        self.output.flush()
        with Path(self.output.name).open(encoding="utf-8", errors="replace") as log:
            log.seek(self._from)
            return log.read()


class Phases:
    """The clock of one command.

    Args:
        console: the user's.
        log: where details go; None shows them to the user.
    """

    def __init__(self, console: Console, log: Path | None = None) -> None:
        self.console = console
        self._log = log
        self._ended: list[Phase] = []
        if log is not None:
            log.write_text("", encoding="utf-8")

    @contextmanager
    def background(self) -> Iterator[IO[str] | None]:
        """Where a process prints that runs beside several phases; None is the terminal."""
        if self._log is None:
            yield None
        else:
            with self._log.open("a", encoding="utf-8") as output:
                yield output

    @property
    def is_verbose(self) -> bool:
        """Whether the user sees all details."""
        return self._log is None

    @contextmanager
    def phase(self, name: str, lasts: str = "") -> Iterator[Phase]:
        """Run a phase; where it fails in a quiet command, its last lines and the name of the log go to stderr.

        Args:
            name: of the phase; one that comes again adds to the time of the first.
            lasts: said before a phase of minutes, such as `once, three to seven minutes`.
        """
        with ExitStack() as stack:
            phase, began = self._begin(name, lasts, stack), time.monotonic()
            try:
                yield phase
            except Exception:
                printed = phase.printed()
                stack.close()
                self._show_failure(f"{name:<16} {time.monotonic() - began:>6.1f} s  FAILED", printed)
                raise
            phase.seconds = time.monotonic() - began
        self._ended.append(phase)
        if not self.is_verbose:
            line = f"{name:<16} {phase.seconds:>6.1f} s  {phase.outcome}"
            self.console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)

    def table(self) -> Table:
        """The seconds of each phase, and of the parts of those that have parts."""
        table = Table("phase", caption=f"{sum(phase.seconds for phase in self._ended):.1f} s")
        table.add_column("seconds", justify="right")
        for phase in self._ended:
            table.add_row(phase.name, f"{phase.seconds:.1f}")
            for part, share in phase.parts.items():
                table.add_row(f"  {part}", f"{share:.1f}", style="dim")
        return table

    def _begin(self, name: str, lasts: str, stack: ExitStack) -> Phase:
        if self._log is None:
            self.console.rule(f"{name}: {lasts}" if lasts else name)
            return Phase(name, self.console)
        text = f"{name} ({lasts})" if lasts else name
        if self.console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
            live = stack.enter_context(Progress(*columns, console=self.console, transient=True))
            live.add_task(text, total=None)
        elif lasts:
            self.console.print(f"{text} ...", markup=False, highlight=False, soft_wrap=True)
        output = stack.enter_context(self._log.open("a", encoding="utf-8"))
        output.write(f"==== {name}\n")
        output.flush()
        return Phase(name, Console(file=output, width=_LOG_WIDTH), output)

    def _show_failure(self, line: str, printed: str) -> None:
        if self._log is None:
            return
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)
        lines = [line for line in printed.splitlines() if line.strip()]
        if len(lines) > _LAST_LINES:
            lines = ["…", *lines[-_LAST_LINES:]]
        print(*(f"  {line}" for line in lines), f"All output: {self._log}", sep="\n", file=sys.stderr)
