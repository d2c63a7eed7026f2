"""Find the Pulumi engine on this machine, or build it, and print its folder.

Run by any Python from 3.11 on, with the standard library alone. There are two ways: the Pulumi CLI on PATH, when
Pulumi.yaml's `requiredPulumiVersion` has it; or the release pinned in go.mod, the newest that is tested, built from its
Go module into `toolchain/bin`. A CLI without its Python language host gets the stand-in, `language_host.py`. Nothing
here depends on what the engine is used for.

Usage: `python toolchain/engine.py [--print-path] [--no-build]`. With `--print-path`, standard output is what to put in
front of PATH, empty when PATH serves as it is; all else goes to standard error. With `--no-build`, an engine that would
have to be built is an error. Exit codes: 0, 1 with one message, 130 on Ctrl-C.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

HERE = Path(__file__).resolve().parent
BIN = HERE / "bin"
ENGINE = BIN / "pulumi"
HOST_NAME = "pulumi-language-python"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
LASTS = "three to seven minutes on two cores"
Version = tuple[int, int, int]


class EngineError(Exception):
    """There is no engine; the message has the remedy."""


def pinned_engine(module: Path = HERE) -> Version:
    """Reads the release that go.mod of a module pins: in this folder, the newest that is tested, and is built."""
    return _parse_version(in_go_mod(r"github\.com/pulumi/pulumi/pkg/v3 v(\S+)", module))


def supported_engines() -> tuple[Version, Version]:
    """Reads which releases Pulumi.yaml supports: from the first on, and before the second.

    Raises:
        EngineError: it does not have them in the one form that is read, such as `>=3.259.0 <4.0.0`.
    """
    file = HERE.parent / "Pulumi.yaml"
    text = file.read_text(encoding="utf-8")
    match = re.search(r"^requiredPulumiVersion: *\"?>=(\S+) <([^\s\"]+)\"? *$", text, re.MULTILINE)
    if match is None:
        raise EngineError(f'{file}: requiredPulumiVersion: write two limits, such as ">=3.259.0 <4.0.0".')
    return _parse_version(match[1]), _parse_version(match[2])


def needed_go() -> Version:
    """Reads the oldest Go that can build the engine, go.mod's `go` line."""
    return _parse_version(in_go_mod(r"^go (\S+)"))


def in_go_mod(pattern: str, module: Path = HERE) -> str:
    """Reads the first group of a pattern in a module's go.mod; `^` and `$` are those of a line.

    Raises:
        EngineError: nothing matches.
    """
    match = re.search(pattern, (module / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise EngineError(f"{module / 'go.mod'} does not match {pattern!r}: restore the file from the repository.")
    return match.group(1)


def _parse_version(text: str) -> Version:
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else (0, 0, 0)


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def engine_folders(*, may_build: bool = True) -> list[Path]:
    """Finds the engine, or builds it.

    Returns:
        The folders to put in front of PATH, in order; none when PATH already leads to an engine and its host.

    Raises:
        EngineError: there is neither a good CLI nor a Go that can build one, or the build failed or was not wanted.
    """
    on_path = _is_on_path()
    if on_path and _which(HOST_NAME):
        return []
    with _locked():
        if not _is_built():
            if on_path:
                ENGINE.unlink(missing_ok=True)  # An outdated build would hide the CLI that is on PATH.
            elif may_build:
                _build(_go())
            else:
                raise EngineError("The Pulumi engine is not built: run `make engine` first.")
        _write_language_host()
    return [BIN]


def _is_on_path() -> bool:
    pulumi = _which("pulumi")
    oldest, too_new = supported_engines()
    return pulumi is not None and oldest <= _asked_version([pulumi, "version"]) < too_new


def _which(name: str) -> str | None:
    folders = [folder for folder in os.get_exec_path() if folder and Path(folder).resolve() != BIN]
    return shutil.which(name, path=os.pathsep.join(folders))


def _asked_version(command: list[str]) -> Version:
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0, 0)
    return _parse_version(answer.stdout) if answer.returncode == 0 else (0, 0, 0)


def _go() -> str:
    # Asked in this folder, a Go from 1.21 on fetches the toolchain that go.mod wants, where it may.
    go = shutil.which("go")
    if go is None or _asked_version([go, "env", "GOVERSION"]) < needed_go():
        oldest, too_new = supported_engines()
        raise EngineError(
            "There is no Pulumi engine on this machine that Lotus supports, and no way to build one. Do one of:\n"
            f"  - install the Pulumi CLI {_dotted(oldest)} or newer, but older than {_dotted(too_new)}:"
            " https://www.pulumi.com/docs/install/\n"
            f"  - install Go {_dotted(needed_go())} or newer, which then builds the engine here, once: https://go.dev/dl/"
        )
    return go


@contextlib.contextmanager
def _locked(folder: Path | None = None, work: str = "building the engine") -> Iterator[None]:
    """Holds a folder's lock, so that two runs never do the same at once; it ends with the process, however it ends."""
    folder = folder or BIN
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"Another run is {work}: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stamp() -> str:
    digest = hashlib.sha256()
    for part in (HERE / "go.mod", HERE / "go.sum"):
        digest.update(part.read_bytes())
    digest.update(" ".join(_build_flags()).encode())
    return digest.hexdigest()


def _is_built() -> bool:
    stamp = BIN / ".stamp"
    return ENGINE.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == _stamp()


def _build_flags() -> list[str]:
    return ["-mod=readonly", "-buildvcs=false", "-ldflags", f"-s -w -X {version_variable(pinned_engine())}"]


def version_variable(version: Version) -> str:
    """The variable, set by the linker, from which an engine reports its release."""
    return f"{VERSION_VARIABLE}=v{_dotted(version)}"


def _build(go: str) -> None:
    partial = BIN / ".pulumi.partial"
    started = time.monotonic()
    _say(f"Building the Pulumi engine {_dotted(pinned_engine())} with Go: once, {LASTS}.")
    command = [go, "build", "-v", *_build_flags(), "-o", str(partial), PACKAGE]
    process = subprocess.Popen(command, cwd=HERE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        complaints = _follow(process, started)
        if process.wait() < 0:
            # Ctrl-C ends Go too, and may do so before this process has seen the same signal.
            raise KeyboardInterrupt
        if process.returncode != 0:
            raise EngineError("The Pulumi engine could not be built; Go's output:\n" + "\n".join(complaints))
        (BIN / ".stamp").unlink(missing_ok=True)
        partial.replace(ENGINE)
        (BIN / ".stamp").write_text(_stamp(), encoding="utf-8")
    finally:
        try:
            if process.poll() is None:
                process.terminate()
                process.wait()
        finally:
            # On its own, because a Ctrl-C that ended Go first may reach this process only now.
            partial.unlink(missing_ok=True)
    _say(f"Built the engine in {_clock(started)}.")


def _follow(process: subprocess.Popen[str], started: float) -> list[str]:
    """Shows the build's progress until its output ends; returns the last lines that are not progress."""
    assert process.stderr is not None
    progress = Progress(process.stderr)
    while not progress.wait_for_end(seconds=1.0 if sys.stderr.isatty() else 15.0):
        _say(f"  {_clock(started)}  {progress.text()}", again=True)
    return progress.complaints[-20:]


class Progress:
    """Counts what `go build -v` reports: a line per module fetched, a line per package compiled."""

    def __init__(self, lines: IO[str]) -> None:
        self.fetched = 0
        self.compiled = 0
        self.complaints: list[str] = []
        self._reader = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._reader.start()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            text = line.rstrip()
            if text.startswith("go: downloading "):
                self.fetched += 1
            elif re.fullmatch(r"[\w.~+/-]+", text):
                self.compiled += 1
            else:
                self.complaints.append(text)

    def wait_for_end(self, seconds: float) -> bool:
        """Returns whether the output ended within the time."""
        self._reader.join(seconds)
        return not self._reader.is_alive()

    def text(self) -> str:
        """The build's progress in words."""
        return f"{self.fetched} modules fetched, {self.compiled} packages compiled"


def _write_language_host() -> None:
    """Write the stand-in's executable where it is missing or not the one for this environment."""
    # The engine starts it twice for a command: no program of its own for each part of a path.
    text = (
        '#!/bin/sh\nhost=$0\n[ ! -L "$host" ] || host=$(readlink -f "$host")\n'
        'toolchain=$(cd "${host%/*}/.." && pwd -P)\n'
        f'exec {_environment_python()} -u "$toolchain/language_host.py" "$@"\n'
    )
    host = BIN / HOST_NAME
    if not host.exists() or host.read_text(encoding="utf-8") != text:
        partial = BIN / ".host.partial"
        partial.write_text(text, encoding="utf-8")
        partial.chmod(0o755)
        partial.replace(host)


def _environment_python() -> str:
    """The Python of the project's environment, as a word of the executable.

    Raises:
        EngineError: there is no environment.
    """
    if _is_environment(HERE.parent / ".venv"):
        return '"${toolchain%/*}/.venv/bin/python"'  # Stays right where the checkout is moved or copied.
    if _is_environment(Path(sys.prefix)):
        return shlex.quote(str(Path(sys.prefix) / "bin" / "python"))
    raise EngineError("The engine needs the project's Python environment to run programs in: run `make setup` first.")


def _is_environment(folder: Path) -> bool:
    return (folder / "bin" / "python").exists() and (folder / "pyvenv.cfg").exists()


def _clock(started: float) -> str:
    seconds = int(time.monotonic() - started)
    return f"{seconds // 60}:{seconds % 60:02d}"


def _say(text: str, *, again: bool = False) -> None:
    """Prints to standard error; `again` lets a terminal show the next line in the same place."""
    terminal = sys.stderr.isatty()
    end = "\r" if again and terminal else "\n"
    print("\r\x1b[2K" * terminal + text, end=end, file=sys.stderr, flush=True)


def _interrupted(number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt(number)


def main() -> int:
    """Parses the arguments, prints, and returns the exit code."""
    arguments = argparse.ArgumentParser(description="Find the Pulumi engine, or build it.")
    arguments.add_argument("--print-path", action="store_true", help="print what to put in front of PATH")
    arguments.add_argument("--no-build", action="store_true", help="fail rather than build")
    options = arguments.parse_args()
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        folders = engine_folders(may_build=not options.no_build)
    except EngineError as error:
        _say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _say("Interrupted: nothing half-built is left.")
        return 130
    if options.print_path:
        print(os.pathsep.join(map(str, folders)))
    else:
        _say(f"The engine is in {folders[0]}." if folders else "The engine is the Pulumi CLI on PATH.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
