"""Gets versitygw, the sandbox's S3 server, onto this machine: the one on PATH, or one built from its Go module.

Nothing here depends on what the server is used for.
"""

import hashlib
import shutil
import subprocess
import time
from pathlib import Path

from toolchain.engine import BIN, HERE, EngineError, _clock, _follow, _go, _locked, _say

NAME = "versitygw"
MODULE = HERE / "s3"
PACKAGE = "github.com/versity/versitygw/cmd/versitygw"
NO_GO = (
    "There is no S3 server on this machine, and no Go that is new enough to build one. Do one of:\n"
    "  - put versitygw on PATH: https://github.com/versity/versitygw/releases\n"
    "  - install the Go that toolchain/go.mod names, or newer: https://go.dev/dl/"
)
FLAGS = ("-mod=readonly", "-buildvcs=false", "-ldflags", "-s -w")


def s3_server() -> Path:
    """Finds the server, or builds it; a build is kept in `toolchain/bin`.

    Raises:
        EngineError: there is neither a server nor a Go that can build it, or the build failed.
    """
    on_path = shutil.which(NAME)
    if on_path is not None:
        return Path(on_path)
    with _locked():
        if not _is_built():
            try:
                go = _go()
            except EngineError:
                raise EngineError(NO_GO) from None
            _build(go)
    return BIN / NAME


def _stamp() -> str:
    parts = [(MODULE / name).read_bytes() for name in ("go.mod", "go.sum")]
    return hashlib.sha256(b"".join([*parts, " ".join(FLAGS).encode()])).hexdigest()


def _is_built() -> bool:
    stamp = BIN / f".{NAME}.stamp"
    return (BIN / NAME).exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == _stamp()


def _build(go: str) -> None:
    partial, stamp = BIN / f".{NAME}.partial", BIN / f".{NAME}.stamp"
    started = time.monotonic()
    _say("Building the S3 server with Go: once, one to three minutes on two cores.")
    command = [go, "build", "-v", *FLAGS, "-o", str(partial), PACKAGE]
    try:
        complaints = _complaints(command, started)
        if complaints is not None:
            raise EngineError("The S3 server could not be built; Go's output:\n" + "\n".join(complaints))
        stamp.unlink(missing_ok=True)
        partial.replace(BIN / NAME)
        stamp.write_text(_stamp(), encoding="utf-8")
    finally:
        partial.unlink(missing_ok=True)
    _say(f"Built the S3 server in {_clock(started)}.")


def _complaints(command: list[str], started: float) -> list[str] | None:
    """Run the build; return Go's errors, or None when it succeeded."""
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, cwd=MODULE, stderr=pipe, stdout=nothing, text=True) as process:
        try:
            errors = _follow(process, started)
        except BaseException:
            process.terminate()
            raise
    return errors if process.returncode != 0 else None
