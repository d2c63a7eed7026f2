"""Fixtures of the engine tests: the engine itself, and a Pulumi project per test."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.harness import NoEngineError, Pulumi, find_engine
from tests.engine.lake import Lake

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def engine() -> list[Path]:
    """The folders that lead to the engine; without one, the test is skipped with the reason."""
    try:
        return find_engine()
    except NoEngineError as error:
        pytest.skip(f"NO ENGINE: {error}")


@pytest.fixture
def pulumi(tmp_path: Path, engine: list[Path]) -> Pulumi:
    """A project without plugins."""
    return Pulumi(tmp_path, engine)


@pytest.fixture
def pulumi_with(tmp_path: Path, engine: list[Path]) -> Callable[[Mapping[str, Path]], Pulumi]:
    """Makes a project with the plugins given by provider name and the folder of the executable."""
    return lambda plugins: Pulumi(tmp_path, engine, plugins)


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    """An empty Airbyte."""
    with running_twin() as twin:
        yield twin


@pytest.fixture
def lake(tmp_path: Path, engine: list[Path], twin: RunningTwin) -> Lake:
    """The project's own lake, not applied yet."""
    return Lake.copied(Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent}), twin)


@pytest.fixture
def applied(lake: Lake) -> Lake:
    """The project's own lake, applied; the twin's log is empty again."""
    lake.pulumi.up().ok()
    lake.twin.clear_calls()
    return lake
