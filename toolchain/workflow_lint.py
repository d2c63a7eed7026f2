"""Check the workflows with actionlint: the one on PATH, or one built from its Go module.

Usage: `python -m toolchain.workflow_lint [FILE…]`, by default every workflow. actionlint passes scripts to shellcheck,
which the environment has. Exit codes: 0, also without actionlint and without a Go that can build it, which is printed;
1 with the mistakes.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from toolchain.engine import BIN, HERE, EngineError
from toolchain.go_build import GoProgram, built

NAME = "actionlint"
MODULE = HERE / NAME
PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"
NO_GO = "There is no actionlint on this machine, and no Go that is new enough to build it: https://go.dev/dl/"


def actionlint() -> Path:
    """Find actionlint, or build it; a build is kept in `toolchain/bin`.

    Raises:
        EngineError: There is neither, nor a Go that can build it, or the build failed.
    """
    on_path = shutil.which(NAME)
    if on_path is not None:
        return Path(on_path)
    return built(BIN / NAME, GoProgram(MODULE, PACKAGE, "checker of workflows", "under a minute", NO_GO))


def main(files: list[str]) -> int:
    """Check the files, or every workflow; return the exit code."""
    try:
        program = actionlint()
    except EngineError as error:
        print(f"NOT RUN: the check of the workflows. {error}", file=sys.stderr)
        return 0
    shellcheck = Path(sys.executable).with_name("shellcheck")
    command = [str(program), "-shellcheck", str(shellcheck), "-pyflakes", "", *files]
    return subprocess.run(command, cwd=HERE.parent, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
