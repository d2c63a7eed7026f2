"""What a command costs: wall and CPU seconds, the latter by process, and bytes written. Linux alone: it reads /proc."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

TICK_SECONDS: Final = 0.02
CLOCK_TICKS: Final = os.sysconf("SC_CLK_TCK")


class BenchmarkError(Exception):
    """The cost can't be measured; the message has the remedy."""


@dataclass
class Usage:
    """CPU seconds of the processes that a command started, by what they are."""

    seconds: dict[int, float] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def of(self, mark: str) -> float:
        """Seconds of those whose command line has a mark."""
        return round(sum(cpu for pid, cpu in self.seconds.items() if mark in self.names[pid]), 2)

    def watch(self, root: int, ended: threading.Event, tick: float) -> None:
        """Look at the root's descendants until the end."""
        while not ended.wait(tick):
            waiting = [root]
            while waiting:
                for pid in _children(waiting.pop()):
                    waiting.append(pid)
                    self._look(pid)

    def _look(self, pid: int) -> None:
        try:
            self.seconds[pid] = _cpu(pid)
            # A process that has just been forked still has its parent's command line.
            self.names[pid] = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8") or self.names.get(pid, "")
        except OSError:
            self.names.setdefault(pid, "")


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def _cpu(pid: int) -> float:
    numbers = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", maxsplit=1)[1].split()
    return (int(numbers[11]) + int(numbers[12])) / CLOCK_TICKS


def _written(pid: int) -> int:
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def size(folder: Path, pattern: str = "*") -> int:
    """Bytes of the files in a folder, if it is there."""
    return sum(file.stat().st_size for file in folder.rglob(pattern) if file.is_file())


def measured(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], logs: Path, *, tick: float = TICK_SECONDS
) -> dict[str, Any]:
    """Run a command to its end and say what it cost, looking at its processes every so many seconds.

    Raises:
        BenchmarkError: it failed.
    """
    logged, usage, ended = size(logs), Usage(), threading.Event()
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        watcher = threading.Thread(target=usage.watch, args=(process.pid, ended, tick), daemon=True)
        watcher.start()
        try:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        except BaseException:
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
        finally:
            ended.set()
        wall, engine, written = time.perf_counter() - began, _cpu(process.pid), _written(process.pid)
        _, status, total = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            raise BenchmarkError(f"{' '.join(command)} failed:\n{output.read()[-4000:]}")
    return {
        "wall_s": round(wall, 2),
        "cpu_s": round(total.ru_utime + total.ru_stime, 2),
        "state_bytes_written": max(0, written + logged - size(logs)),
        "engine_cpu_s": round(engine, 2),
        "program_cpu_s": usage.of("language_host.py") or usage.of("pulumi-language-python"),
        "plugin_cpu_s": usage.of("pulumi-resource-"),
        "processes": 1 + len(usage.names),
    }


def print_rows(name: str, found: Iterable[Mapping[str, Any]], *, as_json: bool) -> int:
    """Print a benchmark's rows, each as it is measured or as one JSON document at the end; returns the exit code."""
    rows: list[Mapping[str, Any]] = []
    try:
        for row in found:
            rows.append(row)
            if not as_json:
                print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if as_json:
        print(json.dumps({"benchmark": name, "rows": rows}, indent=2))
    return 0
