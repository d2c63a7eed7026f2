"""What a command costs before it does anything: CPU seconds, processes and imports, beside the least of plain Pulumi.

Usage: `python benchmarks/start.py [--runs 3] [--only PART] [--json]`. A row is the cheapest of a command's runs:
`case cpu_s wall_s processes`, and for the engine's `engine_cpu_s program_cpu_s plugin_cpu_s`. Previews change nothing:
the lake, of the repository's own sources, is applied to a twin first, which is also what writes missing bytecode.
CPU is that of the command and all that it started; the program's and the plugin's are read from /proc every 5 ms, so
the last moments of each are missing. `imports` counts the modules of a process at its end. The two floors are programs
of plain Pulumi: one without resources, and one with one resource of a plugin that does nothing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _start_lake
from benchmarks._cost import measured, print_rows
from benchmarks.scale import engine_path, running_twin

BIN: Final = Path(sys.executable).parent
TICK_SECONDS: Final = 0.005
COMMANDS: Final = (("--help",), ("--version",), ("check",), ("status", "--help"), ("graph",))
PREVIEW: Final = ("preview", "--expect-no-changes")
Row = dict[str, Any]


@dataclass(frozen=True)
class Project:
    """A project with its own state.

    Attributes:
        case: what its rows are called.
        folder: of the project.
        environment: of its commands.
    """

    case: str
    folder: Path
    environment: Mapping[str, str]

    @property
    def home(self) -> Path:
        """The engine's folder."""
        return self.folder.parent / "home"

    def pulumi(self, *arguments: str, **extra: str) -> Row:
        """Run the engine once, and measure it."""
        command = ["pulumi", "--non-interactive", "--color", "never", *arguments]
        return measured(command, self.folder, {**self.environment, **extra}, self.home, tick=TICK_SECONDS)

    def applied(self, values: Sequence[str] = ()) -> "Project":
        """Make a stack, give it its values, and apply it."""
        self.pulumi("stack", "init", "start")
        if values:
            self.pulumi("config", "set-all", *values)
        self.pulumi("up", "--yes", "--skip-preview")
        return self

    def preview(self, runs: int) -> Row:
        """The cheapest of some previews, and the imports of one more."""
        cost = cheapest(lambda: self.pulumi(*PREVIEW), runs)
        parts = ("cpu_s", "wall_s", "engine_cpu_s", "program_cpu_s", "plugin_cpu_s", "processes")
        row: Row = {"case": self.case, **{key: cost[key] for key in parts}}
        modules = self.folder / "modules"
        self.pulumi(*PREVIEW, START_MODULES=str(modules))
        return row | {"program_imports": len(modules.read_text(encoding="utf-8").split())}


def cheapest(run: Callable[[], Row], runs: int) -> Row:
    """The run of the least CPU."""
    return min((run() for _ in range(runs)), key=lambda row: float(row["cpu_s"]))


def project(case: str, folder: Path, **extra: str) -> Project:
    """A project in a folder that has a state and an engine's home of its own."""
    (folder / "state").mkdir(parents=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "AIRBYTE_"))}
    settings = {
        "PATH": engine_path(),
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "benchmark",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    return Project(case, folder / "project", {**environment, **settings, **extra})


def floors(folder: Path, runs: int) -> Iterator[Row]:
    """The least of plain Pulumi."""
    for case, with_plugin in (("floor: no resource", False), ("floor: one resource, a plugin in Python", True)):
        made = project(case, folder / f"floor-{with_plugin}")
        _start_lake.floor(made.folder, with_plugin=with_plugin)
        yield made.applied().preview(runs)


def previews(folder: Path, runs: int) -> Iterator[Row]:
    """Previews of lakes that do not change, and the imports of the plugin."""
    for sources in (1, 3):
        own = folder / f"lake-{sources}"
        with running_twin(own, 0, connectors=()) as twin:
            case = f"preview, {sources} source{'s' if sources > 1 else ''}"
            made = project(case, own, AIRBYTE_SERVER_URL=f"{twin.url}/api/public/v1")
            _start_lake.lake(made.folder, sources)
            row = made.applied(_start_lake.values(sources)).preview(runs)
            yield row | {"plugin_imports": plugin_imports(made)}


def plugin_imports(made: Project) -> int:
    """How many modules the plugin has imported at the end of a preview: it runs behind a script that notes them."""
    notes, launcher = made.folder / "plugin-imports", made.folder / "pulumi-resource-airbyte"
    real = _start_lake.REPOSITORY / "toolchain" / "plugins" / "pulumi-resource-airbyte"
    script = f'#!/bin/sh\nPYTHONPROFILEIMPORTTIME=1 exec "{real}" "$@" 2>> "{notes}"\n'
    launcher.write_text(script, encoding="utf-8")
    launcher.chmod(0o755)
    settings = made.folder / "Pulumi.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace(str(real.parent), str(made.folder)), "utf-8")
    made.pulumi(*PREVIEW)
    return imports(notes.read_text(encoding="utf-8"))


def imports(text: str) -> int:
    """Modules in what Python writes with PYTHONPROFILEIMPORTTIME, whose first line is a heading."""
    return max(0, sum(line.startswith("import time:") for line in text.splitlines()) - 1)


def commands(folder: Path, runs: int) -> Iterator[Row]:
    """Commands of lotus that need neither the engine nor Airbyte, in a project of three sources."""
    made = project("", folder / "commands")
    _start_lake.lake(made.folder, 3)
    for arguments in COMMANDS:
        command = [str(BIN / "lotus"), *arguments]

        def run(command: Sequence[str] = command) -> Row:
            return measured(command, made.folder, made.environment, made.home, tick=TICK_SECONDS)

        run()
        cost = cheapest(run, runs)
        environment = {**made.environment, "PYTHONPROFILEIMPORTTIME": "1"}
        done = subprocess.run(command, cwd=made.folder, env=environment, capture_output=True, text=True, check=True)
        parts = {key: cost[key] for key in ("cpu_s", "wall_s", "processes")}
        yield {"case": " ".join(["lotus", *arguments]), **parts, "imports": imports(done.stderr)}


def main() -> int:
    """Prints a row for each command; exit code 1 with one message where it can't be measured, 130 on Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="runs of each command; the cheapest counts")
    parser.add_argument("--only", choices=sorted(PARTS), action="append", help="a part; repeatable (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lotus-start-") as folder:
        found = (PARTS[part](Path(folder), options.runs) for part in options.only or PARTS)
        return print_rows("start", chain.from_iterable(found), as_json=options.json)


PARTS: Final = {"floors": floors, "previews": previews, "commands": commands}

if __name__ == "__main__":
    sys.exit(main())
