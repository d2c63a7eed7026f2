"""`toolchain/engine.py` as its callers see it: run in a copy of its folder, on a PATH where each tool is a stand-in."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "toolchain" / "engine.py"
GO_MOD = """module example.com/toolchain

go 1.26

require github.com/pulumi/pulumi/pkg/v3 v3.276.0 // indirect
"""
PULUMI_YAML = 'name: lake\nruntime: python\nrequiredPulumiVersion: ">=3.259.0 <4.0.0"\n'
BUILDS = """
for argument; do
  if [ "$last" = -o ]; then out=$argument; fi
  last=$argument
done
echo "$@" >> "$LOG"
echo 'go: downloading example.com/module v1.0.0' >&2
echo example.com/module/package >&2
printf '#!/bin/sh\\necho v3.276.0\\n' > "$out"
/bin/chmod +x "$out"
"""
BUILDS_WHEN_RELEASED = BUILDS + 'echo started > "$STARTED"\nread _ < "$RELEASED"\n'


@dataclass(frozen=True)
class Machine:
    """A folder with a toolchain, and a PATH of its own."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / "toolchain" / "bin"

    @property
    def log(self) -> Path:
        return self.folder / "builds.log"

    def builds(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []

    def has(self, name: str, script: str) -> None:
        """Puts an executable on PATH."""
        tool = self.folder / "path" / name
        tool.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        tool.chmod(0o755)

    def has_cli(self, version: str, *, host: bool = True) -> None:
        self.has("pulumi", f"echo v{version}")
        if host:
            self.has("pulumi-language-python", "exit 1")

    def has_go(self, version: str = "1.26.8", build: str = BUILDS) -> None:
        self.has("go", f'if [ "$1" = env ]; then echo go{version}; exit; fi\n{build}')

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {
            "PATH": str(self.folder / "path"),
            "LOG": str(self.log),
            "STARTED": str(self.folder / "started"),
            "RELEASED": str(self.folder / "released"),
        }
        command = [sys.executable, str(self.folder / "toolchain" / "engine.py"), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True, process_group=0)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Returns the exit code, standard output and standard error."""
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "toolchain").mkdir()
    (tmp_path / "path").mkdir()
    shutil.copy(SCRIPT, tmp_path / "toolchain")
    (tmp_path / "toolchain" / "go.mod").write_text(GO_MOD, encoding="utf-8")
    (tmp_path / "toolchain" / "go.sum").write_text("sums\n", encoding="utf-8")
    (tmp_path / "Pulumi.yaml").write_text(PULUMI_YAML, encoding="utf-8")
    for fifo in ("started", "released"):
        os.mkfifo(tmp_path / fifo)
    return Machine(tmp_path)


@pytest.mark.parametrize("version", ["3.259.0", "3.260.1", "3.276.0", "3.300.0-alpha.1+dirty"])
def test_a_new_enough_cli_with_its_host_needs_nothing_on_path(machine: Machine, version: str) -> None:
    machine.has_cli(version)
    machine.has_go()

    assert machine.run("--print-path") == (0, "\n", "")
    assert machine.builds() == []
    assert not machine.bin.exists()


@pytest.mark.parametrize("version", ["3.258.9", "2.999.0", "4.0.0", ""])
def test_a_cli_of_another_age_is_replaced_by_a_build(machine: Machine, version: str) -> None:
    machine.has_cli(version)
    machine.has_go()

    code, stdout, _ = machine.run("--print-path")

    assert (code, stdout) == (0, f"{machine.bin}\n")
    assert len(machine.builds()) == 1
    assert os.access(machine.bin / "pulumi", os.X_OK)
    assert os.access(machine.bin / "pulumi-language-python", os.X_OK)


def test_the_build_is_checked_against_the_sums_and_stamped_with_the_release(machine: Machine) -> None:
    machine.has_go()

    machine.run()

    (arguments,) = machine.builds()
    assert "-mod=readonly" in arguments
    assert ".Version=v3.276.0" in arguments


def test_a_cli_without_its_host_gets_the_stand_in_and_no_build(machine: Machine) -> None:
    machine.has_cli("3.259.0", host=False)
    machine.has_go()
    machine.bin.mkdir()
    (machine.bin / "pulumi").write_text("an outdated build", encoding="utf-8")

    code, stdout, _ = machine.run("--print-path")

    assert (code, stdout) == (0, f"{machine.bin}\n")
    assert machine.builds() == []
    assert not (machine.bin / "pulumi").exists(), "an outdated build would hide the CLI on PATH"


def test_the_stand_in_runs_where_its_checkout_was_moved_to(
    machine: Machine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    machine.has_cli("3.259.0", host=False)
    python = machine.folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$0" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    (machine.folder / ".venv" / "pyvenv.cfg").touch()
    assert machine.run()[0] == 0

    moved = machine.folder.rename(tmp_path_factory.mktemp("elsewhere") / "a lake")

    host = moved / "toolchain" / "bin" / "pulumi-language-python"
    ran = subprocess.run([host, "127.0.0.1:1"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"{moved}/.venv/bin/python -u {moved}/toolchain/language_host.py 127.0.0.1:1\n"


def test_a_build_is_kept_until_what_it_is_made_of_changes(machine: Machine) -> None:
    machine.has_go()
    sums = machine.folder / "toolchain" / "go.sum"

    machine.run()
    machine.run()
    assert len(machine.builds()) == 1

    sums.write_text("other sums\n", encoding="utf-8")
    machine.run()
    assert len(machine.builds()) == 2


@pytest.mark.parametrize("go", [None, "1.25.9"])
def test_without_a_way_to_an_engine_one_message_names_both_ways(machine: Machine, go: str | None) -> None:
    if go is not None:
        machine.has_go(go)

    code, stdout, stderr = machine.run("--print-path")

    assert (code, stdout) == (1, "")
    assert "install the Pulumi CLI 3.259.0 or newer, but older than 4.0.0" in stderr
    assert "install Go 1.26.0 or newer" in stderr
    assert "Traceback" not in stderr


def test_no_build_means_no_build(machine: Machine) -> None:
    machine.has_go()

    code, _, stderr = machine.run("--no-build")

    assert code == 1
    assert "make engine" in stderr
    assert machine.builds() == []


def test_a_failed_build_shows_what_go_says_and_keeps_the_former_engine(machine: Machine) -> None:
    machine.has_go()
    machine.run()
    former = (machine.bin / "pulumi").read_bytes()
    (machine.folder / "toolchain" / "go.sum").write_text("other sums\n", encoding="utf-8")
    machine.has_go(build=BUILDS + "echo 'verifying module: checksum mismatch' >&2; exit 1")

    code, _, stderr = machine.run()

    assert code == 1
    assert "checksum mismatch" in stderr
    assert "example.com/module" not in stderr
    assert "Traceback" not in stderr
    assert (machine.bin / "pulumi").read_bytes() == former
    assert not (machine.bin / ".pulumi.partial").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing_half_written(machine: Machine, how: signal.Signals) -> None:
    machine.has_go(build=BUILDS_WHEN_RELEASED)
    process = machine.start()
    (machine.folder / "started").read_text("utf-8")  # Waits for the build.

    os.killpg(process.pid, how)
    _, stderr = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Interrupted" in stderr
    assert "Traceback" not in stderr
    assert {path.name for path in machine.bin.iterdir()} == {".lock"}


def test_two_runs_at_once_build_once(machine: Machine) -> None:
    machine.has_go(build=BUILDS_WHEN_RELEASED)
    first = machine.start()
    (machine.folder / "started").read_text("utf-8")  # Waits for the build.
    second = machine.start()
    assert second.stderr is not None
    assert "Another run" in second.stderr.readline()

    (machine.folder / "released").write_text("go\n", encoding="utf-8")

    for process in (first, second):
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert len(machine.builds()) == 1


@pytest.mark.parametrize("limits", ["", 'requiredPulumiVersion: "^3.259.0"'])
def test_limits_that_are_not_read_are_an_error_that_shows_how_to_write_them(machine: Machine, limits: str) -> None:
    machine.has_cli("3.276.0")
    (machine.folder / "Pulumi.yaml").write_text(f"name: lake\n{limits}\n", encoding="utf-8")

    code, _, stderr = machine.run("--print-path")

    assert code == 1
    assert 'Pulumi.yaml: requiredPulumiVersion: write two limits, such as ">=3.259.0 <4.0.0".' in stderr
    assert "Traceback" not in stderr
