"""Reference data that is not in the repository: the chart's schemas, and what the taken-over lake has."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("LOTUS_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))


def shared(*parts: str) -> Path:
    """A file or folder of the reference data; skips the test without it."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no reference data: set LOTUS_SHARED_DATA to the folder that has {'/'.join(parts)}")
    return path


def shared_json(*parts: str) -> Any:
    """A JSON file of the reference data, read."""
    return json.loads(shared(*parts).read_text(encoding="utf-8"))
