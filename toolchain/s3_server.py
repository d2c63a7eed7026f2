"""Gets versitygw, the sandbox's S3 server, onto this machine: the one on PATH, or one built from its Go module.

Nothing here depends on what the server is used for.
"""

import shutil
from pathlib import Path

from toolchain.engine import BIN, HERE
from toolchain.go_build import GoProgram, built, is_built

NAME = "versitygw"
MODULE = HERE / "s3"
PACKAGE = "github.com/versity/versitygw/cmd/versitygw"
NO_GO = (
    "There is no S3 server on this machine, and no Go that is new enough to build one. Do one of:\n"
    "  - put versitygw on PATH: https://github.com/versity/versitygw/releases\n"
    "  - install the Go that toolchain/go.mod names, or newer: https://go.dev/dl/"
)
LASTS = "one to three minutes"


def is_there() -> bool:
    """Whether the machine has the server, so that none has to be built."""
    return shutil.which(NAME) is not None or is_built(BIN / NAME, _program())


def s3_server() -> Path:
    """Finds the server, or builds it; a build is kept in `toolchain/bin`.

    Raises:
        EngineError: there is neither a server nor a Go that can build it, or the build failed.
    """
    on_path = shutil.which(NAME)
    if on_path is not None:
        return Path(on_path)
    return built(BIN / NAME, _program())


def _program() -> GoProgram:
    return GoProgram(MODULE, PACKAGE, "S3 server", LASTS, NO_GO)
