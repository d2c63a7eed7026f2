"""Builds the oldest Pulumi engine that Lotus supports, for the tests of it. All other tests run on the newest one.

Usage: `python -m toolchain.oldest_engine`. Exit codes: 0, 1 with one message.
"""

import sys
from pathlib import Path
from typing import Final

from toolchain.engine import BIN, HERE, PACKAGE, EngineError, pinned_engine, version_variable
from toolchain.go_build import GoProgram, built, is_built

MODULE: Final = HERE / "oldest"
FOLDER: Final = BIN / "oldest"
NO_GO: Final = (
    "The oldest supported Pulumi engine is built with Go, and there is none that is new enough: install the Go that "
    "toolchain/oldest/go.mod names, or newer: https://go.dev/dl/"
)


def _program() -> GoProgram:
    version = pinned_engine(MODULE)
    called = f"oldest supported Pulumi engine, {'.'.join(map(str, version))},"
    return GoProgram(MODULE, PACKAGE, called, "three to seven minutes", NO_GO, variables=(version_variable(version),))


def found() -> Path | None:
    """Returns the folder to put in front of PATH, or None where the engine is not built."""
    return FOLDER if is_built(FOLDER / "pulumi", _program()) else None


def main() -> int:
    """Builds it where it is missing, and returns the exit code."""
    try:
        built(FOLDER / "pulumi", _program())
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"The oldest supported engine is in {FOLDER}.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
