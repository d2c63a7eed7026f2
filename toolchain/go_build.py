"""Builds a program from a Go module of this folder, once."""

import hashlib
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toolchain.engine import EngineError, _clock, _follow, _go, _locked, _say

FLAGS: Final = ("-mod=readonly", "-buildvcs=false")


@dataclass(frozen=True)
class GoProgram:
    """A program to build.

    Attributes:
        module: the folder of the Go module.
        package: the package to build.
        called: the program in words, such as `S3 server`.
        lasts: how long a build takes, such as `one to three minutes`.
        no_go: the error where there is no Go that is new enough.
        shared: folders with further sources of the program.
        variables: of the sources, set by the linker, as `package.name=value`.
    """

    module: Path
    package: str
    called: str
    lasts: str
    no_go: str
    shared: tuple[Path, ...] = ()
    variables: tuple[str, ...] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        """Of `go build`."""
        return (*FLAGS, "-ldflags", " ".join(["-s -w", *(f"-X {each}" for each in self.variables)]))


def built(target: Path, program: GoProgram) -> Path:
    """Builds a program where it is missing, or not the one of these sources.

    Raises:
        EngineError: there is no Go that can build it, or the build failed.
    """
    with _locked(target.parent, work=f"building the {program.called}"):
        stamp = _stamp_file(target)
        if not is_built(target, program):
            go = go_for(program)
            stamp.unlink(missing_ok=True)
            _build(go, target, program)
            stamp.write_text(_stamp(program), encoding="utf-8")
    return target


def go_for(program: GoProgram) -> str:
    """Finds the Go that builds a program.

    Raises:
        EngineError: there is none that is new enough.
    """
    try:
        return _go()
    except EngineError:
        raise EngineError(program.no_go) from None


def is_built(target: Path, program: GoProgram) -> bool:
    """Whether the program is there, built from these sources."""
    stamp = _stamp_file(target)
    return target.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == _stamp(program)


def _stamp_file(target: Path) -> Path:
    return target.with_name(f".{target.name}.stamp")


def _stamp(program: GoProgram) -> str:
    sources = [program.module / "go.mod", program.module / "go.sum"]
    sources += [each for folder in (program.module, *program.shared) for each in sorted(folder.glob("*.go"))]
    return hashlib.sha256(
        b"".join([*(each.read_bytes() for each in sources), " ".join(program.flags).encode()])
    ).hexdigest()


def _build(go: str, target: Path, program: GoProgram) -> None:
    partial = target.with_name(f".{target.name}.partial")
    started = time.monotonic()
    _say(f"Building the {program.called} with Go: once, {program.lasts} on two cores.")
    try:
        command = [go, "build", "-v", *program.flags, "-o", str(partial), program.package]
        complaints = _complaints(command, program.module, started)
        if complaints is not None:
            raise EngineError(f"The {program.called} could not be built; Go's output:\n" + "\n".join(complaints))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    _say(f"Built the {program.called} in {_clock(started)}.")


def _complaints(command: list[str], module: Path, started: float) -> list[str] | None:
    """Run the build; return Go's errors, or None when it succeeded."""
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, cwd=module, stderr=pipe, stdout=nothing, text=True) as process:
        try:
            errors = _follow(process, started)
        except BaseException:
            process.terminate()
            raise
    return errors if process.returncode != 0 else None
