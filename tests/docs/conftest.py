"""Fixtures of the tests of pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.stage import Base, Stage, standing
from tests.engine.harness import NoEngineError, find_engine


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    """The lake, applied once; without an engine, the test is skipped with the reason."""
    try:
        engine = find_engine()
    except NoEngineError as error:
        pytest.skip(f"NO ENGINE: {error}")
    with standing(tmp_path_factory.mktemp("stage"), engine) as base:
        yield base


@pytest.fixture
def stage(base: Base, tmp_path: Path) -> Iterator[Stage]:
    """As the lake is once it has been applied."""
    with base.stage(tmp_path) as stage:
        yield stage
