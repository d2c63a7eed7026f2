"""Golden files: what a test makes is compared with what was blessed before, and blessed anew on request."""

import difflib
import os
from pathlib import Path

import pytest


def assert_matches(file: Path, made: str) -> None:
    """Compare with a blessed file; with `LOTUS_BLESS=1` in the environment, bless what was made instead.

    Args:
        file: The blessed file.
        made: What the test made.
    """
    if os.environ.get("LOTUS_BLESS"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(made, encoding="utf-8")
        return
    blessed = file.read_text(encoding="utf-8") if file.exists() else ""
    if made != blessed:
        difference = difflib.unified_diff(blessed.splitlines(), made.splitlines(), "blessed", "made", lineterm="", n=1)
        pytest.fail("\n".join([f"{file.name} differs; if that is meant, run make bless", *difference]), pytrace=False)
