"""What a user sees of the phases of `make sandbox`."""

import subprocess
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lotus_infra.errors import LotusError
from sandbox.phases import Phases


def test_a_quiet_phase_is_one_line_and_its_output_is_in_the_log(tmp_path: Path) -> None:
    shown, log = StringIO(), tmp_path / "up.log"
    phases = Phases(Console(file=shown, width=80), log)

    with phases.phase("pulumi up") as phase:
        subprocess.run(["echo", "21 unchanged"], stdout=phase.output, check=True)
        phase.console.print("details")
        assert phase.printed() == "21 unchanged\ndetails\n"
        phase.ends("21 unchanged")

    (line,) = shown.getvalue().splitlines()
    assert line.startswith("pulumi up ")
    assert line.endswith(" s  21 unchanged")
    assert log.read_text() == "==== pulumi up\n21 unchanged\ndetails\n"


def test_a_phase_of_minutes_says_so_before_it_begins(tmp_path: Path) -> None:
    shown = StringIO()
    phases = Phases(Console(file=shown, width=80), tmp_path / "up.log")

    with phases.phase("engine", "once: three to seven minutes on two cores"):
        assert shown.getvalue() == "engine (once: three to seven minutes on two cores) ...\n"


def test_a_verbose_phase_shows_all(tmp_path: Path) -> None:
    shown = StringIO()
    phases = Phases(Console(file=shown, width=80))

    with phases.phase("syncs") as phase:
        phase.console.print("details")
        assert (phase.output, phase.printed()) == (None, "")
        phase.ends("3 connections")

    assert [line.strip("─ ") for line in shown.getvalue().splitlines()] == ["syncs", "details"]


def test_a_phase_that_fails_shows_its_last_lines_and_names_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, log = StringIO(), tmp_path / "up.log"
    phases = Phases(Console(file=shown, width=80), log)
    with phases.phase("servers") as phase:
        phase.console.print("of the phase before")

    def fail() -> None:
        with phases.phase("dagster") as phase:
            phase.console.print(*(f"line {number}" for number in range(100)), sep="\n")
            raise LotusError("a run failed")

    with pytest.raises(LotusError):
        fail()

    assert shown.getvalue().splitlines()[-1].endswith(" s  FAILED")
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "  …"
    assert told[1:-1] == [f"  line {number}" for number in range(75, 100)]
    assert told[-1] == f"All output: {log}"
    assert "of the phase before" in log.read_text()


def test_the_table_has_the_parts_of_phases(tmp_path: Path) -> None:
    shown = StringIO()
    console = Console(file=shown, width=80)
    phases = Phases(console, tmp_path / "up.log")
    with phases.phase("dagster") as phase:
        phase.ends("15 materializations", {"running": 1.25})

    console.print(phases.table())

    assert "│   running │     1.2 │" in shown.getvalue()
