"""Fixtures of the twin's tests."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that tests find their helpers whichever folder pytest starts in

from lab_connectors import LAB_CONNECTORS
from twin_support import Api, serving


@pytest.fixture
def api() -> Iterator[Api]:
    """A fresh community twin without authentication."""
    with serving() as served:
        yield served


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Api]:
    """A twin that also has the lab's connectors: a source that defines little, a destination that takes every mode."""
    folder = tmp_path / "connectors"
    folder.mkdir()
    for connector in LAB_CONNECTORS:
        (folder / f"{connector['type']}-{connector['kind']}.json").write_text(json.dumps(connector))
    with serving(data_dir=tmp_path) as served:
        yield served
