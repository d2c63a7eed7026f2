"""The phases of `make sandbox`: a rule where each begins, and at the end where the time went."""

import time
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table


class Phases:
    """The clock of one command.

    Args:
        console: where the rules and the table go.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._seconds: dict[str, float] = {}
        self._parts: dict[str, Mapping[str, float]] = {}
        self._phase, self._began = "servers", time.monotonic()

    def begin(self, phase: str) -> None:
        """End the phase before, and begin the next one with a rule across the terminal."""
        self._end()
        self._phase = phase
        self.console.rule(phase)

    def split(self, parts: Mapping[str, float]) -> None:
        """Tell where the time of this phase went: seconds by name."""
        self._parts[self._phase] = parts

    def table(self) -> Table:
        """End the last phase; the seconds of each, and of the parts of those that were split."""
        self._end()
        table = Table("phase", caption=f"{sum(self._seconds.values()):.1f} s")
        table.add_column("seconds", justify="right")
        for phase, seconds in self._seconds.items():
            table.add_row(phase, f"{seconds:.1f}")
            for part, share in self._parts.get(phase, {}).items():
                table.add_row(f"  {part}", f"{share:.1f}", style="dim")
        return table

    def _end(self) -> None:
        now = time.monotonic()
        self._seconds[self._phase] = self._seconds.get(self._phase, 0) + now - self._began
        self._began = now
