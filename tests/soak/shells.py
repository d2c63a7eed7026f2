"""dbt in processes of their own, as from several shells at once: `python -m tests.soak.shells` is one of them.

Such a process loads dbt and the manifest once and then runs what it is told, so that twenty rounds take minutes and the
moments at which runs start decide who meets whom, not the seconds of imports. It reads a line of JSON a run and writes
one.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from dbt.artifacts.schemas.results import NodeStatus
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from lotus_dagster.definitions import DBT_PROJECT, current_manifest

from tests.dagster.lake import close_connections

REPOSITORY: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """What became of a run.

    Attributes:
        success: As dbt's exit code says it.
        messages: Of the nodes that failed, or of dbt itself.
        seconds: From the start of dbt to its end.
    """

    success: bool
    messages: tuple[str, ...]
    seconds: float


class Shell:
    """A process that runs dbt when it is told.

    Args:
        environment: Of the lake.
        folder: Where dbt keeps what belongs to this process alone.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._errors = (folder / "stderr").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.shells", str(folder / "target")],
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def wait_until_ready(self) -> None:
        """Wait until dbt is loaded, which takes seconds."""
        self.end()

    def begin(self, *arguments: str, delay: float = 0, environment: Mapping[str, str] | None = None) -> None:
        """Start a run after a delay in seconds; `end` waits for it."""
        line = json.dumps({"arguments": arguments, "delay": delay, "environment": dict(environment or {})})
        _pipe(self._process.stdin).write(line + "\n")
        _pipe(self._process.stdin).flush()

    def has_ended(self) -> bool:
        """Whether `end` has not to wait."""
        return bool(select.select([_pipe(self._process.stdout)], [], [], 0)[0])

    def end(self) -> Ran:
        """Wait for the run."""
        answer = self._answer()
        return Ran(answer["success"], tuple(answer["messages"]), answer["seconds"])

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Ran:
        """Run, and wait for the end."""
        self.begin(*arguments, environment=environment)
        return self.end()

    def _answer(self) -> dict[str, Any]:
        line = _pipe(self._process.stdout).readline()
        if not line:
            code, told = self._process.wait(), Path(self._errors.name).read_text(errors="replace")
            raise RuntimeError(f"dbt's process ended with exit code {code}: {told[-2000:]}")
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                pipe.close()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def serve(target: Path, requests: IO[str], answers: IO[str]) -> None:
    """Run what each line says."""
    # Begins with what dbt knows of the project already, which saves the seconds of a parse.
    known = current_manifest(DBT_PROJECT).with_name("partial_parse.msgpack")
    target.mkdir(exist_ok=True)
    if known.is_file():
        shutil.copy(known, target)
    paths = {"--project-dir": str(DBT_PROJECT), "--profiles-dir": str(DBT_PROJECT), "--target-path": str(target)}
    options = [part for pair in paths.items() for part in pair]
    options += ["--quiet", "--log-level-file", "none", "--no-write-json"]
    parsed = dbtRunner().invoke(["parse", *options])
    manifest = parsed.result if isinstance(parsed.result, Manifest) else None
    print(json.dumps({"success": parsed.success, "messages": [], "seconds": 0}), file=answers, flush=True)
    for line in requests:
        asked = json.loads(line)
        time.sleep(asked["delay"])
        before = dict(os.environ)
        os.environ.update(asked["environment"])
        began = time.monotonic()
        ran = dbtRunner(manifest=manifest).invoke([*asked["arguments"], *options])
        seconds = time.monotonic() - began
        close_connections()
        os.environ.clear()
        os.environ.update(before)
        failed = [
            f"{one.node.name}: {one.message}"
            for one in getattr(ran.result, "results", ())
            if one.status in {NodeStatus.Error, NodeStatus.Fail}
        ]
        messages = failed or ([str(ran.exception)] if ran.exception else [])
        answer = {"success": ran.success, "messages": messages, "seconds": seconds}
        print(json.dumps(answer), file=answers, flush=True)


def main(arguments: Sequence[str]) -> None:
    """Serve with the answers on what was stdout; what dbt prints goes to stderr."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        serve(Path(arguments[0]), sys.stdin, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
