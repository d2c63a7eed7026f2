"""Materializes what has arrived, with the code location's own sensors and conditions: `python -m sandbox.dagster_runs`.

One process does what Dagster's daemon does all day, until the sensors have nothing left: it evaluates their ticks, runs
what they ask for, and then the marts whose conditions are met. `DAGSTER_HOME` keeps runs, events and cursors, so that
`dagster dev` shows them. Progress goes to stderr, one line of JSON (`dagster_report.Report`) to stdout.
"""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import dagster as dg
from lotus_dagster.definitions import load
from lotus_dagster.environment import Warehouse

from lotus_infra.errors import LotusError
from sandbox.dagster_home import Home
from sandbox.dagster_report import Report
from sandbox.dagster_round import Round

STDOUT: Final = 1
STDERR: Final = 2


@contextmanager
def _said_to(log: Path) -> Iterator[TextIO]:
    """What Dagster and dbt print, in this process and in theirs, goes to a log; yields what stderr was."""
    with log.open("a") as output, os.fdopen(os.dup(STDOUT), "w") as out, os.fdopen(os.dup(STDERR), "w") as progress:
        os.dup2(output.fileno(), STDOUT)
        os.dup2(output.fileno(), STDERR)
        try:
            yield progress
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(out.fileno(), STDOUT)
            os.dup2(progress.fileno(), STDERR)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    with home.lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Runner:
    """Runs what has arrived, as often as it is asked to.

    Args:
        interface: the process of Dagster's interface, whose daemon runs what arrives too; 0 where none runs.
    """

    def __init__(self, interface: int = 0) -> None:
        self._interface = interface
        began, self._since = time.monotonic(), time.time()
        # A lake that does not load is reported to whoever asks for a run.
        self._failure: LotusError | None = None
        try:
            self._definitions = load()
        except LotusError as error:
            self._failure = error
        self._loading = time.monotonic() - began

    def run(self) -> Report:
        """Run what has arrived, with progress on stderr.

        Raises:
            LotusError: the lake does not load, or a variable is missing.
        """
        if self._failure is not None:
            raise self._failure
        Warehouse.read()
        folder = os.environ.get("DAGSTER_HOME")
        if not folder:
            raise LotusError("the environment lacks DAGSTER_HOME", "name the folder where Dagster keeps its runs")
        home = Home(Path(folder))
        with _alone(home), _said_to(home.log) as progress, dg.DagsterInstance.get() as instance:

            def say(line: str) -> None:
                print(line, file=progress, flush=True)

            work = Round(self._definitions, instance, home, say, self._interface)
            return work.report(self._loading, self._since)


def main() -> int:
    """Run what has arrived; 0 when all of it is there, 1 when something failed, 130 after Ctrl-C."""
    try:
        report = Runner().run()
        print(report.model_dump_json())
    except LotusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
