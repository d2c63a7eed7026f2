"""What a lake of N connections of 5 streams and 15 fields each costs on the real engine, against a twin's own process.

Usage: `python benchmarks/scale.py [--n 50] [--n …] [--plain] [--latency MS] [--peer FOLDER] [--json]`. A row is of one
command: `tool n operation wall_s cpu_s http_calls state_bytes state_bytes_written`, and for Pulumi also
`engine_cpu_s program_cpu_s plugin_cpu_s`. CPU is that of the command and all that it started and waited for; the
program's and the plugin's are read from /proc every 20 ms, so the last moments of each are missing. Bytes written are
those that the engine handed to the disk (`write_bytes` of /proc, whole pages) without its logs. FOLDER holds
`terraform-provider-airbyte`, and `terraform` or `tofu` or both; their lake selects no fields, because with them it is
out of the provider's reach. They read every object before a plan and before an apply; Pulumi does so in `refresh`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks._cost import BenchmarkError, measured, print_rows, size
from benchmarks._scale_lake import CHANGED_PREFIX, FIRST_PREFIX, PROGRAM, STREAMS, TERRAFORM, connectors, lake

REPOSITORY: Final = Path(__file__).resolve().parents[1]
PEERS: Final = ("terraform", "tofu")
PROVIDER: Final = "terraform-provider-airbyte"
CONNECTORS: Final = tuple(connectors())
PLAIN_LIMIT: Final = 300
"""Connections beyond which a first up with checkpoints takes minutes, and is measured only when asked for."""


@dataclass(frozen=True)
class Twin:
    """A twin in a process of its own."""

    url: str

    def count(self) -> int:
        """Calls since it was asked last."""
        counts = httpx.get(f"{self.url}/_twin/counts", trust_env=False).json()
        httpx.delete(f"{self.url}/_twin/counts", trust_env=False)
        return sum(counts.values())


@contextmanager
def running_twin(
    folder: Path, latency_ms: float, connectors: Sequence[Mapping[str, Any]] = CONNECTORS
) -> Iterator[Twin]:
    """An empty twin with connectors beside its own, whose answers are delayed by that many milliseconds."""
    (folder / "twin" / "connectors").mkdir(parents=True)
    for connector in connectors:
        file = folder / "twin" / "connectors" / f"{connector['kind']}.json"
        file.write_text(json.dumps(connector), encoding="utf-8")
    command = [sys.executable, "-c", "from airbyte_twin.cli import main; main()", "--port", "0"]
    with subprocess.Popen([*command, "--data-dir", str(folder / "twin")], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise BenchmarkError("the twin did not start, for the reason above")
            twin = Twin(line.split()[-1])
            if latency_ms:
                slow = {"delay": latency_ms / 1000, "times": None}
                httpx.post(f"{twin.url}/_twin/faults", json=slow, trust_env=False).raise_for_status()
            yield twin
        finally:
            process.terminate()


def engine_path() -> str:
    """PATH with the engine in front.

    Raises:
        BenchmarkError: there is none.
    """
    command = [sys.executable, str(REPOSITORY / "toolchain" / "engine.py"), "--print-path", "--no-build"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise BenchmarkError(found.stderr.strip().removeprefix("error: "))
    parts = [found.stdout.strip(), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    return os.pathsep.join(part for part in parts if part)


def pulumi_rows(n: int, folder: Path, twin: Twin, *, bulk: bool) -> Iterator[dict[str, Any]]:
    """A row for each operation; only the first up where that is plain."""
    project, state = folder / "project", folder / "state"
    project.mkdir()
    state.mkdir()
    plugin = {"name": "airbyte", "path": str(Path(sys.executable).parent)}
    settings = {"name": "scale", "runtime": {"name": "python"}, "plugins": {"providers": [plugin]}}
    (project / "Pulumi.yaml").write_text(json.dumps(settings), encoding="utf-8")
    (project / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    (project / "lake.json").write_text(json.dumps(lake(n)), encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "AIRBYTE_"))} | {
        "PATH": engine_path(),
        "AIRBYTE_SERVER_URL": f"{twin.url}/api/public/v1",
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "benchmark",
        "PULUMI_DIY_BACKEND_ZSTD": "true",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def row(operation: str, *arguments: str, **extra: str) -> dict[str, Any]:
        command = ["pulumi", "--non-interactive", "--color", "never", *arguments]
        cost = measured(command, project, environment | extra, folder / "home")
        counted = {"http_calls": twin.count(), "state_bytes": size(state, "*/stacks/*/*.json.zst")}
        return {"tool": "pulumi", "n": n, "operation": operation, **cost, **counted}

    row("init", "stack", "init", "scale")
    applied = ("--yes", "--skip-preview")
    if not bulk:
        yield row("first up, plain", "up", *applied)
        return
    yield row("first up, bulk", "up", *applied, PULUMI_SKIP_CHECKPOINTS="true")
    yield row("no-change preview", "preview", "--expect-no-changes")
    yield row("refresh", "refresh", *applied, "--expect-no-changes")
    (project / "lake.json").write_text(json.dumps(lake(n, prefix=CHANGED_PREFIX)), encoding="utf-8")
    yield row("one-change up", "up", *applied)


def terraform_rows(n: int, folder: Path, twin: Twin, tool: Path, provider: Path) -> Iterator[dict[str, Any]]:
    """A row for each operation of `terraform` or `tofu`."""
    project, settings = folder / "terraform", folder / "terraformrc"
    project.mkdir()
    settings.write_text(local_provider(provider.parent), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AIRBYTE_"))} | {
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": str(settings),
    }

    def row(operation: str, prefix: str, command: str, option: str) -> dict[str, Any]:
        values = lake(n, url=f"{twin.url}/api/public/v1", streams=json.dumps(STREAMS), prefix=prefix)
        (project / "main.tf").write_text(TERRAFORM % values, encoding="utf-8")
        cost = measured(
            [str(tool), command, "-no-color", "-input=false", option], project, environment, folder / "home"
        )
        parts = {key: cost[key] for key in ("wall_s", "cpu_s", "state_bytes_written")}
        counted = {"http_calls": twin.count(), "state_bytes": (project / "terraform.tfstate").stat().st_size}
        return {"tool": tool.name, "n": n, "operation": operation, **parts, **counted}

    yield row("first apply", FIRST_PREFIX, "apply", "-auto-approve")
    yield row("no-change plan", FIRST_PREFIX, "plan", "-detailed-exitcode")
    yield row("one-change apply", CHANGED_PREFIX, "apply", "-auto-approve")


def local_provider(folder: Path) -> str:
    """The settings file by which Terraform and OpenTofu take Airbyte's provider from a folder, without a registry."""
    override = f'"airbytehq/airbyte" = {json.dumps(str(folder))}'
    return f"provider_installation {{\n  dev_overrides {{\n    {override}\n  }}\n  direct {{}}\n}}\n"


def peers(folder: Path) -> tuple[list[Path], Path]:
    """The executables of a folder: `terraform`, `tofu` or both, and Airbyte's provider.

    Raises:
        BenchmarkError: One is missing.
    """
    tools = [folder.resolve() / name for name in PEERS if shutil.which(folder / name)]
    if not tools:
        raise BenchmarkError(f"{folder} has no executable {' or '.join(PEERS)}: put one into the folder")
    provider = folder.resolve() / PROVIDER
    if not shutil.which(provider):
        raise BenchmarkError(f"{folder} has no executable {PROVIDER}: build one into the folder")
    return tools, provider


Rows = Callable[[Path, Twin], Iterator[dict[str, Any]]]


def run(rows: Rows, latency_ms: float) -> Iterator[dict[str, Any]]:
    """Rows against an empty twin, in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="lotus-scale-") as name, running_twin(Path(name), latency_ms) as twin:
        yield from rows(Path(name), twin)


def all_rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every row that the options ask for."""
    tools, provider = peers(options.peer) if options.peer is not None else ([], Path())
    for n in options.n or [50]:
        yield from run(partial(pulumi_rows, n, bulk=True), options.latency)
        if n <= PLAIN_LIMIT or options.plain:
            yield from run(partial(pulumi_rows, n, bulk=False), options.latency)
        for tool in tools:
            yield from run(partial(terraform_rows, n, tool=tool, provider=provider), options.latency)


def main() -> int:
    """Prints a row for each operation; exit code 1 with one message where it can't be measured, 130 on Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, action="append", help="connections; repeatable (default: 50)")
    parser.add_argument("--plain", action="store_true", help=f"a first up with checkpoints beyond {PLAIN_LIMIT} too")
    parser.add_argument("--latency", type=float, default=0, metavar="MS", help="of each answer of the server")
    parser.add_argument("--peer", type=Path, metavar="FOLDER", help="measure terraform or tofu there as well")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    return print_rows("scale", all_rows(options), as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
